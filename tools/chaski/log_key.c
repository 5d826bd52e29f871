// SPDX-License-Identifier: MIT
#include "tools/chaski/log_key.h"

#include "lib/base/text.h"
#include "lib/bus/authority_file.h"
#include "lib/bus/handover.h"
#include "tools/chaski/web.h"

#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 64)

static fault fetch(const char *at, const char *name, size_t most, struct bytes **out)
{
    char url[URL_BYTES];
    struct web_answer answer;
    if (!text_format(url, sizeof url, "%s/directory/%s", at, name))
        return RAISE(BAD_REQUEST, "the registry's address is too long");
    const struct web_ask ask = {url, NULL, WEB_ANY, most, NULL};
    TRY(web_ask(&ask, &answer));
    *out = answer.body;
    if (answer.status == 200)
        return DONE;
    bytes_free(out);
    return answer.status == 404 ? RAISE(NOT_FOUND, "%s is not there", url)
                                : RAISE(PEER_UNREACHABLE, "%s answers %ld", url, answer.status);
}

static fault fetch_authority(const struct anchor_file *anchor, const char *at, struct bytes **out)
{
    OWNED(bytes) pem = NULL;
    OWNED(bytes) anchors = NULL;
    OWNED(trust) trust = NULL;
    TRY(fetch(at, AUTHORITY_FILE, CERTIFICATE_BYTES_MAX, &pem));
    TRY(anchor_file_pem(anchor, &anchors));
    TRY(trust_read(bytes_span(anchors), &trust));
    TRY(authority_file_check(bytes_span(pem), trust));
    *out = TAKE(pem);
    return DONE;
}

fault log_key_fetch(const struct anchor_file *anchor, const char *at, struct note_key *out)
{
    OWNED(bytes) file = NULL;
    OWNED(bytes) authority = NULL;
    struct handovers all;
    fault f = fetch(at, HANDOVERS_FILE, HANDOVERS_BYTES_MAX, &file);
    if (f.code == NOT_FOUND) {
        *out = anchor->directory;
        return DONE;
    }
    TRY(f);
    TRY(fetch_authority(anchor, at, &authority));
    TRY(handovers_follow(bytes_span(file), &anchor->directory, bytes_span(authority), &all));
    *out = all.key;
    return DONE;
}
