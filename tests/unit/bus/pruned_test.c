// SPDX-License-Identifier: MIT
#include "lib/bus/pruned.h"

#include "lib/base/file.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/header.h"
#include "lib/bus/letter.h"
#include "lib/bus/tile_log.h"
#include "lib/crypto/random.h"
#include "tests/unit/bus/book.h"
#include "tests/unit/bus/store_keys.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#define START_MS INT64_C(1795000000000)
#define ENTRIES 3000
#define NEVER_TOO_YOUNG INT64_MAX

// --- the file -----------------------------------------------------------------------------------

static struct pruned sample(uint64_t first)
{
    struct pruned pruned = {.first = first, .act = first + 70};
    for (uint64_t i = 0; i < first; i++) {
        struct sha256 hash = SHA256_OF(span_of(&i, sizeof i));
        merkle_append(&pruned.tree, &hash);
    }
    return pruned;
}

static void make_log_folder(const char *folder)
{
    char path[600];
    snprintf(path, sizeof path, "%s/log/1", folder);
    MUST(file_make_folders(path, 0700));
}

static void test_what_was_pruned_is_read_back(void)
{
    const char *folder = unit_folder();
    struct pruned pruned = sample(1307), back;
    make_log_folder(folder);
    MUST(pruned_write(folder, 1, &pruned));
    MUST(pruned_read(folder, 1, &back));
    CU_ASSERT_EQUAL(back.first, 1307);
    CU_ASSERT_EQUAL(back.act, 1377);
    struct sha256 one = merkle_root(&pruned.tree), other = merkle_root(&back.tree);
    CU_ASSERT(sha256_equal(&one, &other));
    MUST(pruned_read(unit_folder(), 1, &back));
    CU_ASSERT_EQUAL(back.first, 0);
}

static void test_a_file_that_is_none_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "chaski pruned v1\n",
        "chaski pruned v2\n1\n9\n",
        "chaski pruned v1\n0\n9\n",
        "chaski pruned v1\n1\n9\n",
        "chaski pruned v1\n1\n9\nAAAA\n",
        "chaski pruned v1\n2\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "chaski pruned v1\n2\n9\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nx\n"};
    const char *folder = unit_folder();
    char path[600];
    struct pruned back;
    make_log_folder(folder);
    snprintf(path, sizeof path, "%s/log/1/pruned", folder);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MUST(file_replace(path, span_of_text(bad[i]), 0600));
        MUST_FAIL(LOG_BROKEN, pruned_read(folder, 1, &back));
    }
    MUST(file_replace(path,
                      span_of_text("chaski pruned v1\n2\n9\n"
                                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
                      0600));
    MUST(pruned_read(folder, 1, &back));
}

// --- a log --------------------------------------------------------------------------------------

struct scene {
    struct book *book;
    struct keypair *sign, *log;
    struct certificate *certificate;
    struct note_key key;
    const char *folder;
    struct audit_log *audit;
    struct sha256 root; /* before anything was pruned */
};

static struct audit_log *open_log(const struct scene *self)
{
    struct audit_log_options options = {.folder = self->folder,
                                        .epoch = 1,
                                        .segment_bytes = 1 << 18,
                                        .key = &self->key,
                                        .holder = *a_holder()};
    struct audit_recovery recovery;
    struct audit_log *log = NULL;
    MUST(audit_log_open(&options, NULL, NULL, &log, &recovery));
    return log;
}

static struct bytes *leaf_of(struct scene *self, enum header_kind kind, uint64_t index)
{
    struct header header = {.kind = kind, .time_ms = START_MS + (int64_t)index};
    OWNED(bytes) encoded = NULL;
    random_fill(header.exchange_id, sizeof header.exchange_id);
    header.sender_server = span_of_text(DANE "/SS1");
    header.sender = span_of_text(kind >= HEADER_STARTED ? DANE : DANE "/DIVIPOLA");
    MUST(header_encode(&header, &encoded));
    return book_sign(self->sign, self->certificate, encoded, header.time_ms);
}

/* Signing thousands costs seconds: the same few leaves again and again, which a log does not mind.
 */
