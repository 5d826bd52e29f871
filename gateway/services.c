// SPDX-License-Identifier: MIT
#include "gateway/services.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

#include <netdb.h>
#include <stdlib.h>

#define WHERE_ROOM 340

struct services {
    struct map by_id;
    size_t count;
    struct service **service;
    struct map client_by_id;
    size_t clients;
    struct client_section **client;
    size_t subsystems;
    char **subsystem;
};

// --- URL -----------------------------------------------------------------------------------------

struct url {
    char host[256];
    char port[6];
    struct span authority; /* HOST[:PORT] as written */
    struct span base;
};

static fault split_authority(const char *where, struct span authority, struct url *out)
{
    size_t end = authority.size;
    bool bracketed = end > 0 && authority.at[0] == '[';
    const uint8_t *close = bracketed ? memchr(authority.at, ']', end) : NULL;
    size_t host_end = close != NULL ? (size_t)(close - authority.at) + 1 : 0;
    while (host_end < end && authority.at[host_end] != ':')
        host_end++;
    struct span host = span_of(authority.at, host_end);
    struct span port = host_end < end ? span_of(authority.at + host_end + 1, end - host_end - 1)
                                      : span_of_text("80");
    uint64_t number;
    if (close != NULL)
        host = span_of(host.at + 1, host.size - 2);
    if (host.size == 0 || host.size >= sizeof out->host || memchr(authority.at, '@', end) != NULL ||
        (bracketed && close == NULL))
        return RAISE(BAD_CONFIG, "%s: there is no proper host in it", where);
    if (failed(text_number(port, 65535, &number)) || number == 0)
        return RAISE(BAD_CONFIG, "%s: the port is not a number from 1 to 65535", where);
    text_format(out->host, sizeof out->host, "%.*s", (int)host.size, (const char *)host.at);
    text_format(out->port, sizeof out->port, "%u", (unsigned)number);
    return DONE;
}

static fault check_url_bytes(const char *where, struct span url)
{
    for (size_t i = 0; i < url.size; i++)
        if (url.at[i] <= 0x20 || url.at[i] >= 0x7f || url.at[i] == '?' || url.at[i] == '#')
            return RAISE(BAD_CONFIG,
                         "%s: only scheme, host, port and path can stand here, "
                         "percent-encoded",
                         where);
    return DONE;
}

static fault read_url(const char *where, const char *text, struct url *out)
{
    static const char scheme[] = "http://";
    struct span url = span_of_text(text);
    if (url.size == 0)
        return RAISE(BAD_CONFIG, "%s is missing", where);
    if (strncasecmp(text, "https://", 8) == 0)
        return RAISE(BAD_CONFIG,
                     "%s: https:// is not spoken to services yet; use http:// "
                     "within your own network, or put a local TLS client such as stunnel between",
                     where);
    if (strncasecmp(text, scheme, sizeof scheme - 1) != 0)
        return RAISE(BAD_CONFIG, "%s must begin with http://", where);
    TRY(check_url_bytes(where, url));
    url = span_of(url.at + sizeof scheme - 1, url.size - (sizeof scheme - 1));
    size_t end = 0;
    while (end < url.size && url.at[end] != '/')
        end++;
    out->authority = span_of(url.at, end);
    out->base = span_of(url.at + end, url.size - end);
    return split_authority(where, out->authority, out);
}

static fault look_up(const char *where, const struct url *url, struct service *out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(url->host, url->port, &hints, &found);
    if (error != 0)
        return RAISE(BAD_CONFIG, "%s: host %s: %s", where, url->host, gai_strerror(error));
    for (struct addrinfo *at = found; at != NULL && out->addresses < SERVICE_ADDRESSES_MAX;
         at = at->ai_next) {
        if (at->ai_addrlen > sizeof(struct sockaddr_storage))
            continue;
        struct service_address *address = &out->address[out->addresses++];
        address->size = at->ai_addrlen;
        memcpy(&address->at, at->ai_addr, at->ai_addrlen);
    }
    freeaddrinfo(found);
    return DONE;
}

