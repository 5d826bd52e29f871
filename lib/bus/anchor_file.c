// SPDX-License-Identifier: MIT
#include "lib/bus/anchor_file.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/digest.h"

#include <jansson.h>
#include <stdlib.h>

#define VERSION 1
#define CLOCK_SLACK_S 86400
#define YEAR_9999_S INT64_C(253402300799)
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"
#define PEM_LINE 64
#define BASE64_ROOM(size) (4 * (((size) + 2) / 3) + 1)

void anchor_file_free(struct anchor_file **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->certificates; i++)
        bytes_free(&(*self)->certificate[i]);
    free(*self);
    *self = NULL;
}

// --- reading ------------------------------------------------------------------------------------

static fault check_fields(json_t *object, const char *const *known, size_t count)
{
    const char *field;
    json_t *value;
    json_object_foreach(object, field, value)
    {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found |= strcmp(field, known[i]) == 0;
        if (!found)
            return RAISE(BAD_CONFIG, "\"%.60s\" is no field of an anchor of version %d", field,
                         VERSION);
    }
    return json_object_size(object) == count
               ? DONE
               : RAISE(BAD_CONFIG, "a field is missing: %zu are there, of %zu",
                       json_object_size(object), count);
}

/* Printable ASCII but quotes, which no address needs. */
static bool is_plain_url(const char *url)
{
    for (const char *at = url; *at != '\0'; at++)
        if (*at <= ' ' || *at >= 0x7f || strchr("\"'<>\\^`{|}@?#", *at) != NULL)
            return false;
    return true;
}

static bool begins(const char *text, const char *with)
{
    size_t size = strlen(with);
    return strncmp(text, with, size) == 0 && text[size] != '\0' && text[size] != '/';
}

static fault take_url(const json_t *value, bool http, char out[ANCHOR_URL_BYTES_MAX])
{
    const char *text = json_string_value(value);
    const char *kinds = http ? "http:// or https://" : "tcp://";
    if (text == NULL || !is_plain_url(text) ||
        !text_format(out, ANCHOR_URL_BYTES_MAX, "%s", text) || text[strlen(text) - 1] == '/' ||
        !(http ? begins(text, "http://") || begins(text, "https://") : begins(text, "tcp://")))
        return RAISE(BAD_CONFIG,
                     "an address is no %s of at most %d characters, without user, query or a "
                     "slash at its end",
                     kinds, ANCHOR_URL_BYTES_MAX - 1);
    return DONE;
}

static fault take_addresses(const json_t *list, struct anchor_file *self)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0 || count > ANCHOR_ADDRESSES_MAX)
        return RAISE(BAD_CONFIG, "\"addresses\" needs 1 to %d", ANCHOR_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++)
        TRY(take_url(json_array_get(list, i), true, self->address[self->addresses++]));
    return DONE;
}

static fault take_pushes(const json_t *list, struct anchor_file *self)
{
    static const char *const fields[] = {"address", "key"};
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > ANCHOR_PUSHES_MAX)
        return RAISE(BAD_CONFIG, "\"push\" is no list of at most %d", ANCHOR_PUSHES_MAX);
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_array_get(list, i);
        struct anchor_push *push = &self->push[self->pushes++];
        if (!json_is_object(one))
            return RAISE(BAD_CONFIG, "\"push\" holds something else than an address and its key");
        TRY(check_fields(one, fields, 2));
        TRY(take_url(json_object_get(one, "address"), false, push->address));
        const char *key = json_string_value(json_object_get(one, "key"));
        if (key == NULL || strlen(key) != 2 * sizeof push->key ||
            strspn(key, "0123456789abcdef") != strlen(key) ||
            failed(text_unhex(span_of_text(key), push->key, sizeof push->key)))
            return RAISE(BAD_CONFIG, "the key of a push address is not 64 small hex digits");
    }
    return DONE;
}

/* Takes `der`. Only its own form is checked here: what it is good for, trust_read tells. */
static fault add_certificate(struct anchor_file *self, struct bytes **der)
{
    if (self->certificates == ANCHOR_CERTIFICATES_MAX)
        return RAISE(BAD_CONFIG, "more than %d certificates", ANCHOR_CERTIFICATES_MAX);
    if ((*der)->size == 0 || (*der)->size > CERTIFICATE_BYTES_MAX)
        return RAISE(BAD_CONFIG, "a certificate of %zu bytes", (*der)->size);
    self->certificate[self->certificates++] = TAKE(*der);
    return DONE;
}

static fault take_trust(const json_t *list, struct anchor_file *self)
{
    if (!json_is_array(list) || json_array_size(list) == 0)
        return RAISE(BAD_CONFIG, "\"trust\" holds no certificate");
    for (size_t i = 0; i < json_array_size(list); i++) {
        OWNED(bytes) der = NULL;
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL || failed(text_unbase64(span_of_text(text), &der)))
            return RAISE(BAD_CONFIG, "\"trust\" holds something that is not base64");
        TRY(add_certificate(self, &der));
    }
    return DONE;
}