static void append_all(struct scene *self, bool with_payloads)
{
    static const uint8_t blob[SALT_BYTES + 4] = "a salt of thirty-two bytes, and";
    OWNED(bytes) started = leaf_of(self, HEADER_STARTED, 0);
    OWNED(bytes) request = leaf_of(self, HEADER_REQUEST, 1);
    struct audit_record records[250];
    for (uint64_t done = 0; done < ENTRIES;) {
        size_t count = done == 0 ? 1 : ENTRIES - done < 250 ? ENTRIES - done : 250;
        for (size_t i = 0; i < count; i++)
            records[i] =
                (struct audit_record){.leaf = bytes_span(done == 0 ? started : request),
                                      .blob = span_of(blob, with_payloads ? sizeof blob : 0)};
        MUST(audit_log_append(self->audit, records, count, START_MS));
        done += count;
    }
}

static struct bytes *note_of(struct scene *self)
{
    struct audit_head head = audit_log_head(self->audit);
    struct checkpoint checkpoint = {.size = head.size, .root = head.root};
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct bytes *note = NULL;
    memcpy(checkpoint.origin, self->key.name, sizeof checkpoint.origin);
    size_t size = checkpoint_body(&checkpoint, body, sizeof body);
    MUST(keypair_sign_message(self->log, span_of(body, size), signature));
    MUST(checkpoint_note(&checkpoint, &self->key, signature, &note));
    return note;
}

/* As the scribe does it. */
static void publish(struct scene *self)
{
    struct merkle empty = {0};
    struct sha256 root = merkle_root(&empty);
    OWNED(tile_writer) tiles = NULL;
    OWNED(bytes) note = note_of(self);
    char path[600];
    snprintf(path, sizeof path, "%s/log/1", self->folder);
    MUST(tile_writer_open(path, 0, &root, &tiles));
    for (uint64_t i = 0; i < audit_log_head(self->audit).size; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(bytes) blob = NULL;
        MUST(audit_log_read(self->audit, i, &leaf, &blob));
        MUST(tile_writer_add(tiles, bytes_span(leaf)));
    }
    MUST(tile_writer_flush(tiles));
    snprintf(path, sizeof path, "%s/log/1/checkpoint", self->folder);
    MUST(file_replace(path, bytes_span(note), 0644));
    MUST(audit_log_keep_checkpoint(self->audit, bytes_span(note)));
}

static void scene_free(struct scene **owner)
{
    struct scene *self = *owner;
    *owner = NULL;
    audit_log_free(&self->audit);
    keypair_free(&self->sign);
    keypair_free(&self->log);
    certificate_free(&self->certificate);
    book_free(&self->book);
    free(self);
}

static struct scene *scene_new(bool with_payloads)
{
    struct scene *self = owned_new(sizeof *self);
    OWNED(bytes) public_key = NULL;
    self->book = book_new();
    self->folder = unit_folder();
    self->certificate = book_issue(self->book, DANE, "SS1", &self->sign);
    MUST(keypair_make(KEY_ED25519, &self->log));
    MUST(keypair_public(self->log, &public_key));
    MUST(note_key_make("log.example/1", NOTE_LOG, public_key->data, &self->key));
    self->audit = open_log(self);
    append_all(self, with_payloads);
    publish(self);
    self->root = audit_log_head(self->audit).root;
    return self;
}

static fault plan(struct scene *self, uint64_t before, struct audit_pruning *out)
{
    *out = (struct audit_pruning){.before = before, .oldest_ms = NEVER_TOO_YOUNG};
    do
        TRY(audit_log_plan_prune(self->audit, out));
    while (out->more);
    return DONE;
}

static void carry_out(struct scene *self, struct audit_pruning *work)
{
    work->act = ENTRIES;
    do
        MUST(audit_log_prune(self->audit, work));
    while (work->more);
}

static bool is_there(const struct scene *self, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/log/1/%s", self->folder, name);
    return access(path, F_OK) == 0;
}

static void test_a_pruned_log_has_the_same_root_and_goes_on(void)
{
    OWNED(scene) self = scene_new(false);
    struct audit_pruning work;
    MUST(plan(self, 1500, &work));
    uint64_t first = work.before;
    CU_ASSERT(first > 0 && first <= 1500);
    carry_out(self, &work);
    audit_log_free(&self->audit);
    self->audit = open_log(self);
    struct sha256 root = audit_log_head(self->audit).root;
    CU_ASSERT(sha256_equal(&root, &self->root));
    CU_ASSERT_EQUAL(audit_log_first(self->audit), first);
    struct bytes *leaf = NULL, *blob = NULL;
    MUST_FAIL(NOT_FOUND, audit_log_read(self->audit, first - 1, &leaf, &blob));
    MUST(audit_log_read(self->audit, first, &leaf, &blob));
    bytes_free(&leaf);
    CU_ASSERT(!is_there(self, "wal/00000000000000000000.seg"));
    CU_ASSERT(!is_there(self, "tile/entries/000"));
    CU_ASSERT(is_there(self, "tile/0/000"));
    OWNED(bytes) next = leaf_of(self, HEADER_STOPPED, ENTRIES);
    struct audit_record record = {.leaf = bytes_span(next)};
    MUST(audit_log_append(self->audit, &record, 1, START_MS));
    CU_ASSERT_EQUAL(record.index, ENTRIES);
    /* and once more, further on */
    MUST(plan(self, 2600, &work));
    CU_ASSERT(work.before > first);
    carry_out(self, &work);
    CU_ASSERT(!is_there(self, "tile/entries/005"));
}

