// SPDX-License-Identifier: MIT
#include "lib/crypto/batch.h"

#include "lib/base/cursor.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/merkle.h"
#include "tests/unit/crypto/fixture.h"

#define TIME_MS (FIXTURE_START_MS + INT64_C(86400999))

/* Contents signed together. */
struct signed_batch {
    struct country *country;
    struct cades_template template;
    struct batch_tree tree;
    char content[BATCH_MAX][32];
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t signature_size;
};

static struct span content_of(const struct signed_batch *self, size_t index)
{
    return span_of_text(self->content[index]);
}

static void sign_batch(struct country *country, size_t count, struct signed_batch *out)
{
    struct sha256 leaf[BATCH_MAX];
    struct batch_head head;
    out->country = country;
    cades_template_make(country->member, &out->template);
    for (size_t i = 0; i < count; i++) {
        text_format(out->content[i], sizeof out->content[i], "header number %zu", i);
        leaf[i] = merkle_leaf_hash(content_of(out, i));
    }
    batch_make(&out->tree, leaf, count);
    batch_make_head(&out->tree, &head);
    struct sha256 hash = SHA256_OF(batch_head_span(&head));
    struct sha256 digest = cades_signed_digest(&out->template, &hash, TIME_MS);
    MUST(keypair_sign_digest(country->key, digest.at, out->signature, &out->signature_size));
}

static struct cades_proof proof_of(const struct signed_batch *self, size_t index,
                                   uint8_t place[BATCH_PLACE_BYTES_MAX])
{
    size_t size = batch_place(&self->tree, index, place);
    return (struct cades_proof){span_of(self->signature, self->signature_size),
                                span_of(place, size)};
}

static struct bytes *leaf_of(const struct signed_batch *self, size_t index)
{
    uint8_t place[BATCH_PLACE_BYTES_MAX];
    struct bytes *leaf = NULL;
    MUST(cades_leaf_of(&self->template, content_of(self, index), TIME_MS,
                       proof_of(self, index, place), &leaf));
    return leaf;
}

static void test_every_place_in_every_size_leads_to_the_root_of_rfc_6962(void)
{
    OWNED(country) country = fixture_country();
    struct signed_batch made = {0};
    for (size_t count = 2; count <= BATCH_MAX; count++) {
        struct merkle tree = {0};
        struct batch_head head, found;
        char base64[48], text[80];
        sign_batch(country, count, &made);
        for (size_t i = 0; i < count; i++) {
            struct sha256 leaf = merkle_leaf_hash(content_of(&made, i));
            merkle_append(&tree, &leaf);
        }
        struct sha256 root = merkle_root(&tree);
        text_base64(sha256_span(&root), base64, sizeof base64);
        text_format(text, sizeof text, "chaski batch v1\n%zu\n%s\n", count, base64);
        batch_make_head(&made.tree, &head);
        CU_ASSERT(span_is_text(batch_head_span(&head), text));
        for (size_t i = 0; i < count; i++) {
            uint8_t place[BATCH_PLACE_BYTES_MAX];
            size_t size = batch_place(&made.tree, i, place);
            MUST(batch_head_of(content_of(&made, i), span_of(place, size), &found));
            CU_ASSERT(span_equal(batch_head_span(&found), batch_head_span(&head)));
        }
    }
}

static void test_a_leaf_of_a_batch_is_parsed_back_and_verified(void)
{
    OWNED(country) country = fixture_country();
    struct signed_batch made = {0};
    static const size_t counts[] = {2, 3, 7, 33, BATCH_MAX};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        sign_batch(country, counts[c], &made);
        for (size_t i = 0; i < counts[c]; i++) {
            OWNED(bytes) leaf = leaf_of(&made, i);
            struct cades_parts parts;
            struct span content;
            MUST(cades_verify_leaf(country->member, bytes_span(leaf), &parts));
            CU_ASSERT(span_equal(parts.content, content_of(&made, i)));
            CU_ASSERT(batch_is_head(parts.head));
            CU_ASSERT_EQUAL(parts.time_ms, TIME_MS / 1000 * 1000);
            MUST(cades_content(bytes_span(leaf), &content));
            CU_ASSERT(content.at == parts.content.at && content.size == parts.content.size);
        }
    }
}

