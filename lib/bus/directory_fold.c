// SPDX-License-Identifier: MIT
/* The fold: one act after the other becomes the state. */
#include "lib/bus/directory_private.h"

#include "lib/bus/bus_id.h"

#include "directory.pb-c.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTEXT "chaski directory act v1"
#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

// --- memory of the state -----------------------------------------------------------------------------

static void *keep(struct directory *self, void *memory)
{
    if (self->memory_count == self->memory_room) {
        self->memory_room = self->memory_room == 0 ? 64 : 2 * self->memory_room;
        self->memory = owned_grow(self->memory, self->memory_room, sizeof *self->memory);
    }
    return self->memory[self->memory_count++] = memory;
}

static void *make(struct directory *self, size_t size)
{
    return keep(self, owned_new(size));
}

static const char *text(struct directory *self, const char *from)
{
    return keep(self, owned_text(from));
}

struct directory *directory_new(struct trust *trust)
{
    struct directory *self = owned_new(sizeof *self);
    self->holders = 1;
    self->trust = trust;
    return self;
}

// --- checks ------------------------------------------------------------------------------------------

static fault check_word(const char *what, const char *word)
{
    size_t size = strlen(word);
    if (size == 0 || size > WORD_BYTES_MAX)
        return BAD("%s is empty or longer than %d bytes", what, WORD_BYTES_MAX);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)word[i] < 0x20)
            return BAD("%s with a control character", what);
    return DONE;
}

/* Canonical, fit for registration, and of this instance. */
static fault check_id(const struct directory *self, const char *id, unsigned parts)
{
    struct bus_id parsed;
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (failed(bus_id_parse(span_of_text(id), parts, parts, &parsed)) ||
        failed(bus_id_check_strict(&parsed)))
        return BAD("%.200s is no identifier to be registered: %s", id, fault_detail());
    bus_id_text(&parsed, parts, canonical, sizeof canonical);
    if (strcmp(canonical, id) != 0)
        return BAD("%.200s is not in canonical form", id);
    if (self->instance == NULL || strcmp(parsed.part[0], self->instance) != 0)
        return BAD("%.200s is of another instance", id);
    return DONE;
}

static void *find(const struct map *map, const char *id)
{
    return map_get(map, span_of_text(id));
}

// --- acts --------------------------------------------------------------------------------------------

static fault apply_opened(struct directory *self, const Chaski__Opened *act)
{
    if (self->instance != NULL)
        return BAD("the directory is opened twice");
    if (act->instance[0] == '\0' || strlen(act->instance) > ID_PART_BYTES_MAX ||
        strchr(act->instance, '/') != NULL)
        return BAD("the instance has no name");
    self->instance = keep(self, owned_text(act->instance));
    return DONE;
}

static fault apply_member(struct directory *self, const Chaski__MemberSet *act)
{
    TRY(check_id(self, act->id, ID_MEMBER));
    TRY(check_word("the member's name", act->name));
    struct bus_id id;
    TRY(bus_id_parse(span_of_text(act->id), ID_MEMBER, ID_MEMBER, &id));
    if (strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) == 0)
        return BAD("%s: the class %s is the authority's own", act->id, DIRECTORY_AUTHORITY_CLASS);
    struct directory_member *member = find(&self->members, act->id);
    if (member == NULL) {
        member = make(self, sizeof *member);
        member->id = text(self, act->id);
        map_set(&self->members, span_of_text(member->id), member);
    }
    member->name = text(self, act->name);
    member->public_agency = act->public_agency;
    return DONE;
}

