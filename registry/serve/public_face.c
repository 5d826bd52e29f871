// SPDX-License-Identifier: MIT
#include "registry/serve/public_face.h"

#include "lib/base/event.h"
#include "lib/base/event_rate.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "registry/serve/caller.h"
#include "registry/serve/json_body.h"
#include "registry/serve/published_file.h"
#include "registry/serve/voucher_desk.h"
#include "registry/serve/rights_face.h"

#include <stdlib.h>
#include <unistd.h>

#define DIRECTORY "/directory/"
#define REQUESTS "/enrol/v1/requests"

struct public_face {
    struct public_face_options options;
    struct http_server *server;
    struct packed *packed;
    struct event_rate rejected, failed, unread, refused;
};

/* ---- /tsa ---- */

static enum MHD_Result stamps_failed(struct public_face *self, const struct http_request *request,
                                     fault f)
{
    if (event_rate_allows(&self->failed))
        EVENT(ERROR, "tsa.failed", E_FAULT(f));
    if (f.code == INTERNAL) /* the process has gone */
        self->options.failed(self->options.owner);
    return http_say(request, MHD_HTTP_SERVICE_UNAVAILABLE, "no time stamps at the moment\n");
}

static void say_stamped(struct public_face *self, enum stamp_verdict verdict, uint64_t serial)
{
    if (verdict == STAMP_GRANTED)
        EVENT(DEBUG, "tsa.stamped", E_NUMBER("serial", serial));
    else if (event_rate_allows(&self->rejected))
        EVENT(WARN, "tsa.request_rejected",
              E_TEXT("why", verdict == STAMP_GARBAGE
                                ? "not a time stamp request"
                                : "not served, or no time: clock or certificate"));
}

/* A client of RFC 3161 finds the reason in the body; one of HTTP sees that it sent garbage. */
static enum MHD_Result stamp(struct public_face *self, const struct http_request *request)
{
    enum stamp_verdict verdict = STAMP_GARBAGE;
    uint64_t serial = 0;
    OWNED(bytes) response = NULL;
    fault f = serials_next(self->options.serials, &serial);
    if (!failed(f))
        f = stamp_line_ask(self->options.stamps, request->body, serial, &verdict, &response);
    if (failed(f))
        return stamps_failed(self, request, f);
    say_stamped(self, verdict, serial);
    return http_bytes(request, verdict == STAMP_GARBAGE ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_OK,
                      "application/timestamp-reply", bytes_span(response));
}

