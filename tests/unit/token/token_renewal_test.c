// SPDX-License-Identifier: MIT
#include "security-server/token/token_renewal.h"

#include "lib/base/clock.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/letter.h"
#include "lib/bus/renewal.h"
#include "lib/bus/signing_object.h"
#include "security-server/token/old_keys.h"
#include "tests/unit/crypto/token_fixture.h"

#include "directory.pb-c.h"
#include "keys.pb-c.h"

#define SERVER "CO/GOV/899999027/ss_1"
#define URI "pkcs11:token=Heredero;object=firma"

/* A member whose key `firma` is in a token, with its certificate and one sealing key. */
struct heir {
    const char *folder;
    struct server_config config;
    struct token_module *module;
    struct token *token;
    struct token_session *session;
    struct country *country;
    struct token_desk desk;
    struct token_renewal *renewal;
    struct digest_signer now;
    struct bytes *seal; /* public */
    uint8_t result[TOKEN_RESULT_BYTES_MAX];
    size_t size;
};

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *size)
{
    return token_session_sign(owner, digest, out, size);
}

static void issue(const struct heir *self, struct span request, struct certificate **out)
{
    MUST(certificate_issue(self->country->ca_key, self->country->ca, request, &fixture_member,
                           FIXTURE_START_MS, FIXTURE_START_MS + FIXTURE_YEAR_MS, out));
}

static void make_first(struct heir *self)
{
    uint8_t point[P256_POINT_BYTES];
    OWNED(bytes) request = NULL;
    OWNED(certificate) certificate = NULL;
    MUST(token_make_key(self->token, point));
    MUST(token_session_open(self->token, &self->session));
    self->now = (struct digest_signer){sign, self->session};
    MUST(certificate_request_make(point, &fixture_member, &self->now, &request));
    issue(self, bytes_span(request), &certificate);
    fixture_write_pem(self->folder, "sign.crt", certificate);
}

static void make_seal(struct heir *self)
{
    OWNED(keypair) seal = NULL;
    MUST(keypair_make(KEY_X25519, &seal));
    MUST(keypair_save(seal, fixture_path(self->folder, "seal.key").at));
    MUST(keypair_public(seal, &self->seal));
}

static struct heir *heir_new(void)
{
    static char server[] = SERVER, uri[] = URI, module[] = TOKEN_FIXTURE_MODULE;
    struct heir *self = owned_new(sizeof *self);
    struct token_uri parsed = token_fixture_uri(URI);
    token_fixture_new("Heredero");
    self->folder = unit_folder();
    self->config = (struct server_config){.server = server,
                                          .keys_folder = (char *)(uintptr_t)self->folder,
                                          .sign_key = uri,
                                          .token_module = module};
    self->module = token_fixture_module();
    self->country = fixture_country();
    MUST(token_open(self->module, &parsed, TOKEN_FIXTURE_PIN, NULL, &self->token));
    make_first(self);
    make_seal(self);
    MUST(token_desk_open(self->folder, &self->desk));
    MUST(token_renewal_new(&self->config, &self->renewal));
    token_renewal_use(self->renewal, self->token);
    return self;
}

static void heir_free(struct heir **self)
{
    token_renewal_free(&(*self)->renewal);
    token_desk_close(&(*self)->desk);
    country_free(&(*self)->country);
    bytes_free(&(*self)->seal);
    token_session_free(&(*self)->session);
    token_free(&(*self)->token);
    token_module_free(&(*self)->module);
    free(*self);
    *self = NULL;
}

static fault ask(struct heir *self)
{
    return token_renewal_request(self->renewal, &self->desk, &self->now, self->result, &self->size);
}

/* The PKCS#10 in the last result. */
static struct span request_of(const struct heir *self)
{
    size_t size = self->result[0];
    return span_of(self->result + 1 + size, self->size - 1 - size);
}

static size_t private_keys(const struct heir *self, const char *object)
{
    size_t count[2] = {0, 0};
    struct token *alias = token_alias(self->token, object);
    MUST(token_count_keys(alias, &count[0], &count[1]));
    token_alias_free(&alias);
    return count[0];
}

