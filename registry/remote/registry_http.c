// SPDX-License-Identifier: MIT
#include "registry/remote/registry_http.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/tls/client_key.h"

#include <curl/curl.h>
#include <stdlib.h>

#define CONNECT_S 10L
#define REQUEST_S 120L
#define JSON_BYTES_MAX (16u << 20)
#define PATH_BYTES 1024
#define HOUR_MS INT64_C(3600000)

struct registry_http {
    CURL *curl;
    struct keypair *key; /* lent */
    struct certificate *certificate;
    char base[512];
    char error[CURL_ERROR_SIZE];
    struct bytes *body; /* of the answer */
    size_t most;
};

void registry_http_free(struct registry_http **owner)
{
    struct registry_http *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    curl_easy_cleanup(self->curl);
    certificate_free(&self->certificate);
    bytes_free(&self->body);
    free(self);
}

static size_t take(char *data, size_t one, size_t count, void *owner)
{
    struct registry_http *self = owner;
    size_t size = one * count;
    if (self->body->size + size > self->most ||
        failed(bytes_append(self->body, span_of(data, size))))
        return 0; /* ends the transfer */
    return size;
}

static CURLcode show_key(CURL *curl, void *ssl_context, void *owner)
{
    const struct registry_http *self = owner;
    (void)curl;
    return failed(client_key_use(ssl_context, self->key, self->certificate)) ? CURLE_SSL_CERTPROBLEM
                                                                             : CURLE_OK;
}

/* Good for an hour, and made anew each time: only its key counts. */
static fault set_client(struct registry_http *self)
{
    const struct certificate_subject subject = {.organisation = "operator"};
    int64_t now_ms = clock_wall_ms();
    TRY(certificate_make_client(self->key, &subject, now_ms - HOUR_MS, now_ms + HOUR_MS,
                                &self->certificate));
    if (curl_easy_setopt(self->curl, CURLOPT_SSL_CTX_FUNCTION, show_key) != CURLE_OK ||
        curl_easy_setopt(self->curl, CURLOPT_SSL_CTX_DATA, self) != CURLE_OK)
        return RAISE(INTERNAL, "libcurl takes no client certificate");
    return DONE;
}

static fault set_up(struct registry_http *self, const char *trust_pem)
{
    struct curl_blob trust = {(void *)(uintptr_t)trust_pem, strlen(trust_pem), CURL_BLOB_COPY};
    CURL *curl = self->curl;
    bool done = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &trust) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_TIMEOUT, REQUEST_S) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, self->error) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_WRITEDATA, self) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    return done ? DONE : RAISE(INTERNAL, "libcurl takes no settings");
}

fault registry_http_open(const char *base, const char *trust_pem, struct keypair *key,
                         struct registry_http **out)
{
    OWNED(registry_http) self = owned_new(sizeof *self);
    size_t size = strlen(base);
    while (size > 0 && base[size - 1] == '/')
        size--;
    if (strncmp(base, "https://", 8) != 0 ||
        !text_format(self->base, sizeof self->base, "%.*s", (int)size, base))
        return RAISE(REFUSED, "--at is https://HOST:PORT");
    self->curl = curl_easy_init();
    if (self->curl == NULL)
        return RAISE(NO_MEMORY, "libcurl does not start");
    TRY(set_up(self, trust_pem));
    self->key = key;
    TRY(set_client(self));
    *out = TAKE(self);
    return DONE;
}

static fault refused(const struct registry_http *self, long status)
{
    json_t *json = json_loadb((const char *)self->body->data, self->body->size, 0, NULL);
    const char *detail = json_string_value(json_object_get(json, "detail"));
    fault f = status == 404    ? RAISE(NOT_FOUND, "%s", detail == NULL ? "not there" : detail)
              : detail != NULL ? RAISE(REFUSED, "%s", detail)
                               : RAISE(REFUSED, "the registry answers %ld", status);
    json_decref(json);
    return f;
}

static fault perform(struct registry_http *self, const char *path, size_t most)
{
    char url[PATH_BYTES];
    long status = 0;
    if (!text_format(url, sizeof url, "%s%s", self->base, path))
        return RAISE(REFUSED, "the address is too long");
    bytes_free(&self->body);
    self->body = bytes_empty(4096);
    self->most = most;
    self->error[0] = '\0';
    curl_easy_setopt(self->curl, CURLOPT_URL, url);
    CURLcode code = curl_easy_perform(self->curl);
    if (code == CURLE_WRITE_ERROR)
        return RAISE(BODY_TOO_LARGE, "the answer is larger than %zu bytes", most);
    if (code != CURLE_OK)
        return RAISE(
            PEER_UNREACHABLE, "%s: %s%s", self->base,
            self->error[0] != '\0' ? self->error : curl_easy_strerror(code),
            code != CURLE_PEER_FAILED_VERIFICATION
                ? ""
                : " (it is recognized by --anchor, and by the name in --at: "
                  "`chaski-registry admin-certificate STORE --host NAME` gives it others)");
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 || status == 201 ? DONE : refused(self, status);
}

fault registry_http_get(struct registry_http *self, const char *path, size_t most,
                        struct bytes **out)
{
    curl_easy_setopt(self->curl, CURLOPT_HTTPGET, 1L);
    TRY(perform(self, path, most));
    *out = TAKE(self->body);
    return DONE;
}

static fault take_json(struct registry_http *self, json_t **out)
{
    *out =
        json_loadb((const char *)self->body->data, self->body->size, JSON_REJECT_DUPLICATES, NULL);
    return *out != NULL ? DONE : RAISE(REFUSED, "the registry answers something that is not JSON");
}

fault registry_http_json(struct registry_http *self, const char *path, json_t **out)
{
    curl_easy_setopt(self->curl, CURLOPT_HTTPGET, 1L);
    TRY(perform(self, path, JSON_BYTES_MAX));
    return take_json(self, out);
}

fault registry_http_post(struct registry_http *self, const char *path, json_t *body, json_t **out)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        return RAISE(REFUSED, "a text that is not UTF-8");
    struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/json");
    fields = curl_slist_append(fields, "Expect:");
    curl_easy_setopt(self->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, text);
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, fields);
    fault f = perform(self, path, JSON_BYTES_MAX);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(fields);
    free(text);
    TRY(f);
    return take_json(self, out);
}
