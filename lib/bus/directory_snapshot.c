// SPDX-License-Identifier: MIT
#include "lib/bus/directory_snapshot.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_snapshot_private.h"
#include "lib/bus/service_act.h"
#include "lib/bus/snapshot_once_only.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define CONTEXT "chaski directory snapshot v1"
#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

// --- memory while one is made -------------------------------------------------------------------

struct making {
    struct arena parts; /* of services and decisions */
    void **memory;
    size_t count, room;
};

static void *get(struct making *self, size_t count, size_t size)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->memory = owned_grow(self->memory, self->room, sizeof *self->memory);
    }
    return self->memory[self->count++] = owned_array(count + 1, size);
}

static void making_clear(struct making *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->memory[i]);
    free(self->memory);
    arena_clear(&self->parts);
}

/* protobuf-c wants writable memory and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static char **lend_list(struct making *making, const char *const *texts, size_t count)
{
    char **list = get(making, count, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = lend(texts[i]);
    return list;
}

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

static char *vkey(struct making *making, const struct note_key *key)
{
    char *text = get(making, 400, 1);
    note_key_text(key, text, 400);
    return text;
}

// --- order --------------------------------------------------------------------------------------

/* Every thing that has an id begins with it. */
static int compare_ids(const void *left, const void *right)
{
    const char *const *const *a = left;
    const char *const *const *b = right;
    return strcmp(**a, **b);
}

static const void **in_order(struct making *making, const struct map *map)
{
    const void **list = get(making, map->count, sizeof *list);
    size_t count = 0, step = 0;
    for (const void *at; (at = map_next(map, &step, NULL)) != NULL;)
        list[count++] = at;
    qsort(list, count, sizeof *list, compare_ids);
    return list;
}

void *making_get(struct making *self, size_t count, size_t size)
{
    return get(self, count, size);
}

struct arena *making_memory(struct making *self)
{
    return &self->parts;
}

char *making_lend(const char *text)
{
    return lend(text);
}

char **making_lend_list(struct making *self, const char *const *texts, size_t count)
{
    return lend_list(self, texts, count);
}

const void **making_in_order(struct making *self, const struct map *map)
{
    return in_order(self, map);
}

// --- things as the acts that would set them -----------------------------------------------------

static Chaski__MemberSet *of_member(struct making *making, const struct directory_member *from)
{
    Chaski__MemberSet *to = get(making, 1, sizeof *to);
    chaski__member_set__init(to);
    to->id = lend(from->id);
    to->name = lend(from->name);
    to->public_agency = from->public_agency;
    return to;
}

static Chaski__ServerSet *of_server(struct making *making, const struct directory_server *from)
{
    Chaski__ServerSet *to = get(making, 1, sizeof *to);
    chaski__server_set__init(to);
    to->id = lend(from->id);
    to->address = get(making, from->addresses, sizeof *to->address);
    for (; to->n_address < from->addresses; to->n_address++)
        to->address[to->n_address] = lend(from->address[to->n_address]);
    to->transport_key = binary(span_of(from->transport_key, sizeof from->transport_key));
    to->seal_key = get(making, from->seal_keys, sizeof *to->seal_key);
    for (; to->n_seal_key < from->seal_keys; to->n_seal_key++)
        to->seal_key[to->n_seal_key] =
            binary(span_of(from->seal_key[to->n_seal_key], sizeof from->seal_key[0]));
    to->log_vkey = vkey(making, &from->log_key);
    if (from->is_witness)
        to->witness_vkey = vkey(making, &from->witness_key);
    to->certificate = get(making, from->signers, sizeof *to->certificate);
    for (; to->n_certificate < from->signers; to->n_certificate++)
        to->certificate[to->n_certificate] =
            binary(certificate_der(from->signer[to->n_certificate]->certificate));
    return to;
}

