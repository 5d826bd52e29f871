// SPDX-License-Identifier: MIT
#include "security-server/scribe/stamping.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/limits.h"
#include "lib/crypto/stamp.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define POLICY_BYTES_MAX 65536
#define LINE_BYTES 256 /* of the file "stamped" */
#define STAMP_WAIT_MS 6000
#define CONNECT_WAIT_MS 3000

struct stamping {
    char audit_folder[PATH_BYTES - 64];
    unsigned epoch;
    CURL *curl;
    struct trust *trust;
};

fault stamping_new(const char *audit_folder, unsigned epoch, struct stamping **out)
{
    OWNED(stamping) self = owned_new(sizeof *self);
    char path[PATH_BYTES];
    self->epoch = epoch;
    if (!text_format(self->audit_folder, sizeof self->audit_folder, "%s", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    text_format(path, sizeof path, "%s/anchor/trust.pem", audit_folder);
    TRY(trust_load(path, &self->trust));
    self->curl = curl_easy_init();
    if (self->curl == NULL)
        return RAISE(INTERNAL, "libcurl does not start");
    *out = TAKE(self);
    return DONE;
}

void stamping_free(struct stamping **self)
{
    if (*self == NULL)
        return;
    if ((*self)->curl != NULL)
        curl_easy_cleanup((*self)->curl);
    trust_free(&(*self)->trust);
    free(*self);
    *self = NULL;
}

// --- what the directory says --------------------------------------------------------------------

/* Lines "quorum N" and "stamper NAME URL", written by the exchange process. */
static fault read_policy(const struct stamping *self, struct bytes **out)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "%s/anchor/confirmers", self->audit_folder);
    return file_read(path, POLICY_BYTES_MAX, out);
}

unsigned stamping_quorum(struct stamping *self)
{
    OWNED(bytes) policy = NULL;
    struct span line;
    uint64_t quorum = 0;
    if (failed(read_policy(self, &policy)))
        return 0;
    struct cursor at = cursor_over(bytes_span(policy));
    while (!failed(cursor_take_until(&at, '\n', &line)))
        if (line.size > 7 && memcmp(line.at, "quorum ", 7) == 0)
            ignore(text_number(span_of(line.at + 7, line.size - 7), DIRECTORY_WITNESSES_MAX,
                               &quorum)); /* anything else is none */
    return (unsigned)quorum;
}

// --- asking -------------------------------------------------------------------------------------

static size_t take_bytes(char *at, size_t size, size_t count, void *owner)
{
    struct bytes *into = owner;
    if (size * count > STAMP_RESPONSE_BYTES_MAX - into->size ||
        failed(bytes_append(into, span_of(at, size * count))))
        return 0; /* ends the transfer */
    return size * count;
}

static void set_options(struct stamping *self, const char *url, struct curl_slist *fields,
                        struct span request, struct bytes *response)
{
    CURL *curl = self->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)STAMP_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)request.at);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request.size);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, response);
}

