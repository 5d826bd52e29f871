// SPDX-License-Identifier: MIT
/*
 * notice - what is to be said, at a time, of a right that ends or of somebody who is late: by name,
 * so that it is said once. A pure function of the directory's things and the time.
 *
 * Names. They are signed into evidence (kind NOTICE) and stay for ever:
 *   restriction/ends-in-60-days ID, restriction/ends-in-30-days ID, restriction/ends-in-7-days ID
 *   restriction/ended ID
 *   access/overdue ID                    the arbiter's time is over
 *   break-glass/review-due ID            an emergency is over
 *   break-glass/review-overdue ID
 */
#ifndef BUS_NOTICE_H
#define BUS_NOTICE_H

#include "lib/bus/access.h"

#define NOTICE_NAME_ROOM (WORD_BYTES_MAX + 40)

struct notice {
    char name[NOTICE_NAME_ROOM];
    int64_t since_ms; /* from when it holds: what was said before then was said of an earlier end */
};

/* Of a restriction: the nearest reminder that has come, or that it has ended, as long as that is
 * news (NOTICE_NEWS_MS). false: nothing. */
bool notice_of_restriction(const struct directory_restriction *restriction, int64_t at_ms,
                           struct notice *out);
/* When something new will be to be said of it; INT64_MAX: never again. */
int64_t notice_next_ms(const struct directory_restriction *restriction, int64_t at_ms);
bool notice_is_of_an_end(const struct notice *self);
/* Of a request whose arbiter is late, and of an emergency that is over. */
bool notice_of_request(const struct directory *directory, const struct directory_request *request,
                       int64_t at_ms, struct notice *out);
bool notice_of_break_glass(const struct directory_break_glass *glass, int64_t at_ms,
                           struct notice *out);

#endif