static Chaski__WitnessesSet *of_witnesses(struct making *making,
                                          const struct directory_server *from)
{
    Chaski__WitnessesSet *to = get(making, 1, sizeof *to);
    chaski__witnesses_set__init(to);
    to->server = lend(from->id);
    to->quorum = from->quorum;
    to->witness = get(making, from->witnesses, sizeof *to->witness);
    to->outside_vkey = get(making, from->witnesses, sizeof *to->outside_vkey);
    to->outside_url = get(making, from->witnesses, sizeof *to->outside_url);
    for (size_t i = 0; i < from->witnesses; i++) {
        const struct directory_witness *witness = &from->witness[i];
        if (witness->server != NULL) {
            to->witness[to->n_witness++] = lend(witness->server);
            continue;
        }
        to->outside_vkey[to->n_outside_vkey++] = vkey(making, witness->key);
        to->outside_url[to->n_outside_url++] = lend(witness->url);
    }
    return to;
}

static Chaski__SubsystemSet *of_subsystem(struct making *making,
                                          const struct directory_subsystem *from)
{
    Chaski__SubsystemSet *to = get(making, 1, sizeof *to);
    chaski__subsystem_set__init(to);
    to->id = lend(from->id);
    to->name = lend(from->name);
    to->server = get(making, from->servers, sizeof *to->server);
    for (; to->n_server < from->servers; to->n_server++)
        to->server[to->n_server] = lend(from->server[to->n_server]->id);
    return to;
}

static Chaski__ServiceSet *of_service(struct making *making, const struct directory_service *from)
{
    Chaski__ServiceSet *to = get(making, 1, sizeof *to);
    service_act_of(&making->parts, from, to);
    return to;
}

static Chaski__PurposeSet *of_purpose(struct making *making, const struct directory_purpose *from)
{
    Chaski__PurposeSet *to = get(making, 1, sizeof *to);
    chaski__purpose_set__init(to);
    to->id = lend(from->id);
    to->title = lend(from->title);
    to->legal_basis = lend(from->legal_basis);
    to->n_legal_basis_id = from->legal_bases;
    to->legal_basis_id = lend_list(making, from->legal_basis_id, from->legal_bases);
    to->procedure = lend(from->procedure);
    to->function = lend(from->function);
    return to;
}

static Chaski__GroupSet *of_group(struct making *making, const struct directory_group *from)
{
    Chaski__GroupSet *to = get(making, 1, sizeof *to);
    chaski__group_set__init(to);
    to->id = lend(from->id);
    to->title = lend(from->title);
    to->n_member = from->members;
    to->member = lend_list(making, from->member, from->members);
    return to;
}

static Chaski__LegalBasisSet *of_legal_basis(struct making *making,
                                             const struct directory_legal_basis *from)
{
    Chaski__LegalBasisSet *to = get(making, 1, sizeof *to);
    chaski__legal_basis_set__init(to);
    to->id = lend(from->id);
    to->norm = lend(from->norm);
    to->article = lend(from->article);
    to->text = lend(from->text);
    to->n_topic = from->topics;
    to->topic = lend_list(making, from->topic, from->topics);
    return to;
}

static Chaski__CompetenceSet *of_competence(struct making *making,
                                            const struct directory_competence *from)
{
    Chaski__CompetenceSet *to = get(making, 1, sizeof *to);
    chaski__competence_set__init(to);
    to->id = lend(from->id);
    to->consumer = lend(from->consumer);
    to->purpose = lend(from->purpose);
    to->legal_basis = lend(from->legal_basis);
    to->until_ms = from->until_ms == INT64_MAX ? 0 : (uint64_t)from->until_ms;
    return to;
}

static Chaski__RestrictionSet *of_restriction(struct making *making,
                                              const struct directory_restriction *from)
{
    Chaski__RestrictionSet *to = get(making, 1, sizeof *to);
    chaski__restriction_set__init(to);
    to->id = lend(from->id);
    to->service = lend(from->service);
    to->consumer = lend(from->consumer);
    to->ground = (Chaski__Ground)from->ground;
    to->by_law = from->by_law;
    to->reason = lend(from->reason);
    to->approver = lend(from->approver);
    to->from_ms = (uint64_t)from->from_ms;
    to->until_ms = (uint64_t)from->until_ms;
    to->n_endpoint = from->endpoints;
    to->endpoint = lend_list(making, from->endpoint, from->endpoints);
    to->n_column = from->columns;
    to->column = lend_list(making, from->column, from->columns);
    return to;
}

