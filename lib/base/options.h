// SPDX-License-Identifier: MIT
/*
 * options - the words behind a command, each put where the command wants it.
 *
 * A command says in a table which options it takes and where their values belong; words that stand
 * alone are its operands. Values stay the caller's argv. An option that is unknown, lacks its
 * value, stands twice or more often than its list holds, and a number out of its bounds are
 * BAD_REQUEST with words that name the option.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "lib/base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_MAX 64

/* One option; of the places exactly one is set. */
struct option_place {
    const char *name;  /* without its dashes; NULL ends the table */
    const char **text; /* any words */
    uint64_t *number;  /* decimal digits, `least` to `most` */
    bool *flag;        /* takes no value */
    const char **list; /* may stand `most` times */
    size_t *count;     /* how many of the list are taken */
    uint64_t least, most;
    bool must;
};

#define OPTION_TEXT(word, place)        \
    {                                   \
        .name = (word), .text = (place) \
    }
#define OPTION_MUST(word, place)                      \
    {                                                 \
        .name = (word), .text = (place), .must = true \
    }
#define OPTION_NUMBER(word, place, from, to)                             \
    {                                                                    \
        .name = (word), .number = (place), .least = (from), .most = (to) \
    }
#define OPTION_FLAG(word, place)        \
    {                                   \
        .name = (word), .flag = (place) \
    }
#define OPTION_LIST(word, places, counted, room)                             \
    {                                                                        \
        .name = (word), .list = (places), .count = (counted), .most = (room) \
    }

/* What stands alone, if a command takes any. */
struct operand_place {
    const char *name;   /* in words, such as "the folder of a log" */
    const char **place; /* `most` of them */
    size_t *count;      /* may be NULL where most is 1 */
    size_t least, most;
};

/* argv[0] is the command's own word, `command` how people call it ("log prune"). `operands` may be
 * NULL: none are taken. What is not given keeps the value it had. */
fault options_take(const char *command, int argc, char **argv, const struct option_place *known,
                   const struct operand_place *operands);

#endif