static fault take_certificate(struct directory *self, struct directory_server *server,
                              ProtobufCBinaryData der, int64_t at_ms)
{
    OWNED(certificate) certificate = NULL;
    if (failed(certificate_parse(span_of(der.data, der.len), &certificate)))
        return BAD("a certificate of %s: %s", server->id, fault_detail());
    const struct certificate_subject *subject = certificate_subject(certificate);
    char id[ID_TEXT_BYTES_MAX + 1];
    snprintf(id, sizeof id, "%s/%s", subject->member, subject->server);
    if (strcmp(id, server->id) != 0 || strcmp(subject->member, server->member->id) != 0)
        return BAD("a certificate of %s was issued to %s", server->id, id);
    if (!certificate_may_sign(certificate))
        return BAD("a certificate of %s may not sign messages", server->id);
    struct span ski = span_of(certificate_ski(certificate), SKI_BYTES);
    struct directory_signer *signer = map_get(&self->signers, ski);
    if (signer != NULL && signer->server != server)
        return BAD("one signing key on two servers: %s and %s", server->id, signer->server->id);
    struct directory_signer *fresh = make(self, sizeof *fresh);
    fresh->server = server;
    fresh->trusted = self->trust != NULL && !failed(trust_check(self->trust, certificate, at_ms));
    struct sha256 hash = certificate_hash(certificate);
    const int64_t *revoked = map_get(&self->revoked, sha256_span(&hash));
    fresh->revoked_since_ms = revoked == NULL ? 0 : *revoked;
    cades_template_make(certificate, &fresh->template);
    if (self->certificate_count == self->certificate_room) {
        self->certificate_room = self->certificate_room == 0 ? 16 : 2 * self->certificate_room;
        self->certificate =
            owned_grow(self->certificate, self->certificate_room, sizeof(struct certificate *));
    }
    fresh->certificate = self->certificate[self->certificate_count++] = TAKE(certificate);
    ski = span_of(fresh->template.ski, SKI_BYTES);
    map_set(&self->signers, ski, fresh);
    map_set(&self->signers_ever, ski, fresh);
    server->signer[server->signers++] = fresh;
    return DONE;
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
        server->log_key.type != 0x01)
        return BAD("the log key of %s is none", act->id);
    other = map_set(&self->origins, span_of_text(server->log_key.name), server);
    return other != NULL && other != server
               ? BAD("one log origin on two servers: %s and %s", server->id, other->id)
               : DONE;
}

static fault take_addresses(struct directory *self, struct directory_server *server,
                            const Chaski__ServerSet *act)
{
    if (act->n_address > DIRECTORY_ADDRESSES_MAX)
        return BAD("%s has more than %d addresses", act->id, DIRECTORY_ADDRESSES_MAX);
    server->addresses = act->n_address;
    for (size_t i = 0; i < act->n_address; i++) {
        TRY(check_word("an address", act->address[i]));
        if (strncmp(act->address[i], "tcp://", 6) != 0)
            return BAD("%s: address %s does not begin with tcp://", act->id, act->address[i]);
        server->address[i] = text(self, act->address[i]);
    }
    return DONE;
}

