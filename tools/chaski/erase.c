// SPDX-License-Identifier: MIT
/* chaski erase: orders a running node to erase payloads, and waits for what it says. */
#include "tools/chaski/commands.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "tools/chaski/gateway_settings.h"

#include "audit.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define WAIT_S_DEFAULT 60
#define LOOK_US 100000
#define RESULT_BYTES_MAX 4096

struct erase {
    const char *config, *entry, *day, *ground, *officer;
    uint64_t wait_s, epoch;
    uint64_t index;
    uint8_t id[EXCHANGE_ID_BYTES];
    char order[PATH_MAX], result[PATH_MAX];
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

static fault find_paths(struct erase *self)
{
    struct gateway_settings settings;
    char folder[PATH_MAX], hex[2 * EXCHANGE_ID_BYTES + 1], orders[PATH_MAX];
    TRY(gateway_settings_read_server(self->config, &settings));
    fault f = gateway_settings_text(&settings, "audit_folder", folder, sizeof folder);
    gateway_settings_clear(&settings);
    TRY(f);
    random_fill(self->id, sizeof self->id);
    text_hex(span_of(self->id, sizeof self->id), hex, sizeof hex);
    if (!text_format(orders, sizeof orders, "%s/orders", folder) ||
        !text_format(self->order, sizeof self->order, "%s/%s.order", orders, hex) ||
        !text_format(self->result, sizeof self->result, "%s/%s.result", orders, hex))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    if (access(orders, W_OK) != 0)
        return RAISE(IO_FAILED,
                     "%s: %m; the node makes it at its start, and its user and root may order",
                     orders);
    return DONE;
}

static fault write_order(const struct erase *self)
{
    Chaski__EraseOrder order = CHASKI__ERASE_ORDER__INIT;
    OWNED(bytes) packed = NULL;
    order.id = (ProtobufCBinaryData){sizeof self->id, (uint8_t *)(uintptr_t)self->id};
    order.ground = (char *)(uintptr_t)self->ground;
    order.officer = (char *)(uintptr_t)self->officer;
    order.log_epoch = (uint32_t)self->epoch;
    if (self->entry != NULL) {
        order.what_case = CHASKI__ERASE_ORDER__WHAT_ENTRY;
        order.entry = self->index;
    } else {
        order.what_case = CHASKI__ERASE_ORDER__WHAT_DAY;
        order.day = (char *)(uintptr_t)self->day;
    }
    TRY(bytes_new(chaski__erase_order__get_packed_size(&order), &packed));
    chaski__erase_order__pack(&order, packed->data);
    /* the node may run as another user than root, who may have written this */
    return file_replace(self->order, bytes_span(packed), 0644);
}

static fault tell(const Chaski__EraseResult *result)
{
    if (result->fault != OK)
        return RAISE(fault_known(result->fault) ? (enum fault_code)result->fault : INTERNAL, "%s",
                     result->detail);
    printf("%" PRIu64 " payload%s erased, by entry %" PRIu64 " of the log\n", result->erased,
           result->erased == 1 ? "" : "s", result->record);
    return DONE;
}

static fault read_result(const struct erase *self)
{
    OWNED(bytes) file = NULL;
    TRY(file_read(self->result, RESULT_BYTES_MAX, &file));
    Chaski__EraseResult *result = chaski__erase_result__unpack(NULL, file->size, file->data);
    if (result == NULL)
        return RAISE(INTERNAL, "the answer cannot be read");
    fault f = tell(result);
    chaski__erase_result__free_unpacked(result, NULL);
    unlink(self->result);
    return f;
}

static fault wait_for_result(const struct erase *self)
{
    int64_t until_ms = clock_steady_ms() + (int64_t)self->wait_s * 1000;
    while (access(self->result, F_OK) != 0) {
        if (clock_steady_ms() >= until_ms)
            return RAISE(SERVER_AWAY,
                         "no answer within %" PRIu64
                         " s; the order lies in %s and is carried out when the node runs",
                         self->wait_s, self->order);
        usleep(LOOK_US);
    }
    return read_result(self);
}

fault erase_command(int argc, char **argv)
{
    struct erase self = {.wait_s = WAIT_S_DEFAULT};
    TRY(take_options(argc, argv, &self));
    TRY(find_paths(&self));
    TRY(write_order(&self));
    return wait_for_result(&self);
}
