// SPDX-License-Identifier: MIT
#include "lib/bus/document_type.h"

#include <string.h>

static const struct document_type types[] = {
    {"CC", "CC", false, false},  {"CD", "CD", true, false},   {"CE", "CE", false, false},
    {"DE", "DE", true, false},   {"NIT", "NIT", false, true}, {"NUIP", "CC", false, false},
    {"PA", "PA", true, false},   {"PE", "PEP", false, false}, {"PEP", "PEP", false, false},
    {"PPT", "PPT", true, false}, {"PT", "PPT", true, false},  {"RC", "CC", false, false},
    {"SC", "SC", true, false},   {"TI", "CC", false, false},
};

static char capital(uint8_t c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

const struct document_type *document_type_of(struct span word)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t same = 0;
        while (same < word.size && types[i].name[same] != '\0' &&
               types[i].name[same] == capital(word.at[same]))
            same++;
        if (same == word.size && types[i].name[same] == '\0')
            return &types[i];
    }
    return NULL;
}

/* Cédulas have up to 8 digits, numbers given at birth 10 from 1,000,000,000 on; NITs of firms 9. */
static bool is_of_a_person(const char *number)
{
    size_t digits = strlen(number);
    return digits <= 8 || (digits == 10 && number[0] == '1');
}

const char *document_space(const struct document_type *type, const char *number)
{
    return type->check_digit && is_of_a_person(number) ? "CC" : type->space;
}

char document_check_digit(const char *number)
{
    static const unsigned weight[] = {3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71};
    size_t digits = strlen(number);
    unsigned sum = 0;
    if (digits > sizeof weight / sizeof weight[0])
        return '\0';
    for (size_t i = 0; i < digits; i++)
        sum += weight[i] * (unsigned)(number[digits - 1 - i] - '0');
    unsigned rest = sum % 11;
    return (char)('0' + (rest > 1 ? 11 - rest : rest));
}
