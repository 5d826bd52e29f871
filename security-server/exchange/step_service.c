// SPDX-License-Identifier: MIT
/* Step 11: let a gateway call our own service. The request is durable by now. */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/front.h"
#include "security-server/exchange/node.h"

static void on_deadline(struct loop_timer *timer)
{
    struct exchange *x = timer->owner;
    if (x->wait != WAIT_SERVICE)
        return;
    exchange_table_called_back(x->node->table, x);
    exchange_fail(x, RAISE(SERVICE_TIMEOUT, "no answer from the service before the deadline"));
}

enum step_end step_call_service(struct exchange *x)
{
    int64_t left_ms = x->deadline_ms - clock_wall_ms();
    if (left_ms <= 0)
        return exchange_refuse(x, RAISE(DEADLINE_PASSED, "before the service could be called"));
    fault f = front_call(x->node->front, x, left_ms);
    if (failed(f))
        return exchange_refuse(x, f);
    x->wait = WAIT_SERVICE;
    x->deadline = (struct loop_timer){.fire = on_deadline, .owner = x};
    loop_set_timer(x->node->loop, &x->deadline, left_ms);
    return STEP_WAIT;
}
