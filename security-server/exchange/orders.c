// SPDX-License-Identifier: MIT
#include "security-server/exchange/orders.h"

#include "lib/base/text.h"
#include "security-server/exchange/epochs.h"
#include "security-server/exchange/erasures.h"
#include "security-server/exchange/order_files.h"
#include "security-server/exchange/prunes.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512

struct orders {
    struct node *node;
    struct order_files files;
    struct loop_timer timer;
};

// --- answering ----------------------------------------------------------------------------------

/* One that was recorded and not answered is taken again, after a crash, and known by its id. */
static void answer(void *owner, fault f, const struct erasure_end *end)
{
    struct orders *self = owner;
    char detail[400] = "";
    uint8_t packed[512];
    Chaski__EraseResult result = CHASKI__ERASE_RESULT__INIT;
    if (failed(f))
        text_format(detail, sizeof detail, "%s", fault_detail());
    result.fault = f.code;
    result.detail = detail;
    result.record = end->record;
    result.erased = end->erased;
    order_files_answer(&self->files, span_of(packed, chaski__erase_result__pack(&result, packed)));
}

// --- taking -------------------------------------------------------------------------------------

/* Words of an officer: plain, and short enough for a record. */
static fault check_words(const Chaski__EraseOrder *order)
{
    const char *words[] = {order->ground, order->officer};
    for (size_t i = 0; i < 2; i++)
        if (words[i][0] == '\0' || strlen(words[i]) > ORDER_WORDS_BYTES_MAX ||
            !text_is_plain(span_of_text(words[i])))
            return RAISE(BAD_REQUEST,
                         "ground and officer are needed, plain text of at most %d bytes",
                         ORDER_WORDS_BYTES_MAX);
    return DONE;
}

/* Whose entries an order is about: how many there are, and where their payloads lie. */
struct place {
    unsigned epoch;
    uint64_t size;
    char folder[PATH_BYTES];
};

static fault find_place(const struct orders *self, const Chaski__EraseOrder *order,
                        struct place *out)
{
    const struct node *node = self->node;
    out->epoch = order->log_epoch == 0 ? node->log_epoch : order->log_epoch;
    if (out->epoch > node->log_epoch)
        return RAISE(NOT_FOUND, "the log has %u epochs", node->log_epoch);
    out->size =
        out->epoch == node->log_epoch ? node->head.size : epochs_size(node->epochs, out->epoch);
    log_epoch_payloads(node->config->audit_folder, out->epoch, out->folder, sizeof out->folder);
    return DONE;
}

static fault fill_entries(const struct orders *self, const Chaski__EraseOrder *order,
                          char day[DAY_TEXT_BYTES], struct erasure *out)
{
    uint64_t next = 0;
    struct place place;
    TRY(find_place(self, order, &place));
    out->epoch = place.epoch == self->node->log_epoch ? 0 : place.epoch;
    if (order->what_case == CHASKI__ERASE_ORDER__WHAT_ENTRY) {
        if (order->entry >= place.size)
            return RAISE(NOT_FOUND, "the log has %" PRIu64 " entries", place.size);
        TRY(payload_store_day_of(place.folder, order->entry, day));
        out->first = out->last = order->entry;
        return DONE;
    }
    if (order->what_case != CHASKI__ERASE_ORDER__WHAT_DAY ||
        failed(text_number(span_of_text(order->day), 99991231, &next)) || strlen(order->day) != 8)
        return RAISE(BAD_REQUEST, "an order names an entry or a day, as YYYYMMDD");
    memcpy(day, order->day, DAY_TEXT_BYTES);
    TRY(payload_store_day(place.folder, day, &out->first, &next));
    out->last = (next < place.size ? next : place.size) - 1;
    return out->first <= out->last && place.size > 0
               ? DONE
               : RAISE(NOT_FOUND, "nothing is in the log of that day");
}

static bool is_prune(const Chaski__EraseOrder *order)
{
    return order->what_case == CHASKI__ERASE_ORDER__WHAT_PRUNE_ENTRY ||
           order->what_case == CHASKI__ERASE_ORDER__WHAT_PRUNE_DAY;
}

/* A closed epoch stays as it is. */
static fault prune(struct orders *self, const Chaski__EraseOrder *order, struct prune_act *act)
{
    const struct node *node = self->node;
    char folder[PATH_BYTES];
    uint64_t day = 0;
    act->before = order->prune_entry;
    if (order->what_case == CHASKI__ERASE_ORDER__WHAT_PRUNE_DAY) {
        if (failed(text_number(span_of_text(order->prune_day), 99991231, &day)) ||
            strlen(order->prune_day) != 8)
            return RAISE(BAD_REQUEST, "a day is written YYYYMMDD");
        log_epoch_payloads(node->config->audit_folder, node->log_epoch, folder, sizeof folder);
        TRY(payload_store_from_day(folder, order->prune_day, &act->before));
    }
    prunes_do(node->prunes, act, answer, self);
    return DONE;
}

static fault carry_out(struct orders *self, const Chaski__EraseOrder *order)
{
    char day[DAY_TEXT_BYTES];
    struct erasure_act act = {.ground = order->ground, .officer = order->officer};
    if (!order_files_named(&self->files, span_of(order->id.data, order->id.len)))
        return RAISE(BAD_REQUEST, "the order's name is not its number");
    memcpy(act.id, order->id.data, EXCHANGE_ID_BYTES);
    act.what.of = "";
    act.what.day = day;
    TRY(check_words(order));
    if (is_prune(order)) {
        struct prune_act pruning = {.ground = order->ground, .officer = order->officer};
        memcpy(pruning.id, order->id.data, EXCHANGE_ID_BYTES);
        return prune(self, order, &pruning);
    }
    TRY(fill_entries(self, order, day, &act.what));
    erasures_do(self->node->erasures, &act, answer, self);
    return DONE;
}

static fault take_order(struct orders *self)
{
    OWNED(bytes) file = NULL;
    TRY(order_files_read(&self->files, 4 * ORDER_WORDS_BYTES_MAX, &file));
    Chaski__EraseOrder *order = chaski__erase_order__unpack(NULL, file->size, file->data);
    if (order == NULL)
        return RAISE(BAD_REQUEST, "the file is no order");
    fault f = carry_out(self, order);
    chaski__erase_order__free_unpacked(order, NULL);
    return f;
}

static void look(struct loop_timer *timer)
{
    struct orders *self = timer->owner;
    loop_set_timer(self->node->loop, &self->timer, ORDERS_LOOK_MS);
    if (self->node->draining || erasures_busy(self->node->erasures) ||
        prunes_busy(self->node->prunes) || !order_files_find(&self->files))
        return;
    fault f = take_order(self);
    if (failed(f))
        answer(self, f, &(struct erasure_end){0});
}

fault orders_new(struct node *node, struct orders **out)
{
    OWNED(orders) self = owned_new(sizeof *self);
    self->node = node;
    TRY(order_files_begin(&self->files, node->config->audit_folder, ".order"));
    self->timer = (struct loop_timer){.fire = look, .owner = self};
    loop_set_timer(node->loop, &self->timer, 0);
    *out = TAKE(self);
    return DONE;
}

void orders_free(struct orders **self)
{
    if (*self == NULL)
        return;
    if ((*self)->timer.fire != NULL)
        loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
