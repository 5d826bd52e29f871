// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate_private.h"

#include "lib/base/file.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define PEM_BYTES_MAX (1u << 20) /* of a file of certificates */

fault certificate_next_of_pem(BIO *in, const char *path, struct bytes **out)
{
    unsigned char *der = NULL;
    long size = 0;
    ERR_clear_error();
    if (PEM_bytes_read_bio(&der, &size, NULL, PEM_STRING_X509, in, NULL, NULL) != 1) {
        bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        return ended ? RAISE(NOT_FOUND, "%s holds no further certificate", path)
                     : RAISE(CERTIFICATE_BAD, "%s is not sound PEM", path);
    }
    fault copied = bytes_copy(span_of(der, (size_t)size), out);
    OPENSSL_free(der);
    return copied;
}

/* The whole file at once: it may come from a stranger's folder, be a pipe, or have no end. */
fault certificate_open_pem(const char *path, BIO **out)
{
    OWNED(bytes) whole = NULL;
    if (failed(file_read(path, PEM_BYTES_MAX, &whole)))
        return RAISE(IO_FAILED, "opening %s: %s", path, fault_detail());
    OPENSSL_OWNED(BIO) in = BIO_new(BIO_s_mem());
    if (in == NULL ||
        (whole->size > 0 && BIO_write(in, whole->data, (int)whole->size) != (int)whole->size))
        return crypto_raise(CRYPTO_FAILED, "reading a PEM file");
    *out = TAKE(in);
    return DONE;
}

static fault read_first(BIO *in, const char *name, struct certificate **out)
{
    OWNED(bytes) der = NULL;
    fault found = certificate_next_of_pem(in, name, &der);
    if (found.code == NOT_FOUND)
        return RAISE(CERTIFICATE_BAD, "%s holds no certificate", name);
    TRY(found);
    return certificate_parse(bytes_span(der), out);
}

fault certificate_load(const char *path, struct certificate **out)
{
    BIO *opened = NULL;
    TRY(certificate_open_pem(path, &opened));
    OPENSSL_OWNED(BIO) in = opened;
    return read_first(in, path, out);
}

fault certificate_read(struct span pem, struct certificate **out)
{
    OPENSSL_OWNED(BIO) in = pem.size > INT_MAX ? NULL : BIO_new_mem_buf(pem.at, (int)pem.size);
    if (in == NULL)
        return crypto_raise(CRYPTO_FAILED, "reading a certificate");
    return read_first(in, "the PEM text", out);
}

fault certificate_load_all(const char *path, struct bytes **out, size_t room, size_t *count)
{
    BIO *opened = NULL;
    TRY(certificate_open_pem(path, &opened));
    OPENSSL_OWNED(BIO) in = opened;
    fault found = DONE;
    for (*count = 0; !failed(found) && *count < room;)
        if (!failed(found = certificate_next_of_pem(in, path, &out[*count])))
            ++*count;
    if (*count > 0 && (!failed(found) || found.code == NOT_FOUND)) {
        OWNED(bytes) more = NULL;
        if (failed(certificate_next_of_pem(in, path, &more)))
            return DONE;
        found = RAISE(CERTIFICATE_BAD, "%s holds more than %zu certificates", path, room);
    }
    while (*count > 0)
        bytes_free(&out[--*count]);
    return found.code == NOT_FOUND ? RAISE(CERTIFICATE_BAD, "%s holds no certificate", path)
                                   : found;
}
