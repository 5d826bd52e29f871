// SPDX-License-Identifier: MIT
#include "registry/serve/mirrors.h"

#include "lib/base/text.h"
#include "registry/commands.h"

#include <curl/curl.h>
#include <inttypes.h>

#define WAIT_S 10L
#define URL_BYTES 1024

struct taking {
    struct bytes *body;
};

static size_t take(char *data, size_t one, size_t count, void *owner)
{
    struct taking *self = owner;
    size_t size = one * count;
    if (self->body->size + size > NOTE_BYTES_MAX ||
        failed(bytes_append(self->body, span_of(data, size))))
        return 0;
    return size;
}

static fault ask(CURL *curl, const char *url, struct bytes **out)
{
    char place[URL_BYTES];
    OWNED(bytes) body = bytes_empty(1024);
    struct taking taking = {body};
    long status = 0;
    if (!text_format(place, sizeof place, "%s/directory/checkpoint", url))
        return RAISE(REFUSED, "the address of a mirror is too long");
    curl_easy_setopt(curl, CURLOPT_URL, place);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, WAIT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &taking);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200)
        return RAISE(REFUSED,
                     "the mirror %s does not answer (%s): leave --mirror out if it is gone for "
                     "good, and only then",
                     url, code != CURLE_OK ? curl_easy_strerror(code) : "no checkpoint");
    *out = TAKE(body);
    return DONE;
}

static fault check_one(CURL *curl, const struct store *store, const char *url)
{
    OWNED(bytes) note = NULL;
    TRY(ask(curl, url, &note));
    return publish_check_past(store, bytes_span(note), url);
}

fault mirrors_check(const char *folder, const char *const *urls, size_t count)
{
    OWNED(store) store = NULL;
    if (count == 0)
        return DONE;
    TRY(store_look(folder, &store));
    CURL *curl = curl_easy_init();
    fault f = curl == NULL ? RAISE(NO_MEMORY, "libcurl does not start") : DONE;
    for (size_t i = 0; i < count && !failed(f); i++)
        f = check_one(curl, store, urls[i]);
    curl_easy_cleanup(curl);
    return f;
}
