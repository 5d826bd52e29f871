// SPDX-License-Identifier: MIT
/*
 * subject_question - the HTTP request for the view of a person, read: by pseudonyms in the target,
 * or by the number of a document in the body, which is wiped by who lent it.
 */
#ifndef GATEWAY_SUBJECT_QUESTION_H
#define GATEWAY_SUBJECT_QUESTION_H

#include "gateway/rest_headers.h"

struct subject_token {
    unsigned year; /* 0: the present one */
    uint8_t pseudonym[PSEUDONYM_BYTES];
};

struct subject_question {
    char client[ID_TEXT_BYTES_MAX + 1], purpose[WORD_BYTES_MAX + 1], case_ref[WORD_BYTES_MAX + 1];
    char person[PSEUDONYM_TEXT_ROOM]; /* "": tokens are given */
    size_t tokens;                    /* of a person: years */
    struct subject_token token[SUBJECT_VIEW_YEARS_MAX];
    int64_t from_ms, until_ms; /* 0, 0: all */
    bool wants_body;
};

/* *ours: is it one at all? Then SUBJECT_BAD, BAD_REQUEST, BAD_METHOD, BAD_CLIENT say what is wrong;
 * the number is in no detail. */
fault subject_question_read(const struct http_head *head, struct span target,
                            uint32_t default_wait_ms, struct subject_question *out, bool *ours);
/* {"person": "CC 1020304050", "years": [2025, 2026]}; years may be left out. */
fault subject_question_body(struct span body, struct subject_question *out);

#endif
