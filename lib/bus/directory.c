// SPDX-License-Identifier: MIT
#include "lib/bus/directory.h"

#include "lib/base/text.h"
#include "lib/bus/directory_acts.h"
#include "lib/bus/log_epoch.h"

#include <stdlib.h>

// --- holding ------------------------------------------------------------------------------------

struct directory *directory_hold(struct directory *self)
{
    self->holders++;
    return self;
}

void directory_release(struct directory **owner)
{
    struct directory *self = *owner;
    *owner = NULL;
    if (self == NULL || --self->holders > 0)
        return;
    struct map *maps[] = {
        &self->members,       &self->servers,      &self->subsystems,  &self->services,
        &self->purposes,      &self->grants,       &self->signers,     &self->signers_ever,
        &self->transport_ids, &self->origins,      &self->cosigners,   &self->operators,
        &self->intents,       &self->groups,       &self->legal_bases, &self->competences,
        &self->restrictions,  &self->certificates, &self->requests,    &self->decisions,
        &self->glasses,       &self->subject_keys, &self->sealings};
    struct rights *tables[] = {&self->competence_of, &self->restriction_of, &self->grant_of,
                               &self->groups_of,     &self->request_of,     &self->requests_of,
                               &self->decision_of,   &self->glass_of,       &self->sealing_of};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        map_clear(maps[i]);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        rights_clear(tables[i]);
    act_once_only_clear(self);
    for (size_t i = 0; i < self->certificate_count; i++)
        certificate_free(&self->certificate[i]);
    for (size_t i = 0; i < self->outsides_ever; i++)
        issuer_free(&self->outside_ever[i]->issuer);
    certificate_free(&self->authority);
    free(self->outside_ever);
    free(self->certificate);
    certificate_shelf_free(&self->shelf);
    arena_clear(&self->memory);
    free(self);
}

struct certificate *directory_keep_certificate(struct directory *self,
                                               struct certificate **certificate)
{
    if (self->certificate_count == self->certificate_room) {
        self->certificate_room = self->certificate_room == 0 ? 16 : 2 * self->certificate_room;
        self->certificate =
            owned_grow(self->certificate, self->certificate_room, sizeof(struct certificate *));
    }
    self->certificate[self->certificate_count++] = *certificate;
    *certificate = NULL;
    return self->certificate[self->certificate_count - 1];
}

// --- looking up ---------------------------------------------------------------------------------

const char *directory_instance(const struct directory *self)
{
    return self->instance;
}

uint64_t directory_epoch(const struct directory *self)
{
    return self->epoch;
}

struct sha256 directory_root(const struct directory *self)
{
    return self->root;
}

int64_t directory_valid_until_ms(const struct directory *self)
{
    return self->valid_until_ms;
}

int64_t directory_last_ms(const struct directory *self)
{
    return self->last_ms;
}

const struct directory_member *directory_member(const struct directory *self, struct span id)
{
    return map_get(&self->members, id);
}

const struct directory_server *directory_server(const struct directory *self, struct span id)
{
    return map_get(&self->servers, id);
}

const struct directory_subsystem *directory_subsystem(const struct directory *self, struct span id)
{
    return map_get(&self->subsystems, id);
}

const struct directory_service *directory_service(const struct directory *self, struct span id)
{
    return map_get(&self->services, id);
}

const struct endpoint *directory_endpoint(const struct directory_service *service, struct span id)
{
    for (size_t i = 0; i < service->endpoints; i++)
        if (span_is_text(id, service->endpoint[i].id))
            return &service->endpoint[i];
    return NULL;
}

const struct directory_purpose *directory_purpose(const struct directory *self, struct span id)
{
    return map_get(&self->purposes, id);
}

const struct directory_grant *directory_grant(const struct directory *self, struct span id)
{
    return map_get(&self->grants, id);
}

const struct directory_group *directory_group(const struct directory *self, struct span id)
{
    return map_get(&self->groups, id);
}

const struct directory_legal_basis *directory_legal_basis(const struct directory *self,
                                                          struct span id)
{
    return map_get(&self->legal_bases, id);
}

const struct directory_competence *directory_competence(const struct directory *self,
                                                        struct span id)
{
    return map_get(&self->competences, id);
}

const struct directory_subject_key *directory_subject_key(const struct directory *self,
                                                          unsigned year)
{
    char id[16];
    text_format(id, sizeof id, "%u", year);
    return map_get(&self->subject_keys, span_of_text(id));
}

const struct directory_sealing *directory_sealing(const struct directory *self, struct span id)
{
    return map_get(&self->sealings, id);
}

const struct directory_restriction *directory_restriction(const struct directory *self,
                                                          struct span id)
{
    return map_get(&self->restrictions, id);
}

const struct directory_operator *directory_operator(const struct directory *self, struct span id)
{
    return map_get(&self->operators, id);
}

bool directory_is_published(const struct directory *self)
{
    return self->published;
}

bool directory_is_governed(const struct directory *self)
{
    return self->governed;
}

size_t directory_witnesses(const struct directory *self, const struct directory_server **out,
                           unsigned *quorum)
{
    for (size_t i = 0; i < self->witnesses; i++)
        out[i] = self->witness[i];
    *quorum = self->quorum;
    return self->witnesses;
}

