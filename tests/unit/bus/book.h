// SPDX-License-Identifier: MIT
/*
 * book - a small authority for tests: acts in order, signed and published when a test wants it.
 */
#ifndef TESTS_BUS_BOOK_H
#define TESTS_BUS_BOOK_H

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/tiles.h"
#include "tests/unit/unit.h"

#include "directory.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define BOOK_START_MS INT64_C(1790000000500) /* 2026-09-21, not on a whole second */
#define BOOK_DAY_MS INT64_C(86400000)
#define BOOK_YEAR_MS (365 * BOOK_DAY_MS)
#define BOOK_ACTS_MAX 600

#define MEDELLIN "CO/MUN/890905211"
#define DANE "CO/GOV/899999027"
#define FIRM "CO/COM/900123456"

struct book {
    struct keypair *ca_key, *act_key, *log_key;
    struct certificate *ca, *authority;
    struct trust *trust;
    struct note_key log;
    int64_t time_ms;
    size_t count;
    struct bytes *act[BOOK_ACTS_MAX];
    struct bytes *leaf[BOOK_ACTS_MAX];
    struct span leaves[BOOK_ACTS_MAX];
};

static inline void book_free(struct book **owner)
{
    struct book *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++) {
        bytes_free(&self->act[i]);
        bytes_free(&self->leaf[i]);
    }
    certificate_free(&self->ca);
    certificate_free(&self->authority);
    trust_free(&self->trust);
    keypair_free(&self->ca_key);
    keypair_free(&self->act_key);
    keypair_free(&self->log_key);
    free(self);
}

/* A certificate of this CA for a fresh key. */
static inline struct certificate *book_issue(struct book *self, const char *member,
                                             const char *server, struct keypair **key)
{
    struct certificate_subject subject = {.country = "CO", .organisation = "Entidad"};
    OWNED(bytes) request = NULL;
    struct certificate *made = NULL;
    snprintf(subject.member, sizeof subject.member, "%s", member);
    snprintf(subject.server, sizeof subject.server, "%s", server);
    MUST(keypair_make(KEY_P256, key));
    MUST(keypair_request(*key, &subject, &request));
    MUST(certificate_issue(self->ca_key, self->ca, bytes_span(request), &subject,
                           BOOK_START_MS - BOOK_DAY_MS, BOOK_START_MS + 5 * BOOK_YEAR_MS, &made));
    return made;
}

static inline struct trust *book_trust(const struct certificate *ca)
{
    char path[256];
    OWNED(bytes) pem = NULL;
    struct trust *trust = NULL;
    snprintf(path, sizeof path, "%s/trust.pem", unit_folder());
    MUST(certificate_pem(ca, &pem));
    MUST(file_replace(path, bytes_span(pem), 0600));
    MUST(trust_load(path, &trust));
    return trust;
}

/* An authority that has opened its directory. */
static inline struct book *book_new(void);

/* Adds an act without signing it yet; number, time and context are filled in. */
static inline void book_act(struct book *self, Chaski__Act *act)
{
    char context[] = "chaski directory act v1";
    CU_ASSERT_FATAL(self->count < BOOK_ACTS_MAX);
    act->context = context;
    act->number = self->count;
    act->time_ms = (uint64_t)self->time_ms;
    MUST(bytes_new(chaski__act__get_packed_size(act), &self->act[self->count]));
    chaski__act__pack(act, self->act[self->count]->data);
    self->count++;
    self->time_ms += 1000;
}

#define BOOK_ACT(self, KIND, field, type_init, ...)           \
    do {                                                      \
        Chaski__Act book_act_ = CHASKI__ACT__INIT;            \
        __typeof__(*book_act_.field) book_inner_ = type_init; \
        __typeof__(book_inner_) *it = &book_inner_;           \
        __VA_ARGS__;                                          \
        book_act_.act_case = CHASKI__ACT__ACT_##KIND;         \
        book_act_.field = &book_inner_;                       \
        book_act((self), &book_act_);                         \
    } while (0)

/* protobuf-c wants writable text and only reads it. */
static inline char *book_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

static inline void book_member(struct book *self, const char *id, bool public_agency)
{
    BOOK_ACT(self, MEMBER_SET, member_set, CHASKI__MEMBER_SET__INIT, it->id = book_text(id),
             it->name = book_text("Entidad"), it->public_agency = public_agency);
}