static void test_stock_openssl_verifies_a_leaf_of_a_batch(void)
{
    const char *folder = unit_folder();
    OWNED(country) country = fixture_country();
    struct signed_batch made = {0};
    struct batch_head head;
    char at[32];
    sign_batch(country, 5, &made);
    batch_make_head(&made.tree, &head);
    OWNED(bytes) leaf = leaf_of(&made, 3);
    struct fixture_path leaf_path = fixture_write(folder, "leaf.p7m", bytes_span(leaf));
    struct fixture_path cert = fixture_write_pem(folder, "cert.pem", country->member);
    struct fixture_path trust = fixture_write_pem(folder, "trust.pem", country->ca);
    struct fixture_path out = fixture_path(folder, "head.out");
    CU_ASSERT(text_format(at, sizeof at, "%lld", (long long)(TIME_MS / 1000)));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in",
                                    leaf_path.at, "-certfile", cert.at, "-CAfile", trust.at,
                                    "-attime", at, "-out", out.at),
                    0);
    OWNED(bytes) content = fixture_read(out.at);
    CU_ASSERT(span_equal(bytes_span(content), batch_head_span(&head)));
}

/* With a cache that knows the head already, so that nothing but the place and the form speak. */
static void test_no_changed_bit_of_a_leaf_of_a_batch_passes(void)
{
    OWNED(country) country = fixture_country();
    OWNED(verified_heads) heads = verified_heads_new();
    struct signed_batch made = {0};
    struct cades_parts parts;
    sign_batch(country, 6, &made);
    OWNED(bytes) leaf = leaf_of(&made, 4);
    MUST(cades_parse(bytes_span(leaf), &parts));
    MUST(cades_verify_parts(country->member, &parts, heads));
    for (size_t i = 0; i < leaf->size; i++)
        for (int bit = 0; bit < 8; bit++) {
            leaf->data[i] ^= (uint8_t)(1 << bit);
            CU_ASSERT(failed(cades_parse(bytes_span(leaf), &parts)) ||
                      failed(cades_verify_parts(country->member, &parts, heads)));
            leaf->data[i] ^= (uint8_t)(1 << bit);
        }
}

static void test_a_leaf_of_a_batch_cut_or_lengthened_is_refused(void)
{
    OWNED(country) country = fixture_country();
    struct signed_batch made = {0};
    struct cades_parts parts;
    sign_batch(country, 3, &made);
    OWNED(bytes) leaf = leaf_of(&made, 2);
    for (size_t size = 0; size < leaf->size; size++) {
        OWNED(bytes) cut = NULL; /* on the heap, so that a sanitizer sees a read behind its end */
        MUST(bytes_copy(span_of(leaf->data, size), &cut));
        MUST_FAIL(BAD_FRAME, cades_parse(bytes_span(cut), &parts));
    }
    MUST(bytes_append_text(leaf, "x"));
    MUST_FAIL(BAD_FRAME, cades_parse(bytes_span(leaf), &parts));
}

static void test_a_place_serves_its_own_content_only(void)
{
    OWNED(country) country = fixture_country();
    OWNED(verified_heads) heads = verified_heads_new();
    struct signed_batch made = {0};
    uint8_t place[BATCH_PLACE_BYTES_MAX];
    struct certificate *member = country->member;
    sign_batch(country, 8, &made);
    struct cades_proof proof = proof_of(&made, 5, place);
    MUST(cades_verify_proof(member, &made.template, content_of(&made, 5), TIME_MS, proof, heads));
    MUST_FAIL(SIGNATURE_BAD, cades_verify_proof(member, &made.template, content_of(&made, 4),
                                                TIME_MS, proof, heads));
    MUST_FAIL(SIGNATURE_BAD, cades_verify_proof(member, &made.template, span_of_text("a new one"),
                                                TIME_MS, proof, heads));
    /* another second is another signature */
    MUST_FAIL(SIGNATURE_BAD, cades_verify_proof(member, &made.template, content_of(&made, 5),
                                                TIME_MS + 1000, proof, heads));
    put_u16(place, 4);
    MUST_FAIL(SIGNATURE_BAD, cades_verify_proof(member, &made.template, content_of(&made, 5),
                                                TIME_MS, proof, heads));
}

/* Two hashes of the tree are no content, and a shorter tree is another head. */
static void test_an_inner_node_passes_for_no_content(void)
{
    OWNED(country) country = fixture_country();
    struct signed_batch made = {0};
    uint8_t place[BATCH_PLACE_BYTES_MAX], pair[2 * SHA256_BYTES];
    sign_batch(country, 4, &made);
    memcpy(pair, made.tree.node[0].at, SHA256_BYTES);
    memcpy(pair + SHA256_BYTES, made.tree.node[1].at, SHA256_BYTES);
    put_u16(place, 0);
    put_u16(place + 2, 2);
    memcpy(place + 4, made.tree.node[5].at, SHA256_BYTES);
    struct cades_proof proof = {span_of(made.signature, made.signature_size),
                                span_of(place, 4 + SHA256_BYTES)};
    MUST_FAIL(SIGNATURE_BAD, cades_verify_proof(country->member, &made.template,
                                                span_of(pair, sizeof pair), TIME_MS, proof, NULL));
}

