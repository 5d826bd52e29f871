// SPDX-License-Identifier: MIT
/*
 * certificate - X.509 certificates of members, and of the authority.
 *
 * A certificate is parsed once (96 us) and kept; the prepared verifying context belongs to one
 * thread. Profile: ECDSA P-256, no EKU, key usage digitalSignature + nonRepudiation, subject
 *   C, O = member's name, serialNumber = INSTANCE/CLASS/MEMBER, CN = server code.
 */
#ifndef CRYPTO_CERTIFICATE_H
#define CRYPTO_CERTIFICATE_H

#include "lib/base/bytes.h"
#include "lib/crypto/digest.h"

#define SKI_BYTES 20

struct certificate_subject {
    char country[3];
    char organisation[257]; /* UTF-8 */
    char member[257];       /* serialNumber: INSTANCE/CLASS/MEMBER */
    char server[65];        /* CN: server code */
};

struct certificate;
struct trust;

/* Parses DER; CERTIFICATE_BAD unless it is a P-256 certificate with a 20-byte subject key id. */
fault certificate_parse(struct span der, struct certificate **out);
/* First certificate of a PEM file. */
fault certificate_load(const char *path, struct certificate **out);
void certificate_free(struct certificate **self);

struct span certificate_der(const struct certificate *self);
const uint8_t *certificate_ski(const struct certificate *self); /* SKI_BYTES */
struct sha256 certificate_hash(const struct certificate *self); /* SHA-256 of DER, for ESSCertIDv2 */
const struct certificate_subject *certificate_subject(const struct certificate *self);
int64_t certificate_not_before_ms(const struct certificate *self);
int64_t certificate_not_after_ms(const struct certificate *self);
/* May it sign messages (digitalSignature and nonRepudiation, not a CA)? */
bool certificate_may_sign(const struct certificate *self);
fault certificate_pem(const struct certificate *self, struct bytes **out);

/* ECDSA P-256 over a ready SHA-256 digest. SIGNATURE_BAD when it does not verify or is high-S. */
fault certificate_verify_digest(struct certificate *self, const uint8_t digest[32],
                                struct span signature);

/* Trust anchors: a PEM file with one or more CA certificates. */
fault trust_load(const char *path, struct trust **out);
void trust_free(struct trust **self);
/* Chain to an anchor at a given time. CERTIFICATE_BAD with the reason. */
fault trust_check(struct trust *self, const struct certificate *certificate, int64_t at_ms);

/* The authority's side. Issues a member certificate from a PKCS#10 request (DER): checks the
 * request's own signature, ignores its subject for `subject`. serial: 16 random bytes are made. */
struct keypair;
fault certificate_issue(struct keypair *ca_key, const struct certificate *ca, struct span request,
                        const struct certificate_subject *subject, int64_t not_before_ms,
                        int64_t not_after_ms, struct certificate **out);
/* A self-signed CA certificate for small countries, demo and tests. */
fault certificate_make_ca(struct keypair *ca_key, const struct certificate_subject *subject,
                          int64_t not_before_ms, int64_t not_after_ms, struct certificate **out);

#endif
