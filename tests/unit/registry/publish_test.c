// SPDX-License-Identifier: MIT
#include "tests/unit/registry/authority.h"

#include "lib/bus/policy.h"

#include <unistd.h>

#define DANE "CO/GOV/899999027"

/* What a node is given: the anchor, and the folder. */
static fault load_as_a_node(const struct place *store, const char *folder,
                            const struct directory *previous, int64_t now_ms,
                            struct directory **out)
{
    OWNED(trust) trust = NULL;
    OWNED(bytes) vkey = NULL;
    struct note_key log;
    struct place file = place_in(store->at, "anchor/trust.pem");
    MUST(trust_load(file.at, &trust));
    file = place_in(store->at, "anchor/directory.vkey");
    vkey = place_read(&file);
    MUST(note_key_parse(span_of(vkey->data, vkey->size - 1), &log));
    return directory_load(folder, trust, &log, previous, NULL, now_ms, out);
}

static void test_what_is_published_is_loaded_by_a_node(void)
{
    struct place place = authority_make();
    const char *folder = unit_folder();
    OWNED(keypair) key = NULL;
    OWNED(directory) first = NULL;
    OWNED(directory) second = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(authority_run(&place, "member add " DANE " --name DANE --public"));
    MUST(authority_publish(&place, folder));
    MUST(load_as_a_node(&place, folder, NULL, clock_wall_ms(), &first));
    CU_ASSERT_EQUAL(directory_epoch(first), 3);
    MUST(authority_enrol(&place, DANE "/SS1", key, 1));
    MUST(authority_publish(&place, folder));
    MUST(load_as_a_node(&place, folder, first, clock_wall_ms(), &second));
    CU_ASSERT_EQUAL(directory_epoch(second), 5);
    CU_ASSERT(directory_server(second, span_of_text(DANE "/SS1"))->signer[0]->trusted);
    MUST_FAIL(DIRECTORY_EXPIRED,
              load_as_a_node(&place, folder, NULL, clock_wall_ms() + 31 * STORE_DAY_MS, &first));
}

static void test_a_revocation_reaches_the_node(void)
{
    struct place place = authority_make();
    const char *folder = unit_folder();
    OWNED(keypair) key = NULL;
    OWNED(directory) node = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(authority_run(&place, "member add " DANE " --name DANE --public"));
    MUST(authority_enrol(&place, DANE "/SS1", key, 1));
    MUST(authority_run(&place, "certificate revoke --server " DANE "/SS1 --reason robo"));
    MUST(authority_publish(&place, folder));
    MUST(load_as_a_node(&place, folder, NULL, clock_wall_ms(), &node));
    const struct directory_signer *signer =
        directory_server(node, span_of_text(DANE "/SS1"))->signer[0];
    CU_ASSERT(signer->revoked_since_ms > clock_wall_ms() - 60000);
    CU_ASSERT(signer->revoked_since_ms <= clock_wall_ms());
}

/* More acts than a tile holds: the partial tiles of the first publication are replaced. */
static void test_a_directory_grows_beyond_a_tile(void)
{
    struct place place = authority_make();
    const char *folder = unit_folder();
    OWNED(directory) before = NULL;
    OWNED(directory) after = NULL;
    MUST(authority_publish(&place, folder));
    MUST(load_as_a_node(&place, folder, NULL, clock_wall_ms(), &before));
    OWNED(store) store = authority_open(&place);
    for (unsigned i = 0; i < 300; i++) {
        char line[100];
        snprintf(line, sizeof line, "member add CO/MUN/%u --name 'Municipio %u' --public", i, i);
        MUST(authority_tell(store, line));
    }
    MUST(store_commit(store));
    store_free(&store);
    MUST(authority_publish(&place, folder));
    MUST(load_as_a_node(&place, folder, before, clock_wall_ms(), &after));
    CU_ASSERT_EQUAL(directory_epoch(after), 303);
    CU_ASSERT_PTR_NOT_NULL(directory_member(after, span_of_text("CO/MUN/299")));
}

static void copy(const struct place *from, const struct place *to, const char *name)
{
    struct place source = place_in(from->at, name), target = place_in(to->at, name);
    OWNED(bytes) bytes = place_read(&source);
    MUST(file_replace(target.at, bytes_span(bytes), 0600));
}

