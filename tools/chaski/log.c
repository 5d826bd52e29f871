// SPDX-License-Identifier: MIT
/* chaski log: acts on the evidence log as a whole. */
#include "tools/chaski/commands.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/log_epoch.h"
#include "tools/chaski/gateway_settings.h"

#include "audit.pb-c.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct new_epoch {
    const char *config, *reason, *officer;
    uint64_t closes; /* 0: the present one */
    char folder[PATH_MAX], order[PATH_MAX];
};

static fault take_options(int argc, char **argv, struct new_epoch *out)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"reason", required_argument, NULL, 'r'},
                                          {"officer", required_argument, NULL, 'o'},
                                          {"closes", required_argument, NULL, 'n'},
                                          {0}};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (code == 'c')
            out->config = optarg;
        else if (code == 'r')
            out->reason = optarg;
        else if (code == 'o')
            out->officer = optarg;
        else if (code == 'n')
            TRY(text_number(span_of_text(optarg), LOG_EPOCHS_MAX - 1, &out->closes));
        else
            return RAISE(BAD_REQUEST, "an option that is not known");
    }
    if (out->config == NULL || out->reason == NULL || out->officer == NULL)
        return RAISE(BAD_REQUEST, "log new-epoch needs --config, --reason and --officer");
    return DONE;
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
    struct gateway_settings settings;
    TRY(gateway_settings_read_server(self->config, &settings));
    fault f = gateway_settings_text(&settings, "audit_folder", self->folder, sizeof self->folder);
    gateway_settings_clear(&settings);
    TRY(f);
    if (!text_format(self->order, sizeof self->order, "%s/orders", self->folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    if (access(self->order, W_OK) != 0)
        return RAISE(IO_FAILED,
                     "%s: %m; the node makes it at its start, and its user and root may order",
                     self->order);
    if (!text_format(self->order, sizeof self->order, "%s/orders/new-epoch.order", self->folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    return DONE;
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

fault log_command(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "new-epoch") == 0)
        return new_epoch(argc - 1, argv + 1);
    return RAISE(BAD_REQUEST, "log new-epoch ...; see chaski --help");
}
