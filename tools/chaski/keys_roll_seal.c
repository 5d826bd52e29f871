// SPDX-License-Identifier: MIT
/* chaski keys roll seal: has the running node make a new sealing key now. */
#include "tools/chaski/keys.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/header.h"
#include "lib/crypto/random.h"
#include "tools/chaski/order.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US 100000
#define RESULT_BYTES_MAX 4096

struct roll {
    const char *config;
    uint64_t wait_s;
    bool forget;
    uint8_t id[EXCHANGE_ID_BYTES];
    char order[PATH_MAX], result[PATH_MAX];
};

static fault take_options(int argc, char **argv, struct roll *out)
{
    const struct option_place known[] = {
        OPTION_MUST("config", &out->config),
        OPTION_FLAG("forget", &out->forget),
        OPTION_NUMBER("wait", &out->wait_s, 0, ORDER_WAIT_S_MAX),
        {0},
    };
    return options_take("keys roll seal", argc, argv, known, NULL);
}

static fault find_paths(struct roll *self)
{
    char folder[PATH_MAX], orders[PATH_MAX], hex[2 * EXCHANGE_ID_BYTES + 1];
    TRY(order_folders(self->config, folder, orders));
    random_fill(self->id, sizeof self->id);
    text_hex(span_of(self->id, sizeof self->id), hex, sizeof hex);
    return text_format(self->order, sizeof self->order, "%s/%s.roll", orders, hex) &&
                   text_format(self->result, sizeof self->result, "%s/%s.result", orders, hex)
               ? DONE
               : RAISE(BAD_CONFIG, "the audit folder's name is too long");
}

/* The node may run as another user than root, who may have written this. */
static fault write_order(struct roll *self)
{
    Chaski__RollOrder order = CHASKI__ROLL_ORDER__INIT;
    OWNED(bytes) packed = NULL;
    order.id = (ProtobufCBinaryData){sizeof self->id, self->id};
    order.forget = self->forget;
    TRY(bytes_new(chaski__roll_order__get_packed_size(&order), &packed));
    chaski__roll_order__pack(&order, packed->data);
    return file_replace(self->order, bytes_span(packed), 0644);
}

static fault say(const Chaski__RollResult *result)
{
    char hex[2 * HEADER_CARD_KEY_BYTES + 1] = "";
    if (result->fault != OK)
        return RAISE(fault_known(result->fault) ? (enum fault_code)result->fault : INTERNAL, "%s",
                     result->detail);
    if (result->key.len != HEADER_CARD_KEY_BYTES)
        return RAISE(INTERNAL, "the answer names no key");
    text_hex(span_of(result->key.data, result->key.len), hex, sizeof hex);
    printf("letters are sealed to %s from now on: entry %" PRIu64 "; keys before it that still "
           "open letters: %u\n",
           hex, result->record, result->kept);
    return DONE;
}

static fault read_result(const struct roll *self)
{
    OWNED(bytes) file = NULL;
    TRY(file_read(self->result, RESULT_BYTES_MAX, &file));
    Chaski__RollResult *result = chaski__roll_result__unpack(NULL, file->size, file->data);
    if (result == NULL)
        return RAISE(INTERNAL, "the answer cannot be read");
    fault f = say(result);
    chaski__roll_result__free_unpacked(result, NULL);
    unlink(self->result);
    return f;
}

fault keys_roll_seal(int argc, char **argv)
{
    struct roll self = {.wait_s = ORDER_WAIT_S_DEFAULT};
    TRY(take_options(argc, argv, &self));
    TRY(find_paths(&self));
    int64_t until_ms = clock_steady_ms() + (int64_t)self.wait_s * 1000;
    TRY(write_order(&self));
    while (access(self.result, F_OK) != 0) {
        if (clock_steady_ms() >= until_ms)
            return RAISE(SERVER_AWAY,
                         "no answer within %" PRIu64
                         " s; the order lies in %s and is carried out when the node runs",
                         self.wait_s, self.order);
        usleep(LOOK_US);
    }
    return read_result(&self);
}