static fault post(struct stamping *self, const char *url, struct span request,
                  struct bytes *response)
{
    struct curl_slist *fields =
        curl_slist_append(NULL, "Content-Type: application/timestamp-query");
    long status = 0;
    set_options(self, url, fields, request, response);
    CURLcode code = curl_easy_perform(self->curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(fields);
    if (code != CURLE_OK)
        return RAISE(PEER_UNREACHABLE, "%s", curl_easy_strerror(code));
    return status == 200 ? DONE : RAISE(REFUSED, "HTTP status %ld", status);
}

static fault ask(struct stamping *self, const char *url, const struct sha256 *digest,
                 struct bytes **token, int64_t *time_ms)
{
    OWNED(bytes) request = NULL;
    OWNED(bytes) response = bytes_empty(4096);
    uint64_t nonce = 0;
    TRY(stamp_request(digest, &request, &nonce));
    TRY(post(self, url, bytes_span(request), response));
    return stamp_take(bytes_span(response), digest, nonce, self->trust, token, time_ms);
}

static fault keep(const struct stamping *self, uint64_t size, struct span note, struct span token,
                  int64_t time_ms, struct span name)
{
    char path[PATH_BYTES], part[64], line[LINE_BYTES];
    audit_log_path(self->audit_folder, self->epoch, "cp", path, sizeof path);
    TRY(file_make_folders(path, 0755));
    text_format(part, sizeof part, "cp/%" PRIu64, size);
    audit_log_path(self->audit_folder, self->epoch, part, path, sizeof path);
    TRY(file_replace(path, note, 0644));
    text_format(part, sizeof part, "cp/%" PRIu64 ".tst", size);
    audit_log_path(self->audit_folder, self->epoch, part, path, sizeof path);
    TRY(file_replace(path, token, 0644));
    text_format(line, sizeof line, "%" PRIu64 " %lld %.*s\n", size, (long long)time_ms,
                (int)name.size, (const char *)name.at);
    audit_log_path(self->audit_folder, self->epoch, "stamped", path, sizeof path);
    return file_replace(path, span_of_text(line), 0644);
}

/* One line "stamper NAME URL"; DONE when it stamped. */
static fault try_stamper(struct stamping *self, struct span line, uint64_t size, struct span note)
{
    struct cursor at = cursor_over(line);
    struct span word, name;
    char url[1024];
    OWNED(bytes) token = NULL;
    int64_t time_ms = 0;
    TRY(cursor_take_until(&at, ' ', &word));
    TRY(cursor_take_until(&at, ' ', &name));
    if (!text_format(url, sizeof url, "%.*s", (int)at.left.size, (const char *)at.left.at))
        return RAISE(BAD_CONFIG, "the address of a time stamp authority is too long");
    struct sha256 digest = SHA256_OF(note);
    fault f = ask(self, url, &digest, &token, &time_ms);
    if (!failed(f))
        f = keep(self, size, note, bytes_span(token), time_ms, name);
    if (failed(f))
        EVENT(WARN, "scribe.not_stamped", E_TEXT("url", url), E_FAULT(f));
    else
        EVENT(DEBUG, "scribe.stamped", E_NUMBER("size", size), E_TEXT("url", url));
    return f;
}

/* Is the newest stamp that was made one of this size, and good? The log names the token by its
 * hash, so another one must not take its place, when this process was started again or another
 * witness has signed since. */
static bool is_stamped(const struct stamping *self, uint64_t size)
{
    char path[PATH_BYTES], part[64];
    OWNED(bytes) line = NULL;
    OWNED(bytes) note = NULL;
    OWNED(bytes) token = NULL;
    struct span word;
    uint64_t newest = 0;
    int64_t time_ms = 0;
    audit_log_path(self->audit_folder, self->epoch, "stamped", path, sizeof path);
    if (failed(file_read(path, LINE_BYTES, &line)))
        return false;
    struct cursor at = cursor_over(bytes_span(line));
    if (failed(cursor_take_until(&at, ' ', &word)) ||
        failed(text_number(word, UINT64_MAX, &newest)) || newest != size)
        return false;
    text_format(part, sizeof part, "cp/%" PRIu64, size);
    audit_log_path(self->audit_folder, self->epoch, part, path, sizeof path);
    if (failed(file_read(path, NOTE_BYTES_MAX, &note)))
        return false;
    text_format(part, sizeof part, "cp/%" PRIu64 ".tst", size);
    audit_log_path(self->audit_folder, self->epoch, part, path, sizeof path);
    if (failed(file_read(path, STAMP_RESPONSE_BYTES_MAX, &token)))
        return false;
    struct sha256 digest = SHA256_OF(bytes_span(note));
    return !failed(stamp_check(bytes_span(token), &digest, self->trust, clock_wall_ms(), &time_ms));
}

fault stamping_stamp(struct stamping *self, uint64_t size, struct span note)
{
    OWNED(bytes) policy = NULL;
    struct span line;
    fault f = DONE;
    if (is_stamped(self, size))
        return DONE;
    TRY(read_policy(self, &policy));
    struct cursor at = cursor_over(bytes_span(policy));
    while (!failed(cursor_take_until(&at, '\n', &line))) {
        if (line.size < 8 || memcmp(line.at, "stamper ", 8) != 0)
            continue;
        f = try_stamper(self, line, size, note);
        if (!failed(f))
            return DONE;
    }
    return f;
}
