// SPDX-License-Identifier: MIT
#include "tests/unit/registry/authority.h"

#include "lib/bus/limits.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/keypair.h"
#include "registry/ahead.h"

#include "directory.pb-c.h"

#include <unistd.h>

#define DANE "CO/GOV/899999027"

/* A head of `more` acts than the store has, signed with its own key. */
static struct bytes *larger_head(struct store *store, uint64_t more, struct checkpoint *head)
{
    struct bytes *note = NULL;
    *head = (struct checkpoint){.size = store_count(store) + more, .root = store_root(store)};
    snprintf(head->origin, sizeof head->origin, "%s", store_log_key(store)->name);
    MUST(store_sign_checkpoint(store, head, &note));
    return note;
}

static void show_head(struct store *store, uint64_t more)
{
    struct checkpoint head;
    OWNED(bytes) note = larger_head(store, more, &head);
    bool held = false;
    MUST(ahead_take_head(store_folder(store), store_count(store), &head, bytes_span(note), &held));
    CU_ASSERT_EQUAL(held, more > 0);
}

static enum ahead_state state_of(const struct store *store)
{
    struct ahead ahead;
    MUST(ahead_of_store(store, &ahead));
    return ahead.state;
}

static void test_a_larger_head_holds_acts_back(void)
{
    struct place place = authority_make();
    OWNED(store) store = authority_open(&place);
    show_head(store, 0);
    CU_ASSERT_EQUAL(state_of(store), AHEAD_NOT);
    show_head(store, 3);
    CU_ASSERT_EQUAL(state_of(store), AHEAD_ASKING);
    uint64_t before = store_count(store);
    MUST_FAIL(ACTS_HELD, authority_tell(store, "member add " DANE " --name DANE --public"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "ahead/asking"));
    CU_ASSERT_EQUAL(store_count(store), before);
    MUST(ahead_check(place.at)); /* it is served all the same */
    CU_ASSERT_EQUAL(state_of(store), AHEAD_ASKING);
}

static void test_a_change_of_the_key_alone_goes_through_and_ends_it(void)
{
    struct place place = authority_make();
    OWNED(store) store = authority_open(&place);
    char handover[512], line[600];
    MUST(store_make_log_key(store, handover, sizeof handover));
    store_free(&store);
    store = authority_open(&place); /* with the key that was made */
    snprintf(line, sizeof line, "log-key use %s", handover);
    show_head(store, 3);
    MUST_FAIL(ACTS_HELD, authority_tell(store, line)); /* who has the acts may show them yet */
    MUST(ahead_note_nobody(place.at));
    CU_ASSERT_EQUAL(state_of(store), AHEAD_NOBODY);
    MUST_FAIL(ACTS_HELD, authority_tell(store, "member add " DANE " --name DANE --public"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "stolen"));
    MUST(authority_tell(store, line));
    CU_ASSERT_EQUAL(state_of(store), AHEAD_NOT);
    MUST(authority_tell(store, "member add " DANE " --name DANE --public"));
    MUST(store_commit(store));
    store_free(&store);
    MUST(ahead_check(place.at));
    struct place former = place_in(place.at, "ahead.former");
    CU_ASSERT_EQUAL(access(former.at, F_OK), 0);
    store = authority_open(&place);
    CU_ASSERT_EQUAL(state_of(store), AHEAD_NOT);
}

/* What was said of one head is not said of another. */
static void test_the_verdict_is_of_one_head(void)
{
    struct place place = authority_make();
    struct place file = place_in(place.at, "ahead");
    struct checkpoint head;
    OWNED(store) store = authority_open(&place);
    show_head(store, 3);
    MUST(ahead_note_nobody(place.at));
    OWNED(bytes) other = larger_head(store, 4, &head);
    place_write(&file, bytes_span(other));
    CU_ASSERT_EQUAL(state_of(store), AHEAD_ASKING);
}

