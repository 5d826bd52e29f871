// SPDX-License-Identifier: MIT
#include "registry/serve/vouching.h"

#include "lib/bus/voucher.h"
#include "tests/unit/registry/authority.h"

#define SERVERS (ENROLMENT_VOUCHERS_MAX + 2)

/* A member with many servers, another one with one, and a request of the first. */
struct town {
    struct place place;
    struct store *store;
    struct keypair *key[SERVERS], *stranger;
    struct request request;
    int64_t now_ms;
};

static const char *server(size_t i)
{
    static char id[40];
    snprintf(id, sizeof id, "CO/MUN/1/SS%zu", i);
    return id;
}

static struct town town_make(void)
{
    struct town self = {.place = authority_make()};
    MUST(authority_run(&self.place, "member add CO/MUN/1 --name Uno"));
    MUST(authority_run(&self.place, "member add CO/MUN/2 --name Dos"));
    for (size_t i = 0; i < SERVERS; i++) {
        MUST(keypair_make(KEY_P256, &self.key[i]));
        MUST(authority_enrol(&self.place, server(i), self.key[i], (uint8_t)(20 + i)));
    }
    MUST(keypair_make(KEY_P256, &self.stranger));
    MUST(authority_enrol(&self.place, "CO/MUN/2/SS1", self.stranger, 50));
    self.store = authority_open(&self.place);
    memset(self.request.id, 'a', REQUEST_ID_DIGITS);
    self.request.server = owned_text("CO/MUN/1/SSX");
    self.now_ms = clock_wall_ms();
    return self;
}

static void town_clear(struct town *self)
{
    for (size_t i = 0; i < SERVERS; i++)
        keypair_free(&self->key[i]);
    keypair_free(&self->stranger);
    for (size_t i = 0; i < self->request.vouchers; i++)
        free(self->request.voucher[i].server);
    free(self->request.server);
    store_free(&self->store);
}

static fault take(struct town *self, const char *id, struct keypair *key, bool *fresh)
{
    struct request_voucher before = {0};
    struct sha256 request;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    memset(request.at, 0xaa, sizeof request.at);
    struct sha256 digest = voucher_digest("CO", id, &request);
    MUST(keypair_sign_digest(key, digest.at, signature, &size));
    fault f = vouching_take(&self->request, store_state(self->store), id, span_of(signature, size),
                            self->now_ms, &before, fresh);
    free(before.server);
    return f;
}

static void revoke(struct town *self, size_t i)
{
    char line[100];
    store_free(&self->store);
    snprintf(line, sizeof line, "certificate revoke --server %s --reason Robada", server(i));
    MUST(authority_run(&self->place, line));
    self->store = authority_open(&self->place);
}

static size_t count(const struct town *self)
{
    return vouching_count(&self->request, store_state(self->store), self->now_ms);
}

static void test_so_many_vouch_and_no_more_each_once(void)
{
    struct town town = town_make();
    bool fresh = false;
    for (size_t i = 0; i < ENROLMENT_VOUCHERS_MAX; i++) {
        MUST(take(&town, server(i), town.key[i], &fresh));
        CU_ASSERT(fresh);
    }
    MUST(take(&town, server(1), town.key[1], &fresh));
    CU_ASSERT(!fresh);
    MUST_FAIL(REFUSED, take(&town, server(4), town.key[4], &fresh));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "vouch for this request already"));
    CU_ASSERT_EQUAL(count(&town), ENROLMENT_VOUCHERS_MAX);
    revoke(&town, 2);
    CU_ASSERT_EQUAL(count(&town), ENROLMENT_VOUCHERS_MAX - 1);
    MUST(take(&town, server(4), town.key[4], &fresh)); /* in the place of the dead one */
    CU_ASSERT_EQUAL(town.request.vouchers, ENROLMENT_VOUCHERS_MAX);
    CU_ASSERT_EQUAL(count(&town), ENROLMENT_VOUCHERS_MAX);
    MUST_FAIL(REFUSED, take(&town, server(5), town.key[5], &fresh));
    town_clear(&town);
}

static void test_strangers_and_dead_keys_count_for_nothing(void)
{
    struct town town = town_make();
    bool fresh = false;
    MUST_FAIL(REFUSED, take(&town, "CO/MUN/2/SS1", town.stranger, &fresh));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "not a server of the member"));
    MUST_FAIL(REFUSED, take(&town, server(0), town.stranger, &fresh));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "not signed over this request"));
    MUST_FAIL(REFUSED, take(&town, "CO/MUN/1/SS99", town.key[0], &fresh));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "does not stand in the directory"));
    revoke(&town, 0);
    MUST_FAIL(REFUSED, take(&town, server(0), town.key[0], &fresh));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "was revoked"));
    CU_ASSERT_EQUAL(town.request.vouchers, 0);
    MUST(take(&town, server(1), town.key[1], &fresh));
    town.now_ms += INT64_C(20) * 365 * 86400000; /* a certificate ends */
    CU_ASSERT_EQUAL(count(&town), 0);
    MUST_FAIL(REFUSED, take(&town, server(1), town.key[1], &fresh));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "not in force"));
    town_clear(&town);
}

static void test_what_could_not_be_kept_is_as_before(void)
{
    struct town town = town_make();
    struct request_voucher none = {0};
    bool fresh = false;
    MUST(take(&town, server(0), town.key[0], &fresh));
    MUST(take(&town, server(1), town.key[1], &fresh));
    vouching_undo(&town.request, server(1), &none);
    CU_ASSERT_EQUAL(town.request.vouchers, 1);
    CU_ASSERT_STRING_EQUAL(town.request.voucher[0].server, "CO/MUN/1/SS0");
    MUST(take(&town, server(1), town.key[1], &fresh));
    CU_ASSERT(fresh);
    town_clear(&town);
}

SUITE(vouching, TEST(test_so_many_vouch_and_no_more_each_once),
      TEST(test_strangers_and_dead_keys_count_for_nothing),
      TEST(test_what_could_not_be_kept_is_as_before))
