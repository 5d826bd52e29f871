// SPDX-License-Identifier: MIT
/* The certificate that signs acts, changed by an act. docs/decisions/0043. */
#include "lib/bus/directory_acts.h"

#include "lib/bus/bus_id.h"
#include "lib/bus/limits.h"

#include "directory.pb-c.h"

#include <string.h>

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)
#define CONTEXT "chaski acts key v1"

struct sha256 act_signer_digest(struct span before, struct span after)
{
    uint8_t words[sizeof CONTEXT + 2 * SHA256_BYTES];
    struct sha256 first = SHA256_OF(before), second = SHA256_OF(after);
    memcpy(words, CONTEXT, sizeof CONTEXT); /* with its zero byte */
    memcpy(words + sizeof CONTEXT, first.at, SHA256_BYTES);
    memcpy(words + sizeof CONTEXT + SHA256_BYTES, second.at, SHA256_BYTES);
    return SHA256_OF(span_of(words, sizeof words));
}

fault act_signer_check_subject(const struct directory *self, const struct certificate *authority)
{
    const struct certificate_subject *subject = certificate_subject(authority);
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(subject->member), ID_MEMBER, ID_MEMBER, &id)) ||
        strcmp(id.part[0], self->instance) != 0 ||
        strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) != 0 || !certificate_may_sign(authority))
        return BAD("the acts are signed by %.100s, not by the authority of %.100s", subject->member,
                   self->instance);
    return DONE;
}

static fault check_at(const struct directory *self, const struct certificate *authority,
                      int64_t at_ms)
{
    TRY(act_signer_check_subject(self, authority));
    return self->trust == NULL || failed(trust_check(self->trust, authority, at_ms))
               ? BAD("the certificate that signs the acts is not trusted: %s", fault_detail())
               : DONE;
}

static bool gave_way(const struct directory *self, const struct certificate *one)
{
    for (size_t i = 0; i < self->acts_keys_count; i++)
        if (memcmp(self->acts_keys[i].former_ski, certificate_ski(one), SKI_BYTES) == 0)
            return true;
    return false;
}

/* A key that gave way never comes back: whoever has stolen it would have waited for that. */
static fault check_order(const struct directory *self, struct span before,
                         const struct certificate *former, const struct certificate *next)
{
    if (self->acts_keys_count == DIRECTORY_ACTS_KEYS_MAX)
        return BAD("more than %d changes of the certificate that signs acts",
                   DIRECTORY_ACTS_KEYS_MAX);
    size_t bytes = certificate_der(former).size + certificate_der(next).size;
    for (size_t i = 0; i < self->acts_keys_count; i++)
        bytes += self->acts_keys[i].before.size;
    if (bytes > DIRECTORY_ACTS_KEYS_BYTES_MAX)
        return BAD("certificates that signed acts with more than %d bytes",
                   DIRECTORY_ACTS_KEYS_BYTES_MAX);
    if (memcmp(certificate_ski(former), certificate_ski(next), SKI_BYTES) == 0)
        return BAD("the key that is to sign acts is the one that gives way");
    if (gave_way(self, next))
        return BAD("the key that is to sign acts was in use before");
    if (self->acts_keys_count == 0)
        return DONE; /* close_state compares it with the first one */
    const struct directory_acts_key *last = &self->acts_keys[self->acts_keys_count - 1];
    return span_equal(certificate_der(last->certificate), before)
               ? DONE
               : BAD("the certificate that gives way is not the one that signs acts");
}

static fault check_signature(struct certificate *former, struct span before, struct span after,
                             struct span signature)
{
    struct sha256 digest = act_signer_digest(before, after);
    if (signature.size == 0) /* lost or stolen: the CA has issued, two operators approve */
        return DONE;
    return failed(certificate_verify_digest(former, digest.at, signature))
               ? BAD("the key that gives way did not sign that it does")
               : DONE;
}

static struct span keep(struct directory *self, struct span bytes)
{
    uint8_t *copy = directory_make(self, bytes.size + 1);
    memcpy(copy, bytes.at, bytes.size);
    return span_of(copy, bytes.size);
}

static void add(struct directory *self, const struct directory_acts_key *next)
{
    struct directory_acts_key *all =
        directory_make(self, (self->acts_keys_count + 1) * sizeof *all);
    for (size_t i = 0; i < self->acts_keys_count; i++)
        all[i] = self->acts_keys[i];
    all[self->acts_keys_count] = *next;
    self->acts_keys = all;
    self->acts_keys_count++;
}

fault act_signer_apply(struct directory *self, const Chaski__ActsKeySet *act, uint64_t number,
                       int64_t at_ms, bool restored)
{
    OWNED(certificate) former = NULL;
    OWNED(certificate) next = NULL;
    struct span before = span_of(act->certificate_before.data, act->certificate_before.len);
    struct span after = span_of(act->certificate.data, act->certificate.len);
    struct span signature = span_of(act->signature_before.data, act->signature_before.len);
    if (failed(certificate_parse(before, &former)) || failed(certificate_parse(after, &next)))
        return BAD("a certificate that is none: %s", fault_detail());
    TRY(check_order(self, before, former, next));
    TRY(check_signature(former, before, after, signature));
    TRY(check_at(self, next, at_ms));
    if (!restored) /* up to the last act that it signed */
        TRY(check_at(self, former, self->prior_ms));
    struct directory_acts_key made = {.number = number,
                                      .at_ms = at_ms,
                                      .before = keep(self, before),
                                      .signature_before = keep(self, signature),
                                      .certificate = next};
    memcpy(made.former_ski, certificate_ski(former), SKI_BYTES);
    directory_keep_certificate(self, &next);
    add(self, &made);
    return DONE;
}

// --- asking -------------------------------------------------------------------------------------

struct certificate *directory_acts_signer(const struct directory *self, struct certificate *first)
{
    return self->acts_keys_count == 0 ? first
                                      : self->acts_keys[self->acts_keys_count - 1].certificate;
}

fault directory_check_first_signer(const struct directory *self, const struct certificate *first)
{
    return self->acts_keys_count == 0 ||
                   span_equal(self->acts_keys[0].before, certificate_der(first))
               ? DONE
               : BAD("changes of the certificate that signs acts do not lead on from the first");
}

fault directory_check_later_signer(const struct directory *self, const struct certificate *one)
{
    TRY(act_signer_check_subject(self, one));
    return gave_way(self, one) ? BAD("the key that signed the act gave way to another one") : DONE;
}
