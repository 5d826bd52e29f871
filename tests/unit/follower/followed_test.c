// SPDX-License-Identifier: MIT
#include "security-server/follower/followed.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/merkle.h"
#include "tests/unit/unit.h"

#include "directory.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ORIGIN "chaski/CO/directory"
#define START_MS INT64_C(1790000000000)
#define ACTS 600

/* An authority: it signs acts, heads and heartbeats. */
static struct keypair *log_signer, *acts_signer;
static struct bytes *ca_pem, *authority_pem;
static struct anchor_file anchor;
static struct bytes *act[2][ACTS]; /* two histories, the same up to FORK */
static struct span leaf[2][ACTS];
#define FORK 5
#define SNAPSHOT 520 /* acts before the one that vouches for STATE */
#define STATE "what the acts before lead to"

static struct bytes *make_leaf(const struct cades_template *template, struct span content)
{
    struct bytes *out = NULL;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 hash = SHA256_OF(content);
    struct sha256 digest = cades_signed_digest(template, &hash, START_MS);
    MUST(keypair_sign_digest(acts_signer, digest.at, signature, &size));
    MUST(cades_leaf(template, content, START_MS, span_of(signature, size), &out));
    return out;
}

static struct bytes *make_voucher(const struct cades_template *template)
{
    Chaski__Act said = CHASKI__ACT__INIT;
    Chaski__Published published = CHASKI__PUBLISHED__INIT;
    struct sha256 digest = SHA256_OF(span_of_text(STATE));
    uint8_t content[200];
    said.act_case = CHASKI__ACT__ACT_PUBLISHED;
    said.published = &published;
    published.snapshot_sha256 = (ProtobufCBinaryData){sizeof digest.at, digest.at};
    CU_ASSERT_FATAL(chaski__act__get_packed_size(&said) <= sizeof content);
    return make_leaf(template, span_of(content, chaski__act__pack(&said, content)));
}

static void make_country(void)
{
    static const struct certificate_subject root = {
        .country = "CO", .organisation = "Autoridad", .server = "root"};
    static const struct certificate_subject authority = {.country = "CO",
                                                         .organisation = "Autoridad",
                                                         .member = "CO/AUTHORITY/DIRECTORY",
                                                         .server = "acts"};
    OWNED(keypair) ca_key = NULL;
    OWNED(certificate) ca = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) request = NULL;
    OWNED(bytes) public = NULL;
    struct cades_template template;
    char content[64];
    if (ca_pem != NULL)
        return;
    MUST(keypair_make(KEY_P256, &ca_key));
    MUST(keypair_make(KEY_P256, &acts_signer));
    MUST(keypair_make(KEY_ED25519, &log_signer));
    MUST(certificate_make_ca(ca_key, &root, START_MS - 1000, START_MS + 86400000, &ca));
    MUST(keypair_request(acts_signer, &authority, &request));
    MUST(certificate_issue(ca_key, ca, bytes_span(request), &authority, START_MS - 1000,
                           START_MS + 86400000, &certificate));
    MUST(certificate_pem(ca, &ca_pem));
    MUST(certificate_pem(certificate, &authority_pem));
    MUST(keypair_public(log_signer, &public));
    MUST(note_key_make(ORIGIN, NOTE_LOG, public->data, &anchor.directory));
    MUST(anchor_file_add_pem(&anchor, bytes_span(ca_pem)));
    cades_template_make(certificate, &template);
    for (int history = 0; history < 2; history++)
        for (int i = 0; i < ACTS; i++) {
            snprintf(content, sizeof content, "act %d of %d", i, i < FORK ? 0 : history);
            act[history][i] = i == SNAPSHOT ? make_voucher(&template)
                                            : make_leaf(&template, span_of_text(content));
            leaf[history][i] = bytes_span(act[history][i]);
        }
}

static struct checkpoint head_of(int history, uint64_t size)
{
    struct checkpoint head = {.origin = ORIGIN, .size = size};
    struct merkle tree = {0};
    for (uint64_t i = 0; i < size; i++) {
        struct sha256 hash = merkle_leaf_hash(leaf[history][i]);
        merkle_append(&tree, &hash);
    }
    head.root = merkle_root(&tree);
    return head;
}

