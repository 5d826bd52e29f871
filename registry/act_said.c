// SPDX-License-Identifier: MIT
#include "registry/act_said.h"

#include "lib/base/clock.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "lib/bus/access.h"
#include "lib/crypto/digest.h"
#include "registry/act_said_once_only.h"

#include "directory.pb-c.h"

#include <stdarg.h>
#include <stdio.h>

#define VKEY_ROOM 400 /* note_key_text */

struct text {
    char *at;
    size_t room, used;
};

static void add(struct text *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *self, const char *format, ...)
{
    va_list args;
    if (self->used + 1 >= self->room)
        return;
    va_start(args, format);
    int size = vsnprintf(self->at + self->used, self->room - self->used, format, args);
    va_end(args);
    if (size >= 0 && (size_t)size < self->room - self->used) {
        self->used += (size_t)size;
        return;
    }
    self->used = self->room - 1;
    memcpy(self->at + self->room - 4, "...", 4);
}

static void add_hash(struct text *self, const char *what, ProtobufCBinaryData bytes)
{
    char hex[17];
    struct sha256 hash = SHA256_OF(span_of(bytes.data, bytes.len));
    text_hex(span_of(hash.at, 8), hex, sizeof hex);
    add(self, ", %s %s", what, hex);
}

static void add_time(struct text *self, uint64_t ms)
{
    char text[32];
    clock_text((int64_t)ms, text, sizeof text);
    add(self, "%s", text);
}

static void add_list(struct text *self, const char *what, char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(self, "%s%s", i == 0 ? what : " ", items[i]);
}

static const char *is_new(const struct directory *state, bool there)
{
    return state == NULL ? "" : there ? " (changed)" : " (new)";
}

static void say_member(struct text *self, const Chaski__MemberSet *act,
                       const struct directory *state)
{
    const struct directory_member *now =
        state == NULL ? NULL : directory_member(state, span_of_text(act->id));
    add(self, "member %s%s: %s, %s", act->id, is_new(state, now != NULL), act->name,
        act->public_agency ? "a public agency" : "no public agency");
    if (now != NULL)
        add(self, "; until now: %s, %s", now->name,
            now->public_agency ? "a public agency" : "no public agency");
}

// --- servers ------------------------------------------------------------------------------------

/* What of a server an act leaves as it is, and what not. */
struct server_change {
    bool addresses, transport, seals, log, witness, certificates;
};

static struct span bytes_of(ProtobufCBinaryData bytes)
{
    return span_of(bytes.data, bytes.len);
}

static ProtobufCBinaryData data_of(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

static const char *vkey_of(const struct note_key *key, char text[VKEY_ROOM])
{
    note_key_text(key, text, VKEY_ROOM);
    return text;
}

static bool same_addresses(const Chaski__ServerSet *act, const struct directory_server *now)
{
    bool same = act->n_address == now->addresses;
    for (size_t i = 0; same && i < now->addresses; i++)
        same = strcmp(act->address[i], now->address[i]) == 0;
    return same;
}

static bool same_seals(const Chaski__ServerSet *act, const struct directory_server *now)
{
    bool same = act->n_seal_key == now->seal_keys;
    for (size_t i = 0; same && i < now->seal_keys; i++)
        same = span_equal(bytes_of(act->seal_key[i]),
                          span_of(now->seal_key[i], sizeof now->seal_key[i]));
    return same;
}

static bool same_certificates(const Chaski__ServerSet *act, const struct directory_server *now)
{
    bool same = act->n_certificate == now->signers;
    for (size_t i = 0; same && i < now->signers; i++)
        same =
            span_equal(bytes_of(act->certificate[i]), certificate_der(now->signer[i]->certificate));
    return same;
}

static struct server_change compare(const Chaski__ServerSet *act,
                                    const struct directory_server *now)
{
    char log[VKEY_ROOM], room[VKEY_ROOM];
    struct span transport = span_of(now->transport_key, sizeof now->transport_key);
    const char *witness = now->is_witness ? vkey_of(&now->witness_key, room) : "";
    return (struct server_change){
        .addresses = !same_addresses(act, now),
        .transport = !span_equal(bytes_of(act->transport_key), transport),
        .seals = !same_seals(act, now),
        .witness = strcmp(act->witness_vkey, witness) != 0,
        .log = strcmp(act->log_vkey, vkey_of(&now->log_key, log)) != 0,
        .certificates = !same_certificates(act, now),
    };
}

/* In front of all that a stranger may have made long. Is there any? */
static bool say_change(struct text *self, const struct server_change *change)
{
    const struct {
        bool there;
        const char *word;
    } parts[] = {{change->addresses, "addresses"}, {change->transport, "transport key"},
                 {change->seals, "sealing keys"},  {change->log, "log"},
                 {change->witness, "witness"},     {change->certificates, "certificates"}};
    const char *before = " (changed: ";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].there) {
            add(self, "%s%s", before, parts[i].word);
            before = ", ";
        }
    bool any = before[0] == ',';
    add(self, any ? ")" : " (nothing changes)");
    return any;
}

