// SPDX-License-Identifier: MIT
#include "gateway/http_head.h"

#include "lib/base/text.h"

#include <llhttp/llhttp.h>

// --- guard ---------------------------------------------------------------------------------------

/* At a CR: true when its LF and the byte after are there to be judged. */
static fault guard_line_end(struct span bytes, size_t at, bool *known, bool *empty)
{
    *known = false;
    *empty = at == 0 || bytes.at[at - 1] == '\n';
    if (at + 1 >= bytes.size)
        return DONE;
    if (bytes.at[at + 1] != '\n')
        return RAISE(BAD_REQUEST, "a carriage return that does not end a line");
    if (*empty && at == 0)
        return RAISE(BAD_REQUEST, "an empty line where a message begins");
    if (!*empty && at + 2 >= bytes.size)
        return DONE;
    if (!*empty && (bytes.at[at + 2] == ' ' || bytes.at[at + 2] == '\t'))
        return RAISE(BAD_REQUEST, "a folded header line");
    *known = true;
    return DONE;
}

fault http_head_measure(struct span bytes, size_t *seen, size_t *size)
{
    *size = 0;
    size_t i = *seen;
    while (i < bytes.size && i < HTTP_HEAD_BYTES_MAX) {
        uint8_t c = bytes.at[i];
        if (c == '\r') {
            bool known, empty;
            TRY(guard_line_end(bytes, i, &known, &empty));
            if (!known)
                break;
            if (empty) {
                *size = i + 2;
                return DONE;
            }
            i += 2;
            continue;
        }
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return RAISE(BAD_REQUEST, "a byte 0x%02x in the head", c);
        i++;
    }
    *seen = i;
    if (i >= HTTP_HEAD_BYTES_MAX)
        return RAISE(HEAD_TOO_LARGE, "more than %d bytes", HTTP_HEAD_BYTES_MAX);
    return DONE;
}

// --- llhttp --------------------------------------------------------------------------------------

struct reading {
    struct http_head *head;
    bool in_value; /* the last span was a value, or there is no field yet */
    bool complete;
    bool too_many;
};

/* llhttp may hand one text over in several pieces that lie side by side. */
static int add_piece(struct span *text, const char *at, size_t size)
{
    if (text->at == NULL) {
        *text = span_of(at, size);
        return 0;
    }
    if (text->at + text->size != (const uint8_t *)at)
        return HPE_USER;
    text->size += size;
    return 0;
}

static int on_method(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *self = parser->data;
    return add_piece(&self->head->method, at, size);
}

static int on_url(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *self = parser->data;
    return add_piece(&self->head->target, at, size);
}

static int on_field(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *self = parser->data;
    if (self->in_value) {
        if (self->head->fields == HTTP_FIELDS_MAX) {
            self->too_many = true;
            return HPE_USER;
        }
        self->head->field[self->head->fields++] = (struct http_field){{NULL, 0}, {NULL, 0}};
        self->in_value = false;
    }
    return add_piece(&self->head->field[self->head->fields - 1].name, at, size);
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *self = parser->data;
    if (self->head->fields == 0)
        return HPE_USER;
    self->in_value = true;
    return add_piece(&self->head->field[self->head->fields - 1].value, at, size);
}

static int on_headers_complete(llhttp_t *parser)
{
    struct reading *self = parser->data;
    self->complete = true;
    self->head->status = parser->status_code;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_method = on_method,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
};