static void test_a_head_is_no_content(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) leaf = NULL;
    struct signed_batch made = {0};
    struct batch_head head;
    sign_batch(country, 2, &made);
    batch_make_head(&made.tree, &head);
    struct span signature = span_of(made.signature, made.signature_size);
    MUST_FAIL(BAD_FRAME, cades_verify(country->member, &made.template, batch_head_span(&head),
                                      TIME_MS, signature));
    MUST_FAIL(BAD_FRAME,
              cades_leaf(&made.template, batch_head_span(&head), TIME_MS, signature, &leaf));
}

static void test_places_of_another_form_are_refused(void)
{
    OWNED(country) country = fixture_country();
    struct signed_batch made = {0};
    struct batch_head head;
    uint8_t place[BATCH_PLACE_BYTES_MAX + SHA256_BYTES] = {0};
    sign_batch(country, BATCH_MAX, &made);
    size_t size = batch_place(&made.tree, 0, place);
    struct span content = content_of(&made, 0);
    MUST(batch_head_of(content, span_of(place, size), &head));
    for (size_t part = 0; part < size; part++)
        MUST_FAIL(BAD_FRAME, batch_head_of(content, span_of(place, part), &head));
    MUST_FAIL(BAD_FRAME, batch_head_of(content, span_of(place, size + 1), &head));
    MUST_FAIL(BAD_FRAME, batch_head_of(content, span_of(place, size + SHA256_BYTES), &head));
    static const uint16_t counts[] = {0, 1, 2, BATCH_MAX + 1, 128, 65535};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        put_u16(place + 2, counts[i]);
        MUST_FAIL(BAD_FRAME, batch_head_of(content, span_of(place, size), &head));
    }
    put_u16(place + 2, BATCH_MAX);
    put_u16(place, BATCH_MAX);
    MUST_FAIL(BAD_FRAME, batch_head_of(content, span_of(place, size), &head));
}

static void test_only_what_was_found_good_is_remembered(void)
{
    OWNED(country) country = fixture_country();
    OWNED(verified_heads) heads = verified_heads_new();
    struct signed_batch made = {0};
    uint8_t place[BATCH_PLACE_BYTES_MAX], other[P256_SIGNATURE_BYTES_MAX];
    size_t other_size = 0;
    struct certificate *member = country->member;
    sign_batch(country, 2, &made);
    struct cades_proof proof = proof_of(&made, 0, place);
    struct cades_proof wrong = proof;
    uint8_t nothing[SHA256_BYTES] = {0};
    MUST(keypair_sign_digest(country->key, nothing, other, &other_size));
    wrong.signature = span_of(other, other_size);
    for (int again = 0; again < 2; again++)
        MUST_FAIL(SIGNATURE_BAD, cades_verify_proof(member, &made.template, content_of(&made, 0),
                                                    TIME_MS, wrong, heads));
    MUST(cades_verify_proof(member, &made.template, content_of(&made, 0), TIME_MS, proof, heads));
    MUST_FAIL(SIGNATURE_BAD, cades_verify_proof(member, &made.template, content_of(&made, 0),
                                                TIME_MS, wrong, heads));
    proof = proof_of(&made, 1, place);
    MUST(cades_verify_proof(member, &made.template, content_of(&made, 1), TIME_MS, proof, heads));
}

SUITE(batch, TEST(test_every_place_in_every_size_leads_to_the_root_of_rfc_6962),
      TEST(test_a_leaf_of_a_batch_is_parsed_back_and_verified),
      TEST(test_stock_openssl_verifies_a_leaf_of_a_batch),
      TEST(test_no_changed_bit_of_a_leaf_of_a_batch_passes),
      TEST(test_a_leaf_of_a_batch_cut_or_lengthened_is_refused),
      TEST(test_a_place_serves_its_own_content_only),
      TEST(test_an_inner_node_passes_for_no_content), TEST(test_a_head_is_no_content),
      TEST(test_places_of_another_form_are_refused),
      TEST(test_only_what_was_found_good_is_remembered))
