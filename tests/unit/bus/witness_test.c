// SPDX-License-Identifier: MIT
/* The table of C2SP tlog-witness, row by row. */
#include "lib/bus/witness.h"

#include "tests/unit/unit.h"

#include <stdio.h>

struct log {
    struct keypair *signer;
    struct note_key key;
    struct merkle tree;
    struct sha256 leaf[64];
};

static void grow(struct log *self, uint64_t size)
{
    while (self->tree.size < size) {
        uint8_t content = (uint8_t)self->tree.size;
        self->leaf[self->tree.size] = merkle_leaf_hash(span_of(&content, 1));
        merkle_append(&self->tree, &self->leaf[self->tree.size]);
    }
}

static void begin(struct log *self, const char *origin)
{
    OWNED(bytes) public_key = NULL;
    *self = (struct log){.signer = NULL};
    MUST(keypair_make(KEY_ED25519, &self->signer));
    MUST(keypair_public(self->signer, &public_key));
    MUST(note_key_make(origin, NOTE_LOG, public_key->data, &self->key));
}

static struct checkpoint head_of(const struct log *self, uint64_t size)
{
    struct checkpoint head = {.size = size};
    struct merkle part = {0};
    for (uint64_t i = 0; i < size; i++)
        merkle_append(&part, &self->leaf[i]);
    head.root = merkle_root(&part);
    memcpy(head.origin, self->key.name, sizeof head.origin);
    return head;
}

static struct bytes *note_of(const struct log *self, const struct checkpoint *head)
{
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct bytes *note = NULL;
    size_t size = checkpoint_body(head, body, sizeof body);
    MUST(keypair_sign_message(self->signer, span_of(body, size), signature));
    MUST(checkpoint_note(head, &self->key, signature, &note));
    return note;
}

static size_t proof_of(const struct log *self, uint64_t from, uint64_t to,
                       struct sha256 out[MERKLE_PROOF_MAX])
{
    struct merkle_range ranges[MERKLE_PROOF_MAX];
    size_t length = merkle_consistency_ranges(from, to, ranges);
    for (size_t i = 0; i < length; i++) {
        struct merkle part = {0};
        for (uint64_t at = ranges[i].start; at < ranges[i].end; at++)
            merkle_append(&part, &self->leaf[at]);
        out[i] = merkle_root(&part);
    }
    return length;
}

/* Writes the request, reads it back as the witness does, and judges. */
static enum witness_status ask(const struct log *self, uint64_t old, const struct sha256 *proof,
                               size_t length, const struct checkpoint *head,
                               const struct checkpoint *kept)
{
    OWNED(bytes) note = note_of(self, head);
    OWNED(bytes) body = NULL;
    struct witness_request request;
    struct checkpoint judged;
    MUST(witness_request_write(old, proof, length, bytes_span(note), &body));
    MUST(witness_request_read(bytes_span(body), &request));
    return witness_judge(&request, kept, &self->key, &judged);
}

static void test_each_row_of_the_table(void)
{
    struct log log, other;
    struct sha256 proof[MERKLE_PROOF_MAX];
    begin(&log, "log.example/a");
    begin(&other, "log.example/a");
    grow(&log, 40);
    struct checkpoint none = {.size = 0}, seven = head_of(&log, 7), forty = head_of(&log, 40);
    CU_ASSERT_EQUAL(ask(&log, 0, NULL, 0, &seven, &none), WITNESS_COSIGN);
    CU_ASSERT_EQUAL(ask(&log, 7, NULL, 0, &seven, &none), WITNESS_OTHER_SIZE);
    CU_ASSERT_EQUAL(ask(&log, 0, NULL, 0, &seven, &seven), WITNESS_OTHER_SIZE);
    size_t length = proof_of(&log, 7, 40, proof);
    CU_ASSERT_EQUAL(ask(&log, 7, proof, length, &forty, &seven), WITNESS_COSIGN);
    CU_ASSERT_EQUAL(ask(&log, 7, NULL, 0, &seven, &seven), WITNESS_COSIGN); /* again */
    CU_ASSERT_EQUAL(ask(&log, 7, proof, length, &seven, &seven), WITNESS_INCONSISTENT);
    CU_ASSERT_EQUAL(ask(&log, 40, NULL, 0, &seven, &forty), WITNESS_MALFORMED); /* back */
    CU_ASSERT_EQUAL(ask(&log, 7, proof, length - 1, &forty, &seven), WITNESS_INCONSISTENT);
    proof[0].at[3] ^= 1;
    CU_ASSERT_EQUAL(ask(&log, 7, proof, length, &forty, &seven), WITNESS_INCONSISTENT);
    CU_ASSERT_EQUAL(ask(&log, 0, proof, 1, &forty, &none), WITNESS_INCONSISTENT);
    struct checkpoint fork = forty;
    fork.root.at[0] ^= 1;
    CU_ASSERT_EQUAL(ask(&log, 40, NULL, 0, &fork, &forty), WITNESS_INCONSISTENT);
    /* somebody else's signature under the same name */
    OWNED(bytes) note = note_of(&other, &forty);
    struct witness_request request = {.old_size = 0, .note = bytes_span(note)};
    struct checkpoint judged;
    CU_ASSERT_EQUAL(witness_judge(&request, &none, &log.key, &judged), WITNESS_NOT_SIGNED);
    CU_ASSERT_EQUAL(witness_judge(&request, &none, NULL, &judged), WITNESS_UNKNOWN_LOG);
    keypair_free(&log.signer);
    keypair_free(&other.signer);
}

