// SPDX-License-Identifier: MIT
#include "tools/audit/tlog_policy.h"

#include "lib/base/file.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WITNESSES 3

static struct keypair *signer[WITNESSES];
static char vkey[WITNESSES][400];
static struct note_key key[WITNESSES];

static void make_keys(void)
{
    for (size_t i = 0; i < WITNESSES; i++) {
        char name[32];
        OWNED(bytes) public_key = NULL;
        keypair_free(&signer[i]);
        MUST(keypair_make(KEY_ED25519, &signer[i]));
        MUST(keypair_public(signer[i], &public_key));
        snprintf(name, sizeof name, "wit.example/%zu", i);
        MUST(note_key_make(name, NOTE_WITNESS, public_key->data, &key[i]));
        note_key_text(&key[i], vkey[i], sizeof vkey[i]);
    }
}

static fault read_text(const char *text, struct tlog_policy **out)
{
    char path[] = "/tmp/chaski-test_policyXXXXXX";
    int file = mkstemp(path);
    CU_ASSERT_FATAL(file >= 0);
    close(file);
    MUST(file_replace(path, span_of_text(text), 0600));
    fault f = tlog_policy_read(path, out);
    unlink(path);
    return f;
}

static struct tlog_policy *policy_of(const char *end)
{
    char text[4000];
    struct tlog_policy *policy = NULL;
    snprintf(text, sizeof text, "witness a %s\n  witness\tb %s http://[::1]/\nwitness c %s\n\n%s",
             vkey[0], vkey[1], vkey[2], end);
    MUST(read_text(text, &policy));
    return policy;
}

/* With the lines of these witnesses (bits). */
static struct bytes *note_by(unsigned by)
{
    struct checkpoint head = {.origin = "directory.example", .size = 7};
    uint8_t signature[ED25519_SIGNATURE_BYTES], public_key[32] = {5};
    char body[CHECKPOINT_BODY_ROOM + 64];
    struct note_key log;
    struct bytes *note = NULL;
    memset(signature, 9, sizeof signature);
    MUST(note_key_make(head.origin, NOTE_LOG, public_key, &log));
    MUST(checkpoint_note(&head, &log, signature, &note));
    for (size_t i = 0; i < WITNESSES; i++) {
        if ((by >> i & 1) == 0)
            continue;
        size_t size = cosignature_body(&head, 1000, body, sizeof body);
        MUST(keypair_sign_message(signer[i], span_of(body, size), signature));
        MUST(cosignature_append(note, &key[i], 1000, signature));
    }
    return note;
}

static bool met(const struct tlog_policy *policy, unsigned by)
{
    OWNED(bytes) note = note_by(by);
    return tlog_policy_met(policy, bytes_span(note));
}

static void test_a_group_asks_for_its_number(void)
{
    make_keys();
    OWNED(tlog_policy) policy = policy_of("group g 2 a b c\nquorum g\n");
    CU_ASSERT_FALSE(met(policy, 0));
    CU_ASSERT_FALSE(met(policy, 4));
    CU_ASSERT(met(policy, 5));
    CU_ASSERT(met(policy, 7));
}

static void test_groups_stand_in_groups(void)
{
    make_keys();
    OWNED(tlog_policy) policy = policy_of("group g any a b\ngroup h all g c\nquorum h");
    CU_ASSERT_FALSE(met(policy, 3));
    CU_ASSERT_FALSE(met(policy, 4));
    CU_ASSERT(met(policy, 6));
}

static void test_one_witness_or_none_may_be_the_quorum(void)
{
    make_keys();
    OWNED(tlog_policy) one = policy_of("quorum b\n");
    OWNED(tlog_policy) none = policy_of("quorum none\n");
    CU_ASSERT_FALSE(met(one, 5));
    CU_ASSERT(met(one, 2));
    CU_ASSERT(met(none, 0));
}

static void test_what_is_no_policy_is_refused(void)
{
    static const char *const form[] = {
        "",
        "quorum a\n",
        "witness a %s\n",                        /* no quorum */
        "witness a %s\nquorum none\nquorum a\n", /* two */
        "witness none %s\nquorum none\n",
        "witness a %s\nwitness b %s\nquorum a\n", /* one key under two names */
        "witness a %s\ngroup a 1 a\nquorum a\n",
        "witness a %s\ngroup g 2 a\nquorum g\n",
        "witness a %s\ngroup g 0 a\nquorum g\n",
        "witness a %s\ngroup g 1 b\nquorum g\n",
        "witness a %s\ngroup g 1 a a\nquorum g\n",
        "witness a %s\ngroup g 1 a\ngroup h 1 a\nquorum g\n",
        "witness a %s\ngroup g 1\nquorum a\n",
        "witness a\nquorum none\n",
        "witness a %sx\nquorum a\n",
        "trust a\nquorum none\n",
        "log %s\n",
    };
    make_keys();
    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
        char text[2000], *at = text;
        /* every %s is the first witness's key */
        for (const char *from = form[i]; *from != '\0'; from++) {
            if (from[0] == '%') {
                at += snprintf(at, 400, "%s", vkey[0]);
                from++;
            } else {
                *at++ = *from;
            }
        }
        *at = '\0';
        struct tlog_policy *policy = NULL;
        fault f = read_text(text, &policy);
        CU_ASSERT(f.code == BAD_REQUEST || f.code == BAD_KEY);
        CU_ASSERT_PTR_NULL(policy);
        tlog_policy_free(&policy);
    }
    for (size_t i = 0; i < WITNESSES; i++)
        keypair_free(&signer[i]);
}

SUITE(tlog_policy, TEST(test_a_group_asks_for_its_number), TEST(test_groups_stand_in_groups),
      TEST(test_one_witness_or_none_may_be_the_quorum), TEST(test_what_is_no_policy_is_refused))
