// SPDX-License-Identifier: MIT
#include "registry/serve/admin_face.h"

#include "lib/base/event.h"
#include "lib/base/event_rate.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "registry/approving.h"
#include "registry/hosting.h"
#include "registry/serve/admin_json.h"
#include "registry/serve/json_body.h"
#include "registry/serve/openapi.h"
#include "registry/serve/public_face.h"
#include "registry/serve/tls_peer.h"
#include "registry/store.h"

#include <stdlib.h>

#define BASE "/admin/v1/"
#define PAGE 500
#define PEM_BYTES_MAX 65536

struct admin_face {
    struct office *office; /* lent */
    struct http_server *server;
    struct packed *packed;
    struct bytes *key, *certificate, *trust; /* texts with a NUL */
    struct event_rate denied, refused, unread;
};

/* One request of a known operator. */
struct visit {
    struct admin_face *self;
    struct office *office;
    const struct http_request *request;
    const struct directory_operator *person;
    const char *rest; /* of the path, behind what brought it here */
};

static enum MHD_Result refuse(const struct visit *visit, fault f)
{
    if (event_rate_allows(&visit->self->refused))
        EVENT(WARN, "admin.request_refused", E_FAULT(f));
    return http_fault(visit->request, f);
}

static bool has_any_role(const struct visit *visit, unsigned roles)
{
    return (visit->person->roles & roles) != 0;
}

#define ENROLLING (1u << ROLE_ENROL | 1u << ROLE_APPROVE)
#define ACTING (ENROLLING | 1u << ROLE_PUBLISH | 1u << ROLE_REVOKE)

static fault check_role(const struct visit *visit, unsigned roles)
{
    return has_any_role(visit, roles)
               ? DONE
               : RAISE(ACCESS_DENIED, "an operator with this role may look and not act");
}

// --- proposals ----------------------------------------------------------------------------------

/* ?after=NUMBER: the next page. */
static enum MHD_Result list_proposals(const struct visit *visit)
{
    const char *text =
        MHD_lookup_connection_value(visit->request->connection, MHD_GET_ARGUMENT_KIND, "after");
    uint64_t after = 0;
    json_t *list = json_array();
    const struct proposal *at = NULL;
    if (text != NULL && failed(text_number(span_of_text(text), INT64_MAX, &after)))
        return refuse(visit, RAISE(BAD_REQUEST, "\"after\" is a proposal's number"));
    while ((at = proposals_after(visit->office->proposals, after)) != NULL &&
           json_array_size(list) < PAGE) {
        json_array_append_new(list, admin_json_proposal(visit->office, at));
        after = at->number;
    }
    return http_json(visit->request, MHD_HTTP_OK,
                     json_pack("{s:o,s:b}", "proposals", list, "more", at != NULL));
}

static enum MHD_Result reply_proposals(const struct visit *visit, struct proposal *const *at,
                                       size_t count, unsigned status)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, admin_json_proposal(visit->office, at[i]));
    return http_json(visit->request, status, json_pack("{s:o}", "proposals", list));
}

/* All are kept before any is carried out: what was approved is not lost by what follows. */
static fault add_proposals(const struct visit *visit, struct proposal **out, size_t *count)
{
    OWNED(json_body) body = NULL;
    json_t *acts = NULL;
    const char *label = NULL;
    TRY(check_role(visit, ACTING));
    TRY(json_body_read(visit->request, &body));
    TRY(json_body_only(body, "acts label"));
    TRY(json_body_text(body, "label", &label));
    TRY(json_body_list(body, "acts", REGISTRY_GROUP_ACTS_MAX, &acts));
    for (size_t i = 0; i < json_array_size(acts); i++) {
        OWNED(bytes) act = NULL;
        const char *text = json_string_value(json_array_get(acts, i));
        if (text == NULL || failed(text_unbase64(span_of_text(text), &act)))
            return RAISE(BAD_REQUEST, "\"acts\" holds something that is not base64");
        TRY(proposals_add(visit->office->proposals, bytes_span(act), label, visit->person->id,
                          &out[*count]));
        (*count)++;
    }
    return office_carry_out(visit->office, out, *count);
}