static fault take_texts(const json_t *root, struct anchor_file *self)
{
    const char *instance = json_string_value(json_object_get(root, "instance"));
    const char *vkey = json_string_value(json_object_get(root, "directory"));
    if (instance == NULL || instance[0] == '\0' || strchr(instance, '/') != NULL ||
        !text_is_plain(span_of_text(instance)) ||
        !text_format(self->instance, sizeof self->instance, "%s", instance))
        return RAISE(BAD_CONFIG, "\"instance\" is not the first part of an identifier");
    if (vkey == NULL || failed(note_key_parse(span_of_text(vkey), &self->directory)) ||
        self->directory.type != NOTE_LOG)
        return RAISE(BAD_CONFIG, "\"directory\" is not the verifier key of a log");
    return DONE;
}

static fault take_intake(const json_t *value, struct anchor_file *self)
{
    const char *key = json_string_value(value);
    self->has_intake = value != NULL;
    if (value == NULL)
        return DONE;
    if (key == NULL || strspn(key, "0123456789abcdef") != strlen(key) ||
        failed(text_unhex(span_of_text(key), self->intake_key, sizeof self->intake_key)))
        return RAISE(BAD_CONFIG, "\"intake_key\" is not 64 small hex digits");
    return DONE;
}

static fault take_times(const json_t *root, struct anchor_file *self)
{
    const json_t *made = json_object_get(root, "made"), *expires = json_object_get(root, "expires");
    self->made_s = json_integer_value(made);
    self->expires_s = json_integer_value(expires);
    if (!json_is_integer(made) || !json_is_integer(expires) || self->made_s <= 0 ||
        self->expires_s <= self->made_s || self->expires_s > YEAR_9999_S)
        return RAISE(BAD_CONFIG, "\"made\" and \"expires\" are no seconds since 1970, one after "
                                 "the other");
    return DONE;
}

static fault take_all(json_t *root, struct anchor_file *self)
{
    static const char *const fields[] = {"chaski_anchor", "instance",  "trust",
                                         "directory",     "addresses", "push",
                                         "made",          "expires",   "intake_key"};
    const json_t *version = json_object_get(root, "chaski_anchor");
    if (!json_is_integer(version) || json_integer_value(version) != VERSION)
        return RAISE(BAD_CONFIG, "no \"chaski_anchor\" of version %d: a newer program may read it",
                     VERSION);
    size_t count = sizeof fields / sizeof fields[0]; /* the last may be missing */
    TRY(check_fields(root, fields, count - (json_object_get(root, "intake_key") == NULL)));
    TRY(take_texts(root, self));
    TRY(take_trust(json_object_get(root, "trust"), self));
    TRY(take_addresses(json_object_get(root, "addresses"), self));
    TRY(take_pushes(json_object_get(root, "push"), self));
    TRY(take_intake(json_object_get(root, "intake_key"), self));
    return take_times(root, self);
}

fault anchor_file_parse(struct span json, struct anchor_file **out)
{
    OWNED(anchor_file) self = owned_new(sizeof *self);
    json_error_t error;
    if (json.size > ANCHOR_BYTES_MAX)
        return RAISE(BAD_CONFIG, "an anchor of %zu bytes; at most %d", json.size, ANCHOR_BYTES_MAX);
    json_t *root = json_loadb((const char *)json.at, json.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return RAISE(BAD_CONFIG, "not JSON: line %d: %s", error.line, error.text);
    fault f = json_is_object(root) ? take_all(root, self) : RAISE(BAD_CONFIG, "no JSON object");
    json_decref(root);
    TRY(f);
    *out = TAKE(self);
    return DONE;
}

fault anchor_file_read(const char *path, struct anchor_file **out)
{
    OWNED(bytes) json = NULL;
    TRY(file_read(path, ANCHOR_BYTES_MAX, &json));
    fault f = anchor_file_parse(bytes_span(json), out);
    return failed(f) ? RAISE(f.code, "%.200s is no anchor: %s", path, fault_detail()) : DONE;
}

fault anchor_file_check_time(const struct anchor_file *self, int64_t now_ms)
{
    char at[32];
    if (now_ms / 1000 > self->expires_s) {
        clock_text(self->expires_s * 1000, at, sizeof at);
        return RAISE(BAD_CONFIG,
                     "the anchor expired on %s: ask the authority for a new one, and compare its "
                     "fingerprint",
                     at);
    }
    if (now_ms / 1000 + CLOCK_SLACK_S >= self->made_s)
        return DONE;
    clock_text(self->made_s * 1000, at, sizeof at);
    return RAISE(BAD_CONFIG,
                 "the anchor was made on %s, which is yet to come: set this machine's "
                 "clock",
                 at);
}

// --- writing ------------------------------------------------------------------------------------

static json_t *texts(const struct anchor_file *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->addresses; i++)
        json_array_append_new(list, json_string(self->address[i]));
    return list;
}