static Chaski__GrantSet *of_grant(struct making *making, const struct directory_grant *from)
{
    Chaski__GrantSet *to = get(making, 1, sizeof *to);
    chaski__grant_set__init(to);
    to->id = lend(from->id);
    to->service = lend(from->service);
    to->consumer = lend(from->consumer);
    to->n_purpose = from->purposes;
    to->purpose = lend_list(making, from->purpose, from->purposes);
    to->legal_basis = lend(from->legal_basis);
    to->until_ms = (uint64_t)from->until_ms;
    to->n_endpoint = from->endpoints;
    to->endpoint = lend_list(making, from->endpoint, from->endpoints);
    to->request = lend(from->request);
    to->volume_a_day = from->volume_a_day;
    to->n_column = from->columns;
    to->column = lend_list(making, from->column, from->columns);
    return to;
}

static Chaski__SnapshotSubjectKey *of_subject_key(struct making *making,
                                                  const struct directory_subject_key *from)
{
    Chaski__SnapshotSubjectKey *to = get(making, 1, sizeof *to);
    chaski__snapshot_subject_key__init(to);
    to->set = get(making, 1, sizeof *to->set);
    chaski__subject_key_set__init(to->set);
    to->set->year = from->year;
    to->set->commitment = binary(sha256_span(&from->commitment));
    to->destroyed = from->destroyed;
    return to;
}

static Chaski__SealingSet *of_sealing(struct making *making, const struct directory_sealing *from)
{
    Chaski__SealingSet *to = get(making, 1, sizeof *to);
    chaski__sealing_set__init(to);
    to->id = lend(from->id);
    to->consumer = lend(from->consumer);
    to->purpose = lend(from->purpose);
    to->legal_basis = lend(from->legal_basis);
    to->days_max = from->days_max;
    to->until_ms = (uint64_t)from->until_ms;
    return to;
}

static Chaski__OperatorSet *of_operator(struct making *making,
                                        const struct directory_operator *from)
{
    Chaski__OperatorSet *to = get(making, 1, sizeof *to);
    chaski__operator_set__init(to);
    to->id = lend(from->id);
    to->name = lend(from->name);
    to->public_key = binary(span_of(from->public_key, sizeof from->public_key));
    to->role = get(making, ROLES_END, sizeof *to->role);
    for (unsigned role = 1; role < ROLES_END; role++)
        if ((from->roles >> role & 1) != 0)
            to->role[to->n_role++] = (Chaski__Role)role;
    return to;
}

static Chaski__SnapshotSigner *of_signer(struct making *making, const struct directory_signer *from)
{
    Chaski__SnapshotSigner *to = get(making, 1, sizeof *to);
    chaski__snapshot_signer__init(to);
    to->certificate = binary(certificate_der(from->certificate));
    to->server = lend(from->server->id);
    to->taken_ms = (uint64_t)from->taken_ms;
    to->revoked_since_ms = (uint64_t)from->revoked_since_ms;
    to->told_ms = (uint64_t)from->told_ms;
    to->certificate_authority = from->authority == NULL ? 0 : (uint32_t)from->authority->place;
    return to;
}

static Chaski__SnapshotAuthority *of_authority(struct making *making,
                                               const struct directory_authority *from)
{
    Chaski__SnapshotAuthority *to = get(making, 1, sizeof *to);
    Chaski__CertificateAuthoritySet *set = get(making, 1, sizeof *set);
    chaski__snapshot_authority__init(to);
    chaski__certificate_authority_set__init(set);
    set->name = lend(from->name);
    set->certificate = binary(issuer_der(from->issuer));
    set->chain = get(making, ISSUER_CHAIN_MAX, sizeof *set->chain);
    for (; issuer_above(from->issuer, set->n_chain).size > 0; set->n_chain++)
        set->chain[set->n_chain] = binary(issuer_above(from->issuer, set->n_chain));
    set->ocsp_url = lend(from->ocsp_url);
    set->crl_url = lend(from->crl_url);
    to->set = set;
    to->set_ms = (uint64_t)from->set_ms;
    to->removed_ms = (uint64_t)from->removed_ms;
    return to;
}

