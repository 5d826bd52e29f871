// SPDX-License-Identifier: MIT
#include "lib/crypto/digest.h"

#include "lib/crypto/algorithms.h"
#include "lib/crypto/crypto_fault.h"

static void digest(const EVP_MD *algorithm, const struct span *pieces, size_t count, uint8_t *out)
{
    EVP_MD_CTX *context = algorithms_digest_context();
    bool fine = EVP_DigestInit_ex2(context, algorithm, NULL) == 1;
    for (size_t i = 0; fine && i < count; i++)
        fine = pieces[i].size == 0 || EVP_DigestUpdate(context, pieces[i].at, pieces[i].size) == 1;
    if (!fine || EVP_DigestFinal_ex(context, out, NULL) != 1)
        crypto_fault_die("a digest");
}

struct sha256 digest_sha256(const struct span *pieces, size_t count)
{
    struct sha256 out;
    digest(algorithms_sha256(), pieces, count, out.at);
    return out;
}

void digest_sha512(const struct span *pieces, size_t count, uint8_t out[SHA512_BYTES])
{
    digest(algorithms_sha512(), pieces, count, out);
}
