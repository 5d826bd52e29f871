// SPDX-License-Identifier: MIT
/*
 * subject_page - a page of what a server's log holds about a person, being made: entries as the
 * signed headers have them, with names and purposes in the words of the directory of now.
 */
#ifndef EXCHANGE_SUBJECT_PAGE_H
#define EXCHANGE_SUBJECT_PAGE_H

#include "lib/bus/directory.h"
#include "lib/bus/subject_index.h"

struct subject_page;

/* All are copied. log_size: entries that were looked through. */
struct subject_page *subject_page_new(const char *server, const char *origin, uint64_t log_size);
void subject_page_free(struct subject_page **self);

/* leaf: of the request, or of the outcome when there is no request; one that cannot be read counts
 * as missed. payload: of the entry, or empty; of a LATE record it is the leaf that came, in whose
 * words the exchange is told. At most SUBJECT_PAGE_MAX are added. */
void subject_page_add(struct subject_page *self, const struct directory *directory,
                      const struct subject_found *found, struct span leaf, struct span payload);
/* An entry that the log does not hold any more. */
void subject_page_miss(struct subject_page *self);

/* As proto/subject.proto; bytes_free() it. */
fault subject_page_pack(const struct subject_page *self, uint64_t next, struct bytes **out);

#endif
