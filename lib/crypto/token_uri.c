// SPDX-License-Identifier: MIT
#include "lib/crypto/token_uri.h"

#include "lib/base/secret.h"
#include "lib/base/text.h"

#include <assert.h>
#include <stdio.h>

#define SCHEME "pkcs11:"

/* A copy of one percent-encoded value; twice the same attribute is refused (RFC 7512, 2.3). */
static fault take_text(const char *name, struct span value, char *out, size_t room)
{
    if (out[0] != '\0')
        return RAISE(BAD_CONFIG, "a token's URI with two of %s", name);
    if (failed(text_percent_decode(value, out, room)) || out[0] == '\0')
        return RAISE(BAD_CONFIG, "a token's URI: %s is empty, longer than %zu bytes or not text",
                     name, room - 1);
    return DONE;
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Any bytes, so that text_percent_decode will not do. */
static fault take_id(struct span value, struct token_uri *out)
{
    if (out->id_size > 0)
        return RAISE(BAD_CONFIG, "a token's URI with two of id");
    for (size_t i = 0; i < value.size; i++) {
        int byte = value.at[i];
        if (byte == '%') {
            int high = i + 2 < value.size ? digit_of(value.at[i + 1]) : -1;
            int low = i + 2 < value.size ? digit_of(value.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return RAISE(BAD_CONFIG, "a token's URI: id has a broken escape");
            byte = high * 16 + low;
            i += 2;
        }
        if (out->id_size == sizeof out->id)
            return RAISE(BAD_CONFIG, "a token's URI: id is longer than %d bytes",
                         TOKEN_ID_BYTES_MAX);
        out->id[out->id_size++] = (uint8_t)byte;
    }
    return out->id_size > 0 ? DONE : RAISE(BAD_CONFIG, "a token's URI: id is empty");
}

static fault take_path(struct span name, struct span value, struct token_uri *out)
{
    if (span_is_text(name, "token"))
        return take_text("token", value, out->token, sizeof out->token);
    if (span_is_text(name, "manufacturer"))
        return take_text("manufacturer", value, out->manufacturer, sizeof out->manufacturer);
    if (span_is_text(name, "model"))
        return take_text("model", value, out->model, sizeof out->model);
    if (span_is_text(name, "serial"))
        return take_text("serial", value, out->serial, sizeof out->serial);
    if (span_is_text(name, "object"))
        return take_text("object", value, out->object, sizeof out->object);
    if (span_is_text(name, "id"))
        return take_id(value, out);
    if (span_is_text(name, "type") && span_is_text(value, "private"))
        return DONE;
    return RAISE(BAD_CONFIG, "a token's URI: of its path only token, manufacturer, model, serial, "
                             "object, id and type=private are known");
}

static fault take_query(struct span name, struct span value, struct token_uri *out)
{
    if (span_is_text(name, "pin-value"))
        return RAISE(BAD_CONFIG,
                     "a token's URI with pin-value: a PIN is not written into settings; "
                     "put it into a file and give pin-source=file:PATH");
    if (!span_is_text(name, "pin-source"))
        return RAISE(BAD_CONFIG, "a token's URI: of its query only pin-source is known");
    TRY(take_text("pin-source", value, out->pin_source, sizeof out->pin_source));
    fault f = secret_check(out->pin_source);
    return failed(f) ? RAISE(BAD_CONFIG, "a token's URI, pin-source: %s", fault_detail()) : DONE;
}

static fault take_part(struct span part, bool query, struct token_uri *out)
{
    const uint8_t *mark = memchr(part.at, '=', part.size);
    if (mark == NULL)
        return RAISE(BAD_CONFIG, "a token's URI with a part that is not NAME=VALUE");
    size_t name_size = (size_t)(mark - part.at);
    struct span name = span_of(part.at, name_size);
    struct span value = span_of(mark + 1, part.size - name_size - 1);
    return query ? take_query(name, value, out) : take_path(name, value, out);
}

static fault take_parts(struct span text, char between, bool query, struct token_uri *out)
{
    size_t start = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.at[i] != (uint8_t)between)
            continue;
        if (i > start)
            TRY(take_part(span_of(text.at + start, i - start), query, out));
        start = i + 1;
    }
    return DONE;
}

fault token_uri_parse(const char *text, struct token_uri *out)
{
    struct token_uri made = {.token = ""};
    size_t scheme = strlen(SCHEME);
    if (strncmp(text, SCHEME, scheme) != 0)
        return RAISE(BAD_CONFIG, "a token's URI begins with " SCHEME);
    struct span path = span_of_text(text + scheme), query = {0};
    const uint8_t *mark = memchr(path.at, '?', path.size);
    if (mark != NULL) {
        query = span_of(mark + 1, path.size - (size_t)(mark - path.at) - 1);
        path.size = (size_t)(mark - path.at);
    }
    TRY(take_parts(path, ';', false, &made));
    TRY(take_parts(query, '&', true, &made));
    if (made.token[0] == '\0' && made.serial[0] == '\0')
        return RAISE(BAD_CONFIG, "a token's URI names the token: token=LABEL or serial=NUMBER");
    if (made.object[0] == '\0' && made.id_size == 0)
        return RAISE(BAD_CONFIG, "a token's URI names the key: object=LABEL or id=BYTES");
    *out = made;
    return DONE;
}
