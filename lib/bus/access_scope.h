// SPDX-License-Identifier: MIT
/*
 * access_scope - which parts of a service a request for access, its decision or a right is about:
 * endpoints by their ids, columns by their names. None named: all there are, also later.
 *
 * Pure; nothing here waits or fails.
 */
#ifndef BUS_ACCESS_SCOPE_H
#define BUS_ACCESS_SCOPE_H

#include "lib/bus/directory.h"

struct access_scope {
    size_t endpoints, columns;
    const char *const *endpoint, *const *column; /* a request's are rising */
};

/* Is what is asked part of it? An endpoint's id, or "" for what no endpoint fits; a column's name,
 * or NULL for the table: as a grant of columns, one of these opens the table and gives them. */
bool access_scope_covers(const struct access_scope *self, const char *endpoint, const char *column);
/* Is all of `part` part of it? */
bool access_scope_includes(const struct access_scope *self, const struct access_scope *part);
/* Have they anything in common? */
bool access_scope_meets(const struct access_scope *self, const struct access_scope *other);
bool access_scope_equal(const struct access_scope *left, const struct access_scope *right);
/* Would any member have all of it if nothing restricted it? Not if the service has it no more. */
bool access_scope_is_open(const struct access_scope *self, const struct directory_service *service);

struct access_scope access_scope_of_grant(const struct directory_grant *grant);
struct access_scope access_scope_of_restriction(const struct directory_restriction *restriction);

#endif
