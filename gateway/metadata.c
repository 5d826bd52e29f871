// SPDX-License-Identifier: MIT
#include "gateway/metadata.h"

#include "gateway/table_http.h"
#include "gateway/write.h"
#include "lib/base/text.h"
#include "lib/bus/endpoint.h"
#include "lib/bus/metaservice.h"

#define JSON_TYPE "application/json"
#define CODE_WORD "serviceCode="

bool metadata_is(const char *service)
{
    return metaservice_of(span_of_text(service)) != METASERVICE_NONE;
}

// --- listMethods, allowedMethods -----------------------------------------------------------------

static void write_member(struct bytes *out, const char *name, const char *text)
{
    write_format(out, ",\"%s\":", name);
    write_json(out, span_of_text(text));
}

/* What is known of the service at this place of the list; NULL: it has no parts. */
static const struct front_parts *parts_at(const struct metadata_question *question, size_t place)
{
    for (size_t i = 0; i < question->parts; i++)
        if (question->part[i].place == place)
            return &question->part[i];
    return NULL;
}

/* An operation of a description falls to an endpoint as a request would; its parameters stand there
 * as `*`, which a pattern's wildcard fits. What could be read in two ways is asked for by nobody.
 */
static bool is_for_caller(const struct front_parts *parts, const char *method, const char *path)
{
    struct endpoint list[DIRECTORY_ENDPOINTS_MAX];
    size_t found = 0;
    if (parts == NULL || parts->endpoints == 0)
        return parts == NULL || parts->rest;
    if (parts->endpoints > DIRECTORY_ENDPOINTS_MAX)
        return false;
    for (size_t i = 0; i < parts->endpoints; i++)
        if (failed(endpoint_compile(parts->endpoint[i].method, parts->endpoint[i].path, &list[i])))
            return false;
    if (failed(endpoint_find(list, parts->endpoints, span_of_text(method), span_of_text(path),
                             &found)))
        return false;
    return found == parts->endpoints ? parts->rest : parts->allowed[found] != 0;
}

static void write_endpoint(struct bytes *out, const struct front_parts *parts, const char *method,
                           const char *path)
{
    if (!is_for_caller(parts, method, path))
        return;
    bool first = out->data[out->size - 1] == '[';
    write_format(out, "%s{\"method\":\"%s\",\"path\":", first ? "" : ",", method);
    write_json(out, span_of_text(path));
    write_text(out, "}");
}

static void write_endpoints(const struct service *service, const struct openapi *openapi,
                            const struct front_parts *parts, struct bytes *out)
{
    for (size_t i = 0; openapi != NULL && i < openapi->endpoints; i++)
        write_endpoint(out, parts, openapi->endpoint[i].method, openapi->endpoint[i].path);
    for (size_t i = 0; service != NULL && service->kind == SERVICE_TABLE; i++) {
        const char *path = table_http_path(service->table, i);
        if (path == NULL)
            return;
        write_endpoint(out, parts, "GET", path);
    }
}

static bool is_described(const struct service *service)
{
    return service != NULL && (service->kind == SERVICE_TABLE || service->openapi != NULL ||
                               service->description != NULL);
}

static bool needs_subject(const struct metadata_question *question, const char *code)
{
    for (size_t i = 0; i < question->subjects; i++)
        if (strcmp(question->subject[i], code) == 0)
            return true;
    return false;
}

static void write_service(const struct bus_id *id, const struct service *service,
                          const struct descriptions *descriptions, bool subject,
                          const struct front_parts *parts, struct bytes *out)
{
    write_format(out, "{\"object_type\":\"SERVICE\",\"service_type\":\"%s\"",
                 is_described(service) ? "OPENAPI" : "REST");
    write_member(out, "xroad_instance", id->part[0]);
    write_member(out, "member_class", id->part[1]);
    write_member(out, "member_code", id->part[2]);
    write_member(out, "subsystem_code", id->part[3]);
    write_member(out, "service_code", id->part[4]);
    if (subject) /* X-Road has no such member, and its readers pass over it */
        write_text(out, ",\"chaski_subject\":\"required\"");
    write_text(out, ",\"endpoint_list\":[");
    if (is_described(service))
        write_endpoints(service,
                        service->description == NULL ? service->openapi
                                                     : descriptions_know(descriptions, service->id),
                        parts, out);
    write_text(out, "]}");
}

/* The service of the same subsystem with this code; in canonical text. */
static fault sibling(const char *service, const char *code, char out[ID_TEXT_BYTES_MAX + 1],
                     struct bus_id *id)
{
    struct span subsystem = bus_id_prefix(span_of_text(service), ID_SUBSYSTEM);
    if (!text_format(out, ID_TEXT_BYTES_MAX + 1, "%.*s/%s", (int)subsystem.size,
                     (const char *)subsystem.at, code) ||
        failed(bus_id_parse(span_of_text(out), ID_SERVICE, ID_SERVICE, id)))
        return RAISE(BAD_FRAME, "an offered service's code is none");
    return DONE;
}

