// SPDX-License-Identifier: MIT
/*
 * failing_token - a PKCS#11 module in front of SoftHSM's that fails as it is told: what stands in
 * the file $FAILING_TOKEN_ORDER is looked at before each call.
 *
 *   removed     C_Sign answers CKR_DEVICE_REMOVED
 *   once        the same, once: the file is emptied
 *   session     C_SignInit answers CKR_SESSION_HANDLE_INVALID, once
 *   absent      C_GetSlotList shows no token
 *   slow        each C_Sign takes 100 ms
 *   hang        C_Sign does not return
 *   readonly    C_GenerateKeyPair answers CKR_SESSION_READ_ONLY
 *
 * Each C_Login adds a line to $FAILING_TOKEN_LOGINS.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

static CK_FUNCTION_LIST real, ours;

static int ordered(const char *what)
{
    char line[32] = "";
    const char *path = getenv("FAILING_TOKEN_ORDER");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return strcmp(line, what) == 0;
}

static void forget(void)
{
    FILE *file = fopen(getenv("FAILING_TOKEN_ORDER"), "w");
    if (file != NULL)
        fclose(file);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR out,
                  CK_ULONG_PTR out_size)
{
    while (ordered("hang"))
        pause();
    if (ordered("slow"))
        usleep(100000);
    if (ordered("removed"))
        return CKR_DEVICE_REMOVED;
    if (ordered("once")) {
        forget();
        return CKR_DEVICE_REMOVED;
    }
    return real.C_Sign(session, data, size, out, out_size);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    if (ordered("session")) {
        forget();
        return CKR_SESSION_HANDLE_INVALID;
    }
    return real.C_SignInit(session, mechanism, key);
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                      CK_ATTRIBUTE_PTR of_public, CK_ULONG publics, CK_ATTRIBUTE_PTR of_private,
                      CK_ULONG privates, CK_OBJECT_HANDLE_PTR public_key,
                      CK_OBJECT_HANDLE_PTR private_key)
{
    return ordered("readonly")
               ? CKR_SESSION_READ_ONLY
               : real.C_GenerateKeyPair(session, mechanism, of_public, publics, of_private,
                                        privates, public_key, private_key);
}

static CK_RV slots(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
{
    if (!ordered("absent"))
        return real.C_GetSlotList(present, list, count);
    *count = 0;
    return CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size)
{
    const char *path = getenv("FAILING_TOKEN_LOGINS");
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    if (file != NULL) {
        fputs("login\n", file);
        fclose(file);
    }
    return real.C_Login(session, user, pin, size);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    CK_C_GetFunctionList get = NULL;
    CK_FUNCTION_LIST_PTR found = NULL;
    void *library = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
    memcpy(&get, &symbol, sizeof get);
    if (get == NULL || get(&found) != CKR_OK)
        return CKR_GENERAL_ERROR;
    real = ours = *found;
    ours.C_Sign = sign;
    ours.C_SignInit = sign_init;
    ours.C_GetSlotList = slots;
    ours.C_GenerateKeyPair = generate;
    ours.C_Login = login;
    *list = &ours;
    return CKR_OK;
}
