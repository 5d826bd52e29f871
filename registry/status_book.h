// SPDX-License-Identifier: MIT
/*
 * status_book - STORE/statuses: what outside authorities said of the certificates that they issued.
 *
 *   <sha256>/<seconds>.ocsp   an answer about the certificate of this SHA-256, of that thisUpdate
 *   <sha256>/<seconds>.crl    a list by the authority whose own certificate has this SHA-256
 *   revoked/<sha256>.ocsp|.crl   proof of a revocation that is to become an act
 *   state.json                for each certificate when it was asked for, and what came of it
 *
 * Kept for good: the first answer of each STATUS_KEEP_MS, and each that says anything else than the
 * one before. Answers are checked before they come here.
 */
#ifndef REGISTRY_STATUS_BOOK_H
#define REGISTRY_STATUS_BOOK_H

#include "lib/base/bytes.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/status.h"

#define STATUS_KEEP_MS INT64_C(86400000)
#define STATUS_BOOK_BYTES_MAX (16u << 20) /* of state.json */
#define STATUS_PUBLISHED_MAX 3            /* answers of one certificate that are published */

/* What is known of one certificate. Times are 0 when there is none. */
struct status_note {
    char sha256[2 * SHA256_BYTES + 1];
    int64_t asked_ms;
    int64_t answered_ms; /* the last time that a sound answer came */
    int64_t this_update_ms, until_ms;
    int64_t kept_ms; /* thisUpdate of the last answer that was kept */
    char verdict[12];
    char problem[256]; /* why nothing came the last time, or "" */
};

struct status_book;

/* Empty when there is no folder yet. LOG_BROKEN when state.json is damaged. */
fault status_book_open(const char *store, struct status_book **out);
void status_book_free(struct status_book **self);

/* What is known of the certificate; made empty when nothing is. Lent. */
struct status_note *status_book_note(struct status_book *self, const struct sha256 *certificate);
/* The same, or NULL. */
const struct status_note *status_book_find(const struct status_book *self,
                                           const struct sha256 *certificate);

/* Writes the answer down in its note and, if it is one to be kept, keeps it, durable. `issuer` is
 * the hash of the authority's certificate. */
fault status_book_take(struct status_book *self, struct status_note *note,
                       const struct sha256 *issuer, enum status_form form, struct span answer,
                       const struct status *status, int64_t now_ms);
/* Keeps the proof of a revocation until it has become an act. */
fault status_book_put_proof(const struct status_book *self, const struct status_note *note,
                            enum status_form form, struct span proof);
/* NOT_FOUND when there is none. */
fault status_book_proof(const struct status_book *self, const struct sha256 *certificate,
                        enum status_form *form, struct bytes **out);
/* Once its act stands in the directory. */
void status_book_drop_proof(const struct status_book *self, const struct sha256 *certificate);
/* Durable. */
fault status_book_save(const struct status_book *self);

/*
 * Copies what was kept into FOLDER/status/, answers as they are here, and writes
 * FOLDER/status/index last: a line `<sha256>/<seconds>.ocsp|.crl` for each of the newest
 * STATUS_PUBLISHED_MAX of each certificate and list. Older ones stay in the folder.
 */
fault status_book_publish(const char *store, const char *folder);

#endif