static void say_server_until_now(struct text *self, const struct directory_server *now,
                                 const struct server_change *change)
{
    char vkey[VKEY_ROOM];
    add(self, "; until now");
    for (size_t i = 0; change->addresses && i < now->addresses; i++)
        add(self, "%s%s", i == 0 ? ", at " : " ", now->address[i]);
    if (change->transport)
        add_hash(self, "transport key",
                 data_of(span_of(now->transport_key, sizeof now->transport_key)));
    for (size_t i = 0; change->seals && i < now->seal_keys; i++)
        add_hash(self, "sealing key", data_of(span_of(now->seal_key[i], sizeof now->seal_key[i])));
    if (change->log)
        add(self, ", log %s", vkey_of(&now->log_key, vkey));
    if (change->witness && now->is_witness)
        add(self, ", witness %s", vkey_of(&now->witness_key, vkey));
    if (change->witness && !now->is_witness)
        add(self, ", no witness");
    for (size_t i = 0; change->certificates && i < now->signers; i++)
        add_hash(self, "certificate", data_of(certificate_der(now->signer[i]->certificate)));
}

static void say_server_set(struct text *self, const Chaski__ServerSet *act)
{
    add_list(self, ", at ", act->address, act->n_address);
    add_hash(self, "transport key", act->transport_key);
    for (size_t i = 0; i < act->n_seal_key; i++)
        add_hash(self, "sealing key", act->seal_key[i]);
    add(self, ", log %s", act->log_vkey);
    add(self, act->witness_vkey[0] == '\0' ? ", no witness" : ", witness %s", act->witness_vkey);
    for (size_t i = 0; i < act->n_certificate; i++)
        add_hash(self, "certificate", act->certificate[i]);
}

static void say_server(struct text *self, const Chaski__ServerSet *act,
                       const struct directory *state)
{
    const struct directory_server *now =
        state == NULL ? NULL : directory_server(state, span_of_text(act->id));
    struct server_change change;
    add(self, "server %s", act->id);
    if (now == NULL) {
        add(self, "%s", is_new(state, false));
        return say_server_set(self, act);
    }
    change = compare(act, now);
    bool any = say_change(self, &change);
    say_server_set(self, act);
    if (any)
        say_server_until_now(self, now, &change);
}

// --- what else there is -------------------------------------------------------------------------

static const char *class_word(Chaski__ServiceClass class)
{
    return class == CHASKI__SERVICE_CLASS__OPEN     ? "open"
           : class == CHASKI__SERVICE_CLASS__SHARED ? "shared"
                                                    : "of another class";
}

/* All of them: whoever approves sees what each opens, and in which order. */
static void say_parts(struct text *self, const Chaski__ServiceSet *act)
{
    for (size_t i = 0; i < act->n_endpoint; i++)
        add(self, "; endpoint %s: %s %s %s", act->endpoint[i]->id, act->endpoint[i]->method,
            act->endpoint[i]->path, class_word(act->endpoint[i]->class_));
    for (size_t i = 0; i < act->n_column; i++)
        add(self, "; column %s %s", act->column[i]->name, class_word(act->column[i]->class_));
}

/* What a right is about, if not all of the service. */
static void say_scope(struct text *self, char *const *endpoint, size_t endpoints,
                      char *const *column, size_t columns)
{
    add_list(self, ", only endpoint ", endpoint, endpoints);
    add_list(self, ", only column ", column, columns);
    add(self, endpoints + columns == 0 ? "" : ",");
}