static char *text_of(struct span from)
{
    char *text = owned_new(from.size + 1);
    if (from.size > 0)
        memcpy(text, from.at, from.size);
    return text;
}

// --- one service ---------------------------------------------------------------------------------

static void service_free(struct service **self)
{
    if (*self == NULL)
        return;
    table_free(&(*self)->table);
    bytes_free(&(*self)->document);
    openapi_free(&(*self)->openapi);
    service_free(&(*self)->description);
    free((*self)->id);
    free((*self)->host);
    free((*self)->base);
    free((*self)->title);
    free(*self);
    *self = NULL;
}

/* `where`: for what is said of a bad one. */
static fault take_url(const char *where, const char *text, struct service *out)
{
    struct url url = {0};
    TRY(read_url(where, text, &url));
    out->host = text_of(url.authority);
    out->base = text_of(url.base);
    return look_up(where, &url, out);
}

/* As its name says; the document itself need not. */
static const char *media_type_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot == NULL                     ? "text/plain"
           : strcasecmp(dot, ".json") == 0 ? "application/json"
           : strcasecmp(dot, ".yaml") == 0 ? "application/yaml"
           : strcasecmp(dot, ".yml") == 0  ? "application/yaml"
                                           : "text/plain";
}

static fault read_description(const struct service_section *section, struct service *out)
{
    char detail[400];
    fault f = file_read(section->openapi, OPENAPI_BYTES_MAX, &out->document);
    if (!failed(f))
        f = openapi_read(bytes_span(out->document), &out->openapi);
    out->document_type = media_type_of(section->openapi);
    if (!failed(f))
        return DONE;
    text_format(detail, sizeof detail, "%s", fault_detail());
    return RAISE(BAD_CONFIG, "service \"%s\": openapi: %s: %s", section->title, section->openapi,
                 detail);
}

static fault make_description(const struct service_section *section, struct service *out)
{
    char where[WHERE_ROOM];
    if (section->openapi[0] == '\0')
        return DONE;
    if (strstr(section->openapi, "://") == NULL)
        return read_description(section, out);
    text_format(where, sizeof where, "service \"%.300s\": openapi", section->title);
    out->description = owned_new(sizeof *out->description);
    out->description->id = owned_text(section->title);
    return take_url(where, section->openapi, out->description);
}

static fault make_http(const struct service_section *section, struct service *out)
{
    char where[WHERE_ROOM];
    if (section->file[0] != '\0' || section->key[0] != '\0')
        return RAISE(BAD_CONFIG, "service \"%s\": file and key belong to kind = table",
                     section->title);
    text_format(where, sizeof where, "service \"%.300s\": url", section->title);
    TRY(take_url(where, section->url, out));
    return make_description(section, out);
}

static fault make_table(const struct service_section *section, struct service *out)
{
    OWNED(bytes) file = NULL;
    char detail[400];
    if (section->file[0] == '\0' || section->url[0] != '\0' || section->openapi[0] != '\0')
        return RAISE(
            BAD_CONFIG,
            "service \"%s\": kind = table needs a file and has no url; it describes itself, "
            "without openapi",
            section->title);
    fault f = file_read(section->file, TABLE_BYTES_MAX, &file);
    if (!failed(f))
        f = table_parse(&file, section->key, &out->table);
    if (!failed(f))
        return DONE;
    text_format(detail, sizeof detail, "%s", fault_detail());
    return RAISE(BAD_CONFIG, "service \"%s\": %s: %s", section->title, section->file, detail);
}

/* Titles are written by people: they must be identifiers that could be registered, as they stand.
 */
static fault check_title(const char *what, const char *title, unsigned parts)
{
    struct bus_id id;
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (failed(bus_id_parse(span_of_text(title), parts, parts, &id)))
        return RAISE(BAD_CONFIG, "%s \"%s\": the title must be INSTANCE/CLASS/MEMBER/SUBSYSTEM%s",
                     what, title, parts == ID_SERVICE ? "/SERVICE" : "");
    bus_id_text(&id, parts, canonical, sizeof canonical);
    if (strcmp(canonical, title) != 0)
        return RAISE(BAD_CONFIG, "%s \"%s\": percent-encoded, the title must be \"%s\"", what,
                     title, canonical);
    return DONE;
}

