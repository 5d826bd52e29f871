// SPDX-License-Identifier: MIT
/*
 * authority_file - authority.pem of a directory's folder: PEM (RFC 7468) of every certificate that
 * has signed its acts, the first one first, the one that signs now last.
 *
 * Who folds needs the first alone, and takes the others from the acts that name them (ActsKeySet);
 * the others are for who has single acts. The file is a hint: what it must be says the fold.
 * docs/decisions/0043.
 */
#ifndef BUS_AUTHORITY_FILE_H
#define BUS_AUTHORITY_FILE_H

#include "lib/base/bytes.h"
#include "lib/crypto/certificate.h"

#define AUTHORITY_FILE "authority.pem"

struct cades_parts; /* lib/crypto/cades.h */
struct directory;

/* As the acts have it, at most CERTIFICATE_BYTES_MAX; first: that signed the first act. */
fault authority_file_make(const struct directory *state, const struct certificate *first,
                          struct bytes **out);
/* Is the leaf signed by one of these? CERTIFICATE_BAD: not such a file; SIGNATURE_BAD, NOT_YOURS,
 * BAD_FRAME. signer: which; to be freed. */
fault authority_file_verify(struct span pem, struct span leaf, struct cades_parts *parts,
                            struct certificate **signer);
/* Any member has a certificate of the same anchor: each of these must be the authority's, and
 * trusted when it began. CERTIFICATE_BAD. */
fault authority_file_check(struct span pem, struct trust *trust);
/* The same first certificate? What leads on from another one is another directory. */
bool authority_file_same_first(struct span pem, struct span other);
/* The file with what these acts change, in their order; a copy when they change nothing. That the
 * acts hold is not looked at. */
fault authority_file_further(struct span pem, const struct span *leaves, size_t count,
                             struct bytes **out);
/* The same in a folder's own file; durable. NOT_FOUND: it has none. */
fault authority_file_add(const char *folder, const struct span *leaves, size_t count);

#endif
