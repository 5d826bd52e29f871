// SPDX-License-Identifier: MIT
/* Making a signing key inside a token, reading its public half, removing it; and another key of the
 * same token. */
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "lib/crypto/token_private.h"

#include <stdlib.h>

#define MADE_ID_BYTES 8

static const CK_OBJECT_CLASS key_classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};

static fault check_free(const struct token *self, CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE found[1];
    struct token by_label = *self; /* two keys of one label would be refused whenever they sign */
    by_label.uri.id_size = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t count = 0;
        TRY(token_find(&by_label, session, key_classes[i], found, 1, &count));
        if (count > 0)
            return RAISE(REFUSED,
                         "the token holds a key of this name (object=%s) already; choose "
                         "another name",
                         self->uri.object);
    }
    return DONE;
}

/* CKA_EC_POINT: the point in an OCTET STRING (PKCS#11 2.40, 2.3.3). */
static fault read_point(const struct token *self, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                        uint8_t out[P256_POINT_BYTES])
{
    uint8_t der[2 + P256_POINT_BYTES];
    CK_ATTRIBUTE point = {CKA_EC_POINT, der, sizeof der};
    CK_RV answer = self->module->call->C_GetAttributeValue(session, key, &point, 1);
    if (answer != CKR_OK)
        return token_failed(answer, "reading the public key");
    if (point.ulValueLen != sizeof der || der[0] != 0x04 || der[1] != P256_POINT_BYTES ||
        der[2] != 0x04)
        return RAISE(TOKEN_REFUSED, "the token gives a public key that is no point of P-256");
    memcpy(out, der + 2, P256_POINT_BYTES);
    return DONE;
}

static fault make(const struct token *self, CK_SESSION_HANDLE session,
                  uint8_t point[P256_POINT_BYTES])
{
    uint8_t id[TOKEN_ID_BYTES_MAX];
    size_t id_size = self->uri.id_size;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_OBJECT_HANDLE public_key, private_key;
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    memcpy(id, self->uri.id, id_size);
    if (id_size == 0)
        random_fill(id, id_size = MADE_ID_BYTES);
    char *label = (char *)(uintptr_t)self->uri.object;
    CK_ATTRIBUTE of_public[] = {{CKA_TOKEN, &yes, sizeof yes},
                                {CKA_VERIFY, &yes, sizeof yes},
                                {CKA_ENCRYPT, &no, sizeof no},
                                {CKA_WRAP, &no, sizeof no},
                                {CKA_LABEL, label, strlen(label)},
                                {CKA_ID, id, id_size},
                                {CKA_EC_PARAMS, (void *)(uintptr_t)token_p256, sizeof token_p256}};
    CK_ATTRIBUTE of_private[] = {
        {CKA_TOKEN, &yes, sizeof yes},     {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SIGN, &yes, sizeof yes},      {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_DECRYPT, &no, sizeof no},
        {CKA_UNWRAP, &no, sizeof no},      {CKA_DERIVE, &no, sizeof no},
        {CKA_LABEL, label, strlen(label)}, {CKA_ID, id, id_size}};
    CK_RV answer = self->module->call->C_GenerateKeyPair(
        session, &mechanism, of_public, sizeof of_public / sizeof of_public[0], of_private,
        sizeof of_private / sizeof of_private[0], &public_key, &private_key);
    if (answer != CKR_OK)
        return token_failed(answer, "making a key in the token");
    return read_point(self, session, public_key, point);
}

fault token_make_key(struct token *self, uint8_t point[P256_POINT_BYTES])
{
    CK_SESSION_HANDLE session = 0;
    if (self->uri.object[0] == '\0')
        return RAISE(BAD_CONFIG, "a new key needs a label: object=LABEL in the token's URI");
    CK_RV answer = self->module->call->C_OpenSession(
        self->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (answer != CKR_OK)
        return token_failed(answer, "opening a session that may write");
    fault f = check_free(self, session);
    if (!failed(f))
        f = make(self, session, point);
    (void)self->module->call->C_CloseSession(session);
    return f;
}

static fault find_public(const struct token *self, CK_SESSION_HANDLE session,
                         uint8_t point[P256_POINT_BYTES])
{
    CK_OBJECT_HANDLE found[2];
    size_t count = 0;
    TRY(token_find(self, session, CKO_PUBLIC_KEY, found, 2, &count));
    if (count != 1)
        return RAISE(TOKEN_REFUSED, "the token holds %s public key of this name (object=%s)",
                     count == 0 ? "no" : "more than one", self->uri.object);
    return read_point(self, session, found[0], point);
}

fault token_public(struct token *self, uint8_t point[P256_POINT_BYTES])
{
    CK_SESSION_HANDLE session = 0;
    CK_RV answer =
        self->module->call->C_OpenSession(self->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (answer != CKR_OK)
        return token_failed(answer, "opening a session");
    fault f = find_public(self, session, point);
    (void)self->module->call->C_CloseSession(session);
    return f;
}

// --- another key of the token -------------------------------------------------------------------

struct token *token_alias(const struct token *of, const char *object)
{
    struct token *self = owned_new(sizeof *self);
    *self = *of;
    self->uri.id_size = 0;
    text_format(self->uri.object, sizeof self->uri.object, "%s", object);
    return self;
}

void token_alias_free(struct token **self)
{
    free(*self);
    *self = NULL;
}

// --- what there is, and removing it -------------------------------------------------------------

fault token_count_keys(struct token *self, size_t *private_keys, size_t *public_keys)
{
    size_t *counts[] = {private_keys, public_keys};
    CK_OBJECT_HANDLE found[2];
    CK_SESSION_HANDLE session = 0;
    CK_RV answer =
        self->module->call->C_OpenSession(self->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (answer != CKR_OK)
        return token_failed(answer, "opening a session");
    fault f = DONE;
    for (size_t i = 0; i < 2 && !failed(f); i++)
        f = token_find(self, session, key_classes[i], found, 2, counts[i]);
    (void)self->module->call->C_CloseSession(session);
    return f;
}

static fault remove_class(const struct token *self, CK_SESSION_HANDLE session,
                          CK_OBJECT_CLASS class)
{
    CK_OBJECT_HANDLE found[2];
    size_t count = 0;
    TRY(token_find(self, session, class, found, 2, &count));
    if (count > 1)
        return RAISE(REFUSED, "the token holds more than one key of this name (object=%s)",
                     self->uri.object);
    if (count == 0)
        return DONE;
    CK_RV answer = self->module->call->C_DestroyObject(session, found[0]);
    return answer == CKR_OK ? DONE : token_failed(answer, "removing a key from the token");
}

fault token_remove_key(struct token *self)
{
    CK_SESSION_HANDLE session = 0;
    CK_RV answer = self->module->call->C_OpenSession(
        self->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (answer != CKR_OK)
        return token_failed(answer, "opening a session that may write");
    fault f = DONE;
    for (size_t i = 0; i < 2 && !failed(f); i++)
        f = remove_class(self, session, key_classes[i]);
    (void)self->module->call->C_CloseSession(session);
    return f;
}
