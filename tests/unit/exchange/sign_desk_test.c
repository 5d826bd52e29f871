// SPDX-License-Identifier: MIT
#include "security-server/exchange/sign_desk.h"

#include "lib/base/text.h"
#include "lib/crypto/batch.h"
#include "tests/unit/unit.h"

#include "keys.pb-c.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_MAX 200
#define SECOND_MS INT64_C(1795000000000)

/* The desk, its line, and what the other end of that hears. */
struct scene {
    struct loop *loop;
    struct sign_desk *desk;
    struct keys_line *keys;
    struct loop_timer soon;
    int end[2]; /* ours; the keys process's */
    char text[HEADERS_MAX][32];
    struct sign_job job[HEADERS_MAX];
    size_t done;
    fault fault[HEADERS_MAX];
    size_t place_size[HEADERS_MAX];
    uint8_t place[HEADERS_MAX][BATCH_PLACE_BYTES_MAX];
    struct sha256 asked[HEADERS_MAX]; /* digests for which a signature was asked */
    uint64_t id[HEADERS_MAX];
    size_t asked_count, answered;
};

static void lost(void *owner)
{
    (void)owner;
    CU_FAIL("the line is lost");
}

static void stop(struct loop_timer *timer)
{
    struct scene *self = timer->owner;
    loop_stop(self->loop);
}

static struct scene *scene_new(void)
{
    struct scene *self = owned_new(sizeof *self);
    MUST(loop_new(&self->loop));
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, self->end) == 0);
    self->desk = sign_desk_new(self->loop);
    MUST(keys_line_open(self->loop, self->end[0], lost, self, &self->keys));
    sign_desk_use(self->desk, self->keys);
    self->soon = (struct loop_timer){.fire = stop, .owner = self};
    return self;
}

static void scene_free(struct scene **owner)
{
    struct scene *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    sign_desk_free(&self->desk);
    keys_line_free(&self->keys);
    loop_free(&self->loop);
    close(self->end[0]);
    close(self->end[1]);
    free(self);
}

static void turn(struct scene *self)
{
    loop_set_timer(self->loop, &self->soon, 0);
    MUST(loop_run(self->loop));
}

/* What was asked for so far. */
static void hear(struct scene *self)
{
    uint8_t datagram[65536];
    ssize_t size;
    while ((size = recv(self->end[1], datagram, sizeof datagram, 0)) > 0) {
        Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, (size_t)size, datagram);
        CU_ASSERT_FATAL(batch != NULL);
        for (size_t i = 0; i < batch->n_job; i++) {
            memcpy(self->asked[self->asked_count].at,
                   batch->job[i]->sign_header->content_sha256.data, SHA256_BYTES);
            self->id[self->asked_count++] = batch->job[i]->id;
        }
        chaski__keys_batch__free_unpacked(batch, NULL);
    }
}

/* Answers what was asked for and not answered, with this fault. */
static void answer(struct scene *self, enum fault_code code)
{
    uint8_t signature[70] = {0x30}, datagram[256];
    for (; self->answered < self->asked_count; self->answered++) {
        Chaski__KeysResult result = CHASKI__KEYS_RESULT__INIT;
        Chaski__KeysResult *results[] = {&result};
        Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
        result.id = self->id[self->answered];
        result.fault = code;
        result.result = (ProtobufCBinaryData){sizeof signature, signature};
        batch.n_result = 1;
        batch.result = results;
        size_t size = chaski__keys_batch__pack(&batch, datagram);
        CU_ASSERT_EQUAL(send(self->end[1], datagram, size, 0), (ssize_t)size);
    }
}

struct waiter {
    struct scene *scene;
    size_t number;
};

static void on_signed(void *owner, fault f, struct span signature, const struct sign_place *at)
{
    struct waiter *waiter = owner;
    struct scene *scene = waiter->scene;
    struct span place = at->place;
    CU_ASSERT_EQUAL(place.size > 0, at->head != NULL);
    CU_ASSERT(failed(f) || signature.size == 70);
    scene->done++;
    scene->fault[waiter->number] = f;
    scene->place_size[waiter->number] = place.size;
    if (place.size > 0)
        memcpy(scene->place[waiter->number], place.at, place.size);
    free(waiter);
}

static void ask(struct scene *self, size_t number, const char *receiver, bool batches,
                int64_t time_ms)
{
    struct waiter *waiter = owned_new(sizeof *waiter);
    *waiter = (struct waiter){self, number};
    text_format(self->text[number], sizeof self->text[number], "header %zu", number);
    self->job[number] = (struct sign_job){.header = span_of_text(self->text[number]),
                                          .time_ms = time_ms,
                                          .done = on_signed,
                                          .owner = waiter};
    sign_desk_sign(self->desk, receiver, batches, &self->job[number]);
}

/* Is what was asked for as number `at` what this header leads to? */
static bool is_for(const struct scene *self, size_t at, size_t number)
{
    struct sha256 content;
    struct span place = span_of(self->place[number], self->place_size[number]);
    return !failed(batch_signed_content(span_of_text(self->text[number]), place, &content)) &&
           sha256_equal(&content, &self->asked[at]);
}

static void finish(struct scene *self)
{
    for (size_t before = SIZE_MAX; before != self->answered;) {
        before = self->answered;
        turn(self);
        hear(self);
        answer(self, OK);
        turn(self);
        hear(self);
    }
}

static void test_a_lone_header_is_signed_at_once_and_by_itself(void)
{
    OWNED(scene) scene = scene_new();
    ask(scene, 0, "CO/GOV/1/SS1", true, SECOND_MS);
    turn(scene);
    hear(scene);
    CU_ASSERT_EQUAL_FATAL(scene->asked_count, 1);
    struct sha256 own = SHA256_OF(span_of_text("header 0"));
    CU_ASSERT(sha256_equal(&scene->asked[0], &own));
    finish(scene);
    CU_ASSERT_EQUAL(scene->done, 1);
    CU_ASSERT_EQUAL(scene->place_size[0], 0);
}

