// SPDX-License-Identifier: MIT
#include "security-server/exchange/seal_roll.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/opened_keys.h"
#include "security-server/exchange/order_files.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/seal_cards.h"

#include "audit.pb-c.h"

#include <stdlib.h>

#define ORDER_BYTES_MAX 1024

/* One that the keys process has. */
struct own_key {
    uint8_t id[SEAL_KEY_ID_BYTES];
    int64_t forget_ms; /* steady; of all but the newest */
};

struct seal_roll {
    struct node *node;
    struct loop_timer timer;
    struct order_files files;
    size_t keys;
    struct own_key key[SEAL_MADE_MAX]; /* oldest first */
    struct bytes *card;                /* of the newest; NULL: none yet */
    uint8_t signer[SKI_BYTES];         /* ... who signed it */
    int64_t next_ms;                   /* steady: when the next is made, or tried */
    /* the one being made */
    bool busy, ordered, forget;
    const char *reason;
    struct own_card made;
    void (*done)(struct node *node, fault f);
};

struct span seal_roll_card(const struct seal_roll *self)
{
    return bytes_span(self == NULL ? NULL : self->card);
}

static int64_t overlap_ms(const struct seal_roll *self)
{
    return self->node->config->seal_overlap_s * 1000;
}

// --- the end of a key ---------------------------------------------------------------------------

/* The jobs of the keys process are carried out in order, and none fails that names a key. */
static void forgotten(void *owner, fault f, struct span result)
{
    (void)owner;
    (void)result;
    if (failed(f))
        EVENT(ERROR, "seal.not_forgotten", E_FAULT(f));
}

/* Also what was derived from it: each of those opens what one sender sent in an hour. */
static void forget(struct seal_roll *self, const uint8_t id[SEAL_KEY_ID_BYTES])
{
    keys_line_forget_seal(self->node->keys, id, forgotten, self);
    opened_keys_forget(self->node->opened, id);
}

static size_t forget_old(struct seal_roll *self, int64_t now_ms)
{
    size_t gone = 0;
    while (gone + 1 < self->keys && self->key[gone].forget_ms <= now_ms)
        forget(self, self->key[gone++].id);
    if (gone == 0)
        return 0;
    self->keys -= gone;
    memmove(self->key, self->key + gone, self->keys * sizeof self->key[0]);
    EVENT(INFO, "seal.forgotten", E_NUMBER("keys", gone), E_NUMBER("left", self->keys));
    return gone;
}

// --- a new key ----------------------------------------------------------------------------------

static void answer_order(struct seal_roll *self, fault f, uint64_t index)
{
    uint8_t packed[512];
    char detail[300] = "";
    Chaski__RollResult result = CHASKI__ROLL_RESULT__INIT;
    if (!self->ordered)
        return;
    self->ordered = false;
    if (failed(f))
        text_format(detail, sizeof detail, "%s", fault_detail());
    result.fault = f.code;
    result.detail = detail;
    result.record = index;
    result.kept = self->keys > 0 ? (uint32_t)self->keys - 1 : 0;
    if (!failed(f))
        result.key = (ProtobufCBinaryData){sizeof self->made.made.key, self->made.made.key};
    order_files_answer(&self->files, span_of(packed, chaski__roll_result__pack(&result, packed)));
}

static void end(struct seal_roll *self, fault f, uint64_t index)
{
    void (*done)(struct node *, fault) = self->done;
    self->busy = false;
    self->done = NULL;
    if (failed(f)) {
        EVENT(ERROR, "seal.not_rolled", E_FAULT(f),
              E_TEXT("remedy", "the key in use stays; it is tried again by itself"));
        self->next_ms = clock_steady_ms() + SEAL_ROLL_AGAIN_MS;
    }
    answer_order(self, f, index);
    if (done != NULL)
        done(self->node, DONE);
}

/* With as many as the keys process keeps it has dropped the oldest itself. */
static void keep_key(struct seal_roll *self)
{
    int64_t now_ms = clock_steady_ms();
    struct own_key *last = self->keys > 0 ? &self->key[self->keys - 1] : NULL;
    if (last != NULL)
        last->forget_ms = now_ms + (self->forget ? 0 : overlap_ms(self));
    for (size_t i = 0; self->forget && i < self->keys; i++)
        self->key[i].forget_ms = now_ms;
    if (self->keys == SEAL_MADE_MAX) {
        opened_keys_forget(self->node->opened, self->key[0].id);
        memmove(self->key, self->key + 1, --self->keys * sizeof self->key[0]);
    }
    seal_key_id(self->made.made.key, self->key[self->keys++].id);
    self->next_ms = now_ms + self->made.renew_after_ms;
}

