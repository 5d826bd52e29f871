// SPDX-License-Identifier: MIT
/*
 * subject_merge - what the servers of a country say of a person, put together: each exchange once,
 * with what both its sides hold, and by name the servers that were cut, are late, or were not
 * asked.
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

/* It is asked now, once more. */
void subject_merge_ask(struct subject_merge *self, size_t server);
/*
 * A page that this server gave. *next: what to ask for its next page with; 0: that was all, or all
 * that there is room for: SUBJECT_SERVER_ENTRIES_MAX of one server, SUBJECT_VIEW_ENTRIES_MAX in
 * all. What was left out is never silent: see subject_merge_is_cut(). BAD_FRAME: no page, another
 * server's, or one that leads nowhere.
 */
fault subject_merge_page(struct subject_merge *self, size_t server, struct span payload,
                         uint64_t *next);
bool subject_merge_is_cut(const struct subject_merge *self, size_t server);
/* It has given all that it was asked for. */
void subject_merge_end(struct subject_merge *self, size_t server);
/* It said nothing in time, and may yet be asked again; or it gives nothing, and why: the word of a
 * fault. */
void subject_merge_silent(struct subject_merge *self, size_t server, const char *word,
                          const char *detail);
void subject_merge_fail(struct subject_merge *self, size_t server, const char *word,
                        const char *detail);

/*
 * The whole, for now_ms; the caller's.
 *   complete      every server gave all it holds
 *   counts        servers, and how many of them are of each list below, or cut
 *   accesses      exchanges, the newest first
 *   looks         officers who had the pseudonym computed, to search with it
 *   views         who asked what stands here, and how often
 *   answered      servers that gave what they hold; `more`: not all of it, for there was no room
 *   late          asked, and silent; failed: asked, and they said why not; not_asked: the time was
 *                 over before
 */
json_t *subject_merge_json(struct subject_merge *self, int64_t now_ms);

#endif
