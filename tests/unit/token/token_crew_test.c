// SPDX-License-Identifier: MIT
#include "security-server/token/token_crew.h"

#include "lib/base/clock.h"
#include "tests/unit/crypto/token_fixture.h"
#include "tests/unit/token/desk_fixture.h"

#include <sys/socket.h>

#define SESSIONS 3

/* A member whose key is in a token, and the exchange's end of the line to it. */
struct table {
    const char *tokens;
    struct token_module *module;
    struct token *token;
    struct token_desk desk;
    struct country *country;
    int near, far;
};

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *size)
{
    return token_session_sign(owner, digest, out, size);
}

static void certify(struct table *self, const uint8_t point[P256_POINT_BYTES])
{
    OWNED(bytes) request = NULL;
    OWNED(token_session) session = NULL;
    const char *folder = unit_folder();
    MUST(token_session_open(self->token, &session));
    const struct digest_signer signer = {sign, session};
    MUST(certificate_request_make(point, &fixture_member, &signer, &request));
    self->country = fixture_country();
    certificate_free(&self->country->member);
    MUST(certificate_issue(self->country->ca_key, self->country->ca, bytes_span(request),
                           &fixture_member, FIXTURE_START_MS, FIXTURE_START_MS + FIXTURE_YEAR_MS,
                           &self->country->member));
    fixture_write_pem(folder, "sign.crt", self->country->member);
    MUST(token_desk_open(folder, &self->desk));
}

static struct table *table_new(void)
{
    struct table *self = owned_new(sizeof *self);
    uint8_t point[P256_POINT_BYTES];
    int line[2];
    self->tokens = token_fixture_new("Mesa");
    self->module = token_fixture_module();
    struct token_uri uri = token_fixture_uri("pkcs11:token=Mesa;object=firma");
    MUST(token_open(self->module, &uri, TOKEN_FIXTURE_PIN, NULL, &self->token));
    MUST(token_make_key(self->token, point));
    certify(self, point);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line), 0);
    self->near = line[0];
    self->far = line[1];
    return self;
}

static void table_free(struct table **self)
{
    token_desk_close(&(*self)->desk);
    country_free(&(*self)->country);
    token_free(&(*self)->token);
    token_module_free(&(*self)->module);
    close((*self)->near);
    if ((*self)->far >= 0)
        close((*self)->far);
    free(*self);
    *self = NULL;
}

static void ask(const struct table *self, uint64_t id)
{
    struct sha256 content = SHA256_OF(span_of(&id, sizeof id));
    OWNED(bytes) job = desk_job(id, &content, SHA256_BYTES);
    CU_ASSERT_EQUAL(send(self->far, job->data, job->size, 0), (ssize_t)job->size);
}

static void check_answer(const struct table *self, bool seen[], size_t room)
{
    uint8_t packed[TOKEN_DATAGRAM_BYTES_MAX];
    ssize_t got = recv(self->far, packed, sizeof packed, 0);
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, (size_t)got, packed);
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    CU_ASSERT_EQUAL_FATAL(batch->n_result, 1);
    uint64_t id = batch->result[0]->id;
    CU_ASSERT_FATAL(id < room && !seen[id]);
    seen[id] = true;
    struct sha256 content = SHA256_OF(span_of(&id, sizeof id));
    struct sha256 digest = cades_signed_digest(&self->desk.template, &content, DESK_TIME_MS);
    MUST(certificate_verify_digest(
        self->country->member, digest.at,
        span_of(batch->result[0]->result.data, batch->result[0]->result.len)));
    chaski__keys_batch__free_unpacked(batch, NULL);
}

static void test_all_that_is_asked_is_signed_once(void)
{
    OWNED(table) table = table_new();
    static struct token_unanswered none[TOKEN_SESSIONS_MAX];
    struct token_crew *crew = NULL;
    bool seen[60] = {false};
    MUST(token_crew_start(table->near, &(struct token_tools){&table->desk, table->token, NULL, 0},
                          SESSIONS, none, &crew));
    for (uint64_t id = 0; id < 60; id++)
        ask(table, id);
    for (int i = 0; i < 60; i++)
        check_answer(table, seen, 60);
    close(table->far);
    table->far = -1;
    MUST(token_crew_wait(crew));
    token_crew_end(&crew, NULL);
    CU_ASSERT_PTR_NULL(crew);
}

