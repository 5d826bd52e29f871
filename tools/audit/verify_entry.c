// SPDX-License-Identifier: MIT
/* One entry: whose it is, who signed, what it commits to; from what was examined, in order. */
#include "tools/audit/verify.h"
#include "tools/audit/withheld_text.h"

#include "lib/bus/bus_id.h"

#include <inttypes.h>
#include <stdlib.h>

static const char forged[] =
    "Somebody signed who was not entitled to: the entry proves nothing against the named sender.";

// --- keeping ------------------------------------------------------------------------------------

char *verify_intern(struct log *log, struct span text)
{
    char *name = map_get(&log->names, text);
    if (name == NULL) {
        name = owned_array(text.size + 1, 1);
        if (text.size > 0)
            memcpy(name, text.at, text.size);
        map_set(&log->names, text, name);
    }
    return name;
}

/* Who asked whom, whichever of the two speaks. */
static void fill_members(struct log *log, const struct header *header, struct kept *kept)
{
    bool outcome = header->kind == HEADER_RESPONSE || header->kind == HEADER_FAULT;
    struct span caller = outcome ? header->receiver : header->sender;
    struct span provider = outcome ? header->sender : header->receiver;
    if (header->service.size > 0)
        provider = header->service;
    kept->caller = verify_intern(log, bus_id_prefix(caller, ID_MEMBER));
    kept->provider = verify_intern(log, bus_id_prefix(provider, ID_MEMBER));
}

static void fill_withheld(struct log *log, const struct header *header, struct kept *kept)
{
    if (header->withheld == NULL || header->withheld->count == 0)
        return;
    OWNED(bytes) text = withheld_text(header->withheld);
    kept->withheld = verify_intern(log, bytes_span(text));
}

static void fill_kept(struct log *log, const struct header *header, struct kept *kept)
{
    kept->kind = header->kind;
    memcpy(kept->exchange_id, header->exchange_id, EXCHANGE_ID_BYTES);
    kept->sender_server = verify_intern(log, header->sender_server);
    kept->receiver_server = verify_intern(log, header->receiver_server);
    kept->log_epoch = header->log_epoch;
    kept->log_size = header->log_size;
    kept->log_root = header->log_root;
    kept->has_reply_to = header->has_reply_to;
    kept->reply_to = header->reply_to;
    kept->fault = header->fault;
    kept->time_ms = header->time_ms;
    kept->service = verify_intern(log, header->service);
    kept->status = header->status;
    kept->rule = verify_intern(log, header->rule);
    fill_members(log, header, kept);
    fill_withheld(log, header, kept);
}

struct kept *verify_keep(struct log *log, uint64_t index, const struct sha256 *leaf_hash)
{
    if (log->count == log->room) {
        log->room = log->room == 0 ? 1024 : 2 * log->room;
        log->entry = owned_grow(log->entry, log->room, sizeof *log->entry);
    }
    struct kept *kept = &log->entry[log->count++];
    *kept = (struct kept){.leaf_hash = *leaf_hash, .index = index};
    roots_append(log->roots, leaf_hash);
    struct span hash = sha256_span(leaf_hash);
    kept->again = map_get(&log->by_hash, hash) != NULL;
    if (!kept->again)
        map_set(&log->by_hash, hash, (void *)(uintptr_t)(index + 1));
    return kept;
}

/* Entry 0 of a pruned epoch is kept by its hash already. */
static struct kept *keep(struct log *log, const struct log_entry *entry)
{
    struct kept *kept = entry->index < log->first
                            ? &log->entry[entry->index]
                            : verify_keep(log, entry->index, &entry->leaf_hash);
    if (entry->header != NULL)
        fill_kept(log, entry->header, kept);
    return kept;
}

// --- whose it is --------------------------------------------------------------------------------

/* A log holds what its server sent or was sent, and what it says of itself. */
static void check_place(struct verify *self, struct log *log, const struct log_entry *entry)
{
    const struct header *header = entry->header;
    const char *own = log->view->server;
    bool sent = span_is_text(header->sender_server, own);
    bool got = span_is_text(header->receiver_server, own) && header->kind < HEADER_STARTED;
    if (!sent && !got)
        FIND(self, log, entry->index, "own entries only",
             "A record of other servers was put in here: it says nothing of this one.",
             "a %s of %.*s, which is neither from nor to %s", header_kind_word(header->kind),
             (int)header->sender_server.size, (const char *)header->sender_server.at, own);
}

// --- who signed ---------------------------------------------------------------------------------

/*
 * By the time in the header; and, as that is the signer's own word, by where it stands: this log's
 * own entries before it tell the latest time at which it can have been taken in.
 */