static enum MHD_Result answer_proposals(const struct visit *visit)
{
    struct proposal *made[REGISTRY_GROUP_ACTS_MAX];
    size_t count = 0;
    if (http_is_read(visit->request))
        return list_proposals(visit);
    if (strcmp(visit->request->method, "POST") != 0)
        return http_allow(visit->request, "GET, HEAD, POST");
    fault f = add_proposals(visit, made, &count);
    return failed(f) ? refuse(visit, f) : reply_proposals(visit, made, count, MHD_HTTP_CREATED);
}

static fault take_approval(const struct visit *visit, json_t *one, struct proposal **out)
{
    OWNED(bytes) signature = NULL;
    TRY(json_body_only_in(one, "id signature"));
    const char *id = json_string_value(json_object_get(one, "id"));
    const char *text = json_string_value(json_object_get(one, "signature"));
    if (id == NULL || text == NULL || failed(text_unbase64(span_of_text(text), &signature)))
        return RAISE(BAD_REQUEST, "an approval has an id and a signature in base64");
    *out = proposals_find(visit->office->proposals, id);
    if (*out == NULL)
        return RAISE(NOT_FOUND, "there is no proposal %.32s", id);
    return proposals_approve(visit->office->proposals, *out, visit->person->id,
                             bytes_span(signature));
}

