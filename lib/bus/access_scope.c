// SPDX-License-Identifier: MIT
#include "lib/bus/access_scope.h"

static bool is_in(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

bool access_scope_covers(const struct access_scope *self, const char *endpoint, const char *column)
{
    return (self->endpoints == 0 || is_in(self->endpoint, self->endpoints, endpoint)) &&
           (self->columns == 0 || column == NULL || is_in(self->column, self->columns, column));
}

/* Of two lists that say "all" by being empty. */
static bool includes(const char *const *list, size_t count, const char *const *part, size_t parts)
{
    for (size_t i = 0; count > 0 && i < parts; i++)
        if (!is_in(list, count, part[i]))
            return false;
    return count == 0 || parts > 0;
}

static bool meets(const char *const *list, size_t count, const char *const *other, size_t others)
{
    for (size_t i = 0; i < others; i++)
        if (is_in(list, count, other[i]))
            return true;
    return count == 0 || others == 0;
}

bool access_scope_includes(const struct access_scope *self, const struct access_scope *part)
{
    return includes(self->endpoint, self->endpoints, part->endpoint, part->endpoints) &&
           includes(self->column, self->columns, part->column, part->columns);
}

bool access_scope_meets(const struct access_scope *self, const struct access_scope *other)
{
    return meets(self->endpoint, self->endpoints, other->endpoint, other->endpoints) &&
           meets(self->column, self->columns, other->column, other->columns);
}

bool access_scope_equal(const struct access_scope *left, const struct access_scope *right)
{
    return access_scope_includes(left, right) && access_scope_includes(right, left);
}

/* What no endpoint fits goes by the service's class, and so does a table. */
bool access_scope_is_open(const struct access_scope *self, const struct directory_service *service)
{
    size_t endpoints = 0, columns = 0;
    bool open = service != NULL && (self->endpoints > 0 || service->class == SERVICE_OPEN);
    for (size_t i = 0; open && i < service->endpoints; i++)
        if (access_scope_covers(self, service->endpoint[i].id, NULL)) {
            endpoints++;
            open = service->endpoint[i].class == SERVICE_OPEN;
        }
    for (size_t i = 0; open && i < service->columns; i++)
        if (self->columns == 0 || is_in(self->column, self->columns, service->column[i].name)) {
            columns++;
            open = service->column[i].class == SERVICE_OPEN;
        }
    return open && endpoints >= self->endpoints && columns >= self->columns;
}

struct access_scope access_scope_of_grant(const struct directory_grant *grant)
{
    return (struct access_scope){grant->endpoints, grant->columns,
                                 (const char *const *)grant->endpoint,
                                 (const char *const *)grant->column};
}

struct access_scope access_scope_of_restriction(const struct directory_restriction *restriction)
{
    return (struct access_scope){restriction->endpoints, restriction->columns,
                                 (const char *const *)restriction->endpoint,
                                 (const char *const *)restriction->column};
}
