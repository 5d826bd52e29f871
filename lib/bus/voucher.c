// SPDX-License-Identifier: MIT
#include "lib/bus/voucher.h"

#include "lib/bus/bus_id.h"

#define CONTEXT "chaski voucher v1"

/* With its zero byte. */
static struct span closed(const char *text)
{
    return span_of(text, strlen(text) + 1);
}

struct sha256 voucher_digest(const char *instance, const char *server, const struct sha256 *request)
{
    return SHA256_OF(closed(CONTEXT), closed(instance), closed(server), sha256_span(request));
}

static fault check_signer(const struct directory_server *server,
                          const struct directory_signer *signer, int64_t at_ms)
{
    if (signer->revoked_since_ms != 0)
        return RAISE(REFUSED, "the key with which %s vouched was revoked", server->id);
    if (!signer->trusted || at_ms < certificate_not_before_ms(signer->certificate) ||
        at_ms >= certificate_not_after_ms(signer->certificate))
        return RAISE(REFUSED, "the certificate with which %s vouched is not in force", server->id);
    return DONE;
}

/* Of several certificates of one key, any that is in force will do. */
static fault check_signature(const struct directory_server *server, const struct sha256 *digest,
                             struct span signature, int64_t at_ms)
{
    const struct directory_signer *found = NULL;
    for (size_t i = 0; i < server->signers; i++) {
        const struct directory_signer *signer = server->signer[i];
        if (failed(certificate_verify_digest(signer->certificate, digest->at, signature)))
            continue;
        if (!failed(check_signer(server, signer, at_ms)))
            return DONE;
        found = signer;
    }
    return found != NULL ? check_signer(server, found, at_ms)
                         : RAISE(REFUSED,
                                 "that is not signed over this request by a key of %s that stands "
                                 "in the directory",
                                 server->id);
}

fault voucher_check(const struct directory *state, const char *id, const char *wanted,
                    const struct sha256 *request, struct span signature, int64_t at_ms)
{
    const struct directory_server *server = directory_server(state, span_of_text(id));
    struct span member = bus_id_prefix(span_of_text(wanted), ID_MEMBER);
    if (server == NULL)
        return RAISE(REFUSED, "%.200s does not stand in the directory", id);
    if (!span_equal(span_of_text(server->member->id), member))
        return RAISE(REFUSED, "%s is not a server of the member that %.200s is of", server->id,
                     wanted);
    struct sha256 digest = voucher_digest(directory_instance(state), server->id, request);
    return check_signature(server, &digest, signature, at_ms);
}
