// SPDX-License-Identifier: MIT
/* acts_signer - for tests: acts of a book that somebody else signs than the book's own authority.
 */
#ifndef TESTS_ACTS_SIGNER_H
#define TESTS_ACTS_SIGNER_H

#include "tests/unit/bus/book.h"

/* Who signs acts from here on; the book's own until then is lent by the caller. */
struct signer {
    struct keypair *key;
    struct certificate *certificate;
};

static inline struct signer signer_make(struct book *book, const char *member)
{
    struct signer self = {0};
    self.certificate = book_issue(book, member, "registry", &self.key);
    return self;
}

static inline void signer_end(struct signer *self)
{
    keypair_free(&self->key);
    certificate_free(&self->certificate);
}

static inline ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

/* by NULL: the key that gives way is lost. */
static inline void add_change(struct book *book, const struct certificate *before,
                              struct keypair *by, const struct certificate *after)
{
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 digest = act_signer_digest(certificate_der(before), certificate_der(after));
    if (by != NULL)
        MUST(keypair_sign_digest(by, digest.at, signature, &size));
    BOOK_ACT(book, ACTS_KEY_SET, acts_key_set, CHASKI__ACTS_KEY_SET__INIT,
             it->certificate_before = binary(certificate_der(before)),
             it->certificate = binary(certificate_der(after)),
             it->signature_before = binary(span_of(signature, size)));
}

static inline void drop_last(struct book *book)
{
    book->count--;
    bytes_free(&book->act[book->count]);
    bytes_free(&book->leaf[book->count]);
}

/* The last act, signed by somebody else than the book. */
static inline void sign_last(struct book *book, const struct signer *by)
{
    book->leaf[book->count - 1] =
        book_sign(by->key, by->certificate, book->act[book->count - 1], book->time_ms - 1000);
}

static inline fault fold(struct book *book, struct directory **out)
{
    book_sign_all(book);
    return directory_fold(book->leaves, book->count, book->trust, book->authority, out);
}

#endif
