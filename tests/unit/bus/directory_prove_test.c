// SPDX-License-Identifier: MIT
#include "lib/bus/directory_prove.h"

#include "lib/bus/directory_partial.h"
#include "lib/bus/directory_snapshot.h"

#include "tests/unit/bus/book.h"

#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT 300
#define THIEF "CO/GOV/666"

static void many_purposes(struct book *book, size_t until)
{
    char id[64];
    for (size_t i = 0; book->count < until; i++) {
        snprintf(id, sizeof id, "finalidad-%zu-%zu", until, i);
        book_purpose(book, id);
    }
}

static void take_back(struct book *book)
{
    bytes_free(&book->act[--book->count]);
    book->time_ms -= 1000;
}

/* The snapshot of these acts, or of them and one more that is in no log. */
static struct bytes *snapshot_of(struct book *book, bool lie)
{
    OWNED(directory) state = NULL;
    struct bytes *snapshot = NULL;
    if (lie)
        book_member(book, THIEF, true);
    MUST(book_fold(book, &state));
    MUST(directory_snapshot(state, book->count - lie, &snapshot));
    if (lie)
        take_back(book);
    return snapshot;
}

static void path_of(const char *folder, const char *name, char out[512])
{
    snprintf(out, 512, "%s/%s", folder, name);
}

/* The authority's act, after the acts of the snapshot. */
static void vouch(struct book *book, const char *folder, uint64_t old_size, bool lie)
{
    char path[512], name[64];
    OWNED(bytes) snapshot = snapshot_of(book, lie);
    struct sha256 digest = SHA256_OF(bytes_span(snapshot));
    path_of(folder, "snapshot", path);
    MUST(file_make_folders(path, 0755));
    snprintf(name, sizeof name, "%zu", book->count);
    book_write_file(folder, "snapshot/newest", span_of_text(name));
    snprintf(name, sizeof name, "snapshot/%zu", book->count);
    book_write_file(folder, name, bytes_span(snapshot));
    BOOK_ACT(book, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
             it->valid_until_ms = (uint64_t)(book->time_ms + BOOK_DAY_MS),
             it->snapshot_sha256 = (ProtobufCBinaryData){sizeof digest.at, digest.at});
    book_publish(book, folder, old_size);
}

static const char *folder_with(struct book *book, bool lie)
{
    const char *folder = unit_folder();
    book_country(book);
    many_purposes(book, SNAPSHOT);
    vouch(book, folder, 0, lie);
    return folder;
}

/* All steps; the first fault, and where. */
static fault prove(struct book *book, const char *folder, bool aside, uint64_t *at)
{
    OWNED(directory_prover) prover = NULL;
    fault first = DONE;
    bool done = false;
    TRY(directory_prover_new(
        &(struct directory_prove){folder, book->count, book->trust, aside, true, false}, &prover));
    for (unsigned steps = 0; !done && !failed(first); steps++) {
        CU_ASSERT_FATAL(steps < 100);
        first = directory_prover_step(prover, &done);
    }
    *at = directory_prover_at(prover);
    CU_ASSERT_EQUAL(directory_prover_held(prover, SNAPSHOT),
                    !failed(first) && directory_prover_snapshots(prover) > 0);
    return first;
}

static void test_an_honest_snapshot_holds(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, false);
    uint64_t at = 0;
    MUST(prove(book, folder, true, &at));
    CU_ASSERT_EQUAL(at, SNAPSHOT);
    many_purposes(book, 400);
    vouch(book, folder, SNAPSHOT + 1, false); /* a second one */
    MUST(prove(book, folder, true, &at));
    CU_ASSERT_EQUAL(at, 400);
}

static void test_without_a_snapshot_all_acts_are_folded(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, false);
    char path[512];
    uint64_t at = 0;
    path_of(folder, "snapshot/300", path);
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST(prove(book, folder, true, &at));
    CU_ASSERT_EQUAL(at, SNAPSHOT + 1);
}

static void test_a_snapshot_of_other_acts_is_a_lie(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, true);
    uint64_t at = 0;
    MUST_FAIL(INCONSISTENT, prove(book, folder, true, &at));
    CU_ASSERT_EQUAL(at, SNAPSHOT);
    many_purposes(book, 400);
    vouch(book, folder, SNAPSHOT + 1, false); /* an honest one does not hide it */
    MUST_FAIL(INCONSISTENT, prove(book, folder, true, &at));
    CU_ASSERT_EQUAL(at, SNAPSHOT);
}

