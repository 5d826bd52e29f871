// SPDX-License-Identifier: MIT
/*
 * token_private - what the parts of token share; internal to lib/crypto.
 */
#ifndef CRYPTO_TOKEN_PRIVATE_H
#define CRYPTO_TOKEN_PRIVATE_H

#include "lib/crypto/token.h"

#include <p11-kit/pkcs11.h>

struct token_module {
    void *library;
    CK_FUNCTION_LIST *call;
};

struct token {
    struct token_module *module;
    struct token_uri uri;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session; /* keeps the login; the threads have their own */
};

struct token_session {
    struct token *token;
    CK_SESSION_HANDLE handle;
    CK_OBJECT_HANDLE key, added;
};

/* id-prime256v1 (SEC 2, RFC 5480) as DER, for CKA_EC_PARAMS. */
#define TOKEN_P256_BYTES 10
extern const uint8_t token_p256[TOKEN_P256_BYTES];

/* Name of an answer, such as "CKR_DEVICE_REMOVED"; a number when it has none here. */
const char *token_answer_name(CK_RV answer);
/* The call failed: TOKEN_AWAY or TOKEN_REFUSED by its answer, with `what` was being done. */
fault token_failed(CK_RV answer, const char *what);

/* Handles of up to `room` objects of this class with the URI's label and id; how many there are. */
fault token_find(const struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
                 CK_OBJECT_HANDLE *out, size_t room, size_t *count);

#endif
