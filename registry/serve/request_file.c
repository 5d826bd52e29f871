// SPDX-License-Identifier: MIT
#include "registry/serve/request_file.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define FILE_BYTES_MAX (2 * REGISTRY_ENROLMENT_BYTES_MAX)

void request_free(struct request **owner)
{
    struct request *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    free(self->server);
    free(self->organisation);
    free(self->warning);
    free(self->prepared_by);
    free(self->refused_by);
    free(self->reason);
    free(self->alone_by);
    free(self->alone_reason);
    for (size_t i = 0; i < self->vouchers; i++)
        free(self->voucher[i].server);
    bytes_free(&self->text);
    free(self);
}

static void add_vouchers(json_t *json, const struct request *request)
{
    json_t *list = json_array();
    for (size_t i = 0; i < request->vouchers; i++) {
        const struct request_voucher *at = &request->voucher[i];
        char base64[2 * REQUEST_SIGNATURE_MAX];
        text_base64(span_of(at->signature, at->size), base64, sizeof base64);
        json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "server", at->server, "signature",
                                              base64, "at", (json_int_t)at->at_ms));
    }
    json_object_set_new(json, "vouchers", list);
    if (request->alone_by[0] != '\0')
        json_object_set_new(
            json, "without_voucher",
            json_pack("{s:s,s:s}", "by", request->alone_by, "reason", request->alone_reason));
}

fault request_file_write(const char *path, const struct request *request)
{
    json_t *proposals = json_array();
    for (size_t i = 0; i < request->proposals; i++)
        json_array_append_new(proposals, json_string(request->proposal[i]));
    json_t *json = json_pack(
        "{s:s%,s:I,s:s,s:s,s:s,s:o,s:s,s:s}", "request", (const char *)request->text->data,
        request->text->size, "received", (json_int_t)request->received_ms, "source",
        request->source, "warning", request->warning, "prepared_by", request->prepared_by,
        "proposals", proposals, "refused_by", request->refused_by, "reason", request->reason);
    if (request->called_ms != 0)
        json_object_set_new(json, "reach",
                            json_pack("{s:I,s:s,s:s,s:b}", "called", (json_int_t)request->called_ms,
                                      "ipv4", request->reach.ipv4, "ipv6", request->reach.ipv6,
                                      "all", request->reach.all));
    add_vouchers(json, request);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL)
        return RAISE(REFUSED, "a text that is not UTF-8");
    fault f = file_replace(path, span_of_text(text), 0600);
    free(text);
    return f;
}

static char *text_of(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return owned_text(text == NULL ? "" : text);
}

static void take_reach(json_t *json, struct request *out)
{
    const char *four = json_string_value(json_object_get(json, "ipv4"));
    const char *six = json_string_value(json_object_get(json, "ipv6"));
    if (four == NULL || six == NULL)
        return;
    out->called_ms = json_integer_value(json_object_get(json, "called"));
    out->reach.all = json_is_true(json_object_get(json, "all"));
    text_format(out->reach.ipv4, sizeof out->reach.ipv4, "%s", four);
    text_format(out->reach.ipv6, sizeof out->reach.ipv6, "%s", six);
}

/* What cannot be read is left out: it is checked again before it counts. */
static void take_vouchers(json_t *list, struct request *out)
{
    json_t *one = NULL;
    size_t i = 0;
    json_array_foreach(list, i, one)
    {
        OWNED(bytes) signature = NULL;
        const char *server = json_string_value(json_object_get(one, "server"));
        const char *base64 = json_string_value(json_object_get(one, "signature"));
        if (server == NULL || base64 == NULL || out->vouchers == ENROLMENT_VOUCHERS_MAX ||
            failed(text_unbase64(span_of_text(base64), &signature)) ||
            signature->size > REQUEST_SIGNATURE_MAX)
            continue;
        struct request_voucher *at = &out->voucher[out->vouchers++];
        at->server = owned_text(server);
        at->at_ms = json_integer_value(json_object_get(one, "at"));
        at->size = signature->size;
        memcpy(at->signature, signature->data, signature->size);
    }
}

static fault take_json(json_t *json, struct request *out)
{
    OWNED(enrolment) enrolment = NULL;
    json_t *whole = json_object_get(json, "request");
    json_t *proposals = json_object_get(json, "proposals");
    out->received_ms = json_integer_value(json_object_get(json, "received"));
    out->warning = text_of(json, "warning");
    out->prepared_by = text_of(json, "prepared_by");
    out->refused_by = text_of(json, "refused_by");
    out->reason = text_of(json, "reason");
    take_reach(json_object_get(json, "reach"), out);
    take_vouchers(json_object_get(json, "vouchers"), out);
    out->alone_by = text_of(json_object_get(json, "without_voucher"), "by");
    out->alone_reason = text_of(json_object_get(json, "without_voucher"), "reason");
    if (!json_is_string(whole))
        return RAISE(REFUSED, "no request");
    TRY(bytes_copy(span_of(json_string_value(whole), json_string_length(whole)), &out->text));
    TRY(enrolment_again(bytes_span(out->text), &enrolment));
    text_hex(sha256_span(&enrolment->id), out->id, sizeof out->id);
    out->server = owned_text(enrolment->server);
    out->organisation = owned_text(enrolment->organisation);
    const char *source = json_string_value(json_object_get(json, "source"));
    text_format(out->source, sizeof out->source, "%s", source == NULL ? "" : source);
    for (size_t i = 0; i < json_array_size(proposals) && i < REQUEST_ACTS_MAX; i++) {
        const char *id = json_string_value(json_array_get(proposals, i));
        if (id != NULL && strlen(id) == ACT_ID_DIGITS)
            memcpy(out->proposal[out->proposals++], id, ACT_ID_ROOM);
    }
    return DONE;
}

fault request_file_read(const char *path, struct request **out)
{
    OWNED(bytes) text = NULL;
    OWNED(request) request = owned_new(sizeof *request);
    json_error_t error;
    TRY(file_read(path, FILE_BYTES_MAX, &text));
    json_t *json = json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    fault f = take_json(json, request);
    json_decref(json);
    TRY(f);
    *out = TAKE(request);
    return DONE;
}
