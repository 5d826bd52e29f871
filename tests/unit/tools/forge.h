// SPDX-License-Identifier: MIT
/*
 * forge - evidence logs written with real keys and dishonest hands: what a member could do who has
 * its own keys and its own disk. The auditor must see it.
 */
#ifndef TESTS_TOOLS_FORGE_H
#define TESTS_TOOLS_FORGE_H

#include "lib/bus/audit_log.h"
#include "lib/bus/header.h"
#include "lib/bus/letter.h"
#include "lib/bus/tile_log.h"
#include "lib/crypto/random.h"
#include "lib/crypto/stamp.h"
#include "tests/unit/bus/book.h"
#include "tests/unit/bus/store_keys.h"
#include "tools/audit/commands.h"

#include <fcntl.h>
#include <jansson.h>
#include <time.h>
#include <unistd.h>

#define FORGE_MINUTE_MS INT64_C(60000)

enum forge_side { CALLER, PROVIDER, SIDES };

static const char *const forge_member[SIDES] = {MEDELLIN, DANE};
static const char *const forge_server[SIDES] = {MEDELLIN "/SS1", DANE "/SS1"};
static const char *const forge_subsystem[SIDES] = {MEDELLIN "/TRAMITES", DANE "/DIVIPOLA"};

/* A country of two servers whose keys are all at hand, and the log of one of them. */
struct forge {
    struct book *book;
    struct keypair *sign[SIDES], *log_key[SIDES];
    struct certificate *certificate[SIDES];
    struct note_key origin[SIDES];
    struct keypair *witness; /* an outside one, once it is assigned */
    struct note_key witness_key;
    enum forge_side whose;
    char folder[256];
    unsigned epoch;
    size_t segment_bytes; /* of a log that is opened from now on */
    struct audit_log *log;
    struct audit_head head; /* of the last entry; what an honest header would claim */
    int64_t time_ms;        /* of the next entry */
    enum keep_mode mode;    /* what is kept of the next entry's payload */
    char other[256];        /* folder of the other side's log, once it is made; "": there is none */
    bool sealed;            /* the auditor has no key to payloads */
    const char *as_of;      /* given by the auditor, or NULL */
    const char *policy;     /* the auditor's own, for directories; or NULL */
};

static inline void forge_free(struct forge **owner)
{
    struct forge *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < SIDES; i++) {
        keypair_free(&self->sign[i]);
        keypair_free(&self->log_key[i]);
        certificate_free(&self->certificate[i]);
    }
    keypair_free(&self->witness);
    audit_log_free(&self->log);
    book_free(&self->book);
    free(self);
}

/* With the certificate that it has now. */
static inline void forge_register(struct forge *self, enum forge_side side)
{
    char vkey[400], address[] = "tcp://[::1]:5500";
    uint8_t seed[32];
    note_key_text(&self->origin[side], vkey, sizeof vkey);
    memset(seed, 1 + (int)side, sizeof seed);
    struct span der = certificate_der(self->certificate[side]);
    ProtobufCBinaryData certificates[] = {{der.size, (uint8_t *)(uintptr_t)der.at}};
    ProtobufCBinaryData keys[] = {{sizeof seed, seed}};
    char *addresses[] = {address};
    book_member(self->book, forge_member[side], true);
    BOOK_ACT(self->book, SERVER_SET, server_set, CHASKI__SERVER_SET__INIT,
             it->id = book_text(forge_server[side]), it->n_address = 1, it->address = addresses,
             it->transport_key = keys[0], it->n_seal_key = 1, it->seal_key = keys,
             it->log_vkey = vkey, it->n_certificate = 1, it->certificate = certificates);
    book_subsystem(self->book, forge_subsystem[side], forge_server[side]);
}

static inline void forge_enrol(struct forge *self, enum forge_side side)
{
    OWNED(bytes) public_key = NULL;
    char name[64];
    self->certificate[side] = book_issue(self->book, forge_member[side], "SS1", &self->sign[side]);
    MUST(keypair_make(KEY_ED25519, &self->log_key[side]));
    MUST(keypair_public(self->log_key[side], &public_key));
    snprintf(name, sizeof name, "log.example/%d/1", (int)side);
    MUST(note_key_make(name, NOTE_LOG, public_key->data, &self->origin[side]));
    forge_register(self, side);
}

