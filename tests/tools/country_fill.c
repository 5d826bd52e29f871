// SPDX-License-Identifier: MIT
/*
 * country_fill - adds a whole country to an authority's store: for measurements.
 *
 *   country_fill STORE MEMBERS SERVERS SERVICES
 *       members CO/GOV/9<n>; the first SERVERS of them with a server, real keys and a certificate
 *       of the store's CA, and a subsystem; SERVICES among these subsystems, shared; every tenth
 *       restricted, with a grant. Acts as the registry makes them; nothing is published.
 */
#include "lib/bus/server_set.h"
#include "registry/store.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"

#include "directory.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define PROGRESS 1000

struct fill {
    struct store *store;
    unsigned members, servers, services;
};

static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

#define ACT(self, KIND, field, message)                                                 \
    store_act((self)->store,                                                            \
              &(Chaski__Act){.base = PROTOBUF_C_MESSAGE_INIT(&chaski__act__descriptor), \
                             .context = lend(""),                                       \
                             .act_case = CHASKI__ACT__ACT_##KIND,                       \
                             .field = (message)})

static void member_of(unsigned number, char out[64])
{
    snprintf(out, 64, "CO/GOV/9%08u", number);
}

static fault add_member(const struct fill *self, unsigned number)
{
    char id[64], name[64];
    Chaski__MemberSet set = CHASKI__MEMBER_SET__INIT;
    member_of(number, id);
    snprintf(name, sizeof name, "Entidad número %u de la República", number);
    set.id = id;
    set.name = name;
    set.public_agency = true;
    return ACT(self, MEMBER_SET, member_set, &set);
}

static fault issue(const struct fill *self, const char *member, struct certificate **out)
{
    struct certificate_subject subject = {.country = "CO", .server = "SS1"};
    OWNED(keypair) key = NULL;
    OWNED(bytes) request = NULL;
    snprintf(subject.organisation, sizeof subject.organisation, "Entidad %s", member + 7);
    snprintf(subject.member, sizeof subject.member, "%s", member);
    TRY(keypair_make(KEY_P256, &key));
    TRY(keypair_request(key, &subject, &request));
    return store_issue(self->store, bytes_span(request), &subject, 365, out);
}

static fault add_server(const struct fill *self, unsigned number)
{
    char member[64], id[80], name[128], address[64], subsystem[80];
    uint8_t transport[32], seal[32], log[32], witness[32];
    struct note_key key;
    OWNED(certificate) certificate = NULL;
    struct server_set set = {.id = id, .addresses = 1, .seal_keys = 1, .certificates = 1};
    member_of(number, member);
    snprintf(id, sizeof id, "%s/SS1", member);
    snprintf(address, sizeof address, "tcp://10.%u.%u.%u:5500", number >> 16 & 255,
             number >> 8 & 255, number & 255);
    random_fill(transport, sizeof transport);
    random_fill(seal, sizeof seal);
    random_fill(log, sizeof log);
    random_fill(witness, sizeof witness);
    snprintf(name, sizeof name, "chaski.log/%s/1", id);
    TRY(note_key_make(name, NOTE_LOG, log, &key));
    note_key_text(&key, set.log_vkey, sizeof set.log_vkey);
    snprintf(name, sizeof name, "chaski.witness/%s", id);
    TRY(note_key_make(name, NOTE_WITNESS, witness, &key));
    note_key_text(&key, set.witness_vkey, sizeof set.witness_vkey);
    TRY(issue(self, member, &certificate));
    set.address[0] = address;
    set.transport_key = span_of(transport, sizeof transport);
    set.seal_key[0] = span_of(seal, sizeof seal);
    set.certificate[0] = certificate_der(certificate);
    TRY(server_set_act(&set, store_carry_out, self->store));
    Chaski__SubsystemSet to = CHASKI__SUBSYSTEM_SET__INIT;
    char *servers[] = {id};
    snprintf(subsystem, sizeof subsystem, "%s/DATOS", member);
    to.id = subsystem;
    to.name = lend("Datos");
    to.n_server = 1;
    to.server = servers;
    return ACT(self, SUBSYSTEM_SET, subsystem_set, &to);
}

static fault add_service(const struct fill *self, unsigned number)
{
    char member[64], consumer[64], id[128], grant[32];
    Chaski__ServiceSet set = CHASKI__SERVICE_SET__INIT;
    member_of(number % self->servers, member);
    snprintf(id, sizeof id, "%s/DATOS/consulta-%u", member, number / self->servers);
    set.id = id;
    set.title = lend("Consulta de un registro");
    set.class_ = CHASKI__SERVICE_CLASS__SHARED;
    TRY(ACT(self, SERVICE_SET, service_set, &set));
    if (number % 10 != 0)
        return DONE;
    Chaski__RestrictionSet closed = CHASKI__RESTRICTION_SET__INIT;
    snprintf(grant, sizeof grant, "R-LLENO-%u", number);
    closed.id = grant;
    closed.service = id;
    closed.consumer = lend("");
    closed.ground = CHASKI__GROUND__PRIVACY;
    closed.reason = lend("Datos de personas");
    closed.approver = lend("Oficina jurídica");
    closed.from_ms = (uint64_t)clock_wall_ms();
    closed.until_ms = closed.from_ms + (uint64_t)(300 * STORE_DAY_MS);
    TRY(ACT(self, RESTRICTION_SET, restriction_set, &closed));
    Chaski__GrantSet to = CHASKI__GRANT_SET__INIT;
    snprintf(grant, sizeof grant, "G-LLENO-%u", number);
    member_of((number + 1) % self->members, consumer);
    to.id = grant;
    to.service = id;
    to.consumer = consumer;
    to.legal_basis = lend("Ley 1437 de 2011");
    to.until_ms = (uint64_t)(clock_wall_ms() + 365 * STORE_DAY_MS);
    return ACT(self, GRANT_SET, grant_set, &to);
}

static fault each(const struct fill *self, const char *what, unsigned count,
                  fault (*add)(const struct fill *self, unsigned number))
{
    for (unsigned i = 0; i < count; i++) {
        TRY(add(self, i));
        if (i % PROGRESS == 0)
            fprintf(stderr, "\r%s %u of %u   ", what, i, count);
    }
    fprintf(stderr, "\r%s %u            \n", what, count);
    return DONE;
}

static fault fill(const char *folder, struct fill *self)
{
    OWNED(store) store = NULL;
    TRY(store_open(folder, &store));
    self->store = store;
    TRY(each(self, "members", self->members, add_member));
    TRY(each(self, "servers", self->servers, add_server));
    TRY(each(self, "services", self->services, add_service));
    return store_commit(store);
}

static bool number(const char *text, unsigned *out)
{
    uint64_t value = 0;
    bool sound = !failed(text_number(span_of_text(text), 1000000, &value));
    *out = (unsigned)value;
    return sound;
}

int main(int count, char **words)
{
    struct fill self = {0};
    if (count != 5 || !number(words[2], &self.members) || !number(words[3], &self.servers) ||
        !number(words[4], &self.services) || self.servers > self.members || self.servers == 0) {
        fputs("usage: country_fill STORE MEMBERS SERVERS SERVICES\n", stderr);
        return 2;
    }
    fault f = fill(words[1], &self);
    if (failed(f))
        fprintf(stderr, "country_fill: %s: %s\n", fault_name(f.code), fault_detail());
    return failed(f) ? 1 : 0;
}