static fault take_approvals(const struct visit *visit, struct proposal **out, size_t *count)
{
    OWNED(json_body) body = NULL;
    json_t *list = NULL;
    TRY(check_role(visit, ACTING));
    TRY(json_body_read(visit->request, &body));
    TRY(json_body_only(body, "approvals"));
    TRY(json_body_list(body, "approvals", REGISTRY_GROUP_ACTS_MAX, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(take_approval(visit, json_array_get(list, i), &out[*count]));
        (*count)++;
    }
    return office_carry_out(visit->office, out, *count);
}

static enum MHD_Result answer_approvals(const struct visit *visit)
{
    struct proposal *approved[REGISTRY_GROUP_ACTS_MAX];
    size_t count = 0;
    if (strcmp(visit->request->method, "POST") != 0)
        return http_allow(visit->request, "POST");
    fault f = take_approvals(visit, approved, &count);
    return failed(f) ? refuse(visit, f) : reply_proposals(visit, approved, count, MHD_HTTP_OK);
}

static fault take_reason(const struct visit *visit, unsigned roles, struct json_body **body,
                         const char **reason)
{
    TRY(check_role(visit, roles));
    TRY(json_body_read(visit->request, body));
    TRY(json_body_only(*body, "reason"));
    return json_body_text(*body, "reason", reason);
}

static enum MHD_Result refuse_proposal(const struct visit *visit, struct proposal *proposal)
{
    OWNED(json_body) body = NULL;
    const char *reason = NULL;
    if (strcmp(visit->request->method, "POST") != 0)
        return http_allow(visit->request, "POST");
    fault f = take_reason(visit, ACTING, &body, &reason);
    if (!failed(f))
        f = proposals_may_refuse(visit->office->proposals, proposal, visit->person);
    if (!failed(f))
        f = proposals_refuse(visit->office->proposals, proposal, visit->person->id, reason);
    return failed(f) ? refuse(visit, f) : reply_proposals(visit, &proposal, 1, MHD_HTTP_OK);
}

/* "ID" or "ID/refusal". */
static bool split_id(const char *rest, size_t digits, char *id, const char **verb)
{
    if (strlen(rest) < digits || (rest[digits] != '\0' && rest[digits] != '/'))
        return false;
    memcpy(id, rest, digits);
    id[digits] = '\0';
    *verb = rest[digits] == '\0' ? "" : rest + digits + 1;
    return true;
}

static enum MHD_Result answer_proposal(const struct visit *visit)
{
    char id[ACT_ID_ROOM];
    const char *verb = NULL;
    struct proposal *at = NULL;
    if (split_id(visit->rest, ACT_ID_DIGITS, id, &verb))
        at = proposals_find(visit->office->proposals, id);
    if (at == NULL)
        return http_fault(visit->request, RAISE(NOT_FOUND, "there is no such proposal"));
    if (strcmp(verb, "refusal") == 0)
        return refuse_proposal(visit, at);
    if (verb[0] != '\0')
        return http_fault(visit->request, RAISE(NOT_FOUND, "no such place"));
    if (!http_is_read(visit->request))
        return http_allow(visit->request, "GET, HEAD");
    return http_json(visit->request, MHD_HTTP_OK, admin_json_proposal(visit->office, at));
}

// --- requests -----------------------------------------------------------------------------------

static enum MHD_Result answer_requests(const struct visit *visit)
{
    json_t *list = json_array();
    const struct request *at = NULL;
    if (!http_is_read(visit->request)) {
        json_decref(list);
        return http_allow(visit->request, "GET, HEAD");
    }
    for (size_t i = 0; (at = requests_at(visit->office->requests, i)) != NULL; i++)
        json_array_append_new(list, admin_json_request(visit->office, at, false));
    return http_json(visit->request, MHD_HTTP_OK, json_pack("{s:o}", "requests", list));
}

/* *alone: why nobody vouches, or NULL; nothing at all may be sent. */
static fault read_alone(const struct visit *visit, struct json_body **body, const char **alone)
{
    if (visit->request->body.size == 0)
        return DONE;
    TRY(json_body_read(visit->request, body));
    TRY(json_body_only(*body, "without_voucher"));
    return json_object_size((*body)->root) == 0 ? DONE
                                                : json_body_text(*body, "without_voucher", alone);
}

static fault work_on_request(const struct visit *visit, struct request *at, const char *verb)
{
    OWNED(json_body) body = NULL;
    const char *reason = NULL;
    if (strcmp(verb, "refusal") == 0) {
        TRY(take_reason(visit, ENROLLING, &body, &reason));
        return requests_refuse(visit->office->requests, at, visit->person->id, reason);
    }
    TRY(check_role(visit, ENROLLING));
    TRY(read_alone(visit, &body, &reason));
    return requests_prepare(visit->office->requests, at, visit->person->id, reason,
                            visit->office->options.line);
}

static enum MHD_Result answer_request(const struct visit *visit)
{
    char id[REQUEST_ID_DIGITS + 1];
    const char *verb = NULL;
    struct request *at = NULL;
    if (split_id(visit->rest, REQUEST_ID_DIGITS, id, &verb))
        at = requests_find(visit->office->requests, id);
    if (at == NULL)
        return http_fault(visit->request, RAISE(NOT_FOUND, "there is no such request"));
    if (verb[0] != '\0' && strcmp(verb, "refusal") != 0 && strcmp(verb, "preparation") != 0)
        return http_fault(visit->request, RAISE(NOT_FOUND, "no such place"));
    if (verb[0] == '\0' && !http_is_read(visit->request))
        return http_allow(visit->request, "GET, HEAD");
    if (verb[0] != '\0' && strcmp(visit->request->method, "POST") != 0)
        return http_allow(visit->request, "POST");
    requests_look_again(visit->office->requests, at);
    fault f = verb[0] == '\0' ? DONE : work_on_request(visit, at, verb);
    if (failed(f))
        return refuse(visit, f);
    return http_json(visit->request, MHD_HTTP_OK, admin_json_request(visit->office, at, true));
}

// --- outside authorities ------------------------------------------------------------------------

/* POST begins a round, or joins the one under way. */
static enum MHD_Result answer_statuses(const struct visit *visit)
{
    bool begins = strcmp(visit->request->method, "POST") == 0;
    if (!begins && !http_is_read(visit->request))
        return http_allow(visit->request, "GET, HEAD, POST");
    fault f = begins ? check_role(visit, ACTING) : DONE;
    if (begins && !failed(f))
        f = status_desk_begin(visit->office->statuses);
    if (failed(f))
        return refuse(visit, f);
    return http_json(visit->request, MHD_HTTP_OK, admin_json_statuses(visit->office));
}

// --- routes -------------------------------------------------------------------------------------

static enum MHD_Result answer_state(const struct visit *visit)
{
    if (!http_is_read(visit->request))
        return http_allow(visit->request, "GET, HEAD");
    return http_json(visit->request, MHD_HTTP_OK, admin_json_state(visit->office, visit->person));
}

static enum MHD_Result answer_openapi(const struct visit *visit)
{
    if (!http_is_read(visit->request))
        return http_allow(visit->request, "GET, HEAD");
    return http_bytes(visit->request, MHD_HTTP_OK, "application/json", openapi_document());
}

static enum MHD_Result answer_directory(const struct visit *visit)
{
    return public_face_file(visit->request, visit->office->options.folder, visit->rest,
                            visit->self->packed, &visit->self->unread);
}

static const struct {
    const char *path;
    enum MHD_Result (*answer)(const struct visit *visit);
} routes[] = {{BASE "state", answer_state},         {BASE "openapi.json", answer_openapi},
              {BASE "proposals", answer_proposals}, {BASE "proposals/", answer_proposal},
              {BASE "approvals", answer_approvals}, {BASE "requests", answer_requests},
              {BASE "requests/", answer_request},   {BASE "statuses", answer_statuses},
              {"/directory/", answer_directory}};

static enum MHD_Result route(struct visit *visit)
{
    const char *path = visit->request->path;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        size_t size = strlen(routes[i].path);
        bool below = routes[i].path[size - 1] == '/';
        if (strncmp(path, routes[i].path, size) != 0 || (!below && path[size] != '\0'))
            continue;
        visit->rest = path + size;
        return routes[i].answer(visit);
    }
    return http_fault(visit->request, RAISE(NOT_FOUND, "no such place"));
}

