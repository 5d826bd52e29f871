// SPDX-License-Identifier: MIT
#include "tools/chaski/web.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <curl/curl.h>

struct transfer {
    CURL *curl;
    struct curl_slist *fields;
    struct bytes *body;
    size_t most;
    char error[CURL_ERROR_SIZE];
};

static void transfer_clear(struct transfer *self)
{
    curl_slist_free_all(self->fields);
    curl_easy_cleanup(self->curl);
    bytes_free(&self->body);
}

static size_t take(char *data, size_t one, size_t count, void *owner)
{
    struct transfer *self = owner;
    size_t size = one * count;
    if (self->body->size + size > self->most ||
        failed(bytes_append(self->body, span_of(data, size))))
        return 0; /* ends the transfer */
    return size;
}

static bool set_up(struct transfer *self, const struct web_ask *ask)
{
    CURL *curl = self->curl;
    bool large = ask->most > WEB_LARGE_BYTES;
    long family = ask->family == WEB_IPV4   ? CURL_IPRESOLVE_V4
                  : ask->family == WEB_IPV6 ? CURL_IPRESOLVE_V6
                                            : CURL_IPRESOLVE_WHATEVER;
    return curl_easy_setopt(curl, CURLOPT_URL, ask->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_IPRESOLVE, family) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)WEB_CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                            (long)(large ? WEB_LARGE_WAIT_MS : WEB_WAIT_MS)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, WEB_STILL_MS / 1000L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FILETIME, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "chaski") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, self->error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, self) == CURLE_OK;
}

static bool add_field(struct transfer *self, const char *field)
{
    struct curl_slist *more = curl_slist_append(self->fields, field);
    if (more != NULL)
        self->fields = more;
    return more != NULL;
}

static bool set_post(struct transfer *self, const char *json)
{
    if (json == NULL)
        return true;
    return add_field(self, "Content-Type: application/json") && add_field(self, "Expect:") &&
           curl_easy_setopt(self->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(json)) == CURLE_OK &&
           curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, json) == CURLE_OK;
}

static bool set_fields(struct transfer *self, const char *field)
{
    return (field == NULL || add_field(self, field)) &&
           curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, self->fields) == CURLE_OK;
}

static int64_t date_of(CURL *curl)
{
    struct curl_header *field = NULL;
    if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &field) != CURLHE_OK)
        return 0;
    time_t time = curl_getdate(field->value, NULL);
    return time < 0 ? 0 : (int64_t)time * 1000;
}

static fault perform(struct transfer *self, const struct web_ask *ask, struct web_answer *out)
{
    CURLcode code = curl_easy_perform(self->curl);
    if (code == CURLE_WRITE_ERROR)
        return RAISE(BODY_TOO_LARGE, "%s answers more than %zu bytes", ask->url, ask->most);
    if (code == CURLE_COULDNT_RESOLVE_HOST && ask->family != WEB_ANY)
        return RAISE(NOT_FOUND, "%s has no such address", ask->url);
    if (code != CURLE_OK)
        return RAISE(PEER_UNREACHABLE, "%s: %s", ask->url,
                     self->error[0] != '\0' ? self->error : curl_easy_strerror(code));
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &out->status);
    out->date_ms = date_of(self->curl);
    out->body = TAKE(self->body);
    return DONE;
}

fault web_ask(const struct web_ask *ask, struct web_answer *out)
{
    struct transfer self = {.curl = curl_easy_init(), .body = bytes_empty(4096), .most = ask->most};
    *out = (struct web_answer){0};
    fault f = self.curl == NULL || !set_up(&self, ask) || !set_post(&self, ask->json) ||
                      !set_fields(&self, ask->field)
                  ? RAISE(INTERNAL, "libcurl takes no settings")
                  : perform(&self, ask, out);
    transfer_clear(&self);
    return f;
}
