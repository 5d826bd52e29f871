// SPDX-License-Identifier: MIT
#include "security-server/exchange/epochs.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/closed_log.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/recovery.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define FIXED_HEAD_BYTES 56 /* of a head in a header, beside the name */

struct epochs {
    struct node *node;
    char order_path[PATH_BYTES];
    bool ordered, closing;
    unsigned closes;
    char reason[EPOCH_WORDS_BYTES_MAX + 1], officer[EPOCH_WORDS_BYTES_MAX + 1];
    struct closed_log *closed[LOG_EPOCHS_MAX];
    struct audit_head left[LOG_EPOCHS_MAX]; /* by epoch - 1 */
    int64_t begun_ms;                       /* of the present one; 0 for the first */
    uint32_t asked, answered;
    size_t heads;
    struct epoch_head head[EPOCH_HEADS_MAX + 1]; /* largest first; names are ours */
};

// --- the order ----------------------------------------------------------------------------------

static bool is_good(const char *words)
{
    return words[0] != '\0' && strlen(words) <= EPOCH_WORDS_BYTES_MAX &&
           text_is_plain(span_of_text(words));
}

static fault take_order(struct epochs *self, const Chaski__EpochOrder *order)
{
    if (order->closes == 0 || order->closes >= LOG_EPOCHS_MAX || !is_good(order->reason) ||
        !is_good(order->officer))
        return RAISE(BAD_CONFIG, "%s names no epoch, reason and officer", self->order_path);
    self->ordered = true;
    self->closes = order->closes;
    text_format(self->reason, sizeof self->reason, "%s", order->reason);
    text_format(self->officer, sizeof self->officer, "%s", order->officer);
    return DONE;
}

static fault read_order(struct epochs *self)
{
    OWNED(bytes) file = NULL;
    fault f = file_read(self->order_path, 4 * EPOCH_WORDS_BYTES_MAX, &file);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    Chaski__EpochOrder *order = chaski__epoch_order__unpack(NULL, file->size, file->data);
    if (order == NULL)
        return RAISE(BAD_CONFIG, "%s is no order; remove it", self->order_path);
    f = take_order(self, order);
    chaski__epoch_order__free_unpacked(order, NULL);
    return f;
}

static fault remove_order(struct epochs *self)
{
    if (self->ordered && unlink(self->order_path) != 0)
        return RAISE(IO_FAILED, "%s: %m", self->order_path);
    self->ordered = false;
    return DONE;
}

// --- which epoch --------------------------------------------------------------------------------

static fault find_epoch(struct epochs *self)
{
    struct node *node = self->node;
    const char *folder = node->config->audit_folder;
    unsigned newest = 1, marked = 1;
    TRY(log_epoch_newest(folder, &newest));
    TRY(log_epoch_marked(folder, &marked));
    node->log_epoch = newest;
    self->closing = self->ordered && self->closes >= newest && self->closes >= marked;
    if (self->closing)
        node->log_epoch = self->closes + 1;
    else if (marked > newest)
        return RAISE(LOG_SHRUNK,
                     "%s/log/%u is missing: epoch %u was begun here. Put that folder back; or, if "
                     "it is lost, close it: " LOG_EPOCH_REMEDY,
                     folder, marked, marked);
    return DONE;
}

fault epochs_new(struct node *node, struct epochs **out)
{
    OWNED(epochs) self = owned_new(sizeof *self);
    const char *folder = node->config->audit_folder;
    self->node = node;
    if (!text_format(self->order_path, sizeof self->order_path, "%s/orders", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(file_make_folders(self->order_path, 0700));
    if (!text_format(self->order_path, sizeof self->order_path, "%s/orders/new-epoch.order",
                     folder) ||
        !text_format(node->log_folder, sizeof node->log_folder, "%s/log/%d", folder,
                     LOG_EPOCHS_MAX))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(read_order(self));
    TRY(find_epoch(self));
    TRY(log_epoch_key(&node->registered, node->log_epoch, &node->log_key));
    text_format(node->log_folder, sizeof node->log_folder, "%s/log/%u", folder, node->log_epoch);
    *out = TAKE(self);
    return DONE;
}

void epochs_free(struct epochs **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < LOG_EPOCHS_MAX; i++)
        closed_log_free(&(*self)->closed[i]);
    for (size_t i = 0; i < (*self)->heads; i++)
        free((char *)(uintptr_t)(*self)->head[i].by);
    free(*self);
    *self = NULL;
}

// --- the closed ones ----------------------------------------------------------------------------

/* What our own files say of the epoch that ends: it may be more than is left. */
static void hear_own_files(struct epochs *self)
{
    static const char *const names[] = {"promise", "checkpoint", "cosigned"};
    struct node *node = self->node;
    struct note_key key;
    if (failed(log_epoch_key(&node->registered, self->closes, &key)))
        return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_BYTES];
        OWNED(bytes) note = NULL;
        struct checkpoint head;
        audit_log_path(node->config->audit_folder, self->closes, names[i], path, sizeof path);
        if (!failed(file_read(path, NOTE_BYTES_MAX, &note)) &&
            !failed(checkpoint_open(bytes_span(note), &key, &head)))
            epochs_heard(self, node->config->server, self->closes, &head);
    }
}

