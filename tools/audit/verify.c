// SPDX-License-Identifier: MIT
/*
 * chaski-audit verify: every signature, certificate, commitment, embedded head and root of one log,
 * and of several logs against one another. A finding names the entry, the rule, and what it would
 * mean.
 */
#include "tools/audit/commands.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/letter.h"
#include "tools/audit/log_view.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is kept of an entry for the checks between entries and between logs. */
struct kept {
    struct sha256 leaf_hash;
    uint64_t index;
    enum header_kind kind;
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    char *sender_server, *receiver_server; /* interned */
    uint64_t log_size;
    struct sha256 log_root;
    struct sha256 reply_to;
    bool has_reply_to;
    uint32_t fault;
    int64_t time_ms;
};

struct log {
    struct log_view *view;
    struct sha256 *root; /* root[n]: of the first n entries */
    struct kept *entry;
    uint64_t count, room;
    struct merkle tree;
    struct map by_hash; /* leaf hash -> index + 1 */
    struct map names;   /* interned texts */
    struct wal_end end;
    struct checkpoint promised; /* read before the walk: a running node writes on; size 0: none */
    bool promise_bad;
    int64_t walked_ms; /* wall time when the walk began */
};

#define SETTLED_MS 2000 /* younger entries may not have reached the other log yet */

struct verify {
    const struct audit_arguments *arguments;
    struct log log[LOGS_MAX];
    size_t logs;
    struct log *now; /* being walked */
    uint64_t findings, entries;
    json_t *list;
    int64_t shown_ms;
};

// --- findings -----------------------------------------------------------------------------------

