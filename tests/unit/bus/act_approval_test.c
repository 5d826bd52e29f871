// SPDX-License-Identifier: MIT
#include "lib/bus/act_approval.h"

#include "lib/crypto/random.h"
#include "tests/unit/bus/book.h"

#define APPROVE (1u << ROLE_APPROVE)
#define BY_MAX 3

/* Who approves: an operator, or a server of a member. */
struct by {
    const char *person, *server;
    struct keypair *key;
};

struct office {
    struct book *book;
    struct keypair *ana, *luis, *eva, *dane;
    uint8_t nonce[ACT_NONCE_BYTES]; /* of the act made last */
    int64_t early_ms;               /* so much before its act the next one is proposed */
    bool again;                     /* the next one takes the nonce of the last */
};

static void office_free(struct office **owner)
{
    struct office *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    keypair_free(&self->ana);
    keypair_free(&self->luis);
    keypair_free(&self->eva);
    keypair_free(&self->dane);
    book_free(&self->book);
    free(self);
}

static struct bytes *sign(struct keypair *key, const struct sha256 *digest)
{
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    struct bytes *out = NULL;
    size_t size = 0;
    MUST(keypair_sign_digest(key, digest->at, signature, &size));
    MUST(bytes_copy(span_of(signature, size), &out));
    return out;
}

/* Adds the act, approved by all of these. */
static void act_by(struct office *self, Chaski__Act *act, const struct by *by, size_t count)
{
    char context[] = "chaski directory act v1";
    Chaski__Intent intent = CHASKI__INTENT__INIT;
    Chaski__Approval approval[BY_MAX];
    Chaski__Approval *approvals[BY_MAX];
    struct bytes *signature[BY_MAX];
    if (!self->again)
        random_fill(self->nonce, sizeof self->nonce);
    intent.nonce = (ProtobufCBinaryData){sizeof self->nonce, self->nonce};
    intent.proposed_ms = (uint64_t)(self->book->time_ms - self->early_ms);
    act->context = context;
    if (count > 0)
        act->intent = &intent;
    struct sha256 digest = act_approval_digest(act, "CO");
    for (size_t i = 0; i < count; i++) {
        signature[i] = sign(by[i].key, &digest);
        chaski__approval__init(&approval[i]);
        if (by[i].person != NULL) {
            approval[i].who_case = CHASKI__APPROVAL__WHO_OPERATOR;
            approval[i].operator_ = book_text(by[i].person);
        } else {
            approval[i].who_case = CHASKI__APPROVAL__WHO_SERVER;
            approval[i].server = book_text(by[i].server);
        }
        approval[i].signature = (ProtobufCBinaryData){signature[i]->size, signature[i]->data};
        approvals[i] = &approval[i];
    }
    act->n_approval = count;
    act->approval = approvals;
    book_act(self->book, act);
    for (size_t i = 0; i < count; i++)
        bytes_free(&signature[i]);
}

#define ACT_BY(self, who, KIND, field_, type_init, ...)             \
    do {                                                            \
        Chaski__Act act_ = CHASKI__ACT__INIT;                       \
        __typeof__(*act_.field_) inner_ = type_init;                \
        __typeof__(inner_) *it = &inner_;                           \
        __VA_ARGS__;                                                \
        act_.act_case = CHASKI__ACT__ACT_##KIND;                    \
        act_.field_ = &inner_;                                      \
        act_by((self), &act_, (who), sizeof(who) / sizeof(who)[0]); \
    } while (0)

static void operator_set(struct office *self, const char *id, struct keypair *key, unsigned roles,
                         const struct by *by, size_t count)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__OperatorSet set = CHASKI__OPERATOR_SET__INIT;
    Chaski__Role role[ROLES_END];
    OWNED(bytes) public_key = NULL;
    MUST(keypair_public(key, &public_key));
    for (unsigned i = 1; i < ROLES_END; i++)
        if ((roles >> i & 1) != 0)
            role[set.n_role++] = (Chaski__Role)i;
    set.id = book_text(id);
    set.name = book_text("Persona");
    set.role = role;
    set.public_key = (ProtobufCBinaryData){public_key->size, public_key->data};
    act.act_case = CHASKI__ACT__ACT_OPERATOR_SET;
    act.operator_set = &set;
    act_by(self, &act, by, count);
}

