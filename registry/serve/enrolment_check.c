// SPDX-License-Identifier: MIT
/* A request against the directory: may these names and keys be this server's? */
#include "registry/serve/enrolment.h"

#include "lib/base/clock.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_acts.h"
#include "lib/bus/lookalike.h"
#include "lib/bus/log_epoch.h"

static fault check_id(const struct directory *state, const char *id, unsigned parts)
{
    if (failed(act_id(state, id, parts)))
        return RAISE(REFUSED, "%s", fault_detail());
    return DONE;
}

static fault check_names(const struct enrolment *self, const struct directory *state)
{
    struct span member = bus_id_prefix(span_of_text(self->server), ID_MEMBER);
    struct bus_id id;
    char text[ID_TEXT_BYTES_MAX + 1];
    TRY(check_id(state, self->server, ID_SERVER));
    TRY(bus_id_parse(member, ID_MEMBER, ID_MEMBER, &id));
    if (strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) == 0)
        return RAISE(REFUSED, "the class %s is the authority's own", DIRECTORY_AUTHORITY_CLASS);
    if (failed(act_word("the organisation", self->organisation)))
        return RAISE(REFUSED, "%s", fault_detail());
    for (size_t i = 0; i < self->subsystems; i++) {
        if (!text_format(text, sizeof text, "%.*s/%s", (int)member.size, (const char *)member.at,
                         self->subsystem[i].code))
            return RAISE(REFUSED, "a subsystem's code is too long");
        TRY(check_id(state, text, ID_SUBSYSTEM));
        if (failed(act_word("a subsystem's name", self->subsystem[i].name)))
            return RAISE(REFUSED, "%s", fault_detail());
    }
    for (size_t i = 0; i < self->addresses; i++)
        if (failed(act_address(self->address[i])))
            return RAISE(REFUSED, "%s", fault_detail());
    return DONE;
}

static fault not_of(const struct enrolment *self, const struct directory_server *owner,
                    const char *what)
{
    if (owner != NULL && strcmp(owner->id, self->server) != 0)
        return RAISE(REFUSED, "the %s is registered already, with another server", what);
    return DONE;
}

static bool has_seal_key(const struct directory_server *server, const uint8_t key[32])
{
    for (size_t i = 0; i < server->seal_keys; i++)
        if (memcmp(server->seal_key[i], key, 32) == 0)
            return true;
    return false;
}

static bool signs_with(const struct directory_server *server, const uint8_t *point)
{
    uint8_t own[P256_POINT_BYTES];
    for (size_t i = 0; i < server->signers; i++)
        if (!failed(p256_of_certificate(certificate_der(server->signer[i]->certificate), own)) &&
            memcmp(own, point, sizeof own) == 0)
            return true;
    return false;
}

/* Keys that have an index, and those for which all servers are looked at. */
static fault check_keys(const struct enrolment *self, const struct directory *state)
{
    struct span transport = span_of(self->transport_key, sizeof self->transport_key);
    size_t step = 0;
    TRY(not_of(self, map_get(&state->transport_ids, transport), "transport key"));
    TRY(not_of(self, directory_server_of_log(state, span_of_text(self->log.name)), "log's name"));
    if (self->witness_vkey[0] != '\0')
        TRY(not_of(
            self,
            map_get(&state->cosigners, span_of(self->witness.public_key, ED25519_PUBLIC_BYTES)),
            "witness key"));
    for (const struct directory_server *at; (at = directory_next_server(state, &step)) != NULL;) {
        if (memcmp(at->log_key.public_key, self->log.public_key, ED25519_PUBLIC_BYTES) == 0)
            TRY(not_of(self, at, "log key"));
        if (signs_with(at, self->point))
            TRY(not_of(self, at, "signing key"));
        for (size_t i = 0; i < self->seal_keys; i++)
            if (has_seal_key(at, self->seal_key[i]))
                TRY(not_of(self, at, "sealing key"));
    }
    return DONE;
}

// --- a certificate of an outside authority ------------------------------------------------------

static fault check_use(const struct directory *state, struct certificate *certificate)
{
    int64_t now_ms = clock_wall_ms();
    if (!certificate_may_sign(certificate))
        return RAISE(REFUSED, "the certificate may not sign documents: key usage digitalSignature "
                              "and nonRepudiation, and no extended one or one for documents");
    if (act_authority_of(state, certificate, now_ms) == NULL &&
        (state->trust == NULL || failed(trust_check(state->trust, certificate, now_ms))))
        return RAISE(REFUSED,
                     "the certificate is of no authority that the directory trusts, or not "
                     "valid now: two operators trust one first");
    return DONE;
}