static void find(struct verify *self, const struct log *log, uint64_t index, const char *rule,
                 const char *meaning, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static void find(struct verify *self, const struct log *log, uint64_t index, const char *rule,
                 const char *meaning, const char *format, ...)
{
    char what[600];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    self->findings++;
    if (self->list != NULL) {
        json_array_append_new(self->list,
                              json_pack("{s:s, s:I, s:s, s:s, s:s}", "log", log->view->folder,
                                        "entry", (json_int_t)index, "rule", rule, "what", what,
                                        "meaning", meaning));
        return;
    }
    printf("FINDING  %s entry %" PRIu64 "  [%s]\n         %s\n         %s\n", log->view->folder,
           index, rule, what, meaning);
}

static void show_progress(struct verify *self)
{
    int64_t now_ms = clock_steady_ms();
    if (self->arguments->quiet || self->list != NULL || !isatty(STDERR_FILENO) ||
        now_ms - self->shown_ms < 200)
        return;
    self->shown_ms = now_ms;
    fprintf(stderr, "\r  %" PRIu64 " entries checked, %" PRIu64 " findings ", self->entries,
            self->findings);
}

// --- one entry ----------------------------------------------------------------------------------

static char *intern(struct log *log, struct span text)
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

static void keep(struct log *log, const struct log_entry *entry)
{
    if (log->count == log->room) {
        log->room = log->room == 0 ? 1024 : 2 * log->room;
        log->entry = owned_grow(log->entry, log->room, sizeof *log->entry);
        log->root = owned_grow(log->root, log->room + 1, sizeof *log->root);
    }
    if (log->count == 0)
        log->root[0] = merkle_root(&log->tree);
    struct kept *kept = &log->entry[log->count++];
    *kept = (struct kept){.leaf_hash = *entry->leaf_hash, .index = entry->index};
    merkle_append(&log->tree, entry->leaf_hash);
    log->root[log->count] = merkle_root(&log->tree);
    map_set(&log->by_hash, sha256_span(entry->leaf_hash), (void *)(uintptr_t)(entry->index + 1));
    const struct header *header = entry->header;
    if (header == NULL)
        return;
    kept->kind = header->kind;
    memcpy(kept->exchange_id, header->exchange_id, EXCHANGE_ID_BYTES);
    kept->sender_server = intern(log, header->sender_server);
    kept->receiver_server = intern(log, header->receiver_server);
    kept->log_size = header->log_size;
    kept->log_root = header->log_root;
    kept->has_reply_to = header->has_reply_to;
    kept->reply_to = header->reply_to;
    kept->fault = header->fault;
    kept->time_ms = header->time_ms;
}

static void check_signer(struct verify *self, const struct log_entry *entry,
                         const struct directory_signer *signer)
{
    const struct header *header = entry->header;
    const struct certificate *certificate = signer->certificate;
    const char *forged =
        "Somebody signed who was not entitled to: the entry proves nothing against "
        "the named sender.";
    if (!signer->trusted)
        find(self, self->now, entry->index, "certificate", forged,
             "the certificate of %s leads to no trusted authority", signer->server->id);
    if (header->time_ms < certificate_not_before_ms(certificate) ||
        header->time_ms > certificate_not_after_ms(certificate))
        find(self, self->now, entry->index, "certificate", forged,
             "the certificate was not valid at the time in the header");
    if (!span_is_text(header->sender_server, signer->server->id))
        find(self, self->now, entry->index, "authorship", forged,
             "signed by %s in the name of %.*s", signer->server->id,
             (int)header->sender_server.size, (const char *)header->sender_server.at);
    struct span member = bus_id_prefix(header->sender, ID_MEMBER);
    if (!span_equal(member, bus_id_prefix(span_of_text(signer->server->id), ID_MEMBER)))
        find(self, self->now, entry->index, "authorship", forged,
             "the sender is not of the signer's member");
}

static void check_signature(struct verify *self, const struct log_entry *entry)
{
    struct directory_signer *signer =
        directory_signer_ever(self->now->view->directory, entry->parts.ski.at);
    if (signer == NULL) {
        find(self, self->now, entry->index, "authorship",
             "The signer was never registered, or the directory copy is older than the entry.",
             "no certificate with this key is in the directory");
        return;
    }
    struct cades_parts parts;
    if (failed(cades_verify_leaf(signer->certificate, entry->leaf, &parts)))
        find(self, self->now, entry->index, "signature",
             "The entry was altered, or fabricated by whoever keeps this log.",
             "the CAdES signature does not verify: %s", fault_detail());
    check_signer(self, entry, signer);
}

static void check_payload(struct verify *self, const struct log_entry *entry)
{
    OWNED(bytes) blob = NULL;
    enum payload_state state = PAYLOAD_NONE;
    fault f =
        payload_store_read(self->now->view->folder, entry->index, entry->leaf_hash, &state, &blob);
    if (failed(f)) {
        find(self, self->now, entry->index, "payload",
             "The content is lost or was tampered with; the signed header still stands.", "%s",
             fault_detail());
        return;
    }
    if (state == PAYLOAD_NONE)
        find(self, self->now, entry->index, "payload",
             "The content was removed without an erasure; the signed header still stands.",
             "no payload is held for it");
    if (state != PAYLOAD_HELD)
        return;
    struct sha256 commitment = letter_commitment(bytes_span(blob));
    if (!sha256_equal(&commitment, &entry->header->payload_sha256) ||
        blob->size != entry->header->payload_bytes + SALT_BYTES)
        find(self, self->now, entry->index, "commitment",
             "What is kept is not what was signed: the content was exchanged afterwards.",
             "the payload's digest is not the one in the header");
}

/* Every header that this log's own server signed carries a head of this log. */
static void check_own_head(struct verify *self, const struct log *log, const struct kept *kept,
                           const struct log *holder)
{
    if (kept->log_size > log->count)
        find(self, holder, kept->index, "append only",
             "The log of the signer was cut: its end is missing.",
             "it embeds a head of %" PRIu64 " entries of %s, which has %" PRIu64, kept->log_size,
             log->view->server, log->count);
    else if (!sha256_equal(&log->root[kept->log_size], &kept->log_root))
        find(self, holder, kept->index, "append only",
             "An entry of the signer's log was removed, exchanged or moved afterwards.",
             "it embeds a head of %" PRIu64 " entries of %s with another root", kept->log_size,
             log->view->server);
    else if (log == holder && kept->log_size > kept->index)
        find(self, holder, kept->index, "append only", "The order of the log was changed.",
             "it embeds a head that includes itself");
}

static fault check_entry(void *owner, const struct log_entry *entry)
{
    struct verify *self = owner;
    keep(self->now, entry);
    self->entries++;
    show_progress(self);
    if (entry->header == NULL) {
        find(self, self->now, entry->index, "form",
             "Something that no node writes stands in the log.", "the entry cannot be read: %s",
             entry->damage);
        return DONE;
    }
    check_signature(self, entry);
    check_payload(self, entry);
    return DONE;
}

// --- one log ------------------------------------------------------------------------------------

static void read_promise(struct log *log)
{
    char path[600];
    OWNED(bytes) note = NULL;
    audit_log_path(log->view->folder, 1, "checkpoint", path, sizeof path);
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (f.code == NOT_FOUND)
        return; /* a log younger than its first checkpoint */
    log->promise_bad =
        failed(f) || failed(checkpoint_open(bytes_span(note), &log->view->log_key, &log->promised));
}

static void check_checkpoint(struct verify *self, struct log *log)
{
    if (log->promise_bad)
        find(self, log, 0, "checkpoint", "The head of the log cannot be relied on.",
             "the checkpoint is not signed by the log's key");
    else if (log->promised.size > log->count)
        find(self, log, log->count, "checkpoint", "The end of the log is missing.",
             "the checkpoint promises %" PRIu64 " entries, the log has %" PRIu64,
             log->promised.size, log->count);
    else if (log->promised.size > 0 &&
             !sha256_equal(&log->root[log->promised.size], &log->promised.root))
        find(self, log, log->promised.size, "checkpoint", "An entry was altered, removed or moved.",
             "the root over %" PRIu64 " entries is not the one in the checkpoint",
             log->promised.size);
}

static void check_replies(struct verify *self, struct log *log)
{
    struct map outcomes = {0};
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if ((kept->kind != HEADER_RESPONSE && kept->kind != HEADER_FAULT) || !kept->has_reply_to)
            continue;
        struct span request = sha256_span(&kept->reply_to);
        uintptr_t at = (uintptr_t)map_get(&log->by_hash, request);
        if (at == 0 && kept->fault != REPLAYED)
            find(self, log, i, "request precedes answer",
                 "An answer without its request: the request was removed, or never recorded.",
                 "the request that it answers is not in this log");
        else if (at > i)
            find(self, log, i, "request precedes answer", "The order of the log was changed.",
                 "the request that it answers comes after it");
        if (kept->kind == HEADER_RESPONSE &&
            map_set(&outcomes, request, (void *)(uintptr_t)(i + 1)) != NULL)
            find(self, log, i, "nothing runs twice", "One request was executed and answered twice.",
                 "a second response to the same request");
    }
    map_clear(&outcomes);
}