static inline void forge_file(const struct forge *self, const char *name, struct span bytes)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", self->folder, name);
    *strrchr(path, '/') = '\0';
    MUST(file_make_folders(path, 0700));
    book_write_file(self->folder, name, bytes);
}

static inline struct note_key forge_key(const struct forge *self)
{
    struct note_key key;
    MUST(log_epoch_key(&self->origin[self->whose], self->epoch, &key));
    return key;
}

/* The empty log of an epoch; the one that was open is left as it is. */
static inline void forge_open(struct forge *self, unsigned epoch)
{
    struct audit_recovery recovery;
    self->epoch = epoch;
    struct note_key key = forge_key(self);
    struct audit_log_options options = {.folder = self->folder,
                                        .epoch = epoch,
                                        .segment_bytes = self->segment_bytes,
                                        .key = &key,
                                        .holder = *a_holder()};
    audit_log_free(&self->log);
    MUST(audit_log_open(&options, NULL, NULL, &self->log, &recovery));
    self->head = audit_log_head(self->log);
}

/* This side's log goes on in another folder, with the first `count` entries of its epoch; what was
 * written so far stays where it is. */
static inline void forge_branch(struct forge *self, const char *name, uint64_t count)
{
    struct audit_log *from = self->log;
    self->log = NULL;
    snprintf(self->folder, sizeof self->folder, "%s/%s", unit_folder(), name);
    MUST(file_make_folders(self->folder, 0700));
    forge_open(self, self->epoch);
    for (uint64_t i = 0; i < count; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(bytes) blob = NULL;
        MUST(audit_log_read(from, audit_place(self->epoch, i), &leaf, &blob));
        struct audit_record record = {.leaf = bytes_span(leaf), .blob = bytes_span(blob)};
        MUST(audit_log_append(self->log, &record, 1, self->time_ms));
    }
    audit_log_free(&from);
    self->head = audit_log_head(self->log);
}

/* An empty log of this side, in a country of both. */
static inline struct forge *forge_new(enum forge_side whose)
{
    struct forge *self = owned_new(sizeof *self);
    self->book = book_new();
    self->whose = whose;
    self->segment_bytes = 1 << 20;
    snprintf(self->folder, sizeof self->folder, "%s/audit", unit_folder());
    for (size_t i = 0; i < SIDES; i++)
        forge_enrol(self, (enum forge_side)i);
    MUST(file_make_folders(self->folder, 0700));
    forge_open(self, 1);
    self->time_ms = self->book->time_ms + 60 * FORGE_MINUTE_MS;
    return self;
}

/* Makes the header's commitment, signs as `signer` at `signed_ms`, appends. The leaf hash. */
static inline struct sha256 forge_append_with(struct forge *self, enum forge_side signer,
                                              struct header *header, int64_t signed_ms,
                                              struct span content)
{
    OWNED(bytes) blob = NULL;
    OWNED(bytes) encoded = NULL;
    MUST(letter_blob(content, &blob));
    header->payload_sha256 = letter_commitment(bytes_span(blob));
    header->payload_bytes = blob->size - SALT_BYTES;
    MUST(header_encode(header, &encoded));
    OWNED(bytes)
    leaf = book_sign(self->sign[signer], self->certificate[signer], encoded, signed_ms);
    struct audit_record record = {.leaf = bytes_span(leaf), .blob = bytes_span(blob)};
    if (self->mode != KEEP_FULL)
        record.blob.size = self->mode == KEEP_OFF ? 0 : SALT_BYTES;
    record.salt_only = self->mode == KEEP_METADATA;
    MUST(audit_log_append(self->log, &record, 1, self->time_ms));
    self->head = audit_log_head(self->log);
    self->time_ms += 10;
    return record.leaf_hash;
}