static void test_what_holds_payloads_or_is_young_is_not_pruned(void)
{
    OWNED(scene) held = scene_new(true);
    struct audit_pruning work;
    MUST_FAIL(REFUSED, plan(held, 1500, &work));
    OWNED(scene) bare = scene_new(false);
    work = (struct audit_pruning){.before = 1500, .oldest_ms = START_MS};
    MUST_FAIL(REFUSED, audit_log_plan_prune(bare->audit, &work));
    work = (struct audit_pruning){.before = 1500, .oldest_ms = START_MS + 1};
    MUST(audit_log_plan_prune(bare->audit, &work));
}

static void test_a_segment_is_the_least_and_the_last_one_stays(void)
{
    OWNED(scene) self = scene_new(false);
    struct audit_pruning work;
    MUST_FAIL(NOT_FOUND, plan(self, 1, &work));
    MUST(plan(self, UINT64_MAX, &work));
    CU_ASSERT(work.before < ENTRIES);
    carry_out(self, &work);
    MUST_FAIL(NOT_FOUND, plan(self, UINT64_MAX, &work));
}

static void test_tiles_that_are_not_of_the_log_prune_nothing(void)
{
    OWNED(scene) self = scene_new(false);
    struct audit_pruning work;
    char path[600];
    OWNED(bytes) tile = NULL;
    snprintf(path, sizeof path, "%s/log/1/tile/1/000.p/11", self->folder);
    MUST(file_read(path, 1 << 14, &tile));
    tile->data[40] ^= 1;
    MUST(file_replace(path, bytes_span(tile), 0644));
    MUST_FAIL(LOG_BROKEN, plan(self, 1500, &work));
    snprintf(path, sizeof path, "%s/log/1/checkpoint", self->folder);
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST_FAIL(REFUSED, plan(self, 1500, &work));
    CU_ASSERT(!is_there(self, "pruned"));
}

static fault reopen(struct scene *self)
{
    struct audit_log_options options = {.folder = self->folder,
                                        .epoch = 1,
                                        .segment_bytes = 1 << 18,
                                        .key = &self->key,
                                        .holder = *a_holder()};
    struct audit_recovery recovery;
    audit_log_free(&self->audit);
    return audit_log_open(&options, NULL, NULL, &self->audit, &recovery);
}

/* Whoever changes the file changes the root that was promised; whoever removes it has a hole. */
static void test_a_prune_that_is_not_what_was_signed_does_not_open(void)
{
    OWNED(scene) self = scene_new(false);
    struct audit_pruning work;
    struct pruned pruned;
    char path[600];
    MUST(plan(self, 1500, &work));
    carry_out(self, &work);
    MUST(pruned_read(self->folder, 1, &pruned));
    struct pruned other = pruned;
    other.tree.edge[63 - __builtin_clzll(other.first)].at[3] ^= 1;
    MUST(pruned_write(self->folder, 1, &other));
    MUST_FAIL(LOG_SHRUNK, reopen(self));
    snprintf(path, sizeof path, "%s/log/1/pruned", self->folder);
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST_FAIL(LOG_BROKEN, reopen(self));
    MUST(pruned_write(self->folder, 1, &pruned));
    MUST(reopen(self));
}

SUITE(pruned, TEST(test_what_was_pruned_is_read_back), TEST(test_a_file_that_is_none_is_refused),
      TEST(test_a_pruned_log_has_the_same_root_and_goes_on),
      TEST(test_what_holds_payloads_or_is_young_is_not_pruned),
      TEST(test_a_segment_is_the_least_and_the_last_one_stays),
      TEST(test_tiles_that_are_not_of_the_log_prune_nothing),
      TEST(test_a_prune_that_is_not_what_was_signed_does_not_open))
