// SPDX-License-Identifier: MIT
#include "registry/serve/rights_face.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"
#include "registry/show_access.h"

#include <stdlib.h>

#define REQUEST "/access/requests/"
#define LINKED "application/ld+json"

static const struct list {
    const char *path;
    show_page_json *json, *linked; /* linked: or NULL */
} lists[] = {{"/restrictions", show_restrictions_json, show_restrictions_ld},
             {"/restrictions/without", show_closed_page_json, show_closed_page_ld},
             {"/grants", show_grants_json, show_grants_ld},
             {"/access/requests", show_requests_json, NULL},
             {"/break-glass", show_emergencies_json, NULL}};

static const struct list *find(const char *path)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (strcmp(path, lists[i].path) == 0)
            return &lists[i];
    return NULL;
}

bool rights_face_has(const char *path)
{
    return find(path) != NULL || strncmp(path, REQUEST, strlen(REQUEST)) == 0;
}

static const char *query(const struct http_request *request, const char *name)
{
    const char *value =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    return value == NULL ? "" : value;
}

static bool wants_linked(const struct http_request *request)
{
    const char *accept = http_field(request, "Accept");
    return strcmp(query(request, "format"), "jsonld") == 0 ||
           (accept != NULL && strstr(accept, LINKED) != NULL);
}

static enum MHD_Result send_linked(const struct http_request *request, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL)
        return http_fault(request, RAISE(INTERNAL, "a list cannot be written"));
    enum MHD_Result result = http_bytes(request, MHD_HTTP_OK, LINKED, span_of_text(text));
    free(text);
    return result;
}

static enum MHD_Result send_one(const struct http_request *request,
                                const struct directory *directory, const char *id)
{
    const struct directory_request *at = directory_request(directory, span_of_text(id));
    if (at == NULL)
        return http_fault(request, RAISE(NOT_FOUND, "there is no such request for access"));
    return http_json(request, MHD_HTTP_OK, show_request_json(directory, at, clock_wall_ms()));
}

enum MHD_Result rights_face_answer(const struct http_request *request,
                                   const struct directory *directory)
{
    const struct list *list = find(request->path);
    const struct show_page page = {query(request, "after"), RIGHTS_PAGE_MAX};
    if (!http_is_read(request))
        return http_allow(request, "GET, HEAD");
    if (list == NULL && strncmp(request->path, REQUEST, strlen(REQUEST)) == 0)
        return send_one(request, directory, request->path + strlen(REQUEST));
    if (list == NULL)
        return http_say(request, MHD_HTTP_NOT_FOUND, "no such place\n");
    if (list->linked != NULL && wants_linked(request))
        return send_linked(request, list->linked(directory, clock_wall_ms(), &page));
    return http_json(request, MHD_HTTP_OK, list->json(directory, clock_wall_ms(), &page));
}