static struct bytes *note_of(int history, uint64_t size)
{
    struct checkpoint head = head_of(history, size);
    struct bytes *note = NULL;
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    size_t length = checkpoint_body(&head, body, sizeof body);
    MUST(keypair_sign_message(log_signer, span_of(body, length), signature));
    MUST(checkpoint_note(&head, &anchor.directory, signature, &note));
    return note;
}

static struct bytes *word_of(int history, uint64_t size, uint64_t time_s)
{
    struct heartbeat word = {.head = head_of(history, size), .time_s = time_s};
    struct bytes *note = NULL;
    MUST(heartbeat_make(&word, &anchor.directory, log_signer, &note));
    return note;
}

static struct followed *begin(const char *folder)
{
    struct followed *self = NULL;
    make_country();
    MUST(followed_open(folder, &anchor, &self));
    return self;
}

static fault take(struct followed *self, int history, uint64_t from, uint64_t to)
{
    OWNED(bytes) note = note_of(history, to);
    struct followed_news news = {.note = bytes_span(note),
                                 .from = from,
                                 .leaf = &leaf[history][from],
                                 .leaves = (size_t)(to - from),
                                 .pem = bytes_span(authority_pem)};
    return followed_take(self, &news);
}

/* What lies in a folder is a whole directory of this size. */
static void check_folder(const char *folder, const char *name, uint64_t size)
{
    char path[300];
    OWNED(bytes) note = NULL;
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    struct checkpoint head;
    snprintf(path, sizeof path, "%s/%s/checkpoint", folder, name);
    MUST(file_read(path, NOTE_BYTES_MAX, &note));
    MUST(checkpoint_open(bytes_span(note), &anchor.directory, &head));
    CU_ASSERT_EQUAL(head.size, size);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    MUST(tiles_read_entries(path, size, &backing, &leaves));
    struct merkle tree = {0};
    for (uint64_t i = 0; i < size; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(&tree, &hash);
    }
    struct sha256 root = merkle_root(&tree);
    CU_ASSERT(sha256_equal(&root, &head.root));
    free(leaves);
}

static void test_a_directory_grows_and_is_there_after_a_restart(void)
{
    const char *folder = unit_folder();
    OWNED(followed) self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, 0);
    MUST(take(self, 0, 0, 3));
    MUST(take(self, 0, 3, 255));
    MUST(take(self, 0, 200, 257)); /* begins before what is held */
    MUST(take(self, 0, 0, ACTS));
    MUST(take(self, 0, 0, ACTS)); /* the same again */
    check_folder(folder, "followed", ACTS);
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, ACTS);
}

static void test_what_goes_back_or_is_not_whole_is_refused(void)
{
    const char *folder = unit_folder();
    OWNED(followed) self = begin(folder);
    OWNED(bytes) note = note_of(0, 20);
    struct followed_news news = {.note = bytes_span(note),
                                 .from = 12,
                                 .leaf = &leaf[0][12],
                                 .leaves = 8,
                                 .pem = bytes_span(authority_pem)};
    MUST(take(self, 0, 0, 10));
    MUST_FAIL(DIRECTORY_OLD, take(self, 0, 0, 9));
    MUST_FAIL(INCONSISTENT, followed_take(self, &news)); /* a gap */
    news.from = 10;
    news.leaf = &leaf[0][10];
    news.leaves = 9;
    MUST_FAIL(INCONSISTENT, followed_take(self, &news)); /* too few */
    news.leaf = &leaf[1][10];
    news.leaves = 10;
    MUST_FAIL(INCONSISTENT, followed_take(self, &news)); /* others than were signed */
    news.leaf = &leaf[0][10];
    note->data[note->size - 10] ^= 1;
    CU_ASSERT(failed(followed_take(self, &news)));
    check_folder(folder, "followed", 10);
}

static void test_another_history_is_a_fork_when_all_of_it_is_shown(void)
{
    const char *folder = unit_folder();
    OWNED(followed) self = begin(folder);
    MUST(take(self, 0, 0, 10));
    MUST_FAIL(INCONSISTENT, take(self, 1, 10, 20));
    MUST_FAIL(DIRECTORY_FORKED, take(self, 1, 0, 20));
    MUST_FAIL(DIRECTORY_FORKED, take(self, 1, 0, 10));
    check_folder(folder, "followed", 10);
    OWNED(bytes) note = note_of(1, 20);
    struct followed_news news = {
        .note = bytes_span(note), .leaf = leaf[1], .leaves = 20, .pem = bytes_span(authority_pem)};
    MUST(followed_refuse(self, &news));
    check_folder(folder, "refused", 20);
}