static fault service_new(const struct service_section *section, struct service **out)
{
    OWNED(service) self = owned_new(sizeof *self);
    TRY(check_title("service", section->title, ID_SERVICE));
    self->id = owned_text(section->title);
    self->title = owned_text(section->name);
    self->kind = (enum service_kind)section->kind;
    self->timeout_ms = section->timeout_ms;
    TRY(self->kind == SERVICE_TABLE ? make_table(section, self) : make_http(section, self));
    *out = TAKE(self);
    return DONE;
}

// --- the set -------------------------------------------------------------------------------------

static void add_subsystem(struct services *self, const char *service_id)
{
    struct span id = bus_id_prefix(span_of_text(service_id), ID_SUBSYSTEM);
    for (size_t i = 0; i < self->subsystems; i++)
        if (span_is_text(id, self->subsystem[i]))
            return;
    self->subsystem = owned_grow(self->subsystem, self->subsystems + 1, sizeof(char *));
    self->subsystem[self->subsystems++] = text_of(id);
}

static fault add_service(struct services *self, const struct service_section *section)
{
    struct service *service = NULL;
    TRY(service_new(section, &service));
    self->service[self->count++] = service;
    if (map_set(&self->by_id, span_of_text(service->id), service) != NULL)
        return RAISE(BAD_CONFIG, "service \"%s\" stands in the configuration twice", service->id);
    add_subsystem(self, service->id);
    return DONE;
}

static fault add_client(struct services *self, const struct client_section *section)
{
    TRY(check_title("client", section->title, ID_SUBSYSTEM));
    struct client_section *client = owned_new(sizeof *client);
    self->client[self->clients++] = client;
    client->title = owned_text(section->title);
    client->purpose = owned_text(section->purpose);
    client->procedure = owned_text(section->procedure);
    client->legal_basis = owned_text(section->legal_basis);
    client->records = section->records;
    if (map_set(&self->client_by_id, span_of_text(client->title), client) != NULL)
        return RAISE(BAD_CONFIG, "client \"%s\" stands in the configuration twice", client->title);
    return DONE;
}

fault services_new(const struct gateway_config *config, struct services **out)
{
    OWNED(services) self = owned_new(sizeof *self);
    self->service = owned_array(config->service.count, sizeof *self->service);
    self->client = owned_array(config->client.count, sizeof *self->client);
    for (size_t i = 0; i < config->service.count; i++)
        TRY(add_service(self, config->service.section[i]));
    for (size_t i = 0; i < config->client.count; i++)
        TRY(add_client(self, config->client.section[i]));
    *out = TAKE(self);
    return DONE;
}

static void free_client(struct client_section *client)
{
    free(client->title);
    free(client->purpose);
    free(client->procedure);
    free(client->legal_basis);
    free(client);
}

void services_free(struct services **self)
{
    if (*self == NULL)
        return;
    map_clear(&(*self)->by_id);
    map_clear(&(*self)->client_by_id);
    for (size_t i = 0; i < (*self)->count; i++)
        service_free(&(*self)->service[i]);
    for (size_t i = 0; i < (*self)->clients; i++)
        free_client((*self)->client[i]);
    for (size_t i = 0; i < (*self)->subsystems; i++)
        free((*self)->subsystem[i]);
    free((*self)->service);
    free((*self)->client);
    free((*self)->subsystem);
    free(*self);
    *self = NULL;
}

const struct service *services_find(const struct services *self, const char *id)
{
    return map_get(&self->by_id, span_of_text(id));
}

const struct client_section *services_client(const struct services *self, const char *id)
{
    return map_get(&self->client_by_id, span_of_text(id));
}

size_t services_count(const struct services *self)
{
    return self->count;
}

const char *const *services_subsystems(const struct services *self, size_t *count)
{
    *count = self->subsystems;
    return (const char *const *)self->subsystem;
}

const struct service *services_at(const struct services *self, size_t number)
{
    return number < self->count ? self->service[number] : NULL;
}
