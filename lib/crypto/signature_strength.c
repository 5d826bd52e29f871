// SPDX-License-Identifier: MIT
#include "lib/crypto/signature_strength.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

/* Without parameters it means SHA-1. */
static int digest_of_pss(int type, const void *value)
{
    const ASN1_OBJECT *digest = NULL;
    RSA_PSS_PARAMS *parameters = NULL;
    int found = NID_undef;
    if (type == V_ASN1_SEQUENCE)
        parameters = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (parameters != NULL && parameters->hashAlgorithm != NULL) {
        X509_ALGOR_get0(&digest, NULL, NULL, parameters->hashAlgorithm);
        found = OBJ_obj2nid(digest);
    }
    RSA_PSS_PARAMS_free(parameters);
    ERR_clear_error();
    return found;
}

bool signature_is_strong(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int type = 0, digest = NID_undef;
    X509_ALGOR_get0(&object, &type, &value, algorithm);
    int nid = OBJ_obj2nid(object);
    if (nid == NID_ED25519 || nid == NID_ED448)
        return true;
    if (nid == NID_rsassaPss)
        digest = digest_of_pss(type, value);
    else if (OBJ_find_sigid_algs(nid, &digest, NULL) != 1)
        return false;
    return digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
}
