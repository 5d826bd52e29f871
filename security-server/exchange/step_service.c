// SPDX-License-Identifier: MIT
/* Step 11: let a gateway call our own service. The request is durable by now. */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "lib/bus/metaservice.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/front.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/subject_desk.h"

static void on_deadline(struct loop_timer *timer)
{
    struct exchange *x = timer->owner;
    if (x->wait != WAIT_SERVICE)
        return;
    exchange_table_called_back(x->node->table, x);
    exchange_fail(x, RAISE(SERVICE_TIMEOUT, "no answer from the service before the deadline"));
}

/* What is left of the deadline, less what the answer needs to be signed, kept and sent: so that the
 * caller hears, in time and signed, that it was the service that hung. */
static int64_t time_for_service(const struct exchange *x)
{
    int64_t left_ms = x->deadline_ms - clock_wall_ms();
    int64_t spare_ms = left_ms / 10;
    if (spare_ms < DEADLINE_MS_LEAST)
        spare_ms = left_ms / 2 < DEADLINE_MS_LEAST ? left_ms / 2 : DEADLINE_MS_LEAST;
    return left_ms - (spare_ms < SERVICE_SPARE_MS ? spare_ms : SERVICE_SPARE_MS);
}

enum step_end step_call_service(struct exchange *x)
{
    if (metaservice_of(header_of(x->request.read)->service) == METASERVICE_SUBJECT)
        return subject_desk_answer(x->node->subject_desk, x);
    int64_t left_ms = time_for_service(x);
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
