// SPDX-License-Identifier: MIT
#include "lib/bus/directory_snapshot.h"

#include "lib/bus/directory_files.h"
#include "lib/bus/published_name.h"

#include "tests/unit/bus/book.h"

#include <unistd.h>

/* Everything that a state can hold, and things that were there once. */
static void rich_country(struct book *book)
{
    OWNED(keypair) key = NULL;
    char *topic = book_text("datos");
    book_country(book);
    OWNED(directory) before = NULL;
    MUST(book_fold(book, &before));
    OWNED(certificate) next = book_issue(book, DANE, "SS1", &key);
    const struct directory_signer *old =
        directory_server(before, span_of_text(DANE "/SS1"))->signer[0];
    struct sha256 hash = certificate_hash(old->certificate);
    book_server(book, DANE "/SS1", "tcp://[::1]:5501", 2, next); /* the old one is retired */
    BOOK_ACT(book, CERTIFICATE_REVOKED, certificate_revoked, CHASKI__CERTIFICATE_REVOKED__INIT,
             it->certificate_sha256 = (ProtobufCBinaryData){sizeof hash.at, hash.at},
             it->reason = book_text("perdida"));
    BOOK_ACT(book, LEGAL_BASIS_SET, legal_basis_set, CHASKI__LEGAL_BASIS_SET__INIT,
             it->id = book_text("L1712"), it->norm = book_text("Ley 1712 de 2014"), it->n_topic = 1,
             it->topic = &topic);
    book_group(book, "g", (const char *const[]){DANE, MEDELLIN "/TRAMITES"}, 2);
    book_competence(book, "C-2", "group:g", "tramite-licencia", book->time_ms + 2500);
    book_restriction(book, "R-2", DANE "/DIVIPOLA/municipios", "CO/COM", book->time_ms,
                     book->time_ms + 2500);
    book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", MEDELLIN, "", book->time_ms + 1500);
    book_grant(book, "G-2", DANE "/DIVIPOLA/reservado", MEDELLIN "/TRAMITES", "tramite-licencia",
               book->time_ms + BOOK_YEAR_MS);
    BOOK_ACT(book, STAMP_AUTHORITY_SET, stamp_authority_set, CHASKI__STAMP_AUTHORITY_SET__INIT,
             it->name = book_text("TSA-2"), it->url = book_text("http://tsa.example/tsr"),
             it->order = 2);
    BOOK_ACT(book, STAMP_AUTHORITY_SET, stamp_authority_set, CHASKI__STAMP_AUTHORITY_SET__INIT,
             it->name = book_text("TSA-1"), it->url = book_text("http://tsa.example/tsr"),
             it->order = 1);
    book_member(book, "CO/GOV/1", true);
    BOOK_ACT(book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_SUBSYSTEM,
             it->subsystem = book_text(FIRM "/APP"));
    BOOK_ACT(book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_SERVER, it->server = book_text(FIRM "/SS1"));
    BOOK_ACT(book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_MEMBER, it->member = book_text(FIRM));
}

static struct bytes *snapshot_of(const struct book *book, struct directory **state)
{
    struct bytes *snapshot = NULL;
    MUST(book_fold(book, state));
    MUST(directory_snapshot(*state, book->count, &snapshot));
    return snapshot;
}

