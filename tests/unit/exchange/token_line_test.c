// SPDX-License-Identifier: MIT
#include "security-server/exchange/token_line.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include "keys.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The exchange's end in a loop; the test plays the process with the token. */
struct bench {
    struct loop *loop;
    struct token_line *line;
    int far;
    struct loop_timer stop;
    size_t calls;
    enum fault_code code[TOKEN_JOBS_MAX + 8];
    uint8_t first[TOKEN_JOBS_MAX + 8]; /* byte of each signature */
    bool ready;
};

static void stop(struct loop_timer *timer)
{
    loop_stop(((struct bench *)timer->owner)->loop);
}

static void run(struct bench *self, int64_t ms)
{
    self->stop = (struct loop_timer){.fire = stop, .owner = self};
    loop_set_timer(self->loop, &self->stop, ms);
    MUST(loop_run(self->loop));
}

static void done(void *owner, fault f, struct span result)
{
    struct bench *self = owner;
    self->code[self->calls] = f.code;
    self->first[self->calls++] = result.size > 0 ? result.at[0] : 0;
}

static void on_token(void *owner)
{
    ((struct bench *)owner)->ready = true;
}

static void say(const struct bench *self, const Chaski__KeysBatch *batch)
{
    uint8_t packed[TOKEN_DATAGRAM_BYTES_MAX];
    size_t size = chaski__keys_batch__pack(batch, packed);
    CU_ASSERT_EQUAL(send(self->far, packed, size, 0), (ssize_t)size);
}

static void say_state(const struct bench *self, unsigned code)
{
    char detail[] = "se fue";
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    Chaski__TokenState state = CHASKI__TOKEN_STATE__INIT;
    state.fault = code;
    state.detail = detail;
    batch.token = &state;
    say(self, &batch);
}

static void say_result(const struct bench *self, uint64_t id, unsigned code, uint8_t byte)
{
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    Chaski__KeysResult result = CHASKI__KEYS_RESULT__INIT, *results[1] = {&result};
    result.id = id;
    result.fault = code;
    result.result = (ProtobufCBinaryData){code == OK ? 1 : 0, &byte};
    batch.n_result = 1;
    batch.result = results;
    say(self, &batch);
}

/* The next job's id; 0: what came holds none. */
static uint64_t take(const struct bench *self)
{
    uint8_t packed[TOKEN_DATAGRAM_BYTES_MAX];
    ssize_t got = recv(self->far, packed, sizeof packed, MSG_DONTWAIT);
    Chaski__KeysBatch *batch =
        got < 0 ? NULL : chaski__keys_batch__unpack(NULL, (size_t)got, packed);
    uint64_t id = batch != NULL && batch->n_job == 1 ? batch->job[0]->id : 0;
    if (batch != NULL)
        chaski__keys_batch__free_unpacked(batch, NULL);
    return id;
}

static struct bench *bench_new(void)
{
    struct bench *self = owned_new(sizeof *self);
    int line[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line), 0);
    self->far = line[1];
    MUST(loop_new(&self->loop));
    MUST(token_line_open(self->loop, line[0], &self->line));
    return self;
}

/* A token that is there, and has been asked how it is. */
static struct bench *bench_ready(void)
{
    struct bench *self = bench_new();
    say_state(self, OK);
    run(self, 20);
    CU_ASSERT_EQUAL(take(self), 0);
    MUST(token_line_check(self->line));
    return self;
}

static void bench_free(struct bench **self)
{
    token_line_free(&(*self)->line);
    loop_free(&(*self)->loop);
    close((*self)->far);
    free(*self);
    *self = NULL;
}

static void ask(struct bench *self)
{
    static const struct sha256 content;
    token_line_sign_header(self->line, &content, 1, done, self);
}

static void test_nothing_is_signed_before_the_token_says_so(void)
{
    OWNED(bench) bench = bench_new();
    MUST_FAIL(TOKEN_AWAY, token_line_check(bench->line));
    token_line_wait(bench->line, on_token, bench);
    ask(bench);
    CU_ASSERT_EQUAL(bench->calls, 0);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 1);
    CU_ASSERT_EQUAL(bench->code[0], TOKEN_AWAY);
    CU_ASSERT(!bench->ready);
    say_state(bench, OK);
    run(bench, 20);
    CU_ASSERT(bench->ready);
    MUST(token_line_check(bench->line));
}