static void test_a_lie_that_is_set_aside_stays_as_proof(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, true);
    char path[512];
    uint64_t at = 0, newest = 0;
    MUST(directory_snapshot_aside(folder, SNAPSHOT));
    MUST(directory_snapshot_aside(folder, SNAPSHOT)); /* again, after a crash */
    MUST_FAIL(NOT_FOUND, directory_partial_newest(folder, book->count, &newest));
    path_of(folder, "snapshot/newest", path);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    MUST(prove(book, folder, false, &at));                   /* the node's acts hold */
    MUST_FAIL(INCONSISTENT, prove(book, folder, true, &at)); /* and an auditor sees it */
}

/* Nobody is accused of what the authority did not vouch for. */
static void test_a_changed_or_half_file_is_no_lie(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, false);
    OWNED(bytes) sound = NULL;
    char path[512];
    uint64_t at = 0;
    path_of(folder, "snapshot/300", path);
    MUST(file_read(path, 1 << 20, &sound));
    for (size_t i = 0; i < sound->size; i += sound->size / 7) {
        sound->data[i] ^= 1;
        MUST(file_replace(path, bytes_span(sound), 0644));
        MUST_FAIL(BAD_FRAME, prove(book, folder, true, &at));
        sound->data[i] ^= 1;
    }
    MUST(file_replace(path, span_of(sound->data, sound->size / 2), 0644));
    MUST_FAIL(BAD_FRAME, prove(book, folder, true, &at));
    MUST(file_replace(path, bytes_span(sound), 0644));
    MUST(prove(book, folder, true, &at));
}

/* What hands put there costs the one who proves a look, and its owner nothing. */
static void test_what_no_act_vouches_for_is_passed_over(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, false);
    OWNED(directory_prover) prover = NULL;
    char path[512];
    bool done = false;
    for (unsigned size = 1; size < 20; size++) {
        char name[64];
        snprintf(name, sizeof name, "snapshot/%u", size);
        book_write_file(folder, name, span_of_text("rubbish"));
    }
    path_of(folder, "snapshot/20", path);
    MUST(file_make_folders(path, 0755));
    path_of(folder, "snapshot/21", path);
    CU_ASSERT_EQUAL(mkfifo(path, 0644), 0);
    path_of(folder, "snapshot/22", path);
    CU_ASSERT_EQUAL(symlink("/nowhere", path), 0);
    MUST(directory_prover_new(
        &(struct directory_prove){
            .folder = folder, .size = book->count, .trust = book->trust, .vouched_only = true},
        &prover));
    CU_ASSERT_EQUAL(directory_prover_snapshots(prover), 20);
    for (unsigned steps = 0; !done; steps++) {
        CU_ASSERT_FATAL(steps < 100);
        MUST(directory_prover_step(prover, &done));
    }
    CU_ASSERT_FALSE(directory_prover_held(prover, 1));
    CU_ASSERT(directory_prover_held(prover, SNAPSHOT));
}

static void name_operator(struct book *book, const char *id)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public = NULL;
    Chaski__Role roles[] = {CHASKI__ROLE__ENROL, CHASKI__ROLE__APPROVE, CHASKI__ROLE__PUBLISH};
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_public(key, &public));
    BOOK_ACT(book, OPERATOR_SET, operator_set, CHASKI__OPERATOR_SET__INIT, it->id = book_text(id),
             it->name = book_text("Nombre"),
             it->public_key = ((ProtobufCBinaryData){public->size, public->data}), it->n_role = 3,
             it->role = roles);
}

/* Its acts are signed, and no operator approved them. The state is made as the one who signs makes
 * it: without asking for approvals. */
static const char *folder_without_approvals(struct book *book)
{
    const char *folder = unit_folder();
    OWNED(directory) state = directory_new(book->trust);
    OWNED(bytes) snapshot = NULL;
    char path[512], name[64];
    book_country(book);
    name_operator(book, "ana");
    name_operator(book, "luis");
    book_member(book, THIEF, true);
    book_published(book, BOOK_DAY_MS);
    for (size_t i = 0; i < book->count; i++) {
        state->governed = false;
        MUST(directory_apply(state, i, bytes_span(book->act[i])));
    }
    MUST(directory_snapshot(state, book->count, &snapshot));
    struct sha256 digest = SHA256_OF(bytes_span(snapshot));
    path_of(folder, "snapshot", path);
    MUST(file_make_folders(path, 0755));
    snprintf(name, sizeof name, "snapshot/%zu", book->count);
    book_write_file(folder, name, bytes_span(snapshot));
    BOOK_ACT(book, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
             it->valid_until_ms = (uint64_t)(book->time_ms + BOOK_DAY_MS),
             it->snapshot_sha256 = (ProtobufCBinaryData){sizeof digest.at, digest.at});
    book_publish(book, folder, 0);
    return folder;
}

static void test_acts_that_no_operator_approved_do_not_hold(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_without_approvals(book);
    uint64_t at = 0;
    MUST_FAIL(DIRECTORY_BAD, prove(book, folder, true, &at));
}

