// SPDX-License-Identifier: MIT
/* Acts about outside authorities, and what becomes of their word. */
#include "registry/commands.h"
#include "registry/status_book.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

#include "directory.pb-c.h"

#define TEXT(which) arguments_text(arguments, ARGUMENT_##which)

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

// --- authorities --------------------------------------------------------------------------------

static fault set_authority(struct store *store, const struct arguments *arguments,
                           struct bytes *const *pem, size_t count, struct said *said)
{
    Chaski__CertificateAuthoritySet set = CHASKI__CERTIFICATE_AUTHORITY_SET__INIT;
    ProtobufCBinaryData chain[ISSUER_CHAIN_MAX];
    Chaski__Act act = CHASKI__ACT__INIT;
    char words[200];
    for (size_t i = 1; i < count; i++)
        chain[i - 1] = binary(bytes_span(pem[i]));
    set.name = lend(arguments->operand);
    set.certificate = binary(bytes_span(pem[0]));
    set.n_chain = count - 1;
    set.chain = chain;
    set.ocsp_url = lend(TEXT(OCSP));
    set.crl_url = lend(TEXT(CRL));
    act.act_case = CHASKI__ACT__ACT_CERTIFICATE_AUTHORITY_SET;
    act.certificate_authority_set = &set;
    TRY(store_act(store, &act));
    const struct directory_authority *const *authority = NULL;
    size_t all = directory_authorities(store_state(store), &authority);
    for (size_t i = 0; i < all; i++)
        if (strcmp(authority[i]->name, set.name) == 0) {
            issuer_words(authority[i]->issuer, words, sizeof words);
            said_add(said, "outside authority %s: %s", set.name, words);
        }
    return DONE;
}

fault act_certificate_authority_add(struct store *store, const struct arguments *arguments,
                                    struct said *said)
{
    struct bytes *pem[1 + ISSUER_CHAIN_MAX] = {NULL};
    size_t count = 0;
    TRY(certificate_load_all(TEXT(CERTIFICATE), pem, 1 + ISSUER_CHAIN_MAX, &count));
    fault f = set_authority(store, arguments, pem, count, said);
    while (count > 0)
        bytes_free(&pem[--count]);
    return f;
}

fault act_certificate_authority_remove(struct store *store, const struct arguments *arguments,
                                       struct said *said)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    removed.what_case = CHASKI__REMOVED__WHAT_CERTIFICATE_AUTHORITY;
    removed.certificate_authority = lend(arguments->operand);
    removed.reason = lend(TEXT(REASON));
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    TRY(store_act(store, &act));
    said_add(said, "outside authority %s: removed. Publish now: nodes learn of it from there",
             arguments->operand);
    return DONE;
}

// --- revocations --------------------------------------------------------------------------------

/* What was found may have grown old since; then the next round of asking brings it anew. */
static fault check_proof(const struct directory_signer *signer, enum status_form form,
                         struct span proof, int64_t now_ms, struct status *status)
{
    if (proof.size > DIRECTORY_PROOF_BYTES_MAX)
        return RAISE(REFUSED,
                     "the proof has %zu bytes, more than an act holds: revoke it with "
                     "chaski-registry certificate revoke",
                     proof.size);
    TRY(status_read(form, proof, signer->authority->issuer, signer->certificate, now_ms, status));
    return status->verdict == STATUS_REVOKED
               ? DONE
               : RAISE(INCONSISTENT, "the proof says %s", status_verdict_word(status->verdict));
}

static fault act_on(struct store *store, const struct directory_signer *signer,
                    enum status_form form, struct span proof, const struct status *status)
{
    Chaski__CertificateRevoked revoked = CHASKI__CERTIFICATE_REVOKED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    int64_t now_ms = store_time(store);
    struct sha256 hash = certificate_hash(signer->certificate);
    revoked.certificate_sha256 = binary(sha256_span(&hash));
    /* of a date ahead the fold makes the time of the act, which is the one of store_act: 0 */
    revoked.since_ms = status->revoked_ms <= now_ms ? (uint64_t)status->revoked_ms : 0;
    revoked.reason = lend(status->reason);
    revoked.proof_case = form == STATUS_CRL ? CHASKI__CERTIFICATE_REVOKED__PROOF_CRL
                                            : CHASKI__CERTIFICATE_REVOKED__PROOF_OCSP_RESPONSE;
    if (form == STATUS_CRL)
        revoked.crl = binary(proof);
    else
        revoked.ocsp_response = binary(proof);
    act.act_case = CHASKI__ACT__ACT_CERTIFICATE_REVOKED;
    act.certificate_revoked = &revoked;
    return store_act(store, &act);
}

/* One certificate; *count is raised when it was revoked here. */
static fault revoke_one(struct store *store, const struct status_book *book,
                        const struct directory_signer *signer, struct said *said, size_t *count)
{
    enum status_form form = STATUS_OCSP;
    struct sha256 hash = certificate_hash(signer->certificate);
    struct status status;
    char since[32], hex[2 * SHA256_BYTES + 1];
    OWNED(bytes) proof = NULL;
    int64_t now_ms = store_time(store);
    fault f = status_book_proof(book, &hash, &form, &proof);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    if (signer->revoked_since_ms != 0) { /* its act is durable: an earlier run has committed it */
        status_book_drop_proof(book, &hash);
        return DONE;
    }
    text_hex(sha256_span(&hash), hex, sizeof hex);
    if (failed(f = check_proof(signer, form, bytes_span(proof), now_ms, &status))) {
        EVENT(ERROR, "status.proof_not_used", E_TEXT("certificate", hex),
              E_TEXT("server", signer->server->id), E_FAULT(f));
        return DONE;
    }
    TRY(act_on(store, signer, form, bytes_span(proof), &status));
    clock_text(status.revoked_ms, since, sizeof since);
    said_add(said, "certificate %s of %s: revoked by %s since %s (%s)", hex, signer->server->id,
             signer->authority->name, since, status.reason);
    ++*count;
    return DONE;
}

fault outside_revocations(struct store *store, struct said *said, size_t *count)
{
    OWNED(status_book) book = NULL;
    const struct directory *state = store_state(store);
    size_t step = 0;
    *count = 0;
    TRY(status_book_open(store_folder(store), &book));
    for (const struct directory_server *at; (at = directory_next_server(state, &step)) != NULL;)
        for (size_t i = 0; i < at->signers; i++)
            if (at->signer[i]->authority != NULL)
                TRY(revoke_one(store, book, at->signer[i], said, count));
    return DONE;
}
