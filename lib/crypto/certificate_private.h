// SPDX-License-Identifier: MIT
/*
 * certificate_private - the OpenSSL objects inside certificates and trust; internal to lib/crypto.
 *
 *   certificate.c         one certificate: what it says, what its key signed
 *   certificate_pem.c     certificates in PEM
 *   certificate_issue.c   the authority's side: certificates that are made
 *   trust.c               anchors, and chains to them
 */
#ifndef CRYPTO_CERTIFICATE_PRIVATE_H
#define CRYPTO_CERTIFICATE_PRIVATE_H

#include "lib/crypto/certificate.h"

#include <openssl/x509_vfy.h>
#include <time.h>

/* Lent. Of a certificate on a shelf: until the next one there is used. */
X509 *certificate_x509(const struct certificate *self);

/* What OpenSSL made of a certificate, and its place on a shelf. */
struct certificate_place {
    X509 *x509; /* NULL: laid down */
    EVP_PKEY_CTX *verify;
    struct certificate_shelf *shelf;         /* NULL: it stands on none */
    struct certificate_place *next, *before; /* among those that are parsed; NULL: it is not */
};
struct certificate_place *certificate_place(struct certificate *self);
/* It is parsed, and used now: another one may lay its form down. */
void certificate_place_use(struct certificate_place *self);
/* Before it is freed. */
void certificate_place_leave(struct certificate_place *self);
void certificate_fold(struct certificate_place *self);

/* A certificate in DER, and in no second form; any algorithm. CERTIFICATE_BAD. X509_free() it. */
fault certificate_decode(struct span der, X509 **out);

/* The next certificate's DER of a PEM text; NOT_FOUND at its end. `name`: how the text is called in
 * what is said about it. */
fault certificate_next_of_pem(BIO *in, const char *name, struct bytes **out);
/* A PEM file, read whole; bounded. IO_FAILED. BIO_free() it. */
fault certificate_open_pem(const char *path, BIO **out);

/* As OpenSSL wants a time; rounded down. */
time_t certificate_seconds(int64_t ms);
fault certificate_time(const ASN1_TIME *from, int64_t *out_ms);

/* An empty store whose checks are strict in the strength of algorithms and let each of its
 * certificates be an anchor. CRYPTO_FAILED. X509_STORE_free() it. */
fault trust_store_new(X509_STORE **out);
/* Checks a chain that was prepared, by any purpose, as of at_ms; CERTIFICATE_BAD with the reason.
 */
fault trust_verify(X509_STORE_CTX *prepared, int64_t at_ms);

/* A store of the same anchors and strength that checks chains as of at_ms, for functions of OpenSSL
 * that do not let a time be set. X509_STORE_free() it. */
fault trust_store_at(const struct trust *self, int64_t at_ms, X509_STORE **out);

#endif