static inline struct sha256 forge_append(struct forge *self, enum forge_side signer,
                                         struct header *header, int64_t signed_ms)
{
    return forge_append_with(self, signer, header, signed_ms, span_of_text("content"));
}

/* What an honest server would say now: the rest of the header is the test's. */
static inline struct header forge_header(const struct forge *self, enum forge_side signer,
                                         enum header_kind kind)
{
    struct header header = {.kind = kind, .time_ms = self->time_ms, .directory_epoch = 1};
    random_fill(header.exchange_id, sizeof header.exchange_id);
    header.sender_server = span_of_text(forge_server[signer]);
    if (kind >= HEADER_STARTED) {
        header.sender = span_of_text(forge_member[signer]);
    } else {
        header.sender = span_of_text(forge_subsystem[signer]);
        header.receiver = span_of_text(forge_subsystem[1 - signer]);
        header.receiver_server = span_of_text(forge_server[1 - signer]);
        header.service = span_of_text(DANE "/DIVIPOLA/abierto");
    }
    if (signer == self->whose) {
        header.log_epoch = self->epoch;
        header.log_size = self->head.size;
        header.log_root = self->head.root;
    }
    return header;
}

static inline struct sha256 forge_own(struct forge *self, enum header_kind kind)
{
    struct header header = forge_header(self, self->whose, kind);
    return forge_append(self, self->whose, &header, header.time_ms);
}

/* A whole exchange: the provider's answer is to the caller's request. */
static inline void forge_exchange(struct forge *self)
{
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    struct sha256 asked = forge_append(self, CALLER, &request, request.time_ms);
    struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
    memcpy(response.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    response.has_reply_to = true;
    response.reply_to = asked;
    forge_append(self, PROVIDER, &response, response.time_ms);
}

/* The log's own key signs its head; bytes_free() the note. */
static inline struct bytes *forge_note(const struct forge *self, struct checkpoint *head)
{
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct bytes *note = NULL;
    struct note_key key = forge_key(self);
    *head = (struct checkpoint){.size = self->head.size, .root = self->head.root};
    strcpy(head->origin, key.name);
    size_t size = checkpoint_body(head, body, sizeof body);
    MUST(keypair_sign_message(self->log_key[self->whose], span_of(body, size), signature));
    MUST(checkpoint_note(head, &key, signature, &note));
    return note;
}

static inline void forge_checkpoint(struct forge *self)
{
    struct checkpoint head;
    OWNED(bytes) note = forge_note(self, &head);
    MUST(audit_log_keep_checkpoint(self->log, bytes_span(note)));
}

/* The authority assigns one witness, at `at_ms`; no act may be dated before the last one. */
static inline void forge_assign(struct forge *self, int64_t at_ms)
{
    OWNED(bytes) public_key = NULL;
    char vkey[400], url[] = "http://[::1]:1/w";
    if (self->witness == NULL)
        MUST(keypair_make(KEY_ED25519, &self->witness));
    MUST(keypair_public(self->witness, &public_key));
    MUST(note_key_make("witness.example/1", NOTE_WITNESS, public_key->data, &self->witness_key));
    note_key_text(&self->witness_key, vkey, sizeof vkey);
    char *vkeys[] = {vkey}, *urls[] = {url};
    self->book->time_ms = at_ms;
    BOOK_ACT(self->book, WITNESSES_SET, witnesses_set, CHASKI__WITNESSES_SET__INIT,
             it->server = book_text(forge_server[self->whose]), it->quorum = 1,
             it->n_outside_vkey = 1, it->outside_vkey = vkeys, it->n_outside_url = 1,
             it->outside_url = urls);
}

/* A head as it is now, with the witness's line, in a file of the log. */
static inline void forge_cosigned(struct forge *self, const char *name)
{
    struct checkpoint head;
    OWNED(bytes) note = forge_note(self, &head);
    char body[CHECKPOINT_BODY_ROOM + 64];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    uint64_t time_s = (uint64_t)(self->time_ms / 1000);
    size_t size = cosignature_body(&head, time_s, body, sizeof body);
    MUST(keypair_sign_message(self->witness, span_of(body, size), signature));
    struct bytes *roomy = bytes_empty(NOTE_BYTES_MAX);
    MUST(bytes_append(roomy, bytes_span(note)));
    MUST(cosignature_append(roomy, &self->witness_key, time_s, signature));
    forge_file(self, name, bytes_span(roomy));
    bytes_free(&roomy);
}

/* An authority of the country, with a key that is made for it, stamps a file of the log. */
static inline void forge_stamp(struct forge *self, const char *name, int64_t at_ms)
{
    static const struct certificate_subject subject = {.country = "CO",
                                                       .organisation = "Autoridad",
                                                       .member = "CO/AUTHORITY/TSA",
                                                       .server = "tsa"};
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(stamper) stamper = NULL;
    OWNED(bytes) asked = NULL;
    OWNED(bytes) note = NULL;
    OWNED(bytes) request = NULL;
    OWNED(bytes) response = NULL;
    OWNED(bytes) token = NULL;
    char path[400];
    uint64_t nonce;
    enum stamp_verdict verdict = STAMP_GARBAGE;
    snprintf(path, sizeof path, "%s/%s", self->folder, name);
    MUST(file_read(path, NOTE_BYTES_MAX, &note));
    struct sha256 digest = SHA256_OF(bytes_span(note));
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_request(key, &subject, &asked));
    MUST(certificate_issue_stamper(self->book->ca_key, self->book->ca, bytes_span(asked), &subject,
                                   BOOK_START_MS, BOOK_START_MS + 5 * BOOK_YEAR_MS, &certificate));
    MUST(stamper_new(key, certificate, &stamper));
    MUST(stamp_request(&digest, &request, &nonce));
    MUST(stamper_answer(stamper, bytes_span(request), at_ms, 1, &verdict, &response));
    CU_ASSERT_EQUAL_FATAL(verdict, STAMP_GRANTED);
    MUST(stamp_take(bytes_span(response), &digest, nonce, self->book->trust, &token, &at_ms));
    snprintf(path, sizeof path, "%s.tst", name);
    forge_file(self, path, bytes_span(token));
}