static void test_what_waits_for_one_server_is_signed_together(void)
{
    OWNED(scene) scene = scene_new();
    for (size_t i = 0; i < 10; i++)
        ask(scene, i, i % 2 == 0 ? "CO/GOV/1/SS1" : "CO/GOV/2/SS1", true,
            SECOND_MS + 10 * (int64_t)i);
    turn(scene);
    hear(scene);
    CU_ASSERT_EQUAL_FATAL(scene->asked_count, 2);
    finish(scene);
    CU_ASSERT_EQUAL(scene->done, 10);
    for (size_t i = 0; i < 10; i++) {
        CU_ASSERT(is_for(scene, 0, i) != is_for(scene, 1, i));
        CU_ASSERT_EQUAL(is_for(scene, 0, i), is_for(scene, 0, i % 2));
    }
}

static void test_what_comes_meanwhile_goes_with_the_next(void)
{
    OWNED(scene) scene = scene_new();
    ask(scene, 0, "CO/GOV/1/SS1", true, SECOND_MS);
    turn(scene);
    for (size_t i = 1; i < 4; i++) {
        ask(scene, i, "CO/GOV/1/SS1", true, SECOND_MS);
        turn(scene);
    }
    hear(scene);
    CU_ASSERT_EQUAL(scene->asked_count, 1);
    finish(scene);
    CU_ASSERT_EQUAL(scene->asked_count, 2);
    CU_ASSERT_EQUAL(scene->done, 4);
    CU_ASSERT(is_for(scene, 0, 0));
    for (size_t i = 1; i < 4; i++)
        CU_ASSERT(is_for(scene, 1, i));
}

static size_t asked_after_a_turn(struct scene *self)
{
    turn(self);
    hear(self);
    return self->asked_count;
}

static void test_while_the_log_writes_headers_wait_and_each_group_lets_them_go(void)
{
    OWNED(scene) scene = scene_new();
    struct audit_pace log = {.asked = 5, .done = 5};
    sign_desk_follow(scene->desk, &log);
    ask(scene, 0, "CO/GOV/1/SS1", true, SECOND_MS);
    CU_ASSERT_EQUAL(asked_after_a_turn(scene), 1); /* it rests */
    log.asked = 7;
    ask(scene, 1, "CO/GOV/2/SS1", true, SECOND_MS);
    CU_ASSERT_EQUAL(asked_after_a_turn(scene), 1);
    ask(scene, 2, "CO/GOV/2/SS1", true, SECOND_MS);
    CU_ASSERT_EQUAL(asked_after_a_turn(scene), 1);
    log = (struct audit_pace){.asked = 9, .done = 7}; /* written, and more was given */
    CU_ASSERT_EQUAL(asked_after_a_turn(scene), 2);
    ask(scene, 3, "CO/GOV/3/SS1", true, SECOND_MS);
    CU_ASSERT_EQUAL(asked_after_a_turn(scene), 2);
    log.done = 9;
    CU_ASSERT_EQUAL(asked_after_a_turn(scene), 3);
    finish(scene);
    CU_ASSERT_EQUAL(scene->done, 4);
    CU_ASSERT(is_for(scene, 1, 1) && is_for(scene, 1, 2));
}

static void test_a_batch_is_of_one_second_and_bounded(void)
{
    OWNED(scene) scene = scene_new();
    for (size_t i = 0; i < 3; i++)
        ask(scene, i, "CO/GOV/1/SS1", true, SECOND_MS + 999);
    for (size_t i = 3; i < 3 + BATCH_MAX + 5; i++)
        ask(scene, i, "CO/GOV/1/SS1", true, SECOND_MS + 1000);
    finish(scene);
    CU_ASSERT_EQUAL(scene->done, 3 + BATCH_MAX + 5);
    CU_ASSERT_EQUAL(scene->asked_count, 3);
    for (size_t i = 0; i < 3 + BATCH_MAX + 5; i++)
        CU_ASSERT(is_for(scene, i < 3 ? 0 : i < 3 + BATCH_MAX ? 1 : 2, i));
}

static void test_who_takes_no_batches_gets_none(void)
{
    OWNED(scene) scene = scene_new();
    for (size_t i = 0; i < 5; i++)
        ask(scene, i, "", false, SECOND_MS);
    turn(scene);
    hear(scene);
    CU_ASSERT_EQUAL(scene->asked_count, 5);
    finish(scene);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT(scene->place_size[i] == 0 && is_for(scene, i, i));
}

static void test_each_of_a_batch_hears_that_it_was_not_signed(void)
{
    OWNED(scene) scene = scene_new();
    for (size_t i = 0; i < 3; i++)
        ask(scene, i, "CO/GOV/1/SS1", true, SECOND_MS);
    turn(scene);
    hear(scene);
    answer(scene, KEY_UNKNOWN);
    turn(scene);
    CU_ASSERT_EQUAL(scene->done, 3);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(scene->fault[i].code, KEY_UNKNOWN);
}

SUITE(sign_desk, TEST(test_a_lone_header_is_signed_at_once_and_by_itself),
      TEST(test_what_waits_for_one_server_is_signed_together),
      TEST(test_what_comes_meanwhile_goes_with_the_next),
      TEST(test_while_the_log_writes_headers_wait_and_each_group_lets_them_go),
      TEST(test_a_batch_is_of_one_second_and_bounded), TEST(test_who_takes_no_batches_gets_none),
      TEST(test_each_of_a_batch_hears_that_it_was_not_signed))