static void test_a_state_comes_back_from_its_snapshot(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    rich_country(book);
    OWNED(bytes) snapshot = snapshot_of(book, &state);
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    CU_ASSERT_EQUAL(directory_epoch(again), book->count);
    const struct directory_server *server = directory_server(again, span_of_text(DANE "/SS1"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    CU_ASSERT_STRING_EQUAL(server->address[0], "tcp://[::1]:5501");
    CU_ASSERT(server->signer[0]->trusted);
    CU_ASSERT_PTR_NULL(directory_server(again, span_of_text(FIRM "/SS1")));
    const struct directory_grant *ended = directory_grant(again, span_of_text("G-1"));
    CU_ASSERT_PTR_NOT_NULL(ended); /* it stands all the same */
    CU_ASSERT_STRING_EQUAL(directory_grant(again, span_of_text("G-2"))->purpose[0],
                           "tramite-licencia");
    CU_ASSERT_EQUAL(directory_restriction(again, span_of_text("R-1"))->ground, GROUND_PRIVACY);
    CU_ASSERT_EQUAL(directory_competence(again, span_of_text("C-1"))->until_ms, INT64_MAX);
    CU_ASSERT_STRING_EQUAL(directory_group(again, span_of_text("g"))->member[0], DANE);
    CU_ASSERT_STRING_EQUAL(directory_legal_basis(again, span_of_text("L1712"))->topic[0], "datos");
    const struct directory_stamper *stamper = NULL;
    CU_ASSERT_EQUAL_FATAL(directory_stampers(again, &stamper), 2);
    CU_ASSERT_STRING_EQUAL(stamper[0].name, "TSA-1");
}

static void test_certificates_that_are_gone_are_remembered(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    rich_country(book);
    OWNED(bytes) snapshot = snapshot_of(book, &state);
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    size_t revoked = 0, ever = 0, step = 0;
    for (const struct directory_signer *at;
         (at = map_next(&again->signers_ever, &step, NULL)) != NULL; ever++)
        revoked += at->revoked_since_ms != 0;
    CU_ASSERT_EQUAL(ever, 4);
    CU_ASSERT_EQUAL(revoked, 1);
    CU_ASSERT_EQUAL(again->signers.count, 2);
}

static void test_one_state_has_one_encoding(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    rich_country(book);
    OWNED(bytes) snapshot = snapshot_of(book, &state);
    for (size_t i = 0; i < snapshot->size; i += 3) {
        OWNED(directory) again = NULL;
        OWNED(bytes) back = NULL;
        snapshot->data[i] ^= 0x21;
        fault f = directory_restore(bytes_span(snapshot), book->trust, &again);
        CU_ASSERT(!failed(f) || f.code == DIRECTORY_BAD);
        if (!failed(f)) { /* another state, and it says so */
            MUST(directory_snapshot(again, directory_epoch(again), &back));
            CU_ASSERT(span_equal(bytes_span(back), bytes_span(snapshot)));
        }
        snapshot->data[i] ^= 0x21;
    }
    MUST_FAIL(DIRECTORY_BAD, directory_restore((struct span){0}, book->trust, &state));
    MUST_FAIL(DIRECTORY_BAD,
              directory_restore(span_of(snapshot->data, snapshot->size - 1), book->trust, &state));
}

// --- folders without their beginning ------------------------------------------------------------

static void many_purposes(struct book *book, size_t until)
{
    char id[64];
    for (size_t i = 0; book->count < until; i++) {
        snprintf(id, sizeof id, "finalidad-%zu-%zu", until, i);
        book_purpose(book, id);
    }
}

static void publish_snapshot(struct book *book, const char *folder, uint64_t old_size)
{
    OWNED(directory) state = NULL;
    OWNED(bytes) snapshot = snapshot_of(book, &state);
    struct sha256 digest = SHA256_OF(bytes_span(snapshot));
    char path[512], name[64];
    snprintf(path, sizeof path, "%s/snapshot", folder);
    MUST(file_make_folders(path, 0755));
    snprintf(name, sizeof name, "snapshot/%zu", book->count);
    book_write_file(folder, name, bytes_span(snapshot));
    BOOK_ACT(book, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
             it->valid_until_ms = (uint64_t)(book->time_ms + BOOK_DAY_MS),
             it->snapshot_sha256 = (ProtobufCBinaryData){sizeof digest.at, digest.at});
    book_publish(book, folder, old_size);
}

static void drop(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CU_ASSERT_EQUAL(unlink(path), 0);
}

/* 300 acts, a snapshot, some more; the first bundle is gone. */
static const char *folder_with_snapshot(struct book *book)
{
    const char *folder = unit_folder();
    rich_country(book);
    many_purposes(book, 300);
    publish_snapshot(book, folder, 0);
    many_purposes(book, 320);
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 301);
    drop(folder, "tile/entries/000");
    return folder;
}

static void test_a_node_begins_with_a_snapshot_and_what_came_behind(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) whole = NULL;
    OWNED(bytes) one = NULL;
    OWNED(bytes) other = NULL;
    const char *folder = folder_with_snapshot(book);
    MUST(book_load(book, folder, NULL, NULL, &state));
    MUST(book_fold(book, &whole));
    CU_ASSERT_EQUAL(directory_epoch(state), book->count);
    MUST(directory_snapshot(state, book->count, &one));
    MUST(directory_snapshot(whole, book->count, &other));
    CU_ASSERT(span_equal(bytes_span(one), bytes_span(other)));
}

