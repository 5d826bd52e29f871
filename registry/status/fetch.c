// SPDX-License-Identifier: MIT
#include "registry/status/fetch.h"

#include "lib/bus/limits.h"

#include <curl/curl.h>
#include <stdlib.h>

struct fetcher {
    CURL *curl;
};

/* What a transfer writes into. */
struct answer {
    struct bytes *bytes;
    size_t most;
};

fault fetcher_new(struct fetcher **out)
{
    OWNED(fetcher) self = owned_new(sizeof *self);
    self->curl = curl_easy_init();
    if (self->curl == NULL)
        return RAISE(INTERNAL, "libcurl does not start");
    *out = TAKE(self);
    return DONE;
}

void fetcher_free(struct fetcher **self)
{
    if (*self == NULL)
        return;
    if ((*self)->curl != NULL)
        curl_easy_cleanup((*self)->curl);
    free(*self);
    *self = NULL;
}

static size_t take_bytes(char *at, size_t size, size_t count, void *owner)
{
    struct answer *into = owner;
    if (size * count > into->most - into->bytes->size ||
        failed(bytes_append(into->bytes, span_of(at, size * count))))
        return 0; /* ends the transfer */
    return size * count;
}

static void set_options(CURL *curl, const char *url, struct curl_slist *fields, struct span body,
                        struct answer *answer)
{
    curl_easy_reset(curl); /* keeps its connections */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)STATUS_CONNECT_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)STATUS_FETCH_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (fields == NULL)
        return;
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.at);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.size);
}

fault fetcher_ask(struct fetcher *self, const char *url, const char *type, struct span body,
                  size_t most, struct bytes **out)
{
    OWNED(bytes) bytes = bytes_empty(4096);
    struct answer answer = {bytes, most};
    struct curl_slist *fields = type == NULL ? NULL : curl_slist_append(NULL, type);
    long status = 0;
    set_options(self->curl, url, fields, body, &answer);
    CURLcode code = curl_easy_perform(self->curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(fields);
    if (code == CURLE_WRITE_ERROR)
        return RAISE(PEER_UNREACHABLE, "an answer of more than %zu bytes", most);
    if (code != CURLE_OK)
        return RAISE(PEER_UNREACHABLE, "%s", curl_easy_strerror(code));
    if (status != 200)
        return RAISE(REFUSED, "HTTP status %ld", status);
    *out = TAKE(bytes);
    return DONE;
}
