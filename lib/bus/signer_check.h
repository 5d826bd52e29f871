// SPDX-License-Identifier: MIT
/*
 * signer_check - may this header have been signed with that certificate? Whether and from when a
 * revocation counts is the caller's to decide: of what was exchanged before, and of what is
 * promised for the future, it means different things.
 */
#ifndef BUS_SIGNER_CHECK_H
#define BUS_SIGNER_CHECK_H

#include "lib/bus/directory.h"
#include "lib/bus/header.h"

/* signer: by the leaf's subject key id, or NULL. CERTIFICATE_BAD: none, not trusted, or not valid
 * then; NOT_YOURS: of another server or member. */
fault signer_check(const struct directory_signer *signer, const struct header *header);

#endif
