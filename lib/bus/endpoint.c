// SPDX-License-Identifier: MIT
#include "lib/bus/endpoint.h"

#include "lib/base/text.h"

/* Stands for an escaped slash: no decoded path holds a percent sign otherwise. */
#define ESCAPED_SLASH '%'

/* Ways to read a path, as bits. */
enum {
    SLASHES_DECODED = 1,
    PARAMETERS_DROPPED = 2,
    END_DROPPED = 4, /* a slash there */
    ANY_CASE = 8,
    READINGS = 16
};

// --- making -------------------------------------------------------------------------------------

static bool is_method(const char *method)
{
    static const char *const methods[] = {"*",     "DELETE", "GET", "HEAD", "OPTIONS",
                                          "PATCH", "POST",   "PUT", "TRACE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

fault endpoint_compile(const char *method, const char *path, struct endpoint *out)
{
    struct glob glob;
    if (!is_method(method))
        return RAISE(BAD_REQUEST, "the method is neither * nor one of X-Road's, in capitals");
    if (path[0] != '/' && strncmp(path, "**", 2) != 0)
        return RAISE(BAD_REQUEST, "the path's pattern does not begin with / or **");
    if (strchr(path, '%') != NULL)
        return RAISE(BAD_REQUEST,
                     "a percent sign in the path's pattern: it is of the decoded path");
    TRY(glob_compile(span_of_text(path), &glob));
    out->method = method;
    out->path = path;
    out->glob = glob;
    return DONE;
}

// --- reading a path -----------------------------------------------------------------------------

struct reading {
    size_t size;
    uint8_t text[ENDPOINT_PATH_BYTES_MAX];
};

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes once. */
static fault decode(struct span path, struct reading *out)
{
    out->size = 0;
    if (path.size > sizeof out->text)
        return RAISE(BAD_REQUEST, "a path of %zu bytes, where services with endpoints take %zu",
                     path.size, sizeof out->text);
    for (size_t i = 0; i < path.size; i++) {
        uint8_t c = path.at[i];
        bool escaped = c == '%';
        if (escaped) {
            int high = path.size - i < 3 ? -1 : hex_value(path.at[i + 1]);
            int low = path.size - i < 3 ? -1 : hex_value(path.at[i + 2]);
            if (high < 0 || low < 0)
                return RAISE(BAD_REQUEST, "a broken percent escape in the path");
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || c == '\\' || c == '%')
            return RAISE(BAD_REQUEST, "a control byte, backslash or escaped percent in the path");
        out->text[out->size++] = escaped && c == '/' ? ESCAPED_SLASH : c;
    }
    if (!text_is_utf8(span_of(out->text, out->size)))
        return RAISE(BAD_REQUEST, "bytes in the path that are no UTF-8");
    return DONE;
}

/* In which ways it may be read; those that are missing change nothing of it. */
static unsigned ways_of(const struct reading *self)
{
    unsigned ways = ANY_CASE | END_DROPPED;
    for (size_t i = 0; i < self->size; i++) {
        ways |= self->text[i] == ESCAPED_SLASH ? SLASHES_DECODED : 0;
        ways |= strchr(";?#", self->text[i]) != NULL ? PARAMETERS_DROPPED : 0;
    }
    return ways;
}

static void read_as(const struct reading *from, unsigned way, struct reading *out)
{
    bool parameter = false;
    out->size = 0;
    for (size_t i = 0; i < from->size; i++) {
        uint8_t c = from->text[i];
        if (c == ESCAPED_SLASH && (way & SLASHES_DECODED) != 0)
            c = '/';
        if ((c == '?' || c == '#') && (way & PARAMETERS_DROPPED) != 0)
            break; /* it was escaped: who decodes first takes it for the end of the path */
        if (c == '/')
            parameter = false;
        else if (c == ';' && (way & PARAMETERS_DROPPED) != 0)
            parameter = true;
        if (!parameter)
            out->text[out->size++] = c;
    }
    if ((way & END_DROPPED) != 0 && out->size > 1 && out->text[out->size - 1] == '/')
        out->size--;
}

/* What a service may resolve by itself into another path. */
static fault check_parts(const struct reading *self)
{
    size_t start = 1;
    if (self->size == 0 || self->text[0] != '/')
        return RAISE(BAD_REQUEST, "a path that does not begin with a slash");
    for (size_t i = 1; i <= self->size; i++) {
        if (i < self->size && self->text[i] != '/')
            continue;
        struct span part = span_of(self->text + start, i - start);
        if (span_is_text(part, ".") || span_is_text(part, ".."))
            return RAISE(BAD_REQUEST, "a dot segment in the path, or in a way to read it");
        if (part.size == 0 && i < self->size)
            return RAISE(BAD_REQUEST, "a doubled slash in the path, or in a way to read it");
        start = i + 1;
    }
    return DONE;
}

// --- finding ------------------------------------------------------------------------------------

/* HEAD is GET whose answer has no body: what it tells, that there is such a path and how long it
 * is, is of the same endpoint. */
static bool is_of_method(struct span method, const char *rule)
{
    return rule[0] == '*' || text_same_word(method, span_of_text(rule)) ||
           (strcmp(rule, "GET") == 0 && text_same_word(method, span_of_text("HEAD")));
}

static size_t first_of(const struct endpoint *list, size_t count, struct span method,
                       const struct reading *path, unsigned way)
{
    struct span text = span_of(path->text, path->size);
    for (size_t i = 0; i < count; i++)
        if (is_of_method(method, list[i].method) &&
            ((way & ANY_CASE) != 0 ? glob_matches_any_case(&list[i].glob, text)
                                   : glob_matches(&list[i].glob, text)))
            return i;
    return count;
}

fault endpoint_find(const struct endpoint *list, size_t count, struct span method, struct span path,
                    size_t *out)
{
    struct reading plain, other;
    TRY(decode(path.size == 0 ? span_of_text("/") : path, &plain));
    TRY(check_parts(&plain));
    unsigned ways = ways_of(&plain);
    size_t found = first_of(list, count, method, &plain, 0);
    for (unsigned way = 1; way < READINGS; way++) {
        if ((way & ~ways) != 0)
            continue;
        read_as(&plain, way, &other);
        TRY(check_parts(&other));
        if (first_of(list, count, method, &other, way) != found)
            return RAISE(BAD_REQUEST,
                         "an escaped slash, a parameter, a slash at the end or another case of "
                         "letters in the path, by which it may be read as the path of two "
                         "endpoints of this service");
    }
    *out = found;
    return DONE;
}