static enum MHD_Result answer_tsa(struct public_face *self, const struct http_request *request)
{
    const char *type = http_field(request, "Content-Type");
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    if (request->too_large || request->body.size > STAMP_REQUEST_BYTES_MAX)
        return http_say(request, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    if (type == NULL ||
        !text_same_word(span_of_text(type), span_of_text("application/timestamp-query")))
        return http_say(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                        "Content-Type: application/timestamp-query is wanted\n");
    return stamp(self, request);
}

/* ---- /directory/ ---- */

/* With 304 libmicrohttpd sends the fields of the file and not its bytes. */
static enum MHD_Result send_response(const struct http_request *request,
                                     const struct published_file *file,
                                     struct MHD_Response *response)
{
    bool known = published_file_is_known(file, http_field(request, "If-None-Match"));
    MHD_add_response_header(response, "Content-Type", file->type);
    if (file->packs)
        MHD_add_response_header(response, "Vary", "Accept-Encoding");
    MHD_add_response_header(response, "ETag", file->etag);
    MHD_add_response_header(response, "Cache-Control", file->cache);
    return http_reply(request, known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

static enum MHD_Result send_plain(const struct http_request *request,
                                  const struct published_file *file)
{
    struct MHD_Response *response = MHD_create_response_from_fd64(file->size, file->fd);
    if (response != NULL)
        return send_response(request, file, response);
    close(file->fd);
    return MHD_NO;
}

/* Another form is another entity (RFC 9110 8.8.3). */
static enum MHD_Result send_packed(const struct http_request *request, struct published_file *file,
                                   struct span packed)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        packed.size, (void *)(uintptr_t)packed.at, MHD_RESPMEM_MUST_COPY);
    close(file->fd);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Encoding", "gzip");
    published_file_is_packed(file);
    return send_response(request, file, response);
}

static enum MHD_Result send_file(const struct http_request *request, const char *name,
                                 struct published_file *file, struct packed *packed)
{
    struct span small;
    if (!file->packs || !packed_is_wanted(http_field(request, "Accept-Encoding")) ||
        failed(packed_file(packed, name, file, &small)))
        return send_plain(request, file);
    return send_packed(request, file, small);
}

enum MHD_Result public_face_file(const struct http_request *request, const char *folder,
                                 const char *name, struct packed *packed, struct event_rate *unread)
{
    struct published_file file;
    if (!http_is_read(request))
        return http_allow(request, "GET, HEAD");
    if (folder == NULL)
        return http_say(request, MHD_HTTP_NOT_FOUND, "no directory is served here\n");
    fault f = published_file_open(folder, name, &file);
    if (!failed(f))
        return send_file(request, name, &file, packed);
    if (f.code == NOT_FOUND)
        return http_say(request, MHD_HTTP_NOT_FOUND, "no such file\n");
    if (event_rate_allows(unread))
        EVENT(ERROR, "directory.read_failed", E_FAULT(f));
    return http_say(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "the file cannot be read\n");
}

/* ---- what is sent to the office ---- */

static enum MHD_Result refuse(struct public_face *self, const struct http_request *request, fault f)
{
    if (event_rate_allows(&self->refused))
        EVENT(WARN, "registry.request_refused", E_FAULT(f));
    return http_fault(request, f);
}

static enum MHD_Result answer_cosignature(struct public_face *self,
                                          const struct http_request *request)
{
    size_t count = 0;
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    if (request->too_large || request->body.size > NOTE_BYTES_MAX)
        return http_say(request, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    fault f = outlook_cosign(self->options.office->outlook, request->body, &count);
    if (failed(f))
        return refuse(self, request, f);
    const struct checkpoint *head = outlook_head(self->options.office->outlook);
    return http_json(
        request, MHD_HTTP_OK,
        json_pack("{s:I,s:I}", "size", (json_int_t)head->size, "cosignatures", (json_int_t)count));
}

static enum MHD_Result answer_head(struct public_face *self, const struct http_request *request)
{
    const struct office *office = self->options.office;
    bool held = false;
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    if (request->too_large || request->body.size > NOTE_BYTES_MAX)
        return http_say(request, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    fault f = held_take_head(office->held, request->body, &held);
    if (failed(f))
        return refuse(self, request, f);
    return http_json(request, MHD_HTTP_OK,
                     json_pack("{s:I,s:b}", "size", (json_int_t)outlook_head(office->outlook)->size,
                               "held", held));
}

static enum MHD_Result answer_act(struct public_face *self, const struct http_request *request)
{
    const struct office *office = self->options.office;
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    if (request->too_large || request->body.size > LEAF_BYTES_MAX)
        return http_say(request, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    fault f = held_take_act(office->held, request->body);
    if (f.code == DIRECTORY_OLD)
        self->options.behind(self->options.owner);
    if (failed(f))
        return refuse(self, request, f);
    return http_json(request, MHD_HTTP_OK,
                     json_pack("{s:I}", "size", (json_int_t)outlook_head(office->outlook)->size));
}

static struct span source_of(const struct http_request *request)
{
    return caller_source(
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr);
}

static json_t *state_json(const struct public_face *self, const struct request *at)
{
    uint64_t epoch = 0;
    const char *reason = "";
    enum request_state state = requests_state(self->options.office->requests, at, &epoch, &reason);
    json_t *json = json_pack("{s:s,s:s,s:s}", "id", at->id, "server", at->server, "state",
                             requests_state_word(state));
    if (state == REQUEST_APPROVED)
        json_object_set_new(json, "epoch", json_integer((json_int_t)epoch));
    if (state == REQUEST_REFUSED)
        json_object_set_new(json, "reason", json_string(reason));
    json_t *voucher = state == REQUEST_WAITING || state == REQUEST_PREPARED
                          ? voucher_desk_json(self->options.office->requests, at)
                          : NULL;
    if (voucher != NULL)
        json_object_set_new(json, "voucher", voucher);
    json_t *reach = requests_reach_json(at);
    if (reach != NULL)
        json_object_set_new(json, "reach", reach);
    return json;
}

static enum MHD_Result take_request(struct public_face *self, const struct http_request *request)
{
    struct request *at = NULL;
    bool fresh = false;
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    if (request->too_large || request->body.size > REGISTRY_ENROLMENT_BYTES_MAX)
        return http_say(request, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    fault f = requests_take(self->options.office->requests, request->body, source_of(request), &at,
                            &fresh);
    if (failed(f))
        return refuse(self, request, f);
    reach_desk_wish(self->options.office->callback, at);
    if (fresh)
        EVENT(INFO, "request.arrived", E_TEXT("server", at->server), E_TEXT("request", at->id));
    return http_json(request, fresh ? MHD_HTTP_CREATED : MHD_HTTP_OK, state_json(self, at));
}

/* Without its proofs: what its id is the digest of. Who has the id has seen the request, or was
 * told by who made it. */
static json_t *content_json(const struct request *at)
{
    json_t *json = json_loadb((const char *)at->text->data, at->text->size, 0, NULL);
    json_object_del(json, "proofs");
    return json;
}

static enum MHD_Result take_voucher(struct public_face *self, const struct http_request *request,
                                    struct request *at)
{
    OWNED(json_body) body = NULL;
    OWNED(bytes) signature = NULL;
    const char *server = NULL;
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    fault f = json_body_read(request, &body);
    if (!failed(f))
        f = json_body_only(body, "server signature");
    if (!failed(f))
        f = json_body_text(body, "server", &server);
    if (!failed(f))
        f = json_body_bytes(body, "signature", &signature);
    if (!failed(f))
        f = office_vouch(self->options.office, at, server, bytes_span(signature));
    if (failed(f))
        return refuse(self, request, f);
    EVENT(INFO, "request.vouched", E_TEXT("server", at->server), E_TEXT("by", server),
          E_TEXT("request", at->id));
    return http_json(request, MHD_HTTP_OK, state_json(self, at));
}

/* "ID", "ID/content" or "ID/vouchers". */
static enum MHD_Result answer_one(struct public_face *self, const struct http_request *request,
                                  const char *rest)
{
    char id[REQUEST_ID_DIGITS + 1];
    const char *verb = strlen(rest) < REQUEST_ID_DIGITS ? "" : rest + REQUEST_ID_DIGITS;
    text_format(id, sizeof id, "%.*s", REQUEST_ID_DIGITS, rest);
    struct request *at = requests_find(self->options.office->requests, id);
    if (at == NULL)
        return http_fault(request, RAISE(NOT_FOUND, "no such request; it may have been forgotten "
                                                    "after 30 days"));
    if (strcmp(verb, "/vouchers") == 0)
        return take_voucher(self, request, at);
    if (verb[0] != '\0' && strcmp(verb, "/content") != 0)
        return http_say(request, MHD_HTTP_NOT_FOUND, "no such place\n");
    if (!http_is_read(request))
        return http_allow(request, "GET, HEAD");
    return http_json(request, MHD_HTTP_OK,
                     verb[0] == '\0' ? state_json(self, at) : content_json(at));
}

static enum MHD_Result take_act(struct public_face *self, const struct http_request *request)
{
    OWNED(json_body) body = NULL;
    OWNED(bytes) act = NULL;
    uint64_t epoch = 0;
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    fault f = json_body_read(request, &body);
    if (!failed(f))
        f = json_body_only(body, "act");
    if (!failed(f))
        f = json_body_bytes(body, "act", &act);
    if (!failed(f))
        f = office_member_act(self->options.office, bytes_span(act), &epoch);
    if (failed(f))
        return refuse(self, request, f);
    return http_json(request, MHD_HTTP_OK,
                     json_pack("{s:s,s:I}", "state", "carried_out", "epoch", (json_int_t)epoch));
}

static json_t *base64_json(struct span bytes)
{
    size_t room = 4 * ((bytes.size + 2) / 3) + 1;
    char *text = owned_array(room, 1);
    text_base64(bytes, text, room);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static fault renew(struct public_face *self, const struct http_request *request,
                   struct bytes **certificate)
{
    OWNED(json_body) body = NULL;
    OWNED(bytes) asked = NULL;
    OWNED(bytes) signature = NULL;
    const char *server = NULL;
    TRY(json_body_read(request, &body));
    TRY(json_body_only(body, "server certificate_request signature"));
    TRY(json_body_text(body, "server", &server));
    TRY(json_body_bytes(body, "certificate_request", &asked));
    TRY(json_body_bytes(body, "signature", &signature));
    return office_member_renewal(self->options.office, server, bytes_span(asked),
                                 bytes_span(signature), certificate);
}

static enum MHD_Result take_renewal(struct public_face *self, const struct http_request *request)
{
    OWNED(bytes) certificate = NULL;
    if (strcmp(request->method, "POST") != 0)
        return http_allow(request, "POST");
    fault f = renew(self, request, &certificate);
    if (failed(f))
        return refuse(self, request, f);
    return http_json(request, MHD_HTTP_OK,
                     json_pack("{s:o}", "certificate", base64_json(bytes_span(certificate))));
}

/* ---- routes ---- */

static enum MHD_Result answer_office(struct public_face *self, const struct http_request *request)
{
    const char *path = request->path;
    if (strcmp(path, "/directory/cosignature") == 0)
        return answer_cosignature(self, request);
    if (strcmp(path, "/directory/head") == 0)
        return answer_head(self, request);
    if (strcmp(path, "/directory/act") == 0)
        return answer_act(self, request);
    if (strcmp(path, REQUESTS) == 0)
        return take_request(self, request);
    if (strncmp(path, REQUESTS "/", strlen(REQUESTS "/")) == 0)
        return answer_one(self, request, path + strlen(REQUESTS "/"));
    if (strcmp(path, "/member/v1/acts") == 0)
        return take_act(self, request);
    if (strcmp(path, "/member/v1/renewals") == 0)
        return take_renewal(self, request);
    return rights_face_answer(request, outlook_state(self->options.office->outlook));
}

static bool is_for_the_office(const char *path)
{
    return rights_face_has(path) || strcmp(path, "/directory/cosignature") == 0 ||
           strcmp(path, "/directory/head") == 0 || strcmp(path, "/directory/act") == 0 ||
           strncmp(path, "/enrol/", 7) == 0 || strncmp(path, "/member/", 8) == 0;
}

static enum MHD_Result answer(void *owner, const struct http_request *request)
{
    struct public_face *self = owner;
    const char *path = request->path;
    if (strcmp(path, "/tsa") == 0)
        return answer_tsa(self, request);
    if (self->options.office != NULL && is_for_the_office(path))
        return answer_office(self, request);
    if (strncmp(path, DIRECTORY, strlen(DIRECTORY)) == 0)
        return public_face_file(request, self->options.directory, path + strlen(DIRECTORY),
                                self->packed, &self->unread);
    if (strcmp(path, "/healthz") != 0)
        return http_say(request, MHD_HTTP_NOT_FOUND, "no such place\n");
    if (!http_is_read(request))
        return http_allow(request, "GET, HEAD");
    return http_say(request, MHD_HTTP_OK, "ok\n");
}

/* ---- beginning and ending ---- */

fault public_face_new(const struct public_face_options *options, const char *listen,
                      struct public_face **out)
{
    OWNED(public_face) self = owned_new(sizeof *self);
    self->options = *options;
    self->packed = packed_new();
    event_rate_begin(&self->rejected, options->loop, "tsa.request_rejected");
    event_rate_begin(&self->failed, options->loop, "tsa.failed");
    event_rate_begin(&self->unread, options->loop, "directory.read_failed");
    event_rate_begin(&self->refused, options->loop, "registry.request_refused");
    const struct http_options http = {.loop = options->loop,
                                      .connections = REGISTRY_CONNECTIONS_MAX,
                                      .a_source = REGISTRY_CONNECTIONS_A_SOURCE,
                                      .behind_proxy = true,
                                      .body_bytes_max = options->office == NULL
                                                            ? STAMP_REQUEST_BYTES_MAX
                                                            : REGISTRY_BODY_BYTES_MAX,
                                      .handle = answer,
                                      .owner = self};
    TRY(http_server_new(&http, listen, &self->server));
    *out = TAKE(self);
    return DONE;
}

void public_face_free(struct public_face **owner)
{
    struct public_face *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    http_server_free(&self->server);
    packed_free(&self->packed);
    event_rate_end(&self->rejected);
    event_rate_end(&self->failed);
    event_rate_end(&self->unread);
    event_rate_end(&self->refused);
    free(self);
}

const char *public_face_address(const struct public_face *self)
{
    return http_server_address(self->server);
}