static void test_a_snapshot_without_its_voucher_is_nothing(void)
{
    OWNED(book) book = book_new();
    OWNED(book) stranger = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) other = NULL;
    OWNED(bytes) sound = NULL;
    char path[512];
    const char *folder = folder_with_snapshot(book);
    rich_country(stranger);
    many_purposes(stranger, 300);
    OWNED(bytes) foreign = snapshot_of(stranger, &other);
    snprintf(path, sizeof path, "%s/snapshot/300", folder);
    MUST(file_read(path, 1 << 20, &sound));
    book_write_file(folder, "snapshot/300", bytes_span(foreign));
    MUST_FAIL(DIRECTORY_BAD, book_load(book, folder, NULL, NULL, &state));
    book_write_file(folder, "snapshot/310", bytes_span(sound)); /* and under another number */
    MUST_FAIL(DIRECTORY_BAD, book_load(book, folder, NULL, NULL, &state));
    drop(folder, "snapshot/310");
    book_write_file(folder, "snapshot/300", bytes_span(sound));
    MUST(book_load(book, folder, NULL, NULL, &state));
}

static void copy(const char *from, const char *to, const char *name)
{
    char path[512], parent[512];
    OWNED(bytes) content = NULL;
    snprintf(path, sizeof path, "%s/%s", from, name);
    MUST(file_read(path, 1 << 20, &content));
    snprintf(path, sizeof path, "%s/%s", to, name);
    snprintf(parent, sizeof parent, "%s", path);
    *strrchr(parent, '/') = '\0';
    MUST(file_make_folders(parent, 0755));
    MUST(file_replace(path, bytes_span(content), 0644));
}

/* What is fetched over a network, and nothing else, leads to the state. */
static void check_files(struct book *book, const char *folder, uint64_t snapshot, size_t wanted)
{
    const char *fetched = unit_folder();
    OWNED(directory) state = NULL;
    struct directory_file file;
    uint64_t step = 0;
    size_t count = 0;
    copy(folder, fetched, "checkpoint");
    copy(folder, fetched, "authority.pem");
    while (directory_files_next(snapshot, book->count, &step, &file)) {
        copy(folder, fetched, file.name);
        CU_ASSERT_EQUAL(published_name_kind(span_of_text(file.name)),
                        count == 0 && snapshot > 0 ? PUBLISHED_SNAPSHOT : PUBLISHED_TILE);
        count++;
    }
    CU_ASSERT_EQUAL(count, wanted);
    MUST(book_load(book, fetched, NULL, NULL, &state));
    CU_ASSERT_EQUAL(directory_epoch(state), book->count);
}

static void test_the_files_that_are_named_lead_to_the_state(void)
{
    OWNED(book) book = book_new();
    const char *folder = unit_folder();
    rich_country(book);
    many_purposes(book, 300);
    publish_snapshot(book, folder, 0);
    many_purposes(book, 500);
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 301);
    check_files(book, folder, 300, 1 + 2 + 1); /* two tiles of hashes, a bundle */
    check_files(book, folder, 0, 2);
    publish_snapshot(book, folder, 501); /* of all but the last act */
    check_files(book, folder, 501, 1 + 2 + 1);
}

static void test_the_word_of_the_newest_snapshot(void)
{
    CU_ASSERT_EQUAL(directory_files_newest(span_of_text("32301")), 32301);
    CU_ASSERT_EQUAL(directory_files_newest(span_of_text("32301\n")), 32301);
    CU_ASSERT_EQUAL(directory_files_newest(span_of_text("")), 0);
    CU_ASSERT_EQUAL(directory_files_newest(span_of_text("../x")), 0);
    CU_ASSERT_EQUAL(directory_files_newest(span_of_text("99999999999")), 0);
}

static void test_a_fork_behind_a_snapshot_is_seen(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    const char *folder = folder_with_snapshot(book);
    struct merkle tree = {0};
    for (size_t i = 0; i < 40; i++) {
        struct sha256 hash = merkle_leaf_hash(book->leaves[i]);
        merkle_append(&tree, &hash);
    }
    struct checkpoint seen = {.size = 40, .root = merkle_root(&tree)};
    MUST(book_load(book, folder, NULL, &seen, &state));
    directory_release(&state);
    seen.root.at[7] ^= 1;
    MUST_FAIL(DIRECTORY_FORKED, book_load(book, folder, NULL, &seen, &state));
    seen.size = 5000;
    MUST_FAIL(DIRECTORY_OLD, book_load(book, folder, NULL, &seen, &state));
}

