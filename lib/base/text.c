// SPDX-License-Identifier: MIT
#include "lib/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

bool text_format(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out, room, format, args);
    va_end(args);
    return length >= 0 && (size_t)length < room;
}

void text_hex(struct span from, char *out, size_t room)
{
    static const char digits[] = "0123456789abcdef";
    assert(room >= 2 * from.size + 1);
    for (size_t i = 0; i < from.size; i++) {
        out[2 * i] = digits[from.at[i] >> 4];
        out[2 * i + 1] = digits[from.at[i] & 15];
    }
    out[2 * from.size] = '\0';
}

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

fault text_unhex(struct span hex, uint8_t *out, size_t out_size)
{
    if (hex.size != 2 * out_size)
        return RAISE(BAD_REQUEST, "%zu hex digits expected, %zu found", 2 * out_size, hex.size);
    for (size_t i = 0; i < out_size; i++) {
        int high = hex_value(hex.at[2 * i]);
        int low = hex_value(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return RAISE(BAD_REQUEST, "a character that is not a hex digit");
        out[i] = (uint8_t)(high << 4 | low);
    }
    return DONE;
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_base64(struct span from, char *out, size_t room)
{
    assert(room >= 4 * ((from.size + 2) / 3) + 1);
    size_t o = 0;
    for (size_t i = 0; i < from.size; i += 3) {
        size_t left = from.size - i;
        uint32_t word = (uint32_t)from.at[i] << 16;
        if (left > 1)
            word |= (uint32_t)from.at[i + 1] << 8;
        if (left > 2)
            word |= from.at[i + 2];
        out[o++] = base64_alphabet[word >> 18];
        out[o++] = base64_alphabet[word >> 12 & 63];
        out[o++] = left > 1 ? base64_alphabet[word >> 6 & 63] : '=';
        out[o++] = left > 2 ? base64_alphabet[word & 63] : '=';
    }
    out[o] = '\0';
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

fault text_unbase64(struct span base64, struct bytes **out)
{
    if (base64.size % 4 != 0)
        return RAISE(BAD_REQUEST, "base64 of %zu characters is not padded", base64.size);
    size_t padding = 0;
    while (padding < 2 && padding < base64.size && base64.at[base64.size - 1 - padding] == '=')
        padding++;
    OWNED(bytes) result = NULL;
    TRY(bytes_new(base64.size / 4 * 3 - padding, &result));
    size_t o = 0;
    for (size_t i = 0; i < base64.size; i += 4) {
        uint32_t word = 0;
        size_t pads = i + 4 == base64.size ? padding : 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k >= 4 - pads ? 0 : base64_value(base64.at[i + k]);
            if (value < 0)
                return RAISE(BAD_REQUEST, "a character that is not base64");
            word = word << 6 | (uint32_t)value;
        }
        if ((pads == 1 && (word & 0xff) != 0) || (pads == 2 && (word & 0xffff) != 0))
            return RAISE(BAD_REQUEST, "base64 with loose bits at its end");
        for (size_t k = 0; k < 3 - pads; k++)
            result->data[o++] = (uint8_t)(word >> (16 - 8 * k));
    }
    *out = TAKE(result);
    return DONE;
}

/* RFC 3629: no overlong forms, no surrogates, at most U+10FFFF. */
bool text_is_utf8(struct span text)
{
    size_t i = 0;
    while (i < text.size) {
        uint8_t first = text.at[i++];
        if (first < 0x80)
            continue;
        size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first < 0xc2 || first > 0xf4 || text.size - i < more)
            return false;
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        for (size_t k = 0; k < more; k++, i++) {
            if (text.at[i] < low || text.at[i] > high)
                return false;
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

bool text_is_plain(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool c1 = text.at[i] == 0xc2 && i + 1 < text.size && text.at[i + 1] < 0xa0;
        if (text.at[i] < 0x20 || text.at[i] == 0x7f || c1)
            return false;
    }
    return text_is_utf8(text);
}

fault text_percent_decode(struct span from, char *out, size_t room)
{
    size_t o = 0;
    for (size_t i = 0; i < from.size; i++) {
        uint8_t c = from.at[i];
        if (c == '%') {
            int high = i + 2 < from.size ? hex_value(from.at[i + 1]) : -1;
            int low = i + 2 < from.size ? hex_value(from.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return RAISE(BAD_REQUEST, "a broken percent escape");
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c == 0)
            return RAISE(BAD_REQUEST, "a NUL in an identifier");
        if (o + 1 >= room)
            return RAISE(BAD_REQUEST, "longer than %zu bytes", room - 1);
        out[o++] = (char)c;
    }
    if (!text_is_utf8(span_of(out, o)))
        return RAISE(BAD_REQUEST, "not UTF-8");
    out[o] = '\0';
    return DONE;
}

fault text_number(struct span digits, uint64_t most, uint64_t *out)
{
    uint64_t value = 0;
    if (digits.size == 0)
        return RAISE(BAD_REQUEST, "a number is missing");
    for (size_t i = 0; i < digits.size; i++) {
        uint8_t digit = digits.at[i];
        if (digit < '0' || digit > '9')
            return RAISE(BAD_REQUEST, "not a number");
        if (value > (most - (uint64_t)(digit - '0')) / 10 || (uint64_t)(digit - '0') > most)
            return RAISE(BAD_REQUEST, "a number larger than %llu", (unsigned long long)most);
        value = value * 10 + (uint64_t)(digit - '0');
    }
    *out = value;
    return DONE;
}

bool text_same_word(struct span a, struct span b)
{
    return a.size == b.size &&
           (a.size == 0 || strncasecmp((const char *)a.at, (const char *)b.at, a.size) == 0);
}

bool text_is_among(const char *word, int count, char *const *words)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}