/* DANE with a server whose key we hold, Medellín, and three operators: two who may approve, and
 * one who may do everything else. */
static struct office *office_new(void)
{
    struct office *self = owned_new(sizeof *self);
    self->book = book_new();
    OWNED(certificate) certificate = book_issue(self->book, DANE, "SS1", &self->dane);
    OWNED(keypair) other = NULL;
    OWNED(certificate) medellin = book_issue(self->book, MEDELLIN, "SS1", &other);
    book_member(self->book, DANE, true);
    book_member(self->book, MEDELLIN, true);
    book_server(self->book, DANE "/SS1", "tcp://[::1]:5500", 1, certificate);
    book_server(self->book, MEDELLIN "/SS1", "tcp://[::1]:5501", 2, medellin);
    book_subsystem(self->book, DANE "/DIVIPOLA", DANE "/SS1");
    book_subsystem(self->book, MEDELLIN "/TRAMITES", MEDELLIN "/SS1");
    MUST(keypair_make(KEY_P256, &self->ana));
    MUST(keypair_make(KEY_P256, &self->luis));
    MUST(keypair_make(KEY_P256, &self->eva));
    operator_set(self, "eva", self->eva,
                 1u << ROLE_ENROL | 1u << ROLE_PUBLISH | 1u << ROLE_REVOKE | 1u << ROLE_AUDIT, NULL,
                 0);
    operator_set(self, "ana", self->ana, APPROVE, NULL, 0);
    operator_set(self, "luis", self->luis, APPROVE | 1u << ROLE_AUDIT, NULL, 0);
    return self;
}

#define ANA                               \
    {                                     \
        .person = "ana", .key = self->ana \
    }
#define LUIS                                \
    {                                       \
        .person = "luis", .key = self->luis \
    }
#define EVA                               \
    {                                     \
        .person = "eva", .key = self->eva \
    }
#define OF_DANE                                  \
    {                                            \
        .server = DANE "/SS1", .key = self->dane \
    }

/* Is the act that was added last taken? It is taken back if not, so that a test can go on. */
static bool is_taken(struct office *self)
{
    OWNED(directory) state = NULL;
    fault f = book_fold(self->book, &state);
    if (failed(f)) {
        CU_ASSERT_EQUAL(f.code, DIRECTORY_BAD);
        bytes_free(&self->book->act[--self->book->count]);
    }
    return !failed(f);
}

static void member_by(struct office *self, const struct by *by, size_t count)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__MemberSet set = CHASKI__MEMBER_SET__INIT;
    set.id = book_text("CO/GOV/800197268");
    set.name = book_text("DIAN");
    set.public_agency = true;
    act.act_case = CHASKI__ACT__ACT_MEMBER_SET;
    act.member_set = &set;
    act_by(self, &act, by, count);
}

