// SPDX-License-Identifier: MIT
#include "lib/crypto/sealed_key.h"

#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#define SCRYPT_N 16384 /* OpenSSL opens no file that would need more than 32 MiB */
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SALT_BYTES_SCRYPT 16

#define LABEL_PLAIN "PRIVATE KEY"
#define LABEL_SEALED "ENCRYPTED PRIVATE KEY"
#define LABEL_SEALED_TEXT "CHASKI ENCRYPTED KEY"

static bool begins(struct span content, const char *label)
{
    char line[64];
    int size = snprintf(line, sizeof line, "-----BEGIN %s-----", label);
    return size > 0 && content.size > (size_t)size && memcmp(content.at, line, (size_t)size) == 0;
}

bool sealed_key_is(struct span content)
{
    return begins(content, LABEL_SEALED) || begins(content, LABEL_SEALED_TEXT);
}

/* The bytes inside one block of PEM. */
static fault unwrap_pem(struct span pem, struct secret **out)
{
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long size = 0;
    OPENSSL_OWNED(BIO) in = BIO_new_mem_buf(pem.at, (int)pem.size);
    if (in == NULL || PEM_read_bio(in, &name, &header, &data, &size) != 1) {
        ignore(crypto_raise(BAD_KEY, "PEM")); /* only to empty the queue */
        return RAISE(BAD_KEY, "no whole PEM block");
    }
    bool fits = size > 0 && size <= SECRET_BYTES_MAX;
    if (fits)
        *out = secret_copy(span_of(data, (size_t)size));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)size);
    return fits ? DONE : RAISE(BAD_KEY, "a PEM block of %ld bytes", size);
}

static fault wrap_pem(const char *label, struct span der, struct bytes **out)
{
    OPENSSL_OWNED(BIO) pem = BIO_new(BIO_s_secmem());
    char *text = NULL;
    if (pem == NULL || PEM_write_bio(pem, label, "", der.at, (long)der.size) <= 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a key");
    long size = BIO_get_mem_data(pem, &text);
    return bytes_copy(span_of(text, (size_t)size), out);
}

/* What is sealed: DER of a PKCS#8 key, or a line of text. */
static fault take_content(struct span plain, struct secret **out, bool *is_text)
{
    *is_text = !begins(plain, LABEL_PLAIN);
    if (!*is_text)
        return unwrap_pem(plain, out);
    if (sealed_key_is(plain))
        return RAISE(BAD_KEY, "it is sealed already");
    for (size_t i = 0; i < plain.size; i++)
        if (plain.at[i] != '\n' && (plain.at[i] < ' ' || plain.at[i] > '~'))
            return RAISE(BAD_KEY, "neither a PKCS#8 key nor a line of text");
    *out = secret_copy(plain);
    return DONE;
}

/* Takes algorithm over. */
static fault encode(X509_ALGOR *algorithm, const unsigned char *sealed, int size, const char *label,
                    struct bytes **out)
{
    OPENSSL_OWNED(X509_SIG) info = X509_SIG_new();
    X509_ALGOR *inside = NULL;
    ASN1_OCTET_STRING *content = NULL;
    unsigned char *der = NULL;
    if (info != NULL)
        X509_SIG_getm(info, &inside, &content);
    bool fine = info != NULL && X509_ALGOR_copy(inside, algorithm) == 1 &&
                ASN1_OCTET_STRING_set(content, sealed, size) == 1;
    int bytes = fine ? i2d_X509_SIG(info, &der) : 0;
    fault f = bytes > 0 ? wrap_pem(label, span_of(der, (size_t)bytes), out)
                        : crypto_raise(CRYPTO_FAILED, "sealing a key");
    OPENSSL_free(der);
    return f;
}

fault sealed_key_make(struct span plain, struct span passphrase, struct bytes **out)
{
    bool is_text = false;
    OWNED(secret) content = NULL;
    if (passphrase.size < PASSPHRASE_BYTES_LEAST)
        return RAISE(BAD_PASSPHRASE, "a passphrase has at least %d bytes", PASSPHRASE_BYTES_LEAST);
    TRY(take_content(plain, &content, &is_text));
    OPENSSL_OWNED(X509_ALGOR)
    algorithm = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, SALT_BYTES_SCRYPT, NULL, SCRYPT_N,
                                      SCRYPT_R, SCRYPT_P);
    unsigned char *sealed = NULL;
    int size = 0;
    if (algorithm == NULL ||
        PKCS12_pbe_crypt(algorithm, (const char *)passphrase.at, (int)passphrase.size,
                         content->data, (int)content->size, &sealed, &size, 1) == NULL)
        return crypto_raise(CRYPTO_FAILED, "sealing a key");
    fault f = encode(algorithm, sealed, size, is_text ? LABEL_SEALED_TEXT : LABEL_SEALED, out);
    OPENSSL_free(sealed);
    return f;
}

