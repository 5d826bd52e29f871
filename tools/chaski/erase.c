// SPDX-License-Identifier: MIT
/* chaski erase: orders a running node to erase payloads, and waits for what it says. */
#include "tools/chaski/commands.h"

#include "lib/base/text.h"
#include "tools/chaski/order.h"

#include "audit.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

struct erase {
    const char *config, *entry, *day, *ground, *officer;
    uint64_t wait_s, epoch;
    uint64_t index;
};

static fault take_options(int argc, char **argv, struct erase *out)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},  {"entry", required_argument, NULL, 'e'},
        {"day", required_argument, NULL, 'd'},     {"ground", required_argument, NULL, 'g'},
        {"officer", required_argument, NULL, 'o'}, {"wait", required_argument, NULL, 'w'},
        {"epoch", required_argument, NULL, 'n'},   {0}};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (code == 'c')
            out->config = optarg;
        else if (code == 'e')
            out->entry = optarg;
        else if (code == 'd')
            out->day = optarg;
        else if (code == 'g')
            out->ground = optarg;
        else if (code == 'o')
            out->officer = optarg;
        else if (code == 'w')
            TRY(text_number(span_of_text(optarg), 86400, &out->wait_s));
        else if (code == 'n')
            TRY(text_number(span_of_text(optarg), LOG_EPOCHS_MAX, &out->epoch));
        else
            return RAISE(BAD_REQUEST, "an option that is not known");
    }
    if (out->config == NULL || out->ground == NULL || out->officer == NULL ||
        (out->entry == NULL) == (out->day == NULL))
        return RAISE(BAD_REQUEST, "erase needs --config, --entry or --day, --ground and --officer");
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