static void say_service(struct text *self, const Chaski__ServiceSet *act,
                        const struct directory *state)
{
    static const char *const classes[] = {"no class", "open", "shared"};
    const struct directory_service *now =
        state == NULL ? NULL : directory_service(state, span_of_text(act->id));
    add(self, "service %s%s: %s, %s", act->id, is_new(state, now != NULL),
        act->class_ <= CHASKI__SERVICE_CLASS__SHARED ? classes[act->class_] : "another class",
        act->title);
    if (now != NULL)
        add(self, "; until now %s%s", classes[now->class], now->disabled ? ", switched off" : "");
    if (act->disabled)
        add(self, "; switched off: %s", act->notice);
    say_parts(self, act);
    if (act->subject_required)
        add(self, "; each request names a person");
    else if (now != NULL && now->subject_required)
        add(self, "; REQUESTS NEED NOT NAME A PERSON ANY MORE");
    if (act->rate > 0)
        add(self, "; %u requests a second", act->rate);
    if (act->burst > 0)
        add(self, ", %u at once", act->burst);
}

static void say_grant(struct text *self, const Chaski__GrantSet *act)
{
    add(self, "grant %s: %s may use %s", act->id, act->consumer, act->service);
    say_scope(self, act->endpoint, act->n_endpoint, act->column, act->n_column);
    add(self, " for ");
    add(self, act->n_purpose == 0   ? "any purpose"
              : act->n_purpose == 1 ? "the purpose"
                                    : "the purposes");
    add_list(self, " ", act->purpose, act->n_purpose);
    if (act->volume_a_day > 0)
        add(self, ", %u answers a day to each member,", act->volume_a_day);
    add(self, " until ");
    add_time(self, act->until_ms);
    add(self, " (%s)", act->legal_basis);
    if (act->request[0] != '\0')
        add(self, ", answering the request %s", act->request);
}

static void say_calendar(struct text *self, const Chaski__CalendarSet *act)
{
    add(self,
        "calendar %u to %u, %d minutes from UTC: %zu holidays; a provider has %u working days to "
        "answer, the arbiter %u; weekend",
        act->first_year, act->last_year, act->utc_offset_minutes, act->n_holiday, act->answer_days,
        act->decide_days);
    for (size_t i = 0; i < act->n_weekend; i++)
        add(self, " %u", act->weekend[i]);
    for (size_t i = 0; i < act->n_holiday; i++)
        add(self, "%s%u", i == 0 ? "; rest on " : " ", act->holiday[i]);
}

static void say_request(struct text *self, const Chaski__AccessRequested *act)
{
    add(self, "request %s: %s asks for %s", act->id, act->consumer, act->service);
    add_list(self, ", endpoints ", act->endpoint, act->n_endpoint);
    add_list(self, ", columns ", act->column, act->n_column);
    add_list(self, " for the purposes ", act->purpose, act->n_purpose);
    add(self, " (%s): %s", act->legal_basis, act->reason);
}

static void say_objection(struct text *self, const Chaski__AccessObjected *act)
{
    add(self, "request %s: OBJECTED, ground %s: %s", act->request,
        directory_ground_word((enum directory_ground)act->ground), act->reason);
}

static void say_facts(struct text *self, const Chaski__AccessFacts *facts)
{
    add(self, "; it rests on: %s, competent for %zu of its purposes",
        facts->public_agency ? "a public agency" : "no public agency", facts->n_competent);
    add_list(self, " ", facts->competent, facts->n_competent);
    add(self, ", grounds");
    for (size_t i = 0; i < facts->n_ground; i++)
        add(self, " %s", directory_ground_word((enum directory_ground)facts->ground[i]));
    add(self, ", the law %s the data, legal basis %s",
        facts->by_law ? "RESERVES" : "does not reserve", facts->legal_basis);
}

static void say_decision(struct text *self, const Chaski__AccessDecided *act,
                         const struct directory *state)
{
    const struct directory_request *request =
        state == NULL ? NULL : directory_request(state, span_of_text(act->request));
    add(self, "decision %s: request %s is %s until ", act->id, act->request,
        act->allow ? "ALLOWED" : "DENIED");
    add_time(self, act->until_ms);
    add(self, ", and equal ones as they come: %s", act->reason);
    if (request != NULL)
        add(self, "; %s asks for %s: %s", request->consumer, request->service, request->reason);
    if (act->facts != NULL)
        say_facts(self, act->facts);
}