static json_t *pushes(const struct anchor_file *self)
{
    char key[2 * sizeof self->push[0].key + 1];
    json_t *list = json_array();
    for (size_t i = 0; i < self->pushes; i++) {
        text_hex(span_of(self->push[i].key, sizeof self->push[i].key), key, sizeof key);
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "address", self->push[i].address, "key", key));
    }
    return list;
}

static json_t *certificates(const struct anchor_file *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->certificates; i++) {
        struct span der = bytes_span(self->certificate[i]);
        char *text = owned_array(BASE64_ROOM(der.size), 1);
        text_base64(der, text, BASE64_ROOM(der.size));
        json_array_append_new(list, json_string(text));
        free(text);
    }
    return list;
}

fault anchor_file_write(const struct anchor_file *self, bool canonical, struct bytes **out)
{
    char vkey[400];
    OWNED(anchor_file) again = NULL;
    OWNED(bytes) json = bytes_empty(4096);
    note_key_text(&self->directory, vkey, sizeof vkey);
    json_t *root = json_pack("{s:i, s:s, s:o, s:s, s:o, s:o, s:I, s:I}", "chaski_anchor", VERSION,
                             "instance", self->instance, "trust", certificates(self), "directory",
                             vkey, "addresses", texts(self), "push", pushes(self), "made",
                             (json_int_t)self->made_s, "expires", (json_int_t)self->expires_s);
    if (root != NULL && self->has_intake) {
        char key[2 * sizeof self->intake_key + 1];
        text_hex(span_of(self->intake_key, sizeof self->intake_key), key, sizeof key);
        json_object_set_new(root, "intake_key", json_string(key));
    }
    char *text =
        root == NULL
            ? NULL
            : json_dumps(root, JSON_SORT_KEYS | (canonical ? JSON_COMPACT : JSON_INDENT(2)));
    json_decref(root);
    if (text == NULL)
        return RAISE(BAD_CONFIG, "an anchor that cannot be written as JSON");
    fault f = bytes_append_text(json, text);
    free(text);
    TRY(f);
    TRY(anchor_file_parse(bytes_span(json), &again));
    if (!canonical)
        TRY(bytes_append_text(json, "\n"));
    *out = TAKE(json);
    return DONE;
}

fault anchor_file_fingerprint(const struct anchor_file *self, char out[ANCHOR_FINGERPRINT_ROOM])
{
    OWNED(bytes) json = NULL;
    char hex[2 * SHA256_BYTES + 1], *to = out;
    TRY(anchor_file_write(self, true, &json));
    struct sha256 hash = SHA256_OF(bytes_span(json));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    for (size_t i = 0; i < 2 * SHA256_BYTES; i++) {
        if (i > 0 && i % 4 == 0)
            *to++ = ' ';
        *to++ = hex[i];
    }
    *to = '\0';
    return DONE;
}

// --- PEM ----------------------------------------------------------------------------------------

static fault append_pem(struct bytes *pem, struct span der)
{
    OWNED(bytes) text = bytes_empty(BASE64_ROOM(der.size));
    text_base64(der, (char *)text->data, BASE64_ROOM(der.size));
    size_t size = strlen((const char *)text->data);
    TRY(bytes_append_text(pem, PEM_BEGIN "\n"));
    for (size_t at = 0; at < size; at += PEM_LINE) {
        TRY(bytes_append(pem,
                         span_of(text->data + at, size - at < PEM_LINE ? size - at : PEM_LINE)));
        TRY(bytes_append_text(pem, "\n"));
    }
    return bytes_append_text(pem, PEM_END "\n");
}

fault anchor_file_pem(const struct anchor_file *self, struct bytes **out)
{
    OWNED(bytes) pem = bytes_empty(4096);
    for (size_t i = 0; i < self->certificates; i++)
        TRY(append_pem(pem, bytes_span(self->certificate[i])));
    *out = TAKE(pem);
    return DONE;
}

/* What stands between the certificates of a PEM file is for people. */
fault anchor_file_add_pem(struct anchor_file *self, struct span pem)
{
    struct cursor at = cursor_over(pem);
    struct span line;
    OWNED(bytes) base64 = NULL;
    while (!failed(cursor_take_until(&at, '\n', &line))) {
        while (line.size > 0 && (line.at[line.size - 1] == '\r' || line.at[line.size - 1] == ' '))
            line.size--;
        if (span_is_text(line, PEM_BEGIN)) {
            bytes_free(&base64);
            base64 = bytes_empty(4096);
        } else if (base64 != NULL && span_is_text(line, PEM_END)) {
            OWNED(bytes) der = NULL;
            if (failed(text_unbase64(bytes_span(base64), &der)))
                return RAISE(BAD_CONFIG, "a certificate that is not base64");
            bytes_free(&base64);
            TRY(add_certificate(self, &der));
        } else if (base64 != NULL) {
            TRY(bytes_append(base64, line));
        }
    }
    return self->certificates > 0 ? DONE : RAISE(BAD_CONFIG, "no certificate in the PEM text");
}
