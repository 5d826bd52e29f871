// SPDX-License-Identifier: MIT
#include "registry/remote/requesting.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 256
#define ID_DIGITS 64
#define ID_DIGITS_LEAST 8

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

/* As the registry says; who approves has his own program check it (vouched.h). */
static void say_vouchers(json_t *request, struct said *said)
{
    json_t *alone = json_object_get(request, "without_voucher"), *one = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(request, "vouchers"), i, one)
    {
        if (json_is_true(json_object_get(one, "counts")))
            said_add(said, "    vouched for by %s, %s", text_in(one, "server"), text_in(one, "at"));
        else
            said_add(said, "    LOOK: %s vouched for it, which counts for nothing now: %s",
                     text_in(one, "server"), text_in(one, "problem"));
    }
    if (alone != NULL)
        said_add(said, "    LOOK: nobody vouches for it; %s says why: %s", text_in(alone, "by"),
                 text_in(alone, "reason"));
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
    say_vouchers(one, said);
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
    said_add_page(said, text == NULL ? "" : text);
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

static fault check_digits(const char *digits, size_t size)
{
    return size >= ID_DIGITS_LEAST && size <= ID_DIGITS &&
                   strspn(digits, "0123456789abcdef") == size
               ? DONE
               : RAISE(REFUSED, "a request's ID is %d hex digits; at least %d of them, the first",
                       ID_DIGITS, ID_DIGITS_LEAST);
}

static fault pick(json_t *list, const char *digits, size_t size, char out[ID_DIGITS + 1])
{
    json_t *one = NULL;
    size_t i = 0, found = 0;
    json_array_foreach(list, i, one)
    {
        const char *id = text_in(one, "id");
        if (strlen(id) != ID_DIGITS || strncmp(id, digits, size) != 0)
            continue;
        memcpy(out, id, ID_DIGITS + 1);
        found++;
    }
    if (found == 0)
        return RAISE(NOT_FOUND, "no request's ID begins with %s", digits);
    return found == 1 ? DONE
                      : RAISE(REFUSED, "%zu requests begin with %s: give more digits of the ID",
                              found, digits);
}

/* As lists show one request to another: by its first digits. */
static fault find_id(struct registry_http *http, const char *digits, char out[ID_DIGITS + 1])
{
    json_t *answer = NULL;
    size_t size = strlen(digits);
    TRY(check_digits(digits, size));
    memcpy(out, digits, size + 1);
    if (size == ID_DIGITS)
        return DONE;
    TRY(registry_http_json(http, "/admin/v1/requests", &answer));
    fault f = pick(json_object_get(answer, "requests"), digits, size, out);
    json_decref(answer);
    return f;
}

static json_t *preparation(const struct arguments *arguments)
{
    const char *alone = arguments_text(arguments, ARGUMENT_WITHOUT_VOUCHER);
    return alone == NULL ? json_object() : json_pack("{s:s}", "without_voucher", alone);
}

fault requesting_one(struct registry_http *http, const char *verb,
                     const struct arguments *arguments, struct said *said)
{
    char path[PATH_BYTES], id[ID_DIGITS + 1];
    json_t *answer = NULL;
    TRY(find_id(http, arguments->operand, id));
    text_format(path, sizeof path, "/admin/v1/requests/%s%s", id,
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
        TRY(registry_http_post(http, path, preparation(arguments), &answer));
    if (strcmp(verb, "show") == 0)
        say_json(answer, said);
    else
        say_one(answer, said);
    json_decref(answer);
    return DONE;
}
