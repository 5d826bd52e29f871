// SPDX-License-Identifier: MIT
#include "lib/bus/directory_acts.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static size_t place_of(const struct directory *self, const char *name)
{
    size_t at = 0;
    while (at < self->outsides && strcmp(self->outside[at]->name, name) < 0)
        at++;
    return at;
}

static struct directory_authority *find(const struct directory *self, const char *name)
{
    size_t at = place_of(self, name);
    bool found = at < self->outsides && strcmp(self->outside[at]->name, name) == 0;
    return found ? self->outside[at] : NULL;
}

/* By its subject. Nobody asks the country's own authority: what it revokes is an act. */
static bool is_own(const struct directory *self, const struct issuer *issuer)
{
    OWNED(certificate) certificate = NULL;
    char member[ID_TEXT_BYTES_MAX + 1];
    return self->instance != NULL && !failed(certificate_parse(issuer_der(issuer), &certificate)) &&
           text_format(member, sizeof member, "%s/" DIRECTORY_AUTHORITY_CLASS "/CA",
                       self->instance) &&
           strcmp(certificate_subject(certificate)->member, member) == 0;
}

static fault check_urls(const Chaski__CertificateAuthoritySet *act, bool own)
{
    bool none = act->ocsp_url[0] == '\0' && act->crl_url[0] == '\0';
    if (own)
        return none ? DONE
                    : BAD("the authority %s is the country's own: its certificates are revoked by "
                          "acts, and nobody is asked about them",
                          act->name);
    if (none)
        return BAD("the authority %s has no address at which the status of its certificates can be "
                   "asked for",
                   act->name);
    if (act->ocsp_url[0] != '\0')
        TRY(act_url("the address of an OCSP responder", act->ocsp_url));
    return act->crl_url[0] != '\0' ? act_url("the address of a CRL", act->crl_url) : DONE;
}

static fault read_issuer(const Chaski__CertificateAuthoritySet *act, int64_t at_ms,
                         struct issuer **out)
{
    struct span chain[ISSUER_CHAIN_MAX];
    if (act->n_chain > ISSUER_CHAIN_MAX)
        return BAD("the authority %s has a chain of more than %d", act->name, ISSUER_CHAIN_MAX);
    for (size_t i = 0; i < act->n_chain; i++)
        chain[i] = span_of(act->chain[i].data, act->chain[i].len);
    if (failed(issuer_new(span_of(act->certificate.data, act->certificate.len), chain, act->n_chain,
                          at_ms, out)))
        return BAD("the authority %s: %s", act->name, fault_detail());
    return DONE;
}

static struct directory_authority *add_ever(struct directory *self, const char *name)
{
    struct directory_authority *made = directory_make(self, sizeof *made);
    self->outside_ever = owned_grow(self->outside_ever, self->outsides_ever + 1, sizeof made);
    self->outside_ever[self->outsides_ever++] = made;
    made->name = directory_keep_text(self, name);
    made->place = self->outsides_ever;
    return made;
}

static fault add(struct directory *self, const char *name, struct directory_authority **out)
{
    size_t at = place_of(self, name);
    if (self->outsides == DIRECTORY_AUTHORITIES_MAX)
        return BAD("more than %d outside authorities", DIRECTORY_AUTHORITIES_MAX);
    struct directory_authority *made = add_ever(self, name);
    for (size_t i = self->outsides++; i > at; i--)
        self->outside[i] = self->outside[i - 1];
    *out = self->outside[at] = made;
    return DONE;
}

/* One certificate under one name: what is judged by it does not change hands in between. */
static fault check_single(const struct directory *self, const char *name,
                          const struct issuer *issuer)
{
    struct sha256 hash = issuer_hash(issuer);
    for (size_t i = 0; i < self->outsides; i++) {
        struct sha256 other = issuer_hash(self->outside[i]->issuer);
        bool same_name = strcmp(self->outside[i]->name, name) == 0;
        if (same_name != sha256_equal(&hash, &other))
            return same_name
                       ? BAD("the authority %s has another certificate: a new one comes under "
                             "a new name beside it",
                             name)
                       : BAD("the certificate of %s stands there as %s already", name,
                             self->outside[i]->name);
        if (same_name)
            return DONE;
    }
    return DONE;
}

/* Gives the issuer to the authority. */
static void fill(struct directory *self, struct directory_authority *authority,
                 const Chaski__CertificateAuthoritySet *act, struct issuer **issuer, int64_t at_ms)
{
    issuer_free(&authority->issuer);
    authority->issuer = TAKE(*issuer);
    authority->ocsp_url = directory_keep_text(self, act->ocsp_url);
    authority->crl_url = directory_keep_text(self, act->crl_url);
    authority->is_own = is_own(self, authority->issuer);
    authority->set_ms = at_ms;
}

static fault check(const struct directory *self, const Chaski__CertificateAuthoritySet *act,
                   int64_t at_ms, struct issuer **out)
{
    TRY(act_code("an outside authority", act->name));
    TRY(read_issuer(act, at_ms, out));
    return check_urls(act, is_own(self, *out));
}

fault act_authority_apply(struct directory *self, const Chaski__CertificateAuthoritySet *act,
                          int64_t at_ms)
{
    OWNED(issuer) issuer = NULL;
    TRY(check(self, act, at_ms, &issuer));
    TRY(check_single(self, act->name, issuer));
    struct directory_authority *authority = find(self, act->name);
    if (authority == NULL)
        TRY(add(self, act->name, &authority));
    fill(self, authority, act, &issuer, at_ms);
    return DONE;
}

fault act_authority_was(struct directory *self, const Chaski__CertificateAuthoritySet *act,
                        int64_t set_ms, int64_t removed_ms)
{
    OWNED(issuer) issuer = NULL;
    if (removed_ms == 0)
        return act_authority_apply(self, act, set_ms);
    TRY(check(self, act, set_ms, &issuer));
    struct directory_authority *authority = add_ever(self, act->name);
    fill(self, authority, act, &issuer, set_ms);
    authority->removed_ms = removed_ms;
    return DONE;
}

fault act_authority_remove(struct directory *self, const char *name, int64_t at_ms)
{
    struct directory_authority *authority = find(self, name);
    size_t step = 0;
    if (authority == NULL)
        return BAD("the authority %.200s is not there", name);
    authority->removed_ms = at_ms;
    for (struct directory_signer *at; (at = map_next(&self->signers_ever, &step, NULL)) != NULL;)
        if (at->authority == authority && at->revoked_since_ms == 0)
            at->revoked_since_ms = at_ms;
    self->outsides--;
    for (size_t i = place_of(self, name); i < self->outsides; i++)
        self->outside[i] = self->outside[i + 1];
    return DONE;
}

const struct directory_authority *
act_authority_of(const struct directory *self, const struct certificate *certificate, int64_t at_ms)
{
    for (size_t i = 0; i < self->outsides; i++)
        if (!failed(issuer_check(self->outside[i]->issuer, certificate, at_ms)))
            return self->outside[i];
    return NULL;
}