static void on_card(void *owner, fault f, uint64_t index, struct span leaf)
{
    struct seal_roll *self = owner;
    OWNED(bytes) card = NULL;
    if (!failed(f))
        f = bytes_copy(leaf, &card);
    if (failed(f)) {
        uint8_t id[SEAL_KEY_ID_BYTES];
        seal_key_id(self->made.made.key, id);
        forget(self, id);
        end(self, f, 0);
        return;
    }
    bytes_free(&self->card);
    self->card = TAKE(card);
    memcpy(self->signer, self->node->template.ski, SKI_BYTES);
    keep_key(self);
    forget_old(self, clock_steady_ms());
    EVENT(INFO, "seal.rolled", E_NUMBER("entry", index), E_TEXT("reason", self->reason),
          E_NUMBER("keys", self->keys));
    end(self, DONE, index);
    if (self->node->begun)
        seal_cards_announce(self->node->cards);
}

/* Nothing is recorded behind the record of the stop. */
static void on_made(void *owner, fault f, struct span public_key)
{
    struct seal_roll *self = owner;
    if (!failed(f) && public_key.size != X25519_PUBLIC_BYTES)
        f = RAISE(INTERNAL, "a sealing key of %zu bytes", public_key.size);
    if (!failed(f) && self->node->draining)
        f = RAISE(DRAINING, "no new sealing key");
    if (failed(f)) {
        end(self, f, 0);
        return;
    }
    memcpy(self->made.made.key, public_key.at, X25519_PUBLIC_BYTES);
    self->made.renew_after_ms = self->node->config->seal_roll_s * 1000;
    self->made.overlap_ms = overlap_ms(self);
    own_record_card(self->node, &self->made, self->reason, on_card, self);
}

static void roll(struct seal_roll *self, const char *reason)
{
    self->busy = true;
    self->forget = false;
    self->reason = reason;
    keys_line_make_seal(self->node->keys, on_made, self);
}

// --- when ---------------------------------------------------------------------------------------

static fault read_order(struct seal_roll *self, bool *forget_all)
{
    OWNED(bytes) file = NULL;
    TRY(order_files_read(&self->files, ORDER_BYTES_MAX, &file));
    Chaski__RollOrder *order = chaski__roll_order__unpack(NULL, file->size, file->data);
    if (order == NULL)
        return RAISE(BAD_REQUEST, "the file is no order");
    bool named = order_files_named(&self->files, span_of(order->id.data, order->id.len));
    *forget_all = order->forget;
    chaski__roll_order__free_unpacked(order, NULL);
    return named ? DONE : RAISE(BAD_REQUEST, "the order's name is not its number");
}

static void take_order(struct seal_roll *self)
{
    bool forget_all = false;
    fault f = self->node->config->seal_roll_s == 0
                  ? RAISE(REFUSED, "sealing keys do not change: seal_roll_s = 0")
                  : read_order(self, &forget_all);
    self->ordered = true;
    if (failed(f)) {
        answer_order(self, f, 0);
        return;
    }
    roll(self, "ordered");
    self->forget = forget_all;
}

static void look(struct loop_timer *timer)
{
    struct seal_roll *self = timer->owner;
    struct node *node = self->node;
    int64_t now_ms = clock_steady_ms();
    loop_set_timer(node->loop, &self->timer, SEAL_LOOK_MS);
    forget_old(self, now_ms);
    if (self->busy || node->draining)
        return;
    if (order_files_find(&self->files))
        take_order(self);
    else if (node->config->seal_roll_s == 0)
        return;
    else if (now_ms >= self->next_ms)
        roll(self, "its time had come");
    else if (self->card != NULL && memcmp(self->signer, node->template.ski, SKI_BYTES) != 0)
        roll(self, "the signing key is another");
}

void seal_roll_begin(struct seal_roll *self, void (*done)(struct node *node, fault f))
{
    loop_set_timer(self->node->loop, &self->timer, SEAL_LOOK_MS);
    if (self->node->config->seal_roll_s == 0) {
        done(self->node, DONE);
        return;
    }
    self->done = done;
    roll(self, "the server started");
}

fault seal_roll_new(struct node *node, struct seal_roll **out)
{
    OWNED(seal_roll) self = owned_new(sizeof *self);
    self->node = node;
    self->timer = (struct loop_timer){.fire = look, .owner = self};
    TRY(order_files_begin(&self->files, node->config->audit_folder, ".roll"));
    *out = TAKE(self);
    return DONE;
}

void seal_roll_free(struct seal_roll **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    bytes_free(&(*self)->card);
    free(*self);
    *self = NULL;
}