static void test_the_next_key_is_made_once_and_asks_for_a_certificate(void)
{
    OWNED(heir) heir = heir_new();
    char object[TOKEN_OBJECT_ROOM];
    uint8_t first[P256_POINT_BYTES], again[P256_POINT_BYTES];
    struct sha256 digest;
    MUST_FAIL(NOT_FOUND, token_renewal_object(heir->renewal, object));
    MUST(ask(heir));
    MUST(token_renewal_object(heir->renewal, object));
    CU_ASSERT_EQUAL(private_keys(heir, object), 1);
    MUST(p256_of_request(request_of(heir), first));
    MUST(renewal_digest(SERVER, request_of(heir), &digest));
    MUST(certificate_verify_digest(heir->desk.certificate, digest.at,
                                   span_of(heir->result + 1, heir->result[0])));
    MUST(ask(heir)); /* after a stop, say */
    MUST(p256_of_request(request_of(heir), again));
    CU_ASSERT_EQUAL(memcmp(first, again, sizeof first), 0);
}

static void test_a_stop_between_name_and_key_leaves_the_name(void)
{
    OWNED(heir) heir = heir_new();
    const struct token_uri settings = token_fixture_uri(URI);
    MUST(signing_object_write(heir->folder, SIGNING_NEXT_OBJECT_FILE, &settings, "prometida"));
    MUST(ask(heir));
    CU_ASSERT_EQUAL(private_keys(heir, "prometida"), 1);
}

static void test_a_label_that_is_taken_is_not_used(void)
{
    OWNED(heir) heir = heir_new();
    char taken[TOKEN_OBJECT_ROOM], object[TOKEN_OBJECT_ROOM];
    uint8_t point[P256_POINT_BYTES], next[P256_POINT_BYTES];
    const struct token_uri settings = token_fixture_uri(URI);
    signing_object_name(&settings, clock_wall_ms(), 0, taken);
    struct token *alias = token_alias(heir->token, taken);
    MUST(token_make_key(alias, point));
    token_alias_free(&alias);
    MUST(ask(heir));
    MUST(token_renewal_object(heir->renewal, object));
    CU_ASSERT(strcmp(object, taken) != 0);
    MUST(p256_of_request(request_of(heir), next));
    CU_ASSERT(memcmp(point, next, sizeof point) != 0);
}

// --- acts ---------------------------------------------------------------------------------------

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

/* seal: which one the act gives the server. */
static fault approve(struct heir *self, struct span first, struct span seal)
{
    static char id[] = SERVER, instance[] = "CO";
    OWNED(bytes) packed = NULL;
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__ServerSet server = CHASKI__SERVER_SET__INIT;
    Chaski__ApproveRenewal job = CHASKI__APPROVE_RENEWAL__INIT;
    ProtobufCBinaryData certificates[2] = {binary(first),
                                           binary(certificate_der(self->desk.certificate))};
    ProtobufCBinaryData seals[1] = {binary(seal)};
    server.id = id;
    server.n_certificate = 2;
    server.certificate = certificates;
    server.n_seal_key = 1;
    server.seal_key = seals;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = &server;
    MUST(bytes_new(chaski__act__get_packed_size(&act), &packed));
    chaski__act__pack(&act, packed->data);
    job.instance = instance;
    job.act = binary(bytes_span(packed));
    fault f = token_renewal_approve(self->renewal, &self->desk, &self->now, &job, self->result,
                                    &self->size);
    if (!failed(f)) {
        struct sha256 digest = act_approval_digest(&act, instance);
        MUST(certificate_verify_digest(self->desk.certificate, digest.at,
                                       span_of(self->result, self->size)));
    }
    return f;
}

static void test_an_act_with_our_two_keys_and_our_sealing_key_is_approved(void)
{
    OWNED(heir) heir = heir_new();
    OWNED(certificate) issued = NULL;
    const uint8_t theirs[X25519_PUBLIC_BYTES] = {9};
    struct span own = bytes_span(heir->seal), stranger = span_of(theirs, sizeof theirs);
    MUST_FAIL(NOT_FOUND, approve(heir, certificate_der(heir->country->member), own));
    MUST(ask(heir));
    issue(heir, request_of(heir), &issued);
    MUST(approve(heir, certificate_der(issued), own));
    MUST_FAIL(REFUSED, approve(heir, certificate_der(issued), stranger));
    MUST_FAIL(REFUSED, approve(heir, certificate_der(heir->country->member), own));
}

