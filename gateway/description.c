// SPDX-License-Identifier: MIT
#include "gateway/description.h"

#include "gateway/rest_headers.h"
#include "gateway/write.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define MEDIA_TYPE_ROOM 128

struct descriptions {
    struct gateway *gateway;
    struct map known; /* service -> struct openapi, owned */
    struct loop_timer again;
};

/* One document on its way. */
struct fetch {
    struct gateway *gateway;
    char *service;
    char type[MEDIA_TYPE_ROOM];
    description_end end;
    void *owner;
};

// --- what is known -------------------------------------------------------------------------------

static void forget_all(struct descriptions *self)
{
    size_t step = 0;
    for (struct openapi *at; (at = map_next(&self->known, &step, NULL)) != NULL;)
        openapi_free(&at);
    map_clear(&self->known);
}

struct descriptions *descriptions_new(struct gateway *gateway)
{
    struct descriptions *self = owned_new(sizeof *self);
    self->gateway = gateway;
    return self;
}

void descriptions_free(struct descriptions **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->gateway->loop, &(*self)->again);
    forget_all(*self);
    free(*self);
    *self = NULL;
}

const struct openapi *descriptions_know(const struct descriptions *self, const char *service)
{
    return map_get(&self->known, span_of_text(service));
}

static void learn(struct descriptions *self, const char *service, struct openapi **openapi)
{
    struct openapi *old = map_set(&self->known, span_of_text(service), TAKE(*openapi));
    openapi_free(&old);
}

// --- fetching ------------------------------------------------------------------------------------

static fault check_head(const struct http_head *head)
{
    struct span coding = http_head_get(head, "Content-Encoding");
    if (head->status != 200)
        return RAISE(BAD_DESCRIPTION, "fetching it is answered with status %u", head->status);
    if (coding.size > 0 && !text_same_word(coding, span_of_text("identity")))
        return RAISE(BAD_DESCRIPTION, "it comes in a Content-Encoding that was not asked for");
    if (head->has_length && head->length > OPENAPI_BYTES_MAX)
        return RAISE(BAD_DESCRIPTION, "more than %d bytes", OPENAPI_BYTES_MAX);
    return DONE;
}

static fault on_head(void *owner, const struct http_head *head, bool sized, struct bytes **into)
{
    struct fetch *self = owner;
    struct span type = http_head_get(head, "Content-Type");
    (void)sized;
    TRY(check_head(head));
    if (type.size == 0 ||
        !text_format(self->type, sizeof self->type, "%.*s", (int)type.size, (const char *)type.at))
        text_format(self->type, sizeof self->type, "text/plain");
    *into = bytes_empty(0);
    return DONE;
}

static void on_end(void *owner, fault f, struct bytes **into)
{
    struct fetch *self = owner;
    OWNED(openapi) openapi = NULL;
    struct span document = bytes_span(*into);
    if (!failed(f))
        f = openapi_read(document, &openapi);
    self->end(self->owner, f, self->type, document, openapi);
    if (!failed(f))
        learn(self->gateway->descriptions, self->service, &openapi);
    free(self->service);
    free(self);
}

static const struct service_taker taker = {on_head, on_end};

static struct bytes *request_of(const struct service *place)
{
    struct bytes *text = bytes_empty(512);
    write_text(text, "GET ");
    write_text(text, place->base[0] == '\0' ? "/" : place->base);
    write_text(text, " HTTP/1.1\r\nHost: ");
    write_text(text, place->host);
    write_text(text, "\r\nAccept: application/json, application/yaml, */*;q=0.5\r\n\r\n");
    return text;
}

fault description_fetch(struct gateway *gateway, const struct service *service, int64_t wait_ms,
                        description_end end, void *owner)
{
    struct fetch *self = owned_new(sizeof *self);
    OWNED(bytes) request = request_of(service->description);
    self->gateway = gateway;
    self->service = owned_text(service->id);
    self->end = end;
    self->owner = owner;
    struct service_send send = {.service = service->description,
                                .request = &request,
                                .wait_ms = wait_ms,
                                .taker = &taker,
                                .owner = self};
    fault f = service_client_send(gateway->client, &send);
    if (failed(f)) {
        free(self->service);
        free(self);
    }
    return f;
}

// --- when nobody asks ----------------------------------------------------------------------------

static void on_learnt(void *owner, fault f, const char *type, struct span document,
                      const struct openapi *openapi)
{
    char *service = owner;
    (void)type, (void)document;
    if (failed(f))
        EVENT(WARN, "description.not_read", E_TEXT("service", service), E_FAULT(f));
    else
        EVENT(DEBUG, "description.read", E_TEXT("service", service),
              E_NUMBER("operations", openapi->endpoints));
    free(service);
}

static void look(struct descriptions *self)
{
    struct gateway *gateway = self->gateway;
    const struct service *service;
    bool missing = false;
    for (size_t i = 0; (service = services_at(gateway->services, i)) != NULL; i++) {
        if (service->description == NULL || descriptions_know(self, service->id) != NULL)
            continue;
        missing = true;
        char *name = owned_text(service->id);
        fault f = description_fetch(gateway, service, DESCRIPTION_WAIT_MS, on_learnt, name);
        if (failed(f))
            on_learnt(name, f, "", span_of("", 0), NULL);
    }
    if (missing && !gateway->draining)
        loop_set_timer(gateway->loop, &self->again, DESCRIPTION_RETRY_MS);
}

static void on_again(struct loop_timer *timer)
{
    look(timer->owner);
}

void descriptions_begin(struct descriptions *self)
{
    forget_all(self);
    loop_stop_timer(self->gateway->loop, &self->again);
    self->again = (struct loop_timer){.fire = on_again, .owner = self};
    look(self);
}
