// SPDX-License-Identifier: MIT
#include "lib/bus/pseudonym.h"

#include "lib/base/text.h"
#include "lib/bus/document_type.h"
#include "lib/crypto/seal.h"

#include <ctype.h>
#include <time.h>

static const char context[] = "chaski subject v1\n";

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static char capital(uint8_t c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
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

/* What stands behind the hyphen of a NIT. A wrong one is a slip of somebody's, in it or in the
 * number. */
static fault check_digit(struct span text, const char *number)
{
    struct span digit = trimmed(text);
    char expected = document_check_digit(number);
    if (digit.size != 1 || expected == '\0' || digit.at[0] != (uint8_t)expected)
        return RAISE(SUBJECT_BAD, "what is behind the hyphen is not the check digit of that NIT");
    return DONE;
}

static fault take_number(const struct document_type *type, struct span from, char *out)
{
    size_t size = 0, at = 0;
    for (; at < from.size; at++) {
        char c = capital(from.at[at]);
        bool digit = c >= '0' && c <= '9', letter = c >= 'A' && c <= 'Z';
        if (is_blank(from.at[at]) || c == '.')
            continue;
        if (c == '-' && type->check_digit)
            break;
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
    if (size == 0)
        return RAISE(SUBJECT_BAD, "the number of the document is missing");
    return at == from.size ? DONE : check_digit(span_of(from.at + at + 1, from.size - at - 1), out);
}

static fault read_document(struct span text, const struct document_type **type,
                           char number[SUBJECT_NUMBER_BYTES_MAX + 1])
{
    struct span whole = trimmed(text);
    size_t at = 0;
    while (at < whole.size && !is_blank(whole.at[at]))
        at++;
    *type = document_type_of(span_of(whole.at, at));
    if (*type == NULL)
        return RAISE(SUBJECT_BAD, "it begins with the type of a document, and a blank: CC, CE, CD, "
                                  "DE, NIT, NUIP, PA, PE, PEP, PPT, PT, RC, SC or TI");
    return take_number(*type, span_of(whole.at + at, whole.size - at), number);
}

fault pseudonym_normalise(struct span text, char out[PSEUDONYM_TEXT_ROOM])
{
    const struct document_type *type = NULL;
    char number[SUBJECT_NUMBER_BYTES_MAX + 1];
    fault f = read_document(text, &type, number);
    if (!failed(f))
        text_format(out, PSEUDONYM_TEXT_ROOM, "%s %s", document_space(type, number), number);
    seal_wipe(number, sizeof number);
    return f;
}

bool pseudonym_is_told_by(const char *word, const char *person)
{
    const char *number = strchr(person, ' ') + 1;
    char bare[WORD_BYTES_MAX + 1];
    size_t size = 0;
    for (; *word != '\0' && size + 1 < sizeof bare; word++)
        if (*word != '.' && *word != ' ')
            bare[size++] = (char)toupper((unsigned char)*word);
    bare[size] = '\0';
    return strlen(number) >= SUBJECT_NUMBER_TOLD_FROM && strstr(bare, number) != NULL;
}

fault pseudonym_tidy(struct span text, char out[PSEUDONYM_TEXT_ROOM])
{
    const struct document_type *type = NULL;
    char number[SUBJECT_NUMBER_BYTES_MAX + 1];
    fault f = read_document(text, &type, number);
    if (!failed(f))
        text_format(out, PSEUDONYM_TEXT_ROOM, "%s %s", type->name, number);
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
