// SPDX-License-Identifier: MIT
#include "lib/bus/directory_acts.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/log_epoch.h"
#include "lib/crypto/status.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

/* Who vouches for a certificate; as it was when the certificate first came. */
struct vouched {
    bool trusted;
    const struct directory_authority *authority;
};

static bool is_anchored(const struct directory *self, const struct certificate *certificate,
                        int64_t at_ms)
{
    return self->trust != NULL && !failed(trust_check(self->trust, certificate, at_ms));
}

static struct vouched vouch(const struct directory *self, const struct certificate *certificate,
                            int64_t at_ms)
{
    if (is_anchored(self, certificate, at_ms))
        return (struct vouched){.trusted = true};
    const struct directory_authority *authority = act_authority_of(self, certificate, at_ms);
    return (struct vouched){.trusted = authority != NULL, .authority = authority};
}

/* An authority of ours issues to a server by its name. An outside one knows nothing of servers:
 * there this act says whose certificate it is. */
static fault check_subject(const struct directory_server *server,
                           const struct certificate *certificate)
{
    const struct certificate_subject *subject = certificate_subject(certificate);
    char id[ID_TEXT_BYTES_MAX + 1];
    bool fits = text_format(id, sizeof id, "%s/%s", subject->member, subject->server);
    if (!fits || strcmp(id, server->id) != 0 || strcmp(subject->member, server->member->id) != 0)
        return BAD("a certificate of %s was issued to %s", server->id, id);
    return DONE;
}

static fault check_certificate(const struct directory_server *server,
                               const struct certificate *certificate, const struct vouched *by)
{
    if (by->authority == NULL || by->authority->is_own)
        TRY(check_subject(server, certificate));
    if (!certificate_may_sign(certificate))
        return BAD("a certificate of %s may not sign messages", server->id);
    return DONE;
}

static struct directory_signer *new_signer(struct directory *self, struct certificate **certificate,
                                           const struct vouched *by, int64_t at_ms)
{
    struct directory_signer *signer = directory_make(self, sizeof *signer);
    signer->taken_ms = at_ms;
    signer->trusted = by->trusted;
    signer->authority = by->authority;
    cades_template_make(*certificate, &signer->template);
    signer->certificate = directory_keep_certificate(self, certificate);
    struct sha256 hash = certificate_hash(signer->certificate);
    certificate_put(self->shelf, signer->certificate);
    map_set(&self->signers_ever, span_of(signer->template.ski, SKI_BYTES), signer);
    map_set(&self->certificates, sha256_span(&hash), signer);
    return signer;
}

/* One key belongs to one certificate on one server for ever: what it signed never changes hands,
 * and a key that was revoked does not come back under a new certificate. */
static fault take_new(struct directory *self, const struct directory_server *server,
                      struct span der, int64_t at_ms, struct directory_signer **out)
{
    OWNED(certificate) certificate = NULL;
    if (failed(certificate_parse(der, &certificate)))
        return BAD("a certificate of %s: %s", server->id, fault_detail());
    const struct directory_signer *other =
        map_get(&self->signers_ever, span_of(certificate_ski(certificate), SKI_BYTES));
    struct vouched by = other != NULL ? (struct vouched){other->trusted, other->authority}
                                      : vouch(self, certificate, at_ms);
    TRY(check_certificate(server, certificate, &by));
    if (other != NULL && strcmp(other->server->id, server->id) != 0)
        return BAD("one signing key on two servers: %s and %s", server->id, other->server->id);
    if (other != NULL)
        return BAD("%s: a new certificate needs a new key", server->id);
    *out = new_signer(self, &certificate, &by, at_ms);
    return DONE;
}

/* The very certificate that stood there before. */
static fault take_again(const struct directory_server *server,
                        const struct directory_signer *signer)
{
    const struct vouched by = {signer->trusted, signer->authority};
    TRY(check_certificate(server, signer->certificate, &by));
    return strcmp(signer->server->id, server->id) == 0
               ? DONE
               : BAD("one signing key on two servers: %s and %s", server->id, signer->server->id);
}

static fault take_certificate(struct directory *self, struct directory_server *server,
                              ProtobufCBinaryData der, int64_t at_ms)
{
    struct span bytes = span_of(der.data, der.len);
    struct sha256 hash = SHA256_OF(bytes);
    struct directory_signer *signer = act_server_signer(self, sha256_span(&hash));
    TRY(signer != NULL ? take_again(server, signer)
                       : take_new(self, server, bytes, at_ms, &signer));
    signer->server = server;
    if (map_set(&self->signers, span_of(signer->template.ski, SKI_BYTES), signer) != NULL)
        return BAD("%s names a certificate twice", server->id);
    server->signer[server->signers++] = signer;
    return DONE;
}