// --- opening ------------------------------------------------------------------------------------

static fault decrypt(const X509_SIG *info, struct span passphrase, struct secret **out)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OCTET_STRING *content = NULL;
    const ASN1_OBJECT *kind = NULL;
    unsigned char *plain = NULL;
    int size = 0;
    X509_SIG_get0(info, &algorithm, &content);
    X509_ALGOR_get0(&kind, NULL, NULL, algorithm);
    if (OBJ_obj2nid(kind) != NID_pbes2)
        return RAISE(BAD_KEY, "sealed otherwise than with PBES2");
    bool opened = PKCS12_pbe_crypt(algorithm, (const char *)passphrase.at, (int)passphrase.size,
                                   ASN1_STRING_get0_data(content), ASN1_STRING_length(content),
                                   &plain, &size, 0) != NULL;
    bool fits = opened && size > 0 && size <= SECRET_BYTES_MAX;
    if (fits)
        *out = secret_copy(span_of(plain, (size_t)size));
    if (opened)
        OPENSSL_clear_free(plain, (size_t)size);
    if (fits)
        return DONE;
    ignore(crypto_raise(BAD_PASSPHRASE, "opening")); /* only to empty the queue */
    return RAISE(BAD_PASSPHRASE, "it does not open");
}

static bool is_pkcs8(const struct secret *der)
{
    const unsigned char *at = der->data;
    OPENSSL_OWNED(PKCS8_PRIV_KEY_INFO)
    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der->size);
    if (info == NULL)
        ignore(crypto_raise(BAD_PASSPHRASE, "PKCS#8")); /* only to empty the queue */
    return info != NULL && at == der->data + der->size;
}

/* A wrong passphrase gets past the padding once in 256 times. */
static fault check_content(const struct secret *content, bool is_text)
{
    bool good = is_text || is_pkcs8(content);
    for (size_t i = 0; is_text && good && i < content->size; i++)
        good = content->data[i] == '\n' || (content->data[i] >= ' ' && content->data[i] <= '~');
    return good ? DONE : RAISE(BAD_PASSPHRASE, "what comes out is no key");
}

fault sealed_key_open(struct span sealed, struct span passphrase, struct secret **out)
{
    bool is_text = begins(sealed, LABEL_SEALED_TEXT);
    OWNED(secret) der = NULL;
    OWNED(secret) content = NULL;
    OWNED(bytes) pem = NULL;
    TRY(unwrap_pem(sealed, &der));
    const unsigned char *at = der->data;
    OPENSSL_OWNED(X509_SIG) info = d2i_X509_SIG(NULL, &at, (long)der->size);
    if (info == NULL) {
        ignore(crypto_raise(BAD_KEY, "sealed key")); /* only to empty the queue */
        return RAISE(BAD_KEY, "no sealed key of a form that is known");
    }
    TRY(decrypt(info, passphrase, &content));
    TRY(check_content(content, is_text));
    if (is_text) {
        *out = TAKE(content);
        return DONE;
    }
    TRY(wrap_pem(LABEL_PLAIN, secret_span(content), &pem));
    *out = secret_copy(bytes_span(pem));
    OPENSSL_cleanse(pem->data, pem->size);
    return DONE;
}