static void test_a_certificate_that_did_not_sign_is_not_taken(void)
{
    const char *folder = unit_folder();
    OWNED(followed) self = begin(folder);
    OWNED(bytes) note = note_of(0, 10);
    struct followed_news news = {
        .note = bytes_span(note), .leaf = leaf[0], .leaves = 10, .pem = bytes_span(ca_pem)};
    MUST_FAIL(INCONSISTENT, followed_take(self, &news));
    news.pem = (struct span){0};
    MUST_FAIL(INCONSISTENT, followed_take(self, &news)); /* there is none yet */
    news.pem = bytes_span(authority_pem);
    MUST(followed_take(self, &news));
    OWNED(bytes) more = note_of(0, 12);
    news = (struct followed_news){
        .note = bytes_span(more), .from = 10, .leaf = &leaf[0][10], .leaves = 2};
    MUST(followed_take(self, &news)); /* the one that is held */
    CU_ASSERT_EQUAL(followed_head(self)->size, 12);
}

static void test_heartbeats_go_forward_only(void)
{
    const char *folder = unit_folder();
    OWNED(followed) self = begin(folder);
    OWNED(bytes) first = word_of(0, 10, 1000);
    OWNED(bytes) older = word_of(0, 10, 900);
    OWNED(bytes) ahead = word_of(0, 11, 2000);
    OWNED(bytes) back = word_of(0, 9, 2000);
    OWNED(bytes) other = word_of(1, 10, 2000);
    struct heartbeat word;
    MUST(take(self, 0, 0, 10));
    MUST(followed_take_heartbeat(self, bytes_span(first), &word));
    CU_ASSERT_EQUAL(followed_heartbeat(self)->time_s, 1000);
    MUST(followed_take_heartbeat(self, bytes_span(older), &word));
    CU_ASSERT_EQUAL(followed_heartbeat(self)->time_s, 1000);
    MUST_FAIL(NOT_FOUND, followed_take_heartbeat(self, bytes_span(ahead), &word));
    MUST_FAIL(DIRECTORY_OLD, followed_take_heartbeat(self, bytes_span(back), &word));
    MUST_FAIL(DIRECTORY_FORKED, followed_take_heartbeat(self, bytes_span(other), &word));
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_heartbeat(self)->time_s, 1000);
}

static void test_a_damaged_copy_begins_anew(void)
{
    const char *folder = unit_folder();
    char path[300];
    OWNED(followed) self = begin(folder);
    MUST(take(self, 0, 0, 10));
    snprintf(path, sizeof path, "%s/followed/tile/entries/000.p/10", folder);
    CU_ASSERT_EQUAL(truncate(path, 100), 0);
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, 0);
    MUST(take(self, 0, 0, 12));
    check_folder(folder, "followed", 12);
}

/* Only the edge of the copy is read for news; when it is not what it was, the whole heals it. */
static void test_a_copy_that_is_damaged_while_it_is_used_is_written_anew(void)
{
    const char *folder = unit_folder();
    char path[300];
    OWNED(followed) self = begin(folder);
    MUST(take(self, 0, 0, 270));
    MUST(take(self, 0, 270, 290));
    snprintf(path, sizeof path, "%s/followed/tile/0/001.p/34", folder);
    CU_ASSERT_EQUAL(truncate(path, 32), 0);
    MUST_FAIL(INCONSISTENT, take(self, 0, 290, 300));
    CU_ASSERT_EQUAL(followed_head(self)->size, 290);
    snprintf(path, sizeof path, "%s/followed/tile/entries/000", folder);
    CU_ASSERT_EQUAL(truncate(path, 32), 0);
    MUST_FAIL(INCONSISTENT, take(self, 0, 100, 300));
    MUST(take(self, 0, 0, 300));
    check_folder(folder, "followed", 300);
    MUST(take(self, 0, 300, 301));
    check_folder(folder, "followed", 301);
}

