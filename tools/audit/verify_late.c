// SPDX-License-Identifier: MIT
/* Late receipts of one log: what each says was missing, and whether the leaf that came proves
 * itself. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"
#include "lib/bus/letter.h"

#include <inttypes.h>
#include <stdlib.h>

#define LISTED_MAX 5
#define RULE "late receipts"

static const char made_up[] =
    "The receipt proves nothing about the exchange: what came is not what it says.";

static const struct header *header_at(const struct log *log, size_t at)
{
    return header_of(log->late[at].header);
}

// --- the leaf that came -------------------------------------------------------------------------

static bool is_of_pair(const struct header *leaf, const struct header *receipt)
{
    struct span own = receipt->sender_server, other = receipt->receiver_server;
    return receipt->late->own
               ? span_equal(leaf->sender_server, own) && span_equal(leaf->receiver_server, other)
               : span_equal(leaf->sender_server, other) && span_equal(leaf->receiver_server, own);
}

/* What views of the person are made from; receipts of before have none of it. */
static bool is_same_view(const struct header *leaf, const struct header *receipt)
{
    bool said = receipt->subject.size > 0 || receipt->status != 0 || receipt->fault != 0;
    return !said ||
           (span_equal(leaf->subject, receipt->subject) &&
            leaf->subject_year == receipt->subject_year && leaf->status == receipt->status &&
            leaf->fault == receipt->fault && leaf->sealed_until_ms == receipt->sealed_until_ms &&
            span_equal(leaf->sealing, receipt->sealing));
}

static fault check_said(struct span leaf, const struct header *receipt, const struct header *header)
{
    struct sha256 hash = merkle_leaf_hash(leaf);
    if (!sha256_equal(&hash, &receipt->late->leaf_hash))
        return RAISE(COMMITMENT_BAD, "its payload is another leaf than its header names");
    if (header->kind != receipt->late->kind || header->time_ms != receipt->late->time_ms ||
        memcmp(header->exchange_id, receipt->exchange_id, EXCHANGE_ID_BYTES) != 0 ||
        !span_equal(header->service, receipt->service) || !is_of_pair(header, receipt) ||
        !is_same_view(header, receipt))
        return RAISE(INCONSISTENT, "its header says otherwise than the leaf in its payload");
    return DONE;
}

/* By the newest directory at hand, as for entries. */
static fault check_signer(const struct verify *self, struct span leaf, const struct header *header,
                          const struct cades_parts *parts)
{
    struct directory_signer *signer = directory_signer_ever(self->judge, parts->ski.at);
    struct cades_parts again;
    if (signer == NULL || !signer->trusted)
        return RAISE(CERTIFICATE_BAD, "the leaf is signed with a certificate that nobody vouches "
                                      "for");
    if (!span_is_text(header->sender_server, signer->server->id))
        return RAISE(NOT_YOURS, "the leaf is signed by %s in the name of another",
                     signer->server->id);
    if (header->time_ms < certificate_not_before_ms(signer->certificate) ||
        header->time_ms > certificate_not_after_ms(signer->certificate))
        return RAISE(CERTIFICATE_BAD, "the certificate of the leaf was not valid at its time");
    if (signer->revoked_since_ms != 0 && header->time_ms >= directory_signer_known_ms(signer))
        return RAISE(REVOKED, "the leaf was signed after the certificate of %s was revoked",
                     signer->server->id);
    return cades_verify_leaf(signer->certificate, leaf, &again);
}

static fault check_leaf(const struct verify *self, struct span leaf, const struct header *receipt)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    TRY(cades_parse(leaf, &parts));
    TRY(header_decode(parts.content, &read));
    TRY(check_said(leaf, receipt, header_of(read)));
    return check_signer(self, leaf, header_of(read), &parts);
}

/* Without a key to it the payload is sealed, and its leaf is known by its hash only: the other
 * server's log has it. */
static void check_payload(struct verify *self, struct log *log, size_t at)
{
    OWNED(bytes) blob = NULL;
    enum payload_state state = PAYLOAD_NONE;
    uint64_t index = log->late[at].index;
    if (failed(
            payload_reader_read(log->reader, index, &log->entry[index].leaf_hash, &state, &blob)) ||
        state != PAYLOAD_HELD || blob->size < SALT_BYTES)
        return; /* told where entries are checked */
    log->late[at].opened = true;
    if (failed(check_leaf(self, letter_payload(bytes_span(blob)), header_at(log, at))))
        FIND(self, log, index, RULE, made_up, "%s", fault_detail());
}

// --- the receipts -------------------------------------------------------------------------------

