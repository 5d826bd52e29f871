// SPDX-License-Identifier: MIT
#include "gateway/soap.h"

#include "lib/base/text.h"

#include <expat.h>
#include <stdlib.h>

#define BETWEEN '\n' /* namespace and name, as expat gives them; it refuses one in a namespace */

/* Where a field stands: in the header itself, or in its client or service. */
static const struct place {
    const char *parent; /* NULL: the header */
    const char *name;
    bool needed;
} places[SOAP_FIELDS] = {
    [SOAP_CLIENT_INSTANCE] = {"client", "xRoadInstance", true},
    [SOAP_CLIENT_CLASS] = {"client", "memberClass", true},
    [SOAP_CLIENT_MEMBER] = {"client", "memberCode", true},
    [SOAP_CLIENT_SUBSYSTEM] = {"client", "subsystemCode", false},
    [SOAP_SERVICE_INSTANCE] = {"service", "xRoadInstance", true},
    [SOAP_SERVICE_CLASS] = {"service", "memberClass", true},
    [SOAP_SERVICE_MEMBER] = {"service", "memberCode", true},
    [SOAP_SERVICE_SUBSYSTEM] = {"service", "subsystemCode", false},
    [SOAP_SERVICE_CODE] = {"service", "serviceCode", true},
    [SOAP_SERVICE_VERSION] = {"service", "serviceVersion", false},
    [SOAP_ID] = {NULL, "id", true},
    [SOAP_USER_ID] = {NULL, "userId", false},
    [SOAP_ISSUE] = {NULL, "issue", false},
    [SOAP_PROTOCOL_VERSION] = {NULL, "protocolVersion", true},
};

/* Depths at which things stand; the envelope's is 1. */
enum { IN_ENVELOPE = 2, IN_PART = 3, IN_FIELD = 4 };

struct reader {
    XML_Parser parser;
    struct soap_message *message;
    fault found; /* the first one; the note of it is in detail */
    char detail[DETAIL_BYTES_MAX];
    unsigned depth, elements;
    bool in_header, in_body, had_header, had_body;
    const char *parent; /* client or service, while in one */
    bool had_client, had_service;
    int field; /* being read; SOAP_FIELDS: none */
    char text[SOAP_TEXT_BYTES_MAX + 1];
    size_t size;
    unsigned bodies; /* elements in the body */
    bool body_is_ours, body_is_empty;
    char body_name[ID_PART_BYTES_MAX + 1];
};

// --- stopping ------------------------------------------------------------------------------------

/* Nothing is called any more for this message after it. */
static void stop(struct reader *self, fault f)
{
    if (failed(self->found))
        return;
    self->found = f;
    text_format(self->detail, sizeof self->detail, "%s", fault_detail());
    XML_StopParser(self->parser, XML_FALSE);
}

static void on_doctype(void *owner, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(owner, RAISE(SOAP_MALFORMED, "a DOCTYPE, which SOAP messages must not have"));
}

static void on_instruction(void *owner, const char *target, const char *data)
{
    (void)target, (void)data;
    stop(owner, RAISE(SOAP_MALFORMED, "a processing instruction, which SOAP messages must not "
                                      "have"));
}

// --- elements ------------------------------------------------------------------------------------

struct name {
    struct span space;
    const char *local;
};

static struct name split(const char *name)
{
    const char *mark = strrchr(name, BETWEEN);
    return mark == NULL ? (struct name){{NULL, 0}, name}
                        : (struct name){span_of(name, (size_t)(mark - name)), mark + 1};
}

static bool is(const struct name *name, const char *space, const char *local)
{
    return strcmp(name->local, local) == 0 && span_is_text(name->space, space);
}

static fault open_envelope(const struct name *name)
{
    if (is(name, SOAP_ENVELOPE_XMLNS, "Envelope"))
        return DONE;
    if (strcmp(name->local, "Envelope") == 0)
        return RAISE(SOAP_VERSION, "the envelope is not in the namespace " SOAP_ENVELOPE_XMLNS);
    return RAISE(SOAP_INVALID, "the outermost element is no SOAP envelope");
}

