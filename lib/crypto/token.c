// SPDX-License-Identifier: MIT
#include "lib/crypto/token.h"

#include "lib/crypto/ecdsa.h"
#include "lib/crypto/token_private.h"

#include <stdlib.h>

#define SLOTS_MAX 256
#define RAW_SIGNATURE_BYTES 64 /* r || s (PKCS#11 2.40, 2.3.1) */

const uint8_t token_p256[TOKEN_P256_BYTES] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                                              0xce, 0x3d, 0x03, 0x01, 0x07};

// --- the one token -------------------------------------------------------------------------------

/* Text of a token is padded with blanks to its full width, without NUL. */
static bool is_named(const CK_UTF8CHAR *field, size_t width, const char *wanted)
{
    size_t size = strlen(wanted);
    if (size == 0)
        return true;
    if (size > width || memcmp(field, wanted, size) != 0)
        return false;
    for (size_t i = size; i < width; i++)
        if (field[i] != ' ' && field[i] != '\0')
            return false;
    return true;
}

static bool is_wanted(const CK_TOKEN_INFO *info, const struct token_uri *uri)
{
    return is_named(info->label, sizeof info->label, uri->token) &&
           is_named(info->manufacturerID, sizeof info->manufacturerID, uri->manufacturer) &&
           is_named(info->model, sizeof info->model, uri->model) &&
           is_named(info->serialNumber, sizeof info->serialNumber, uri->serial) &&
           (info->flags & CKF_TOKEN_INITIALIZED) != 0;
}

static fault find_slot(struct token *self, CK_TOKEN_INFO *out)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    size_t found = 0;
    CK_FUNCTION_LIST *call = self->module->call;
    CK_RV answer = call->C_GetSlotList(CK_TRUE, slots, &count);
    if (answer != CKR_OK)
        return token_failed(answer, "asking for tokens");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (call->C_GetTokenInfo(slots[i], &info) != CKR_OK || !is_wanted(&info, &self->uri))
            continue; /* another one's trouble is none of ours */
        found++;
        self->slot = slots[i];
        *out = info;
    }
    if (found == 0)
        return RAISE(TOKEN_AWAY,
                     "among %lu tokens none is the configured one (token=%s%s%s): is "
                     "it connected, and is its name right?",
                     (unsigned long)count, self->uri.token,
                     self->uri.serial[0] == '\0' ? "" : ";serial=", self->uri.serial);
    if (found > 1)
        return RAISE(TOKEN_REFUSED, "%zu tokens are named so: add serial= to the URI", found);
    return DONE;
}

// --- logging in
// -----------------------------------------------------------------------------------

static fault check_tries(const CK_TOKEN_INFO *info)
{
    if ((info->flags & CKF_USER_PIN_LOCKED) != 0)
        return RAISE(TOKEN_REFUSED, "the token has locked its PIN: unlock it with its own tool");
    if ((info->flags & CKF_USER_PIN_FINAL_TRY) != 0)
        return RAISE(TOKEN_REFUSED,
                     "the token would lock itself after one more wrong PIN, so it is not tried: "
                     "log in once with its own tool");
    return DONE;
}

static fault log_in(struct token *self, struct span pin, bool *pin_refused)
{
    CK_RV answer = self->module->call->C_Login(self->session, CKU_USER,
                                               (CK_UTF8CHAR *)(uintptr_t)pin.at, pin.size);
    if (answer == CKR_OK || answer == CKR_USER_ALREADY_LOGGED_IN)
        return DONE;
    *pin_refused =
        answer == CKR_PIN_INCORRECT || answer == CKR_PIN_INVALID || answer == CKR_PIN_LEN_RANGE;
    if (*pin_refused)
        return RAISE(TOKEN_REFUSED,
                     "the token does not take this PIN (%s); it is not tried again before its file "
                     "changes",
                     token_answer_name(answer));
    return token_failed(answer, "logging in to the token");
}

static fault open_login(struct token *self, struct span pin, bool *pin_refused)
{
    CK_TOKEN_INFO info = {.flags = 0};
    CK_FUNCTION_LIST *call = self->module->call;
    TRY(find_slot(self, &info));
    CK_RV answer = call->C_OpenSession(self->slot, CKF_SERIAL_SESSION, NULL, NULL, &self->session);
    if (answer != CKR_OK)
        return token_failed(answer, "opening a session");
    if (pin.size == 0)
        return (info.flags & CKF_LOGIN_REQUIRED) == 0
                   ? DONE
                   : RAISE(TOKEN_REFUSED, "the token wants a PIN: give pin-source=file:PATH");
    TRY(check_tries(&info));
    return log_in(self, pin, pin_refused);
}

static fault initialize(const struct token_module *module)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_RV answer = module->call->C_Initialize(&arguments);
    return answer == CKR_OK || answer == CKR_CRYPTOKI_ALREADY_INITIALIZED
               ? DONE
               : token_failed(answer, "starting the token's module");
}

fault token_open(struct token_module *module, const struct token_uri *uri, struct span pin,
                 bool *pin_refused, struct token **out)
{
    bool refused = false;
    struct token *self = owned_new(sizeof *self);
    self->module = module;
    self->uri = *uri;
    fault f = initialize(module);
    if (!failed(f))
        f = open_login(self, pin, &refused);
    if (pin_refused != NULL)
        *pin_refused = refused;
    if (failed(f))
        token_free(&self);
    else
        *out = self;
    return f;
}

