// SPDX-License-Identifier: MIT
#include "lib/bus/leaf_set.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#include <inttypes.h>
#include <time.h>

#define PATH_BYTES 512
#define CRC_AT (SET_RECORD_BYTES - 4)
enum { FLAG_OWN = 1, FLAG_LATE = 2 };

// --- records ------------------------------------------------------------------------------------

void set_entry_encode(const struct set_entry *entry, uint8_t out[SET_RECORD_BYTES])
{
    memset(out, 0, SET_RECORD_BYTES);
    memcpy(out, entry->leaf_hash.at, SHA256_BYTES);
    memcpy(out + 32, entry->exchange_id, EXCHANGE_ID_BYTES);
    put_u64(out + 48, entry->index);
    put_u32(out + 56, entry->epoch);
    put_u32(out + 60, (uint32_t)(entry->time_ms % SET_HOUR_MS));
    out[64] = (uint8_t)entry->kind;
    out[65] = (uint8_t)((entry->own ? FLAG_OWN : 0) | (entry->late ? FLAG_LATE : 0));
    put_u32(out + CRC_AT, crc32c(0, span_of(out, CRC_AT)));
}

fault set_entry_decode(const uint8_t record[SET_RECORD_BYTES], int64_t hour, struct set_entry *out)
{
    if (get_u32(record + CRC_AT) != crc32c(0, span_of(record, CRC_AT)) ||
        get_u32(record + 60) >= SET_HOUR_MS)
        return RAISE(BAD_FRAME, "a damaged record of a set");
    memcpy(out->leaf_hash.at, record, SHA256_BYTES);
    memcpy(out->exchange_id, record + 32, EXCHANGE_ID_BYTES);
    out->index = get_u64(record + 48);
    out->epoch = get_u32(record + 56);
    out->time_ms = hour * SET_HOUR_MS + get_u32(record + 60);
    out->kind = (enum header_kind)record[64];
    out->own = (record[65] & FLAG_OWN) != 0;
    out->late = (record[65] & FLAG_LATE) != 0;
    return DONE;
}

// --- names --------------------------------------------------------------------------------------

