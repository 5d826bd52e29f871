// SPDX-License-Identifier: MIT
#include "lib/crypto/cades.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <assert.h>
#include <time.h>

#define TIME_AT 43
#define TIME_BYTES 13 /* YYMMDDHHMMSSZ */
#define DIGEST_AT 73
#define CERTIFICATE_HASH_AT 130

/* DER, in the order of the leaf; docs/AUDIT-FORMAT.md explains each. */
static const uint8_t attributes_blank[CADES_ATTRIBUTES_BYTES] = {
    /* contentType: id-data */
    0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03, 0x31, 0x0b, 0x06,
    0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01,
    /* signingTime: UTCTime, blank */
    0x30, 0x1c, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05, 0x31, 0x0f, 0x17,
    0x0d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    /* messageDigest, blank */
    0x30, 0x2f, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04, 0x31, 0x22, 0x04,
    0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
    /* signingCertificateV2: ESSCertIDv2 hash, blank */
    0x30, 0x37, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f, 0x31,
    0x28, 0x30, 0x26, 0x30, 0x24, 0x30, 0x22, 0x04, 0x20};
static const uint8_t signed_prefix[] = {0x31, 0x81, 0xa2};
static const uint8_t attributes_prefix[] = {0xa0, 0x81, 0xa2};
static const uint8_t id_signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                         0xf7, 0x0d, 0x01, 0x07, 0x02};
static const uint8_t id_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t version_3[] = {0x02, 0x01, 0x03};
static const uint8_t sha_256[] = {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                  0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t ecdsa_with_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                            0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

/* 2.25.165645208523985477905689914684392377879: the unsigned attribute with header and place */
static const uint8_t id_batch_member[] = {0x06, 0x14, 0x69, 0x81, 0xf9, 0x9e, 0x8d, 0xd4,
                                          0xc8, 0xca, 0x82, 0xbc, 0x9d, 0x9d, 0xa9, 0xda,
                                          0xe3, 0xf0, 0xd1, 0xb2, 0x9c, 0x17};

#define SPAN_OF_ARRAY(array) span_of((array), sizeof(array))

enum tag {
    OCTETS = 0x04,
    SEQUENCE = 0x30,
    SET = 0x31,
    CONTEXT_0_PRIMITIVE = 0x80,
    CONTEXT_0 = 0xa0,
    CONTEXT_1 = 0xa1
};

static void fill_template(const uint8_t *ski, const uint8_t *certificate_sha256,
                          struct cades_template *out)
{
    memcpy(out->attributes, attributes_blank, sizeof out->attributes);
    memcpy(out->attributes + CERTIFICATE_HASH_AT, certificate_sha256, SHA256_BYTES);
    memcpy(out->ski, ski, SKI_BYTES);
}

void cades_template_make(const struct certificate *signer, struct cades_template *out)
{
    struct sha256 hash = certificate_hash(signer);
    fill_template(certificate_ski(signer), hash.at, out);
}

static bool time_fits(int64_t time_ms)
{
    return time_ms >= 0 && time_ms < CADES_TIME_MS_END;
}

static void put_two_digits(uint8_t *at, int value)
{
    at[0] = (uint8_t)('0' + value / 10);
    at[1] = (uint8_t)('0' + value % 10);
}

static void patch(const struct cades_template *self, const struct sha256 *content_sha256,
                  int64_t time_ms, uint8_t out[CADES_ATTRIBUTES_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    memcpy(out, self->attributes, CADES_ATTRIBUTES_BYTES);
    put_two_digits(out + TIME_AT, parts.tm_year % 100);
    put_two_digits(out + TIME_AT + 2, parts.tm_mon + 1);
    put_two_digits(out + TIME_AT + 4, parts.tm_mday);
    put_two_digits(out + TIME_AT + 6, parts.tm_hour);
    put_two_digits(out + TIME_AT + 8, parts.tm_min);
    put_two_digits(out + TIME_AT + 10, parts.tm_sec);
    out[TIME_AT + 12] = 'Z';
    memcpy(out + DIGEST_AT, content_sha256->at, SHA256_BYTES);
}

struct sha256 cades_signed_digest(const struct cades_template *self,
                                  const struct sha256 *content_sha256, int64_t time_ms)
{
    assert(time_fits(time_ms));
    uint8_t attributes[CADES_ATTRIBUTES_BYTES];
    patch(self, content_sha256, time_ms, attributes);
    return SHA256_OF(SPAN_OF_ARRAY(signed_prefix), SPAN_OF_ARRAY(attributes));
}

/* ---- writing: DER of known sizes, from the outside in ---- */

static size_t length_bytes(size_t size)
{
    return size < 0x80 ? 1 : size < 0x100 ? 2 : 3;
}

static size_t wrapped(size_t size)
{
    return 1 + length_bytes(size) + size;
}

static uint8_t *put(uint8_t *at, struct span bytes)
{
    if (bytes.size > 0)
        memcpy(at, bytes.at, bytes.size);
    return at + bytes.size;
}

/* Tag and length in their one DER form. */
static uint8_t *put_head(uint8_t *at, uint8_t tag, size_t size)
{
    assert(size < 0x10000);
    *at++ = tag;
    size_t bytes = length_bytes(size);
    if (bytes > 1)
        *at++ = (uint8_t)(0x80 | (bytes - 1));
    if (bytes > 2)
        *at++ = (uint8_t)(size >> 8);
    *at++ = (uint8_t)size;
    return at;
}

/* What a leaf is made of. CMS signs `signed_content`; `content` and `place` stand in the attribute
 * of a batch, when there is a place. */
struct pieces {
    struct span signed_content;
    struct span content, place;
    struct span signature;
};

/* Sizes of what stands inside each constructed value. */
struct layout {
    size_t octets; /* [0] of encapContentInfo: the OCTET STRING with its head */
    size_t encapsulated;
    size_t member; /* SEQUENCE of place and content; 0: there is none */
    size_t attribute;
    size_t signer;
    size_t signers;
    size_t signed_data;
    size_t outer; /* [0] of ContentInfo */
    size_t whole;
};

static struct layout layout_of(const struct pieces *of)
{
    struct layout sizes = {0};
    sizes.octets = wrapped(of->signed_content.size);
    sizes.encapsulated = sizeof id_data + wrapped(sizes.octets);
    sizes.signer = sizeof version_3 + wrapped(SKI_BYTES) + sizeof sha_256 +
                   sizeof attributes_prefix + CADES_ATTRIBUTES_BYTES + sizeof ecdsa_with_sha256 +
                   wrapped(of->signature.size);
    if (of->place.size > 0) {
        sizes.member = wrapped(of->place.size) + wrapped(of->content.size);
        sizes.attribute = sizeof id_batch_member + wrapped(wrapped(sizes.member));
        sizes.signer += wrapped(wrapped(sizes.attribute));
    }
    sizes.signers = wrapped(sizes.signer);
    sizes.signed_data = sizeof version_3 + wrapped(sizeof sha_256) + wrapped(sizes.encapsulated) +
                        wrapped(sizes.signers);
    sizes.outer = wrapped(sizes.signed_data);
    sizes.whole = sizeof id_signed_data + wrapped(sizes.outer);
    return sizes;
}

static uint8_t *put_content(uint8_t *at, const struct layout *sizes, struct span content)
{
    at = put_head(at, SEQUENCE, sizes->whole);
    at = put(at, SPAN_OF_ARRAY(id_signed_data));
    at = put_head(at, CONTEXT_0, sizes->outer);
    at = put_head(at, SEQUENCE, sizes->signed_data);
    at = put(at, SPAN_OF_ARRAY(version_3));
    at = put_head(at, SET, sizeof sha_256);
    at = put(at, SPAN_OF_ARRAY(sha_256));
    at = put_head(at, SEQUENCE, sizes->encapsulated);
    at = put(at, SPAN_OF_ARRAY(id_data));
    at = put_head(at, CONTEXT_0, sizes->octets);
    at = put_head(at, OCTETS, content.size);
    return put(at, content);
}

static uint8_t *put_member(uint8_t *at, const struct layout *sizes, const struct pieces *of)
{
    at = put_head(at, CONTEXT_1, wrapped(sizes->attribute));
    at = put_head(at, SEQUENCE, sizes->attribute);
    at = put(at, SPAN_OF_ARRAY(id_batch_member));
    at = put_head(at, SET, wrapped(sizes->member));
    at = put_head(at, SEQUENCE, sizes->member);
    at = put_head(at, OCTETS, of->place.size);
    at = put(at, of->place);
    at = put_head(at, OCTETS, of->content.size);
    return put(at, of->content);
}

static uint8_t *put_signer(uint8_t *at, const struct layout *sizes, const uint8_t *ski,
                           struct span attributes, const struct pieces *of)
{
    at = put_head(at, SET, sizes->signers);
    at = put_head(at, SEQUENCE, sizes->signer);
    at = put(at, SPAN_OF_ARRAY(version_3));
    at = put_head(at, CONTEXT_0_PRIMITIVE, SKI_BYTES);
    at = put(at, span_of(ski, SKI_BYTES));
    at = put(at, SPAN_OF_ARRAY(sha_256));
    at = put(at, SPAN_OF_ARRAY(attributes_prefix));
    at = put(at, attributes);
    at = put(at, SPAN_OF_ARRAY(ecdsa_with_sha256));
    at = put_head(at, OCTETS, of->signature.size);
    at = put(at, of->signature);
    return sizes->member > 0 ? put_member(at, sizes, of) : at;
}

fault cades_signed_under(struct span content, struct span place, const struct batch_head *head,
                         struct cades_signed *out)
{
    if (content.size > CADES_CONTENT_BYTES_MAX)
        return RAISE(BAD_FRAME, "a leaf's content of %zu bytes", content.size);
    if (batch_is_head(content))
        return RAISE(BAD_FRAME, "the head of a batch is no content");
    out->content = content;
    out->place = place;
    out->head.size = 0;
    if (head != NULL)
        out->head = *head;
    out->sha256 = SHA256_OF(head != NULL ? batch_head_span(head) : content);
    return DONE;
}

fault cades_signed_make(struct span content, struct span place, struct cades_signed *out)
{
    struct batch_head head;
    if (place.size == 0)
        return cades_signed_under(content, place, NULL, out);
    TRY(batch_head_of(content, place, &head));
    return cades_signed_under(content, place, &head, out);
}

static fault write_leaf(const struct cades_template *self, int64_t time_ms,
                        const struct sha256 *digest, const struct pieces *of, struct bytes **out)
{
    uint8_t attributes[CADES_ATTRIBUTES_BYTES];
    patch(self, digest, time_ms, attributes);
    struct layout sizes = layout_of(of);
    OWNED(bytes) leaf = NULL;
    TRY(bytes_new(wrapped(sizes.whole), &leaf));
    uint8_t *at = put_content(leaf->data, &sizes, of->signed_content);
    at = put_signer(at, &sizes, self->ski, SPAN_OF_ARRAY(attributes), of);
    assert(at == leaf->data + leaf->size);
    *out = TAKE(leaf);
    return DONE;
}

fault cades_leaf_signed(const struct cades_template *self, const struct cades_signed *what,
                        int64_t time_ms, struct span signature, struct bytes **out)
{
    struct pieces pieces = {what->head.size > 0 ? batch_head_span(&what->head) : what->content,
                            what->content, what->place, signature};
    if (signature.size == 0 || signature.size > P256_SIGNATURE_BYTES_MAX)
        return RAISE(BAD_FRAME, "a leaf's signature of %zu bytes", signature.size);
    if (!time_fits(time_ms))
        return RAISE(BAD_FRAME, "a leaf's time is not between 1970 and 2049");
    return write_leaf(self, time_ms, &what->sha256, &pieces, out);
}

fault cades_leaf_of(const struct cades_template *self, struct span content, int64_t time_ms,
                    struct cades_proof proof, struct bytes **out)
{
    struct cades_signed what;
    TRY(cades_signed_make(content, proof.place, &what));
    return cades_leaf_signed(self, &what, time_ms, proof.signature, out);
}

fault cades_leaf(const struct cades_template *self, struct span content, int64_t time_ms,
                 struct span signature, struct bytes **out)
{
    return cades_leaf_of(self, content, time_ms, (struct cades_proof){.signature = signature}, out);
}

/* ---- reading: only a first guess at where things are; the rebuilt leaf decides ---- */

static fault take_length(struct cursor *from, size_t *out)
{
    uint8_t first = 0;
    TRY(cursor_take_u8(from, &first));
    *out = first;
    if (first < 0x80)
        return DONE;
    if (first != 0x81 && first != 0x82)
        return RAISE(BAD_FRAME, "a DER length that no leaf has");
    uint8_t high = 0;
    uint8_t low = 0;
    if (first == 0x82)
        TRY(cursor_take_u8(from, &high));
    TRY(cursor_take_u8(from, &low));
    *out = (size_t)high << 8 | low;
    return DONE;
}

static fault take_value(struct cursor *from, uint8_t tag, struct span *out)
{
    uint8_t found = 0;
    size_t size = 0;
    TRY(cursor_take_u8(from, &found));
    if (found != tag)
        return RAISE(BAD_FRAME, "DER tag %02x where a leaf has %02x", found, tag);
    TRY(take_length(from, &size));
    return cursor_take(from, size, out);
}

/* Goes into the value of this tag, leaving what stands behind it. */
static fault enter(struct cursor *from, uint8_t tag)
{
    struct span inside;
    TRY(take_value(from, tag, &inside));
    *from = cursor_over(inside);
    return DONE;
}

static fault skip(struct cursor *from, size_t size)
{
    struct span passed;
    return cursor_take(from, size, &passed);
}

static fault take_content(struct cursor *signed_data, struct span *out)
{
    struct span encapsulated;
    TRY(skip(signed_data, sizeof version_3 + wrapped(sizeof sha_256)));
    TRY(take_value(signed_data, SEQUENCE, &encapsulated));
    struct cursor inside = cursor_over(encapsulated);
    TRY(skip(&inside, sizeof id_data));
    TRY(enter(&inside, CONTEXT_0));
    return take_value(&inside, OCTETS, out);
}

static fault take_time(const uint8_t *at, int64_t *out_ms)
{
    uint64_t digits[6];
    for (size_t i = 0; i < 6; i++)
        if (failed(text_number(span_of(at + 2 * i, 2), 99, &digits[i])))
            return RAISE(BAD_FRAME, "a leaf's time is not written in digits");
    struct tm parts = {.tm_year = (int)digits[0] + (digits[0] < 50 ? 100 : 0),
                       .tm_mon = (int)digits[1] - 1,
                       .tm_mday = (int)digits[2],
                       .tm_hour = (int)digits[3],
                       .tm_min = (int)digits[4],
                       .tm_sec = (int)digits[5]};
    *out_ms = (int64_t)timegm(&parts) * 1000;
    return DONE;
}

static fault take_signer(struct cursor *signer, struct cades_parts *out)
{
    struct span attributes;
    TRY(skip(signer, sizeof version_3));
    TRY(take_value(signer, CONTEXT_0_PRIMITIVE, &out->ski));
    TRY(skip(signer, sizeof sha_256));
    TRY(take_value(signer, CONTEXT_0, &attributes));
    TRY(skip(signer, sizeof ecdsa_with_sha256));
    TRY(take_value(signer, OCTETS, &out->signature));
    if (out->ski.size != SKI_BYTES || attributes.size != CADES_ATTRIBUTES_BYTES)
        return RAISE(BAD_FRAME, "a leaf's signer is of another form");
    out->certificate_sha256 = span_of(attributes.at + CERTIFICATE_HASH_AT, SHA256_BYTES);
    return take_time(attributes.at + TIME_AT, &out->time_ms);
}

/* What stands behind the signature, of a header that was signed in a batch. */
static fault take_member(struct cursor *signer, struct cades_parts *out)
{
    TRY(enter(signer, CONTEXT_1));
    TRY(enter(signer, SEQUENCE));
    TRY(skip(signer, sizeof id_batch_member));
    TRY(enter(signer, SET));
    TRY(enter(signer, SEQUENCE));
    TRY(take_value(signer, OCTETS, &out->place));
    return take_value(signer, OCTETS, &out->content);
}

/* From behind the content to the end of the leaf. */
static fault take_signers(struct cursor *signed_data, struct cades_parts *out)
{
    TRY(enter(signed_data, SET));
    TRY(enter(signed_data, SEQUENCE));
    TRY(take_signer(signed_data, out));
    if (!batch_is_head(out->content))
        return DONE;
    out->head = out->content;
    return take_member(signed_data, out);
}

static fault enter_signed_data(struct cursor *from)
{
    TRY(enter(from, SEQUENCE));
    TRY(skip(from, sizeof id_signed_data));
    TRY(enter(from, CONTEXT_0));
    return enter(from, SEQUENCE);
}

fault cades_content(struct span leaf, struct span *out)
{
    struct cades_parts parts = {0};
    struct cursor from = cursor_over(leaf);
    TRY(enter_signed_data(&from));
    TRY(take_content(&from, &parts.content));
    if (batch_is_head(parts.content))
        TRY(take_signers(&from, &parts));
    *out = parts.content;
    return DONE;
}

fault cades_parse(struct span leaf, struct cades_parts *out)
{
    struct cades_parts parts = {0};
    struct cursor from = cursor_over(leaf);
    TRY(enter_signed_data(&from));
    TRY(take_content(&from, &parts.content));
    TRY(take_signers(&from, &parts));
    struct cades_template template;
    fill_template(parts.ski.at, parts.certificate_sha256.at, &template);
    OWNED(bytes) again = NULL;
    TRY(cades_leaf_of(&template, parts.content, parts.time_ms,
                      (struct cades_proof){parts.signature, parts.place}, &again));
    if (!span_equal(bytes_span(again), leaf))
        return RAISE(BAD_FRAME, "a leaf of %zu bytes is not in the one form", leaf.size);
    *out = parts;
    return DONE;
}

/* ---- verifying ---- */

static fault check_template(const struct certificate *signer, const struct cades_template *template)
{
    struct cades_template own;
    cades_template_make(signer, &own);
    if (memcmp(own.ski, template->ski, sizeof own.ski) != 0 ||
        memcmp(own.attributes, template->attributes, sizeof own.attributes) != 0)
        return RAISE(NOT_YOURS, "template and certificate are of two signers");
    return DONE;
}

fault cades_verify_signed(struct certificate *signer, const struct cades_template *template,
                          const struct cades_signed *what, int64_t time_ms, struct span signature,
                          struct verified_heads *heads)
{
    TRY(check_template(signer, template));
    if (!time_fits(time_ms))
        return RAISE(SIGNATURE_BAD, "a signing time that is not between 1970 and 2049");
    struct sha256 digest = cades_signed_digest(template, &what->sha256, time_ms);
    bool shared = heads != NULL && what->head.size > 0;
    if (shared && verified_heads_has(heads, &digest, signature))
        return DONE;
    TRY(certificate_verify_digest(signer, digest.at, signature));
    if (shared)
        verified_heads_add(heads, &digest, signature);
    return DONE;
}

fault cades_verify_proof(struct certificate *signer, const struct cades_template *template,
                         struct span content, int64_t time_ms, struct cades_proof proof,
                         struct verified_heads *heads)
{
    struct cades_signed what;
    TRY(cades_signed_make(content, proof.place, &what));
    return cades_verify_signed(signer, template, &what, time_ms, proof.signature, heads);
}

fault cades_verify(struct certificate *signer, const struct cades_template *template,
                   struct span content, int64_t time_ms, struct span signature)
{
    return cades_verify_proof(signer, template, content, time_ms,
                              (struct cades_proof){.signature = signature}, NULL);
}

fault cades_verify_parts(struct certificate *signer, const struct cades_parts *parts,
                         struct verified_heads *heads)
{
    struct sha256 hash = certificate_hash(signer);
    if (!span_equal(parts->ski, span_of(certificate_ski(signer), SKI_BYTES)) ||
        !span_equal(parts->certificate_sha256, sha256_span(&hash)))
        return RAISE(NOT_YOURS, "the leaf names another certificate");
    struct cades_template template;
    cades_template_make(signer, &template);
    return cades_verify_proof(signer, &template, parts->content, parts->time_ms,
                              (struct cades_proof){parts->signature, parts->place}, heads);
}

fault cades_verify_leaf(struct certificate *signer, struct span leaf, struct cades_parts *out)
{
    struct cades_parts parts;
    TRY(cades_parse(leaf, &parts));
    TRY(cades_verify_parts(signer, &parts, NULL));
    *out = parts;
    return DONE;
}
