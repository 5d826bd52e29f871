// SPDX-License-Identifier: MIT
/* chaski keys certificate: takes in the certificate that the authority issued, if it is of our key.
 */
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/signing_object.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/key_file.h"
#include "tools/chaski/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512

static fault open_signing_key(const struct keys_options *options, struct secret **passphrase,
                              struct keypair **out)
{
    char path[PATH_BYTES];
    struct key_opener opener = {0};
    if (!text_format(path, sizeof path, "%s/sign.key", options->folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    if (options->passphrase != NULL)
        TRY(secret_read(options->passphrase, "passphrase of the keys", passphrase));
    opener.passphrase = secret_span(*passphrase);
    return keypair_load_sealed(path, KEY_P256, &opener, out);
}

static fault sign_in_memory(void *owner, const uint8_t digest[32],
                            uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size)
{
    return keypair_sign_digest(owner, digest, out, out_size);
}

/* Signs once with the key that the folder has, or the token, and verifies it. */
static fault check_pair(const struct keys_options *options, struct certificate *certificate)
{
    OWNED(keys_token) token = NULL;
    OWNED(keypair) key = NULL;
    OWNED(secret) passphrase = NULL;
    struct digest_signer signer;
    uint8_t digest[SHA256_BYTES] = {7}, signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    if (options->token != NULL) {
        TRY(keys_token_open(options, &token));
        TRY(keys_token_signer(token, &signer));
    } else {
        TRY(open_signing_key(options, &passphrase, &key));
        signer = (struct digest_signer){sign_in_memory, key};
    }
    TRY(signer.sign(signer.owner, digest, signature, &size));
    if (failed(certificate_verify_digest(certificate, digest, span_of(signature, size))))
        return RAISE(BAD_KEY, "%s is not the certificate of %s", options->certificate,
                     token != NULL ? "the key in the token" : "sign.key");
    return DONE;
}

/* It is of the URI's own object: none that took its place by a renewal is meant any more. */
static fault forget_renewed(const char *folder)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/" SIGNING_OBJECT_FILE, folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    if (unlink(path) != 0 && errno != ENOENT)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    return DONE;
}

fault keys_take_certificate(const struct keys_options *options)
{
    char path[PATH_BYTES];
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    if (options->certificate == NULL)
        return RAISE(BAD_REQUEST, "keys certificate needs --folder and --certificate");
    TRY(certificate_load(options->certificate, &certificate));
    TRY(check_pair(options, certificate));
    if (!text_format(path, sizeof path, "%s/sign.crt", options->folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    TRY(certificate_pem(certificate, &pem));
    TRY(file_replace(path, bytes_span(pem), 0644));
    if (options->token != NULL)
        TRY(forget_renewed(options->folder));
    printf("certificate of %s/%s is in %s\n", certificate_subject(certificate)->member,
           certificate_subject(certificate)->server, path);
    return DONE;
}
