// SPDX-License-Identifier: MIT
#include "tools/chaski/log_key.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory.h"
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

/* Any member has a certificate of the same anchor. */
static bool is_authority(const struct certificate *certificate)
{
    struct bus_id id;
    return !failed(bus_id_parse(span_of_text(certificate_subject(certificate)->member), ID_MEMBER,
                                ID_MEMBER, &id)) &&
           strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) == 0;
}

static fault fetch_authority(const struct anchor_file *anchor, const char *at,
                             struct certificate **out)
{
    OWNED(bytes) pem = NULL;
    OWNED(bytes) anchors = NULL;
    OWNED(trust) trust = NULL;
    OWNED(certificate) made = NULL;
    TRY(fetch(at, "authority.pem", (size_t)CERTIFICATE_BYTES_MAX * 2, &pem));
    TRY(certificate_read(bytes_span(pem), &made));
    TRY(anchor_file_pem(anchor, &anchors));
    TRY(trust_read(bytes_span(anchors), &trust));
    TRY(trust_check(trust, made, certificate_not_before_ms(made)));
    if (!is_authority(made))
        return RAISE(CERTIFICATE_BAD, "authority.pem is not the authority's");
    *out = TAKE(made);
    return DONE;
}

fault log_key_fetch(const struct anchor_file *anchor, const char *at, struct note_key *out)
{
    OWNED(bytes) file = NULL;
    OWNED(certificate) authority = NULL;
    struct handovers all;
    fault f = fetch(at, HANDOVERS_FILE, HANDOVERS_BYTES_MAX, &file);
    if (f.code == NOT_FOUND) {
        *out = anchor->directory;
        return DONE;
    }
    TRY(f);
    TRY(fetch_authority(anchor, at, &authority));
    TRY(handovers_follow(bytes_span(file), &anchor->directory, authority, &all));
    *out = all.key;
    return DONE;
}
