// SPDX-License-Identifier: MIT
/*
 * certificate_shelf - many certificates of which few are used at a time.
 *
 * What OpenSSL makes of a certificate takes ten times its bytes. Those on a shelf keep their DER
 * and what certificate.h tells of them; the parsed form is made when one is used (96 us) and laid
 * down again by the one that was used longest ago. A shelf and what stands on it belong to one
 * thread.
 */
#ifndef CRYPTO_CERTIFICATE_SHELF_H
#define CRYPTO_CERTIFICATE_SHELF_H

#include "lib/crypto/certificate.h"

struct certificate_shelf;

/* unfolded_max: so many are parsed at once; at least 1. */
struct certificate_shelf *certificate_shelf_new(size_t unfolded_max);
/* After the certificates on it. */
void certificate_shelf_free(struct certificate_shelf **self);
/* It lays down its parsed form until it is used: of thousands that are read, most never are.
 * Borrowed until certificate_free(); on one shelf only. */
void certificate_put(struct certificate_shelf *self, struct certificate *certificate);
size_t certificate_shelf_unfolded(const struct certificate_shelf *self); /* how many are parsed */

#endif
