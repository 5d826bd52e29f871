// SPDX-License-Identifier: MIT
/*
 * status - what an outside authority says of a certificate that it issued: OCSP (RFC 6960) and CRLs
 * (RFC 5280).
 *
 * An answer of OCSP is signed by the issuer itself or by a responder whose certificate the issuer
 * has signed, with the extended key usage OCSPSigning. A CRL is the issuer's own, whole for the
 * certificate in question: neither indirect nor a delta. Signatures are SHA-256, 384 or 512, or
 * Ed25519 and Ed448. No nonce is asked for: answers are made ahead, and how old one may be stands
 * in it.
 */
#ifndef CRYPTO_STATUS_H
#define CRYPTO_STATUS_H

#include "lib/base/bytes.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/issuer.h"

#define STATUS_OCSP_BYTES_MAX 32768
#define STATUS_CRL_BYTES_MAX 1048576
#define STATUS_AGE_MS_MAX INT64_C(86400000) /* of an answer of OCSP that names no end */
#define STATUS_AHEAD_MS INT64_C(300000)     /* an authority's clock may run ahead of ours */

enum status_form { STATUS_OCSP = 1, STATUS_CRL };
enum status_verdict { STATUS_GOOD, STATUS_REVOKED, STATUS_UNKNOWN };

struct status {
    enum status_verdict verdict;
    int64_t this_update_ms; /* it was so then */
    int64_t until_ms;       /* a newer answer is there by then */
    int64_t revoked_ms;     /* since when, if it is; also for one that is on hold */
    const char *reason;     /* word of RFC 5280, such as "keyCompromise"; fixed text */
};

/* What a responder is asked: the certificate by SHA-1 of its issuer's name and key, which all of
 * them know, and its serial. About 80 bytes; bytes_free() it. */
fault status_request(const struct issuer *issuer, const struct certificate *certificate,
                     struct bytes **request_der);

/*
 * Takes an answer apart and checks all of it.
 *
 * at_ms      it must say how things stood then: not before thisUpdate (give or take
 *            STATUS_AHEAD_MS), not after nextUpdate. Chains are checked as of the same time.
 *
 * Faults: BAD_FRAME (not DER of that form, or too large), REFUSED (the responder gave none; the
 * detail says why), CERTIFICATE_BAD (signed by nobody who may, or of another issuer; a CRL that is
 * not whole for this certificate), SIGNATURE_BAD, STALE, FROM_FUTURE, NOT_FOUND (the answer does
 * not speak of this certificate).
 */
fault status_read(enum status_form form, struct span der, struct issuer *issuer,
                  const struct certificate *certificate, int64_t at_ms, struct status *out);

const char *status_verdict_word(enum status_verdict verdict); /* "good" */
const char *status_form_word(enum status_form form);          /* "ocsp": also a file's ending */

#endif
