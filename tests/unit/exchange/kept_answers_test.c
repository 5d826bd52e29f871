// SPDX-License-Identifier: MIT
#include "security-server/exchange/kept_answers.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static bool finds(const struct kept_answers *answers, uint64_t index, const char *text)
{
    OWNED(bytes) found = NULL;
    kept_answers_find(answers, index, &found);
    return found != NULL && span_is_text(bytes_span(found), text);
}

static bool is_gone(const struct kept_answers *answers, uint64_t index)
{
    OWNED(bytes) found = NULL;
    kept_answers_find(answers, index, &found);
    return found == NULL;
}

static void test_an_answer_is_found_as_often_as_it_is_asked_for(void)
{
    struct loop *loop = NULL;
    MUST(loop_new(&loop));
    struct kept_answers *answers = kept_answers_new(loop);
    kept_answers_add(answers, 7, clock_wall_ms() + 60000, span_of_text("seven"));
    kept_answers_add(answers, 9, clock_wall_ms() + 60000, span_of_text("nine"));
    for (int i = 0; i < 2; i++)
        CU_ASSERT(finds(answers, 7, "seven") && finds(answers, 9, "nine") && is_gone(answers, 8));
    kept_answers_free(&answers);
    loop_free(&loop);
}

struct ending {
    struct loop *loop;
    struct loop_timer timer;
};

static void stop(struct loop_timer *timer)
{
    loop_stop(((struct ending *)timer->owner)->loop);
}

static void test_an_answer_goes_when_its_request_can_come_no_more(void)
{
    struct ending ending = {0};
    MUST(loop_new(&ending.loop));
    struct kept_answers *answers = kept_answers_new(ending.loop);
    kept_answers_add(answers, 7, clock_wall_ms() - 1, span_of_text("seven"));
    kept_answers_add(answers, 8, clock_wall_ms() + 60000, span_of_text("eight"));
    ending.timer = (struct loop_timer){.fire = stop, .owner = &ending};
    loop_set_timer(ending.loop, &ending.timer, KEPT_ANSWERS_LOOK_MS + 200);
    MUST(loop_run(ending.loop));
    CU_ASSERT(is_gone(answers, 7));
    CU_ASSERT(finds(answers, 8, "eight"));
    kept_answers_add(answers, 9, clock_wall_ms() + 60000, span_of_text("nine"));
    CU_ASSERT(finds(answers, 9, "nine"));
    kept_answers_free(&answers);
    loop_free(&ending.loop);
}

static void test_without_room_the_oldest_goes(void)
{
    struct loop *loop = NULL;
    OWNED(bytes) large = NULL;
    MUST(loop_new(&loop));
    MUST(bytes_new(KEPT_ANSWERS_BYTES_MAX / 4, &large));
    struct kept_answers *answers = kept_answers_new(loop);
    for (uint64_t i = 0; i < 6; i++)
        kept_answers_add(answers, i, clock_wall_ms() + 60000, bytes_span(large));
    CU_ASSERT(is_gone(answers, 0) && is_gone(answers, 1));
    for (uint64_t i = 2; i < 6; i++)
        CU_ASSERT(!is_gone(answers, i));
    kept_answers_free(&answers);
    loop_free(&loop);
}

SUITE(kept_answers, TEST(test_an_answer_is_found_as_often_as_it_is_asked_for),
      TEST(test_an_answer_goes_when_its_request_can_come_no_more),
      TEST(test_without_room_the_oldest_goes))
