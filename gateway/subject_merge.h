// SPDX-License-Identifier: MIT
/*
 * subject_merge - what the servers of a country say of a person, put together: each exchange once,
 * with what both its sides hold, and the servers that said nothing by name.
 */
#ifndef GATEWAY_SUBJECT_MERGE_H
#define GATEWAY_SUBJECT_MERGE_H

#include "lib/bus/pseudonym.h"

#include <jansson.h>

struct subject_merge;

struct subject_merge *subject_merge_new(void);
void subject_merge_free(struct subject_merge **self);

/* A server that is asked; its number. All are copied. */
size_t subject_merge_server(struct subject_merge *self, const char *id, const char *name);

/* A page that this server gave. *next: what to ask for its next page with; 0: that was all.
 * BAD_FRAME: no page, or another server's. OVERLOADED: more than SUBJECT_VIEW_ENTRIES_MAX
 * exchanges. */
fault subject_merge_page(struct subject_merge *self, size_t server, struct span payload,
                         uint64_t *next);
/* It has given all its pages; or it gives none, and why: the word of a fault. */
void subject_merge_end(struct subject_merge *self, size_t server);
void subject_merge_fail(struct subject_merge *self, size_t server, const char *word,
                        const char *detail);

/*
 * The whole, for now_ms; the caller's.
 *   complete      every server gave all it holds
 *   accesses      exchanges, the newest first
 *   looks         officers who had the pseudonym computed, to search with it
 *   views         who asked what stands here, and how often
 *   answered, not_answered    servers
 */
json_t *subject_merge_json(struct subject_merge *self, int64_t now_ms);

#endif
