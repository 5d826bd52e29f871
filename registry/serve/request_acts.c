// SPDX-License-Identifier: MIT
#include "registry/serve/request_acts.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/bus_id.h"
#include "lib/crypto/random.h"

#include "directory.pb-c.h"

#include <stdlib.h>

struct work {
    const struct enrolment *enrolment;
    const struct directory *state;
    const char *label, *by;
    struct proposals *proposals;
    char (*ids)[ACT_ID_ROOM];
    size_t *count;
    char member[ID_TEXT_BYTES_MAX + 1];
    int64_t now_ms;
};

static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

static fault add_proposal(struct work *self, const Chaski__Act *act)
{
    OWNED(bytes) packed = NULL;
    struct proposal *proposal = NULL;
    TRY(bytes_new(chaski__act__get_packed_size(act), &packed));
    chaski__act__pack(act, packed->data);
    TRY(proposals_add(self->proposals, bytes_span(packed), self->label, self->by, &proposal));
    memcpy(self->ids[(*self->count)++], proposal->id, ACT_ID_ROOM);
    return DONE;
}

static fault propose(struct work *self, const Chaski__Act *given)
{
    uint8_t nonce[ACT_NONCE_BYTES];
    Chaski__Act act = *given;
    int64_t last_ms = directory_last_ms(self->state);
    Chaski__Intent intent = CHASKI__INTENT__INIT;
    random_fill(nonce, sizeof nonce);
    intent.proposed_ms = (uint64_t)(self->now_ms > last_ms ? self->now_ms : last_ms);
    intent.nonce = binary(span_of(nonce, sizeof nonce));
    act.intent = &intent;
    act.context = lend("chaski directory act v1");
    return add_proposal(self, &act);
}

static fault propose_member(struct work *self)
{
    Chaski__MemberSet member = CHASKI__MEMBER_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    if (directory_member(self->state, span_of_text(self->member)) != NULL)
        return DONE;
    member.id = self->member;
    member.name = lend(self->enrolment->organisation);
    member.public_agency = self->enrolment->public_agency;
    act.act_case = CHASKI__ACT__ACT_MEMBER_SET;
    act.member_set = &member;
    return propose(self, &act);
}

/* Behind the new one, those still good: what was signed before the change is still on its way. */
static size_t add_good_certificates(const struct work *self, ProtobufCBinaryData *out, size_t count)
{
    const struct directory_server *now =
        directory_server(self->state, span_of_text(self->enrolment->server));
    for (size_t i = 0; now != NULL && i < now->signers; i++) {
        const struct directory_signer *signer = now->signer[i];
        struct span der = certificate_der(signer->certificate);
        if (signer->revoked_since_ms == 0 && count < DIRECTORY_CERTIFICATES_MAX &&
            certificate_not_after_ms(signer->certificate) > self->now_ms &&
            !span_equal(der, span_of(out[0].data, out[0].len)))
            out[count++] = binary(der);
    }
    return count;
}

static fault propose_server(struct work *self, struct span certificate)
{
    const struct enrolment *from = self->enrolment;
    Chaski__ServerSet server = CHASKI__SERVER_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char *addresses[DIRECTORY_ADDRESSES_MAX];
    ProtobufCBinaryData seals[SEAL_KEYS_MAX], certificates[DIRECTORY_CERTIFICATES_MAX];
    for (size_t i = 0; i < from->addresses; i++)
        addresses[i] = lend(from->address[i]);
    for (size_t i = 0; i < from->seal_keys; i++)
        seals[i] = binary(span_of(from->seal_key[i], sizeof from->seal_key[i]));
    certificates[0] = binary(certificate);
    server.id = lend(from->server);
    server.n_address = from->addresses;
    server.address = addresses;
    server.transport_key = binary(span_of(from->transport_key, sizeof from->transport_key));
    server.n_seal_key = from->seal_keys;
    server.seal_key = seals;
    server.log_vkey = lend(from->log_vkey);
    server.witness_vkey = lend(from->witness_vkey);
    server.n_certificate = add_good_certificates(self, certificates, 1);
    server.certificate = certificates;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = &server;
    return propose(self, &act);
}

/* A subsystem that is on other servers of the member stays there too. */
static fault propose_subsystem(struct work *self, const struct enrolment_subsystem *wish)
{
    char id[ID_TEXT_BYTES_MAX + 1];
    Chaski__SubsystemSet set = CHASKI__SUBSYSTEM_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    if (!text_format(id, sizeof id, "%s/%s", self->member, wish->code))
        return RAISE(REFUSED, "a subsystem's code is too long");
    const struct directory_subsystem *now = directory_subsystem(self->state, span_of_text(id));
    size_t before = now == NULL ? 0 : now->servers;
    char **servers = owned_array(before + 1, sizeof *servers);
    for (size_t i = 0; i < before; i++)
        if (strcmp(now->server[i]->id, self->enrolment->server) != 0)
            servers[set.n_server++] = lend(now->server[i]->id);
    bool there = set.n_server < before;
    servers[set.n_server++] = lend(self->enrolment->server);
    set.id = id;
    set.name = lend(wish->name);
    set.server = servers;
    act.act_case = CHASKI__ACT__ACT_SUBSYSTEM_SET;
    act.subsystem_set = &set;
    fault f = there ? DONE : propose(self, &act);
    free(servers);
    return f;
}