static fault check_log(struct verify *self, struct log *log, const char *folder)
{
    TRY(log_view_open(folder, &self->arguments->anchors, &log->view));
    self->now = log;
    read_promise(log);
    log->walked_ms = clock_wall_ms();
    TRY(log_view_walk(log->view, check_entry, self, &log->end));
    if (log->count == 0) {
        log->root = owned_array(1, sizeof *log->root);
        log->root[0] = merkle_root(&log->tree);
    }
    for (uint64_t i = 0; i < log->count; i++)
        if (log->entry[i].sender_server != NULL &&
            strcmp(log->entry[i].sender_server, log->view->server) == 0)
            check_own_head(self, log, &log->entry[i], log);
    check_replies(self, log);
    check_checkpoint(self, log);
    return DONE;
}

// --- logs against one another -------------------------------------------------------------------

/* A consumer's request that never reached the provider is followed by the consumer's own fault. */
static bool was_given_up(const struct log *log, const struct kept *request)
{
    for (uint64_t i = request->index + 1; i < log->count; i++)
        if (log->entry[i].kind == HEADER_FAULT && log->entry[i].has_reply_to &&
            sha256_equal(&log->entry[i].reply_to, &request->leaf_hash) &&
            strcmp(log->entry[i].sender_server, log->view->server) == 0)
            return true;
    return false;
}

static bool has_answer(const struct log *log, const struct kept *request)
{
    for (uint64_t i = request->index + 1; i < log->count; i++)
        if (log->entry[i].has_reply_to &&
            sha256_equal(&log->entry[i].reply_to, &request->leaf_hash))
            return true;
    return false;
}