const char *directory_role_word(enum directory_role role)
{
    static const char *const words[ROLES_END] = {[ROLE_ENROL] = "enrol",
                                                 [ROLE_APPROVE] = "approve",
                                                 [ROLE_PUBLISH] = "publish",
                                                 [ROLE_REVOKE] = "revoke",
                                                 [ROLE_AUDIT] = "audit"};
    return role > 0 && role < ROLES_END ? words[role] : "none";
}

static const char *const ground_words[GROUNDS_END] = {
    [GROUND_PRIVACY] = "privacy",
    [GROUND_LIFE_AND_HEALTH] = "life-and-health",
    [GROUND_TRADE_SECRET] = "trade-secret",
    [GROUND_DEFENCE] = "defence",
    [GROUND_PUBLIC_SECURITY] = "public-security",
    [GROUND_INTERNATIONAL_RELATIONS] = "international-relations",
    [GROUND_INVESTIGATION] = "investigation",
    [GROUND_DUE_PROCESS] = "due-process",
    [GROUND_JUSTICE] = "justice",
    [GROUND_CHILDREN] = "children",
    [GROUND_ECONOMIC_STABILITY] = "economic-stability",
    [GROUND_PUBLIC_HEALTH] = "public-health",
    [GROUND_MISUSE] = "misuse"};

const char *directory_ground_word(enum directory_ground ground)
{
    return ground > 0 && ground < GROUNDS_END ? ground_words[ground] : "";
}

enum directory_ground directory_ground_of(const char *word)
{
    for (enum directory_ground ground = 1; ground < GROUNDS_END; ground++)
        if (strcmp(word, ground_words[ground]) == 0)
            return ground;
    return 0;
}

size_t directory_stampers(const struct directory *self, const struct directory_stamper **out)
{
    *out = self->stamper;
    return self->stampers;
}

size_t directory_authorities(const struct directory *self,
                             const struct directory_authority *const **out)
{
    *out = (const struct directory_authority *const *)self->outside;
    return self->outsides;
}

struct directory_signer *directory_signer(const struct directory *self, const uint8_t *ski)
{
    return map_get(&self->signers, span_of(ski, SKI_BYTES));
}

struct directory_signer *directory_signer_ever(const struct directory *self, const uint8_t *ski)
{
    return map_get(&self->signers_ever, span_of(ski, SKI_BYTES));
}

const struct directory_server *directory_server_of_log(const struct directory *self,
                                                       struct span origin)
{
    return map_get(&self->origins, log_epoch_base(origin));
}

const struct note_key *directory_witness_key(const struct directory *self,
                                             const struct directory_witness *witness)
{
    if (witness->server == NULL)
        return witness->key;
    const struct directory_server *server = directory_server(self, span_of_text(witness->server));
    return server != NULL && server->is_witness ? &server->witness_key : NULL;
}

bool directory_server_has(const struct directory_server *server,
                          const struct directory_subsystem *subsystem)
{
    for (size_t i = 0; server != NULL && i < subsystem->servers; i++)
        if (subsystem->server[i] == server)
            return true;
    return false;
}

const struct directory_server *directory_next_server(const struct directory *self, size_t *step)
{
    return map_next(&self->servers, step, NULL);
}

const struct directory_service *directory_next_service(const struct directory *self, size_t *step)
{
    return map_next(&self->services, step, NULL);
}

const struct directory_member *directory_next_member(const struct directory *self, size_t *step)
{
    return map_next(&self->members, step, NULL);
}

const struct directory_subsystem *directory_next_subsystem(const struct directory *self,
                                                           size_t *step)
{
    return map_next(&self->subsystems, step, NULL);
}

const struct directory_purpose *directory_next_purpose(const struct directory *self, size_t *step)
{
    return map_next(&self->purposes, step, NULL);
}

const struct directory_group *directory_next_group(const struct directory *self, size_t *step)
{
    return map_next(&self->groups, step, NULL);
}

const struct directory_legal_basis *directory_next_legal_basis(const struct directory *self,
                                                               size_t *step)
{
    return map_next(&self->legal_bases, step, NULL);
}

const struct directory_competence *directory_next_competence(const struct directory *self,
                                                             size_t *step)
{
    return map_next(&self->competences, step, NULL);
}

const struct directory_subject_key *directory_next_subject_key(const struct directory *self,
                                                               size_t *step)
{
    return map_next(&self->subject_keys, step, NULL);
}

const struct directory_sealing *directory_next_sealing(const struct directory *self, size_t *step)
{
    return map_next(&self->sealings, step, NULL);
}

const struct directory_restriction *directory_next_restriction(const struct directory *self,
                                                               size_t *step)
{
    return map_next(&self->restrictions, step, NULL);
}

const struct directory_grant *directory_next_grant(const struct directory *self, size_t *step)
{
    return map_next(&self->grants, step, NULL);
}

const struct directory_operator *directory_next_operator(const struct directory *self, size_t *step)
{
    return map_next(&self->operators, step, NULL);
}