// --- a whole one --------------------------------------------------------------------------------

/* All of one map, in order, into the list `field` of the snapshot. */
#define ALL(map, field, convert)                                                 \
    do {                                                                         \
        const void **list_ = in_order(making, &self->map);                       \
        out->field = get(making, self->map.count, sizeof *out->field);           \
        for (; out->n_##field < self->map.count; out->n_##field++)               \
            out->field[out->n_##field] = convert(making, list_[out->n_##field]); \
    } while (0)

static void add_witnesses(const struct directory *self, struct making *making,
                          Chaski__Snapshot *out)
{
    const void **servers = in_order(making, &self->servers);
    out->witnesses = get(making, self->servers.count, sizeof *out->witnesses);
    for (size_t i = 0; i < self->servers.count; i++) {
        const struct directory_server *server = servers[i];
        if (server->witnesses > 0)
            out->witnesses[out->n_witnesses++] = of_witnesses(making, server);
    }
    Chaski__DirectoryWitnessesSet *own = get(making, 1, sizeof *own);
    chaski__directory_witnesses_set__init(own);
    own->quorum = self->quorum;
    own->server = get(making, self->witnesses, sizeof *own->server);
    for (; own->n_server < self->witnesses; own->n_server++)
        own->server[own->n_server] = lend(self->witness[own->n_server]->id);
    if (self->witnesses > 0)
        out->directory_witnesses = own;
}

static void add_stampers(const struct directory *self, struct making *making, Chaski__Snapshot *out)
{
    out->stamp_authority = get(making, self->stampers, sizeof *out->stamp_authority);
    for (size_t i = 0; i < self->stampers; i++) {
        Chaski__StampAuthoritySet *to = get(making, 1, sizeof *to);
        chaski__stamp_authority_set__init(to);
        to->name = lend(self->stamper[i].name);
        to->url = lend(self->stamper[i].url);
        to->order = self->stamper[i].order;
        out->stamp_authority[out->n_stamp_authority++] = to;
    }
}

static int compare_signers(const void *left, const void *right)
{
    const Chaski__SnapshotSigner *const *a = left;
    const Chaski__SnapshotSigner *const *b = right;
    struct sha256 x = SHA256_OF(span_of((*a)->certificate.data, (*a)->certificate.len));
    struct sha256 y = SHA256_OF(span_of((*b)->certificate.data, (*b)->certificate.len));
    return memcmp(x.at, y.at, sizeof x.at);
}

static void add_signers(const struct directory *self, struct making *making, Chaski__Snapshot *out)
{
    size_t step = 0;
    out->signer = get(making, self->signers_ever.count, sizeof *out->signer);
    for (const struct directory_signer *at;
         (at = map_next(&self->signers_ever, &step, NULL)) != NULL;)
        out->signer[out->n_signer++] = of_signer(making, at);
    qsort(out->signer, out->n_signer, sizeof *out->signer, compare_signers);
}

static int compare_intents(const void *left, const void *right)
{
    const Chaski__SnapshotIntent *const *a = left;
    const Chaski__SnapshotIntent *const *b = right;
    return memcmp((*a)->nonce.data, (*b)->nonce.data, (*a)->nonce.len); /* all of one size */
}

static void add_intents(const struct directory *self, struct making *making, Chaski__Snapshot *out)
{
    size_t step = 0;
    struct span nonce;
    out->intent = get(making, self->intents.count, sizeof *out->intent);
    for (const int64_t *at_ms; (at_ms = map_next(&self->intents, &step, &nonce)) != NULL;) {
        Chaski__SnapshotIntent *to = get(making, 1, sizeof *to);
        chaski__snapshot_intent__init(to);
        to->nonce = binary(nonce);
        to->at_ms = (uint64_t)*at_ms;
        out->intent[out->n_intent++] = to;
    }
    qsort(out->intent, out->n_intent, sizeof *out->intent, compare_intents);
}

static void add_authorities(const struct directory *self, struct making *making,
                            Chaski__Snapshot *out)
{
    out->certificate_authority =
        get(making, self->outsides_ever, sizeof *out->certificate_authority);
    for (; out->n_certificate_authority < self->outsides_ever; out->n_certificate_authority++)
        out->certificate_authority[out->n_certificate_authority] =
            of_authority(making, self->outside_ever[out->n_certificate_authority]);
}

static void add_keys(const struct directory *self, struct making *making, Chaski__Snapshot *out)
{
    out->authority_keys = get(making, self->keys_count, sizeof *out->authority_keys);
    for (size_t i = 0; i < self->keys_count; i++) {
        const struct handover *from = &self->keys[i].handover;
        Chaski__SnapshotKeys *to = get(making, 1, sizeof *to);
        Chaski__AuthorityKeysSet *set = get(making, 1, sizeof *set);
        chaski__snapshot_keys__init(to);
        chaski__authority_keys_set__init(set);
        set->log_vkey_before = vkey(making, &from->before);
        set->log_vkey = vkey(making, &from->after);
        set->signature_before =
            binary(span_of(from->signature_before, sizeof from->signature_before));
        set->signature = binary(span_of(from->signature_after, sizeof from->signature_after));
        to->number = self->keys[i].number;
        to->set = set;
        out->authority_keys[out->n_authority_keys++] = to;
    }
}

static void add_acts_keys(const struct directory *self, struct making *making,
                          Chaski__Snapshot *out)
{
    out->acts_key = get(making, self->acts_keys_count, sizeof *out->acts_key);
    for (size_t i = 0; i < self->acts_keys_count; i++) {
        const struct directory_acts_key *from = &self->acts_keys[i];
        Chaski__SnapshotActsKey *to = get(making, 1, sizeof *to);
        Chaski__ActsKeySet *set = get(making, 1, sizeof *set);
        chaski__snapshot_acts_key__init(to);
        chaski__acts_key_set__init(set);
        set->certificate_before = binary(from->before);
        set->certificate = binary(certificate_der(from->certificate));
        set->signature_before = binary(from->signature_before);
        to->number = from->number;
        to->at_ms = (uint64_t)from->at_ms;
        to->set = set;
        out->acts_key[out->n_acts_key++] = to;
    }
}

static void fill(const struct directory *self, struct making *making, Chaski__Snapshot *out)
{
    out->context = lend(CONTEXT);
    out->last_ms = (uint64_t)self->last_ms;
    out->instance = lend(self->instance);
    out->valid_until_ms = (uint64_t)self->valid_until_ms;
    out->governed = self->governed;
    ALL(members, member, of_member);
    add_signers(self, making, out);
    ALL(servers, server, of_server);
    add_witnesses(self, making, out);
    ALL(subsystems, subsystem, of_subsystem);
    ALL(services, service, of_service);
    ALL(purposes, purpose, of_purpose);
    ALL(grants, grant, of_grant);
    ALL(groups, group, of_group);
    ALL(legal_bases, legal_basis, of_legal_basis);
    ALL(competences, competence, of_competence);
    ALL(restrictions, restriction, of_restriction);
    ALL(subject_keys, subject_key, of_subject_key);
    ALL(sealings, sealing, of_sealing);
    add_stampers(self, making, out);
    ALL(operators, operator_, of_operator);
    add_intents(self, making, out);
    add_authorities(self, making, out);
    access_into_snapshot(self, making, out);
    add_keys(self, making, out);
    add_acts_keys(self, making, out);
    snapshot_once_only_fill(self, making, out);
}

fault directory_snapshot(const struct directory *self, uint64_t size, struct bytes **out)
{
    struct making making = {0};
    Chaski__Snapshot snapshot = CHASKI__SNAPSHOT__INIT;
    OWNED(bytes) packed = NULL;
    fill(self, &making, &snapshot);
    snapshot.size = size;
    size_t room = chaski__snapshot__get_packed_size(&snapshot);
    fault f = room > DIRECTORY_SNAPSHOT_BYTES_MAX
                  ? RAISE(INTERNAL, "a snapshot of %zu bytes; at most %d", room,
                          DIRECTORY_SNAPSHOT_BYTES_MAX)
                  : bytes_new(room, &packed);
    if (!failed(f))
        chaski__snapshot__pack(&snapshot, packed->data);
    making_clear(&making);
    TRY(f);
    *out = TAKE(packed);
    return DONE;
}

// --- back to a state ----------------------------------------------------------------------------

#define EACH(field, apply)                       \
    for (size_t i = 0; i < from->n_##field; i++) \
    TRY(apply)

/* Whose certificate it is, until the servers have come. */
struct former {
    struct directory_server server;
    struct directory_member member;
    struct directory_signer *signer;
};

static fault take_signer(struct directory *self, const Chaski__SnapshotSigner *from,
                         struct former *former)
{
    struct directory_server *server = &former->server;
    struct directory_member *member = &former->member;
    const struct directory_authority *authority = NULL;
    struct span id = bus_id_prefix(span_of_text(from->server), ID_MEMBER);
    TRY(act_id(self, from->server, ID_SERVER));
    if (from->certificate_authority > self->outsides_ever)
        return BAD("a certificate of %s is of an authority that is not there", from->server);
    if (from->certificate_authority > 0)
        authority = self->outside_ever[from->certificate_authority - 1];
    char text[ID_TEXT_BYTES_MAX + 1];
    text_format(text, sizeof text, "%.*s", (int)id.size, (const char *)id.at);
    server->id = directory_keep_text(self, from->server);
    member->id = directory_keep_text(self, text);
    member->name = directory_keep_text(self, "");
    server->member = map_get(&self->members, id);
    if (server->member == NULL)
        server->member = member;
    TRY(act_server_known(self, server, span_of(from->certificate.data, from->certificate.len),
                         (int64_t)from->taken_ms, authority, &former->signer));
    former->signer->revoked_since_ms = (int64_t)from->revoked_since_ms;
    former->signer->told_ms = (int64_t)from->told_ms;
    return DONE;
}

/* Certificates of servers that are gone still name what was signed: such a server stands in no
 * list. */
static void keep_former(struct directory *self, const struct former *former)
{
    if (former->signer->server != &former->server)
        return;
    struct directory_server *server = directory_make(self, sizeof *server);
    *server = former->server;
    if (server->member == &former->member) {
        struct directory_member *member = directory_make(self, sizeof *member);
        *member = former->member;
        server->member = member;
    }
    former->signer->server = server;
}

static fault take_servers(struct directory *self, const Chaski__Snapshot *from,
                          struct former *formers)
{
    EACH(signer, take_signer(self, from->signer[i], &formers[i]));
    EACH(server, act_server_apply(self, from->server[i], 0));
    for (size_t i = 0; i < from->n_signer; i++)
        keep_former(self, &formers[i]);
    return DONE;
}

static fault take_authority(struct directory *self, const Chaski__SnapshotAuthority *from)
{
    if (from->set == NULL)
        return BAD("an outside authority of which nothing is said");
    TRY(act_time("when an authority was set", from->set_ms));
    return act_authority_was(self, from->set, (int64_t)from->set_ms, (int64_t)from->removed_ms);
}

/* A right that has ended may still stand: it is judged as of a moment before its end. */
static fault take_competence(struct directory *self, const Chaski__CompetenceSet *from)
{
    self->last_ms = from->until_ms == 0 ? 0 : (int64_t)from->until_ms - 1;
    return act_competence_apply(self, from);
}

static fault take_restriction(struct directory *self, const Chaski__RestrictionSet *from)
{
    self->last_ms = (int64_t)from->until_ms - 1;
    return act_restriction_apply(self, from);
}

static fault take_grant(struct directory *self, const Chaski__GrantSet *from)
{
    self->last_ms = (int64_t)from->until_ms - 1;
    return act_grant_apply(self, from);
}

static fault take_subject_key(struct directory *self, const Chaski__SnapshotSubjectKey *from)
{
    if (from->set == NULL)
        return BAD("a year's key of which nothing is said");
    TRY(act_subject_key_apply(self, from->set));
    struct directory_subject_key *key = NULL;
    size_t step = 0;
    while ((key = map_next(&self->subject_keys, &step, NULL)) != NULL)
        if (key->year == from->set->year)
            key->destroyed = from->destroyed;
    return DONE;
}

static fault take_sealing(struct directory *self, const Chaski__SealingSet *from)
{
    self->last_ms = (int64_t)from->until_ms - 1;
    return act_sealing_apply(self, from);
}

static fault take_intent(struct directory *self, const Chaski__SnapshotIntent *from)
{
    int64_t *at_ms = directory_make(self, sizeof *at_ms);
    *at_ms = (int64_t)from->at_ms;
    map_set(&self->intents, span_of(from->nonce.data, from->nonce.len), at_ms);
    return DONE;
}

static fault take_keys(struct directory *self, const Chaski__SnapshotKeys *from)
{
    return from->set == NULL ? BAD("a change of keys of which nothing is said")
                             : act_keys_apply(self, from->set, from->number);
}

static fault take_acts_key(struct directory *self, const Chaski__SnapshotActsKey *from)
{
    return from->set == NULL
               ? BAD("a change of who signs acts of which nothing is said")
               : act_signer_apply(self, from->set, from->number, (int64_t)from->at_ms, true);
}

static fault take_all(struct directory *self, const Chaski__Snapshot *from)
{
    TRY(act_open(self, from->instance));
    EACH(member, act_member_apply(self, from->member[i]));
    EACH(certificate_authority, take_authority(self, from->certificate_authority[i]));
    struct former *formers = owned_array(from->n_signer, sizeof *formers);
    fault f = take_servers(self, from, formers);
    free(formers);
    TRY(f);
    EACH(witnesses, act_witnesses_apply(self, from->witnesses[i]));
    EACH(subsystem, act_subsystem_apply(self, from->subsystem[i]));
    EACH(service, act_service_apply(self, from->service[i]));
    EACH(legal_basis, act_legal_basis_apply(self, from->legal_basis[i]));
    EACH(purpose, act_purpose_apply(self, from->purpose[i]));
    EACH(group, act_group_apply(self, from->group[i]));
    EACH(competence, take_competence(self, from->competence[i]));
    EACH(restriction, take_restriction(self, from->restriction[i]));
    TRY(access_from_snapshot(self, from));
    self->restored = true;
    EACH(grant, take_grant(self, from->grant[i]));
    self->restored = false;
    EACH(subject_key, take_subject_key(self, from->subject_key[i]));
    EACH(sealing, take_sealing(self, from->sealing[i]));
    TRY(snapshot_once_only_take(self, from));
    EACH(stamp_authority, act_stamper_apply(self, from->stamp_authority[i]));
    EACH(operator_, act_operator_apply(self, from->operator_[i]));
    EACH(intent, take_intent(self, from->intent[i]));
    EACH(authority_keys, take_keys(self, from->authority_keys[i]));
    EACH(acts_key, take_acts_key(self, from->acts_key[i]));
    if (from->directory_witnesses != NULL)
        TRY(act_directory_witnesses_apply(self, from->directory_witnesses));
    self->last_ms = (int64_t)from->last_ms;
    self->valid_until_ms = (int64_t)from->valid_until_ms;
    self->governed = from->governed;
    self->epoch = from->size;
    return DONE;
}

static fault unpack(struct span bytes, struct directory *self)
{
    Chaski__Snapshot *from = chaski__snapshot__unpack(NULL, bytes.size, bytes.at);
    if (from == NULL || strcmp(from->context, CONTEXT) != 0) {
        if (from != NULL)
            chaski__snapshot__free_unpacked(from, NULL);
        return BAD("no snapshot of a directory");
    }
    fault f = take_all(self, from);
    chaski__snapshot__free_unpacked(from, NULL);
    return f;
}

fault directory_restore(struct span bytes, struct trust *trust, struct directory **out)
{
    OWNED(directory) self = directory_new(trust);
    OWNED(bytes) again = NULL;
    if (bytes.size > DIRECTORY_SNAPSHOT_BYTES_MAX)
        return BAD("a snapshot of %zu bytes; at most %d", bytes.size, DIRECTORY_SNAPSHOT_BYTES_MAX);
    TRY(unpack(bytes, self));
    TRY(directory_snapshot(self, self->epoch, &again));
    if (!span_equal(bytes_span(again), bytes))
        return BAD("a snapshot that is not in the one form");
    self->trust = NULL;
    *out = TAKE(self);
    return DONE;
}
