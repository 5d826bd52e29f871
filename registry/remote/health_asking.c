// SPDX-License-Identifier: MIT
#include "registry/remote/health_asking.h"

#include "registry/health.h"

static const char *text_in(const json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

fault health_asking(struct registry_http *http, struct said *said)
{
    json_t *answer = NULL;
    fault f = registry_http_json(http, "/admin/v1/state", &answer);
    if (!failed(f)) {
        const char *held = text_in(answer, "acts_held");
        health_say(said, (uint64_t)json_integer_value(json_object_get(answer, "epoch")),
                   text_in(answer, "valid_until"), text_in(answer, "acts_signed_until"), held);
        if (held[0] != '\0')
            f = RAISE(ACTS_HELD, "%s", held);
    }
    json_decref(answer);
    return f;
}