static fault apply_server(struct directory *self, const Chaski__ServerSet *act, int64_t at_ms)
{
    TRY(check_id(self, act->id, ID_SERVER));
    struct span member_id = bus_id_prefix(span_of_text(act->id), ID_MEMBER);
    struct directory_member *member = map_get(&self->members, member_id);
    if (member == NULL)
        return BAD("server %s of a member that is not registered", act->id);
    struct directory_server *server = find(&self->servers, act->id);
    if (server == NULL) {
        server = make(self, sizeof *server);
        server->id = text(self, act->id);
        map_set(&self->servers, span_of_text(server->id), server);
    } else {
        /* the new entry replaces the old one whole: what it no longer names is no longer his */
        for (size_t i = 0; i < server->signers; i++)
            map_remove(&self->signers, span_of(server->signer[i]->template.ski, SKI_BYTES));
        map_remove(&self->transport_ids, span_of(server->transport_key, 32));
        map_remove(&self->origins, span_of_text(server->log_key.name));
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

static fault apply_subsystem(struct directory *self, const Chaski__SubsystemSet *act)
{
    TRY(check_id(self, act->id, ID_SUBSYSTEM));
    TRY(check_word("the subsystem's name", act->name));
    struct directory_member *member =
        map_get(&self->members, bus_id_prefix(span_of_text(act->id), ID_MEMBER));
    if (member == NULL)
        return BAD("subsystem %s of a member that is not registered", act->id);
    struct directory_subsystem *subsystem = find(&self->subsystems, act->id);
    if (subsystem == NULL) {
        subsystem = make(self, sizeof *subsystem);
        subsystem->id = text(self, act->id);
        map_set(&self->subsystems, span_of_text(subsystem->id), subsystem);
    }
    subsystem->name = text(self, act->name);
    subsystem->member = member;
    subsystem->servers = act->n_server;
    subsystem->server = make(self, (act->n_server + 1) * sizeof *subsystem->server);
    for (size_t i = 0; i < act->n_server; i++) {
        struct directory_server *server = find(&self->servers, act->server[i]);
        if (server == NULL || server->member != member)
            return BAD("subsystem %s names server %s, which is not its member's", act->id,
                       act->server[i]);
        subsystem->server[i] = server;
    }
    return DONE;
}

static fault apply_service(struct directory *self, const Chaski__ServiceSet *act)
{
    TRY(check_id(self, act->id, ID_SERVICE));
    struct directory_subsystem *subsystem =
        map_get(&self->subsystems, bus_id_prefix(span_of_text(act->id), ID_SUBSYSTEM));
    if (subsystem == NULL)
        return BAD("service %s of a subsystem that is not registered", act->id);
    if (act->class_ != CHASKI__SERVICE_CLASS__OPEN && act->class_ != CHASKI__SERVICE_CLASS__SHARED &&
        act->class_ != CHASKI__SERVICE_CLASS__RESTRICTED)
        return BAD("service %s has no class", act->id);
    if (strlen(act->title) > WORD_BYTES_MAX || strlen(act->notice) > WORD_BYTES_MAX)
        return BAD("title or notice of %s is longer than %d bytes", act->id, WORD_BYTES_MAX);
    struct directory_service *service = find(&self->services, act->id);
    if (service == NULL) {
        service = make(self, sizeof *service);
        service->id = text(self, act->id);
        map_set(&self->services, span_of_text(service->id), service);
    }
    service->title = text(self, act->title);
    service->class = (enum service_class)act->class_;
    service->disabled = act->disabled;
    service->notice = text(self, act->notice);
    service->subsystem = subsystem;
    return DONE;
}

/* A certificate stays revoked even when a later entry of its server lists it again. */
static fault apply_revocation(struct directory *self, const Chaski__CertificateRevoked *act,
                              int64_t at_ms)
{
    size_t step = 0;
    struct span wanted = span_of(act->certificate_sha256.data, act->certificate_sha256.len);
    if (wanted.size != SHA256_BYTES)
        return BAD("a revocation that names no certificate");
    TRY(check_word("the reason of a revocation", act->reason));
    for (struct directory_signer *signer;
         (signer = map_next(&self->signers_ever, &step, NULL)) != NULL;) {
        struct sha256 hash = certificate_hash(signer->certificate);
        if (!span_equal(sha256_span(&hash), wanted))
            continue;
        int64_t *since_ms = make(self, sizeof *since_ms);
        *since_ms = act->since_ms != 0 ? (int64_t)act->since_ms : at_ms;
        map_set(&self->revoked, wanted, since_ms);
        signer->revoked_since_ms = *since_ms;
        return DONE;
    }
    return BAD("a revocation of a certificate that was never in force");
}

static fault apply_purpose(struct directory *self, const Chaski__PurposeSet *act)
{
    TRY(check_word("a purpose", act->id));
    struct directory_purpose *purpose = make(self, sizeof *purpose);
    purpose->id = text(self, act->id);
    purpose->title = text(self, act->title);
    purpose->legal_basis = text(self, act->legal_basis);
    map_set(&self->purposes, span_of_text(purpose->id), purpose);
    return DONE;
}

static fault apply_grant(struct directory *self, const Chaski__GrantSet *act)
{
    TRY(check_word("a grant", act->id));
    if (find(&self->services, act->service) == NULL)
        return BAD("grant %s for a service that is not registered", act->id);
    if (find(&self->members, act->consumer) == NULL && find(&self->subsystems, act->consumer) == NULL)
        return BAD("grant %s to a consumer that is not registered", act->id);
    if (act->purpose[0] != '\0' && find(&self->purposes, act->purpose) == NULL)
        return BAD("grant %s for a purpose that is not registered", act->id);
    if (act->until_ms == 0)
        return BAD("grant %s without an end", act->id);
    struct directory_grant *grant = make(self, sizeof *grant);
    grant->id = text(self, act->id);
    grant->service = text(self, act->service);
    grant->consumer = text(self, act->consumer);
    grant->purpose = text(self, act->purpose);
    grant->legal_basis = text(self, act->legal_basis);
    grant->until_ms = (int64_t)act->until_ms;
    map_set(&self->grants, span_of_text(grant->id), grant);
    return DONE;
}

// --- removal -----------------------------------------------------------------------------------------

static bool any_server_of(const struct directory *self, const struct directory_member *member)
{
    size_t step = 0;
    for (struct directory_server *at; (at = map_next(&self->servers, &step, NULL)) != NULL;)
        if (at->member == member)
            return true;
    return false;
}

static bool any_subsystem_of(const struct directory *self, const struct directory_member *member)
{
    size_t step = 0;
    for (struct directory_subsystem *at; (at = map_next(&self->subsystems, &step, NULL)) != NULL;)
        if (at->member == member)
            return true;
    return false;
}

static bool any_subsystem_on(const struct directory *self, const struct directory_server *server)
{
    size_t step = 0;
    for (struct directory_subsystem *at; (at = map_next(&self->subsystems, &step, NULL)) != NULL;)
        if (directory_server_has(server, at))
            return true;
    return false;
}

static bool any_service_of(const struct directory *self, const struct directory_subsystem *subsystem)
{
    size_t step = 0;
    for (struct directory_service *at; (at = map_next(&self->services, &step, NULL)) != NULL;)
        if (at->subsystem == subsystem)
            return true;
    return false;
}

static bool any_grant_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_grant *at; (at = map_next(&self->grants, &step, NULL)) != NULL;)
        if (strcmp(at->service, id) == 0 || strcmp(at->consumer, id) == 0 || strcmp(at->purpose, id) == 0)
            return true;
    return false;
}

