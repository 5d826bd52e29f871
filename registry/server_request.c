// SPDX-License-Identifier: MIT
#include "registry/server_request.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <jansson.h>
#include <stdlib.h>

#define REQUEST_BYTES_MAX 65536

void server_request_free(struct server_request **self)
{
    if (*self == NULL)
        return;
    free((*self)->server);
    bytes_free(&(*self)->certificate_request);
    free((*self)->log_vkey);
    free((*self)->witness_vkey);
    for (size_t i = 0; i < (*self)->addresses; i++)
        free((*self)->address[i]);
    free(*self);
    *self = NULL;
}

static fault check_fields(json_t *root)
{
    static const char *const known[] = {"server",        "name",      "certificate_request",
                                        "transport_key", "seal_keys", "log_vkey",
                                        "witness_vkey",  "addresses"};
    const char *field;
    json_t *value;
    json_object_foreach(root, field, value)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found |= strcmp(field, known[i]) == 0;
        if (!found)
            return RAISE(REFUSED, "the request has a field \"%.60s\" that is not known", field);
    }
    return DONE;
}

static fault text_field(json_t *root, const char *field, const char **out)
{
    *out = json_string_value(json_object_get(root, field));
    return *out != NULL ? DONE : RAISE(REFUSED, "the request has no text in \"%s\"", field);
}

static fault key_bytes(const char *hex, const char *field, uint8_t out[32])
{
    if (hex == NULL || failed(text_unhex(span_of_text(hex), out, 32)))
        return RAISE(REFUSED, "\"%s\" is not a key of 64 hex digits", field);
    return DONE;
}

static fault take_keys(json_t *root, struct server_request *self)
{
    const char *text = NULL;
    TRY(text_field(root, "transport_key", &text));
    TRY(key_bytes(text, "transport_key", self->transport_key));
    json_t *seals = json_object_get(root, "seal_keys");
    size_t count = json_array_size(seals);
    if (count == 0 || count > SEAL_KEYS_MAX)
        return RAISE(REFUSED, "\"seal_keys\" needs 1 to %d keys", SEAL_KEYS_MAX);
    for (size_t i = 0; i < count; i++)
        TRY(key_bytes(json_string_value(json_array_get(seals, i)), "seal_keys", self->seal_key[i]));
    self->seal_keys = count;
    return DONE;
}

static fault take_addresses(json_t *root, struct server_request *self)
{
    json_t *addresses = json_object_get(root, "addresses");
    size_t count = json_array_size(addresses);
    if (count > DIRECTORY_ADDRESSES_MAX)
        return RAISE(REFUSED, "\"addresses\" has more than %d", DIRECTORY_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *address = json_string_value(json_array_get(addresses, i));
        if (address == NULL)
            return RAISE(REFUSED, "\"addresses\" holds something that is no text");
        self->address[self->addresses++] = owned_text(address);
    }
    return DONE;
}

static fault take_request(json_t *root, struct server_request *self)
{
    const char *text = NULL;
    TRY(check_fields(root));
    TRY(text_field(root, "server", &text));
    self->server = owned_text(text);
    if (strchr(text, '/') == NULL)
        return RAISE(REFUSED, "\"server\" is not INSTANCE/CLASS/MEMBER/SERVERCODE");
    TRY(text_field(root, "log_vkey", &text));
    self->log_vkey = owned_text(text);
    text = json_string_value(json_object_get(root, "witness_vkey"));
    self->witness_vkey = owned_text(text == NULL ? "" : text);
    TRY(text_field(root, "certificate_request", &text));
    if (failed(text_unbase64(span_of_text(text), &self->certificate_request)))
        return RAISE(REFUSED, "\"certificate_request\" is not base64");
    TRY(take_keys(root, self));
    return take_addresses(root, self);
}

fault server_request_parse(struct span json, struct server_request **out)
{
    OWNED(server_request) self = owned_new(sizeof *self);
    json_error_t error;
    json_t *root = json_loadb((const char *)json.at, json.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return RAISE(REFUSED, "the request is not JSON: line %d: %s", error.line, error.text);
    fault f = take_request(root, self);
    json_decref(root);
    TRY(f);
    *out = TAKE(self);
    return DONE;
}

fault server_request_read(const char *path, struct server_request **out)
{
    OWNED(bytes) json = NULL;
    TRY(file_read(path, REQUEST_BYTES_MAX, &json));
    return server_request_parse(bytes_span(json), out);
}
