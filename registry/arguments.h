// SPDX-License-Identifier: MIT
/*
 * arguments - the words behind a command: its operand and its options, checked against what the
 * command takes.
 */
#ifndef REGISTRY_ARGUMENTS_H
#define REGISTRY_ARGUMENTS_H

#include "lib/base/fault.h"

#include <stdint.h>
#include <stdio.h>

#define ARGUMENT_VALUES_MAX 48

enum argument {
    ARGUMENT_INSTANCE,
    ARGUMENT_NAME,
    ARGUMENT_ORIGIN,
    ARGUMENT_VALID_DAYS,
    ARGUMENT_PUBLIC,
    ARGUMENT_REASON,
    ARGUMENT_CERTIFICATE,
    ARGUMENT_CERTIFICATE_TO,
    ARGUMENT_ADDRESS,
    ARGUMENT_SERVER,
    ARGUMENT_TITLE,
    ARGUMENT_CLASS,
    ARGUMENT_NOTICE,
    ARGUMENT_LEGAL_BASIS,
    ARGUMENT_SERVICE,
    ARGUMENT_CONSUMER,
    ARGUMENT_PURPOSE,
    ARGUMENT_UNTIL,
    ARGUMENT_TO,
    ARGUMENT_JSON,
    ARGUMENT_POLICY,
    ARGUMENT_LOG_VKEY,
    ARGUMENT_PER_LOG,
    ARGUMENT_QUORUM,
    ARGUMENT_WITNESS,
    ARGUMENT_OUTSIDE,
    ARGUMENT_URL,
    ARGUMENT_PUSH,
    ARGUMENT_DAYS,
    ARGUMENT_ORDER,
    ARGUMENT_LISTEN,
    ARGUMENT_DIRECTORY,
    ARGUMENT_READY_FILE,
    ARGUMENT_OCSP,
    ARGUMENT_CRL,
    ARGUMENT_STATUS_HOURS,
    ARGUMENT_KEY,
    ARGUMENT_ROLE,
    ARGUMENT_AS,
    ARGUMENT_AT,
    ARGUMENT_ANCHOR,
    ARGUMENT_LABEL,
    ARGUMENT_YES,
    ARGUMENT_NAME_COLUMN,
    ARGUMENT_NUMBER_COLUMN,
    ARGUMENT_CODE_COLUMN,
    ARGUMENT_MEMBER_CLASS,
    ARGUMENT_CLASS_WITHOUT,
    ARGUMENT_REPORT,
    ARGUMENT_MIRROR,
    ARGUMENT_AUTHORITY,
    ARGUMENT_ADMIN,
    ARGUMENT_HOST,
    ARGUMENT_STATUSES,
    ARGUMENT_MODULE,
    ARGUMENT_REACH_PRIVATE,
    ARGUMENT_GROUND,
    ARGUMENT_BY_LAW,
    ARGUMENT_APPROVER,
    ARGUMENT_MEMBER,
    ARGUMENT_NORM,
    ARGUMENT_ARTICLE,
    ARGUMENT_TEXT,
    ARGUMENT_TOPIC,
    ARGUMENT_BASIS,
    ARGUMENT_PROCEDURE,
    ARGUMENT_FUNCTION,
    ARGUMENT_BY,
    ARGUMENT_SINCE,
    ARGUMENT_DRAFT,
    ARGUMENT_FROM,
    ARGUMENT_WITHOUT_VOUCHER,
    ARGUMENT_ENDPOINT,
    ARGUMENT_REQUEST,
    ARGUMENT_OUTCOME,
    ARGUMENT_HOURS,
    ARGUMENT_YEARS,
    ARGUMENT_HOLIDAY,
    ARGUMENT_ANSWER_DAYS,
    ARGUMENT_DECIDE_DAYS,
    ARGUMENT_COLUMN,
    ARGUMENT_COMMITMENT,
    ARGUMENT_SUBJECT,
    ARGUMENT_RATE,
    ARGUMENT_BURST,
    ARGUMENT_VOLUME,
    ARGUMENT_HELD_WAIT,
    ARGUMENTS
};

__extension__ typedef unsigned __int128 argument_set; /* a bit for each */

#define TAKES(which) ((argument_set)1 << ARGUMENT_##which)

struct arguments {
    const char *operand; /* ID or FILE; NULL when the command takes none */
    size_t count[ARGUMENTS];
    const char *value[ARGUMENTS][ARGUMENT_VALUES_MAX];
};

/* What a command takes, for parsing and for its usage line. */
struct arguments_shape {
    const char *operand; /* how it is called in the usage, or NULL */
    argument_set must;   /* bits TAKES(...) */
    argument_set may;
};

/* words[0..count): everything behind the command's own words and the store, permuted in place;
 * values point into them. BAD_REQUEST with what is wrong. */
fault arguments_parse(const struct arguments_shape *shape, int count, char **words,
                      struct arguments *out);
/* First value, or NULL. */
const char *arguments_text(const struct arguments *self, enum argument which);
/* First value as a number within the bounds; `otherwise` when it is not given. */
fault arguments_number(const struct arguments *self, enum argument which, unsigned least,
                       unsigned most, unsigned otherwise, unsigned *out);
/* " ID --name TEXT [--public]" */
void arguments_usage(const struct arguments_shape *shape, FILE *out);
/* One line for each option of the shape. */
void arguments_help(const struct arguments_shape *shape, FILE *out);

/* Splits a line of a batch into words, in place: blanks part, "..." and '...' hold together, #
 * begins a comment. BAD_REQUEST for an open quote or more than `room` words. */
fault arguments_split(char *line, char **words, int room, int *count);

#endif