fault act_server_known(struct directory *self, const struct directory_server *server,
                       struct span der, int64_t at_ms, const struct directory_authority *authority,
                       struct directory_signer **out)
{
    OWNED(certificate) certificate = NULL;
    struct vouched by = {.trusted = true, .authority = authority};
    if (failed(certificate_parse(der, &certificate)))
        return BAD("a certificate of %s: %s", server->id, fault_detail());
    if (authority == NULL)
        by.trusted = is_anchored(self, certificate, at_ms);
    else if (failed(issuer_check(authority->issuer, certificate, at_ms)))
        return BAD("a certificate of %s is not of %s: %s", server->id, authority->name,
                   fault_detail());
    TRY(check_certificate(server, certificate, &by));
    if (map_get(&self->signers_ever, span_of(certificate_ski(certificate), SKI_BYTES)) != NULL)
        return BAD("a certificate of %s stands twice", server->id);
    *out = new_signer(self, &certificate, &by, at_ms);
    (*out)->server = server;
    return DONE;
}

/* A cosignature does not say who made it: so each witness has a key of its own, and no log has it.
 */
static fault take_witness_key(struct directory *self, struct directory_server *server,
                              const Chaski__ServerSet *act)
{
    server->is_witness = act->witness_vkey[0] != '\0';
    if (!server->is_witness)
        return DONE;
    if (failed(note_key_parse(span_of_text(act->witness_vkey), &server->witness_key)) ||
        server->witness_key.type != NOTE_WITNESS)
        return BAD("the witness key of %s is none", act->id);
    if (memcmp(server->witness_key.public_key, server->log_key.public_key, ED25519_PUBLIC_BYTES) ==
        0)
        return BAD("%s would cosign with its log's key", act->id);
    struct directory_server *other = map_set(
        &self->cosigners, span_of(server->witness_key.public_key, ED25519_PUBLIC_BYTES), server);
    return other != NULL && other != server
               ? BAD("one witness key on two servers: %s and %s", server->id, other->id)
               : DONE;
}

static fault take_keys(struct directory *self, struct directory_server *server,
                       const Chaski__ServerSet *act)
{
    if (act->transport_key.len != sizeof server->transport_key || act->n_seal_key == 0 ||
        act->n_seal_key > SEAL_KEYS_MAX)
        return BAD("%s has no transport key or no sealing key", act->id);
    struct span transport = span_of(act->transport_key.data, act->transport_key.len);
    struct directory_server *other = map_set(&self->transport_ids, transport, server);
    if (other != NULL && other != server)
        return BAD("one transport key on two servers: %s and %s", server->id, other->id);
    memcpy(server->transport_key, transport.at, transport.size);
    server->seal_keys = act->n_seal_key;
    for (size_t i = 0; i < act->n_seal_key; i++) {
        if (act->seal_key[i].len != sizeof server->seal_key[i])
            return BAD("a sealing key of %s has the wrong size", act->id);
        memcpy(server->seal_key[i], act->seal_key[i].data, sizeof server->seal_key[i]);
    }
    if (failed(note_key_parse(span_of_text(act->log_vkey), &server->log_key)) ||
        server->log_key.type != NOTE_LOG)
        return BAD("the log key of %s is none", act->id);
    /* an origin stands for those of all its epochs */
    other = map_set(&self->origins, log_epoch_base(span_of_text(server->log_key.name)), server);
    if (other != NULL && other != server)
        return BAD("one log origin on two servers: %s and %s", server->id, other->id);
    return take_witness_key(self, server, act);
}

static fault take_addresses(struct directory *self, struct directory_server *server,
                            const Chaski__ServerSet *act)
{
    if (act->n_address > DIRECTORY_ADDRESSES_MAX)
        return BAD("%s has more than %d addresses", act->id, DIRECTORY_ADDRESSES_MAX);
    server->addresses = act->n_address;
    for (size_t i = 0; i < act->n_address; i++) {
        TRY(act_address(act->address[i]));
        server->address[i] = directory_keep_text(self, act->address[i]);
    }
    return DONE;
}

