// SPDX-License-Identifier: MIT
#include "tests/unit/tools/forge.h"

#define LIMIT_MS WITNESS_ALARM_MS_DEFAULT
#define RULE "directory cosignature"
#define WITNESS DANE "/W1"

/* A witness of the directory, and what an auditor knows of it. */
struct eye {
    struct keypair *key;
    struct note_key public_key;
};

static struct eye eye_new(void)
{
    struct eye eye = {.key = NULL};
    OWNED(bytes) public_key = NULL;
    MUST(keypair_make(KEY_ED25519, &eye.key));
    MUST(keypair_public(eye.key, &public_key));
    MUST(note_key_make("wit.example/1", NOTE_WITNESS, public_key->data, &eye.public_key));
    return eye;
}

/* A server with that witness key, and nothing else that matters. */
static void add_server(struct book *book, const struct eye *eye)
{
    uint8_t seed[32], log[32];
    char log_vkey[400], vkey[400];
    struct note_key log_key;
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = book_issue(book, DANE, "W1", &key);
    memset(seed, 40, sizeof seed);
    memset(log, 60, sizeof log);
    MUST(note_key_make("log.example/w1/1", NOTE_LOG, log, &log_key));
    note_key_text(&log_key, log_vkey, sizeof log_vkey);
    note_key_text(&eye->public_key, vkey, sizeof vkey);
    struct span der = certificate_der(certificate);
    ProtobufCBinaryData certificates[] = {{der.size, (uint8_t *)(uintptr_t)der.at}};
    ProtobufCBinaryData seeds[] = {{sizeof seed, seed}};
    char *addresses[] = {book_text("tcp://[::1]:5600")};
    BOOK_ACT(book, SERVER_SET, server_set, CHASKI__SERVER_SET__INIT, it->id = book_text(WITNESS),
             it->n_address = 1, it->address = addresses, it->transport_key = seeds[0],
             it->n_seal_key = 1, it->seal_key = seeds, it->log_vkey = log_vkey,
             it->n_certificate = 1, it->certificate = certificates, it->witness_vkey = vkey);
}

static void assign(struct book *book)
{
    char *servers[] = {book_text(WITNESS)};
    BOOK_ACT(book, DIRECTORY_WITNESSES_SET, directory_witnesses_set,
             CHASKI__DIRECTORY_WITNESSES_SET__INIT, it->n_server = 1, it->server = servers,
             it->quorum = 1);
}

/* A log that began an hour after the directory's witness was assigned. */
static struct forge *witnessed(const struct eye *eye)
{
    struct forge *self = forge_new(PROVIDER);
    self->book->time_ms = self->time_ms - 60 * FORGE_MINUTE_MS;
    add_server(self->book, eye);
    assign(self->book);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    return self;
}

/* The directory's head with the witness's line, in a file beside it. */
static void cosign(const struct forge *self, const struct eye *eye, const char *name)
{
    char path[400], body[CHECKPOINT_BODY_ROOM + 64];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct checkpoint head;
    OWNED(bytes) note = NULL;
    OWNED(bytes) roomy = bytes_empty(NOTE_BYTES_MAX);
    uint64_t time_s = (uint64_t)(self->time_ms / 1000);
    snprintf(path, sizeof path, "%s/directory/checkpoint", self->folder);
    MUST(file_read(path, NOTE_BYTES_MAX, &note));
    MUST(checkpoint_open(bytes_span(note), &self->book->log, &head));
    size_t size = cosignature_body(&head, time_s, body, sizeof body);
    MUST(keypair_sign_message(eye->key, span_of(body, size), signature));
    MUST(bytes_append(roomy, bytes_span(note)));
    MUST(cosignature_append(roomy, &eye->public_key, time_s, signature));
    snprintf(path, sizeof path, "directory/%s", name);
    forge_file(self, path, bytes_span(roomy));
}

static size_t remarks_with(json_t *said, const char *words)
{
    size_t index, count = 0;
    json_t *remark;
    json_array_foreach(json_object_get(said, "remarks"), index, remark) count +=
        strstr(json_string_value(json_object_get(remark, "what")), words) != NULL;
    return count;
}

static json_int_t confirmed(json_t *said)
{
    json_t *anchors = json_array_get(json_object_get(said, "anchors"), 0);
    return json_integer_value(json_object_get(anchors, "directory_confirmed"));
}

/* So many findings, all of this rule, and so many remarks about acts that wait. */
static void says(struct forge *self, size_t findings, size_t waiting, size_t acts)
{
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, RULE, NULL), findings);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "findings")), findings);
    CU_ASSERT_EQUAL(remarks_with(said, "acts of its directory are not confirmed"), waiting);
    CU_ASSERT_EQUAL(confirmed(said), (json_int_t)acts);
    json_decref(said);
}