/* Headers name heads of our log: whoever asked first is told first. */
static void test_answers_are_given_out_in_the_order_of_asking(void)
{
    OWNED(bench) bench = bench_ready();
    for (int i = 0; i < 3; i++)
        ask(bench);
    uint64_t first = take(bench), second = take(bench), third = take(bench);
    say_result(bench, third, OK, 3);
    say_result(bench, second, OK, 2);
    run(bench, 20);
    CU_ASSERT_EQUAL(bench->calls, 0);
    say_result(bench, first, OK, 1);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 3);
    for (uint8_t i = 0; i < 3; i++)
        CU_ASSERT(bench->code[i] == OK && bench->first[i] == i + 1);
}

static void test_a_token_that_goes_fails_all_that_wait(void)
{
    OWNED(bench) bench = bench_ready();
    ask(bench);
    ask(bench);
    uint64_t first = take(bench);
    say_state(bench, TOKEN_REFUSED);
    say_result(bench, first, OK, 1); /* too late */
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 2);
    CU_ASSERT_EQUAL(bench->code[0], TOKEN_REFUSED);
    CU_ASSERT_EQUAL(bench->code[1], TOKEN_REFUSED);
    MUST_FAIL(TOKEN_REFUSED, token_line_check(bench->line));
    CU_ASSERT_STRING_EQUAL(token_line_detail(bench->line), "se fue");
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "se fue")); /* that is for operators */
}

static void test_a_stranger_s_answer_changes_nothing(void)
{
    OWNED(bench) bench = bench_ready();
    ask(bench);
    uint64_t id = take(bench);
    say_result(bench, id + 1, OK, 9);
    say_result(bench, id - 1, OK, 9);
    say_result(bench, id + TOKEN_JOBS_MAX, OK, 9);
    CU_ASSERT_EQUAL(send(bench->far, "\xff\xff", 2, 0), 2);
    run(bench, 20);
    CU_ASSERT_EQUAL(bench->calls, 0);
    say_result(bench, id, OK, 4);
    say_result(bench, id, OK, 5);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 1);
    CU_ASSERT_EQUAL(bench->first[0], 4);
}

static void test_no_more_wait_than_there_is_room_for(void)
{
    OWNED(bench) bench = bench_ready();
    for (int i = 0; i < TOKEN_JOBS_NEW_MAX; i++)
        ask(bench);
    MUST_FAIL(OVERLOADED, token_line_room(bench->line));
    MUST(token_line_check(bench->line));
    for (int i = TOKEN_JOBS_NEW_MAX; i < TOKEN_JOBS_MAX + 1; i++)
        ask(bench);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 1);
    CU_ASSERT_EQUAL(bench->code[0], OVERLOADED);
    for (int i = 0; i < TOKEN_JOBS_MAX;) {
        uint64_t id = take(bench);
        if (id != 0) {
            say_result(bench, id, OK, 1);
            i++;
        }
        run(bench, 0);
    }
    run(bench, 20);
    CU_ASSERT_EQUAL(bench->calls, TOKEN_JOBS_MAX + 1);
    MUST(token_line_room(bench->line));
}

static void test_who_does_not_answer_is_not_waited_for_for_ever(void)
{
    OWNED(bench) bench = bench_ready();
    ask(bench);
    run(bench, TOKEN_WAIT_MS + 3 * TOKEN_LOOK_MS);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 1);
    CU_ASSERT_EQUAL(bench->code[0], TOKEN_AWAY);
    MUST_FAIL(TOKEN_AWAY, token_line_check(bench->line));
    say_state(bench, OK);
    run(bench, 20);
    MUST(token_line_check(bench->line));
}

// --- another key takes over ---------------------------------------------------------------------

/* What came for the process: a job's id, its kind, and the certificate that a header names. */
struct seen {
    uint64_t id;
    Chaski__KeysJob__WorkCase kind;
    uint8_t certificate; /* first byte; 0: none */
};

static struct seen see(const struct bench *self)
{
    uint8_t packed[TOKEN_DATAGRAM_BYTES_MAX];
    struct seen seen = {0};
    ssize_t got = recv(self->far, packed, sizeof packed, MSG_DONTWAIT);
    Chaski__KeysBatch *batch =
        got < 0 ? NULL : chaski__keys_batch__unpack(NULL, (size_t)got, packed);
    if (batch != NULL && batch->n_job == 1) {
        const Chaski__KeysJob *job = batch->job[0];
        seen = (struct seen){.id = job->id, .kind = job->work_case};
        if (job->work_case == CHASKI__KEYS_JOB__WORK_SIGN_HEADER &&
            job->sign_header->certificate_sha256.len == SHA256_BYTES)
            seen.certificate = job->sign_header->certificate_sha256.data[0];
    }
    if (batch != NULL)
        chaski__keys_batch__free_unpacked(batch, NULL);
    return seen;
}

static void use(const struct bench *self, uint8_t byte)
{
    const struct sha256 hash = {{byte}};
    token_line_use_certificate(self->line, &hash);
}

