// SPDX-License-Identifier: MIT
#include "tools/chaski/order.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "tools/chaski/gateway_settings.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <unistd.h>

#define LOOK_US 100000
#define RESULT_BYTES_MAX 4096

struct place {
    char order[PATH_MAX], result[PATH_MAX];
};

fault order_folders(const char *config, char *folder, char *orders)
{
    struct gateway_settings settings;
    TRY(gateway_settings_read_server(config, &settings));
    fault f = gateway_settings_text(&settings, "audit_folder", folder, PATH_MAX);
    gateway_settings_clear(&settings);
    TRY(f);
    if (!text_format(orders, PATH_MAX, "%s/orders", folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    if (access(orders, W_OK) != 0)
        return RAISE(IO_FAILED,
                     "%s: %m; the node makes it at its start, and its user and root may order",
                     orders);
    return DONE;
}

static fault find_place(const char *config, const uint8_t id[EXCHANGE_ID_BYTES], struct place *out)
{
    char folder[PATH_MAX], orders[PATH_MAX], hex[2 * EXCHANGE_ID_BYTES + 1];
    TRY(order_folders(config, folder, orders));
    text_hex(span_of(id, EXCHANGE_ID_BYTES), hex, sizeof hex);
    if (!text_format(out->order, sizeof out->order, "%s/%s.order", orders, hex) ||
        !text_format(out->result, sizeof out->result, "%s/%s.result", orders, hex))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    return DONE;
}

static fault write_order(const struct place *place, const Chaski__EraseOrder *order)
{
    OWNED(bytes) packed = NULL;
    TRY(bytes_new(chaski__erase_order__get_packed_size(order), &packed));
    chaski__erase_order__pack(order, packed->data);
    /* the node may run as another user than root, who may have written this */
    return file_replace(place->order, bytes_span(packed), 0644);
}

static fault take_result(const Chaski__EraseResult *result, uint64_t *record, uint64_t *erased)
{
    if (result->fault != OK)
        return RAISE(fault_known(result->fault) ? (enum fault_code)result->fault : INTERNAL, "%s",
                     result->detail);
    *record = result->record;
    *erased = result->erased;
    return DONE;
}

static fault read_result(const struct place *place, uint64_t *record, uint64_t *erased)
{
    OWNED(bytes) file = NULL;
    TRY(file_read(place->result, RESULT_BYTES_MAX, &file));
    Chaski__EraseResult *result = chaski__erase_result__unpack(NULL, file->size, file->data);
    if (result == NULL)
        return RAISE(INTERNAL, "the answer cannot be read");
    fault f = take_result(result, record, erased);
    chaski__erase_result__free_unpacked(result, NULL);
    unlink(place->result);
    return f;
}

fault order_give(const char *config, Chaski__EraseOrder *order, uint64_t wait_s, uint64_t *record,
                 uint64_t *erased)
{
    uint8_t id[EXCHANGE_ID_BYTES];
    struct place place;
    int64_t until_ms = clock_steady_ms() + (int64_t)wait_s * 1000;
    random_fill(id, sizeof id);
    order->id = (ProtobufCBinaryData){sizeof id, id};
    TRY(find_place(config, id, &place));
    TRY(write_order(&place, order));
    while (access(place.result, F_OK) != 0) {
        if (clock_steady_ms() >= until_ms)
            return RAISE(SERVER_AWAY,
                         "no answer within %" PRIu64
                         " s; the order lies in %s and is carried out when the node runs",
                         wait_s, place.order);
        usleep(LOOK_US);
    }
    return read_result(&place, record, erased);
}