static fault open_part(struct reader *self, const struct name *name)
{
    bool header = is(name, SOAP_ENVELOPE_XMLNS, "Header");
    if (!header && !is(name, SOAP_ENVELOPE_XMLNS, "Body"))
        return RAISE(SOAP_INVALID, "in the envelope stands more than a header and a body");
    if ((header && (self->had_header || self->had_body)) || (!header && self->had_body))
        return RAISE(SOAP_INVALID, "the envelope holds one header, then one body");
    self->in_header = header;
    self->in_body = !header;
    self->had_header = self->had_header || header;
    self->had_body = self->had_body || !header;
    return DONE;
}

static fault begin_field(struct reader *self, const char *parent, const char *name)
{
    for (int i = 0; i < SOAP_FIELDS; i++) {
        const struct place *place = &places[i];
        bool here = parent == NULL ? place->parent == NULL
                                   : place->parent != NULL && strcmp(place->parent, parent) == 0;
        if (!here || strcmp(place->name, name) != 0)
            continue;
        if (self->message->field[i] != NULL)
            return RAISE(SOAP_FIELD_TWICE, "%s%s%s", parent == NULL ? "" : parent,
                         parent == NULL ? "" : "/", name);
        self->field = i;
        self->size = 0;
    }
    return DONE;
}

/* Of another namespace: an extension, which says nothing to us. */
static fault open_header_field(struct reader *self, const struct name *name)
{
    if (!span_is_text(name->space, SOAP_XROAD_XMLNS))
        return DONE;
    bool client = strcmp(name->local, "client") == 0, service = strcmp(name->local, "service") == 0;
    if (!client && !service)
        return begin_field(self, NULL, name->local);
    if (client ? self->had_client : self->had_service)
        return RAISE(SOAP_FIELD_TWICE, "%s", client ? "client" : "service");
    self->parent = client ? "client" : "service";
    self->had_client = self->had_client || client;
    self->had_service = self->had_service || service;
    return DONE;
}

static fault open_body_element(struct reader *self, const struct name *name)
{
    if (self->bodies++ > 0)
        return RAISE(SOAP_BAD_BODY, "it holds more than one element");
    self->body_is_ours = span_is_text(name->space, SOAP_XROAD_XMLNS);
    self->body_is_empty = true;
    if (!text_format(self->body_name, sizeof self->body_name, "%s", name->local))
        return RAISE(SOAP_BAD_BODY, "its element has a name of more than %d bytes",
                     ID_PART_BYTES_MAX);
    return DONE;
}

static fault open_element(struct reader *self, const struct name *name)
{
    if (self->depth > SOAP_DEPTH_MAX || self->elements > SOAP_ELEMENTS_MAX)
        return RAISE(SOAP_MALFORMED, "more than %d elements, or more than %d inside one another",
                     SOAP_ELEMENTS_MAX, SOAP_DEPTH_MAX);
    if (self->field != SOAP_FIELDS)
        return RAISE(SOAP_INVALID, "an element in %s, where a text belongs",
                     places[self->field].name);
    if (self->depth == 1)
        return open_envelope(name);
    if (self->depth == IN_ENVELOPE)
        return open_part(self, name);
    if (self->depth == IN_PART)
        return self->in_header ? open_header_field(self, name) : open_body_element(self, name);
    if (self->in_body)
        self->body_is_empty = false;
    if (self->depth == IN_FIELD && self->parent != NULL && span_is_text(name->space, SOAP_ID_XMLNS))
        return begin_field(self, self->parent, name->local);
    return DONE;
}

static void on_open(void *owner, const char *wire, const char **attributes)
{
    struct reader *self = owner;
    struct name name = split(wire);
    (void)attributes;
    if (failed(self->found))
        return;
    self->depth++;
    self->elements++;
    fault f = open_element(self, &name);
    if (failed(f))
        stop(self, f);
}

static void on_close(void *owner, const char *wire)
{
    struct reader *self = owner;
    (void)wire;
    if (failed(self->found))
        return;
    if (self->field != SOAP_FIELDS) {
        self->text[self->size] = '\0';
        self->message->field[self->field] = owned_text(self->text);
        self->field = SOAP_FIELDS;
    }
    if (self->depth == IN_PART)
        self->parent = NULL;
    self->depth--;
}

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] == 0 || strchr(" \t\r\n", text.at[i]) == NULL)
            return false;
    return true;
}

