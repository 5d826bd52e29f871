// SPDX-License-Identifier: MIT
#include "gateway/call.h"

#include "gateway/call_endpoint.h"
#include "gateway/call_source.h"
#include "gateway/metadata.h"
#include "gateway/request_hash.h"
#include "gateway/rest_headers.h"
#include "gateway/rest_message.h"
#include "gateway/rest_target.h"
#include "gateway/table_http.h"
#include "gateway/uuid.h"
#include "gateway/write.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

#include <assert.h>
#include <stdlib.h>

/* One call of an HTTP service, while its answer is awaited. */
struct call {
    struct gateway *gateway;
    uint64_t id;
    char *service;
    int64_t begun_us;
    size_t held; /* for the request */
    uint8_t hash[REQUEST_HASH_BYTES];
    unsigned status;
    struct bytes *head; /* of the payload, when the body's size is not known yet */
};

/* A call once read; spans point into the frame. */
struct reading {
    struct rest_request request;
    struct rest_fields header; /* what a service is told */
    char exchange[UUID_TEXT_ROOM];
    struct rest_target target;
    uint8_t hash[REQUEST_HASH_BYTES];
};

// --- ending --------------------------------------------------------------------------------------

static void report(fault f, uint64_t call)
{
    if (failed(f))
        EVENT(WARN, "call.answer_not_sent", E_NUMBER("call", call), E_FAULT(f));
}

static void refuse(struct gateway *gateway, uint64_t id, const char *service, fault f)
{
    char detail[DETAIL_BYTES_MAX];
    text_format(detail, sizeof detail, "%s", fault_detail());
    EVENT(WARN, "call.failed", E_TEXT("service", service), E_TEXT("fault", fault_name(f.code)),
          E_TEXT("detail", detail));
    struct front_problem problem = {
        .code = f.code, .detail = detail, .rule = "", .remedy = "", .at_provider = true};
    report(front_line_done_badly(gateway->front, id, &problem), id);
}

static void call_free(struct call *self)
{
    budget_give(&self->gateway->budget, BUDGET_SERVICES, self->held);
    bytes_free(&self->head);
    free(self->service);
    free(self);
}

static void end_metrics(struct gateway *gateway, int64_t begun_us, fault f)
{
    metrics_end(&gateway->metrics, METRICS_PROVIDER, f.code, loop_now_us(gateway->loop) - begun_us);
}

// --- reading -------------------------------------------------------------------------------------

static fault check_service(const struct rest_target *target, const char *expected)
{
    char text[ID_TEXT_BYTES_MAX + 1];
    bus_id_text(&target->service, ID_SERVICE, text, sizeof text);
    if (strcmp(text, expected) != 0)
        return RAISE(BAD_REQUEST, "the path names another service than the signed request");
    return DONE;
}

static fault read_message(const struct front_call *call, struct reading *out)
{
    if (call->exchange_id.size != UUID_BYTES)
        return RAISE(BAD_FRAME, "an exchange id of %zu bytes", call->exchange_id.size);
    uuid_text(call->exchange_id.at, out->exchange);
    struct rest_facts facts = {call->client, out->exchange, call->purpose};
    TRY(rest_request_read(call->payload, &out->request));
    return rest_headers_of_call(&out->request.header, &facts, &out->header);
}

/* Everything in the message came from another organisation. */
static fault read_call(const struct front_call *call, struct reading *out)
{
    if (failed(read_message(call, out))) {
        char detail[200];
        text_format(detail, sizeof detail, "%s", fault_detail());
        return RAISE(BAD_REQUEST, "the message is not a REST request: %s", detail);
    }
    if (!rest_method_is_carried(out->request.method))
        return RAISE(BAD_METHOD, REST_METHODS " are");
    TRY(rest_target_parse(out->request.target, &out->target));
    TRY(check_service(&out->target, call->service));
    TRY(call_endpoint_check(call, out->request.method, out->target.path, &out->header));
    TRY(call_source_check(call, out->request.method, &out->target, &out->header));
    TRY(call_endpoint_check_query(call, out->target.query));
    request_hash_head(out->request.method, out->request.target, &out->request.header, out->hash);
    request_hash_whole(out->hash, out->request.body, out->hash);
    return DONE;
}

// --- what is at hand -----------------------------------------------------------------------------

