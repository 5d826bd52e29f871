// SPDX-License-Identifier: MIT
/*
 * cades - the leaf: DER CMS SignedData, CAdES-B, P-256, whose attached content is a header; or, of
 * a header that was signed in a batch, the batch's head, and then the header and its place stand in
 * an unsigned attribute (batch.h).
 *
 * Built from a template per signer: patch time and digest, one SHA-256 of 165 bytes, one ECDSA;
 * no ASN.1 is parsed on the hot path. Source: RFC 5652, RFC 5035 (ESSCertIDv2), ETSI EN 319 122-1
 * section 6; exact layout in docs/AUDIT-FORMAT.md. UTCTime: right until 2049.
 */
#ifndef CRYPTO_CADES_H
#define CRYPTO_CADES_H

#include "lib/base/bytes.h"
#include "lib/crypto/batch.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/verified_heads.h"

#define CADES_ATTRIBUTES_BYTES 162
#define CADES_CONTENT_BYTES_MAX 60000            /* a leaf must fit a tlog entry of 65,535 bytes */
#define CADES_TIME_MS_END INT64_C(2524608000000) /* 2050-01-01: from here on UTCTime means 1950 */

struct cades_template {
    uint8_t attributes[CADES_ATTRIBUTES_BYTES]; /* signedAttrs, time and digest blank */
    uint8_t ski[SKI_BYTES];
};

void cades_template_make(const struct certificate *signer, struct cades_template *out);

/* Digest that the signer signs: SHA-256 of 31 81 a2 || attributes patched for this content.
 * time_ms: milliseconds since 1970 UTC, floored to seconds in the attribute; asserted to lie
 * between 1970 and 2049, so check a stranger's time first (cades_verify does). */
struct sha256 cades_signed_digest(const struct cades_template *self,
                                  const struct sha256 *content_sha256, int64_t time_ms);

/* What shows that a content was signed. */
struct cades_proof {
    struct span signature; /* DER ECDSA */
    struct span place;     /* in a batch; empty: the content itself was signed */
};

/* What a signature is over, made once for the check and the leaf. Spans are borrowed. */
struct cades_signed {
    struct span content;
    struct span place;      /* empty: signed alone */
    struct batch_head head; /* of the place; size 0: signed alone */
    struct sha256 sha256;   /* of what CMS has as content: of the head, or of the content */
};

/* BAD_FRAME: the place is none, or the content is the head of a batch or too long. */
fault cades_signed_make(struct span content, struct span place, struct cades_signed *out);
/* The same of one's own batch, of which the head is known; NULL: signed alone. */
fault cades_signed_under(struct span content, struct span place, const struct batch_head *head,
                         struct cades_signed *out);

/* The whole leaf of it, as below. */
fault cades_leaf_signed(const struct cades_template *self, const struct cades_signed *what,
                        int64_t time_ms, struct span signature, struct bytes **out);
/* The whole leaf. Deterministic in its arguments. bytes_free() the result. BAD_FRAME for content
 * over CADES_CONTENT_BYTES_MAX or one that is the head of a batch, a place that is none, a
 * signature that is empty or too long, or a time outside 1970..2049. */
fault cades_leaf_of(const struct cades_template *self, struct span content, int64_t time_ms,
                    struct cades_proof proof, struct bytes **out);
/* The same of a content that was signed alone. */
fault cades_leaf(const struct cades_template *self, struct span content, int64_t time_ms,
                 struct span signature, struct bytes **out);

/* What a leaf holds; spans point into the leaf. Accepts exactly the bytes that cades_leaf_of makes
 * (rebuilds and compares, so that a place leads from its content to the head beside it), else
 * BAD_FRAME. Does not verify the signature. */
struct cades_parts {
    struct span content;
    struct span place;              /* in a batch; empty: signed alone */
    struct span head;               /* of the batch: what CMS has as content; empty: signed alone */
    struct span ski;                /* SKI_BYTES */
    struct span certificate_sha256; /* ESSCertIDv2 hash, 32 bytes */
    struct span signature;          /* DER ECDSA */
    int64_t time_ms;                /* signingTime, whole seconds */
};
fault cades_parse(struct span leaf, struct cades_parts *out);

/* The content alone, without looking at the rest: for leaves that cades_parse once took. BAD_FRAME
 * when it is not where a leaf has it. */
fault cades_content(struct span leaf, struct span *out);

/* Verifies content, time and signature with the signer's certificate. SIGNATURE_BAD, or NOT_YOURS
 * when template and certificate are not of one signer. */
fault cades_verify(struct certificate *signer, const struct cades_template *template,
                   struct span content, int64_t time_ms, struct span signature);
/* The same with a place; BAD_FRAME when it is none. heads: a head that was found good before is not
 * checked again; NULL: each is checked. */
fault cades_verify_proof(struct certificate *signer, const struct cades_template *template,
                         struct span content, int64_t time_ms, struct cades_proof proof,
                         struct verified_heads *heads);

fault cades_verify_signed(struct certificate *signer, const struct cades_template *template,
                          const struct cades_signed *what, int64_t time_ms, struct span signature,
                          struct verified_heads *heads);

/* A leaf as a file, for auditors and for bytes that another node kept: cades_parse, then both names
 * of the certificate (ski and hash; NOT_YOURS), then the signature. cades_parse followed by
 * cades_verify alone would not see a changed certificate hash in the leaf. */
fault cades_verify_leaf(struct certificate *signer, struct span leaf, struct cades_parts *out);
/* The same for a leaf that cades_parse has taken apart; heads as above. */
fault cades_verify_parts(struct certificate *signer, const struct cades_parts *parts,
                         struct verified_heads *heads);

#endif
