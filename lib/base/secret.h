// SPDX-License-Identifier: MIT
/*
 * secret - bytes that are wiped when they are freed, kept out of swap and of core dumps; and where
 * an operator's secrets (a passphrase, a token's PIN) are read from.
 *
 * A source is written as
 *   credential:NAME   $CREDENTIALS_DIRECTORY/NAME, as systemd's LoadCredential= gives it
 *   file:PATH         a regular file that only its owner may read
 *   fd:N              an open descriptor, read to its end; once
 *   terminal          asked for on the terminal of this process, without echo
 * never the secret itself: command lines and environments are seen by others.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "lib/base/bytes.h"

#define SECRET_BYTES_MAX 16384    /* of any secret: a key file */
#define PASSPHRASE_BYTES_MAX 1024 /* of what a source holds, without a newline at its end */

struct secret {
    size_t size;
    size_t mapped;
    uint8_t data[];
};

/* `size` zeroed bytes, at most SECRET_BYTES_MAX (asserted). Never NULL. */
struct secret *secret_new(size_t size);
struct secret *secret_copy(struct span from);
void secret_free(struct secret **self); /* wipes */

static inline struct span secret_span(const struct secret *self)
{
    return self == NULL ? (struct span){NULL, 0} : span_of(self->data, self->size);
}

/* Is this text a source? BAD_CONFIG with what a source is; reads nothing. */
fault secret_check(const char *source);
/* The file behind credential: and file:. BAD_CONFIG for another source, or without
 * $CREDENTIALS_DIRECTORY. */
fault secret_path(const char *source, char *out, size_t room);
/* Reads a secret of 1 to PASSPHRASE_BYTES_MAX bytes; one newline at its end is not part of it.
 * `what` names it in questions and faults, such as "passphrase". Waits for whoever types or writes
 * it. BAD_CONFIG for what is no source, else BAD_PASSPHRASE: missing, empty, too long, or readable
 * by others. */
fault secret_read(const char *source, const char *what, struct secret **out);
/* The same for a new one: a terminal asks twice. BAD_PASSPHRASE when the two differ, too. */
fault secret_read_new(const char *source, const char *what, struct secret **out);

#endif
