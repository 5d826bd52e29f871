// SPDX-License-Identifier: MIT
/*
 * subject - struct certificate_subject as an X.509 name and back; internal to lib/crypto.
 */
#ifndef CRYPTO_SUBJECT_H
#define CRYPTO_SUBJECT_H

#include "lib/crypto/certificate.h"

#include <openssl/x509.h>

/* C, O, serialNumber, CN in this order; empty ones are left out. BAD_NAME: see certificate.h.
 * X509_NAME_free() it. */
fault subject_encode(const struct certificate_subject *self, X509_NAME **out);
/* Missing attributes become "". CERTIFICATE_BAD when one stands twice or does not fit. */
fault subject_decode(const X509_NAME *name, struct certificate_subject *out);

#endif
