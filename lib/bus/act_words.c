// SPDX-License-Identifier: MIT
#include "lib/bus/directory_acts.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

#define TIME_MS_END UINT64_C(2524608000000) /* 2050-01-01, as in a leaf */

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

void *directory_make(struct directory *self, size_t size)
{
    return arena_make(&self->memory, size);
}

const char *directory_keep_text(struct directory *self, const char *from)
{
    return arena_text(&self->memory, from);
}

const char **directory_keep_texts(struct directory *self, char *const *from, size_t count)
{
    const char **out = directory_make(self, (count + 1) * sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = directory_keep_text(self, from[i]);
    return out;
}

// --- checks -------------------------------------------------------------------------------------

/* Plain text for people; it reaches JSON, terminals and HTTP fields. */
fault act_text(const char *what, const char *text)
{
    size_t size = strlen(text);
    if (size > WORD_BYTES_MAX || !text_is_plain(span_of(text, size)))
        return BAD("%s is longer than %d bytes, or not UTF-8 without control characters", what,
                   WORD_BYTES_MAX);
    return DONE;
}

fault act_word(const char *what, const char *word)
{
    if (word[0] == '\0')
        return BAD("%s is missing", what);
    return act_text(what, word);
}

/* A name that travels in an HTTP field and in a rule: visible ASCII. */
fault act_code(const char *what, const char *code)
{
    TRY(act_word(what, code));
    for (const char *c = code; *c != '\0'; c++)
        if (*c <= 0x20 || *c >= 0x7f)
            return BAD("%s may hold visible ASCII only, no blank: %.100s", what, code);
    return DONE;
}

fault act_time(const char *what, uint64_t time_ms)
{
    return time_ms == 0 || time_ms >= TIME_MS_END ? BAD("%s is not between 1970 and 2049", what)
                                                  : DONE;
}

static bool is_host(struct span host, const char *others)
{
    for (size_t i = 0; i < host.size; i++) {
        char c = (char)host.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return host.size > 0;
}

/* name:port, 1.2.3.4:port or [::1]:port. */
static bool is_host_and_port(struct span text)
{
    struct cursor left = cursor_over(text);
    struct span start, host;
    uint64_t port = 0;
    bool bracketed = text.size > 0 && text.at[0] == '[';
    bool sound = bracketed
                     ? !failed(cursor_take(&left, 1, &start)) &&
                           !failed(cursor_take_until(&left, ']', &host)) && is_host(host, ":.") &&
                           !failed(cursor_take_until(&left, ':', &start)) && start.size == 0
                     : !failed(cursor_take_until(&left, ':', &host)) && is_host(host, "-._");
    return sound && !failed(text_number(left.left, 65535, &port)) && port > 0;
}

/* tcp://name:port, tcp://1.2.3.4:port or tcp://[::1]:port, and nothing else: ZeroMQ gives meaning
 * to ';', '*' and more. */
fault act_address(const char *address)
{
    static const char scheme[] = "tcp://";
    struct cursor left = cursor_over(span_of_text(address));
    struct span start;
    if (failed(cursor_take(&left, sizeof scheme - 1, &start)) || !span_is_text(start, scheme))
        return BAD("address %.200s does not begin with tcp://", address);
    if (!is_host_and_port(left.left))
        return BAD("address %.200s is not tcp://HOST:PORT or tcp://[IPv6]:PORT", address);
    return DONE;
}

/* Letters, digits, "-._~" and '/', and no part that begins with a dot. */
static bool is_path(struct span path)
{
    char before = '/';
    for (size_t i = 0; i < path.size; before = (char)path.at[i++])
        if (before == '/' && path.at[i] == '.')
            return false;
    return path.size == 0 || is_host(path, "-._~/");
}

/* http(s)://host[:port][/path], and nothing that a client could read in two ways: no user, no
 * query, no fragment, no escape. */
fault act_url(const char *what, const char *url)
{
    struct cursor path = cursor_over(span_of_text(url));
    struct span scheme, nothing, place;
    TRY(act_word(what, url));
    if (failed(cursor_take_until(&path, '/', &scheme)) ||
        (!span_is_text(scheme, "http:") && !span_is_text(scheme, "https:")) ||
        failed(cursor_take_until(&path, '/', &nothing)) || nothing.size != 0)
        return BAD("%.200s does not begin with http:// or https://", url);
    if (failed(cursor_take_until(&path, '/', &place))) {
        place = path.left;
        path.left.size = 0;
    }
    if ((!is_host(place, "-._") && !is_host_and_port(place)) || !is_path(path.left))
        return BAD("%.200s is not http://HOST:PORT/PATH", url);
    return DONE;
}

/* Canonical, fit for registration, and of this instance. */
fault act_id(const struct directory *self, const char *id, unsigned parts)
{
    struct bus_id parsed;
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (failed(bus_id_parse(span_of_text(id), parts, parts, &parsed)) ||
        failed(bus_id_check_strict(&parsed)))
        return BAD("%.200s is no identifier to be registered: %s", id, fault_detail());
    bus_id_text(&parsed, parts, canonical, sizeof canonical);
    if (strcmp(canonical, id) != 0)
        return BAD("%.200s is not in canonical form", id);
    if (self->instance == NULL || strcmp(parsed.part[0], self->instance) != 0)
        return BAD("%.200s is of another instance", id);
    return DONE;
}

void *directory_find(const struct map *map, const char *id)
{
    return map_get(map, span_of_text(id));
}
