// SPDX-License-Identifier: MIT
#include "registry/serve/json_body.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <stdlib.h>

void json_body_free(struct json_body **self)
{
    if (*self == NULL)
        return;
    json_decref((*self)->root);
    free(*self);
    *self = NULL;
}

fault json_body_read(const struct http_request *request, struct json_body **out)
{
    OWNED(json_body) self = owned_new(sizeof *self);
    json_error_t error;
    if (request->too_large)
        return RAISE(BODY_TOO_LARGE, "the body is too large");
    self->root = json_loadb((const char *)request->body.at, request->body.size,
                            JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(self->root))
        return RAISE(BAD_REQUEST, "the body is not a JSON object");
    *out = TAKE(self);
    return DONE;
}

static bool is_among(const char *field, const char *fields)
{
    size_t size = strlen(field);
    for (const char *at = fields; *at != '\0';) {
        size_t length = strcspn(at, " ");
        if (length == size && memcmp(at, field, size) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

fault json_body_only_in(json_t *object, const char *fields)
{
    const char *field;
    json_t *value;
    if (!json_is_object(object))
        return RAISE(BAD_REQUEST, "something that is no JSON object");
    json_object_foreach(object, field, value)
    {
        if (!is_among(field, fields))
            return RAISE(BAD_REQUEST, "a field \"%.60s\" that is not known", field);
    }
    return DONE;
}

fault json_body_only(const struct json_body *self, const char *fields)
{
    return json_body_only_in(self->root, fields);
}

fault json_body_text(const struct json_body *self, const char *field, const char **out)
{
    *out = json_string_value(json_object_get(self->root, field));
    return *out != NULL ? DONE : RAISE(BAD_REQUEST, "\"%s\" is missing, or no text", field);
}

fault json_body_bytes(const struct json_body *self, const char *field, struct bytes **out)
{
    const char *text = NULL;
    TRY(json_body_text(self, field, &text));
    return failed(text_unbase64(span_of_text(text), out))
               ? RAISE(BAD_REQUEST, "\"%s\" is not base64", field)
               : DONE;
}

fault json_body_list(const struct json_body *self, const char *field, size_t most, json_t **out)
{
    *out = json_object_get(self->root, field);
    size_t count = json_array_size(*out);
    return count > 0 && count <= most
               ? DONE
               : RAISE(BAD_REQUEST, "\"%s\" is a list of 1 to %zu", field, most);
}