/* The key and nothing else of the certificate tells who it is. */
static enum MHD_Result answer(void *owner, const struct http_request *request)
{
    struct admin_face *self = owner;
    struct visit visit = {.self = self, .office = self->office, .request = request};
    uint8_t key[P256_POINT_BYTES];
    fault f = tls_peer_key(request, key);
    if (!failed(f)) {
        visit.person =
            approving_person(outlook_state(self->office->outlook), span_of(key, sizeof key));
        if (visit.person == NULL)
            f = RAISE(ACCESS_DENIED, "this key is of no operator");
    } else if (f.code == BAD_KEY) {
        f = RAISE(ACCESS_DENIED, "this key is of no operator: it is not P-256");
    }
    if (!failed(f))
        return route(&visit);
    if (event_rate_allows(&self->denied))
        EVENT(WARN, "admin.denied", E_FAULT(f));
    return http_fault(request, f);
}

// --- beginning and ending -----------------------------------------------------------------------

static fault read_pem(const char *store, const char *name, struct bytes **out)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) text = NULL;
    if (!text_format(path, sizeof path, "%s/%s", store, name))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    fault f = file_read(path, PEM_BYTES_MAX, &text);
    if (f.code == NOT_FOUND)
        return RAISE(BAD_KEY,
                     "%s is not there: chaski-registry admin-certificate STORE --host "
                     "NAME makes it",
                     path);
    TRY(f);
    TRY(bytes_append(text, span_of("", 1)));
    *out = TAKE(text);
    return DONE;
}

static fault start(struct admin_face *self, struct loop *loop, const char *listen)
{
    const char *store = self->office->options.store;
    TRY(read_pem(store, HOSTING_KEY, &self->key));
    TRY(read_pem(store, HOSTING_CERTIFICATE, &self->certificate));
    TRY(read_pem(store, "anchor/trust.pem", &self->trust));
    const struct http_tls tls = {.key_pem = (const char *)self->key->data,
                                 .certificate_pem = (const char *)self->certificate->data,
                                 .trust_pem = (const char *)self->trust->data};
    const struct http_options options = {.loop = loop,
                                         .connections = REGISTRY_CONNECTIONS_ADMIN_MAX,
                                         .a_source = REGISTRY_CONNECTIONS_ADMIN_A_SOURCE,
                                         .body_bytes_max = REGISTRY_BODY_BYTES_MAX,
                                         .tls = &tls,
                                         .handle = answer,
                                         .owner = self};
    return http_server_new(&options, listen, &self->server);
}

fault admin_face_new(struct loop *loop, struct office *office, const char *listen,
                     struct admin_face **out)
{
    OWNED(admin_face) self = owned_new(sizeof *self);
    self->packed = packed_new();
    self->office = office;
    event_rate_begin(&self->denied, loop, "admin.denied");
    event_rate_begin(&self->refused, loop, "admin.request_refused");
    event_rate_begin(&self->unread, loop, "directory.read_failed");
    TRY(start(self, loop, listen));
    *out = TAKE(self);
    return DONE;
}

void admin_face_free(struct admin_face **owner)
{
    struct admin_face *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    http_server_free(&self->server);
    packed_free(&self->packed);
    event_rate_end(&self->denied);
    event_rate_end(&self->refused);
    event_rate_end(&self->unread);
    bytes_free(&self->key);
    bytes_free(&self->certificate);
    bytes_free(&self->trust);
    free(self);
}

const char *admin_face_address(const struct admin_face *self)
{
    return http_server_address(self->server);
}