static fault remove_server(struct directory *self, const char *id)
{
    struct directory_server *server = find(&self->servers, id);
    if (server == NULL)
        return BAD("server %s is not there", id);
    if (any_subsystem_on(self, server))
        return BAD("server %s still has subsystems", id);
    for (size_t i = 0; i < server->signers; i++)
        map_remove(&self->signers, span_of(server->signer[i]->template.ski, SKI_BYTES));
    map_remove(&self->transport_ids, span_of(server->transport_key, 32));
    map_remove(&self->origins, span_of_text(server->log_key.name));
    map_remove(&self->servers, span_of_text(id));
    return DONE;
}

/* What still leans on a thing is removed first: nothing may dangle. */
static fault apply_removed(struct directory *self, const Chaski__Removed *act)
{
    struct map *map = NULL;
    const char *id = "";
    bool used = false;
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_MEMBER:
        id = act->member, map = &self->members;
        used = any_server_of(self, find(map, id)) || any_subsystem_of(self, find(map, id));
        break;
    case CHASKI__REMOVED__WHAT_SERVER:
        return remove_server(self, act->server);
    case CHASKI__REMOVED__WHAT_SUBSYSTEM:
        id = act->subsystem, map = &self->subsystems;
        used = any_service_of(self, find(map, id));
        break;
    case CHASKI__REMOVED__WHAT_SERVICE:
        id = act->service, map = &self->services;
        break;
    case CHASKI__REMOVED__WHAT_PURPOSE:
        id = act->purpose, map = &self->purposes;
        break;
    case CHASKI__REMOVED__WHAT_GRANT:
        id = act->grant, map = &self->grants;
        break;
    default:
        return BAD("a removal of nothing");
    }
    if (find(map, id) == NULL)
        return BAD("%.200s is not there", id);
    if (used || (map != &self->grants && any_grant_naming(self, id)))
        return BAD("%.200s is still used by other entries", id);
    map_remove(map, span_of_text(id));
    return DONE;
}

