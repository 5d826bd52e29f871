// SPDX-License-Identifier: MIT
/* chaski log: acts on the evidence log as a whole. */
#include "tools/chaski/commands.h"

#include "lib/base/file.h"
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/day_key.h"
#include "tools/chaski/order.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct new_epoch {
    const char *config, *reason, *officer;
    uint64_t closes; /* 0: the present one */
    char folder[PATH_MAX], order[PATH_MAX];
};

static fault take_options(int argc, char **argv, struct new_epoch *out)
{
    const struct option_place known[] = {
        OPTION_MUST("config", &out->config),
        OPTION_MUST("reason", &out->reason),
        OPTION_MUST("officer", &out->officer),
        OPTION_NUMBER("closes", &out->closes, 0, LOG_EPOCHS_MAX - 1),
        {0},
    };
    return options_take("log new-epoch", argc, argv, known, NULL);
}

static fault check_words(const char *name, const char *words)
{
    if (words[0] == '\0' || strlen(words) > EPOCH_WORDS_BYTES_MAX ||
        !text_is_plain(span_of_text(words)))
        return RAISE(BAD_REQUEST, "--%s is needed, plain text of at most %d bytes", name,
                     EPOCH_WORDS_BYTES_MAX);
    return DONE;
}

static fault find_paths(struct new_epoch *self)
{
    char orders[PATH_MAX];
    TRY(order_folders(self->config, self->folder, orders));
    return text_format(self->order, sizeof self->order, "%s/new-epoch.order", orders)
               ? DONE
               : RAISE(BAD_CONFIG, "the audit folder's name is too long");
}

static fault find_epoch(struct new_epoch *self)
{
    unsigned newest = 1, marked = 1;
    TRY(log_epoch_newest(self->folder, &newest));
    TRY(log_epoch_marked(self->folder, &marked));
    unsigned present = marked > newest ? marked : newest;
    if (self->closes == 0)
        self->closes = present;
    if (self->closes < present)
        return RAISE(REFUSED, "epoch %u is closed already; the present one is %u",
                     (unsigned)self->closes, present);
    if (self->closes >= LOG_EPOCHS_MAX)
        return RAISE(REFUSED, "a log has at most %d epochs", LOG_EPOCHS_MAX);
    return DONE;
}

static fault write_order(const struct new_epoch *self)
{
    Chaski__EpochOrder order = CHASKI__EPOCH_ORDER__INIT;
    OWNED(bytes) packed = NULL;
    order.closes = (uint32_t)self->closes;
    order.reason = (char *)(uintptr_t)self->reason;
    order.officer = (char *)(uintptr_t)self->officer;
    TRY(bytes_new(chaski__epoch_order__get_packed_size(&order), &packed));
    chaski__epoch_order__pack(&order, packed->data);
    /* the node may run as another user than root, who may have written this */
    return file_replace(self->order, bytes_span(packed), 0644);
}

static fault new_epoch(int argc, char **argv)
{
    struct new_epoch self = {.config = NULL};
    TRY(take_options(argc, argv, &self));
    TRY(check_words("reason", self.reason));
    TRY(check_words("officer", self.officer));
    TRY(find_paths(&self));
    TRY(find_epoch(&self));
    TRY(write_order(&self));
    printf("The next start closes epoch %u of this log and begins epoch %u.\n"
           "Until then the order can be taken back: remove %s\n",
           (unsigned)self.closes, (unsigned)self.closes + 1, self.order);
    return DONE;
}

// --- pruning ------------------------------------------------------------------------------------

struct prune {
    const char *config, *before, *ground, *officer;
    uint64_t wait_s;
};

static fault take_prune_options(int argc, char **argv, struct prune *out)
{
    const struct option_place known[] = {
        OPTION_MUST("config", &out->config),
        OPTION_MUST("before", &out->before),
        OPTION_MUST("ground", &out->ground),
        OPTION_MUST("officer", &out->officer),
        OPTION_NUMBER("wait", &out->wait_s, 0, ORDER_WAIT_S_MAX),
        {0},
    };
    return options_take("log prune", argc, argv, known, NULL);
}

/* 2026-11-21 is a day, 4096 an entry. */
static fault take_before(const char *text, char day[DAY_TEXT_BYTES], Chaski__EraseOrder *out)
{
    uint64_t number = 0;
    if (strlen(text) == 10 && text[4] == '-' && text[7] == '-') {
        text_format(day, DAY_TEXT_BYTES, "%.4s%.2s%.2s", text, text + 5, text + 8);
        TRY(text_number(span_of_text(day), 99991231, &number));
        out->what_case = CHASKI__ERASE_ORDER__WHAT_PRUNE_DAY;
        out->prune_day = day;
        return DONE;
    }
    if (failed(text_number(span_of_text(text), INT64_MAX, &number)) || number == 0)
        return RAISE(BAD_REQUEST, "--before takes an entry, or a day as YYYY-MM-DD");
    out->what_case = CHASKI__ERASE_ORDER__WHAT_PRUNE_ENTRY;
    out->prune_entry = number;
    return DONE;
}

static fault prune(int argc, char **argv)
{
    struct prune self = {.wait_s = ORDER_WAIT_S_DEFAULT};
    Chaski__EraseOrder order = CHASKI__ERASE_ORDER__INIT;
    char day[DAY_TEXT_BYTES];
    uint64_t record = 0, entries = 0;
    TRY(take_prune_options(argc, argv, &self));
    TRY(take_before(self.before, day, &order));
    order.ground = (char *)(uintptr_t)self.ground;
    order.officer = (char *)(uintptr_t)self.officer;
    TRY(order_give(self.config, &order, self.wait_s, &record, &entries));
    printf("the log begins at entry %" PRIu64 " now, by entry %" PRIu64 "\n", entries, record);
    return DONE;
}

fault log_command(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "new-epoch") == 0)
        return new_epoch(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "prune") == 0)
        return prune(argc - 1, argv + 1);
    return RAISE(BAD_REQUEST, "log new-epoch or log prune; see chaski --help");
}
