// SPDX-License-Identifier: MIT
/*
 * issuer - the certificate of an outside authority: any algorithm of 112 bits or more, a root or
 * one that leads to a root through its chain. It vouches for what it has issued itself, and for
 * nothing that an authority below it has.
 */
#ifndef CRYPTO_ISSUER_H
#define CRYPTO_ISSUER_H

#include "lib/base/bytes.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/digest.h"

#define ISSUER_CHAIN_MAX 4 /* authorities above it */

struct issuer;

/*
 * chain      DER, the next one above first, a root that signed itself last; none when the
 *            certificate is a root. It says who the authority is; only `certificate` vouches.
 * at_ms      the chain is checked as of then
 *
 * Faults: CERTIFICATE_BAD (not DER, not a CA that signs certificates, an algorithm that is too
 * weak, a chain that leads to no root or is not valid then, one in it that has no place there).
 */
fault issuer_new(struct span certificate, const struct span *chain, size_t count, int64_t at_ms,
                 struct issuer **out);
void issuer_free(struct issuer **self);

struct span issuer_der(const struct issuer *self);
/* Those above it, as they were given: the i-th, empty behind the last. */
struct span issuer_above(const struct issuer *self, size_t i);
struct sha256 issuer_hash(const struct issuer *self); /* of the DER */
int64_t issuer_not_after_ms(const struct issuer *self);
/* Its own subject on one line, as RFC 2253 writes it, cut to `room`: plain ASCII. */
void issuer_words(const struct issuer *self, char *out, size_t room);
/* Its certificate, and with `above` those above it too. bytes_free() it. */
fault issuer_pem(const struct issuer *self, bool above, struct bytes **out);

/* Did it issue this certificate, and are both valid at that time? CERTIFICATE_BAD. 50 us, and 3 us
 * when it is another's. One thread at a time. */
fault issuer_check(struct issuer *self, const struct certificate *certificate, int64_t at_ms);

#endif
