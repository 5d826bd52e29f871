// SPDX-License-Identifier: MIT
/*
 * renewal - how a server asks for a certificate of its next signing key: POST /member/v1/renewals
 * with {"server", "certificate_request": PKCS#10 in base64, "signature": base64}; the answer is
 * {"certificate": base64 DER}. It stands nowhere until an act of the server brings it into the
 * directory (docs/decisions/0030).
 */
#ifndef BUS_RENEWAL_H
#define BUS_RENEWAL_H

#include "lib/bus/bus_id.h"
#include "lib/crypto/digest.h"

/* What the present signing key signs, ECDSA P-256, DER with low S: SHA-256 of "chaski renewal v1",
 * a zero byte, the server, a zero byte, and the request. Nothing else that it signs begins so. */
fault renewal_digest(const char *server, struct span request, struct sha256 *out);

#endif