static void say_emergency(struct text *self, const Chaski__BreakGlassSet *act)
{
    add(self, "EMERGENCY %s: %s may use %s for the purpose %s until ", act->id, act->consumer,
        act->service, act->purpose);
    add_time(self, act->until_ms);
    add(self, ": %s; it must be reviewed by somebody else", act->reason);
}

static void say_purpose(struct text *self, const Chaski__PurposeSet *act)
{
    add(self, "purpose %s: %s (%s)", act->id, act->title, act->legal_basis);
    add_list(self, ", leaning on ", act->legal_basis_id, act->n_legal_basis_id);
    if (act->procedure[0] != '\0')
        add(self, ", procedure %s", act->procedure);
    if (act->function[0] != '\0')
        add(self, ", function %s", act->function);
}

static void say_competence(struct text *self, const Chaski__CompetenceSet *act)
{
    add(self, "competence %s: %s may claim the purpose %s (%s)", act->id, act->consumer,
        act->purpose, act->legal_basis);
    if (act->until_ms == 0)
        return add(self, ", without an end");
    add(self, " until ");
    add_time(self, act->until_ms);
}

static void say_restriction(struct text *self, const Chaski__RestrictionSet *act)
{
    add(self, "restriction %s: %s needs a grant for %s", act->id,
        act->consumer[0] == '\0' ? "EVERYBODY" : act->consumer, act->service);
    say_scope(self, act->endpoint, act->n_endpoint, act->column, act->n_column);
    add(self, " from ");
    add_time(self, act->from_ms);
    add(self, " until ");
    add_time(self, act->until_ms);
    add(self, "; ground %s%s: %s; %s answers for it",
        directory_ground_word((enum directory_ground)act->ground), act->by_law ? ", by law" : "",
        act->reason, act->approver);
}

static void say_legal_basis(struct text *self, const Chaski__LegalBasisSet *act)
{
    add(self, "legal basis %s: %s, %s: %s", act->id, act->norm, act->article, act->text);
    add_list(self, "; topics ", act->topic, act->n_topic);
}

static void say_group(struct text *self, const Chaski__GroupSet *act)
{
    add(self, "group %s: %s; %zu members", act->id, act->title, act->n_member);
    add_list(self, ": ", act->member, act->n_member);
}

static void say_operator(struct text *self, const Chaski__OperatorSet *act,
                         const struct directory *state)
{
    bool there = state != NULL && directory_operator(state, span_of_text(act->id)) != NULL;
    add(self, "operator %s%s: %s, roles", act->id, is_new(state, there), act->name);
    for (size_t i = 0; i < act->n_role; i++)
        add(self, " %s", directory_role_word((enum directory_role)act->role[i]));
    add_hash(self, "key", act->public_key);
}

/* Whom nodes will trust: the whole fingerprint, as `openssl x509 -fingerprint -sha256` has it. */
static void say_authority(struct text *self, const Chaski__CertificateAuthoritySet *act)
{
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = SHA256_OF(span_of(act->certificate.data, act->certificate.len));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    add(self, "certificate authority %s, certificate %s", act->name, hex);
    for (size_t i = 0; i < act->n_chain; i++)
        add_hash(self, "above it", act->chain[i]);
    add(self, act->ocsp_url[0] == '\0' ? ", no OCSP" : ", OCSP %s", act->ocsp_url);
    add(self, act->crl_url[0] == '\0' ? ", no CRL" : ", CRL %s", act->crl_url);
}

static void say_witnesses(struct text *self, const Chaski__WitnessesSet *act)
{
    add(self, "log of %s: quorum %u", act->server, act->quorum);
    add_list(self, ", witnesses ", act->witness, act->n_witness);
    for (size_t i = 0; i < act->n_outside_url; i++)
        add(self, ", outside %s", act->outside_url[i]);
    for (size_t i = 0; i < act->n_outside_vkey; i++)
        add(self, " %s", act->outside_vkey[i]);
}

