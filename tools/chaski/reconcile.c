// SPDX-License-Identifier: MIT
/* chaski reconcile: has a running node compare its log with its peers', and tells what was found.
 */
#include "tools/chaski/commands.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "tools/chaski/gateway_settings.h"
#include "tools/chaski/order.h"
#include "tools/chaski/reconcile_report.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define WAIT_S_DEFAULT 600
#define LOOK_US 100000
#define RESULT_BYTES_MAX 4096

struct reconcile {
    const char *config, *peer;
    uint64_t days, wait_s;
    bool report, all, json;
    uint8_t id[EXCHANGE_ID_BYTES];
    char folder[PATH_MAX], order[PATH_MAX], result[PATH_MAX];
};

static fault take_options(int argc, char **argv, struct reconcile *out)
{
    const struct option_place known[] = {
        OPTION_MUST("config", &out->config),
        OPTION_TEXT("peer", &out->peer),
        OPTION_NUMBER("days", &out->days, 0, RECONCILE_DAYS_MAX),
        OPTION_NUMBER("wait", &out->wait_s, 0, ORDER_WAIT_S_MAX),
        OPTION_FLAG("report", &out->report),
        OPTION_FLAG("all", &out->all),
        OPTION_FLAG("json", &out->json),
        {0},
    };
    TRY(options_take("reconcile", argc, argv, known, NULL));
    out->report = out->report || out->all;
    return DONE;
}

static fault find_paths(struct reconcile *self)
{
    struct gateway_settings settings;
    char hex[2 * EXCHANGE_ID_BYTES + 1], orders[PATH_MAX];
    TRY(gateway_settings_read_server(self->config, &settings));
    fault f = gateway_settings_text(&settings, "audit_folder", self->folder, sizeof self->folder);
    gateway_settings_clear(&settings);
    TRY(f);
    random_fill(self->id, sizeof self->id);
    text_hex(span_of(self->id, sizeof self->id), hex, sizeof hex);
    if (!text_format(orders, sizeof orders, "%s/orders", self->folder) ||
        !text_format(self->order, sizeof self->order, "%s/%s.reconcile", orders, hex) ||
        !text_format(self->result, sizeof self->result, "%s/%s.result", orders, hex))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    if (!self->report && access(orders, W_OK) != 0)
        return RAISE(IO_FAILED,
                     "%s: %m; the node makes it at its start, and its user and root may order",
                     orders);
    return DONE;
}

static fault write_order(const struct reconcile *self)
{
    Chaski__ReconcileOrder order = CHASKI__RECONCILE_ORDER__INIT;
    OWNED(bytes) packed = NULL;
    order.id = (ProtobufCBinaryData){sizeof self->id, (uint8_t *)(uintptr_t)self->id};
    if (self->peer != NULL)
        order.peer = (char *)(uintptr_t)self->peer;
    order.days = (uint32_t)self->days;
    TRY(bytes_new(chaski__reconcile_order__get_packed_size(&order), &packed));
    chaski__reconcile_order__pack(&order, packed->data);
    /* the node may run as another user than root, who may have written this */
    return file_replace(self->order, bytes_span(packed), 0644);
}

static fault read_result(const struct reconcile *self)
{
    OWNED(bytes) file = NULL;
    TRY(file_read(self->result, RESULT_BYTES_MAX, &file));
    Chaski__ReconcileResult *result =
        chaski__reconcile_result__unpack(NULL, file->size, file->data);
    if (result == NULL)
        return RAISE(INTERNAL, "the answer cannot be read");
    fault f = DONE;
    if (result->fault != OK)
        f = RAISE(fault_known(result->fault) ? (enum fault_code)result->fault : INTERNAL, "%s",
                  result->detail);
    else if (!self->json)
        printf("compared with %u peer%s; with %u of them not to the end\n", result->peers,
               result->peers == 1 ? "" : "s", result->failed);
    chaski__reconcile_result__free_unpacked(result, NULL);
    unlink(self->result);
    return f;
}

static fault wait_for_result(const struct reconcile *self)
{
    int64_t until_ms = clock_steady_ms() + (int64_t)self->wait_s * 1000;
    while (access(self->result, F_OK) != 0) {
        if (clock_steady_ms() >= until_ms)
            return RAISE(SERVER_AWAY,
                         "no answer within %" PRIu64
                         " s; it goes on, or begins when the node runs: look with --report later",
                         self->wait_s);
        usleep(LOOK_US);
    }
    return read_result(self);
}

fault reconcile_command(int argc, char **argv)
{
    struct reconcile self = {.wait_s = WAIT_S_DEFAULT};
    TRY(take_options(argc, argv, &self));
    TRY(find_paths(&self));
    if (!self.report) {
        TRY(write_order(&self));
        TRY(wait_for_result(&self));
    }
    return reconcile_report_print(self.folder, self.peer, self.all, self.json);
}