/* Files of the head before and of the one after lie beside each other: only the note decides. */
static void test_tiles_without_their_checkpoint_are_as_if_they_were_not_there(void)
{
    const char *folder = unit_folder();
    char path[300];
    OWNED(followed) self = begin(folder);
    OWNED(bytes) before = note_of(0, 250);
    MUST(take(self, 0, 0, 250));
    MUST(take(self, 0, 250, 300));
    snprintf(path, sizeof path, "%s/followed/checkpoint", folder);
    MUST(file_replace(path, bytes_span(before), 0644)); /* killed a moment earlier */
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, 250);
    MUST(take(self, 0, 250, 301));
    check_folder(folder, "followed", 301);
}

static void test_what_the_exchange_process_heard_is_taken_over(void)
{
    const char *folder = unit_folder();
    char path[300];
    OWNED(followed) self = begin(folder);
    OWNED(bytes) note = note_of(0, 40);
    MUST(take(self, 0, 0, 10));
    snprintf(path, sizeof path, "%s/directory", folder);
    MUST(file_make_folders(path, 0755));
    MUST(tiles_publish(path, leaf[0], 0, 40, bytes_span(note)));
    snprintf(path, sizeof path, "%s/directory/authority.pem", folder);
    MUST(file_replace(path, bytes_span(authority_pem), 0644));
    MUST(followed_catch_up(self));
    CU_ASSERT_EQUAL(followed_head(self)->size, 40);
    check_folder(folder, "followed", 40);
}

// --- from a snapshot on -------------------------------------------------------------------------

static struct sha256 bundle_hash(int history, uint64_t number)
{
    struct merkle tree = {0};
    for (uint64_t i = number * DIRECTORY_BUNDLE; i < (number + 1) * DIRECTORY_BUNDLE; i++) {
        struct sha256 hash = merkle_leaf_hash(leaf[history][i]);
        merkle_append(&tree, &hash);
    }
    return merkle_root(&tree);
}

static struct bytes *bundle_of(int history, uint64_t number)
{
    struct bytes *out = bytes_empty(64 * 1024);
    for (uint64_t i = number * DIRECTORY_BUNDLE; i < (number + 1) * DIRECTORY_BUNDLE; i++) {
        uint8_t size[2] = {(uint8_t)(leaf[history][i].size >> 8), (uint8_t)leaf[history][i].size};
        MUST(bytes_append(out, span_of(size, sizeof size)));
        MUST(bytes_append(out, leaf[history][i]));
    }
    return out;
}

/* Entries of `tail`, and hashes of bundles of `before`: of one history, or not. */
static fault begin_with(struct followed *self, const char *state, int before, int tail,
                        uint64_t head)
{
    OWNED(bytes) note = note_of(0, head);
    struct sha256 hash[2] = {bundle_hash(before, 0), bundle_hash(before, 1)};
    struct directory_partial with = {.snapshot = SNAPSHOT,
                                     .state = span_of_text(state),
                                     .bundle = hash,
                                     .leaf = &leaf[tail][512]};
    return followed_begin(self, bytes_span(note), bytes_span(authority_pem), &with);
}

static fault fill(struct followed *self, int history, uint64_t number)
{
    OWNED(bytes) bundle = bundle_of(history, number);
    return followed_fill(self, bytes_span(bundle));
}

static void test_a_copy_begins_with_a_snapshot_and_becomes_whole(void)
{
    const char *folder = unit_folder();
    OWNED(followed) self = begin(folder);
    MUST(begin_with(self, STATE, 0, 0, 560));
    CU_ASSERT_EQUAL(followed_begins(self), 512);
    MUST(take(self, 0, 560, 580));
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, 580);
    CU_ASSERT_EQUAL(followed_begins(self), 512);
    MUST_FAIL(INCONSISTENT, fill(self, 1, 1));
    MUST_FAIL(INCONSISTENT, fill(self, 0, 0));
    MUST(fill(self, 0, 1));
    CU_ASSERT_EQUAL(followed_begins(self), 256);
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_begins(self), 256);
    MUST(fill(self, 0, 0));
    CU_ASSERT_EQUAL(followed_begins(self), 0);
    MUST(fill(self, 0, 0)); /* nothing is missing any more */
    MUST(take(self, 0, 580, ACTS));
    check_folder(folder, "followed", ACTS);
}