static void say_removed(struct text *self, const Chaski__Removed *act)
{
    static const struct {
        Chaski__Removed__WhatCase what;
        const char *word;
    } words[] = {{CHASKI__REMOVED__WHAT_MEMBER, "member"},
                 {CHASKI__REMOVED__WHAT_SERVER, "server"},
                 {CHASKI__REMOVED__WHAT_SUBSYSTEM, "subsystem"},
                 {CHASKI__REMOVED__WHAT_SERVICE, "service"},
                 {CHASKI__REMOVED__WHAT_PURPOSE, "purpose"},
                 {CHASKI__REMOVED__WHAT_GRANT, "grant"},
                 {CHASKI__REMOVED__WHAT_STAMP_AUTHORITY, "time stamp authority"},
                 {CHASKI__REMOVED__WHAT_OPERATOR, "operator"},
                 {CHASKI__REMOVED__WHAT_CERTIFICATE_AUTHORITY, "certificate authority"},
                 {CHASKI__REMOVED__WHAT_GROUP, "group"},
                 {CHASKI__REMOVED__WHAT_LEGAL_BASIS, "legal basis"},
                 {CHASKI__REMOVED__WHAT_COMPETENCE, "competence"},
                 {CHASKI__REMOVED__WHAT_RESTRICTION, "restriction"},
                 {CHASKI__REMOVED__WHAT_ACCESS_REQUEST, "request for access"},
                 {CHASKI__REMOVED__WHAT_ACCESS_DECISION, "decision"},
                 {CHASKI__REMOVED__WHAT_BREAK_GLASS, "emergency"},
                 {CHASKI__REMOVED__WHAT_SEALING, "sealing"}};
    const char *noun = act_said_once_only_noun(act);
    if (noun != NULL)
        add(self, "%s %s: REMOVED, %s", noun, act->procedure, act->reason);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].what == act->what_case) /* all texts of one union */
            add(self, "%s %s: REMOVED, %s", words[i].word, act->member, act->reason);
}

static void say_subject_key(struct text *self, const Chaski__SubjectKeySet *act)
{
    char hex[2 * SHA256_BYTES + 1] = "";
    if (act->commitment.len == SHA256_BYTES)
        text_hex(span_of(act->commitment.data, SHA256_BYTES), hex, sizeof hex);
    add(self, "pseudonyms of %u: made under the key %s", act->year, hex);
}

static void say_sealing(struct text *self, const Chaski__SealingSet *act)
{
    add(self,
        "sealing %s: %s may keep exchanges for %s from the view of the person for %u days, "
        "until ",
        act->id, act->consumer, act->purpose, act->days_max);
    add_time(self, act->until_ms);
    add(self, " (%s)", act->legal_basis);
}

static void say_other(struct text *self, const Chaski__Act *act)
{
    char words[8192];
    if (act_said_once_only(act, words, sizeof words))
        add(self, "%s", words);
    else
        add(self, "an act of a kind that this program does not know: do not approve it");
}

static void add_print(struct text *self, ProtobufCBinaryData certificate)
{
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = SHA256_OF(span_of(certificate.data, certificate.len));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    add(self, "%s", hex);
}

/* certificates by their SHA-256, as `openssl x509 -fingerprint -sha256` shows it */
static void say_acts_key(struct text *self, const Chaski__ActsKeySet *act)
{
    add(self, "the acts: signed from here on with the certificate of fingerprint ");
    add_print(self, act->certificate);
    add(self, ", and no longer with ");
    add_print(self, act->certificate_before);
    add(self, act->signature_before.len > 0
                  ? ", whose key signed that it gives way"
                  : ", whose key is lost or stolen: it did not sign this");
}