static fault apply_published(struct directory *self, const Chaski__Published *act)
{
    if ((int64_t)act->valid_until_ms <= self->last_ms)
        return BAD("published with a validity that is over");
    self->valid_until_ms = (int64_t)act->valid_until_ms;
    self->published = true;
    return DONE;
}

static fault dispatch(struct directory *self, const Chaski__Act *act)
{
    int64_t at_ms = (int64_t)act->time_ms;
    self->published = false;
    switch (act->act_case) {
    case CHASKI__ACT__ACT_OPENED:
        return apply_opened(self, act->opened);
    case CHASKI__ACT__ACT_MEMBER_SET:
        return apply_member(self, act->member_set);
    case CHASKI__ACT__ACT_SERVER_SET:
        return apply_server(self, act->server_set, at_ms);
    case CHASKI__ACT__ACT_SUBSYSTEM_SET:
        return apply_subsystem(self, act->subsystem_set);
    case CHASKI__ACT__ACT_SERVICE_SET:
        return apply_service(self, act->service_set);
    case CHASKI__ACT__ACT_CERTIFICATE_REVOKED:
        return apply_revocation(self, act->certificate_revoked, at_ms);
    case CHASKI__ACT__ACT_PURPOSE_SET:
        return apply_purpose(self, act->purpose_set);
    case CHASKI__ACT__ACT_GRANT_SET:
        return apply_grant(self, act->grant_set);
    case CHASKI__ACT__ACT_REMOVED:
        return apply_removed(self, act->removed);
    case CHASKI__ACT__ACT_PUBLISHED:
        return apply_published(self, act->published);
    default:
        return BAD("an act of a kind that is not known here");
    }
}

static fault check_act(const struct directory *self, uint64_t number, const Chaski__Act *act)
{
    if (strcmp(act->context, CONTEXT) != 0)
        return BAD("entry %" PRIu64 " is not an act of a directory", number);
    if (act->number != number)
        return BAD("entry %" PRIu64 " calls itself %" PRIu64, number, act->number);
    if ((int64_t)act->time_ms < self->last_ms)
        return BAD("entry %" PRIu64 " is dated before the one before it", number);
    if ((number == 0) != (act->act_case == CHASKI__ACT__ACT_OPENED))
        return BAD("entry %" PRIu64 ": the first act, and no other, opens the directory", number);
    return DONE;
}

fault directory_apply(struct directory *self, uint64_t number, struct span bytes)
{
    Chaski__Act *act = chaski__act__unpack(NULL, bytes.size, bytes.at);
    if (act == NULL)
        return BAD("entry %" PRIu64 " holds no act", number);
    fault f = check_act(self, number, act);
    if (!failed(f)) {
        self->last_ms = (int64_t)act->time_ms;
        f = dispatch(self, act);
    }
    chaski__act__free_unpacked(act, NULL);
    return f;
}

/* Grants are listed by the services that they open. */
fault directory_finish(struct directory *self)
{
    size_t step = 0;
    for (struct directory_grant *grant; (grant = map_next(&self->grants, &step, NULL)) != NULL;) {
        struct directory_service *service = find(&self->services, grant->service);
        if (service == NULL)
            return BAD("grant %s for a service that is gone", grant->id);
        const struct directory_grant **longer =
            make(self, (service->grants + 1) * sizeof *longer);
        if (service->grants > 0)
            memcpy(longer, service->grant, service->grants * sizeof *longer);
        longer[service->grants++] = grant;
        service->grant = longer;
    }
    return DONE;
}