static void check_revocation(struct verify *self, struct log *log, const struct log_entry *entry,
                             const struct directory_signer *signer)
{
    int64_t since_ms = directory_signer_known_ms(signer);
    if (since_ms == 0)
        return;
    if (entry->header->time_ms >= signer->revoked_since_ms && entry->header->time_ms < since_ms)
        REMARK(self, log,
               "entry %" PRIu64 ": signed %" PRId64
               " ms after the outside authority of %s had revoked its certificate, and before the "
               "directory knew: taken in good faith, and no valid signature",
               entry->index, entry->header->time_ms - signer->revoked_since_ms, signer->server->id);
    else if (entry->header->time_ms >= since_ms)
        FIND(self, log, entry->index, "revocation", forged,
             "signed %" PRId64 " ms after the certificate of %s was revoked",
             entry->header->time_ms - since_ms, signer->server->id);
    else if (log->own_ms > since_ms + DEADLINE_MS_MAX)
        FIND(self, log, entry->index, "revocation", forged,
             "dated before the certificate of %s was revoked, but it was taken in %" PRId64
             " ms after that",
             signer->server->id, log->own_ms - since_ms);
}

static void check_certificate(struct verify *self, struct log *log, const struct log_entry *entry,
                              const struct directory_signer *signer)
{
    const struct certificate *certificate = signer->certificate;
    int64_t time_ms = entry->header->time_ms;
    if (!signer->trusted)
        FIND(self, log, entry->index, "certificate", forged,
             "the certificate of %s leads to no trusted authority", signer->server->id);
    if (time_ms < certificate_not_before_ms(certificate) ||
        time_ms > certificate_not_after_ms(certificate))
        FIND(self, log, entry->index, "certificate", forged,
             "the certificate was not valid at the time in the header");
    check_revocation(self, log, entry, signer);
}

/* A server speaks for itself in a refusal and of its own log, and otherwise for a subsystem that is
 * registered on it. */
static void check_sender(struct verify *self, struct log *log, const struct log_entry *entry,
                         const struct directory_signer *signer)
{
    const struct header *header = entry->header;
    if (!span_is_text(header->sender_server, signer->server->id))
        FIND(self, log, entry->index, "authorship", forged, "signed by %s in the name of %.*s",
             signer->server->id, (int)header->sender_server.size,
             (const char *)header->sender_server.at);
    struct span member = bus_id_prefix(header->sender, ID_MEMBER);
    if (!span_equal(member, bus_id_prefix(span_of_text(signer->server->id), ID_MEMBER))) {
        FIND(self, log, entry->index, "authorship", forged,
             "the sender is not of the signer's member");
        return;
    }
    if (header->kind >= HEADER_STARTED ||
        (header->kind == HEADER_FAULT && span_is_text(header->sender, signer->server->id)))
        return;
    if (!history_stood(self->history, header->sender, signer->server->id, header->time_ms))
        FIND(self, log, entry->index, "authorship", forged,
             "%.*s was not registered on %s at that time", (int)header->sender.size,
             (const char *)header->sender.at, signer->server->id);
}

static void check_signature(struct verify *self, struct log *log, const struct examined *examined)
{
    const struct log_entry *entry = &examined->entry;
    struct directory_signer *signer = directory_signer_ever(self->judge, entry->parts.ski.at);
    if (signer == NULL) {
        FIND(self, log, entry->index, "authorship",
             "The signer was never registered, or the directory copy is older than the entry.",
             "no certificate with this key is in the directory");
        return;
    }
    if (examined->bad_signature != NULL)
        FIND(self, log, entry->index, "signature",
             "The entry was altered, or fabricated by whoever keeps this log.",
             "the CAdES signature does not verify: %s", examined->bad_signature);
    else if (entry->header->time_ms / 1000 * 1000 != entry->parts.time_ms)
        FIND(self, log, entry->index, "signature",
             "Time in the header and time of the signature must be one: no node signs this.",
             "the header is dated otherwise than its signature");
    check_certificate(self, log, entry, signer);
    check_sender(self, log, entry, signer);
}

// --- what it commits to -------------------------------------------------------------------------

static void take_ground(struct log *log, const struct examined *examined)
{
    struct erased_act *act = log->acts == 0 ? NULL : &log->act[log->acts - 1];
    if (examined->ground != NULL && act != NULL && act->index == examined->entry.index &&
        act->ground == NULL)
        act->ground = owned_text(examined->ground);
}

/* Why an epoch was closed. */
static void take_reason(struct log *log, const struct examined *examined)
{
    if (examined->reason != NULL && log->reason == NULL)
        log->reason = owned_text(examined->reason);
}

/* Why the beginning of the log was removed. */
static void take_prune_ground(struct log *log, const struct examined *examined)
{
    if (examined->pruning != NULL && log->prune_ground == NULL &&
        examined->entry.index == log->view->pruned.act)
        log->prune_ground = owned_text(examined->pruning);
}