static void test_bodies_that_are_none_are_refused(void)
{
    static const char *const bad[] = {"",
                                      "old",
                                      "old \n\nx",
                                      "old -1\n\nx",
                                      "old 01\n\nx",
                                      "old 1\n",
                                      "old 1\nnothash\n\nx",
                                      "new 1\n\nx",
                                      "old 99999999999999999999999\n\nx"};
    struct witness_request request;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_FRAME, witness_request_read(span_of_text(bad[i]), &request));
    OWNED(bytes) many = bytes_empty(8192);
    MUST(bytes_append_text(many, "old 1\n"));
    for (int i = 0; i < 64; i++)
        MUST(bytes_append_text(many, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
    MUST(bytes_append_text(many, "\nx"));
    MUST_FAIL(BAD_FRAME, witness_request_read(bytes_span(many), &request));
}

static struct bytes *cosignature(const struct log *witness, const struct note_key *key,
                                 const struct checkpoint *head)
{
    char body[CHECKPOINT_BODY_ROOM + 64];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct bytes *line = bytes_empty(256);
    size_t size = cosignature_body(head, 1700000000, body, sizeof body);
    MUST(keypair_sign_message(witness->signer, span_of(body, size), signature));
    MUST(cosignature_append(line, key, 1700000000, signature));
    return line;
}

static struct note_key witness_key(const struct log *self)
{
    struct note_key key;
    MUST(note_key_make(self->key.name, NOTE_WITNESS, self->key.public_key, &key));
    return key;
}

static void test_of_what_a_witness_sends_only_its_good_line_is_taken(void)
{
    struct log log, court, other;
    begin(&log, "log.example/a");
    begin(&court, "court.example/w");
    begin(&other, "court.example/w");
    grow(&log, 9);
    struct checkpoint head = head_of(&log, 9), smaller = head_of(&log, 8);
    struct note_key key = witness_key(&court), stranger = witness_key(&other);
    OWNED(bytes) note = note_of(&log, &head);
    OWNED(bytes) before = note_of(&log, &head);
    OWNED(bytes) good = cosignature(&court, &key, &head);
    OWNED(bytes) of_other = cosignature(&other, &stranger, &head);
    OWNED(bytes) of_smaller = cosignature(&court, &key, &smaller);
    OWNED(bytes) all = bytes_empty(1024);
    MUST_FAIL(SIGNATURE_BAD, witness_line_take(&note, bytes_span(of_other), &key));
    MUST_FAIL(SIGNATURE_BAD, witness_line_take(&note, bytes_span(of_smaller), &key));
    MUST_FAIL(SIGNATURE_BAD, witness_line_take(&note, span_of_text("no line\n\n"), &key));
    MUST_FAIL(SIGNATURE_BAD, witness_line_take(&note, span_of(good->data, good->size - 1), &key));
    CU_ASSERT(span_equal(bytes_span(note), bytes_span(before)));
    MUST(bytes_append(all, bytes_span(of_other)));
    MUST(bytes_append_text(all, "Everything else is left out.\n"));
    MUST(bytes_append(all, bytes_span(good)));
    MUST(witness_line_take(&note, bytes_span(all), &key));
    MUST(bytes_append(before, bytes_span(good)));
    CU_ASSERT(span_equal(bytes_span(note), bytes_span(before)));
    keypair_free(&log.signer);
    keypair_free(&court.signer);
    keypair_free(&other.signer);
}

SUITE(witness, TEST(test_each_row_of_the_table), TEST(test_bodies_that_are_none_are_refused),
      TEST(test_of_what_a_witness_sends_only_its_good_line_is_taken))