static void test_an_act_that_is_not_here_ends_it(void)
{
    struct place place = authority_make();
    OWNED(store) store = authority_open(&place);
    uint64_t own = store_count(store);
    MUST(authority_tell(store, "member add " DANE " --name DANE --public"));
    MUST(store_commit(store));
    struct span leaf = store_leaves(store)[own];
    MUST(ahead_take_act(place.at, own + 1, store_state(store), store_authority(store),
                        leaf)); /* nothing new */
    CU_ASSERT_EQUAL(state_of(store), AHEAD_NOT);

    OWNED(bytes) broken = NULL;
    MUST(bytes_copy(leaf, &broken));
    broken->data[broken->size - 1] ^= 1;
    CU_ASSERT(failed(ahead_take_act(place.at, own, store_state(store), store_authority(store),
                                    bytes_span(broken))));
    CU_ASSERT_EQUAL(state_of(store), AHEAD_NOT);

    struct place stranger = authority_make();
    OWNED(store) other = authority_open(&stranger);
    CU_ASSERT(
        failed(ahead_take_act(place.at, own, store_state(store), store_authority(other), leaf)));

    struct ahead ahead;
    MUST_FAIL(DIRECTORY_OLD,
              ahead_take_act(place.at, own, store_state(store), store_authority(store), leaf));
    MUST(ahead_read(place.at, store_log_key(store), own, &ahead));
    CU_ASSERT_EQUAL(ahead.state, AHEAD_OLD_COPY);
    CU_ASSERT_EQUAL(ahead.held_elsewhere, own + 1);
    store_free(&store);
    MUST(ahead_check(place.at)); /* the newest store has come back */
    struct place file = place_in(place.at, "ahead.act");
    CU_ASSERT_NOT_EQUAL(access(file.at, F_OK), 0);
}

/* As who has stolen the key of acts makes it. */
static struct bytes *forged_act(const struct place *place, struct store *store, uint64_t number)
{
    struct place file = place_in(place->at, "keys/acts.key");
    Chaski__Act act = CHASKI__ACT__INIT;
    OWNED(keypair) key = NULL;
    struct cades_template template;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX], packed[64];
    struct bytes *leaf = NULL;
    size_t size = 0;
    int64_t now_ms = clock_wall_ms();
    act.number = number;
    struct span content = span_of(packed, chaski__act__pack(&act, packed));
    struct sha256 hash = SHA256_OF(content);
    MUST(keypair_load(file.at, KEY_P256, &key));
    cades_template_make(store_authority(store), &template);
    struct sha256 digest = cades_signed_digest(&template, &hash, now_ms);
    MUST(keypair_sign_digest(key, digest.at, signature, &size));
    MUST(cades_leaf(&template, content, now_ms, span_of(signature, size), &leaf));
    return leaf;
}

static fault show_act(const struct place *place, struct store *store, uint64_t number)
{
    OWNED(bytes) leaf = forged_act(place, store, number);
    return ahead_take_act(place->at, store_count(store), store_state(store), store_authority(store),
                          bytes_span(leaf));
}

/* Who has the key of acts signs any number: one that the store can never reach ends nothing. */
static void test_an_act_of_a_place_out_of_reach_proves_nothing(void)
{
    struct place place = authority_make();
    OWNED(store) store = authority_open(&place);
    uint64_t own = store_count(store);
    MUST_FAIL(REFUSED, show_act(&place, store, own + REGISTRY_AHEAD_ACTS_MAX));
    MUST_FAIL(REFUSED, show_act(&place, store, UINT64_MAX));
    CU_ASSERT_EQUAL(state_of(store), AHEAD_NOT);
    MUST_FAIL(DIRECTORY_OLD, show_act(&place, store, own + REGISTRY_AHEAD_ACTS_MAX - 1));
    CU_ASSERT_EQUAL(state_of(store), AHEAD_OLD_COPY);
}

SUITE(ahead, TEST(test_a_larger_head_holds_acts_back),
      TEST(test_a_change_of_the_key_alone_goes_through_and_ends_it),
      TEST(test_the_verdict_is_of_one_head), TEST(test_an_act_that_is_not_here_ends_it),
      TEST(test_an_act_of_a_place_out_of_reach_proves_nothing))
