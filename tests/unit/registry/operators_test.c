// SPDX-License-Identifier: MIT
#include "registry/operator_key.h"
#include "tests/unit/registry/authority.h"

/* A key file of its own, and the word for --key. */
static struct place person_key(const char *name, char public_text[100])
{
    struct place place = place_in(unit_folder(), name);
    OWNED(keypair) key = NULL;
    OWNED(bytes) point = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_public(key, &point));
    MUST(keypair_save(key, place.at));
    text_base64(bytes_span(point), public_text, 100);
    return place;
}

static fault add_person(struct store *store, const char *id, const char *key, const char *roles)
{
    char line[600];
    snprintf(line, sizeof line, "operator add %s --name %s --key %s %s", id, id, key, roles);
    return authority_tell(store, line);
}

static void test_a_store_with_two_approvers_wants_both(void)
{
    struct place place = authority_make();
    char ana[100], blas[100];
    struct place ana_key = person_key("ana.key", ana), blas_key = person_key("blas.key", blas);
    OWNED(operator_key) ana_opened = NULL;
    OWNED(operator_key) blas_opened = NULL;
    MUST(operator_key_open(ana_key.at, NULL, &ana_opened));
    MUST(operator_key_open(blas_key.at, NULL, &blas_opened));
    OWNED(store) store = authority_open(&place);
    MUST(add_person(store, "ana", ana, "--role approve"));
    MUST(add_person(store, "blas", blas, "--role approve --role enrol"));
    MUST(store_commit(store));
    store_free(&store);
    MUST_FAIL(REFUSED, authority_run(&place, "member add CO/GOV/1 --name Uno"));
    store = authority_open(&place);
    MUST(store_approve_as(store, operator_key_pair(ana_opened)));
    MUST_FAIL(REFUSED, authority_tell(store, "member add CO/GOV/1 --name Uno"));
    store_free(&store);
    store = authority_open(&place);
    MUST(store_approve_as(store, operator_key_pair(ana_opened)));
    MUST(store_approve_as(store, operator_key_pair(blas_opened)));
    MUST(authority_tell(store, "member add CO/GOV/1 --name Uno"));
    MUST(authority_tell(store, "member add CO/GOV/2 --name Dos"));
    MUST(store_commit(store));
}

static void test_roles_are_taken_in_any_order_and_once(void)
{
    struct place place = authority_make();
    char ana[100];
    person_key("ana.key", ana);
    OWNED(store) store = authority_open(&place);
    MUST(add_person(store, "ana", ana, "--role revoke --role enrol --role revoke"));
    const struct directory_operator *person =
        directory_operator(store_state(store), span_of_text("ana"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(person);
    CU_ASSERT_EQUAL(person->roles, 1u << ROLE_ENROL | 1u << ROLE_REVOKE);
}

static void test_a_key_that_is_none_names_nobody(void)
{
    struct place place = authority_make();
    OWNED(store) store = authority_open(&place);
    MUST_FAIL(REFUSED, add_person(store, "ana", "%%%", "--role approve"));
    MUST_FAIL(REFUSED, add_person(store, "ana", "AAAA", "--role approve"));
}

static void test_a_role_that_is_none_is_refused(void)
{
    struct place place = authority_make();
    char ana[100];
    person_key("ana.key", ana);
    OWNED(store) store = authority_open(&place);
    MUST_FAIL(REFUSED, add_person(store, "ana", ana, "--role none"));
}

static void test_only_a_key_file_approves(void)
{
    struct place absent = place_in(unit_folder(), "absent.key");
    OWNED(operator_key) key = NULL;
    MUST_FAIL(BAD_KEY, operator_key_open(absent.at, NULL, &key));
    MUST_FAIL(BAD_REQUEST, operator_key_open("pkcs11:token=Sello;object=ana", NULL, &key));
    MUST_FAIL(BAD_REQUEST, operator_key_open("pkcs11:nothing", "/no/module.so", &key));
}

SUITE(operators, TEST(test_a_store_with_two_approvers_wants_both),
      TEST(test_roles_are_taken_in_any_order_and_once), TEST(test_a_key_that_is_none_names_nobody),
      TEST(test_a_role_that_is_none_is_refused), TEST(test_only_a_key_file_approves))
