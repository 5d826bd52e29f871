// SPDX-License-Identifier: MIT
#include "lib/bus/lookalike.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

#define SKELETON_ROOM (ID_TEXT_BYTES_MAX + 1)

/* Letters and what they look like; the first of each line is the plain one. */
static const char *const alike[] = {
    "a\u0430\u03b1\u00e0\u00e1\u00e2\u00e3\u00e4\u00e5\u0101\u0251\uff41\u0410",
    "a\u0391\u00c0\u00c1\u00c2\u00c3\u00c4\u00c5\uff21",
    "b\u0412\u0392\uff22\uff42\u0432\u044c",
    "c\u0441\u03f2\u00e7\u0107\u010d\uff43\u0421\u03f9\u00c7\uff23",
    "d\u0501\uff44\uff24\u010f",
    "e\u0435\u0451\u03b5\u00e8\u00e9\u00ea\u00eb\u0113\u0117\uff45\u0415\u0401",
    "e\u0395\u00c8\u00c9\u00ca\u00cb\uff25",
    "f\uff46\uff26",
    "g\u0261\uff47\uff27\u011f",
    "h\u04bb\uff48\u041d\u0397\uff28\u043d",
    "j\u0458\u03f3\uff4a\u0408\uff2a",
    "k\u043a\u03ba\uff4b\u041a\u039a\uff2b",
    "l\u0456\u03b9\u0131\u00ec\u00ed\u00ee\u00ef\u012b\uff49\u0406\u0399\u00cc",
    "l\u00cd\u00ce\u00cf\uff29\u04cf\uff4c\uff2c\u0142\uff11\u2160\u0457\u0407",
    "m\uff4d\u041c\u039c\uff2d\u043c",
    "n\u00f1\u0144\uff4e\u039d\u00d1\uff2e\u03b7",
    "o\u043e\u03bf\u00f2\u00f3\u00f4\u00f5\u00f6\u00f8\u014d\uff4f\u041e\u039f",
    "o\u00d2\u00d3\u00d4\u00d5\u00d6\u00d8\uff2f\uff10\u03c3",
    "p\u0440\u03c1\uff50\u0420\u03a1\uff30",
    "q\uff51\uff31\u051b",
    "r\uff52\uff32\u0433",
    "s\u0455\uff53\u0405\uff33\u015b\u0161",
    "t\u0442\u03c4\uff54\u0422\u03a4\uff34",
    "u\u00f9\u00fa\u00fb\u00fc\u016b\uff55\u03c5\u00d9\u00da\u00db\u00dc\uff35",
    "v\u03bd\uff56\u0475\uff36",
    "w\u0461\uff57\uff37",
    "x\u0445\u03c7\uff58\u0425\u03a7\uff38",
    "y\u0443\u00fd\u00ff\uff59\u0423\u03a5\u00dd\uff39\u03b3",
    "z\uff5a\u0396\uff3a\u017e",
    "-_\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\u00ad",
    " \u00a0\u2000\u2001\u2002\u2003\u2007\u2009\u200a\u202f\u3000",
};
/* Not seen at all. */
static const char hidden[] = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u180e\u0301\u0300\u0303"
                             "\u0308\u0327";

static size_t length_of(const char *at)
{
    unsigned char first = (unsigned char)*at;
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool holds(const char *letters, const char *letter, size_t size)
{
    for (const char *at = letters; *at != '\0'; at += length_of(at))
        if (length_of(at) == size && memcmp(at, letter, size) == 0)
            return true;
    return false;
}

/* The plain letter, or 0 for one that is like no other. */
static char plain(const char *letter, size_t size)
{
    char c = *letter;
    if (size == 1) {
        c = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        return (char)(c == '1' || c == 'i' || c == '|' ? 'l' : c == '_' ? '-' : c);
    }
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++)
        if (holds(alike[i], letter, size))
            return alike[i][0];
    return 0;
}

static bool is_numeral(char c)
{
    return (c >= '0' && c <= '9') || c == 'o' || c == 'l';
}

/* In place; what is left of it. Zeros at the head of digits count for nothing, as in 0899 and SS01;
 * so does the letter, before what is all a number. The other zeros are drawn as the letter. */
static size_t fold_zeros(char *part, size_t size)
{
    size_t used = 0, numerals = 0;
    while (numerals < size && is_numeral(part[numerals]))
        numerals++;
    for (size_t at = 0; at < size; at++) {
        bool zero = part[at] == '0' || (part[at] == 'o' && numerals == size);
        bool heads = used == 0 || !is_numeral(part[used - 1]);
        if (!zero || !heads || at + 1 == size || !is_numeral(part[at + 1]))
            part[used++] = part[at];
    }
    for (size_t at = 0; at < used; at++)
        if (part[at] == '0')
            part[at] = 'o';
    return used;
}

static size_t draw_part(const char *part, char *out)
{
    size_t used = 0;
    for (const char *at = part; *at != '\0'; at += length_of(at)) {
        size_t size = length_of(at);
        char c = plain(at, size);
        if (holds(hidden, at, size))
            continue;
        if (c != 0)
            out[used++] = c;
        else
            for (size_t i = 0; i < size; i++)
                out[used++] = at[i];
    }
    while (used > 0 && (out[used - 1] == '.' || out[used - 1] == ' '))
        used--;
    return fold_zeros(out, used);
}

static bool draw(struct span text, char out[SKELETON_ROOM])
{
    struct bus_id id;
    size_t used = 0;
    if (failed(bus_id_parse(text, 1, 5, &id)))
        return false;
    for (unsigned i = 0; i < id.parts; i++) {
        used += draw_part(id.part[i], out + used);
        out[used++] = '/';
    }
    out[used] = '\0';
    return true;
}

bool lookalike(struct span a, struct span b)
{
    char first[SKELETON_ROOM], second[SKELETON_ROOM];
    return draw(a, first) && draw(b, second) && strcmp(first, second) == 0;
}