/* Before an operator looks, not when all have approved. */
static fault check_certificate(const struct enrolment *self, const struct directory *state)
{
    OWNED(certificate) certificate = NULL;
    if (self->chain == 0)
        return DONE;
    if (failed(certificate_parse(bytes_span(self->certificate[0]), &certificate)))
        return RAISE(REFUSED, "\"certificates\": %s", fault_detail());
    return check_use(state, certificate);
}

fault enrolment_check(const struct enrolment *self, const struct directory *state,
                      const struct note_key *directory_log)
{
    TRY(check_names(self, state));
    TRY(check_certificate(self, state));
    if (span_equal(log_epoch_base(span_of_text(self->log.name)),
                   log_epoch_base(span_of_text(directory_log->name))))
        return RAISE(REFUSED, "\"log_vkey\" names the directory's own log");
    return check_keys(self, state);
}

// --- for operators ------------------------------------------------------------------------------

struct warning {
    char *at;
    size_t room;
};

static void add(struct warning *self, const char *between, const char *words)
{
    size_t used = strlen(self->at);
    text_format(self->at + used, self->room - used, "%s%s", used == 0 ? "" : between, words);
}

static bool has_other_keys(const struct enrolment *self, const struct directory_server *now)
{
    char log[400], witness[400] = "";
    size_t seals = 0;
    note_key_text(&now->log_key, log, sizeof log);
    if (now->is_witness)
        note_key_text(&now->witness_key, witness, sizeof witness);
    for (size_t i = 0; i < self->seal_keys; i++)
        seals += has_seal_key(now, self->seal_key[i]);
    return memcmp(now->transport_key, self->transport_key, sizeof self->transport_key) != 0 ||
           seals != self->seal_keys || !signs_with(now, self->point) ||
           strcmp(log, self->log_vkey) != 0 || strcmp(witness, self->witness_vkey) != 0;
}

static bool has_servers(const struct directory *state, struct span member)
{
    size_t step = 0;
    for (const struct directory_server *at; (at = directory_next_server(state, &step)) != NULL;)
        if (span_equal(span_of_text(at->member->id), member))
            return true;
    return false;
}

bool enrolment_wants_voucher(const struct enrolment *self, const struct directory *state)
{
    const struct directory_server *now = directory_server(state, span_of_text(self->server));
    return now != NULL ? has_other_keys(self, now)
                       : has_servers(state, bus_id_prefix(span_of_text(self->server), ID_MEMBER));
}

static void warn_of_servers(const struct enrolment *self, const struct directory *state,
                            bool vouched, struct warning *out)
{
    bool registered = directory_server(state, span_of_text(self->server)) != NULL;
    if (!enrolment_wants_voucher(self, state))
        return;
    if (registered)
        add(out, "; ", "this server is registered, with other keys: approving replaces them");
    if (!vouched)
        add(out, "; ",
            registered ? "no server of this member vouches for that"
                       : "this member has servers, and none of them vouches for this one");
}

static void warn_of_name(struct warning *out, const char *id, bool *first)
{
    if (*first)
        add(out, "; ", "looks like ");
    add(out, *first ? "" : ", ", id);
    *first = false;
}

static void warn_of_names(const struct enrolment *self, const struct directory *state,
                          struct span member, struct warning *out)
{
    size_t step = 0;
    bool first = true;
    for (const struct directory_member *at; (at = directory_next_member(state, &step)) != NULL;)
        if (!span_equal(span_of_text(at->id), member) && lookalike(span_of_text(at->id), member))
            warn_of_name(out, at->id, &first);
    step = 0;
    for (const struct directory_server *at; (at = directory_next_server(state, &step)) != NULL;)
        if (strcmp(at->id, self->server) != 0 && span_equal(span_of_text(at->member->id), member) &&
            lookalike(span_of_text(at->id), span_of_text(self->server)))
            warn_of_name(out, at->id, &first);
}

/* An outside authority knows nothing of members: whose it is, operators say. */
static void warn_of_certificate(const struct enrolment *self, const struct directory *state,
                                struct warning *out)
{
    OWNED(certificate) certificate = NULL;
    char words[600];
    if (self->chain == 0 ||
        failed(certificate_parse(bytes_span(self->certificate[0]), &certificate)))
        return;
    const struct directory_authority *by = act_authority_of(state, certificate, clock_wall_ms());
    if (by == NULL)
        return;
    text_format(words, sizeof words,
                "its certificate is of the outside authority %s and names \"%s\": is that this "
                "member?",
                by->name, certificate_subject(certificate)->organisation);
    shown_plainly(words);
    add(out, "; ", words);
}

void enrolment_warn(const struct enrolment *self, const struct directory *state, bool vouched,
                    char *out, size_t room)
{
    struct warning warning = {out, room};
    struct span member = bus_id_prefix(span_of_text(self->server), ID_MEMBER);
    out[0] = '\0';
    warn_of_servers(self, state, vouched, &warning);
    warn_of_certificate(self, state, &warning);
    warn_of_names(self, state, member, &warning);
}
