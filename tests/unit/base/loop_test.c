// SPDX-License-Identifier: MIT
#include "lib/base/loop.h"
#include "lib/base/clock.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct loop *loop;

static void stop_late(struct loop_timer *timer)
{
    (void)timer;
    CU_FAIL("the loop was still running after two seconds");
    loop_stop(loop);
}

/* Runs until something stops it; two seconds are a failure. */
static void run(void)
{
    struct loop_timer late = {.fire = stop_late};
    loop_set_timer(loop, &late, 2000);
    MUST(loop_run(loop));
    loop_stop_timer(loop, &late);
}

static int full_eventfd(void)
{
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

/* watches */

static int calls;
static struct loop_watch watches[3];

static void count_and_remove_all(struct loop_watch *self, uint32_t bits)
{
    CU_ASSERT_EQUAL(bits, EPOLLIN);
    CU_ASSERT_PTR_EQUAL(self->owner, watches);
    calls++;
    for (int i = 0; i < 3; i++)
        loop_unwatch(loop, &watches[i]);
    loop_stop(loop);
}

static void test_a_removed_watch_is_not_called_in_the_same_turn(void)
{
    MUST(loop_new(&loop));
    calls = 0;
    for (int i = 0; i < 3; i++) {
        watches[i] = (struct loop_watch){full_eventfd(), EPOLLIN, count_and_remove_all, watches};
        MUST(loop_watch(loop, &watches[i]));
    }
    run();
    CU_ASSERT_EQUAL(calls, 1);
    for (int i = 0; i < 3; i++)
        close(watches[i].fd);
    loop_free(&loop);
}

/* The first callback frees the second watch and puts another one at the same place. */
static struct loop_watch *reborn;
static int reborn_calls;

static void count_reborn(struct loop_watch *self, uint32_t bits)
{
    (void)self;
    (void)bits;
    reborn_calls++;
}

static void replace_other(struct loop_watch *self, uint32_t bits)
{
    (void)bits;
    calls++;
    loop_unwatch(loop, self);
    struct loop_watch *other = self == &watches[0] ? &watches[1] : &watches[0];
    loop_unwatch(loop, other);
    close(other->fd);
    *other = (struct loop_watch){eventfd(0, EFD_CLOEXEC), EPOLLIN, count_reborn, NULL};
    MUST(loop_watch(loop, other));
    reborn = other;
    loop_stop(loop);
}

static void test_a_new_watch_in_the_place_of_an_old_one_gets_none_of_its_events(void)
{
    MUST(loop_new(&loop));
    calls = reborn_calls = 0;
    for (int i = 0; i < 2; i++) {
        watches[i] = (struct loop_watch){full_eventfd(), EPOLLIN, replace_other, NULL};
        MUST(loop_watch(loop, &watches[i]));
    }
    run();
    CU_ASSERT_EQUAL(calls, 1);
    CU_ASSERT_EQUAL(reborn_calls, 0);
    for (int i = 0; i < 2; i++)
        close(watches[i].fd);
    loop_free(&loop);
}

static void test_a_watch_gets_only_the_bits_it_asks_for(void)
{
    MUST(loop_new(&loop));
    struct loop_watch watch = {full_eventfd(), EPOLLIN | EPOLLOUT, count_reborn, NULL};
    MUST(loop_watch(loop, &watch));
    watch.bits = 0;
    MUST(loop_rewatch(loop, &watch));
    reborn_calls = 0;
    loop_stop(loop);
    MUST(loop_run(loop));
    CU_ASSERT_EQUAL(reborn_calls, 0);
    loop_unwatch(loop, &watch);
    loop_unwatch(loop, &watch); /* harmless */
    close(watch.fd);
    MUST_FAIL(IO_FAILED, loop_watch(loop, &watch));
    loop_free(&loop);
}

static int served;

static void serve(struct loop_watch *self, uint32_t bits)
{
    (void)bits;
    loop_unwatch(loop, self);
    if (++served == 600)
        loop_stop(loop);
}

static void test_more_descriptors_than_one_turn_serves_all_get_their_turn(void)
{
    MUST(loop_new(&loop));
    static struct loop_watch many[600];
    served = 0;
    for (int i = 0; i < 600; i++) {
        many[i] = (struct loop_watch){full_eventfd(), EPOLLIN, serve, NULL};
        MUST(loop_watch(loop, &many[i]));
    }
    run();
    CU_ASSERT_EQUAL(served, 600);
    for (int i = 0; i < 600; i++)
        close(many[i].fd);
    loop_free(&loop);
}

/* timers */

#define TIMERS 500

static struct loop_timer timers[TIMERS];
static size_t fired[TIMERS];
static size_t fired_count;
static size_t expected_count;

static void note(struct loop_timer *self)
{
    CU_ASSERT_EQUAL(self->slot, 0);
    fired[fired_count++] = (size_t)(self - timers);
    if (fired_count == expected_count)
        loop_stop(loop);
}

static void begin_timers(size_t expected)
{
    MUST(loop_new(&loop));
    fired_count = 0;
    expected_count = expected;
    for (size_t i = 0; i < TIMERS; i++)
        timers[i] = (struct loop_timer){.fire = note};
}

static void test_timers_fire_in_order_of_their_time(void)
{
    begin_timers(3);
    loop_set_timer(loop, &timers[0], 30);
    loop_set_timer(loop, &timers[1], 10);
    loop_set_timer(loop, &timers[2], 20);
    int64_t before = clock_steady_us();
    run();
    CU_ASSERT(clock_steady_us() - before >= 30000);
    CU_ASSERT(fired[0] == 1 && fired[1] == 2 && fired[2] == 0);
    loop_free(&loop);
}

/* Random times, a third moved, a third stopped: what fires is in order of at_us. */
static void test_the_heap_survives_moving_and_stopping(void)
{
    begin_timers(0);
    srandom(7);
    size_t left = 0;
    for (size_t i = 0; i < TIMERS; i++)
        loop_set_timer(loop, &timers[i], random() % 40);
    for (size_t i = 0; i < TIMERS; i += 3)
        loop_set_timer(loop, &timers[i], random() % 40);
    for (size_t i = 1; i < TIMERS; i += 3)
        loop_stop_timer(loop, &timers[i]);
    for (size_t i = 0; i < TIMERS; i++)
        left += timers[i].slot != 0;
    expected_count = left;
    run();
    CU_ASSERT_EQUAL(fired_count, left);
    CU_ASSERT_EQUAL(left, TIMERS - (TIMERS + 1) / 3);
    for (size_t i = 1; i < fired_count; i++)
        CU_ASSERT_FATAL(timers[fired[i - 1]].at_us <= timers[fired[i]].at_us);
    loop_free(&loop);
}

static void test_timers_of_the_same_instant_fire_in_the_order_they_were_set(void)
{
    begin_timers(TIMERS);
    clock_set_for_test(0, 1000000);
    for (size_t i = 0; i < TIMERS; i++)
        loop_set_timer(loop, &timers[i], 5);
    clock_advance_for_test(5);
    MUST(loop_run(loop));
    clock_set_for_test(0, -1);
    for (size_t i = 0; i < TIMERS; i++)
        CU_ASSERT_FATAL(fired[i] == i);
    loop_free(&loop);
}

static void set_myself_again(struct loop_timer *self)
{
    fired_count++;
    loop_set_timer(loop, self, 0);
}

static void stop_on_read(struct loop_watch *self, uint32_t bits)
{
    (void)self;
    (void)bits;
    if (fired_count > 10)
        loop_stop(loop);
}

static void test_a_timer_that_sets_itself_to_now_does_not_starve_descriptors(void)
{
    begin_timers(0);
    clock_set_for_test(0, 1000000); /* even when no time passes */
    timers[0].fire = set_myself_again;
    loop_set_timer(loop, &timers[0], 0);
    struct loop_watch watch = {full_eventfd(), EPOLLIN, stop_on_read, NULL};
    MUST(loop_watch(loop, &watch));
    MUST(loop_run(loop));
    clock_set_for_test(0, -1);
    CU_ASSERT(fired_count > 10);
    loop_stop_timer(loop, &timers[0]);
    close(watch.fd);
    loop_free(&loop);
}

static void stop_the_next(struct loop_timer *self)
{
    fired_count++;
    loop_stop_timer(loop, self + 1);
    loop_stop_timer(loop, self);
    loop_stop(loop);
}

static void test_a_timer_may_stop_another_that_is_due(void)
{
    begin_timers(2);
    timers[0].fire = stop_the_next;
    loop_set_timer(loop, &timers[0], 1);
    loop_set_timer(loop, &timers[1], 1);
    usleep(3000);
    run();
    CU_ASSERT_EQUAL(fired_count, 1);
    loop_free(&loop);
}

static int turns;

static bool count_turns(void *owner)
{
    (void)owner;
    turns++;
    return false;
}

static void test_waiting_for_a_timer_does_not_spin(void)
{
    begin_timers(1);
    turns = 0;
    loop_each_turn(loop, count_turns, NULL);
    loop_set_timer(loop, &timers[0], 50);
    run();
    CU_ASSERT(turns <= 4);
    loop_free(&loop);
}

/* hooks, signals, stop */

static bool three_more(void *owner)
{
    int *left = owner;
    if (--*left == 0)
        loop_stop(loop);
    return true;
}

static void test_a_hook_with_more_to_do_keeps_the_loop_awake(void)
{
    MUST(loop_new(&loop));
    int left = 4;
    loop_each_turn(loop, three_more, &left);
    int64_t before = clock_steady_us();
    run();
    CU_ASSERT_EQUAL(left, 0);
    CU_ASSERT(clock_steady_us() - before < 500000);
    loop_free(&loop);
}

static bool first_has_work;

static bool early_hook(void *owner)
{
    (void)owner;
    if (first_has_work)
        loop_stop(loop);
    return false;
}

static bool late_hook(void *owner)
{
    (void)owner;
    first_has_work = true;
    loop_again(loop);
    return false;
}

static void test_work_given_to_an_earlier_hook_is_not_slept_over(void)
{
    MUST(loop_new(&loop));
    first_has_work = false;
    loop_each_turn(loop, early_hook, NULL);
    loop_each_turn(loop, late_hook, NULL);
    int64_t before = clock_steady_us();
    run();
    CU_ASSERT(clock_steady_us() - before < 500000);
    loop_free(&loop);
}

static void test_a_hook_can_be_taken_away(void)
{
    begin_timers(1);
    int left = 1;
    turns = 0;
    loop_each_turn(loop, three_more, &left);
    loop_each_turn(loop, count_turns, NULL);
    loop_no_turn(loop, three_more, &left);
    loop_set_timer(loop, &timers[0], 1);
    run();
    CU_ASSERT_EQUAL(left, 1);
    CU_ASSERT(turns > 0);
    loop_free(&loop);
}

static int signals_seen;

static void on_signal(void *owner)
{
    CU_ASSERT_PTR_EQUAL(owner, &signals_seen);
    if (++signals_seen == 2)
        loop_stop(loop);
}

static void test_signals_arrive_as_events(void)
{
    MUST(loop_new(&loop));
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    signals_seen = 0;
    MUST(loop_on_signal(loop, SIGUSR1, on_signal, &signals_seen));
    MUST(loop_on_signal(loop, SIGUSR2, on_signal, &signals_seen));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    run();
    CU_ASSERT_EQUAL(signals_seen, 2);
    loop_free(&loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void test_a_stop_before_the_run_ends_it_at_once(void)
{
    MUST(loop_new(&loop));
    loop_stop(loop);
    run();
    CU_ASSERT(loop_now_us(loop) > 0);
    loop_free(&loop);
    loop_free(&loop);
}

SUITE(loop, TEST(test_a_removed_watch_is_not_called_in_the_same_turn),
      TEST(test_a_new_watch_in_the_place_of_an_old_one_gets_none_of_its_events),
      TEST(test_a_watch_gets_only_the_bits_it_asks_for),
      TEST(test_more_descriptors_than_one_turn_serves_all_get_their_turn),
      TEST(test_timers_fire_in_order_of_their_time),
      TEST(test_the_heap_survives_moving_and_stopping),
      TEST(test_timers_of_the_same_instant_fire_in_the_order_they_were_set),
      TEST(test_a_timer_that_sets_itself_to_now_does_not_starve_descriptors),
      TEST(test_a_timer_may_stop_another_that_is_due), TEST(test_waiting_for_a_timer_does_not_spin),
      TEST(test_a_hook_with_more_to_do_keeps_the_loop_awake),
      TEST(test_work_given_to_an_earlier_hook_is_not_slept_over),
      TEST(test_a_hook_can_be_taken_away), TEST(test_signals_arrive_as_events),
      TEST(test_a_stop_before_the_run_ends_it_at_once))
