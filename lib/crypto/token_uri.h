// SPDX-License-Identifier: MIT
/*
 * token_uri - which key in which token: a PKCS#11 URI (RFC 7512).
 *
 *   pkcs11:token=Sello;object=firma?pin-source=file:/etc/chaski/pin
 *
 * Path: token, manufacturer, model, serial name the token; object (label) and id (bytes, percent-
 * encoded) name the key; type may only be "private". Query: pin-source only, with a source as in
 * lib/base/secret.h. At least token or serial, and at least object or id, must be there. pin-value
 * is refused: a PIN does not stand in settings or on a command line.
 */
#ifndef CRYPTO_TOKEN_URI_H
#define CRYPTO_TOKEN_URI_H

#include "lib/base/bytes.h"

#define TOKEN_NAME_ROOM 33 /* what CK_TOKEN_INFO has room for, and NUL */
#define TOKEN_OBJECT_ROOM 129
#define TOKEN_ID_BYTES_MAX 64
#define TOKEN_PIN_SOURCE_ROOM 512

struct token_uri {
    /* "": any */
    char token[TOKEN_NAME_ROOM], manufacturer[TOKEN_NAME_ROOM];
    char model[TOKEN_NAME_ROOM], serial[TOKEN_NAME_ROOM];
    char object[TOKEN_OBJECT_ROOM];
    uint8_t id[TOKEN_ID_BYTES_MAX];
    size_t id_size;                         /* 0: any */
    char pin_source[TOKEN_PIN_SOURCE_ROOM]; /* "": none is given */
};

/* BAD_CONFIG with what is wrong. The text itself is not repeated: it may hold a PIN. */
fault token_uri_parse(const char *text, struct token_uri *out);

#endif