static void test_without_the_sealing_keys_no_act_is_approved(void)
{
    OWNED(heir) heir = heir_new();
    OWNED(certificate) issued = NULL;
    CU_ASSERT_EQUAL_FATAL(unlink(fixture_path(heir->folder, "seal.key").at), 0);
    token_renewal_free(&heir->renewal);
    MUST(token_renewal_new(&heir->config, &heir->renewal)); /* it signs all the same */
    token_renewal_use(heir->renewal, heir->token);
    MUST(ask(heir));
    issue(heir, request_of(heir), &issued);
    MUST_FAIL(REFUSED, approve(heir, certificate_der(issued), bytes_span(heir->seal)));
}

// --- taking over --------------------------------------------------------------------------------

static void reload(struct heir *self)
{
    token_desk_close(&self->desk);
    MUST(token_desk_open(self->folder, &self->desk));
}

static void test_what_takes_over_is_read_from_disk_and_not_there_twice(void)
{
    OWNED(heir) heir = heir_new();
    OWNED(certificate) issued = NULL;
    struct old_keys old;
    struct span stranger = certificate_der(heir->country->member);
    MUST(ask(heir));
    issue(heir, request_of(heir), &issued);
    MUST_FAIL(BAD_KEY, token_renewal_take(heir->renewal, &heir->desk, stranger));
    CU_ASSERT_NOT_EQUAL(access(fixture_path(heir->folder, "sign.next.crt").at, F_OK), 0);
    MUST_FAIL(KEY_UNKNOWN, token_renewal_take(heir->renewal, &heir->desk, certificate_der(issued)));
    reload(heir);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heir->desk.next_certificate);
    MUST(token_renewal_take(heir->renewal, &heir->desk, certificate_der(issued)));
    MUST_FAIL(REFUSED, token_renewal_take(heir->renewal, &heir->desk, stranger));
    MUST_FAIL(KEY_UNKNOWN, ask(heir));
    MUST(old_keys_read(heir->folder, &old));
    CU_ASSERT_EQUAL_FATAL(old.count, 1);
    CU_ASSERT_STRING_EQUAL(old.key[0].object, "firma");
    CU_ASSERT_EQUAL(old.key[0].ends_s, (FIXTURE_START_MS + FIXTURE_YEAR_MS) / 1000);
}

static void test_old_keys_go_when_their_certificates_have_ended(void)
{
    OWNED(heir) heir = heir_new();
    struct old_keys old = {0};
    uint8_t point[P256_POINT_BYTES];
    static const char *const made[] = {"terminada", "vigente", "proxima"};
    const struct token_uri settings = token_fixture_uri(URI);
    for (size_t i = 0; i < 3; i++) {
        struct token *alias = token_alias(heir->token, made[i]);
        MUST(token_make_key(alias, point));
        token_alias_free(&alias);
    }
    MUST(signing_object_write(heir->folder, SIGNING_NEXT_OBJECT_FILE, &settings, "proxima"));
    old_keys_add(&old, "terminada", 1);
    old_keys_add(&old, "vigente", clock_wall_ms() / 1000 + 3600);
    old_keys_add(&old, "proxima", 1);
    old_keys_add(&old, "firma", 1);
    MUST(old_keys_write(heir->folder, &old));
    token_renewal_clear_old(heir->renewal);
    CU_ASSERT_EQUAL(private_keys(heir, "terminada"), 0);
    CU_ASSERT_EQUAL(private_keys(heir, "vigente"), 1);
    CU_ASSERT_EQUAL(private_keys(heir, "proxima"), 1);
    CU_ASSERT_EQUAL(private_keys(heir, "firma"), 1);
    MUST(old_keys_read(heir->folder, &old));
    CU_ASSERT_EQUAL(old.count, 3);
}

SUITE(token_renewal, TEST(test_the_next_key_is_made_once_and_asks_for_a_certificate),
      TEST(test_a_stop_between_name_and_key_leaves_the_name),
      TEST(test_a_label_that_is_taken_is_not_used),
      TEST(test_an_act_with_our_two_keys_and_our_sealing_key_is_approved),
      TEST(test_without_the_sealing_keys_no_act_is_approved),
      TEST(test_what_takes_over_is_read_from_disk_and_not_there_twice),
      TEST(test_old_keys_go_when_their_certificates_have_ended))