static fault send_at_once(struct gateway *gateway, uint64_t call, unsigned status,
                          const struct rest_fields *header, const uint8_t *hash, struct span body)
{
    OWNED(bytes) payload = bytes_empty(body.size + 1024);
    rest_response_write(status, header, span_of(hash, REQUEST_HASH_BYTES), payload);
    rest_body_begin(body.size, payload);
    write_span(payload, body);
    return front_line_done(gateway->front, call, status, bytes_span(payload));
}

static fault answer_from_table(struct gateway *gateway, const struct front_call *call,
                               const struct reading *reading, const struct service *service)
{
    struct table_answer answer;
    struct table_cover cover;
    struct table_question question = {.method = reading->request.method,
                                      .path = reading->target.path,
                                      .query = reading->target.query,
                                      .header = &reading->header,
                                      .service = service->id,
                                      .title = service->title,
                                      .cover = &cover,
                                      .body_bytes_max = (size_t)gateway->config.body_bytes_max};
    table_cover_make(service->table, call, &cover);
    fault f = table_http_serve(service->table, &question, &answer);
    if (!failed(f))
        f = send_at_once(gateway, call->call, answer.status, &answer.header, reading->hash,
                         bytes_span(answer.body));
    table_answer_clear(&answer);
    return f;
}

// --- what is offered -----------------------------------------------------------------------------

/* A call whose answer is on its way. */
static struct call *call_waiting(struct gateway *gateway, const struct front_call *call,
                                 const struct reading *reading)
{
    struct call *self = owned_new(sizeof *self);
    self->gateway = gateway;
    self->id = call->call;
    self->service = owned_text(call->service);
    self->begun_us = loop_now_us(gateway->loop);
    memcpy(self->hash, reading->hash, sizeof self->hash);
    return self;
}

static fault send_document(struct gateway *gateway, uint64_t call, const uint8_t *hash,
                           const char *type, struct span body)
{
    struct rest_fields header = {.count = 0};
    if (body.size > (size_t)gateway->config.body_bytes_max)
        return RAISE(SERVICE_TOO_LARGE, "%zu bytes", body.size);
    rest_headers_add(&header, "Content-Type", span_of_text(type));
    return send_at_once(gateway, call, 200, &header, hash, body);
}

static void on_document(void *owner, fault f, const char *type, struct span document,
                        const struct openapi *openapi)
{
    struct call *self = owner;
    OWNED(bytes) body = bytes_empty(0);
    if (!failed(f))
        f = openapi_write(openapi, document, body);
    if (!failed(f))
        f = send_document(self->gateway, self->id, self->hash, type, bytes_span(body));
    end_metrics(self->gateway, self->begun_us, f);
    if (failed(f))
        refuse(self->gateway, self->id, self->service, f);
    call_free(self);
}

static fault answer_metadata(struct gateway *gateway, const struct front_call *call,
                             const struct reading *reading, bool *ended)
{
    const char *type = NULL;
    OWNED(bytes) body = NULL;
    const struct service *fetch = NULL;
    struct metadata_question question = {.service = call->service,
                                         .method = reading->request.method,
                                         .target = &reading->target,
                                         .codes = call->codes,
                                         .code = call->code,
                                         .subjects = call->subjects,
                                         .subject = call->subject,
                                         .parts = call->parts,
                                         .part = call->part};
    TRY(metadata_answer(gateway->services, gateway->descriptions, &question, &type, &body, &fetch));
    if (fetch == NULL)
        return send_document(gateway, call->call, reading->hash, type, bytes_span(body));
    struct call *self = call_waiting(gateway, call, reading);
    int64_t wait_ms = call->wait_ms < fetch->timeout_ms ? call->wait_ms : fetch->timeout_ms;
    fault f = description_fetch(gateway, fetch, wait_ms, on_document, self);
    if (failed(f))
        call_free(self);
    *ended = failed(f);
    return f;
}

// --- HTTP services -------------------------------------------------------------------------------

/* The URL's path, then the caller's: of two slashes where they meet one goes. */
static void write_target(const struct service *service, const struct rest_target *target,
                         struct bytes *out)
{
    struct span base = span_of_text(service->base), path = target->path;
    if (base.size > 0 && base.at[base.size - 1] == '/' && path.size > 0)
        base.size--;
    if (base.size == 0 && path.size == 0)
        path = span_of_text("/");
    write_span(out, base);
    write_span(out, path);
    if (target->has_query) {
        write_text(out, "?");
        write_span(out, target->query);
    }
}

static bool usually_has_body(struct span method)
{
    return span_is_text(method, "POST") || span_is_text(method, "PUT") ||
           span_is_text(method, "PATCH");
}

