// SPDX-License-Identifier: MIT
/* Loading a PKCS#11 module, and what its answers mean for us. */
#include "lib/base/text.h"
#include "lib/crypto/token_private.h"

#include <dlfcn.h>
#include <stdlib.h>

fault token_module_load(const char *path, struct token_module **out)
{
    CK_FUNCTION_LIST *call = NULL;
    if (path[0] != '/')
        return RAISE(TOKEN_REFUSED, "the token's module is named by its whole path, such as "
                                    "/usr/lib/softhsm/libsofthsm2.so");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return RAISE(TOKEN_REFUSED, "the token's module does not load: %s", dlerror());
    CK_C_GetFunctionList list = NULL;
    void *symbol = dlsym(library, "C_GetFunctionList");
    memcpy(&list, &symbol, sizeof list); /* C has no cast from data to code */
    if (list == NULL || list(&call) != CKR_OK || call == NULL || call->version.major != 2)
        return RAISE(TOKEN_REFUSED, "%s is no PKCS#11 module of version 2", path);
    struct token_module *self = owned_new(sizeof *self);
    *self = (struct token_module){library, call};
    *out = self;
    return DONE;
}

void token_module_free(struct token_module **self)
{
    free(*self);
    *self = NULL;
}

/* Does it say that somebody must change something? All else may pass by itself. */
enum meaning { PASSES, CHANGE };

static const struct {
    CK_RV answer;
    const char *name;
    enum meaning meaning;
} answers[] = {
    {CKR_CANCEL, "CKR_CANCEL", PASSES},
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY", PASSES},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", PASSES},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", PASSES},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", PASSES},
    {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD", CHANGE},
    {CKR_CANT_LOCK, "CKR_CANT_LOCK", CHANGE},
    {CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID", CHANGE},
    {CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID", CHANGE},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", PASSES},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", PASSES},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", PASSES},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED", CHANGE},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", PASSES},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", CHANGE},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", CHANGE},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", CHANGE},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", PASSES},
    {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE", PASSES},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", CHANGE},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID", CHANGE},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", CHANGE},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", CHANGE},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED", CHANGE},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", PASSES},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT", CHANGE},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", PASSES},
    {CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY", CHANGE},
    {CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT", CHANGE},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", PASSES},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", PASSES},
    {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", CHANGE},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", PASSES},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED", CHANGE},
    {CKR_USER_TOO_MANY_TYPES, "CKR_USER_TOO_MANY_TYPES", PASSES},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", PASSES},
};

#define ANSWERS (sizeof answers / sizeof answers[0])

const char *token_answer_name(CK_RV answer)
{
    static _Thread_local char number[40];
    for (size_t i = 0; i < ANSWERS; i++)
        if (answers[i].answer == answer)
            return answers[i].name;
    text_format(number, sizeof number, "answer 0x%lx of the module", (unsigned long)answer);
    return number;
}

fault token_failed(CK_RV answer, const char *what)
{
    enum meaning meaning = PASSES;
    for (size_t i = 0; i < ANSWERS; i++)
        if (answers[i].answer == answer)
            meaning = answers[i].meaning;
    return meaning == CHANGE ? RAISE(TOKEN_REFUSED, "%s: %s", what, token_answer_name(answer))
                             : RAISE(TOKEN_AWAY, "%s: %s", what, token_answer_name(answer));
}