fault epochs_read(struct epochs *self, struct recovery *recovery)
{
    struct node *node = self->node;
    const struct key_holder holder = keys_line_holder(node->keys);
    for (unsigned epoch = 1; epoch < node->log_epoch; epoch++) {
        recovery_epoch(recovery, epoch);
        TRY(closed_log_open(node->config->audit_folder, epoch, &holder, recovery_visit, recovery,
                            &self->closed[epoch - 1]));
        self->left[epoch - 1] = closed_log_head(self->closed[epoch - 1]);
    }
    recovery_epoch(recovery, node->log_epoch);
    if (self->closing)
        hear_own_files(self);
    return DONE;
}

void epochs_give(struct epochs *self, struct audit_log *log)
{
    for (size_t i = 0; i < LOG_EPOCHS_MAX; i++)
        if (self->closed[i] != NULL)
            audit_log_add_closed(log, &self->closed[i]);
}

uint64_t epochs_size(const struct epochs *self, unsigned epoch)
{
    return epoch == 0 || epoch > LOG_EPOCHS_MAX ? 0 : self->left[epoch - 1].size;
}

/* A closed epoch is not asked about: what was left of it stands in our own log, which is. What was
 * lost of it since is no reason to stand still, for nothing is signed over it any more; but no
 * start passes it over. */
static void check_left(const struct epochs *self, const struct epoch_closed *closed)
{
    if (closed->epoch == 0 || closed->epoch >= self->node->log_epoch)
        return;
    const struct audit_head *left = &self->left[closed->epoch - 1];
    if (left->size > closed->size || /* more of it was put back since */
        (left->size == closed->size && sha256_equal(&left->root, &closed->root)))
        return;
    EVENT(ERROR, "epoch.closed_damaged", E_NUMBER("epoch", closed->epoch),
          E_NUMBER("entries", left->size), E_NUMBER("entries_when_closed", closed->size),
          E_TEXT("what_to_do", "put the files of log/<epoch>/wal back, from a copy"));
}

void epochs_begun(struct epochs *self, const struct epoch_closed *closed, int64_t time_ms)
{
    check_left(self, closed);
    if (closed->epoch + 1 == self->node->log_epoch)
        self->begun_ms = time_ms;
}

/* What was asked before, by a clock that may run ahead of ours, may stand among what was lost. */
fault epochs_check_request(const struct epochs *self, int64_t time_ms)
{
    if (self->begun_ms == 0 || time_ms >= self->begun_ms + FRESH_FUTURE_MS)
        return DONE;
    return RAISE(STALE,
                 "it is dated before this server's log was begun anew (epoch %u), or less than "
                 "%d s after it: whether it ran before is not known. Ask again",
                 self->node->log_epoch, FRESH_FUTURE_MS / 1000);
}

// --- closing ------------------------------------------------------------------------------------

bool epochs_closing(const struct epochs *self)
{
    return self->closing;
}

static void drop_head(struct epochs *self, size_t at)
{
    free((char *)(uintptr_t)self->head[at].by);
    for (self->heads--; at < self->heads; at++)
        self->head[at] = self->head[at + 1];
}

/* They stand in a header: the largest matter. */
static void keep_bounds(struct epochs *self)
{
    size_t bytes = 0;
    for (size_t i = 0; i < self->heads; i++) {
        bytes += strlen(self->head[i].by) + FIXED_HEAD_BYTES;
        if (i == EPOCH_HEADS_MAX || bytes > EPOCH_HEADS_BYTES_MAX) {
            while (self->heads > i)
                drop_head(self, self->heads - 1);
        }
    }
}

void epochs_heard(struct epochs *self, const char *by, unsigned epoch,
                  const struct checkpoint *head)
{
    if (!self->closing || epoch != self->closes || head->size == 0)
        return;
    for (size_t i = 0; i < self->heads; i++)
        if (strcmp(self->head[i].by, by) == 0) {
            if (self->head[i].size >= head->size)
                return;
            drop_head(self, i);
            break;
        }
    size_t at = self->heads++;
    for (; at > 0 && self->head[at - 1].size < head->size; at--)
        self->head[at] = self->head[at - 1];
    self->head[at] = (struct epoch_head){owned_text(by), epoch, head->size, head->root};
    keep_bounds(self);
}

fault epochs_asked(struct epochs *self, uint32_t asked, uint32_t answered)
{
    self->asked = asked;
    self->answered = answered;
    if (self->closing && asked > 0 && answered == 0)
        return RAISE(PEER_UNREACHABLE,
                     "none of %" PRIu32
                     " witnesses and peers says what it holds of epoch %u, which "
                     "must stand in the record that closes it. Start again when one can be reached",
                     asked, self->closes);
    return DONE;
}

void epochs_record(struct epochs *self, void (*done)(struct node *node, fault f))
{
    const struct audit_head *left = &self->left[self->closes - 1];
    const struct epoch_closed closed = {self->closes,   left->size,  left->root, self->asked,
                                        self->answered, self->heads, self->head};
    uint64_t known = self->heads == 0 ? 0 : self->head[0].size;
    EVENT(WARN, "epoch.closed", E_NUMBER("epoch", self->closes), E_NUMBER("left", closed.size),
          E_NUMBER("known", known), E_NUMBER("asked", self->asked),
          E_NUMBER("answered", self->answered));
    self->begun_ms = own_record_epoch(self->node, &closed, self->reason, self->officer, done);
}

fault epochs_end(struct epochs *self)
{
    if (self->node->log_epoch > 1)
        TRY(log_epoch_mark(self->node->config->audit_folder, self->node->log_epoch));
    self->closing = false;
    return remove_order(self);
}