static void on_text(void *owner, const char *text, int size)
{
    struct reader *self = owner;
    struct span span = span_of(text, (size_t)size);
    if (failed(self->found))
        return;
    if (self->in_body && self->depth >= IN_PART && !is_blank(span))
        self->body_is_empty = false;
    if (self->field == SOAP_FIELDS)
        return;
    if (span.size > SOAP_TEXT_BYTES_MAX - self->size) {
        stop(self, RAISE(SOAP_MALFORMED, "%s has more than %d bytes", places[self->field].name,
                         SOAP_TEXT_BYTES_MAX));
        return;
    }
    memcpy(self->text + self->size, span.at, span.size);
    self->size += span.size;
}

// --- the whole -----------------------------------------------------------------------------------

static bool is_list(const char *code)
{
    return strcmp(code, "listMethods") == 0 || strcmp(code, "allowedMethods") == 0;
}

static fault check_fields(const struct reader *self)
{
    char *const *field = self->message->field;
    for (int i = 0; i < SOAP_FIELDS; i++)
        if (places[i].needed && (field[i] == NULL || field[i][0] == '\0'))
            return RAISE(SOAP_NO_FIELD, "%s%s%s", places[i].parent == NULL ? "" : places[i].parent,
                         places[i].parent == NULL ? "" : "/", places[i].name);
    if (strncmp(field[SOAP_PROTOCOL_VERSION], "4.", 2) != 0)
        return RAISE(SOAP_PROTOCOL, "protocolVersion must begin with 4.");
    return DONE;
}

static fault check(const struct reader *self)
{
    if (!self->had_header)
        return RAISE(SOAP_NO_HEADER, "X-Road's fields client, service, id, protocolVersion");
    if (!self->had_body)
        return RAISE(SOAP_NO_BODY, "one element, named as the service");
    TRY(check_fields(self));
    const char *code = self->message->field[SOAP_SERVICE_CODE];
    if (self->bodies == 0)
        return RAISE(SOAP_BAD_BODY, "it holds no element");
    if (strcmp(self->body_name, code) != 0)
        return RAISE(SOAP_INCONSISTENT, "the element in the body is not named as the serviceCode");
    if (is_list(code) && (!self->body_is_ours || !self->body_is_empty))
        return RAISE(SOAP_BAD_BODY, "that of %s is empty and in the namespace " SOAP_XROAD_XMLNS,
                     code);
    self->message->asks_methods = is_list(code);
    return DONE;
}

static fault parse(struct reader *self, struct span bytes)
{
    if (XML_Parse(self->parser, (const char *)bytes.at, (int)bytes.size, XML_TRUE) == XML_STATUS_OK)
        return failed(self->found) ? RAISE(self->found.code, "%s", self->detail) : DONE;
    if (failed(self->found))
        return RAISE(self->found.code, "%s", self->detail);
    return RAISE(SOAP_MALFORMED, "line %lu: %s", XML_GetCurrentLineNumber(self->parser),
                 XML_ErrorString(XML_GetErrorCode(self->parser)));
}

fault soap_read(struct span bytes, struct soap_message *out)
{
    *out = (struct soap_message){0};
    struct reader self = {.message = out, .field = SOAP_FIELDS};
    if (bytes.size > SOAP_BYTES_MAX)
        return RAISE(SOAP_MALFORMED, "%zu bytes where %d are allowed", bytes.size, SOAP_BYTES_MAX);
    if (!text_is_utf8(bytes)) /* whatever byte order mark or declaration says something else */
        return RAISE(SOAP_MALFORMED, "it is not UTF-8");
    self.parser = XML_ParserCreateNS("UTF-8", BETWEEN);
    if (self.parser == NULL)
        return RAISE(NO_MEMORY, "for reading a SOAP message");
    XML_SetUserData(self.parser, &self);
    XML_SetElementHandler(self.parser, on_open, on_close);
    XML_SetCharacterDataHandler(self.parser, on_text);
    XML_SetStartDoctypeDeclHandler(self.parser, on_doctype);
    XML_SetProcessingInstructionHandler(self.parser, on_instruction);
    fault f = parse(&self, bytes);
    XML_ParserFree(self.parser);
    return failed(f) ? f : check(&self);
}

void soap_clear(struct soap_message *self)
{
    for (int i = 0; i < SOAP_FIELDS; i++)
        free(self->field[i]);
    *self = (struct soap_message){0};
}
