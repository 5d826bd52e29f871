// SPDX-License-Identifier: MIT
/*
 * member_key - the signing key of a server, from its folder or its token, for commands that run
 * beside the node: they sign once and forget it.
 */
#ifndef TOOLS_CHASKI_MEMBER_KEY_H
#define TOOLS_CHASKI_MEMBER_KEY_H

#include "lib/crypto/key_file.h"
#include "tools/chaski/keys.h"

struct member_key;

/* options: token and module; a file otherwise, which `opener` opens. BAD_KEY, BAD_PASSPHRASE,
 * TOKEN_AWAY, TOKEN_REFUSED. */
fault member_key_open(const struct keys_options *options, const char *folder,
                      struct key_opener *opener, struct member_key **out);
void member_key_free(struct member_key **self);

fault member_key_sign(struct member_key *self, const uint8_t digest[32],
                      uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *size);
/* PKCS#10 of a key in a file; bytes_free() it. BAD_REQUEST for one in a token. */
fault member_key_request(struct member_key *self, const char *server, const char *name,
                         struct bytes **out);

#endif