/* The store was restored from a copy made before the last publication. */
static void test_an_old_copy_of_the_store_publishes_nothing(void)
{
    struct place place = authority_make();
    struct place kept = {0};
    const char *folder = unit_folder();
    snprintf(kept.at, sizeof kept.at, "%s", unit_folder());
    copy(&place, &kept, "acts.log");
    copy(&place, &kept, "acts.head");
    MUST(authority_run(&place, "member add " DANE " --name DANE --public"));
    MUST(authority_publish(&place, folder));
    copy(&kept, &place, "acts.log");
    copy(&kept, &place, "acts.head");
    MUST_FAIL(REFUSED, authority_publish(&place, folder));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "an old copy"));
    /* gone on from the copy: as long as the other, but another history */
    for (char line[] = "member add CO/GOV/1 --name x"; line[18] <= '9'; line[18]++)
        MUST(authority_run(&place, line));
    MUST_FAIL(REFUSED, authority_publish(&place, folder));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "a fork"));
    OWNED(directory) node = NULL;
    MUST(load_as_a_node(&place, folder, NULL, clock_wall_ms(), &node)); /* untouched */
}

static void test_the_folder_of_another_directory_is_left_alone(void)
{
    struct place place = authority_make(), other = authority_make();
    const char *folder = unit_folder();
    OWNED(directory) node = NULL;
    MUST(authority_publish(&other, folder));
    MUST_FAIL(REFUSED, authority_publish(&place, folder));
    MUST(load_as_a_node(&other, folder, NULL, clock_wall_ms(), &node));
}

static void test_the_store_shows_what_it_holds(void)
{
    struct place place = authority_make();
    char *text = NULL;
    size_t size = 0;
    MUST(authority_run(&place, "member add " DANE " --name 'DANE \"el\" Dpto' --public"));
    OWNED(store) store = NULL;
    MUST(store_look(place.at, &store));
    FILE *into = open_memstream(&text, &size);
    MUST(show_tables(store, 24, into));
    MUST(show_json(store, into));
    fclose(into);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "CO/GOV/899999027  public  DANE \"el\" Dpto"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"name\": \"DANE \\\"el\\\" Dpto\""));
    free(text);
}

static void add_members(const struct place *place, int first, int count)
{
    char line[64];
    OWNED(bytes) lines = bytes_empty(4096);
    OWNED(store) store = NULL;
    OWNED(said) said = said_new();
    for (int i = first; i < first + count; i++) {
        snprintf(line, sizeof line, "member add CO/GOV/%d --name M\n", i + 1);
        MUST(bytes_append_text(lines, line));
    }
    struct place file = place_in(unit_folder(), "lines");
    MUST(file_replace(file.at, bytes_span(lines), 0644));
    MUST(store_open(place->at, &store));
    MUST(batch_run(store, file.at, said));
    MUST(store_commit(store));
}

static void test_snapshots_are_made_now_and_then_and_vouched_for(void)
{
    struct place place = authority_make();
    const char *folder = unit_folder();
    OWNED(directory) node = NULL;
    struct place settings = place_in(place.at, "settings.json");
    MUST(file_replace(settings.at, span_of_text("{\"valid_days\": 30, \"snapshot_every\": 100}"),
                      0644));
    for (int i = 0; i < 4; i++) {
        add_members(&place, 75 * i, 75);
        MUST(authority_publish(&place, folder));
    }
    struct place file = place_in(folder, "snapshot/newest");
    OWNED(bytes) newest = place_read(&file);
    CU_ASSERT(span_is_text(bytes_span(newest), "304")); /* opened, 300 members, 3 heads before */
    file = place_in(folder, "snapshot/152");
    CU_ASSERT_EQUAL(access(file.at, F_OK), 0);
    file = place_in(folder, "tile/entries/000");
    CU_ASSERT_EQUAL(unlink(file.at), 0);
    MUST(load_as_a_node(&place, folder, NULL, clock_wall_ms(), &node));
    CU_ASSERT_PTR_NOT_NULL(directory_member(node, span_of_text("CO/GOV/1")));
    CU_ASSERT_PTR_NOT_NULL(directory_member(node, span_of_text("CO/GOV/300")));
}

SUITE(publish, TEST(test_what_is_published_is_loaded_by_a_node),
      TEST(test_a_revocation_reaches_the_node),
      TEST(test_snapshots_are_made_now_and_then_and_vouched_for),
      TEST(test_a_directory_grows_beyond_a_tile),
      TEST(test_an_old_copy_of_the_store_publishes_nothing),
      TEST(test_the_folder_of_another_directory_is_left_alone),
      TEST(test_the_store_shows_what_it_holds))