static void take_incident(struct log *log, const struct examined *examined, const struct kept *kept)
{
    if (kept->kind != HEADER_INCIDENT || !kept_is_own(log, kept) ||
        examined->entry.header->closed != NULL)
        return;
    if (log->incidents < INCIDENTS_TOLD_MAX)
        log->incident[log->incidents] = (struct incident){
            .index = kept->index,
            .text = examined->incident == NULL ? NULL : owned_text(examined->incident)};
    log->incidents++;
}

/* What is missing is judged after the walk. */
static enum payload_found check_payload(struct verify *self, struct log *log,
                                        const struct examined *examined)
{
    static const char lost[] =
        "The content is lost or was tampered with; the signed header still stands.";
    uint64_t index = examined->entry.index;
    if (examined->bad_payload != NULL) {
        FIND(self, log, index, "payload", lost, "%s", examined->bad_payload);
        return FOUND_DAMAGED;
    }
    switch (examined->payload) {
    case PAYLOAD_HELD:
        if (!examined->committed)
            FIND(self, log, index, "commitment",
                 "What is kept is not what was signed: the content was exchanged afterwards.",
                 "the payload's digest is not the one in the header");
        take_ground(log, examined);
        take_reason(log, examined);
        take_prune_ground(log, examined);
        return FOUND_HELD;
    case PAYLOAD_SEALED:
        return FOUND_SEALED;
    case PAYLOAD_ERASED:
        return FOUND_ERASED;
    case PAYLOAD_SALT:
        return FOUND_SALT;
    case PAYLOAD_NONE:
        return FOUND_NONE;
    }
    FIND(self, log, index, "payload", lost, "its payload is in state %u, which no node writes",
         (unsigned)examined->payload);
    return FOUND_DAMAGED;
}

static void note_stamp(struct log *log, const struct log_entry *entry)
{
    const struct header_stamped *stamped = entry->header->stamped;
    log->stamp = owned_grow(log->stamp, log->stamps + 1, sizeof *log->stamp);
    log->stamp[log->stamps++] = (struct stamp_act){entry->index, stamped->size, stamped->token};
}

/* What this server says of its own log: what it keeps, what it has erased. */
static void note_statement(struct log *log, const struct log_entry *entry, struct kept *kept)
{
    if (kept_is_own(log, kept) && entry->header->stamped != NULL)
        note_stamp(log, entry);
    if (kept_is_own(log, kept) && entry->header->card != NULL)
        verify_note_card(log, entry);
    OWNED(header_read) read = NULL;
    bool closes = entry->header->closed != NULL && entry->index == 0;
    bool prunes = entry->header->pruned != NULL && entry->index == log->view->pruned.act;
    if (!kept_is_own(log, kept) ||
        (!closes && !prunes && entry->header->kind != HEADER_STARTED &&
         entry->header->kind != HEADER_ERASED && entry->header->kind != HEADER_LATE) ||
        failed(header_decode(entry->parts.content, &read)))
        return;
    if (closes) {
        log->closed = TAKE(read);
        return;
    }
    if (prunes) {
        log->pruned = TAKE(read);
        return;
    }
    if (entry->header->kind == HEADER_STARTED) {
        if (log->started == NULL)
            log->first_started = entry->index;
        header_read_free(&log->started);
        log->started = TAKE(read);
        return;
    }
    if (entry->header->kind == HEADER_LATE) {
        log->late = owned_grow(log->late, log->lates + 1, sizeof *log->late);
        log->late[log->lates++] = (struct late_act){.index = entry->index, .header = TAKE(read)};
        return;
    }
    log->act = owned_grow(log->act, log->acts + 1, sizeof *log->act);
    log->act[log->acts++] = (struct erased_act){.index = entry->index, .header = TAKE(read)};
}

void verify_entry(struct verify *self, struct log *log, const struct examined *examined)
{
    const struct log_entry *entry = &examined->entry;
    struct kept *kept = keep(log, entry);
    report_entry(self->report);
    if (entry->header == NULL) {
        FIND(self, log, entry->index, "form", "Something that no node writes stands in the log.",
             "the entry cannot be read: %s", entry->damage);
        return;
    }
    kept->verified = examined->verified;
    check_place(self, log, entry);
    check_signature(self, log, examined);
    verify_sealing(self, log, entry);
    note_statement(log, entry, kept);
    verify_note_permit(log, entry, kept);
    if (log->started != NULL && kept->kind < HEADER_STARTED)
        kept->mode = keeping_mode(header_of(log->started)->keeping, entry->header->service);
    if (entry->index >= log->first) { /* payloads go with what is pruned */
        kept->payload = check_payload(self, log, examined);
        log->payloads[kept->payload]++;
    }
    take_incident(log, examined, kept);
    if (kept_is_own(log, kept) && kept->time_ms > log->own_ms)
        log->own_ms = kept->time_ms;
}
