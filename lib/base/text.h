// SPDX-License-Identifier: MIT
/*
 * text - bounded text: hex, base64, percent-decoding, formatting.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "lib/base/bytes.h"

/* printf into a fixed array; false when it had to be cut. */
bool text_format(char *out, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Lower-case hex and a closing NUL: `room` at least 2 * size + 1. */
void text_hex(struct span from, char *out, size_t room);
/* Exactly out_size bytes from 2 * out_size hex digits, either case. BAD_REQUEST otherwise. */
fault text_unhex(struct span hex, uint8_t *out, size_t out_size);

/* Standard base64 with padding and a closing NUL: room at least 4 * ((size + 2) / 3) + 1. */
void text_base64(struct span from, char *out, size_t room);
/* Strict: alphabet, padding and zero rest bits. BAD_REQUEST otherwise; bytes_free() the result. */
fault text_unbase64(struct span base64, struct bytes **out);

/* Percent-decodes into out (at most room - 1 bytes and a NUL). BAD_REQUEST on a broken escape, a
 * NUL or a result that is not UTF-8 or does not fit. */
fault text_percent_decode(struct span from, char *out, size_t room);
bool text_is_utf8(struct span text);
/* UTF-8 in which nothing moves a cursor or ends a text: no control characters (C0, DEL, C1). */
bool text_is_plain(struct span text);

/* Decimal digits only, no sign, no blank, at most `most`. BAD_REQUEST otherwise. */
fault text_number(struct span digits, uint64_t most, uint64_t *out);

/* Is the word one of these? Such as "--help" among a program's. */
bool text_is_among(const char *word, int count, char *const *words);

/* ASCII without regard to case. */
bool text_same_word(struct span a, struct span b);

#endif