static void say(struct text *self, const Chaski__Act *act, const struct directory *state)
{
    char hex[65];
    switch (act->act_case) {
    case CHASKI__ACT__ACT_MEMBER_SET:
        return say_member(self, act->member_set, state);
    case CHASKI__ACT__ACT_SERVER_SET:
        return say_server(self, act->server_set, state);
    case CHASKI__ACT__ACT_SUBSYSTEM_SET:
        add(self, "subsystem %s: %s", act->subsystem_set->id, act->subsystem_set->name);
        return add_list(self, ", on ", act->subsystem_set->server, act->subsystem_set->n_server);
    case CHASKI__ACT__ACT_SERVICE_SET:
        return say_service(self, act->service_set, state);
    case CHASKI__ACT__ACT_CERTIFICATE_REVOKED:
        hex[0] = '\0';
        if (act->certificate_revoked->certificate_sha256.len == SHA256_BYTES)
            text_hex(span_of(act->certificate_revoked->certificate_sha256.data, SHA256_BYTES), hex,
                     sizeof hex);
        return add(self, "certificate %s: REVOKED, %s", hex, act->certificate_revoked->reason);
    case CHASKI__ACT__ACT_PURPOSE_SET:
        return say_purpose(self, act->purpose_set);
    case CHASKI__ACT__ACT_GROUP_SET:
        return say_group(self, act->group_set);
    case CHASKI__ACT__ACT_LEGAL_BASIS_SET:
        return say_legal_basis(self, act->legal_basis_set);
    case CHASKI__ACT__ACT_COMPETENCE_SET:
        return say_competence(self, act->competence_set);
    case CHASKI__ACT__ACT_RESTRICTION_SET:
        return say_restriction(self, act->restriction_set);
    case CHASKI__ACT__ACT_GRANT_SET:
        return say_grant(self, act->grant_set);
    case CHASKI__ACT__ACT_CALENDAR_SET:
        return say_calendar(self, act->calendar_set);
    case CHASKI__ACT__ACT_ACCESS_REQUESTED:
        return say_request(self, act->access_requested);
    case CHASKI__ACT__ACT_ACCESS_OBJECTED:
        return say_objection(self, act->access_objected);
    case CHASKI__ACT__ACT_ACCESS_DECIDED:
        return say_decision(self, act->access_decided, state);
    case CHASKI__ACT__ACT_BREAK_GLASS_SET:
        return say_emergency(self, act->break_glass_set);
    case CHASKI__ACT__ACT_BREAK_GLASS_REVIEWED:
        return add(self, "emergency %s: reviewed, %s", act->break_glass_reviewed->id,
                   act->break_glass_reviewed->words);
    case CHASKI__ACT__ACT_SUBJECT_KEY_SET:
        return say_subject_key(self, act->subject_key_set);
    case CHASKI__ACT__ACT_SUBJECT_KEY_DESTROYED:
        return add(self, "pseudonyms of %u: the key DESTROYED everywhere, %s",
                   act->subject_key_destroyed->year, act->subject_key_destroyed->reason);
    case CHASKI__ACT__ACT_SEALING_SET:
        return say_sealing(self, act->sealing_set);
    case CHASKI__ACT__ACT_REMOVED:
        return say_removed(self, act->removed);
    case CHASKI__ACT__ACT_STAMP_AUTHORITY_SET:
        return add(self, "time stamp authority %s: %s, order %u", act->stamp_authority_set->name,
                   act->stamp_authority_set->url, act->stamp_authority_set->order);
    case CHASKI__ACT__ACT_WITNESSES_SET:
        return say_witnesses(self, act->witnesses_set);
    case CHASKI__ACT__ACT_CERTIFICATE_AUTHORITY_SET:
        return say_authority(self, act->certificate_authority_set);
    case CHASKI__ACT__ACT_OPERATOR_SET:
        return say_operator(self, act->operator_set, state);
    case CHASKI__ACT__ACT_DIRECTORY_WITNESSES_SET:
        add(self, "the directory: quorum %u", act->directory_witnesses_set->quorum);
        return add_list(self, ", witnesses ", act->directory_witnesses_set->server,
                        act->directory_witnesses_set->n_server);
    case CHASKI__ACT__ACT_AUTHORITY_KEYS_SET:
        return add(self, "the directory's log: signed by %s from here on, and no longer by %s",
                   act->authority_keys_set->log_vkey, act->authority_keys_set->log_vkey_before);
    case CHASKI__ACT__ACT_ACTS_KEY_SET:
        return say_acts_key(self, act->acts_key_set);
    case CHASKI__ACT__ACT_OPENED:
        return add(self, "the directory of %s: opened", act->opened->instance);
    case CHASKI__ACT__ACT_PUBLISHED:
        add(self, "published, valid until ");
        return add_time(self, act->published->valid_until_ms);
    default:
        return say_other(self, act);
    }
}

void act_said(const struct Chaski__Act *act, const struct directory *state, char *out, size_t room)
{
    struct text text = {out, room, 0};
    out[0] = '\0';
    say(&text, act, state);
    shown_plainly(out); /* texts of a draft are a stranger's until it is folded */
}