static void test_a_quorum_under_the_newest_head_confirms_all(void)
{
    struct eye eye = eye_new();
    OWNED(forge) self = witnessed(&eye);
    forge_checkpoint(self);
    forge_publish(self);
    cosign(self, &eye, "checkpoint");
    says(self, 0, 0, self->book->count);
    keypair_free(&eye.key);
}

/* However short the log is. */
static void test_a_directory_that_no_witness_signed_is_found(void)
{
    struct eye eye = eye_new();
    OWNED(forge) self = witnessed(&eye);
    forge_checkpoint(self);
    forge_publish(self);
    says(self, 1, 0, 0);
    keypair_free(&eye.key);
}

static void test_another_key_under_the_witnesss_name_counts_for_nothing(void)
{
    struct eye eye = eye_new(), other = eye_new();
    OWNED(forge) self = witnessed(&eye);
    forge_checkpoint(self);
    forge_publish(self);
    cosign(self, &other, "checkpoint");
    says(self, 1, 0, 0);
    keypair_free(&eye.key);
    keypair_free(&other.key);
}

/* The act that came last has no cosignatures yet; the note before it has. */
static struct forge *grown(const struct eye *eye, int64_t ran_on_ms)
{
    struct forge *self = witnessed(eye);
    forge_publish(self);
    cosign(self, eye, "cosigned");
    self->book->time_ms = self->time_ms;
    book_purpose(self->book, "censo");
    forge_publish(self);
    self->time_ms += ran_on_ms;
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    return self;
}

static void test_acts_of_the_last_minutes_wait(void)
{
    struct eye eye = eye_new();
    OWNED(forge) self = grown(&eye, LIMIT_MS - FORGE_MINUTE_MS);
    says(self, 0, 1, self->book->count - 2);
    keypair_free(&eye.key);
}

static void test_acts_that_a_node_went_by_for_long_are_found(void)
{
    struct eye eye = eye_new();
    OWNED(forge) self = grown(&eye, LIMIT_MS + FORGE_MINUTE_MS);
    says(self, 1, 0, self->book->count - 2);
    keypair_free(&eye.key);
}

static void test_a_kept_note_of_another_history_is_found(void)
{
    struct eye eye = eye_new();
    OWNED(forge) self = witnessed(&eye);
    forge_checkpoint(self);
    forge_publish(self);
    cosign(self, &eye, "cosigned");
    /* the same authority, another last act */
    bytes_free(&self->book->act[--self->book->count]);
    bytes_free(&self->book->leaf[self->book->count]);
    book_published(self->book, 40 * BOOK_DAY_MS);
    forge_publish(self);
    cosign(self, &eye, "checkpoint");
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "directories", "is not the beginning of the directory"), 1);
    json_decref(said);
    keypair_free(&eye.key);
}

static void write_policy(struct forge *self, const struct eye *eye, char path[300])
{
    char vkey[400], text[800];
    note_key_text(&eye->public_key, vkey, sizeof vkey);
    snprintf(text, sizeof text, "# of the auditor\nwitness w %s\ngroup g 1 w\nquorum g\n", vkey);
    snprintf(path, 300, "%s/policy", self->folder);
    MUST(file_replace(path, span_of_text(text), 0600));
    self->policy = path;
}

/* Whoever has the authority's keys makes a country for one auditor, witness and all. By itself the
 * folder is in order; the auditor's own policy tells. */
static void test_a_fork_with_witnesses_of_its_own_falls_by_the_auditors_policy(void)
{
    char path[300];
    struct eye invented = eye_new(), known = eye_new();
    OWNED(forge) self = witnessed(&invented);
    forge_checkpoint(self);
    forge_publish(self);
    cosign(self, &invented, "checkpoint");
    says(self, 0, 0, self->book->count);
    write_policy(self, &known, path);
    says(self, 1, 0, 0);
    cosign(self, &known, "checkpoint");
    says(self, 0, 0, self->book->count);
    keypair_free(&invented.key);
    keypair_free(&known.key);
}

static void test_without_an_assignment_there_is_a_remark(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, RULE, NULL), 0);
    CU_ASSERT_EQUAL(remarks_with(said, "names no witnesses of its own"), 1);
    json_decref(said);
}

SUITE(verify_directory, TEST(test_a_quorum_under_the_newest_head_confirms_all),
      TEST(test_a_directory_that_no_witness_signed_is_found),
      TEST(test_another_key_under_the_witnesss_name_counts_for_nothing),
      TEST(test_acts_of_the_last_minutes_wait),
      TEST(test_acts_that_a_node_went_by_for_long_are_found),
      TEST(test_a_kept_note_of_another_history_is_found),
      TEST(test_a_fork_with_witnesses_of_its_own_falls_by_the_auditors_policy),
      TEST(test_without_an_assignment_there_is_a_remark))
