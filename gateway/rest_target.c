// SPDX-License-Identifier: MIT
#include "gateway/rest_target.h"

#define PREFIX "/r1/"

struct span rest_target_origin(struct span target)
{
    static const char scheme[] = "http://";
    size_t at = sizeof scheme - 1;
    if (target.size < at || memcmp(target.at, scheme, at) != 0)
        return target;
    while (at < target.size && target.at[at] != '/')
        at++;
    return span_of(target.at + at, target.size - at);
}

bool rest_method_is_carried(struct span method)
{
    static const char *const verbs[] = {"DELETE", "GET",  "HEAD", "OPTIONS",
                                        "PATCH",  "POST", "PUT",  "TRACE"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (span_is_text(method, verbs[i]))
            return true;
    return false;
}

bool rest_target_is(struct span target)
{
    return target.size >= sizeof PREFIX - 1 && memcmp(target.at, PREFIX, sizeof PREFIX - 1) == 0;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character, an escape counting as one; -1 for a broken escape. Moves `at` on. */
static int take_character(struct span path, size_t *at)
{
    uint8_t c = path.at[(*at)++];
    if (c != '%')
        return c;
    if (path.size - *at < 2)
        return -1;
    int high = hex_value(path.at[*at]), low = hex_value(path.at[*at + 1]);
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static fault check_raw(struct span target)
{
    for (size_t i = 0; i < target.size; i++) {
        uint8_t c = target.at[i];
        if (c <= 0x20 || c >= 0x7f)
            return RAISE(BAD_REQUEST, "a byte 0x%02x in the URL; it must be percent-encoded", c);
        if (c == '#')
            return RAISE(BAD_REQUEST, "a fragment (#) in the URL");
    }
    return DONE;
}

/* `dots` counts while the segment is nothing but dots; a parameter (;x) does not end that. */
struct segment {
    size_t dots;
    bool other;
};

static fault end_segment(const struct segment *segment)
{
    if (!segment->other && (segment->dots == 1 || segment->dots == 2))
        return RAISE(BAD_REQUEST, "a dot segment in the path");
    return DONE;
}

static fault check_path(struct span path)
{
    struct segment segment = {0, false};
    bool in_parameter = false;
    for (size_t i = 0; i < path.size;) {
        bool escaped = path.at[i] == '%';
        int c = take_character(path, &i);
        if (c < 0)
            return RAISE(BAD_REQUEST, "a broken percent escape in the path");
        if (c < 0x20 || c == 0x7f)
            return RAISE(BAD_REQUEST, "an escaped control byte in the path");
        if (c == '\\' || (escaped && c == '%'))
            return RAISE(BAD_REQUEST, "a %s in the path", c == '%' ? "%25" : "backslash");
        if (c == '/' && !escaped) {
            TRY(end_segment(&segment));
            if (i < path.size && path.at[i] == '/')
                return RAISE(BAD_REQUEST, "a doubled slash in the path");
            segment = (struct segment){0, false};
            in_parameter = false;
        } else if (c == ';') {
            in_parameter = true;
        } else if (!in_parameter) {
            segment.dots += c == '.';
            segment.other = segment.other || c != '.';
        }
    }
    return end_segment(&segment);
}

/* Where the n-th part after the prefix ends: at its slash or at the end. */
static size_t end_of_parts(struct span path, size_t from, unsigned parts)
{
    size_t i = from;
    for (; i < path.size; i++)
        if (path.at[i] == '/' && --parts == 0)
            break;
    return i;
}

fault rest_target_parse(struct span target, struct rest_target *out)
{
    if (!rest_target_is(target))
        return RAISE(BAD_REQUEST, "the path does not begin with " PREFIX);
    TRY(check_raw(target));
    const uint8_t *mark = memchr(target.at, '?', target.size);
    struct span path = span_of(target.at, mark == NULL ? target.size : (size_t)(mark - target.at));
    TRY(check_path(path));
    size_t prefix = sizeof PREFIX - 1;
    size_t end = end_of_parts(path, prefix, ID_SERVICE);
    struct bus_id service;
    if (failed(bus_id_parse(span_of(path.at + prefix, end - prefix), ID_SERVICE, ID_SERVICE,
                            &service)))
        return RAISE(BAD_REQUEST,
                     "the path must be " PREFIX
                     "INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE[/...], each part UTF-8, "
                     "percent-encoded and at most %d bytes",
                     ID_PART_BYTES_MAX);
    out->service = service;
    out->path = span_of(path.at + end, path.size - end);
    out->has_query = mark != NULL;
    out->query =
        mark == NULL ? (struct span){NULL, 0} : span_of(mark + 1, target.size - path.size - 1);
    return DONE;
}
