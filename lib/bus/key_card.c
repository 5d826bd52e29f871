// SPDX-License-Identifier: MIT
#include "lib/bus/key_card.h"

#include "lib/bus/signer_check.h"

#define LIFE_MS_MAX ((SEAL_ROLL_S_MAX + SEAL_OVERLAP_S_MAX) * INT64_C(1000))

static fault check_times(const struct header *header, const struct cades_parts *parts,
                         int64_t now_ms)
{
    if (header->time_ms / 1000 * 1000 != parts->time_ms)
        return RAISE(SIGNATURE_BAD, "the header is dated otherwise than its signature");
    if (header->time_ms > now_ms + FRESH_FUTURE_MS)
        return RAISE(FROM_FUTURE, "a key card made %lld ms ahead of this server's clock",
                     (long long)(header->time_ms - now_ms));
    if (header->card->until_ms < now_ms - FRESH_FUTURE_MS)
        return RAISE(STALE, "a key card whose time was over %lld ms ago",
                     (long long)(now_ms - header->card->until_ms));
    if (header->card->until_ms - header->time_ms > LIFE_MS_MAX)
        return RAISE(STALE, "a key card for longer than a server may keep a key");
    return DONE;
}

/* A card that was signed before the certificate was revoked may be the thief's all the same: its
 * time is his own word. */
/* A card is a promise for letters to come: revoked is revoked, from whenever on. */
static fault check_signer(const struct directory_signer *signer, const struct header *header)
{
    if (signer != NULL && signer->revoked_since_ms != 0)
        return RAISE(REVOKED, "the certificate of %s is revoked", signer->server->id);
    return signer_check(signer, header);
}

static fault check(const struct directory *directory, const char *server, struct span leaf,
                   const struct cades_parts *parts, const struct header *header, int64_t now_ms)
{
    struct cades_parts again;
    if (header->card == NULL)
        return RAISE(BAD_FRAME, "a %s is no key card", header_kind_word(header->kind));
    if (!span_is_text(header->sender_server, server))
        return RAISE(INCONSISTENT, "a key card of another server than %s", server);
    struct directory_signer *signer = directory_signer_ever(directory, parts->ski.at);
    TRY(check_times(header, parts, now_ms));
    TRY(check_signer(signer, header));
    return cades_verify_leaf(signer->certificate, leaf, &again);
}

fault key_card_read(const struct directory *directory, const char *server, struct span leaf,
                    int64_t now_ms, struct key_card *out)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    TRY(cades_parse(leaf, &parts));
    TRY(header_decode(parts.content, &read));
    const struct header *header = header_of(read);
    TRY(check(directory, server, leaf, &parts, header, now_ms));
    *out = (struct key_card){.card = *header->card, .made_ms = header->time_ms};
    memcpy(out->ski, parts.ski.at, SKI_BYTES);
    return DONE;
}
