// SPDX-License-Identifier: MIT
/*
 * certificate - X.509 certificates of members, and of the authority.
 *
 * A certificate is parsed once (96 us) and kept; the prepared verifying context belongs to one
 * thread. Profile: ECDSA P-256, no EKU, key usage digitalSignature + nonRepudiation, subject
 *   C, O = member's name, serialNumber = INSTANCE/CLASS/MEMBER, CN = server code.
 * An outside authority's may have another subject and, if any, an EKU for signing documents
 * (documentSigning of RFC 9336 or of Microsoft, emailProtection, any).
 * A time stamp authority's has the critical EKU timeStamping alone and key usage digitalSignature
 * alone, so that it can sign nothing else.
 */
#ifndef CRYPTO_CERTIFICATE_H
#define CRYPTO_CERTIFICATE_H

#include "lib/base/bytes.h"
#include "lib/crypto/digest.h"

#define SKI_BYTES 20

#define CERTIFICATE_BYTES_MAX 16384 /* also of a request */

/* Plain UTF-8 without control characters. X.520 bounds O, serialNumber and CN to 64 characters:
 * a longer organisation is cut there (its full name stands in the directory), a longer member or
 * server, or a country that is not two letters, is BAD_NAME. Empty texts are left out. */
struct certificate_subject {
    char country[3];
    char organisation[257];
    char member[257]; /* serialNumber: INSTANCE/CLASS/MEMBER */
    char server[65];  /* CN: server code */
};

struct certificate;
struct trust;

/* Parses DER; CERTIFICATE_BAD unless it is a P-256 certificate with a 20-byte subject key id, in
 * strict DER, of at most CERTIFICATE_BYTES_MAX, and its subject fits certificate_subject. */
fault certificate_parse(struct span der, struct certificate **out);
/* First certificate of a PEM file. IO_FAILED when it cannot be opened, else CERTIFICATE_BAD. */
fault certificate_load(const char *path, struct certificate **out);
/* The DER of each certificate of a PEM file, in its order; none is looked into. IO_FAILED,
 * CERTIFICATE_BAD (none, or more than `room`): then nothing is given out. */
fault certificate_load_all(const char *path, struct bytes **out, size_t room, size_t *count);
fault certificate_read(struct span pem, struct certificate **out); /* of a PEM text */
void certificate_free(struct certificate **self);

struct span certificate_der(const struct certificate *self);
const uint8_t *certificate_ski(const struct certificate *self); /* SKI_BYTES */
/* SHA-256 of the DER, for ESSCertIDv2. */
struct sha256 certificate_hash(const struct certificate *self);
const struct certificate_subject *certificate_subject(const struct certificate *self);
/* Whole seconds; as OpenSSL counts, not_before is the first valid second and not_after the first
 * that is not. */
int64_t certificate_not_before_ms(const struct certificate *self);
int64_t certificate_not_after_ms(const struct certificate *self);
/* May it sign messages (digitalSignature and nonRepudiation, no EKU or one for documents, not a
 * CA)? */
bool certificate_may_sign(const struct certificate *self);
fault certificate_pem(const struct certificate *self, struct bytes **out);

/* ECDSA P-256 over a ready SHA-256 digest. SIGNATURE_BAD when it does not verify, is high-S or not
 * minimal DER. 43 us. */
fault certificate_verify_digest(struct certificate *self, const uint8_t digest[32],
                                struct span signature);

/* Trust anchors: a PEM file with one or more CA certificates, of any algorithm of 112 bits or more;
 * each one is an anchor. IO_FAILED, CERTIFICATE_BAD. One thread at a time. */
fault trust_load(const char *path, struct trust **out);
/* The same from a PEM text. CERTIFICATE_BAD. */
fault trust_read(struct span pem, struct trust **out);
void trust_free(struct trust **self);
/* Chain to an anchor at a given time, past or future. CERTIFICATE_BAD with the reason. 50 us. */
fault trust_check(struct trust *self, const struct certificate *certificate, int64_t at_ms);

/* The authorities between a certificate and its anchor, the anchor last, in PEM; bytes_free() it.
 * CERTIFICATE_BAD as trust_check. */
fault trust_chain(struct trust *self, const struct certificate *certificate, int64_t at_ms,
                  struct bytes **out);

/* The authority's side. Issues a member certificate from a PKCS#10 request (DER): checks the
 * request's own signature, ignores its subject for `subject`. serial: 16 random bytes are made.
 * REFUSED for a request that is not sound or not P-256, a ca that is not one or not of ca_key, or
 * an empty validity; BAD_NAME for the subject, of which member and server must be there. */
struct keypair;
fault certificate_issue(struct keypair *ca_key, const struct certificate *ca, struct span request,
                        const struct certificate_subject *subject, int64_t not_before_ms,
                        int64_t not_after_ms, struct certificate **out);
/* Is the certificate of the key that signed this PKCS#10 request? REFUSED: the request is not
 * sound, not P-256, or of another key. */
fault certificate_check_request(const struct certificate *self, struct span request);
/* The same for a time stamp authority. */
fault certificate_issue_stamper(struct keypair *ca_key, const struct certificate *ca,
                                struct span request, const struct certificate_subject *subject,
                                int64_t not_before_ms, int64_t not_after_ms,
                                struct certificate **out);
/* For the authority's own HTTPS: the critical use serverAuth alone, with the names and IP addresses
 * under which it is reached (at least one; REFUSED for what is neither). */
fault certificate_issue_host(struct keypair *ca_key, const struct certificate *ca,
                             struct span request, const struct certificate_subject *subject,
                             const char *const *hosts, size_t count, int64_t not_before_ms,
                             int64_t not_after_ms, struct certificate **out);
/* Self-signed, for a TLS client that is known by its key alone. P-256 only, else BAD_KEY. */
fault certificate_make_client(struct keypair *key, const struct certificate_subject *subject,
                              int64_t not_before_ms, int64_t not_after_ms,
                              struct certificate **out);
/* A self-signed CA certificate for small countries, demo and tests; it issues members, not CAs. */
fault certificate_make_ca(struct keypair *ca_key, const struct certificate_subject *subject,
                          int64_t not_before_ms, int64_t not_after_ms, struct certificate **out);

#endif
