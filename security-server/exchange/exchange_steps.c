// SPDX-License-Identifier: MIT
#include "security-server/exchange/exchange_steps.h"

/* We ask: steps 2 to 6 of the ladder, then 14. */
const struct step consumer_walk[] = {
    {"admit", step_admit},
    {"pseudonym", step_make_pseudonym}, /* of the person whom it names, if any */
    {"sign", step_sign_request},
    {"log", step_keep_request},
    {"send", step_send_question}, /* seals; waits until the answer is there and opened */
    {"verify", step_verify_answer},
    {"log_answer", step_keep_answer},
    {"deliver", step_deliver},
    {0},
};

/* We asked, and it is refused or has failed on our side: the caller hears it when it is durable. */
const struct step consumer_refusal[] = {
    {"sign_refusal", step_sign_refusal},
    {"log_refusal", step_keep_answer},
    {"deliver", step_deliver},
    {0},
};

/* We are asked: steps 8 to 13. Taking and opening (7) happened before there was an exchange. */
const struct step provider_walk[] = {
    {"verify", step_verify_request},
    {"decide", step_decide},
    {"count", step_count},
    {"log", step_keep_request},
    {"call", step_call_service},
    {"sign_answer", step_sign_answer},
    {"log_answer", step_keep_answer},
    {"send", step_send_answer},
    {0},
};

/* We are asked, and refuse: the request is evidence too, if it was one. */
const struct step provider_refusal[] = {
    {"log", step_keep_request},
    {"sign_refusal", step_sign_refusal},
    {"log_refusal", step_keep_answer},
    {"send", step_send_answer},
    {0},
};

/* A double of a request that has its outcome: it is sent again, and nothing runs twice. */
const struct step provider_again[] = {
    {"read", step_read_answer},
    {"send", step_send_answer},
    {0},
};