static fault answer_list(const struct services *services, const struct descriptions *descriptions,
                         const struct metadata_question *question, struct bytes **body)
{
    OWNED(bytes) out = bytes_empty(4096);
    write_text(out, "{\"service\":[");
    for (size_t i = 0; i < question->codes; i++) {
        char text[ID_TEXT_BYTES_MAX + 1];
        struct bus_id id;
        TRY(sibling(question->service, question->code[i], text, &id));
        write_text(out, i == 0 ? "" : ",");
        write_service(&id, services_find(services, text), descriptions,
                      needs_subject(question, question->code[i]), parts_at(question, i), out);
    }
    write_text(out, "]}");
    *body = TAKE(out);
    return DONE;
}

// --- getOpenAPI ----------------------------------------------------------------------------------

/* The value of serviceCode, decoded. Other words of the query mean nothing, as in X-Road. */
static fault read_code(struct span query, char out[ID_PART_BYTES_MAX + 1])
{
    static const char word[] = CODE_WORD;
    struct span value = {NULL, 0};
    size_t start = 0;
    for (size_t i = 0; i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&')
            continue;
        struct span part = span_of(query.at + start, i - start);
        start = i + 1;
        if (part.size < sizeof word - 1 || memcmp(part.at, word, sizeof word - 1) != 0)
            continue;
        if (value.at != NULL)
            return RAISE(BAD_QUESTION, CODE_WORD " stands there twice");
        value = span_of(part.at + sizeof word - 1, part.size - (sizeof word - 1));
    }
    if (value.size == 0)
        return RAISE(BAD_QUESTION, "whose description? write ?serviceCode=...");
    if (failed(text_percent_decode(value, out, ID_PART_BYTES_MAX + 1)) ||
        !text_is_plain(span_of_text(out)))
        return RAISE(BAD_QUESTION, "serviceCode is not percent-encoded UTF-8 of at most %d bytes",
                     ID_PART_BYTES_MAX);
    return DONE;
}

/* Is there such a service in the directory? Its canonical text, and its place in the list. */
static fault find_offered(const struct metadata_question *question, const char *code,
                          char out[ID_TEXT_BYTES_MAX + 1], size_t *place)
{
    for (size_t i = 0; i < question->codes; i++) {
        struct bus_id id;
        TRY(sibling(question->service, question->code[i], out, &id));
        *place = i;
        if (strcmp(id.part[4], code) == 0)
            return DONE;
    }
    return RAISE(UNKNOWN_SERVICE, "%.*s has none with the code of the query",
                 (int)bus_id_prefix(span_of_text(question->service), ID_SUBSYSTEM).size,
                 question->service);
}

/* Of a table no column that the caller would not get. */
static fault describe_table(const struct service *service, const struct front_parts *parts,
                            struct bytes *out)
{
    struct table_cover cover;
    bool covered = parts != NULL && parts->lists_columns;
    if (covered)
        table_cover_given(service->table, parts->given_column, parts->given, &cover);
    return table_http_describe(service->table, covered ? &cover : NULL, service->id, service->title,
                               out);
}

static fault answer_document(const struct service *service, const struct front_parts *parts,
                             const char **type, struct bytes **body)
{
    OWNED(bytes) out = bytes_empty(4096);
    if (service->kind == SERVICE_TABLE) {
        TRY(describe_table(service, parts, out));
    } else {
        TRY(openapi_write(service->openapi, bytes_span(service->document), out));
        *type = service->document_type;
    }
    *body = TAKE(out);
    return DONE;
}

static fault answer_openapi(const struct services *services,
                            const struct metadata_question *question, const char **type,
                            struct bytes **body, const struct service **fetch)
{
    char code[ID_PART_BYTES_MAX + 1], id[ID_TEXT_BYTES_MAX + 1];
    TRY(read_code(question->target->query, code));
    size_t place = 0;
    TRY(find_offered(question, code, id, &place));
    const struct service *service = services_find(services, id);
    if (service == NULL)
        return RAISE(SERVICE_NOT_SET, "no service \"%s\" in this gateway's configuration", id);
    if (!is_described(service))
        return RAISE(NO_DESCRIPTION, "%s", id);
    if (service->description == NULL)
        return answer_document(service, parts_at(question, place), type, body);
    *fetch = service;
    return DONE;
}

fault metadata_answer(const struct services *services, const struct descriptions *descriptions,
                      const struct metadata_question *question, const char **type,
                      struct bytes **body, const struct service **fetch)
{
    *type = JSON_TYPE;
    *body = NULL;
    *fetch = NULL;
    if (!span_is_text(question->method, "GET"))
        return RAISE(BAD_METHOD, "%s is asked with GET", strrchr(question->service, '/') + 1);
    if (question->target->path.size > 0)
        return RAISE(BAD_REQUEST, "nothing is below %s", strrchr(question->service, '/') + 1);
    if (metaservice_of(span_of_text(question->service)) == METASERVICE_OPENAPI)
        return answer_openapi(services, question, type, body, fetch);
    return answer_list(services, descriptions, question, body);
}