void set_hour_text(int64_t hour, char out[SET_HOUR_TEXT_BYTES])
{
    struct tm parts;
    time_t seconds = (time_t)(hour * (SET_HOUR_MS / 1000));
    gmtime_r(&seconds, &parts);
    text_format(out, SET_HOUR_TEXT_BYTES, "%04u%02u%02u%02u",
                (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
                (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100);
}

fault set_hour_parse(struct span text, int64_t *hour)
{
    uint64_t number = 0;
    char again[SET_HOUR_TEXT_BYTES];
    if (text.size != SET_HOUR_TEXT_BYTES - 1 || failed(text_number(text, 2049123123, &number)))
        return RAISE(BAD_REQUEST, "an hour is given as yyyymmddhh");
    struct tm parts = {.tm_year = (int)(number / 1000000) - 1900,
                       .tm_mon = (int)(number / 10000 % 100) - 1,
                       .tm_mday = (int)(number / 100 % 100),
                       .tm_hour = (int)(number % 100)};
    int64_t found = (int64_t)timegm(&parts) / (SET_HOUR_MS / 1000);
    set_hour_text(found, again);
    if (!span_is_text(text, again))
        return RAISE(BAD_REQUEST, "there is no such hour");
    *hour = found;
    return DONE;
}

fault leaf_set_folder(const char *audit_folder, const char *peer, char *out, size_t room)
{
    struct sha256 hash = SHA256_OF(span_of_text(peer));
    char hex[SHA256_BYTES + 1];
    text_hex(span_of(hash.at, SHA256_BYTES / 2), hex, sizeof hex);
    return text_format(out, room, "%s/sets/%s", audit_folder, hex)
               ? DONE
               : RAISE(BAD_CONFIG, "the audit folder's name is too long");
}

fault leaf_set_path(const char *audit_folder, const char *peer, int64_t hour, char *out,
                    size_t room)
{
    char text[SET_HOUR_TEXT_BYTES];
    TRY(leaf_set_folder(audit_folder, peer, out, room));
    set_hour_text(hour, text);
    size_t used = strlen(out);
    return text_format(out + used, room - used, "/%s", text)
               ? DONE
               : RAISE(BAD_CONFIG, "the audit folder's name is too long");
}

static fault place_path(const char *audit_folder, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/sets/next", audit_folder)
               ? DONE
               : RAISE(BAD_CONFIG, "the audit folder's name is too long");
}

fault set_place_read(const char *audit_folder, struct set_place *out)
{
    char path[PATH_BYTES];
    uint64_t number[3] = {0};
    OWNED(bytes) text = NULL;
    TRY(place_path(audit_folder, path));
    TRY(file_read(path, 128, &text));
    struct cursor at = cursor_over(bytes_span(text));
    for (size_t i = 0; i < 3; i++) {
        struct span word;
        TRY(cursor_take_until(&at, i < 2 ? ' ' : '\n', &word));
        if (failed(text_number(word, i == 0 ? UINT32_MAX : INT64_MAX, &number[i])))
            return RAISE(BAD_FRAME, "%s does not hold three numbers", path);
    }
    *out = (struct set_place){(unsigned)number[0], number[1], (int64_t)number[2]};
    return DONE;
}

fault set_place_write(const char *audit_folder, const struct set_place *place)
{
    char path[PATH_BYTES], text[128];
    TRY(place_path(audit_folder, path));
    text_format(text, sizeof text, "%u %" PRIu64 " %" PRId64 "\n", place->epoch, place->entries,
                place->time_ms);
    return file_replace(path, span_of_text(text), 0644);
}

// --- hours that could not be written ------------------------------------------------------------

#define BROKEN_LINE_BYTES (SHA256_BYTES + SET_HOUR_TEXT_BYTES + 1)

static fault broken_read(const char *audit_folder, char path[PATH_BYTES], struct bytes **out)
{
    if (!text_format(path, PATH_BYTES, "%s/sets/broken", audit_folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    return file_read(path, SET_BROKEN_MAX * BROKEN_LINE_BYTES, out);
}

static void broken_line(const char *peer, int64_t hour, char out[BROKEN_LINE_BYTES + 1])
{
    struct sha256 hash = SHA256_OF(span_of_text(peer));
    char hex[SHA256_BYTES + 1], text[SET_HOUR_TEXT_BYTES];
    text_hex(span_of(hash.at, SHA256_BYTES / 2), hex, sizeof hex);
    set_hour_text(hour, text);
    text_format(out, BROKEN_LINE_BYTES + 1, "%s %s\n", hex, text);
}

bool set_any_broken(const char *audit_folder)
{
    char path[PATH_BYTES];
    OWNED(bytes) lines = NULL;
    return broken_read(audit_folder, path, &lines).code != NOT_FOUND;
}

bool set_is_broken(const char *audit_folder, const char *peer, int64_t hour)
{
    char path[PATH_BYTES], line[BROKEN_LINE_BYTES + 1];
    OWNED(bytes) lines = NULL;
    fault f = broken_read(audit_folder, path, &lines);
    if (failed(f))
        return f.code != NOT_FOUND;
    broken_line(peer, hour, line);
    return memmem(lines->data, lines->size, line, BROKEN_LINE_BYTES) != NULL;
}

fault set_broken_add(const char *audit_folder, const char *peer, int64_t hour)
{
    char path[PATH_BYTES], line[BROKEN_LINE_BYTES + 1];
    OWNED(bytes) lines = NULL;
    fault f = broken_read(audit_folder, path, &lines);
    if (f.code == NOT_FOUND)
        lines = bytes_empty(BROKEN_LINE_BYTES);
    else
        TRY(f);
    if (lines->size >= SET_BROKEN_MAX * BROKEN_LINE_BYTES)
        return RAISE(OVERLOADED, "%d hours could not be written", SET_BROKEN_MAX);
    broken_line(peer, hour, line);
    TRY(bytes_append(lines, span_of_text(line)));
    return file_replace(path, bytes_span(lines), 0644);
}

// --- the floor ----------------------------------------------------------------------------------

int64_t set_floor_read(const char *audit_folder)
{
    char path[PATH_BYTES];
    uint64_t time_ms = 0;
    OWNED(bytes) text = NULL;
    if (!text_format(path, sizeof path, "%s/sets/floor", audit_folder) ||
        failed(file_read(path, 32, &text)) ||
        failed(text_number(bytes_span(text), INT64_MAX, &time_ms)))
        return 0;
    return (int64_t)time_ms;
}

fault set_floor_write(const char *audit_folder, int64_t time_ms)
{
    char path[PATH_BYTES], text[32];
    if (!text_format(path, sizeof path, "%s/sets/floor", audit_folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    text_format(text, sizeof text, "%" PRId64, time_ms);
    return file_replace(path, span_of_text(text), 0644);
}
