// SPDX-License-Identifier: MIT
/* chaski erase: orders a running node to erase payloads, and waits for what it says. */
#include "tools/chaski/commands.h"

#include "lib/base/options.h"
#include "lib/base/text.h"
#include "tools/chaski/order.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdio.h>

struct erase {
    const char *config, *entry, *day, *ground, *officer;
    uint64_t wait_s, epoch;
    uint64_t index;
};

static fault take_options(int argc, char **argv, struct erase *out)
{
    const struct option_place known[] = {
        OPTION_MUST("config", &out->config),
        OPTION_TEXT("entry", &out->entry),
        OPTION_TEXT("day", &out->day),
        OPTION_MUST("ground", &out->ground),
        OPTION_MUST("officer", &out->officer),
        OPTION_NUMBER("wait", &out->wait_s, 0, ORDER_WAIT_S_MAX),
        OPTION_NUMBER("epoch", &out->epoch, 0, LOG_EPOCHS_MAX),
        {0},
    };
    TRY(options_take("erase", argc, argv, known, NULL));
    if ((out->entry == NULL) == (out->day == NULL))
        return RAISE(BAD_REQUEST, "erase needs --entry or --day");
    return out->entry == NULL ? DONE
                              : text_number(span_of_text(out->entry), UINT64_MAX - 1, &out->index);
}

fault erase_command(int argc, char **argv)
{
    struct erase self = {.wait_s = ORDER_WAIT_S_DEFAULT};
    Chaski__EraseOrder order = CHASKI__ERASE_ORDER__INIT;
    uint64_t record = 0, erased = 0;
    TRY(take_options(argc, argv, &self));
    order.ground = (char *)(uintptr_t)self.ground;
    order.officer = (char *)(uintptr_t)self.officer;
    order.log_epoch = (uint32_t)self.epoch;
    if (self.entry != NULL) {
        order.what_case = CHASKI__ERASE_ORDER__WHAT_ENTRY;
        order.entry = self.index;
    } else {
        order.what_case = CHASKI__ERASE_ORDER__WHAT_DAY;
        order.day = (char *)(uintptr_t)self.day;
    }
    TRY(order_give(self.config, &order, self.wait_s, &record, &erased));
    printf("%" PRIu64 " payload%s erased, by entry %" PRIu64 " of the log\n", erased,
           erased == 1 ? "" : "s", record);
    return DONE;
}