/* One of its acts was signed by a server, which has a certificate of the same authority. */
static const char *folder_of_another_signer(struct book *book)
{
    const char *folder = unit_folder();
    OWNED(keypair) key = NULL;
    book_country(book);
    many_purposes(book, SNAPSHOT);
    OWNED(certificate) other = book_issue(book, DANE, "SS1", &key);
    book->leaf[200] = book_sign(key, other, book->act[200], BOOK_START_MS + INT64_C(200) * 1000);
    vouch(book, folder, 0, false);
    return folder;
}

static void test_acts_of_another_signer_do_not_hold(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_of_another_signer(book);
    uint64_t at = 0;
    MUST_FAIL(DIRECTORY_BAD, prove(book, folder, true, &at));
}

/* Used before is not verified before: that is what the mark is for. */
static void test_what_was_used_before_is_verified_anew(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    const char *folder = folder_of_another_signer(book);
    struct merkle tree = {0};
    for (size_t i = 0; i < book->count; i++) {
        struct sha256 hash = merkle_leaf_hash(book->leaves[i]);
        merkle_append(&tree, &hash);
    }
    struct checkpoint seen = {.size = book->count, .root = merkle_root(&tree)};
    MUST(book_load(book, folder, NULL, &seen, &state));
    directory_release(&state);
    MUST_FAIL(DIRECTORY_BAD, directory_load_anew(folder, book->trust, &book->log, NULL, &seen,
                                                 book->time_ms, &state));
}

static void test_what_the_disk_spoilt_accuses_nobody(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, false);
    OWNED(bytes) bundle = NULL;
    char path[512];
    uint64_t at = 0;
    path_of(folder, "tile/entries/000", path);
    MUST(file_read(path, 1 << 20, &bundle));
    bundle->data[bundle->size / 2] ^= 1;
    MUST(file_replace(path, bytes_span(bundle), 0644));
    MUST_FAIL(LOG_BROKEN, prove(book, folder, true, &at));
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST_FAIL(NOT_FOUND, prove(book, folder, true, &at));
}

static void test_a_state_knows_with_what_it_began(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) whole = NULL;
    OWNED(directory) part = NULL;
    OWNED(directory) later = NULL;
    const char *folder = folder_with(book, false);
    char path[512];
    MUST(book_load(book, folder, NULL, NULL, &whole));
    CU_ASSERT_EQUAL(directory_begun(whole), 0);
    path_of(folder, "tile/entries/000", path);
    OWNED(bytes) bundle = NULL;
    MUST(file_read(path, 1 << 20, &bundle));
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST(book_load(book, folder, NULL, NULL, &part));
    CU_ASSERT_EQUAL(directory_begun(part), SNAPSHOT);
    MUST(file_replace(path, bytes_span(bundle), 0644));
    MUST(book_load(book, folder, part, NULL, &later)); /* once more from the first act */
    CU_ASSERT_EQUAL(directory_begun(later), 0);
    directory_proved(part);
    CU_ASSERT_EQUAL(directory_begun(part), 0);
}

static void test_the_mark_comes_and_goes(void)
{
    const char *folder = unit_folder();
    CU_ASSERT_FALSE(directory_is_marked(folder));
    MUST(directory_unmark(folder));
    MUST(directory_mark(folder));
    MUST(directory_mark(folder));
    CU_ASSERT(directory_is_marked(folder));
    MUST(directory_unmark(folder));
    MUST(directory_unmark(folder));
    CU_ASSERT_FALSE(directory_is_marked(folder));
}

static void test_snapshots_without_end_are_refused(void)
{
    OWNED(book) book = book_new();
    const char *folder = folder_with(book, false);
    char name[64];
    uint64_t at = 0;
    for (unsigned i = 1; i <= 299 && i <= DIRECTORY_SNAPSHOTS_MAX; i++) {
        snprintf(name, sizeof name, "snapshot/%u", i);
        book_write_file(folder, name, span_of_text("x"));
    }
    MUST_FAIL(OVERLOADED, prove(book, folder, true, &at));
}

SUITE(directory_prove, TEST(test_an_honest_snapshot_holds),
      TEST(test_without_a_snapshot_all_acts_are_folded),
      TEST(test_a_snapshot_of_other_acts_is_a_lie),
      TEST(test_a_lie_that_is_set_aside_stays_as_proof),
      TEST(test_a_changed_or_half_file_is_no_lie),
      TEST(test_what_no_act_vouches_for_is_passed_over),
      TEST(test_acts_that_no_operator_approved_do_not_hold),
      TEST(test_what_was_used_before_is_verified_anew),
      TEST(test_acts_of_another_signer_do_not_hold), TEST(test_what_the_disk_spoilt_accuses_nobody),
      TEST(test_a_state_knows_with_what_it_began), TEST(test_the_mark_comes_and_goes),
      TEST(test_snapshots_without_end_are_refused))