static fault run_parser(enum http_role role, struct span bytes, struct http_head *out)
{
    struct reading reading = {.head = out, .in_value = true};
    llhttp_t parser;
    llhttp_init(&parser, role == HTTP_IS_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    parser.data = &reading;
    llhttp_errno_t error = llhttp_execute(&parser, (const char *)bytes.at, bytes.size);
    if (reading.too_many)
        return RAISE(HEAD_TOO_LARGE, "more than %d header fields", HTTP_FIELDS_MAX);
    if (error == HPE_INVALID_METHOD)
        return RAISE(BAD_METHOD, "not a method of HTTP");
    if (!reading.complete)
        return RAISE(BAD_REQUEST, "not HTTP: %s", parser.reason == NULL ? "" : parser.reason);
    if (parser.http_major != 1 || parser.http_minor > 1)
        return RAISE(BAD_REQUEST, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    out->minor = parser.http_minor;
    return DONE;
}

// --- meaning -------------------------------------------------------------------------------------

struct span http_trimmed(struct span text)
{
    while (text.size > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = span_of(text.at + 1, text.size - 1);
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* RFC 9110 section 5.6.2. llhttp lets blanks in a field's name pass. */
bool http_is_token(struct span name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && (c == 0 || strchr(marks, c) == NULL))
            return false;
    }
    return name.size > 0;
}

static bool named(const struct http_field *field, const char *name)
{
    return text_same_word(field->name, span_of_text(name));
}

static void read_connection(struct span list, bool *close, bool *keep)
{
    size_t start = 0;
    for (size_t i = 0; i <= list.size; i++) {
        if (i < list.size && list.at[i] != ',')
            continue;
        struct span word = http_trimmed(span_of(list.at + start, i - start));
        if (text_same_word(word, span_of_text("close")))
            *close = true;
        if (text_same_word(word, span_of_text("keep-alive")))
            *keep = true;
        start = i + 1;
    }
}

static fault read_length(struct span value, struct http_head *out)
{
    if (out->has_length)
        return RAISE(BAD_REQUEST, "two Content-Length fields");
    if (failed(text_number(value, INT64_MAX, &out->length)))
        return RAISE(BAD_REQUEST, "a Content-Length that is not a number");
    out->has_length = true;
    return DONE;
}

static fault read_coding(struct span value, struct http_head *out)
{
    if (out->chunked)
        return RAISE(BAD_REQUEST, "two Transfer-Encoding fields");
    if (!text_same_word(value, span_of_text("chunked")))
        return RAISE(BAD_REQUEST, "a Transfer-Encoding that is not chunked");
    if (out->minor == 0)
        return RAISE(BAD_REQUEST, "Transfer-Encoding in HTTP/1.0");
    out->chunked = true;
    return DONE;
}

static fault read_meaning(enum http_role role, struct http_head *out)
{
    size_t hosts = 0;
    bool close = false, keep = false;
    for (size_t i = 0; i < out->fields; i++) {
        struct http_field *field = &out->field[i];
        field->value = field->value.at == NULL ? span_of_text("") : http_trimmed(field->value);
        if (!http_is_token(field->name))
            return RAISE(BAD_REQUEST, "a header line without a name");
        if (named(field, "content-length"))
            TRY(read_length(field->value, out));
        else if (named(field, "transfer-encoding"))
            TRY(read_coding(field->value, out));
        else if (named(field, "connection"))
            read_connection(field->value, &close, &keep);
        else if (named(field, "host"))
            hosts++;
        else if (named(field, "expect"))
            out->expects_continue = text_same_word(field->value, span_of_text("100-continue"));
    }
    if (out->chunked && out->has_length)
        return RAISE(BAD_REQUEST, "Content-Length beside Transfer-Encoding");
    if (role == HTTP_IS_REQUEST && (hosts > 1 || (hosts == 0 && out->minor == 1)))
        return RAISE(BAD_REQUEST, "%zu Host fields where one is needed", hosts);
    out->keep_alive = out->minor == 1 ? !close : keep && !close;
    out->expects_continue = out->expects_continue && out->minor == 1;
    return DONE;
}

fault http_head_parse(enum http_role role, struct span head, struct http_head *out)
{
    /* the field array is filled as far as `fields` says; clearing it all would cost 3 KiB a head */
    memset(out, 0, offsetof(struct http_head, field));
    TRY(run_parser(role, head, out));
    if (role == HTTP_IS_RESPONSE && (out->status < 100 || out->status > 999))
        return RAISE(BAD_REQUEST, "a status of %u", out->status);
    return read_meaning(role, out);
}

void http_head_scan(struct span head, struct http_head *out)
{
    memset(out, 0, offsetof(struct http_head, field));
    bool first = true; /* the request line */
    while (head.size > 0 && out->fields < HTTP_FIELDS_MAX) {
        const uint8_t *end = memchr(head.at, '\n', head.size);
        size_t size = end == NULL ? head.size : (size_t)(end - head.at);
        struct span line =
            span_of(head.at, size > 0 && head.at[size - 1] == '\r' ? size - 1 : size);
        const uint8_t *colon = line.size == 0 ? NULL : memchr(line.at, ':', line.size);
        size_t name = colon == NULL ? 0 : (size_t)(colon - line.at);
        if (!first && colon != NULL && http_is_token(span_of(line.at, name)))
            out->field[out->fields++] = (struct http_field){
                span_of(line.at, name), http_trimmed(span_of(colon + 1, line.size - name - 1))};
        first = false;
        head = end == NULL ? (struct span){NULL, 0} : span_of(end + 1, head.size - size - 1);
    }
}

struct span http_head_get(const struct http_head *self, const char *name)
{
    for (size_t i = 0; i < self->fields; i++)
        if (named(&self->field[i], name))
            return self->field[i].value;
    return (struct span){NULL, 0};
}