static bool has_server(const Chaski__SubsystemSet *set, const char *id)
{
    for (size_t i = 0; i < set->n_server; i++)
        if (strcmp(set->server[i], id) == 0)
            return true;
    return false;
}

/* On the servers that it is on now, and on the one that asks. */
static bool subsystem_stands(const struct directory *state, const Chaski__SubsystemSet *set,
                             const char *server)
{
    const struct directory_subsystem *now = directory_subsystem(state, span_of_text(set->id));
    size_t others = 0;
    for (size_t i = 0; now != NULL && i < now->servers; i++) {
        const char *id = now->server[i]->id;
        if (strcmp(id, server) != 0 && !has_server(set, id))
            return false;
        others += strcmp(id, server) != 0;
    }
    return set->n_server == others + 1;
}

static bool has_certificate(const Chaski__ServerSet *set, struct span der)
{
    for (size_t i = 0; i < set->n_certificate; i++)
        if (span_equal(der, span_of(set->certificate[i].data, set->certificate[i].len)))
            return true;
    return false;
}

/* With all its good certificates: one of them may have come by a renewal. */
static bool server_stands(const struct directory *state, const Chaski__ServerSet *set)
{
    const struct directory_server *now = directory_server(state, span_of_text(set->id));
    int64_t now_ms = clock_wall_ms();
    for (size_t i = 0; now != NULL && i < now->signers; i++) {
        const struct certificate *certificate = now->signer[i]->certificate;
        if (now->signer[i]->revoked_since_ms == 0 &&
            certificate_not_after_ms(certificate) > now_ms &&
            set->n_certificate < DIRECTORY_CERTIFICATES_MAX &&
            !has_certificate(set, certificate_der(certificate)))
            return false;
    }
    return true;
}

bool request_acts_stand(const struct directory *state, const char *server, struct span packed)
{
    Chaski__Act *act = chaski__act__unpack(NULL, packed.size, packed.at);
    bool stands = act != NULL && (act->act_case == CHASKI__ACT__ACT_SUBSYSTEM_SET
                                      ? subsystem_stands(state, act->subsystem_set, server)
                                  : act->act_case == CHASKI__ACT__ACT_SERVER_SET
                                      ? server_stands(state, act->server_set)
                                      : true);
    if (act != NULL)
        chaski__act__free_unpacked(act, NULL);
    return stands;
}

/* The one that it has for this key already, one of an outside CA, or a new one. */
static fault certificate_for(const struct work *self, struct authority_line *line,
                             struct bytes **out)
{
    const struct enrolment *from = self->enrolment;
    const struct directory_server *now = directory_server(self->state, span_of_text(from->server));
    const struct directory_member *member =
        directory_member(self->state, span_of_text(self->member));
    uint8_t point[P256_POINT_BYTES];
    if (from->chain > 0)
        return bytes_copy(bytes_span(from->certificate[0]), out);
    for (size_t i = 0; now != NULL && i < now->signers; i++) {
        struct span der = certificate_der(now->signer[i]->certificate);
        if (!failed(p256_of_certificate(der, point)) &&
            memcmp(point, from->point, sizeof point) == 0)
            return bytes_copy(der, out);
    }
    return authority_line_certify(line, bytes_span(from->request), from->server,
                                  member == NULL ? from->organisation : member->name, out);
}

fault request_acts_propose(const struct enrolment *enrolment, const char *label, const char *by,
                           const struct outlook *outlook, struct proposals *proposals,
                           struct authority_line *line, char ids[REQUEST_ACTS_MAX][ACT_ID_ROOM],
                           size_t *count)
{
    OWNED(bytes) certificate = NULL;
    struct work self = {.enrolment = enrolment,
                        .state = outlook_state(outlook),
                        .label = label,
                        .by = by,
                        .proposals = proposals,
                        .ids = ids,
                        .count = count,
                        .now_ms = clock_wall_ms()};
    struct span member = bus_id_prefix(span_of_text(enrolment->server), ID_MEMBER);
    text_format(self.member, sizeof self.member, "%.*s", (int)member.size, (const char *)member.at);
    TRY(certificate_for(&self, line, &certificate));
    TRY(propose_member(&self));
    TRY(propose_server(&self, bytes_span(certificate)));
    for (size_t i = 0; i < enrolment->subsystems; i++)
        TRY(propose_subsystem(&self, &enrolment->subsystem[i]));
    return DONE;
}
