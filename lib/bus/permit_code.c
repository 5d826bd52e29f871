// SPDX-License-Identifier: MIT
#include "lib/bus/permit_code.h"

#include <ctype.h>
#include <string.h>

/* Crockford's: no I, L, O, U. */
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
#define DIGITS 32
#define PAYLOAD (PERMIT_CODE_BYTES - 1)

static int value_of(char c)
{
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

/* Weights 1, 2, 3, ... modulo 31 would take two digits for one: the sum is over the field of 32
 * elements, x^5 + x^2 + 1, with powers of x as weights. Different weights and no zero divisors:
 * a wrong character, and two that changed places, always change it. */
static int times_x(int value)
{
    value <<= 1;
    return (value & DIGITS) != 0 ? value ^ 0x25 : value;
}

static int check_of(const int value[PAYLOAD])
{
    int sum = 0;
    for (int i = 0; i < PAYLOAD; i++)
        sum = times_x(sum ^ value[i]);
    return sum;
}

void permit_code_make(uint64_t random, char out[PERMIT_CODE_ROOM])
{
    int value[PAYLOAD];
    for (int i = 0; i < PAYLOAD; i++) {
        value[i] = (int)(random >> (5 * i) & (DIGITS - 1));
        out[i] = digits[value[i]];
    }
    out[PAYLOAD] = digits[check_of(value)];
    out[PERMIT_CODE_BYTES] = '\0';
}

bool permit_code_fits(const char *code)
{
    int value[PERMIT_CODE_BYTES];
    if (strlen(code) != PERMIT_CODE_BYTES)
        return false;
    for (int i = 0; i < PERMIT_CODE_BYTES; i++)
        if ((value[i] = value_of(code[i])) < 0)
            return false;
    return check_of(value) == value[PAYLOAD];
}

bool permit_code_read(const char *given, char out[PERMIT_CODE_ROOM])
{
    int used = 0;
    for (; *given != '\0'; given++) {
        char c = (char)toupper((unsigned char)*given);
        if (c == '-' || c == ' ')
            continue;
        if (used == PERMIT_CODE_BYTES)
            return false;
        out[used++] = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    }
    out[used] = '\0';
    return permit_code_fits(out);
}