/* A server whose keys all come from `seed`; certificate is lent. */
static inline void book_server(struct book *self, const char *id, const char *address, uint8_t seed,
                               const struct certificate *certificate)
{
    uint8_t transport[32], seal[32], log[32];
    char name[64], vkey[400];
    struct note_key key;
    memset(transport, seed, sizeof transport);
    memset(seal, seed ^ 0x80, sizeof seal);
    memset(log, seed, sizeof log);
    snprintf(name, sizeof name, "log.example/%u/1", seed);
    MUST(note_key_make(name, NOTE_LOG, log, &key));
    note_key_text(&key, vkey, sizeof vkey);
    struct span der = certificate_der(certificate);
    ProtobufCBinaryData certificates[] = {{der.size, (uint8_t *)(uintptr_t)der.at}};
    ProtobufCBinaryData seals[] = {{sizeof seal, seal}};
    char *addresses[] = {book_text(address)};
    BOOK_ACT(self, SERVER_SET, server_set, CHASKI__SERVER_SET__INIT, it->id = book_text(id),
             it->n_address = 1, it->address = addresses,
             it->transport_key = (ProtobufCBinaryData){sizeof transport, transport},
             it->n_seal_key = 1, it->seal_key = seals, it->log_vkey = vkey, it->n_certificate = 1,
             it->certificate = certificates);
}

static inline void book_subsystem(struct book *self, const char *id, const char *server)
{
    char *servers[] = {book_text(server)};
    BOOK_ACT(self, SUBSYSTEM_SET, subsystem_set, CHASKI__SUBSYSTEM_SET__INIT,
             it->id = book_text(id), it->name = book_text("Sistema"), it->n_server = 1,
             it->server = servers);
}

static inline void book_service(struct book *self, const char *id, enum service_class class)
{
    BOOK_ACT(self, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT, it->id = book_text(id),
             it->title = book_text("Servicio"), it->class_ = (Chaski__ServiceClass) class);
}

static inline void book_purpose(struct book *self, const char *id)
{
    BOOK_ACT(self, PURPOSE_SET, purpose_set, CHASKI__PURPOSE_SET__INIT, it->id = book_text(id),
             it->title = book_text("Finalidad"), it->legal_basis = book_text("Ley 1712 de 2014"));
}

static inline void book_grant(struct book *self, const char *id, const char *service,
                              const char *consumer, const char *purpose, int64_t until_ms)
{
    char *named = book_text(purpose);
    BOOK_ACT(self, GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = book_text(id),
             it->service = book_text(service), it->consumer = book_text(consumer),
             it->n_purpose = purpose[0] != '\0', it->purpose = &named,
             it->legal_basis = book_text("Ley 1581 de 2012"), it->until_ms = (uint64_t)until_ms);
}

/* Until a moment; 0: without an end. */
static inline void book_competence(struct book *self, const char *id, const char *consumer,
                                   const char *purpose, int64_t until_ms)
{
    BOOK_ACT(self, COMPETENCE_SET, competence_set, CHASKI__COMPETENCE_SET__INIT,
             it->id = book_text(id), it->consumer = book_text(consumer),
             it->purpose = book_text(purpose), it->legal_basis = book_text("Ley 489 de 1998"),
             it->until_ms = (uint64_t)until_ms);
}

/* consumer: "" for everybody. */
static inline void book_restriction(struct book *self, const char *id, const char *service,
                                    const char *consumer, int64_t from_ms, int64_t until_ms)
{
    BOOK_ACT(self, RESTRICTION_SET, restriction_set, CHASKI__RESTRICTION_SET__INIT,
             it->id = book_text(id), it->service = book_text(service),
             it->consumer = book_text(consumer), it->ground = CHASKI__GROUND__PRIVACY,
             it->reason = book_text("Datos de personas"),
             it->approver = book_text("Oficina jurídica"), it->from_ms = (uint64_t)from_ms,
             it->until_ms = (uint64_t)until_ms);
}

static inline void book_group(struct book *self, const char *id, const char *const *member,
                              size_t count)
{
    char *members[16];
    for (size_t i = 0; i < count; i++)
        members[i] = book_text(member[i]);
    BOOK_ACT(self, GROUP_SET, group_set, CHASKI__GROUP_SET__INIT, it->id = book_text(id),
             it->title = book_text("Grupo"), it->n_member = count, it->member = members);
}

static inline void book_published(struct book *self, int64_t valid_ms)
{
    BOOK_ACT(self, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
             it->valid_until_ms = (uint64_t)(self->time_ms + valid_ms));
}

static inline struct book *book_new(void)
{
    struct book *self = owned_new(sizeof *self);
    const struct certificate_subject subject = {
        .country = "CO", .organisation = "Autoridad", .server = "ca"};
    uint8_t public_key[ED25519_PUBLIC_BYTES];
    OWNED(bytes) public = NULL;
    MUST(keypair_make(KEY_P256, &self->ca_key));
    MUST(certificate_make_ca(self->ca_key, &subject, BOOK_START_MS - BOOK_DAY_MS,
                             BOOK_START_MS + 10 * BOOK_YEAR_MS, &self->ca));
    self->authority = book_issue(self, "CO/AUTHORITY/REGISTRY", "registry", &self->act_key);
    self->trust = book_trust(self->ca);
    MUST(keypair_make(KEY_ED25519, &self->log_key));
    MUST(keypair_public(self->log_key, &public));
    memcpy(public_key, public->data, sizeof public_key);
    MUST(note_key_make("chaski.example/directory", NOTE_LOG, public_key, &self->log));
    self->time_ms = BOOK_START_MS;
    BOOK_ACT(self, OPENED, opened, CHASKI__OPENED__INIT, it->instance = book_text("CO"));
    return self;
}

