// SPDX-License-Identifier: MIT
/*
 * json_body - a request's body as a JSON object, strictly.
 */
#ifndef REGISTRY_SERVE_JSON_BODY_H
#define REGISTRY_SERVE_JSON_BODY_H

#include "registry/serve/http_server.h"

struct json_body {
    json_t *root;
};

/* BODY_TOO_LARGE; BAD_REQUEST unless it is an object without doubled fields. */
fault json_body_read(const struct http_request *request, struct json_body **out);
void json_body_free(struct json_body **self);

/* BAD_REQUEST for a field that is not among these, blanks between: "act label". */
fault json_body_only(const struct json_body *self, const char *fields);
/* The same of an object inside; BAD_REQUEST, too, when it is none. */
fault json_body_only_in(json_t *object, const char *fields);
/* A text of that name; lent. BAD_REQUEST when it is missing. */
fault json_body_text(const struct json_body *self, const char *field, const char **out);
/* Base64. */
fault json_body_bytes(const struct json_body *self, const char *field, struct bytes **out);
/* A list of 1 to `most`; lent. */
fault json_body_list(const struct json_body *self, const char *field, size_t most, json_t **out);

#endif
