// SPDX-License-Identifier: MIT
/* chaski-audit show: what stands in a log. */
#include "tools/audit/commands.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/letter.h"
#include "tools/audit/exchange_prefix.h"
#include "tools/audit/json_text.h"
#include "lib/evidence/log_view.h"
#include "lib/evidence/printable.h"
#include "tools/audit/store_keys.h"

#include "audit.pb-c.h"
#include "rest.pb-c.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct show {
    struct log_view *view;
    const struct audit_arguments *arguments;
    struct key_ring *keys;
    uint64_t shown;
    struct exchange_prefix exchange;
    bool one;
    uint64_t index; /* the one wanted */
    json_t *list;
};

static json_t *withheld_json(const struct withheld *withheld)
{
    json_t *list = json_array();
    for (size_t i = 0; i < withheld->count; i++) {
        json_t *object = json_object();
        json_put_text(object, "column", span_of_text(withheld->column[i].name));
        json_put_text(object, "rule", span_of_text(withheld->column[i].rule));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *entry_json(const struct log_entry *entry)
{
    const struct header *header = entry->header;
    char id[37], time[32], hash[2 * SHA256_BYTES + 1];
    log_view_id_text(header->exchange_id, id);
    clock_text(header->time_ms, time, sizeof time);
    text_hex(sha256_span(&entry->leaf_hash), hash, sizeof hash);
    json_t *object = json_object();
    json_object_set_new(object, "index", json_integer((json_int_t)entry->index));
    json_object_set_new(object, "time", json_string(time));
    json_object_set_new(object, "kind", json_string(header_kind_word(header->kind)));
    json_object_set_new(object, "exchange", json_string(id));
    json_put_text(object, "sender", header->sender);
    json_put_text(object, "receiver", header->receiver);
    json_put_text(object, "service", header->service);
    json_put_text(object, "sender_server", header->sender_server);
    json_put_text(object, "receiver_server", header->receiver_server);
    json_put_text(object, "purpose", header->purpose);
    json_put_text(object, "rule", header->rule);
    json_object_set_new(object, "outcome", json_string(fault_name((enum fault_code)header->fault)));
    json_object_set_new(object, "status", json_integer(header->status));
    json_object_set_new(object, "payload_bytes", json_integer((json_int_t)header->payload_bytes));
    json_object_set_new(object, "epoch", json_integer((json_int_t)header->directory_epoch));
    json_object_set_new(object, "leaf_hash", json_string(hash));
    if (header->endpoint.size > 0)
        json_put_text(object, "endpoint", header->endpoint);
    if (header->source.size > 0)
        json_put_text(object, "source", header->source);
    if (entry->parts.place.size > 0)
        json_object_set_new(object, "batch", json_integer(batch_place_count(entry->parts.place)));
    if (header->withheld != NULL && header->withheld->count > 0)
        json_object_set_new(object, "withheld", withheld_json(header->withheld));
    if (header->late != NULL) {
        json_put_hash(object, "late_leaf_hash", sha256_span(&header->late->leaf_hash));
        json_object_set_new(object, "late_kind", json_string(header_kind_word(header->late->kind)));
        json_object_set_new(object, "late_own", json_boolean(header->late->own));
    }
    return object;
}

static void print_row(const struct log_entry *entry)
{
    const struct header *header = entry->header;
    char id[37], time[32];
    log_view_id_text(header->exchange_id, id);
    clock_text(header->time_ms, time, sizeof time);
    OWNED(printable)
    what = printable_of(header->service.size > 0 ? header->service : header->sender);
    OWNED(printable) rule = printable_of(header->rule);
    printf("%8" PRIu64 "  %.19s  %-8s  %.8s  %-44s  %s%s%s\n", entry->index, time,
           header_kind_word(header->kind), id, what->text,
           header->fault != OK ? fault_name((enum fault_code)header->fault) : "",
           header->fault != OK ? "  " : "", rule->text);
}

static bool wanted(const struct show *self, const struct log_entry *entry)
{
    if (self->one)
        return entry->index == self->index;
    if (entry->header == NULL)
        return true;
    if (!exchange_prefix_fits(&self->exchange, entry->header->exchange_id))
        return false;
    return self->arguments->kind == NULL ||
           strcmp(self->arguments->kind, header_kind_word(entry->header->kind)) == 0;
}

// --- one entry in full --------------------------------------------------------------------------

static void show_card(const struct header_card *card)
{
    char key[2 * HEADER_CARD_KEY_BYTES + 1], renew[32], until[32];
    text_hex(span_of(card->key, sizeof card->key), key, sizeof key);
    clock_text(card->renew_ms, renew, sizeof renew);
    clock_text(card->until_ms, until, sizeof until);
    printf("  %-16s %s\n  %-16s %s\n  %-16s %s\n", "sealing key", key, "next one", renew,
           "destroyed", until);
}

static void print_field(const char *name, struct span value)
{
    OWNED(printable) shown = printable_of(value);
    if (value.size > 0)
        printf("  %-16s %s\n", name, shown->text);
}

/* Content is a stranger's too: its lines stand behind a bar. */
#define BAR "  | "

static void print_line(const char *words)
{
    OWNED(printable) shown = printable_of(span_of_text(words));
    printf(BAR "%s\n", shown->text);
}

static void print_headers(Chaski__Field **header, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        OWNED(printable) name = printable_of(span_of_text(header[i]->name));
        OWNED(printable) value = printable_of(span_of(header[i]->value.data, header[i]->value.len));
        printf(BAR "%s: %s\n", name->text, value->text);
    }
}

static void print_body(ProtobufCBinaryData body)
{
    puts(BAR);
    printable_put_lines(stdout, BAR, span_of(body.data, body.len));
}

static void print_request(struct span payload)
{
    Chaski__RestRequest *rest = chaski__rest_request__unpack(NULL, payload.size, payload.at);
    if (rest == NULL)
        return;
    print_line(rest->method);
    print_line(rest->target);
    print_headers(rest->header, rest->n_header);
    print_body(rest->body);
    chaski__rest_request__free_unpacked(rest, NULL);
}

static void print_response(struct span payload)
{
    Chaski__RestResponse *rest = chaski__rest_response__unpack(NULL, payload.size, payload.at);
    if (rest == NULL)
        return;
    printf(BAR "%u\n", rest->status);
    print_headers(rest->header, rest->n_header);
    print_body(rest->body);
    chaski__rest_response__free_unpacked(rest, NULL);
}

static void print_words(struct span payload)
{
    Chaski__FaultText *text = chaski__fault_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return;
    print_line(text->detail);
    print_line(text->remedy);
    chaski__fault_text__free_unpacked(text, NULL);
}

static void print_erasure_words(struct span payload)
{
    Chaski__ErasureText *text = chaski__erasure_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return;
    OWNED(printable) ground = printable_of(span_of_text(text->ground));
    OWNED(printable) officer = printable_of(span_of_text(text->officer));
    printf(BAR "ground: %s\n" BAR "officer: %s\n", ground->text, officer->text);
    chaski__erasure_text__free_unpacked(text, NULL);
}

static void print_epoch_words(struct span payload)
{
    Chaski__EpochText *text = chaski__epoch_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return;
    OWNED(printable) reason = printable_of(span_of_text(text->reason));
    OWNED(printable) officer = printable_of(span_of_text(text->officer));
    printf(BAR "reason: %s\n" BAR "officer: %s\n", reason->text, officer->text);
    chaski__epoch_text__free_unpacked(text, NULL);
}

static void print_prune_words(struct span payload)
{
    Chaski__PruneText *text = chaski__prune_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return;
    OWNED(printable) ground = printable_of(span_of_text(text->ground));
    OWNED(printable) officer = printable_of(span_of_text(text->officer));
    printf(BAR "ground: %s\n" BAR "officer: %s\n", ground->text, officer->text);
    chaski__prune_text__free_unpacked(text, NULL);
}

static void print_content(const struct header *header, struct span payload)
{
    enum header_kind kind = header->kind;
    if (kind == HEADER_PRUNED)
        print_prune_words(payload);
    else if (header->closed != NULL)
        print_epoch_words(payload);
    else if (kind == HEADER_ERASED)
        print_erasure_words(payload);
    else if (kind == HEADER_LATE)
        printf(BAR "the leaf, %zu bytes; export the record to have it as a file\n", payload.size);
    else if (kind == HEADER_REQUEST)
        print_request(payload);
    else if (kind == HEADER_RESPONSE)
        print_response(payload);
    else
        print_words(payload);
}

/* The state comes out of a file: it may be any number. */
static const char *state_word(enum payload_state state)
{
    switch (state) {
    case PAYLOAD_NONE:
        return "none";
    case PAYLOAD_HELD:
        return "held";
    case PAYLOAD_ERASED:
        return "erased (commitment only)";
    case PAYLOAD_SALT:
        return "not kept but for its salt";
    case PAYLOAD_SEALED:
        return "sealed (commitment only without --store-key)";
    }
    return "in a state that no node writes";
}

static void print_payload(const struct show *self, const struct log_entry *entry)
{
    OWNED(bytes) blob = NULL;
    enum payload_state state = PAYLOAD_NONE;
    if (failed(payload_store_read(self->view->payloads, self->keys, entry->index, &entry->leaf_hash,
                                  &state, &blob))) {
        print_field("payload", span_of_text(fault_detail()));
        return;
    }
    printf("  %-16s %s, %" PRIu64 " bytes\n", "payload", state_word(state),
           entry->header->payload_bytes);
    if (blob != NULL && state == PAYLOAD_HELD && blob->size >= SALT_BYTES &&
        self->arguments->payload)
        print_content(entry->header, letter_payload(bytes_span(blob)));
}

static void print_erasure(const struct erasure *erasure)
{
    if (erasure == NULL)
        return;
    OWNED(printable) of = printable_of(span_of_text(erasure->of));
    char epoch[32] = "";
    if (erasure->epoch != 0)
        text_format(epoch, sizeof epoch, " of epoch %u", erasure->epoch);
    printf("  %-16s entries %" PRIu64 " to %" PRIu64 "%s of %s%s%s\n", "erased", erasure->first,
           erasure->last, epoch, erasure->day, erasure->of[0] == '\0' ? "" : ", of ", of->text);
    for (size_t i = 0; i < erasure->excepts; i++)
        print_field("... but not of", span_of_text(erasure->except[i]));
}

static void print_keeping(const struct keeping *keeping)
{
    static const char *const words[] = {"full", "metadata", "off"};
    for (size_t i = 0; keeping != NULL && i < keeping->count; i++) {
        OWNED(printable) of = printable_of(span_of_text(keeping->rule[i].of));
        printf("  %-16s %s: %s\n", "payloads kept", of->text[0] == '\0' ? "all services" : of->text,
               words[keeping->rule[i].mode]);
    }
}

static void print_closed(const struct epoch_closed *closed)
{
    char root[2 * SHA256_BYTES + 1];
    if (closed == NULL)
        return;
    text_hex(sha256_span(&closed->root), root, sizeof root);
    printf("  %-16s %u, of which %" PRIu64 " entries are left, root %s\n", "closes epoch",
           closed->epoch, closed->size, root);
    printf("  %-16s %" PRIu32 ", and %" PRIu32 " answered\n", "asked", closed->asked,
           closed->answered);
    for (size_t i = 0; i < closed->heads; i++) {
        OWNED(printable) by = printable_of(span_of_text(closed->head[i].by));
        text_hex(sha256_span(&closed->head[i].root), root, sizeof root);
        printf("  %-16s %" PRIu64 " entries, root %s, held by %s\n", "... known head",
               closed->head[i].size, root, by->text);
    }
}

static void print_late(const struct late_receipt *late)
{
    char time[32], hash[2 * SHA256_BYTES + 1];
    if (late == NULL)
        return;
    clock_text(late->time_ms, time, sizeof time);
    text_hex(sha256_span(&late->leaf_hash), hash, sizeof hash);
    printf("  %-16s %s of %s, dated %s\n  %-16s %s\n", "late receipt", header_kind_word(late->kind),
           late->own ? "this server itself" : "the other server", time, "... its leaf", hash);
}

static void print_withheld(const struct withheld *withheld)
{
    for (size_t i = 0; withheld != NULL && i < withheld->count; i++) {
        OWNED(printable) name = printable_of(span_of_text(withheld->column[i].name));
        OWNED(printable) rule = printable_of(span_of_text(withheld->column[i].rule));
        printf("  %-16s %s, by %s\n", "withheld", name->text, rule->text);
    }
}

static void print_full(const struct show *self, const struct log_entry *entry)
{
    const struct header *header = entry->header;
    char id[37], time[32], hash[2 * SHA256_BYTES + 1];
    log_view_id_text(header->exchange_id, id);
    clock_text(header->time_ms, time, sizeof time);
    text_hex(sha256_span(&entry->leaf_hash), hash, sizeof hash);
    OWNED(printable) origin = printable_of(span_of_text(self->view->log_key.name));
    printf("entry %" PRIu64 " of %s\n", entry->index, origin->text);
    printf("  %-16s %s\n  %-16s %s\n  %-16s %s\n  %-16s %s\n", "kind",
           header_kind_word(header->kind), "exchange", id, "time", time, "leaf hash", hash);
    print_field("sender", header->sender);
    print_field("receiver", header->receiver);
    print_field("service", header->service);
    print_field("sender server", header->sender_server);
    print_field("receiver server", header->receiver_server);
    print_field("purpose", header->purpose);
    print_field("legal basis", header->legal_basis);
    print_field("endpoint", header->endpoint);
    print_field("source", header->source);
    print_field("rule", header->rule);
    print_withheld(header->withheld);
    print_erasure(header->erasure);
    print_keeping(header->keeping);
    print_closed(header->closed);
    if (header->pruned != NULL)
        printf("  %-16s the entries before %" PRIu64 "\n", "prunes", header->pruned->before);
    if (header->card != NULL)
        show_card(header->card);
    if (header->stamped != NULL) {
        text_hex(sha256_span(&header->stamped->token), hash, sizeof hash);
        printf("  %-16s of %" PRIu64 " entries, token %s\n", "time stamp", header->stamped->size,
               hash);
    }
    print_late(header->late);
    if (header->fault != OK)
        printf("  %-16s %s: %s\n", "fault", fault_name((enum fault_code)header->fault),
               fault_sentence((enum fault_code)header->fault));
    if (header->has_reply_to) {
        text_hex(sha256_span(&header->reply_to), hash, sizeof hash);
        printf("  %-16s %s\n", "reply to", hash);
    }
    text_hex(sha256_span(&header->log_root), hash, sizeof hash);
    printf("  %-16s %" PRIu64 " %s", "signer's log", header->log_size, hash);
    if (header->log_epoch > 1)
        printf(", of epoch %u", header->log_epoch);
    printf("\n  %-16s %" PRIu64 "\n", "directory epoch", header->directory_epoch);
    struct directory_signer *signer =
        directory_signer_ever(self->view->directory, entry->parts.ski.at);
    if (signer != NULL) {
        print_field("signed by", span_of_text(certificate_subject(signer->certificate)->server));
        print_field("... of", span_of_text(certificate_subject(signer->certificate)->organisation));
    }
    print_payload(self, entry);
}

static void show_unreadable(struct show *self, const struct log_entry *entry)
{
    if (self->list != NULL) {
        json_t *object = json_object();
        json_put_number(object, "index", entry->index);
        json_put_text(object, "damage", span_of_text(entry->damage));
        json_array_append_new(self->list, object);
        return;
    }
    OWNED(printable) damage = printable_of(span_of_text(entry->damage));
    printf("%8" PRIu64 "  cannot be read: %s\n", entry->index, damage->text);
}

static fault show_entry(void *owner, const struct log_entry *entry)
{
    struct show *self = owner;
    if (!wanted(self, entry) ||
        (self->arguments->limit > 0 && self->shown >= self->arguments->limit))
        return DONE;
    self->shown++;
    if (entry->header == NULL)
        show_unreadable(self, entry);
    else if (self->list != NULL)
        json_array_append_new(self->list, entry_json(entry));
    else if (self->one)
        print_full(self, entry);
    else
        print_row(entry);
    return DONE;
}

fault show_command(const struct audit_arguments *arguments)
{
    struct show self = {.arguments = arguments};
    struct wal_end end;
    OWNED(log_view) view = NULL;
    OWNED(store_keys) keys = NULL;
    if (arguments->count > 2)
        return RAISE(BAD_REQUEST, "show DIR [INDEX]");
    if (arguments->count == 2) {
        self.one = true;
        TRY(text_number(span_of_text(arguments->positional[1]), UINT64_MAX, &self.index));
    }
    if (arguments->exchange != NULL)
        TRY(exchange_prefix_read(arguments->exchange, &self.exchange));
    TRY(log_view_open(arguments->positional[0], arguments->epoch, &arguments->anchors, &view));
    TRY(store_keys_open(arguments, &keys));
    self.view = view;
    self.keys = store_keys_ring(keys);
    self.list = arguments->json ? json_array() : NULL;
    fault f = log_view_walk(view, show_entry, &self, &end);
    if (self.list != NULL) {
        json_dumpf(self.list, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(self.list);
    }
    TRY(f);
    if (self.one && self.index < view->pruned.first)
        return RAISE(NOT_FOUND, "the entries before %" PRIu64 " were pruned, by entry %" PRIu64,
                     view->pruned.first, view->pruned.act);
    if (self.one && self.shown == 0)
        return RAISE(NOT_FOUND, "the log has %" PRIu64 " entries", end.size);
    return DONE;
}