static void test_a_country_begins_without_operators(void)
{
    OWNED(office) self = office_new();
    OWNED(directory) state = NULL;
    MUST(book_fold(self->book, &state));
    CU_ASSERT(directory_is_governed(state));
    const struct directory_operator *eva = directory_operator(state, span_of_text("eva"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(eva);
    CU_ASSERT_EQUAL(eva->roles & APPROVE, 0);
    member_by(self, NULL, 0); /* and not one act more without them */
    CU_ASSERT_FALSE(is_taken(self));
}

static void test_two_who_may_approve_admit_a_member(void)
{
    OWNED(office) self = office_new();
    member_by(self, (struct by[]){ANA}, 1);
    CU_ASSERT_FALSE(is_taken(self));
    member_by(self, (struct by[]){ANA, ANA}, 2);
    CU_ASSERT_FALSE(is_taken(self));
    member_by(self, (struct by[]){ANA, EVA}, 2);
    CU_ASSERT_FALSE(is_taken(self));
    member_by(self, (struct by[]){OF_DANE}, 1);
    CU_ASSERT_FALSE(is_taken(self));
    member_by(self, (struct by[]){ANA, {.person = "luis", .key = self->eva}}, 2);
    CU_ASSERT_FALSE(is_taken(self));
    member_by(self, (struct by[]){ANA, {.person = "nadie", .key = self->luis}}, 2);
    CU_ASSERT_FALSE(is_taken(self));
    member_by(self, (struct by[]){ANA, LUIS}, 2);
    CU_ASSERT(is_taken(self));
}

static struct sha256 digest_of(const struct bytes *packed)
{
    Chaski__Act *act = chaski__act__unpack(NULL, packed->size, packed->data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(act);
    struct sha256 digest = act_approval_digest(act, "CO");
    chaski__act__free_unpacked(act, NULL);
    return digest;
}

static void test_an_approval_is_of_one_act_only(void)
{
    OWNED(office) self = office_new();
    OWNED(bytes) sound = NULL;
    member_by(self, (struct by[]){ANA, LUIS}, 2);
    struct bytes **packed = &self->book->act[self->book->count - 1];
    CU_ASSERT(is_taken(self));
    MUST(bytes_copy(bytes_span(*packed), &sound));
    struct sha256 approved = digest_of(sound);
    size_t others = 0; /* bytes of the number and the time, which the authority gives it */
    for (size_t i = 0; i < sound->size; i++) {
        OWNED(directory) state = NULL;
        (*packed)->data[i] ^= 0x01;
        fault f = book_fold(self->book, &state);
        if (!failed(f)) {
            struct sha256 digest = digest_of(*packed);
            CU_ASSERT(sha256_equal(&digest, &approved));
            others++;
        }
        (*packed)->data[i] ^= 0x01;
    }
    CU_ASSERT(others <= sizeof(uint64_t));
}

static void test_an_approval_is_used_once_and_soon(void)
{
    OWNED(office) self = office_new();
    const struct by both[] = {ANA, LUIS};
    operator_set(self, "eva", self->eva, APPROVE, both, 2);
    CU_ASSERT(is_taken(self));
    self->again = true;
    operator_set(self, "eva", self->eva, APPROVE, both, 2);
    CU_ASSERT_FALSE(is_taken(self));
    self->again = false;
    self->early_ms = DIRECTORY_INTENT_MS_MAX + 1;
    operator_set(self, "eva", self->eva, APPROVE, both, 2);
    CU_ASSERT_FALSE(is_taken(self));
    self->early_ms = DIRECTORY_INTENT_MS_MAX;
    operator_set(self, "eva", self->eva, APPROVE, both, 2);
    CU_ASSERT(is_taken(self));
    self->early_ms = -DIRECTORY_INTENT_AHEAD_MS - 1;
    operator_set(self, "eva", self->eva, APPROVE, both, 2);
    CU_ASSERT_FALSE(is_taken(self));
    self->early_ms = -DIRECTORY_INTENT_AHEAD_MS;
    operator_set(self, "eva", self->eva, APPROVE, both, 2);
    CU_ASSERT(is_taken(self));
}

static void service_by(struct office *self, const struct by *by, size_t count, const char *id,
                       Chaski__ServiceClass class)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__ServiceSet set = CHASKI__SERVICE_SET__INIT;
    set.id = book_text(id);
    set.title = book_text("Servicio");
    set.class_ = class;
    act.act_case = CHASKI__ACT__ACT_SERVICE_SET;
    act.service_set = &set;
    act_by(self, &act, by, count);
}

static void test_a_member_keeps_its_own_services(void)
{
    OWNED(office) self = office_new();
    const struct by dane[] = {OF_DANE};
    service_by(self, dane, 1, DANE "/DIVIPOLA/uno", CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT(is_taken(self));
    service_by(self, dane, 1, MEDELLIN "/TRAMITES/uno", CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT_FALSE(is_taken(self));
    service_by(self, (struct by[]){EVA}, 1, MEDELLIN "/TRAMITES/uno",
               CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT(is_taken(self));
    service_by(self, dane, 1, DANE "/DIVIPOLA/uno", CHASKI__SERVICE_CLASS__OPEN);
    CU_ASSERT(is_taken(self));
    service_by(self, (struct by[]){{.server = DANE "/SS1", .key = self->ana}}, 1,
               DANE "/DIVIPOLA/dos", CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT_FALSE(is_taken(self));
}

static void restriction_by(struct office *self, const struct by *by, size_t count)
{
    char id[] = "R-1", service[] = DANE "/DIVIPOLA/uno", empty[] = "", why[] = "Datos de personas";
    Chaski__RestrictionSet set = CHASKI__RESTRICTION_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    set.id = id;
    set.service = service;
    set.consumer = empty;
    set.ground = CHASKI__GROUND__PRIVACY;
    set.reason = set.approver = why;
    set.from_ms = (uint64_t)self->book->time_ms;
    set.until_ms = set.from_ms + 30 * (uint64_t)BOOK_DAY_MS;
    act.act_case = CHASKI__ACT__ACT_RESTRICTION_SET;
    act.restriction_set = &set;
    act_by(self, &act, by, count);
}

static void removal_by(struct office *self, const struct by *by, size_t count,
                       Chaski__Removed__WhatCase what, const char *id)
{
    char name[100], why[] = "Se acabó";
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    snprintf(name, sizeof name, "%s", id);
    removed.what_case = what;
    removed.member = name; /* all texts of one union */
    removed.reason = why;
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    act_by(self, &act, by, count);
}

static void test_to_close_is_not_for_the_owner_alone_and_to_open_is(void)
{
    OWNED(office) self = office_new();
    const struct by dane[] = {OF_DANE};
    service_by(self, dane, 1, DANE "/DIVIPOLA/uno", CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT(is_taken(self));
    restriction_by(self, dane, 1);
    CU_ASSERT_FALSE(is_taken(self));
    restriction_by(self, (struct by[]){EVA}, 1);
    CU_ASSERT_FALSE(is_taken(self));
    restriction_by(self, (struct by[]){ANA}, 1);
    CU_ASSERT(is_taken(self));
    removal_by(self, dane, 1, CHASKI__REMOVED__WHAT_RESTRICTION, "R-1");
    CU_ASSERT(is_taken(self));
}

static void grant_by(struct office *self, const struct by *by, size_t count, const char *service)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__GrantSet set = CHASKI__GRANT_SET__INIT;
    set.id = book_text("G-1");
    set.service = book_text(service);
    set.consumer = book_text("CO/MUN");
    set.legal_basis = book_text("Ley 1712 de 2014");
    set.until_ms = (uint64_t)(self->book->time_ms + 30 * BOOK_DAY_MS);
    act.act_case = CHASKI__ACT__ACT_GRANT_SET;
    act.grant_set = &set;
    act_by(self, &act, by, count);
}

/* Names of grants are public: else any member could end anybody's by setting its own under it. */
static void test_a_grant_of_another_owner_is_not_set_anew(void)
{
    OWNED(office) self = office_new();
    const struct by dane[] = {OF_DANE};
    service_by(self, dane, 1, DANE "/DIVIPOLA/uno", CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT(is_taken(self));
    service_by(self, (struct by[]){EVA}, 1, MEDELLIN "/TRAMITES/uno",
               CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT(is_taken(self));
    grant_by(self, (struct by[]){ANA}, 1, MEDELLIN "/TRAMITES/uno");
    CU_ASSERT(is_taken(self));
    grant_by(self, dane, 1, DANE "/DIVIPOLA/uno");
    CU_ASSERT_FALSE(is_taken(self));
    grant_by(self, (struct by[]){ANA}, 1, DANE "/DIVIPOLA/uno");
    CU_ASSERT(is_taken(self));
    grant_by(self, dane, 1, DANE "/DIVIPOLA/uno"); /* its own it sets as often as it likes */
    CU_ASSERT(is_taken(self));
}

/* DANE's server with these changes against what office_new registered. */
static void server_by(struct office *self, const struct by *by, size_t count, uint8_t log_seed,
                      uint8_t transport_seed, struct certificate *const *certificate,
                      size_t certificates)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__ServerSet set = CHASKI__SERVER_SET__INIT;
    uint8_t transport[32], seal[32], log[32];
    char name[64], vkey[400], address[] = "tcp://[::1]:5600";
    char *addresses[] = {address};
    struct note_key key;
    ProtobufCBinaryData seals[] = {{sizeof seal, seal}}, ders[4];
    memset(transport, transport_seed, sizeof transport);
    memset(seal, 9, sizeof seal);
    memset(log, log_seed, sizeof log);
    snprintf(name, sizeof name, "log.example/%u/1", log_seed);
    MUST(note_key_make(name, NOTE_LOG, log, &key));
    note_key_text(&key, vkey, sizeof vkey);
    for (size_t i = 0; i < certificates; i++) {
        struct span der = certificate_der(certificate[i]);
        ders[i] = (ProtobufCBinaryData){der.size, (uint8_t *)(uintptr_t)der.at};
    }
    set.id = book_text(DANE "/SS1");
    set.n_address = 1;
    set.address = addresses;
    set.transport_key = (ProtobufCBinaryData){sizeof transport, transport};
    set.n_seal_key = 1;
    set.seal_key = seals;
    set.log_vkey = vkey;
    set.n_certificate = certificates;
    set.certificate = ders;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = &set;
    act_by(self, &act, by, count);
}

static void test_a_server_moves_and_renews_itself_and_keeps_its_log(void)
{
    OWNED(office) self = office_new();
    OWNED(directory) state = NULL;
    OWNED(keypair) key = NULL;
    MUST(book_fold(self->book, &state));
    OWNED(certificate) next = book_issue(self->book, DANE, "SS1", &key);
    struct certificate *const certificates[] = {
        directory_server(state, span_of_text(DANE "/SS1"))->signer[0]->certificate, next};
    const struct by dane[] = {OF_DANE}, eva[] = {EVA}, both[] = {ANA, LUIS};
    server_by(self, dane, 1, 1, 77, certificates, 1);
    CU_ASSERT(is_taken(self));
    server_by(self, eva, 1, 1, 77, certificates, 2); /* the next certificate is not hers to give */
    CU_ASSERT_FALSE(is_taken(self));
    server_by(self, dane, 1, 1, 77, certificates, 2);
    CU_ASSERT(is_taken(self));
    server_by(self, (struct by[]){{.server = DANE "/SS1", .key = key}}, 1, 1, 77, certificates + 1,
              1);
    CU_ASSERT(is_taken(self));
    server_by(self, dane, 1, 1, 78, certificates + 1, 1); /* a key that is not in force any more */
    CU_ASSERT_FALSE(is_taken(self));
    server_by(self, (struct by[]){{.server = DANE "/SS1", .key = key}}, 1, 3, 77, certificates + 1,
              1);
    CU_ASSERT_FALSE(is_taken(self));
    server_by(self, both, 2, 3, 77, certificates + 1, 1);
    CU_ASSERT(is_taken(self));
}

static void revoke_by(struct office *self, const struct by *by, size_t count,
                      const struct certificate *certificate)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__CertificateRevoked revoked = CHASKI__CERTIFICATE_REVOKED__INIT;
    struct sha256 hash = certificate_hash(certificate);
    revoked.certificate_sha256 = (ProtobufCBinaryData){sizeof hash.at, hash.at};
    revoked.reason = book_text("robo");
    act.act_case = CHASKI__ACT__ACT_CERTIFICATE_REVOKED;
    act.certificate_revoked = &revoked;
    act_by(self, &act, by, count);
}

static void test_one_operator_revokes_and_a_stolen_key_gives_itself_nothing(void)
{
    OWNED(office) self = office_new();
    OWNED(directory) state = NULL;
    OWNED(keypair) key = NULL;
    MUST(book_fold(self->book, &state));
    OWNED(certificate) next = book_issue(self->book, DANE, "SS1", &key);
    struct certificate *const certificates[] = {
        directory_server(state, span_of_text(DANE "/SS1"))->signer[0]->certificate, next};
    const struct by dane[] = {OF_DANE}, both[] = {ANA, LUIS};
    revoke_by(self, (struct by[]){ANA}, 1, certificates[0]);
    CU_ASSERT_FALSE(is_taken(self));
    revoke_by(self, (struct by[]){EVA}, 1, certificates[0]);
    CU_ASSERT(is_taken(self));
    server_by(self, dane, 1, 1, 1, certificates, 2);
    CU_ASSERT_FALSE(is_taken(self));
    service_by(self, dane, 1, DANE "/DIVIPOLA/uno", CHASKI__SERVICE_CLASS__SHARED);
    CU_ASSERT_FALSE(is_taken(self));
    server_by(self, both, 2, 1, 1, certificates, 2);
    CU_ASSERT(is_taken(self));
}

static void test_a_member_revokes_its_own_key(void)
{
    OWNED(office) self = office_new();
    OWNED(directory) state = NULL;
    MUST(book_fold(self->book, &state));
    const struct by dane[] = {OF_DANE};
    revoke_by(self, dane, 1,
              directory_server(state, span_of_text(MEDELLIN "/SS1"))->signer[0]->certificate);
    CU_ASSERT_FALSE(is_taken(self));
    revoke_by(self, dane, 1,
              directory_server(state, span_of_text(DANE "/SS1"))->signer[0]->certificate);
    CU_ASSERT(is_taken(self));
}

static void remove_operator(struct office *self, const char *id)
{
    const struct by both[] = {ANA, LUIS};
    ACT_BY(self, both, REMOVED, removed, CHASKI__REMOVED__INIT,
           it->what_case = CHASKI__REMOVED__WHAT_OPERATOR, it->operator_ = book_text(id));
}

static void test_two_who_may_approve_always_remain(void)
{
    OWNED(office) self = office_new();
    const struct by both[] = {ANA, LUIS};
    remove_operator(self, "luis");
    CU_ASSERT_FALSE(is_taken(self));
    operator_set(self, "luis", self->luis, 1u << ROLE_AUDIT, both, 2);
    CU_ASSERT_FALSE(is_taken(self));
    remove_operator(self, "nadie");
    CU_ASSERT_FALSE(is_taken(self));
    operator_set(self, "eva", self->eva, APPROVE, both, 2);
    CU_ASSERT(is_taken(self));
    remove_operator(self, "luis");
    CU_ASSERT(is_taken(self));
    member_by(self, both, 2); /* who is gone approves nothing */
    CU_ASSERT_FALSE(is_taken(self));
}

static void test_operators_are_people_with_keys_of_their_own(void)
{
    OWNED(office) self = office_new();
    OWNED(keypair) key = NULL;
    const struct by both[] = {ANA, LUIS};
    MUST(keypair_make(KEY_P256, &key));
    operator_set(self, "otra", self->ana, APPROVE, both, 2);
    CU_ASSERT_FALSE(is_taken(self));
    operator_set(self, "otra", key, 0, both, 2);
    CU_ASSERT_FALSE(is_taken(self));
    operator_set(self, "con blanco", key, APPROVE, both, 2);
    CU_ASSERT_FALSE(is_taken(self));
    operator_set(self, "otra", key, APPROVE, (struct by[]){ANA}, 1);
    CU_ASSERT_FALSE(is_taken(self));
    operator_set(self, "otra", key, APPROVE, both, 2);
    CU_ASSERT(is_taken(self));
}

static void test_who_is_wanted_is_said_in_words(void)
{
    OWNED(office) self = office_new();
    OWNED(directory) state = NULL;
    char words[ACT_APPROVAL_WORDS_ROOM];
    MUST(book_fold(self->book, &state));
    member_by(self, NULL, 0);
    Chaski__Act *act = chaski__act__unpack(NULL, self->book->act[self->book->count - 1]->size,
                                           self->book->act[self->book->count - 1]->data);
    struct act_need need = act_approval_need(state, act);
    act_approval_words(&need, words, sizeof words);
    CU_ASSERT_STRING_EQUAL(words, "two operators with the role approve");
    chaski__act__free_unpacked(act, NULL);
    service_by(self, NULL, 0, DANE "/DIVIPOLA/uno", CHASKI__SERVICE_CLASS__SHARED);
    act = chaski__act__unpack(NULL, self->book->act[self->book->count - 1]->size,
                              self->book->act[self->book->count - 1]->data);
    need = act_approval_need(state, act);
    act_approval_words(&need, words, sizeof words);
    CU_ASSERT_STRING_EQUAL(words, "an operator with the role enrol, or a server of " DANE);
    chaski__act__free_unpacked(act, NULL);
}

static void test_acts_that_were_verified_are_taken_by_their_root(void)
{
    OWNED(office) self = office_new();
    OWNED(directory) first = NULL;
    OWNED(directory) second = NULL;
    const char *folder = unit_folder();
    const struct by both[] = {ANA, LUIS};
    member_by(self, both, 2);
    book_published(self->book, BOOK_DAY_MS);
    struct checkpoint head = book_publish(self->book, folder, 0);
    MUST(book_load(self->book, folder, NULL, NULL, &first));
    remove_operator(self, "eva");
    book_published(self->book, BOOK_DAY_MS);
    book_publish(self->book, folder, head.size);
    MUST(book_load(self->book, folder, first, NULL, &second));
    CU_ASSERT(directory_is_governed(second));
    CU_ASSERT_PTR_NULL(directory_operator(second, span_of_text("eva")));
    self->again = true; /* what was used before is remembered across a reload */
    remove_operator(self, "luis");
    CU_ASSERT_FALSE(is_taken(self));
}

static void test_the_directory_has_witnesses_of_its_own(void)
{
    OWNED(office) self = office_new();
    const struct by both[] = {ANA, LUIS};
    char *nobody[] = {book_text(DANE "/SS1")};
    ACT_BY(self, both, DIRECTORY_WITNESSES_SET, directory_witnesses_set,
           CHASKI__DIRECTORY_WITNESSES_SET__INIT, it->n_server = 1, it->server = nobody,
           it->quorum = 1);
    CU_ASSERT_FALSE(is_taken(self)); /* it has no witness key */
    ACT_BY(self, both, DIRECTORY_WITNESSES_SET, directory_witnesses_set,
           CHASKI__DIRECTORY_WITNESSES_SET__INIT, it->quorum = 1);
    CU_ASSERT_FALSE(is_taken(self));
    ACT_BY(self, both, DIRECTORY_WITNESSES_SET, directory_witnesses_set,
           CHASKI__DIRECTORY_WITNESSES_SET__INIT, it->quorum = 0);
    CU_ASSERT(is_taken(self));
}

SUITE(act_approval, TEST(test_a_country_begins_without_operators),
      TEST(test_two_who_may_approve_admit_a_member), TEST(test_an_approval_is_of_one_act_only),
      TEST(test_an_approval_is_used_once_and_soon), TEST(test_a_member_keeps_its_own_services),
      TEST(test_to_close_is_not_for_the_owner_alone_and_to_open_is),
      TEST(test_a_grant_of_another_owner_is_not_set_anew),
      TEST(test_a_server_moves_and_renews_itself_and_keeps_its_log),
      TEST(test_one_operator_revokes_and_a_stolen_key_gives_itself_nothing),
      TEST(test_a_member_revokes_its_own_key), TEST(test_two_who_may_approve_always_remain),
      TEST(test_operators_are_people_with_keys_of_their_own),
      TEST(test_who_is_wanted_is_said_in_words),
      TEST(test_acts_that_were_verified_are_taken_by_their_root),
      TEST(test_the_directory_has_witnesses_of_its_own))