static void test_tiles_that_lie_about_the_edge_are_found_out(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(bytes) tile = NULL;
    char path[512];
    const char *folder = folder_with_snapshot(book);
    snprintf(path, sizeof path, "%s/tile/1/000.p/1", folder);
    MUST(file_read(path, 1 << 20, &tile));
    tile->data[10] ^= 1;
    MUST(file_replace(path, bytes_span(tile), 0644));
    MUST_FAIL(DIRECTORY_BAD, book_load(book, folder, NULL, NULL, &state));
}

// --- further ------------------------------------------------------------------------------------

static struct checkpoint head_of(struct book *book)
{
    struct merkle tree = {0};
    book_sign_all(book);
    for (size_t i = 0; i < book->count; i++) {
        struct sha256 hash = merkle_leaf_hash(book->leaves[i]);
        merkle_append(&tree, &hash);
    }
    return (struct checkpoint){.size = book->count, .root = merkle_root(&tree)};
}

static fault advance(struct book *book, struct directory *state)
{
    struct checkpoint head = head_of(book);
    return directory_advance(state, &head, book->leaves + directory_epoch(state),
                             book->count - directory_epoch(state), book->trust, book->time_ms);
}

static void test_a_state_goes_on_in_place(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) whole = NULL;
    OWNED(bytes) one = NULL;
    OWNED(bytes) other = NULL;
    const char *folder = unit_folder();
    book_country(book);
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 0);
    MUST(book_load(book, folder, NULL, NULL, &state));
    CU_ASSERT_PTR_NULL(directory_grant(state, span_of_text("G-1")));
    book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", MEDELLIN, "", book->time_ms + BOOK_YEAR_MS);
    book_published(book, BOOK_DAY_MS);
    MUST(advance(book, state));
    CU_ASSERT_PTR_NOT_NULL(directory_grant(state, span_of_text("G-1")));
    many_purposes(book, 60);
    book_published(book, BOOK_DAY_MS);
    MUST(advance(book, state));
    CU_ASSERT_EQUAL(directory_epoch(state), book->count);
    CU_ASSERT_FALSE(directory_is_spoiled(state));
    MUST(book_fold(book, &whole));
    MUST(directory_snapshot(state, book->count, &one));
    MUST(directory_snapshot(whole, book->count, &other));
    CU_ASSERT(span_equal(bytes_span(one), bytes_span(other)));
    struct sha256 root = directory_root(state), wanted = head_of(book).root;
    CU_ASSERT(sha256_equal(&root, &wanted));
}

static void test_only_what_continues_the_state_is_taken(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    const char *folder = unit_folder();
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 0);
    MUST(book_load(book, folder, NULL, NULL, &state));
    book_purpose(book, "otra");
    book_published(book, BOOK_DAY_MS);
    struct checkpoint head = head_of(book);
    MUST_FAIL(DIRECTORY_OLD,
              directory_advance(state, &head, book->leaves + 2, 1, book->trust, book->time_ms));
    head.root.at[0] ^= 1;
    MUST_FAIL(DIRECTORY_FORKED,
              directory_advance(state, &head, book->leaves + 2, 2, book->trust, book->time_ms));
    CU_ASSERT_FALSE(directory_is_spoiled(state));
    MUST(advance(book, state));
    book_purpose(book, "con blanco");
    book_published(book, BOOK_DAY_MS);
    MUST_FAIL(DIRECTORY_BAD, advance(book, state));
    CU_ASSERT(directory_is_spoiled(state));
}

SUITE(directory_snapshot, TEST(test_a_state_comes_back_from_its_snapshot),
      TEST(test_certificates_that_are_gone_are_remembered), TEST(test_one_state_has_one_encoding),
      TEST(test_a_node_begins_with_a_snapshot_and_what_came_behind),
      TEST(test_a_snapshot_without_its_voucher_is_nothing),
      TEST(test_a_fork_behind_a_snapshot_is_seen),
      TEST(test_the_files_that_are_named_lead_to_the_state),
      TEST(test_the_word_of_the_newest_snapshot),
      TEST(test_tiles_that_lie_about_the_edge_are_found_out), TEST(test_a_state_goes_on_in_place),
      TEST(test_only_what_continues_the_state_is_taken))
