// SPDX-License-Identifier: MIT
#include "registry/serve/enrolment.h"

#include "lib/base/file.h"
#include "lib/bus/directory_acts.h"
#include "tests/unit/registry/authority.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

/* By stock openssl, for the intake key below. */
#define PROVEN "tests/fuzz/corpus/enrolment/proven"

static struct keypair *intake(void)
{
    struct keypair *key = NULL;
    uint8_t raw[KEY_SEED_BYTES];
    memset(raw, 7, sizeof raw);
    MUST(keypair_from_raw(KEY_X25519, raw, &key));
    return key;
}

static struct bytes *proven_request(void)
{
    struct bytes *text = NULL;
    MUST(file_read(PROVEN, REGISTRY_ENROLMENT_BYTES_MAX, &text));
    return text;
}

static void test_a_request_that_stock_tools_made_is_proven(void)
{
    OWNED(keypair) key = intake();
    OWNED(bytes) text = proven_request();
    OWNED(enrolment) enrolment = NULL;
    MUST(enrolment_read(bytes_span(text), key, &enrolment));
    CU_ASSERT_STRING_EQUAL(enrolment->server, "CO/MUN/890905211/SS1");
    CU_ASSERT_EQUAL(enrolment->subsystems, 1);
    CU_ASSERT(enrolment->public_agency);
}

static void test_no_changed_byte_is_proven(void)
{
    OWNED(keypair) key = intake();
    OWNED(bytes) text = proven_request();
    while (text->size > 0 && text->data[text->size - 1] == '\n')
        text->size--;
    for (size_t i = 0; i < text->size; i++) {
        OWNED(enrolment) enrolment = NULL;
        text->data[i] ^= 1;
        MUST_FAIL(REFUSED, enrolment_read(bytes_span(text), key, &enrolment));
        text->data[i] ^= 1;
    }
}

static void test_no_beginning_of_it_is_a_request(void)
{
    OWNED(bytes) text = proven_request();
    while (text->size > 0 && text->data[text->size - 1] == '\n')
        text->size--;
    for (size_t size = 0; size < text->size; size++) {
        OWNED(enrolment) enrolment = NULL;
        MUST_FAIL(REFUSED, enrolment_again(span_of(text->data, size), &enrolment));
    }
}

static void test_proofs_for_another_registry_count_for_nothing(void)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) text = proven_request();
    OWNED(enrolment) enrolment = NULL;
    MUST(keypair_make(KEY_X25519, &key));
    MUST_FAIL(REFUSED, enrolment_read(bytes_span(text), key, &enrolment));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "transport"));
}

static void test_blanks_do_not_make_another_request(void)
{
    OWNED(keypair) key = intake();
    OWNED(bytes) text = proven_request();
    OWNED(enrolment) first = NULL;
    OWNED(enrolment) second = NULL;
    MUST(enrolment_read(bytes_span(text), key, &first));
    char *pretty = json_dumps(first->json, JSON_INDENT(4));
    MUST(enrolment_read(span_of_text(pretty), key, &second));
    free(pretty);
    CU_ASSERT(sha256_equal(&first->id, &second->id));
}

/* Also in what is shown and not judged. */
static void test_no_word_that_reads_as_another_comes_as_far_as_the_proofs(void)
{
    static const char *const changes[] = {
        "{\"organisation\": \"Alcald\u00eda \u202eacilb\u00fap\"}",
        "{\"self_test\": {\"version\": [\"1\u200b\"]}}", "{\"self_test\": {\"\u2066clock\": 3}}"};
    OWNED(keypair) key = intake();
    OWNED(bytes) text = proven_request();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        OWNED(enrolment) enrolment = NULL;
        json_t *request = json_loadb((const char *)text->data, text->size, 0, NULL);
        json_t *change = json_loads(changes[i], 0, NULL);
        CU_ASSERT_FATAL(request != NULL && change != NULL);
        json_object_update(request, change);
        char *changed = json_dumps(request, 0);
        MUST_FAIL(REFUSED, enrolment_read(span_of_text(changed), key, &enrolment));
        CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "not seen"));
        free(changed);
        json_decref(change);
        json_decref(request);
    }
}

/* What operators read of the proven request where a member and its server stand. */
static void expect_words(const char *member, const char *server, bool vouched, const char *warning)
{
    struct place place = authority_make();
    OWNED(keypair) key = NULL;
    OWNED(bytes) text = proven_request();
    OWNED(enrolment) enrolment = NULL;
    OWNED(store) store = NULL;
    char line[200], words[2048];
    MUST(enrolment_again(bytes_span(text), &enrolment));
    MUST(keypair_make(KEY_P256, &key));
    snprintf(line, sizeof line, "member add %s --name Uno", member);
    MUST(authority_run(&place, line));
    if (server != NULL)
        MUST(authority_enrol(&place, server, key, 7));
    store = authority_open(&place);
    enrolment_warn(enrolment, store_state(store), vouched, words, sizeof words);
    CU_ASSERT_STRING_EQUAL(words, warning);
    CU_ASSERT_EQUAL(enrolment_wants_voucher(enrolment, store_state(store)),
                    server != NULL && strncmp(server, "CO/MUN/890905211/", 17) == 0);
}

static void expect_warning(const char *member, const char *server, const char *warning)
{
    expect_words(member, server, false, warning);
}

static void test_who_would_replace_keys_is_told_of(void)
{
    expect_warning("CO/MUN/890905211", "CO/MUN/890905211/SS1",
                   "this server is registered, with other keys: approving replaces them; no server "
                   "of this member vouches for that");
    expect_words("CO/MUN/890905211", "CO/MUN/890905211/SS1", true,
                 "this server is registered, with other keys: approving replaces them");
}

static void test_another_server_of_a_member_is_told_of(void)
{
    expect_warning("CO/MUN/890905211", "CO/MUN/890905211/SS2",
                   "this member has servers, and none of them vouches for this one");
    expect_words("CO/MUN/890905211", "CO/MUN/890905211/SS2", true, "");
    expect_warning("CO/MUN/890905211", "CO/MUN/890905211/SS01",
                   "this member has servers, and none of them vouches for this one; "
                   "looks like CO/MUN/890905211/SS01");
}

static void test_a_number_with_zeros_before_it_is_told_of(void)
{
    expect_warning("CO/MUN/0890905211", NULL, "looks like CO/MUN/0890905211");
    expect_warning("CO/MUN/0890905211", "CO/MUN/0890905211/SS1", "looks like CO/MUN/0890905211");
}

static void test_the_first_server_of_a_member_is_nothing_strange(void)
{
    expect_warning("CO/MUN/890905211", NULL, "");
    expect_warning("CO/MUN/890905212", "CO/MUN/890905212/SS1", "");
}

SUITE(enrolment, TEST(test_a_request_that_stock_tools_made_is_proven),
      TEST(test_no_changed_byte_is_proven), TEST(test_no_beginning_of_it_is_a_request),
      TEST(test_proofs_for_another_registry_count_for_nothing),
      TEST(test_blanks_do_not_make_another_request),
      TEST(test_no_word_that_reads_as_another_comes_as_far_as_the_proofs),
      TEST(test_who_would_replace_keys_is_told_of),
      TEST(test_another_server_of_a_member_is_told_of),
      TEST(test_a_number_with_zeros_before_it_is_told_of),
      TEST(test_the_first_server_of_a_member_is_nothing_strange))
