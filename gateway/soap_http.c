// SPDX-License-Identifier: MIT
#include "gateway/soap_http.h"

#include "gateway/refusal_http.h"
#include "gateway/soap_answer.h"
#include "gateway/uuid.h"
#include "lib/base/text.h"

/* Its address marks connections whose SOAP message is on its way. */
static const char mark;

bool soap_owns(const struct http_connection *connection)
{
    return http_connection_owner(connection) == &mark;
}

// --- answering -----------------------------------------------------------------------------------

static void answer(struct http_connection *connection, struct span body)
{
    struct bytes *head = http_connection_begin(connection, 200);
    http_field_write_text(head, "Content-Type", "text/xml;charset=utf-8");
    http_field_write_text(head, "SOAPAction", "");
    http_connection_answer(connection, false, body);
}

static void refuse(struct gateway *gateway, struct http_connection *connection, fault f)
{
    char detail[DETAIL_BYTES_MAX], exchange[UUID_TEXT_ROOM];
    uint8_t id[UUID_BYTES];
    OWNED(bytes) body = bytes_empty(1024);
    uuid_make(id);
    uuid_text(id, exchange);
    struct refusal refusal = refusal_of(f, exchange, detail);
    refusal.in_soap = true;
    refusal_note_early(gateway, f, exchange, detail);
    soap_fault_write(&refusal, (enum refusal_style)gateway->config.fault_style, body);
    answer(connection, bytes_span(body));
}

// --- the head ------------------------------------------------------------------------------------

/* The word before the first semicolon, and a charset behind it if there is one. */
static fault check_content_type(struct span value)
{
    const uint8_t *semicolon = value.size == 0 ? NULL : memchr(value.at, ';', value.size);
    size_t size = semicolon == NULL ? value.size : (size_t)(semicolon - value.at);
    if (!text_same_word(http_trimmed(span_of(value.at, size)), span_of_text("text/xml")))
        return RAISE(CONTENT_TYPE_BAD, "Content-Type is not text/xml; attachments are not taken");
    while (semicolon != NULL) {
        struct span rest = span_of(semicolon + 1, value.size - size - 1);
        semicolon = rest.size == 0 ? NULL : memchr(rest.at, ';', rest.size);
        size_t length = semicolon == NULL ? rest.size : (size_t)(semicolon - rest.at);
        struct span word = http_trimmed(span_of(rest.at, length));
        size += 1 + length;
        if (word.size < 8 || !text_same_word(span_of(word.at, 8), span_of_text("charset=")))
            continue;
        word = span_of(word.at + 8, word.size - 8);
        if (word.size >= 2 && word.at[0] == '"' && word.at[word.size - 1] == '"')
            word = span_of(word.at + 1, word.size - 2);
        if (!text_same_word(word, span_of_text("utf-8")) &&
            !text_same_word(word, span_of_text("us-ascii")))
            return RAISE(CONTENT_TYPE_BAD, "its charset is not UTF-8");
    }
    return DONE;
}

static fault check_action(struct span value)
{
    bool quoted = value.size >= 2 && value.at[0] == '"' && value.at[value.size - 1] == '"';
    return value.size == 0 || quoted ? DONE : RAISE(SOAP_ACTION, "write SOAPAction: \"\"");
}

static fault check_head(const struct gateway *gateway, const struct http_head *head)
{
    if (!span_is_text(head->method, "POST"))
        return RAISE(BAD_METHOD, "SOAP messages are sent with POST; REST exchanges begin with "
                                 "/r1/");
    if (gateway->draining)
        return RAISE(DRAINING, "this gateway is shutting down");
    TRY(check_content_type(http_head_get(head, "Content-Type")));
    TRY(check_action(http_head_get(head, "SOAPAction")));
    if (!head->chunked && (!head->has_length || head->length == 0))
        return RAISE(SOAP_MALFORMED, "there is no message in the request");
    if (head->has_length && head->length > SOAP_BYTES_MAX)
        return RAISE(BODY_TOO_LARGE, "a SOAP message has at most %d bytes here", SOAP_BYTES_MAX);
    return DONE;
}

bool soap_take(struct gateway *gateway, struct http_connection *connection,
               const struct http_head *head, struct span target)
{
    const uint8_t *query = target.size == 0 ? NULL : memchr(target.at, '?', target.size);
    if (query != NULL)
        target.size = (size_t)(query - target.at);
    if (!span_is_text(target, "/"))
        return false;
    fault f = check_head(gateway, head);
    if (failed(f)) {
        refuse(gateway, connection, f);
        return true;
    }
    struct bytes *into = bytes_empty(head->has_length ? (size_t)head->length : 4096);
    http_connection_set_owner(connection, (void *)(uintptr_t)&mark);
    http_connection_take_body(connection, &into); /* may end in soap_body or soap_broken at once */
    bytes_free(&into);
    return true;
}

// --- the body ------------------------------------------------------------------------------------

static fault read_message(struct span body, struct soap_message *message)
{
    TRY(soap_read(body, message));
    if (message->asks_methods)
        return DONE;
    return RAISE(SOAP_NOT_CARRIED,
                 "call it by HTTP at /r1/INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE");
}

void soap_body(struct gateway *gateway, struct http_connection *connection, struct span body)
{
    struct soap_message message;
    fault f = read_message(body, &message);
    if (failed(f)) {
        refuse(gateway, connection, f);
    } else {
        OWNED(bytes) text = bytes_empty(2048);
        soap_methods_write(&message, body, text);
        answer(connection, bytes_span(text));
    }
    soap_clear(&message);
}

void soap_broken(struct gateway *gateway, struct http_connection *connection, fault f)
{
    refuse(gateway, connection, f);
}
