// SPDX-License-Identifier: MIT
/*
 * stamp - time stamps (RFC 3161): asking for one, checking one, and answering as the authority.
 *
 * A token is a CMS SignedData over {digest, time, serial} that carries the certificate of its
 * signer (critical EKU timeStamping) and names it with ESSCertIDv2. Digests are SHA-256 here; what
 * signs a token may be SHA-256, 384 or 512.
 *
 * Tokens are handed out, and taken back, in DER: a second form of the same token is refused.
 */
#ifndef CRYPTO_STAMP_H
#define CRYPTO_STAMP_H

#include "lib/base/bytes.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/keypair.h"

#define STAMP_REQUEST_BYTES_MAX 4096
#define STAMP_RESPONSE_BYTES_MAX 32768 /* of a token too */
#define STAMP_AHEAD_MS 60000           /* an authority's clock may run ahead of a checker's */

/* Policy of our own stampers. A placeholder until the authority has an arc of its own: 99999 is not
 * assigned to us by IANA. */
#define STAMP_POLICY "1.3.6.1.4.1.99999.1"
#define STAMP_ACCURACY_S 1 /* what our own stampers claim */

/* A request for this digest with a random nonce, which stamp_take needs again. The token shall
 * carry its certificate. 70 bytes; bytes_free() it. */
fault stamp_request(const struct sha256 *digest, struct bytes **request_der, uint64_t *nonce);

/*
 * Takes a TimeStampResp apart and checks all of it; the bare token and its time come out.
 *
 * trust      anchors of time stamp authorities; the chain is checked as of the token's own time
 * token_der  bytes_free() it; at most STAMP_RESPONSE_BYTES_MAX
 * time_ms    since 1970 UTC, with the fraction that the authority gave. The nonce says that the
 *            token was made after the request; whether that time is right the caller can only
 *            compare with its own clock.
 *
 * Faults: BAD_FRAME (not a response in DER, or too large), REFUSED (the authority did not grant
 * it; the detail says why), COMMITMENT_BAD (of another digest), INCONSISTENT (of another request),
 * CERTIFICATE_BAD (signer missing, not trusted, not for time stamps, or not the one named),
 * SIGNATURE_BAD. 500 us.
 */
fault stamp_take(struct span response_der, const struct sha256 *digest, uint64_t nonce,
                 struct trust *trust, struct bytes **token_der, int64_t *time_ms);

/*
 * For auditors: a bare token, without its request. The chain is checked as of the token's own time,
 * so a token outlives the certificate of its signer.
 *
 * at_ms      the token was there by then: now, or the time of a later token that covers this one
 *            (so that a key that is broken later cannot make old ones). FROM_FUTURE when its time
 *            is more than STAMP_AHEAD_MS after it.
 *
 * Other faults as above; neither REFUSED nor INCONSISTENT.
 */
fault stamp_check(struct span token_der, const struct sha256 *digest, struct trust *trust,
                  int64_t at_ms, int64_t *time_ms);

/* Does its signer's certificate stand at this time too, by today's anchors? What a stamp says is
 * not touched when it has ended; but a key that nobody keeps any more can be broken unseen, and
 * then only a newer stamp that covers this one tells old from forged. Faults as stamp_check. */
fault stamp_check_certificate(struct span token_der, const struct sha256 *digest,
                              struct trust *trust, int64_t at_ms);

/* Is the token whole, whoever signed it? With the certificate in it as its own anchor: it says what
 * somebody once signed and proves nothing by itself. For stamps of authorities that are trusted no
 * more, under a newer stamp of one that is. */
fault stamp_check_alone(struct span token_der, const struct sha256 *digest, int64_t *time_ms);

/* The authority's side: a key and certificate that answer. One thread at a time. */
struct stamper;

/* BAD_KEY when the certificate is not of this key; CERTIFICATE_BAD when it is not for time stamps
 * alone. Both may be freed afterwards. */
fault stamper_new(const struct keypair *key, const struct certificate *certificate,
                  struct stamper **out);
void stamper_free(struct stamper **self);

enum stamp_verdict {
    STAMP_GRANTED,
    STAMP_REJECTED, /* not served: its digest, policy or extension, our clock or certificate */
    STAMP_GARBAGE,  /* not a request */
};

/*
 * Answers a stranger's bytes with a TimeStampResp: a token, or a rejection that says why.
 *
 * now_ms     time in the token. When it stands more than STAMP_ACCURACY_S before that of an earlier
 *            token of this stamper, or outside its certificate's validity, the answer is
 *            "timeNotAvailable".
 * serial     of the token; the caller gives each number once, ever, and has it durable before the
 *            answer leaves. Used up only by STAMP_GRANTED.
 *
 * CRYPTO_FAILED is the only fault. 70 us.
 */
fault stamper_answer(struct stamper *self, struct span request_der, int64_t now_ms, uint64_t serial,
                     enum stamp_verdict *verdict, struct bytes **response_der);

#endif