/* The directory of all acts so far, and the anchors. */
static inline void forge_publish(struct forge *self)
{
    char folder[300], vkey[400];
    OWNED(bytes) pem = NULL;
    book_published(self->book, 30 * BOOK_DAY_MS);
    snprintf(folder, sizeof folder, "%s/directory", self->folder);
    MUST(file_make_folders(folder, 0700));
    book_publish(self->book, folder, 0);
    MUST(certificate_pem(self->book->ca, &pem));
    forge_file(self, "anchor/trust.pem", bytes_span(pem));
    note_key_text(&self->book->log, vkey, sizeof vkey);
    forge_file(self, "anchor/directory.vkey", span_of_text(vkey));
    note_key_text(&self->origin[self->whose], vkey, sizeof vkey);
    forge_file(self, "anchor/log.vkey", span_of_text(vkey));
}

/* The file that an auditor is given who may open the payloads. */
static inline void forge_store_key(const struct forge *self, char out[300])
{
    char line[2 * KEY_WRAP_BYTES + 2];
    uint8_t key[KEY_WRAP_BYTES];
    memset(key, 2, sizeof key); /* as a_holder() has it */
    text_hex(span_of(key, sizeof key), line, sizeof line);
    strcat(line, "\n");
    snprintf(out, 300, "%s/given.key", self->folder);
    MUST(file_replace(out, span_of_text(line), 0600));
}

/* Runs verify with --json over these folders; the object, to be json_decref'd. */
static inline json_t *forge_verify_all(const struct forge *self, const char *const *folder,
                                       size_t count)
{
    char path[300], keys[300];
    struct audit_arguments arguments = {.count = count,
                                        .json = true,
                                        .store_keys = self->sealed ? 0 : 1,
                                        .store_key = {keys},
                                        .as_of = self->as_of,
                                        .directory_policy = self->policy};
    for (size_t i = 0; i < count; i++)
        arguments.positional[i] = folder[i];
    forge_store_key(self, keys);
    uint64_t findings = 0;
    snprintf(path, sizeof path, "%s/said.json", self->folder);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    fault f = verify_command(&arguments, &findings);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(file);
    MUST(f);
    json_t *said = json_load_file(path, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), (json_int_t)findings);
    return said;
}