static void check_place(struct verify *self, struct log *log, size_t at)
{
    uint64_t index = log->late[at].index;
    struct span hash = sha256_span(&header_at(log, at)->late->leaf_hash);
    uint64_t stands = 0;
    const struct log *where = verify_find_leaf(log, &header_at(log, at)->late->leaf_hash, &stands);
    uintptr_t received = (uintptr_t)map_get(&log->late_by_hash, hash);
    if (received != 0)
        FIND(self, log, index, RULE, "A leaf was taken in twice.",
             "entry %" PRIu64 " says already that this leaf came late", (uint64_t)received - 1);
    else
        map_set(&log->late_by_hash, hash, (void *)(uintptr_t)(index + 1));
    if (where != NULL && (where == log ? stands < index : where->view->epoch < log->view->epoch))
        FIND(self, log, index, RULE, "It says that a leaf was missing which was not.",
             "the leaf stands in this log before it, as entry %" PRIu64, stands);
}

/* A node writes down what it signs before it sends it. */
static void check_own(struct verify *self, struct log *log, size_t at)
{
    const struct header *header = header_at(log, at);
    if (!header->late->own)
        return;
    FIND(
        self, log, log->late[at].index, "both sides hold the same leaves",
        "It had lost or suppressed its own act; that it was sent back to it does not make it good.",
        "a %s that this server itself had signed was missing, and came from %.*s (healed)",
        header_kind_word(header->late->kind), (int)header->receiver_server.size,
        (const char *)header->receiver_server.at);
}

// --- against the other log ----------------------------------------------------------------------

static const struct late_act *receipt_of(const struct log *log, const struct sha256 *leaf_hash)
{
    uintptr_t place = (uintptr_t)map_get(&log->late_by_hash, sha256_span(leaf_hash));
    for (size_t low = 0, high = log->lates; place != 0 && low < high;) {
        size_t middle = (low + high) / 2;
        if (log->late[middle].index == place - 1)
            return &log->late[middle];
        if (log->late[middle].index < place - 1)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* What the receipt says otherwise than the leaf that the other side has shown; NULL: nothing. */
static const char *contradiction(const struct log *log, const struct header *receipt,
                                 const struct kept *kept, const struct log *here)
{
    const struct late_receipt *said = receipt->late;
    if (said->own != (strcmp(kept->sender_server, log->view->server) == 0))
        return "who signed it";
    if (said->kind != kept->kind)
        return "its kind";
    if (said->time_ms != kept->time_ms)
        return "its time";
    if (memcmp(receipt->exchange_id, kept->exchange_id, EXCHANGE_ID_BYTES) != 0)
        return "its exchange";
    if (!span_is_text(receipt->service, kept->service == NULL ? "" : kept->service))
        return "its service";
    return span_is_text(receipt->receiver_server, here->view->server) ? NULL : "the other server";
}

bool verify_late_came(struct verify *self, struct log *log, const struct kept *kept,
                      const struct log *here)
{
    for (; log != NULL; log = log->later) {
        const struct late_act *act = receipt_of(log, &kept->leaf_hash);
        const char *what =
            act == NULL ? NULL : contradiction(log, header_of(act->header), kept, here);
        if (act != NULL && what == NULL)
            return true;
        if (act != NULL)
            FIND(self, log, act->index, RULE,
                 "The receipt was made up to excuse a record that was lost or suppressed.",
                 "of the leaf that came it says otherwise than the leaf itself, which is entry "
                 "%" PRIu64 " of %s: %s",
                 kept->index, here->view->server, what);
    }
    return false;
}

// --- telling ------------------------------------------------------------------------------------

static void remark(struct verify *self, struct log *log)
{
    char list[LISTED_MAX * 24] = "";
    size_t sealed = 0;
    for (size_t i = 0; i < log->lates; i++) {
        size_t used = strlen(list);
        if (i < LISTED_MAX)
            text_format(list + used, sizeof list - used, "%s%" PRIu64, i == 0 ? "" : ", ",
                        log->late[i].index);
        sealed += !log->late[i].opened;
    }
    if (log->lates > 0)
        REMARK(self, log,
               "%zu lea%s came late from the other side: entr%s %s%s; %zu of them sealed, so that "
               "only "
               "the other log shows what came",
               log->lates, log->lates == 1 ? "f" : "ves", log->lates == 1 ? "y" : "ies", list,
               log->lates > LISTED_MAX ? ", ..." : "", sealed);
}

void verify_late(struct verify *self, struct log *log)
{
    for (size_t i = 0; i < log->lates; i++) {
        check_place(self, log, i);
        check_payload(self, log, i);
        check_own(self, log, i);
    }
    remark(self, log);
}

void verify_late_clear(struct log *log)
{
    for (size_t i = 0; i < log->lates; i++)
        header_read_free(&log->late[i].header);
    free(log->late);
    map_clear(&log->late_by_hash);
}