/* C_Finalize ends sessions and login, also of a token that is gone. */
void token_free(struct token **self)
{
    if (*self == NULL)
        return;
    (void)(*self)->module->call->C_Finalize(NULL);
    free(*self);
    *self = NULL;
}

// --- the one key
// ----------------------------------------------------------------------------------

static size_t fill_wanted(const struct token *token, CK_OBJECT_CLASS *class, CK_ATTRIBUTE out[3])
{
    const struct token_uri *uri = &token->uri;
    size_t count = 0;
    out[count++] = (CK_ATTRIBUTE){CKA_CLASS, class, sizeof *class};
    if (uri->object[0] != '\0')
        out[count++] =
            (CK_ATTRIBUTE){CKA_LABEL, (void *)(uintptr_t)uri->object, strlen(uri->object)};
    if (uri->id_size > 0)
        out[count++] = (CK_ATTRIBUTE){CKA_ID, (void *)(uintptr_t)uri->id, uri->id_size};
    return count;
}

fault token_find(const struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
                 CK_OBJECT_HANDLE *out, size_t room, size_t *count)
{
    CK_ATTRIBUTE wanted[3];
    CK_ULONG found = 0;
    CK_FUNCTION_LIST *call = token->module->call;
    CK_RV answer = call->C_FindObjectsInit(session, wanted, fill_wanted(token, &class, wanted));
    if (answer != CKR_OK)
        return token_failed(answer, "looking for the key");
    answer = call->C_FindObjects(session, out, room, &found);
    (void)call->C_FindObjectsFinal(session);
    if (answer != CKR_OK)
        return token_failed(answer, "looking for the key");
    *count = found;
    return DONE;
}

static fault check_kind(const struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_FUNCTION_LIST *call = token->module->call;
    CK_KEY_TYPE type = 0;
    uint8_t curve[64];
    CK_ATTRIBUTE kind = {CKA_KEY_TYPE, &type, sizeof type};
    CK_ATTRIBUTE parameters = {CKA_EC_PARAMS, curve, sizeof curve};
    CK_RV answer = call->C_GetAttributeValue(session, key, &kind, 1);
    if (answer != CKR_OK)
        return token_failed(answer, "asking what kind of key it is");
    if (type != CKK_EC)
        return RAISE(TOKEN_REFUSED, "the key in the token is %s; members sign with P-256",
                     type == CKK_RSA ? "an RSA key" : "no key of an elliptic curve");
    answer = call->C_GetAttributeValue(session, key, &parameters, 1);
    if (answer == CKR_OK && (parameters.ulValueLen != sizeof token_p256 ||
                             memcmp(curve, token_p256, sizeof token_p256) != 0))
        return RAISE(TOKEN_REFUSED, "the key in the token is of another curve than P-256");
    return DONE; /* a token that does not tell is judged by its first signature */
}

static fault find_key(const struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out)
{
    CK_OBJECT_HANDLE found[2];
    size_t count = 0;
    TRY(token_find(token, session, CKO_PRIVATE_KEY, found, 2, &count));
    if (count == 0)
        return RAISE(TOKEN_REFUSED, "the token holds no private key of this name (object=%s%s)",
                     token->uri.object, token->uri.id_size > 0 ? ";id=..." : "");
    if (count > 1)
        return RAISE(TOKEN_REFUSED,
                     "the token holds more than one private key of this name (object=%s): name the "
                     "one that is meant by id= too, for another one must not sign",
                     token->uri.object);
    TRY(check_kind(token, session, found[0]));
    *out = found[0];
    return DONE;
}

fault token_session_open(struct token *token, struct token_session **out)
{
    OWNED(token_session) self = owned_new(sizeof *self);
    CK_RV answer = token->module->call->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL, NULL,
                                                      &self->handle);
    if (answer != CKR_OK)
        return token_failed(answer, "opening a session");
    self->token = token;
    TRY(find_key(token, self->handle, &self->key));
    *out = TAKE(self);
    return DONE;
}

void token_session_free(struct token_session **self)
{
    if (*self == NULL)
        return;
    if ((*self)->token != NULL)
        (void)(*self)->token->module->call->C_CloseSession((*self)->handle);
    free(*self);
    *self = NULL;
}

fault token_session_add(struct token_session *self, const struct token *alias)
{
    return find_key(alias, self->handle, &self->added);
}

static fault sign_by(struct token_session *self, CK_OBJECT_HANDLE key, const uint8_t digest[32],
                     uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size)
{
    CK_FUNCTION_LIST *call = self->token->module->call;
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    uint8_t raw[RAW_SIGNATURE_BYTES];
    CK_ULONG size = sizeof raw;
    CK_RV answer = call->C_SignInit(self->handle, &ecdsa, key);
    if (answer == CKR_OK)
        answer = call->C_Sign(self->handle, (CK_BYTE *)(uintptr_t)digest, 32, raw, &size);
    if (answer != CKR_OK)
        return token_failed(answer, "signing");
    if (size != sizeof raw)
        return RAISE(TOKEN_AWAY, "the token made a signature of %lu bytes", (unsigned long)size);
    return ecdsa_from_raw(raw, out, out_size);
}

fault token_session_sign(struct token_session *self, const uint8_t digest[32],
                         uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size)
{
    return sign_by(self, self->key, digest, out, out_size);
}

fault token_session_sign_added(struct token_session *self, const uint8_t digest[32],
                               uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size)
{
    return sign_by(self, self->added, digest, out, out_size);
}
