// SPDX-License-Identifier: MIT
#include "lib/bus/published_name.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#define LEVEL_MAX 63
#define WIDTH_MAX 255
#define GROUPS_MAX 7 /* of three digits: more than 64 bits hold */
#define GROUP_DIGITS 3

/* A number without a sign, a blank or a leading zero. */
static bool is_number(struct span digits, uint64_t least, uint64_t most)
{
    uint64_t number = 0;
    return digits.size > 0 && (digits.size == 1 || digits.at[0] != '0') &&
           !failed(text_number(digits, most, &number)) && number >= least;
}

static bool is_group(struct span digits)
{
    uint64_t number = 0;
    return digits.size == GROUP_DIGITS && !failed(text_number(digits, 999, &number));
}

/* "x001", with more to come */
static bool is_upper_group(struct span part)
{
    struct cursor left = cursor_over(part);
    struct span x;
    return !failed(cursor_take(&left, 1, &x)) && x.at[0] == 'x' && is_group(left.left);
}

/* "067" or, when a width follows, "067.p" */
static bool is_last_group(struct span part, const char *behind)
{
    struct cursor left = cursor_over(part);
    struct span digits;
    return !failed(cursor_take(&left, GROUP_DIGITS, &digits)) && is_group(digits) &&
           span_is_text(left.left, behind);
}

/* What follows "tile/<L>/". */
static bool is_tile(struct cursor left)
{
    struct span part;
    for (int groups = 0; groups < GROUPS_MAX; groups++) {
        if (failed(cursor_take_until(&left, '/', &part)))
            return is_last_group(left.left, "");
        if (!is_upper_group(part))
            return is_last_group(part, ".p") && is_number(left.left, 1, WIDTH_MAX);
    }
    return false;
}

/* "snapshot/" and the number of acts, or "newest". */
static bool is_snapshot(struct span name)
{
    struct cursor left = cursor_over(name);
    struct span folder;
    return !failed(cursor_take_until(&left, '/', &folder)) && span_is_text(folder, "snapshot") &&
           is_number(left.left, 1, UINT64_MAX);
}

/* "subject-keys/2026/" and 64 hex digits. */
static bool is_subject_key(struct span name)
{
    struct cursor left = cursor_over(name);
    struct span folder, year;
    uint8_t hash[32];
    uint64_t number = 0;
    return !failed(cursor_take_until(&left, '/', &folder)) &&
           span_is_text(folder, "subject-keys") && !failed(cursor_take_until(&left, '/', &year)) &&
           year.size == 4 && !failed(text_number(year, 9999, &number)) &&
           left.left.size == 2 * sizeof hash && !failed(text_unhex(left.left, hash, sizeof hash));
}

enum published_kind published_name_kind(struct span name)
{
    struct cursor left = cursor_over(name);
    struct span folder, level;
    if (span_is_text(name, "snapshot/newest") || span_is_text(name, "heartbeat"))
        return PUBLISHED_NEWS;
    if (is_subject_key(name))
        return PUBLISHED_SEALED;
    if (is_snapshot(name))
        return PUBLISHED_SNAPSHOT;
    if (span_is_text(name, "checkpoint"))
        return PUBLISHED_HEAD;
    if (span_is_text(name, "handovers"))
        return PUBLISHED_KEYS;
    if (span_is_text(name, "authority.pem"))
        return PUBLISHED_AUTHORITY;
    if (failed(cursor_take_until(&left, '/', &folder)) || !span_is_text(folder, "tile") ||
        failed(cursor_take_until(&left, '/', &level)) ||
        !(span_is_text(level, "entries") || is_number(level, 0, LEVEL_MAX)) || !is_tile(left))
        return PUBLISHED_NOT;
    return PUBLISHED_TILE;
}
