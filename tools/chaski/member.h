// SPDX-License-Identifier: MIT
/*
 * member - acts of the directory that a member does by itself: what they share.
 *
 * An act is signed with the signing key of one of the member's servers, here, by whoever can open
 * its file or its token: the running node is not asked, for the process that stands on the network
 * is not to be able to change the directory. Reasons: docs/decisions/0029.
 */
#ifndef TOOLS_CHASKI_MEMBER_H
#define TOOLS_CHASKI_MEMBER_H

#include "lib/base/options.h"
#include "lib/bus/anchor_file.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory.h"
#include "tools/chaski/keys.h"

struct Chaski__Act; /* directory.pb-c.h */
struct sha256;      /* lib/crypto/digest.h */

#define MEMBER_PATH_BYTES 4097 /* of a setting */

struct member_options {
    const char *config; /* of the server: the rest comes from there; or else folder and anchor */
    const char *anchor, *at, *server;
    const char *draft;        /* a file into which acts go, instead of being carried out; or NULL */
    struct keys_options keys; /* folder, passphrase, token, module */
    /* what they are lent from */
    char folder_text[MEMBER_PATH_BYTES], anchor_text[MEMBER_PATH_BYTES];
    char server_text[ID_TEXT_BYTES_MAX + 1], passphrase_text[MEMBER_PATH_BYTES];
    char token_text[MEMBER_PATH_BYTES], module_text[MEMBER_PATH_BYTES];
};

/* The rows of these options, in a command's table. */
#define MEMBER_OPTIONS(self)                                                             \
    OPTION_TEXT("config", &(self)->config), OPTION_TEXT("folder", &(self)->keys.folder), \
        OPTION_TEXT("anchor", &(self)->anchor), OPTION_TEXT("at", &(self)->at),          \
        OPTION_TEXT("server", &(self)->server),                                          \
        OPTION_TEXT("passphrase", &(self)->keys.passphrase),                             \
        OPTION_TEXT("token", &(self)->keys.token), OPTION_TEXT("module", &(self)->keys.module)

struct member {
    const struct member_options *options;
    struct anchor_file *anchor;
    struct trust *trust;
    struct directory *state; /* as the registry has it now */
    const char *at;
    const struct directory_server *server; /* whose key signs */
};

/* Fills what is not given from the settings. BAD_CONFIG, BAD_REQUEST. */
fault member_options_fill(struct member_options *self);
/* Fetches the directory and checks it. BAD_REQUEST, PEER_UNREACHABLE, faults of directory_load;
 * NOT_FOUND when the server does not stand in it. `options` is lent. */
fault member_open(const struct member_options *options, struct member **out);
void member_free(struct member **self);

/* With the server's signing key, from its file or its token. BAD_KEY, BAD_PASSPHRASE, TOKEN_AWAY,
 * TOKEN_REFUSED. */
fault member_sign(const struct member *self, const struct sha256 *digest,
                  uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *size);
/* Gives the act an intent, signs it and has it carried out. *epoch: of the directory in which it
 * stands; 0: it was written into the options' draft, unsigned, and nothing was done. REFUSED:
 * somebody else must approve it, in words, or the registry's reason. */
fault member_do(struct member *self, const struct Chaski__Act *act, uint64_t *epoch);

#endif