static void test_a_beginning_that_was_not_signed_is_not_taken(void)
{
    const char *folder = unit_folder();
    char path[300];
    OWNED(followed) self = begin(folder);
    MUST_FAIL(INCONSISTENT, begin_with(self, STATE " and more", 0, 0, 560));
    MUST_FAIL(INCONSISTENT, begin_with(self, STATE, 1, 0, 560));
    MUST_FAIL(INCONSISTENT, begin_with(self, STATE, 0, 1, 560));
    MUST_FAIL(INCONSISTENT, begin_with(self, STATE, 0, 0, SNAPSHOT)); /* it vouches for itself */
    CU_ASSERT_EQUAL(followed_head(self)->size, 0);
    snprintf(path, sizeof path, "%s/followed/checkpoint", folder);
    CU_ASSERT(access(path, F_OK) != 0);
    MUST(take(self, 0, 0, 10));
    MUST_FAIL(INCONSISTENT, begin_with(self, STATE, 0, 0, 560)); /* something is held */
}

static void test_a_beginning_over_a_damaged_copy_leaves_nothing_of_it(void)
{
    const char *folder = unit_folder();
    char path[300];
    OWNED(followed) self = begin(folder);
    MUST(take(self, 0, 0, 540));
    snprintf(path, sizeof path, "%s/followed/tile/entries/000", folder);
    CU_ASSERT_EQUAL(truncate(path, 32), 0);
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, 0);
    MUST(begin_with(self, STATE, 0, 0, 560));
    followed_free(&self);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, 560);
    CU_ASSERT_EQUAL(followed_begins(self), 512);
}

static void test_a_fork_is_seen_by_a_copy_that_is_not_whole(void)
{
    const char *folder = unit_folder();
    OWNED(followed) self = begin(folder);
    MUST(begin_with(self, STATE, 0, 0, 560));
    MUST_FAIL(INCONSISTENT, take(self, 1, 560, 580));
    MUST_FAIL(DIRECTORY_FORKED, take(self, 1, 0, 580));
    CU_ASSERT_EQUAL(followed_head(self)->size, 560);
    MUST(take(self, 0, 0, 580)); /* all of it, which heals */
    CU_ASSERT_EQUAL(followed_begins(self), 0);
    check_folder(folder, "followed", 580);
}

static void test_a_copy_of_the_exchange_process_that_is_not_whole_is_taken_over(void)
{
    const char *folder = unit_folder();
    char path[300], other[300];
    OWNED(followed) self = begin(folder);
    MUST(begin_with(self, STATE, 0, 0, 560));
    followed_free(&self);
    snprintf(path, sizeof path, "%s/followed", folder);
    snprintf(other, sizeof other, "%s/directory", folder);
    CU_ASSERT_EQUAL(rename(path, other), 0);
    self = begin(folder);
    CU_ASSERT_EQUAL(followed_head(self)->size, 560);
    CU_ASSERT_EQUAL(followed_begins(self), 512);
}

SUITE(followed, TEST(test_a_directory_grows_and_is_there_after_a_restart),
      TEST(test_what_goes_back_or_is_not_whole_is_refused),
      TEST(test_another_history_is_a_fork_when_all_of_it_is_shown),
      TEST(test_a_certificate_that_did_not_sign_is_not_taken),
      TEST(test_heartbeats_go_forward_only), TEST(test_a_damaged_copy_begins_anew),
      TEST(test_a_copy_that_is_damaged_while_it_is_used_is_written_anew),
      TEST(test_tiles_without_their_checkpoint_are_as_if_they_were_not_there),
      TEST(test_what_the_exchange_process_heard_is_taken_over),
      TEST(test_a_copy_begins_with_a_snapshot_and_becomes_whole),
      TEST(test_a_beginning_that_was_not_signed_is_not_taken),
      TEST(test_a_beginning_over_a_damaged_copy_leaves_nothing_of_it),
      TEST(test_a_fork_is_seen_by_a_copy_that_is_not_whole),
      TEST(test_a_copy_of_the_exchange_process_that_is_not_whole_is_taken_over))