/* What `here` holds of exchanges with `there`, and `there` does not. */
static void check_symmetry(struct verify *self, struct log *here, struct log *there)
{
    const char *own = here->view->server, *other = there->view->server;
    for (uint64_t i = 0; i < here->count; i++) {
        const struct kept *kept = &here->entry[i];
        if (kept->sender_server == NULL || kept->kind >= HEADER_STARTED)
            continue;
        bool sent =
            strcmp(kept->sender_server, own) == 0 && strcmp(kept->receiver_server, other) == 0;
        bool got =
            strcmp(kept->sender_server, other) == 0 && strcmp(kept->receiver_server, own) == 0;
        if (kept->time_ms > there->walked_ms - SETTLED_MS)
            continue;
        if (got)
            check_own_head(self, there, kept, here);
        if ((!sent && !got) || map_get(&there->by_hash, sha256_span(&kept->leaf_hash)) != NULL)
            continue;
        if (got)
            find(self, here, i, "both sides hold the same leaves",
                 "The other side signed this and does not have it: lost or suppressed there.",
                 "%s of %s is not in its own log", header_kind_word(kept->kind), other);
        else if (kept->kind == HEADER_REQUEST && has_answer(here, kept) &&
                 !was_given_up(here, kept))
            find(self, here, i, "both sides hold the same leaves",
                 "The other side answered this and does not have it: lost or suppressed there.",
                 "a request to %s is not in its log", other);
        /* An answer that was never fetched, or a request cut off by a crash, is evidence enough on
         * the side that has it. */
    }
}

static void log_clear(struct log *log)
{
    size_t step = 0;
    for (char *name; (name = map_next(&log->names, &step, NULL)) != NULL;)
        free(name);
    map_clear(&log->names);
    map_clear(&log->by_hash);
    log_view_free(&log->view);
    free(log->root);
    free(log->entry);
}

static void report(struct verify *self, int64_t took_ms)
{
    if (self->list != NULL) {
        json_t *root = json_pack("{s:I, s:I, s:I, s:o}", "logs", (json_int_t)self->logs, "entries",
                                 (json_int_t)self->entries, "took_ms", (json_int_t)took_ms,
                                 "findings", json_incref(self->list));
        json_dumpf(root, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(root);
        return;
    }
    if (isatty(STDERR_FILENO) && !self->arguments->quiet)
        fputs("\r                                                  \r", stderr);
    for (size_t i = 0; !self->arguments->quiet && i < self->logs; i++) {
        const struct log *log = &self->log[i];
        char root[2 * SHA256_BYTES + 1];
        text_hex(sha256_span(&log->root[log->count]), root, sizeof root);
        printf("%-44s %8" PRIu64 " entries  root %.16s…%s\n", log->view->log_key.name, log->count,
               root,
               log->end.cut_bytes > 0 ? "  (a write is under way, or was torn, at its end)" : "");
    }
    printf("%s: %" PRIu64 " entries in %zu log%s, %" PRIu64 " finding%s, %" PRId64 " ms\n",
           self->findings == 0 ? "clean" : "NOT CLEAN", self->entries, self->logs,
           self->logs == 1 ? "" : "s", self->findings, self->findings == 1 ? "" : "s", took_ms);
}

fault verify_command(const struct audit_arguments *arguments, uint64_t *findings)
{
    struct verify *self = owned_new(sizeof *self);
    int64_t started_ms = clock_steady_ms();
    self->arguments = arguments;
    self->list = arguments->json ? json_array() : NULL;
    fault f = DONE;
    for (size_t i = 0; !failed(f) && i < arguments->count; i++) {
        self->logs = i + 1;
        f = check_log(self, &self->log[i], arguments->positional[i]);
    }
    for (size_t i = 0; !failed(f) && i < self->logs; i++)
        for (size_t k = 0; k < self->logs; k++)
            if (i != k)
                check_symmetry(self, &self->log[i], &self->log[k]);
    if (!failed(f))
        report(self, clock_steady_ms() - started_ms);
    *findings = self->findings;
    for (size_t i = 0; i < self->logs; i++)
        log_clear(&self->log[i]);
    json_decref(self->list);
    free(self);
    return f;
}
