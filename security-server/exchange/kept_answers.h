// SPDX-License-Identifier: MIT
/*
 * kept_answers - outcomes whose payload is not written down, in memory until their requests cannot
 * come again: a double gets what the first one got. A bounded room; what is pushed out of it, and
 * all of it after a restart, is an outcome that is not known, and nothing runs a second time for
 * it.
 */
#ifndef EXCHANGE_KEPT_ANSWERS_H
#define EXCHANGE_KEPT_ANSWERS_H

#include "lib/base/bytes.h"
#include "lib/base/loop.h"

struct kept_answers;

struct kept_answers *kept_answers_new(struct loop *loop);
void kept_answers_free(struct kept_answers **self);

/* Salt || payload of the answer that stands at `index` in the log. */
void kept_answers_add(struct kept_answers *self, uint64_t index, int64_t until_wall_ms,
                      struct span blob);
/* A copy, or NULL. */
void kept_answers_find(const struct kept_answers *self, uint64_t index, struct bytes **out);

#endif