static inline json_t *forge_verify(const struct forge *self)
{
    const char *const folders[] = {self->folder, self->other};
    return forge_verify_all(self, folders, self->other[0] == '\0' ? 1 : 2);
}

/* Findings of this rule; words: in what is said, or NULL. */
static inline size_t forge_count(const json_t *said, const char *rule, const char *words)
{
    size_t index, count = 0;
    json_t *finding;
    json_array_foreach(json_object_get(said, "findings"), index, finding)
    {
        const char *what = json_string_value(json_object_get(finding, "what"));
        count += strcmp(json_string_value(json_object_get(finding, "rule")), rule) == 0 &&
                 (words == NULL || strstr(what, words) != NULL);
    }
    return count;
}

/* Processor time of one verify of the log as it is, in ms. */
static inline int64_t forge_verify_ms(const struct forge *self)
{
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    json_decref(forge_verify(self));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

/* Tiles of the log as it is, and the head that they reach. */
static inline void forge_tiles(struct forge *self)
{
    struct merkle empty = {0};
    struct sha256 root = merkle_root(&empty);
    OWNED(tile_writer) tiles = NULL;
    struct checkpoint head;
    char path[400];
    snprintf(path, sizeof path, "%s/log/%u", self->folder, self->epoch);
    MUST(tile_writer_open(path, 0, &root, &tiles));
    for (uint64_t i = 0; i < self->head.size; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(bytes) blob = NULL;
        MUST(audit_log_read(self->log, audit_place(self->epoch, i), &leaf, &blob));
        MUST(tile_writer_add(tiles, bytes_span(leaf)));
    }
    MUST(tile_writer_flush(tiles));
    OWNED(bytes) note = forge_note(self, &head);
    snprintf(path, sizeof path, "log/%u/checkpoint", self->epoch);
    forge_file(self, path, bytes_span(note));
}

/* The log of the other side, in the same country. */
static inline void forge_turn(struct forge *self)
{
    strcat(self->folder, "2");
    MUST(file_make_folders(self->folder, 0700));
    self->whose = self->whose == CALLER ? PROVIDER : CALLER;
    forge_open(self, 1);
}

/* The log comes to its end, and the other side's is begun, in the same country; the auditor gets
 * both. */
static inline void forge_other_side(struct forge *self)
{
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    snprintf(self->other, sizeof self->other, "%s", self->folder);
    snprintf(self->folder, sizeof self->folder, "%s/audit", unit_folder());
    MUST(file_make_folders(self->folder, 0700));
    self->whose = self->whose == CALLER ? PROVIDER : CALLER;
    forge_open(self, 1);
}

/* STOPPED, checkpoint, directory; then: are there exactly `count` findings, all of this rule and,
 * if `entry` is not negative, all about this entry? */
static inline void forge_finds(struct forge *self, const char *rule, size_t count, int entry)
{
    size_t index;
    json_t *finding;
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    json_t *list = json_object_get(said, "findings");
    CU_ASSERT_EQUAL(json_array_size(list), count);
    CU_ASSERT_EQUAL(json_is_true(json_object_get(said, "clean")), count == 0);
    json_array_foreach(list, index, finding)
    {
        const char *found = json_string_value(json_object_get(finding, "rule"));
        const char *what = json_string_value(json_object_get(finding, "what"));
        if (strcmp(found, rule) != 0)
            fprintf(stderr, "  [%s] %s\n", found, what);
        CU_ASSERT_STRING_EQUAL(found, rule);
        if (entry >= 0)
            CU_ASSERT_EQUAL(json_integer_value(json_object_get(finding, "entry")), entry);
    }
    json_decref(said);
}

#endif