static void taken(void *owner, fault f, struct span result)
{
    struct bench *self = owner;
    done(owner, f, result);
    if (!failed(f))
        use(self, 2);
}

static void test_a_change_waits_for_what_is_under_way_and_holds_back_the_rest(void)
{
    OWNED(bench) bench = bench_ready();
    use(bench, 1);
    ask(bench);
    struct seen before = see(bench);
    CU_ASSERT_EQUAL(before.certificate, 1);
    token_line_take_certificate(bench->line, span_of_text("der"), taken, bench);
    ask(bench);
    CU_ASSERT_EQUAL(see(bench).id, 0); /* neither is sent yet */
    say_result(bench, before.id, OK, 7);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 1);
    struct seen change = see(bench);
    CU_ASSERT_EQUAL(change.kind, CHASKI__KEYS_JOB__WORK_TAKE_CERTIFICATE);
    CU_ASSERT_EQUAL(see(bench).id, 0);
    say_result(bench, change.id, OK, 8);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 2);
    CU_ASSERT_EQUAL(bench->first[1], 8);
    CU_ASSERT_EQUAL(see(bench).certificate, 2);
}

static void test_a_change_that_fails_lets_the_present_key_go_on(void)
{
    OWNED(bench) bench = bench_ready();
    use(bench, 1);
    token_line_take_certificate(bench->line, span_of_text("der"), taken, bench);
    ask(bench);
    struct seen change = see(bench);
    say_result(bench, change.id, BAD_KEY, 0);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 1);
    CU_ASSERT_EQUAL(bench->code[0], BAD_KEY);
    CU_ASSERT_EQUAL(see(bench).certificate, 1);
}

static void test_a_change_that_is_not_answered_holds_headers_back_for_a_bounded_time(void)
{
    OWNED(bench) bench = bench_ready();
    use(bench, 1);
    token_line_take_certificate(bench->line, span_of_text("der"), taken, bench);
    struct seen change = see(bench);
    ask(bench);
    run(bench, TOKEN_TAKE_WAIT_MS + 3 * TOKEN_LOOK_MS);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 1);
    CU_ASSERT_EQUAL(bench->code[0], TOKEN_AWAY);
    struct seen header = see(bench);
    CU_ASSERT_EQUAL(header.certificate, 1);
    say_result(bench, change.id, OK, 8); /* nobody's */
    say_result(bench, header.id, OK, 7);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 2);
    CU_ASSERT(bench->code[1] == OK && bench->first[1] == 7);
    MUST(token_line_check(bench->line));
}

static void test_headers_do_not_wait_for_a_key_that_is_being_made(void)
{
    OWNED(bench) bench = bench_ready();
    token_line_request_renewal(bench->line, done, bench);
    token_line_approve_renewal(bench->line, "CO", span_of_text("act"), done, bench);
    ask(bench);
    struct seen request = see(bench), header = see(bench);
    CU_ASSERT_EQUAL(request.kind, CHASKI__KEYS_JOB__WORK_REQUEST_RENEWAL);
    CU_ASSERT_EQUAL(header.kind, CHASKI__KEYS_JOB__WORK_SIGN_HEADER);
    say_result(bench, header.id, OK, 7);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 2);
    CU_ASSERT_EQUAL(bench->code[0] + bench->code[1], OVERLOADED + OK); /* one errand at a time */
    say_state(bench, TOKEN_AWAY);
    run(bench, 20);
    CU_ASSERT_EQUAL_FATAL(bench->calls, 3);
    CU_ASSERT_EQUAL(bench->code[2], TOKEN_AWAY);
    token_line_request_renewal(bench->line, done, bench);
    run(bench, 20);
    CU_ASSERT_EQUAL(bench->calls, 4);
    CU_ASSERT_EQUAL(bench->code[3], TOKEN_AWAY);
}

SUITE(token_line, TEST(test_a_change_waits_for_what_is_under_way_and_holds_back_the_rest),
      TEST(test_a_change_that_fails_lets_the_present_key_go_on),
      TEST(test_a_change_that_is_not_answered_holds_headers_back_for_a_bounded_time),
      TEST(test_headers_do_not_wait_for_a_key_that_is_being_made),
      TEST(test_nothing_is_signed_before_the_token_says_so),
      TEST(test_answers_are_given_out_in_the_order_of_asking),
      TEST(test_a_token_that_goes_fails_all_that_wait),
      TEST(test_a_stranger_s_answer_changes_nothing),
      TEST(test_no_more_wait_than_there_is_room_for),
      TEST(test_who_does_not_answer_is_not_waited_for_for_ever))
