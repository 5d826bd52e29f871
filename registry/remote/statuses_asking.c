// SPDX-License-Identifier: MIT
#include "registry/remote/statuses_asking.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"

#include <unistd.h>

#define PLACE "/admin/v1/statuses"

static json_int_t number_in(json_t *json, const char *field)
{
    return json_integer_value(json_object_get(json, field));
}

/* *answer: the last one; json_decref() it also after a fault. */
static fault wait_for_it(struct registry_http *http, json_t **answer)
{
    json_int_t round = number_in(*answer, "round");
    int64_t end_ms = clock_steady_ms() + STATUS_ROUND_MS;
    while (json_is_true(json_object_get(*answer, "running"))) {
        if (clock_steady_ms() > end_ms)
            return RAISE(REFUSED, "the registry still asks; `statuses` again joins in");
        usleep(STATUS_LOOK_MS * 1000);
        json_decref(*answer);
        *answer = NULL;
        TRY(registry_http_json(http, PLACE, answer));
        if (number_in(*answer, "round") != round)
            return RAISE(INCONSISTENT, "the registry started again meanwhile, or asks once more");
    }
    return DONE;
}

static fault say(json_t *answer, struct said *said)
{
    const char *problem = json_string_value(json_object_get(answer, "problem"));
    said_add(said,
             "outside certificates: %lld asked for, %lld good, %lld revoked, %lld unknown, %lld "
             "without an answer",
             (long long)number_in(answer, "asked"), (long long)number_in(answer, "good"),
             (long long)number_in(answer, "revoked"), (long long)number_in(answer, "unknown"),
             (long long)number_in(answer, "unanswered"));
    if (number_in(answer, "acts") > 0)
        said_add(said, "revocations that stand in the directory now: %lld",
                 (long long)number_in(answer, "acts"));
    return problem == NULL ? DONE : RAISE(REFUSED, "%s", problem);
}

fault statuses_asking(struct registry_http *http, const struct arguments *arguments,
                      struct said *said)
{
    json_t *answer = NULL;
    if (arguments_text(arguments, ARGUMENT_TO) != NULL)
        return RAISE(BAD_REQUEST, "--to goes with a STORE: the registry knows where it publishes");
    TRY(registry_http_post(http, PLACE, json_object(), &answer));
    fault f = wait_for_it(http, &answer);
    if (!failed(f))
        f = say(answer, said);
    json_decref(answer);
    return f;
}