/* A country: two agencies and a firm, one server and subsystem each, three services, one of them
 * restricted, a purpose, and who is competent for it. */
static inline void book_country(struct book *self)
{
    static const struct {
        const char *member, *server, *subsystem;
    } members[] = {{MEDELLIN, MEDELLIN "/SS1", MEDELLIN "/TRAMITES"},
                   {DANE, DANE "/SS1", DANE "/DIVIPOLA"},
                   {FIRM, FIRM "/SS1", FIRM "/APP"}};
    for (size_t i = 0; i < 3; i++) {
        OWNED(keypair) key = NULL;
        OWNED(certificate) certificate = book_issue(self, members[i].member, "SS1", &key);
        book_member(self, members[i].member, i < 2);
        book_server(self, members[i].server, "tcp://[::1]:5500", (uint8_t)(i + 1), certificate);
        book_subsystem(self, members[i].subsystem, members[i].server);
    }
    book_service(self, DANE "/DIVIPOLA/abierto", SERVICE_OPEN);
    book_service(self, DANE "/DIVIPOLA/municipios", SERVICE_SHARED);
    book_service(self, DANE "/DIVIPOLA/reservado", SERVICE_SHARED);
    book_restriction(self, "R-1", DANE "/DIVIPOLA/reservado", "", self->time_ms,
                     self->time_ms + 300 * BOOK_DAY_MS);
    book_purpose(self, "tramite-licencia");
    book_competence(self, "C-1", MEDELLIN, "tramite-licencia", 0);
}

/* The state of all acts so far, unsigned. */
static inline fault book_fold(const struct book *self, struct directory **out)
{
    OWNED(directory) state = directory_new(self->trust);
    for (size_t i = 0; i < self->count; i++)
        TRY(directory_apply(state, i, bytes_span(self->act[i])));
    *out = TAKE(state);
    return DONE;
}

/* Signs one packed act into a leaf. */
static inline struct bytes *book_sign(struct keypair *key, const struct certificate *signer,
                                      const struct bytes *act, int64_t time_ms)
{
    struct cades_template template;
    struct bytes *leaf = NULL;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 hash = SHA256_OF(bytes_span(act));
    cades_template_make(signer, &template);
    struct sha256 digest = cades_signed_digest(&template, &hash, time_ms);
    MUST(keypair_sign_digest(key, digest.at, signature, &size));
    MUST(cades_leaf(&template, bytes_span(act), time_ms, span_of(signature, size), &leaf));
    return leaf;
}

/* Signs what has no signature yet. */
static inline void book_sign_all(struct book *self)
{
    for (size_t i = 0; i < self->count; i++) {
        Chaski__Act *act = chaski__act__unpack(NULL, self->act[i]->size, self->act[i]->data);
        CU_ASSERT_PTR_NOT_NULL_FATAL(act);
        if (self->leaf[i] == NULL)
            self->leaf[i] =
                book_sign(self->act_key, self->authority, self->act[i], (int64_t)act->time_ms);
        self->leaves[i] = bytes_span(self->leaf[i]);
        chaski__act__free_unpacked(act, NULL);
    }
}

static inline void book_write_file(const char *folder, const char *name, struct span bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    MUST(file_replace(path, bytes, 0644));
}

/* Writes the folder of all acts so far; old_size as in tiles_publish. */
static inline struct checkpoint book_publish(struct book *self, const char *folder,
                                             uint64_t old_size)
{
    struct checkpoint head = {.size = self->count};
    struct merkle tree = {0};
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    OWNED(bytes) note = NULL;
    OWNED(bytes) pem = NULL;
    book_sign_all(self);
    for (size_t i = 0; i < self->count; i++) {
        struct sha256 hash = merkle_leaf_hash(self->leaves[i]);
        merkle_append(&tree, &hash);
    }
    strcpy(head.origin, self->log.name);
    head.root = merkle_root(&tree);
    size_t size = checkpoint_body(&head, body, sizeof body);
    MUST(keypair_sign_message(self->log_key, span_of(body, size), signature));
    MUST(checkpoint_note(&head, &self->log, signature, &note));
    MUST(certificate_pem(self->authority, &pem));
    book_write_file(folder, "authority.pem", bytes_span(pem));
    MUST(tiles_publish(folder, self->leaves, old_size, self->count, bytes_span(note)));
    return head;
}

static inline fault book_load(struct book *self, const char *folder,
                              const struct directory *previous, const struct checkpoint *seen,
                              struct directory **out)
{
    return directory_load(folder, self->trust, &self->log, previous, seen, self->time_ms, out);
}

#endif