/* What stood in the last entry is no longer the server's. */
void act_server_retire(struct directory *self, const struct directory_server *server)
{
    for (size_t i = 0; i < server->signers; i++)
        map_remove(&self->signers, span_of(server->signer[i]->template.ski, SKI_BYTES));
    map_remove(&self->transport_ids, span_of(server->transport_key, sizeof server->transport_key));
    map_remove(&self->origins, log_epoch_base(span_of_text(server->log_key.name)));
    if (server->is_witness)
        map_remove(&self->cosigners, span_of(server->witness_key.public_key, ED25519_PUBLIC_BYTES));
}

fault act_server_apply(struct directory *self, const Chaski__ServerSet *act, int64_t at_ms)
{
    TRY(act_id(self, act->id, ID_SERVER));
    struct span member_id = bus_id_prefix(span_of_text(act->id), ID_MEMBER);
    struct directory_member *member = map_get(&self->members, member_id);
    if (member == NULL)
        return BAD("server %s of a member that is not registered", act->id);
    struct directory_server *server = directory_find(&self->servers, act->id);
    if (server == NULL) {
        server = directory_make(self, sizeof *server);
        server->id = directory_keep_text(self, act->id);
        map_set(&self->servers, span_of_text(server->id), server);
    } else {
        act_server_retire(self, server); /* the new entry replaces the old one whole */
    }
    server->member = member;
    server->signers = 0;
    TRY(take_addresses(self, server, act));
    TRY(take_keys(self, server, act));
    if (act->n_certificate == 0 || act->n_certificate > DIRECTORY_CERTIFICATES_MAX)
        return BAD("%s has no certificate, or more than %d", act->id, DIRECTORY_CERTIFICATES_MAX);
    for (size_t i = 0; i < act->n_certificate; i++)
        TRY(take_certificate(self, server, act->certificate[i], at_ms));
    return DONE;
}

// --- revocation ---------------------------------------------------------------------------------

struct directory_signer *act_server_signer(const struct directory *self, struct span wanted)
{
    return map_get(&self->certificates, wanted);
}

/* The outside authority's own word, current at the act's time. What was verified before is
 * believed.
 */
static fault check_proof(const struct directory *self, const Chaski__CertificateRevoked *act,
                         const struct directory_signer *signer, int64_t since_ms, int64_t at_ms)
{
    bool by_crl = act->proof_case == CHASKI__CERTIFICATE_REVOKED__PROOF_CRL;
    ProtobufCBinaryData proof = by_crl ? act->crl : act->ocsp_response;
    struct status status;
    if (act->proof_case == CHASKI__CERTIFICATE_REVOKED__PROOF__NOT_SET || self->known)
        return DONE;
    if (signer->authority == NULL || signer->authority->removed_ms != 0)
        return BAD("a proof of an outside authority, which none in force stands for");
    if (proof.len > DIRECTORY_PROOF_BYTES_MAX)
        return BAD("a proof of %zu bytes; at most %d", proof.len, DIRECTORY_PROOF_BYTES_MAX);
    if (failed(status_read(by_crl ? STATUS_CRL : STATUS_OCSP, span_of(proof.data, proof.len),
                           signer->authority->issuer, signer->certificate, at_ms, &status)))
        return BAD("the proof of a revocation: %s", fault_detail());
    if (status.verdict != STATUS_REVOKED)
        return BAD("the proof of a revocation says: %s", status_verdict_word(status.verdict));
    if (since_ms != (status.revoked_ms < at_ms ? status.revoked_ms : at_ms))
        return BAD("a revocation since another time than its proof says");
    return DONE;
}

/* A certificate stays revoked whatever comes later; a second act can only move the time back. */
fault act_revocation_apply(struct directory *self, const Chaski__CertificateRevoked *act,
                           int64_t at_ms)
{
    struct span wanted = span_of(act->certificate_sha256.data, act->certificate_sha256.len);
    TRY(act_word("the reason of a revocation", act->reason));
    struct directory_signer *signer = act_server_signer(self, wanted);
    if (signer == NULL)
        return BAD("a revocation of a certificate that was never in force");
    int64_t since_ms = act->since_ms == 0 ? at_ms : (int64_t)act->since_ms;
    if (since_ms < 0 || since_ms > at_ms)
        return BAD("a revocation that begins after the act");
    TRY(check_proof(self, act, signer, since_ms, at_ms));
    /* who had ended it before knew it since then */
    if (act->proof_case != CHASKI__CERTIFICATE_REVOKED__PROOF__NOT_SET && signer->told_ms == 0)
        signer->told_ms = signer->revoked_since_ms != 0 ? signer->revoked_since_ms : at_ms;
    if (signer->revoked_since_ms == 0 || since_ms < signer->revoked_since_ms)
        signer->revoked_since_ms = since_ms;
    return DONE;
}
