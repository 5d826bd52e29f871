// SPDX-License-Identifier: MIT
#include "lib/bus/pseudonym.h"

#include "lib/base/text.h"
#include "lib/crypto/seal.h"

#include <time.h>

static const char context[] = "chaski subject v1\n";

struct type {
    const char *name;
    bool letters; /* in its numbers */
};

static const struct type types[] = {
    {"CC", false}, {"CE", false},   {"CD", true},  {"DE", true},   {"NIT", false},
    {"PA", true},  {"NUIP", false}, {"PE", false}, {"PEP", false}, {"PPT", true},
    {"PT", true},  {"RC", false},   {"SC", true},  {"TI", false},
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static char capital(uint8_t c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static const struct type *type_of(struct span word)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t same = 0;
        while (same < word.size && types[i].name[same] == capital(word.at[same]))
            same++;
        if (same == word.size && types[i].name[same] == '\0')
            return &types[i];
    }
    return NULL;
}

static struct span trimmed(struct span text)
{
    while (text.size > 0 && is_blank(text.at[text.size - 1]))
        text.size--;
    size_t at = 0;
    while (at < text.size && is_blank(text.at[at]))
        at++;
    return span_of(text.at + at, text.size - at);
}

static fault take_number(const struct type *type, struct span from, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < from.size; i++) {
        char c = capital(from.at[i]);
        bool digit = c >= '0' && c <= '9', letter = c >= 'A' && c <= 'Z';
        if (is_blank(from.at[i]) || c == '.')
            continue;
        if (c == '-' && strcmp(type->name, "NIT") == 0)
            return RAISE(SUBJECT_BAD, "a NIT is written without its check digit");
        if (!digit && !(letter && type->letters))
            return RAISE(SUBJECT_BAD, "the number of a %s has %s only", type->name,
                         type->letters ? "letters and digits" : "digits");
        if (c == '0' && size == 0 && !type->letters)
            continue;
        if (size == SUBJECT_NUMBER_BYTES_MAX)
            return RAISE(SUBJECT_BAD, "the number is longer than %d characters",
                         SUBJECT_NUMBER_BYTES_MAX);
        out[size++] = c;
    }
    out[size] = '\0';
    return size > 0 ? DONE : RAISE(SUBJECT_BAD, "the number of the document is missing");
}

fault pseudonym_normalise(struct span text, char out[PSEUDONYM_TEXT_ROOM])
{
    struct span whole = trimmed(text);
    size_t at = 0;
    while (at < whole.size && !is_blank(whole.at[at]))
        at++;
    const struct type *type = type_of(span_of(whole.at, at));
    if (type == NULL)
        return RAISE(SUBJECT_BAD, "it begins with the type of a document, and a blank: CC, CE, CD, "
                                  "DE, NIT, NUIP, PA, PE, PEP, PPT, PT, RC, SC or TI");
    char number[SUBJECT_NUMBER_BYTES_MAX + 1];
    fault f = take_number(type, span_of(whole.at + at, whole.size - at), number);
    if (!failed(f)) {
        size_t length = strlen(type->name);
        memcpy(out, type->name, length);
        out[length] = ' ';
        memcpy(out + length + 1, number, strlen(number) + 1);
    }
    seal_wipe(number, sizeof number);
    return f;
}

struct sha256 pseudonym_make(const uint8_t key[PSEUDONYM_KEY_BYTES], const char *normalised)
{
    char message[sizeof context + PSEUDONYM_TEXT_ROOM];
    text_format(message, sizeof message, "%s%s", context, normalised);
    struct sha256 made =
        digest_hmac_sha256(span_of(key, PSEUDONYM_KEY_BYTES), span_of_text(message));
    seal_wipe(message, sizeof message);
    return made;
}

struct sha256 pseudonym_commitment(const uint8_t key[PSEUDONYM_KEY_BYTES])
{
    return SHA256_OF(span_of(key, PSEUDONYM_KEY_BYTES));
}

static struct tm parts_of(int64_t time_ms)
{
    struct tm parts = {0};
    time_t seconds = (time_t)(time_ms / 1000);
    gmtime_r(&seconds, &parts);
    return parts;
}

unsigned pseudonym_year(int64_t time_ms)
{
    return (unsigned)(parts_of(time_ms).tm_year + 1900);
}

bool pseudonym_year_fits(unsigned year, int64_t time_ms)
{
    unsigned now = pseudonym_year(time_ms);
    return year == now || (year + 1 == now && pseudonym_overlaps(time_ms));
}

bool pseudonym_overlaps(int64_t time_ms)
{
    return parts_of(time_ms).tm_yday < SUBJECT_OVERLAP_DAYS;
}
