// SPDX-License-Identifier: MIT
#include "lib/bus/source_query.h"

#include "lib/base/fault.h"

#include <string.h>

#define SEGMENT_SIGNS "-._~:@,=+$!*'()"
#define NAME_SIGNS "-._~"
#define VALUE_SIGNS "-._~:@,+!*'()"

// --- the form -----------------------------------------------------------------------------------

static bool is_ordinary(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* How many bytes from there on are ordinary, of these signs, or {places}. */
static size_t run_of(const char *at, const char *signs, bool places)
{
    const char *from = at;
    while (*at != '\0') {
        const char *end = places && *at == '{' ? strchr(at, '}') : NULL;
        if (end != NULL)
            at = end + 1;
        else if (is_ordinary(*at) || strchr(signs, *at) != NULL)
            at++;
        else
            break;
    }
    return (size_t)(at - from);
}

#define RULE(...) RAISE(DIRECTORY_BAD, "the path of source " __VA_ARGS__)

static bool is_dots(const char *at, size_t size)
{
    return (size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.');
}

static fault check_segments(const char *id, const char **at)
{
    while (**at == '/') {
        const char *segment = *at + 1;
        size_t size = run_of(segment, SEGMENT_SIGNS, true);
        if (is_dots(segment, size))
            return RULE("%.100s has a segment of dots: each segment is what it looks like", id);
        if (size == 0 && segment[0] == '/')
            return RULE("%.100s has two slashes together: no segment but the last is empty", id);
        *at = segment + size;
    }
    return DONE;
}

static fault check_words(const char *id, const char **at)
{
    do {
        const char *word = *at + 1;
        size_t size = run_of(word, NAME_SIGNS, false);
        if (size == 0 || word[size] != '=')
            return RULE("%.100s has a query that is not name=value, joined by &: a name has "
                        "letters, digits and -._~",
                        id);
        word += size + 1;
        *at = word + run_of(word, VALUE_SIGNS, true);
    } while (**at == '&');
    return DONE;
}

fault source_query_check(const char *id, const char *path)
{
    const char *at = path;
    TRY(check_segments(id, &at));
    if (*at == '?')
        TRY(check_words(id, &at));
    if (*at != '\0')
        return RULE("%.100s has a sign at byte %zu that stands for another one or ends it: it is "
                    "letters, digits, {places} and " SEGMENT_SIGNS
                    ", and no percent sign, fragment or second question mark",
                    id, (size_t)(at - path));
    return DONE;
}

// --- a request ----------------------------------------------------------------------------------

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* The bytes of one letter of a value there, as it is escaped; 0: none. */
static size_t letter_at(struct span target, size_t i)
{
    if (i >= target.size)
        return 0;
    uint8_t c = target.at[i];
    if (c == '%')
        return target.size - i >= 3 && is_hex(target.at[i + 1]) && is_hex(target.at[i + 2]) ? 3 : 0;
    return c < 128 && (is_ordinary((char)c) || c == '-' || c == '_' || c == '~') ? 1 : 0;
}

/* A place takes as little as it can; where the rest does not fit, the last one takes a letter more.
 * Going back further is never needed: all places take the same letters. */
bool source_query_fits(const char *path, struct span target)
{
    const char *again = NULL; /* behind the last place */
    size_t i = 0, taken = 0;  /* up to here that place has taken */
    while (i < target.size) {
        const char *end = *path == '{' ? strchr(path, '}') : NULL;
        size_t letter = end != NULL ? letter_at(target, i) : 0;
        if (end == NULL && *path != '\0' && (uint8_t)*path == target.at[i]) {
            path++;
            i++;
        } else if (end != NULL && letter > 0) {
            i = taken = i + letter;
            again = path = end + 1;
        } else if (again != NULL && (letter = letter_at(target, taken)) > 0) {
            i = taken = taken + letter;
            path = again;
        } else {
            return false;
        }
    }
    return *path == '\0';
}
