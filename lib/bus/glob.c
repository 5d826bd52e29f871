// SPDX-License-Identifier: MIT
#include "lib/bus/glob.h"

#define ANY_IN_PART 0x100 /* behind all bytes */
#define ANY 0x101

#define WORD_BITS 64
#define WORDS ((GLOB_BYTES_MAX + WORD_BITS) / WORD_BITS) /* a bit for each token, and the end */

/* All places of the pattern that the text read so far may have brought us to: so no text makes
 * the work grow by more than its length. */
struct places {
    uint64_t bit[WORDS];
};

fault glob_compile(struct span pattern, struct glob *out)
{
    struct glob self = {0};
    if (pattern.size == 0 || pattern.size > GLOB_BYTES_MAX)
        return RAISE(BAD_REQUEST, "a pattern has 1 to %d bytes", GLOB_BYTES_MAX);
    for (size_t i = 0; i < pattern.size; i++) {
        uint8_t c = pattern.at[i];
        bool more = i + 1 < pattern.size;
        if (c == '\\') {
            if (!more || (pattern.at[i + 1] != '*' && pattern.at[i + 1] != '\\'))
                return RAISE(BAD_REQUEST, "a backslash that stands before neither * nor \\");
            self.token[self.tokens++] = pattern.at[++i];
        } else if (c == '*' && more && pattern.at[i + 1] == '*') {
            self.token[self.tokens++] = ANY;
            i++;
        } else {
            self.token[self.tokens++] = c == '*' ? ANY_IN_PART : c;
        }
    }
    *out = self;
    return DONE;
}

/* Adds a place, and those behind the wildcards there, which may stand for nothing. */
static void reach(const struct glob *self, struct places *places, size_t at)
{
    for (;; at++) {
        places->bit[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
        if (at == self->tokens || self->token[at] < ANY_IN_PART)
            return;
    }
}

/* Also of the letters with marks that Spanish has: in UTF-8 the last byte of a capital is 0x20
 * below that of the small one. A few letters of other alphabets are taken for one another by that.
 */
static uint16_t small(uint16_t token)
{
    return (token >= 'A' && token <= 'Z') || (token >= 0x80 && token <= 0x9e) ? token | 0x20
                                                                              : token;
}

static void step(const struct glob *self, size_t at, uint8_t c, bool any_case, struct places *next)
{
    if (at == self->tokens)
        return;
    uint16_t token = self->token[at];
    if (token == ANY || (token == ANY_IN_PART && c != '/'))
        reach(self, next, at);
    else if (token == c || (any_case && small(token) == small(c)))
        reach(self, next, at + 1);
}

static bool matches(const struct glob *self, struct span text, bool any_case)
{
    struct places places = {{0}};
    reach(self, &places, 0);
    for (size_t i = 0; i < text.size; i++) {
        struct places next = {{0}};
        uint64_t any = 0;
        for (size_t word = 0; word < WORDS; word++)
            for (uint64_t left = places.bit[word]; left != 0; left &= left - 1)
                step(self, word * WORD_BITS + (size_t)__builtin_ctzll(left), text.at[i], any_case,
                     &next);
        for (size_t word = 0; word < WORDS; word++)
            any |= next.bit[word];
        if (any == 0)
            return false;
        places = next;
    }
    return (places.bit[self->tokens / WORD_BITS] >> self->tokens % WORD_BITS & 1) != 0;
}

bool glob_matches(const struct glob *self, struct span text)
{
    return matches(self, text, false);
}

bool glob_matches_any_case(const struct glob *self, struct span text)
{
    return matches(self, text, true);
}
