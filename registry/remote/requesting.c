// SPDX-License-Identifier: MIT
#include "registry/remote/requesting.h"

#include "lib/base/text.h"

#include <stdlib.h>

#define PATH_BYTES 256
#define ID_DIGITS 64

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

static void say_one(json_t *one, struct said *said)
{
    const char *state = text_in(one, "state");
    said_add(said, "%s  %s, %s", text_in(one, "id"), text_in(one, "server"),
             text_in(one, "organisation"));
    json_t *reach = json_object_get(one, "reach");
    if (reach != NULL)
        said_add(said, "    called back %s: IPv4: %s; IPv6: %s", text_in(reach, "called"),
                 text_in(reach, "ipv4"), text_in(reach, "ipv6"));
    if (text_in(one, "warning")[0] != '\0')
        said_add(said, "    LOOK: %s", text_in(one, "warning"));
    if (strcmp(state, "approved") == 0)
        said_add(said, "    approved, epoch %lld",
                 (long long)json_integer_value(json_object_get(one, "epoch")));
    else if (strcmp(state, "refused") == 0)
        said_add(said, "    refused: %s", text_in(one, "reason"));
    else if (strcmp(state, "prepared") == 0)
        said_add(said, "    prepared by %s: %zu acts wait; approve them with this ID",
                 text_in(one, "prepared_by"), json_array_size(json_object_get(one, "proposals")));
    else
        said_add(said, "    waits since %s: `request prepare` or `request refuse`",
                 text_in(one, "received"));
}

static void say_json(json_t *json, struct said *said)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
    said_add(said, "%s", text == NULL ? "" : text);
    free(text);
}

fault requesting_list(struct registry_http *http, const struct arguments *arguments,
                      struct said *said)
{
    json_t *answer = NULL, *one = NULL;
    size_t i = 0;
    TRY(registry_http_json(http, "/admin/v1/requests", &answer));
    json_t *list = json_object_get(answer, "requests");
    if (arguments_text(arguments, ARGUMENT_JSON) != NULL) {
        say_json(list, said);
    } else {
        json_array_foreach(list, i, one) say_one(one, said);
    }
    json_decref(answer);
    return DONE;
}

static fault check_id(const char *id)
{
    uint8_t bytes[ID_DIGITS / 2];
    return failed(text_unhex(span_of_text(id), bytes, sizeof bytes))
               ? RAISE(REFUSED, "a request's ID is 64 hex digits")
               : DONE;
}

fault requesting_one(struct registry_http *http, const char *verb,
                     const struct arguments *arguments, struct said *said)
{
    char path[PATH_BYTES];
    json_t *answer = NULL;
    TRY(check_id(arguments->operand));
    text_format(path, sizeof path, "/admin/v1/requests/%s%s", arguments->operand,
                strcmp(verb, "prepare") == 0  ? "/preparation"
                : strcmp(verb, "refuse") == 0 ? "/refusal"
                                              : "");
    if (strcmp(verb, "show") == 0)
        TRY(registry_http_json(http, path, &answer));
    else if (strcmp(verb, "refuse") == 0)
        TRY(registry_http_post(
            http, path, json_pack("{s:s}", "reason", arguments_text(arguments, ARGUMENT_REASON)),
            &answer));
    else
        TRY(registry_http_post(http, path, json_object(), &answer));
    if (strcmp(verb, "show") == 0)
        say_json(answer, said);
    else
        say_one(answer, said);
    json_decref(answer);
    return DONE;
}