/* The token's files go away under it. */
static char gone[80];

static void remove_tokens(const char *folder)
{
    text_format(gone, sizeof gone, "%s/gone", unit_folder());
    CU_ASSERT_EQUAL_FATAL(TOKEN_FIXTURE_RUN("find", folder, "-mindepth", "1", "-maxdepth", "1",
                                            "-type", "d", "-exec", "mv", "{}", gone, ";"),
                          0);
}

static void bring_back(const char *folder)
{
    char back[100];
    text_format(back, sizeof back, "%s/again", folder);
    CU_ASSERT_EQUAL_FATAL(TOKEN_FIXTURE_RUN("mv", gone, back), 0);
}

static void test_a_lost_token_leaves_what_was_asked_to_be_signed_later(void)
{
    OWNED(table) table = table_new();
    static struct token_unanswered left[TOKEN_SESSIONS_MAX];
    struct token_crew *crew = NULL;
    struct token_uri uri = token_fixture_uri("pkcs11:token=Mesa;object=firma");
    bool seen[4] = {false};
    size_t unanswered = 0;
    MUST(token_crew_start(table->near, &(struct token_tools){&table->desk, table->token, NULL, 0},
                          SESSIONS, left, &crew));
    remove_tokens(table->tokens);
    ask(table, 3);
    MUST_FAIL(TOKEN_AWAY, token_crew_wait(crew));
    token_crew_end(&crew, left);
    for (size_t i = 0; i < SESSIONS; i++)
        unanswered += left[i].size > 0 && left[i].tries == 1;
    CU_ASSERT_EQUAL(unanswered, 1);
    token_free(&table->token);
    bring_back(table->tokens);
    MUST(token_open(table->module, &uri, TOKEN_FIXTURE_PIN, NULL, &table->token));
    MUST(token_crew_start(table->near, &(struct token_tools){&table->desk, table->token, NULL, 0},
                          SESSIONS, left, &crew));
    check_answer(table, seen, 4);
    CU_ASSERT(seen[3]);
    token_crew_end(&crew, left);
    CU_ASSERT_EQUAL(left[0].size + left[1].size + left[2].size, 0);
}

static void ask_under(const struct table *self, uint64_t id, const struct sha256 *certificate)
{
    struct sha256 content = SHA256_OF(span_of(&id, sizeof id));
    OWNED(bytes) job = desk_job_under(id, &content, SHA256_BYTES, sha256_span(certificate));
    CU_ASSERT_EQUAL(send(self->far, job->data, job->size, 0), (ssize_t)job->size);
}

static void check_unknown(const struct table *self, uint64_t id)
{
    uint8_t packed[TOKEN_DATAGRAM_BYTES_MAX];
    ssize_t got = recv(self->far, packed, sizeof packed, 0);
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, (size_t)got, packed);
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    CU_ASSERT_EQUAL_FATAL(batch->n_result, 1);
    CU_ASSERT_EQUAL(batch->result[0]->id, id);
    CU_ASSERT_EQUAL(batch->result[0]->fault, KEY_UNKNOWN);
    chaski__keys_batch__free_unpacked(batch, NULL);
}

/* A crew that lives for a year is asked for a certificate of later, and says so each time. */
static void test_what_the_desk_does_not_have_is_looked_for_once_and_not_too_often(void)
{
    OWNED(table) table = table_new();
    static struct token_unanswered left[TOKEN_SESSIONS_MAX];
    struct token_crew *crew = NULL;
    const struct sha256 other = {{7}};
    struct token_tools tools = {&table->desk, table->token, NULL, clock_steady_ms() + 300};
    MUST(token_crew_start(table->near, &tools, SESSIONS, left, &crew));
    ask_under(table, 1, &other);
    check_unknown(table, 1);
    usleep(320000);
    ask_under(table, 2, &other);
    MUST_FAIL(KEY_UNKNOWN, token_crew_wait(crew));
    token_crew_end(&crew, left);
    tools.reload_from_ms = 0;
    MUST(token_crew_start(table->near, &tools, SESSIONS, left, &crew));
    check_unknown(table, 2);
    token_crew_end(&crew, left);
}

SUITE(token_crew, TEST(test_what_the_desk_does_not_have_is_looked_for_once_and_not_too_often),
      TEST(test_all_that_is_asked_is_signed_once),
      TEST(test_a_lost_token_leaves_what_was_asked_to_be_signed_later))