static fault make_request(const struct reading *reading, const struct service *service,
                          struct bytes **out)
{
    const struct rest_request *request = &reading->request;
    OWNED(bytes) text = bytes_empty(1024);
    write_span(text, request->method);
    write_text(text, " ");
    write_target(service, &reading->target, text);
    write_text(text, " HTTP/1.1\r\nHost: ");
    write_text(text, service->host);
    write_text(text, "\r\n");
    for (size_t i = 0; i < reading->header.count; i++)
        http_field_write(text, reading->header.field[i].name, reading->header.field[i].value);
    if (request->body.size > 0 || usually_has_body(request->method)) {
        write_text(text, "Content-Length: ");
        write_number(text, request->body.size);
        write_text(text, "\r\n");
    }
    write_text(text, "\r\n");
    TRY(bytes_append(text, request->body));
    *out = TAKE(text);
    return DONE;
}

/* The payload's head is packed when the answer's head is here; a body of known size follows in it.
 */
static fault on_head(void *owner, const struct http_head *head, bool sized, struct bytes **into)
{
    struct call *self = owner;
    struct rest_fields header;
    rest_headers_of_response(head->field, head->fields, &header);
    self->status = head->status;
    self->head = bytes_empty(1024);
    rest_response_write(head->status, &header, span_of(self->hash, sizeof self->hash), self->head);
    if (sized) {
        rest_body_begin((size_t)head->length, self->head);
        *into = TAKE(self->head);
    } else {
        *into = bytes_empty(0);
    }
    return DONE;
}

static fault join(struct call *self, struct bytes **into)
{
    if (self->head == NULL)
        return DONE; /* it is in one piece */
    rest_body_begin((*into)->size, self->head);
    TRY(bytes_append(self->head, bytes_span(*into)));
    bytes_free(into);
    *into = TAKE(self->head);
    return DONE;
}

static void on_end(void *owner, fault f, struct bytes **into)
{
    struct call *self = owner;
    struct gateway *gateway = self->gateway;
    if (!failed(f))
        f = join(self, into);
    if (!failed(f))
        f = front_line_done(gateway->front, self->id, self->status, bytes_span(*into));
    end_metrics(gateway, self->begun_us, f);
    if (failed(f))
        refuse(gateway, self->id, self->service, f);
    call_free(self);
}

static const struct service_taker taker = {on_head, on_end};

static fault call_service(struct gateway *gateway, const struct front_call *call,
                          const struct reading *reading, const struct service *service)
{
    OWNED(bytes) request = NULL;
    TRY(make_request(reading, service, &request));
    assert(request != NULL);
    if (!budget_take(&gateway->budget, BUDGET_SERVICES, request->size))
        return RAISE(OVERLOADED, "too many bodies are in memory");
    struct call *self = call_waiting(gateway, call, reading);
    self->held = request->size;
    struct service_send send = {
        .service = service,
        .request = &request,
        .to_head = span_is_text(reading->request.method, "HEAD"),
        .wait_ms = call->wait_ms < service->timeout_ms ? call->wait_ms : service->timeout_ms,
        .taker = &taker,
        .owner = self};
    fault f = service_client_send(gateway->client, &send);
    if (failed(f))
        call_free(self);
    return f;
}

// --- a call --------------------------------------------------------------------------------------

static fault start(struct gateway *gateway, const struct front_call *call, bool *ended)
{
    struct reading reading;
    *ended = true;
    TRY(read_call(call, &reading));
    if (call->has_offer && metadata_is(call->service))
        return answer_metadata(gateway, call, &reading, ended);
    const struct service *service = services_find(gateway->services, call->service);
    if (service == NULL)
        return RAISE(SERVICE_NOT_SET, "no service \"%s\" in this gateway's configuration",
                     call->service);
    if (service->kind == SERVICE_TABLE)
        return answer_from_table(gateway, call, &reading, service);
    if (call->given + call->withheld > 0)
        return RAISE(COLUMNS_NOT_KEPT, "%s is no table", call->service);
    TRY(call_service(gateway, call, &reading, service));
    *ended = false;
    return DONE;
}

void call_take(struct gateway *gateway, const struct front_call *call)
{
    bool ended;
    metrics_begin(&gateway->metrics, METRICS_PROVIDER);
    fault f = start(gateway, call, &ended);
    if (failed(f))
        refuse(gateway, call->call, call->service, f);
    if (failed(f) || ended)
        end_metrics(gateway, loop_now_us(gateway->loop), f);
}
