// SPDX-License-Identifier: MIT
#include "lib/base/channel.h"

#include "lib/base/owned.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define ITEMS 200000
#define WAIT_MS 10000 /* far longer than any wake takes; a wake that is lost ends the wait here */

static bool is_ready(const struct channel *channel)
{
    struct pollfd wait = {.fd = channel_fd(channel), .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}

static void test_items_come_out_as_they_went_in(void)
{
    int items[8];
    OWNED(channel) channel = NULL;
    MUST(channel_new(8, &channel));
    CU_ASSERT_PTR_NULL(channel_pop(channel));
    for (size_t round = 0; round < 100;
         round++) { /* rounds of 5: round the end of 8 again and again */
        for (size_t i = 0; i < 5; i++)
            CU_ASSERT(channel_push(channel, &items[i]));
        for (size_t i = 0; i < 5; i++)
            CU_ASSERT_PTR_EQUAL(channel_pop(channel), &items[i]);
        CU_ASSERT_PTR_NULL(channel_pop(channel));
    }
}

static void test_a_full_channel_takes_no_more_until_there_is_room(void)
{
    static const size_t rooms[] = {1, 2, 16};
    int items[17];
    for (size_t k = 0; k < sizeof rooms / sizeof rooms[0]; k++) {
        OWNED(channel) channel = NULL;
        size_t room = rooms[k];
        MUST(channel_new(room, &channel));
        for (size_t i = 0; i < room; i++)
            CU_ASSERT(channel_push(channel, &items[i]));
        CU_ASSERT(!channel_push(channel, &items[16]));
        CU_ASSERT_PTR_EQUAL(channel_pop(channel), &items[0]);
        CU_ASSERT(channel_push(channel, &items[room]));
        CU_ASSERT(!channel_push(channel, &items[16]));
        for (size_t i = 1; i <= room; i++)
            CU_ASSERT_PTR_EQUAL(channel_pop(channel), &items[i]);
        CU_ASSERT_PTR_NULL(channel_pop(channel));
    }
}

static void test_only_a_sleeper_is_woken(void)
{
    int item;
    OWNED(channel) channel = NULL;
    MUST(channel_new(4, &channel));
    CU_ASSERT(channel_push(channel, &item));
    channel_wake(channel);
    CU_ASSERT(!is_ready(channel));
    CU_ASSERT_PTR_EQUAL(channel_pop(channel), &item);
    CU_ASSERT(channel_sleep(channel));
    CU_ASSERT(channel_push(channel, &item));
    CU_ASSERT(!is_ready(channel)); /* a batch is pushed first and woken for once */
    channel_wake(channel);
    channel_wake(channel);
    CU_ASSERT(is_ready(channel));
    channel_woken(channel);
    CU_ASSERT(!is_ready(channel));
    channel_woken(channel); /* nothing there: does not wait */
    CU_ASSERT_PTR_EQUAL(channel_pop(channel), &item);
    CU_ASSERT(channel_push(channel, &item));
    channel_wake(channel);
    CU_ASSERT(!is_ready(channel)); /* woken once, it is awake */
}

static void test_nobody_falls_asleep_on_an_item(void)
{
    int item;
    OWNED(channel) channel = NULL;
    MUST(channel_new(4, &channel));
    CU_ASSERT(channel_push(channel, &item));
    CU_ASSERT(!channel_sleep(channel));
    channel_wake(channel);
    CU_ASSERT(!is_ready(channel)); /* it is awake */
    CU_ASSERT_PTR_EQUAL(channel_pop(channel), &item);
    CU_ASSERT(channel_sleep(channel));
}

// --- two threads --------------------------------------------------------------------------------

/* An item is memory that changes hands: what the pusher wrote is read, and freed, by the taker. */
struct letter {
    size_t number;
    size_t twice;
};

struct pusher {
    struct channel *channel;
    size_t batch;
    bool slow; /* so that the taker sleeps often */
};

static void *push_all(void *argument)
{
    const struct pusher *self = argument;
    for (size_t i = 0; i < ITEMS; i++) {
        struct letter *letter = owned_new(sizeof *letter);
        *letter = (struct letter){i, 2 * i};
        while (!channel_push(self->channel, letter)) {
            channel_wake(self->channel);
            sched_yield();
        }
        if (i % self->batch == 0 || i + 1 == ITEMS)
            channel_wake(self->channel);
        if (self->slow && i % 64 == 0)
            sched_yield();
    }
    return NULL;
}

struct taken {
    size_t count;
    size_t wrong;  /* out of order, or not as it was written */
    size_t sleeps; /* waits for the descriptor */
    bool lost;     /* slept on and nobody came */
};

static bool take_letter(struct channel *channel, struct taken *taken)
{
    struct letter *letter = channel_pop(channel);
    if (letter == NULL)
        return false;
    taken->wrong += letter->number != taken->count || letter->twice != 2 * letter->number;
    taken->count++;
    free(letter);
    return true;
}

/* As the audit actor does it: pop until there is nothing, then sleep on the descriptor. */
static struct taken take_all(struct channel *channel)
{
    struct taken taken = {0};
    while (taken.count < ITEMS && !taken.lost) {
        if (take_letter(channel, &taken) || !channel_sleep(channel))
            continue;
        struct pollfd wait = {.fd = channel_fd(channel), .events = POLLIN};
        taken.lost = poll(&wait, 1, WAIT_MS) == 0;
        taken.sleeps++;
        channel_woken(channel);
    }
    return taken;
}

static struct taken move(size_t room, size_t batch, bool slow)
{
    pthread_t thread;
    OWNED(channel) channel = NULL;
    MUST(channel_new(room, &channel));
    struct pusher pusher = {channel, batch, slow};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, push_all, &pusher), 0);
    struct taken taken = take_all(channel);
    struct taken late = taken;
    while (taken.lost && late.count < ITEMS) /* lets the thread end all the same */
        take_letter(channel, &late);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(taken.count, ITEMS);
    CU_ASSERT_EQUAL(taken.wrong, 0);
    CU_ASSERT(!taken.lost);
    CU_ASSERT_PTR_NULL(channel_pop(channel));
    return taken;
}

static void test_two_threads_move_everything_in_order(void)
{
    move(1024, 1, false);
    move(1024, 37, false);
}

static void test_a_small_channel_moves_everything_too(void)
{
    move(1, 1, false);
    move(4, 16, false);
}

static void test_a_taker_that_sleeps_again_and_again_misses_no_wake(void)
{
    struct taken taken = move(64, 1, true);
    CU_ASSERT(taken.sleeps > 0);
}

SUITE(channel, TEST(test_items_come_out_as_they_went_in),
      TEST(test_a_full_channel_takes_no_more_until_there_is_room),
      TEST(test_only_a_sleeper_is_woken), TEST(test_nobody_falls_asleep_on_an_item),
      TEST(test_two_threads_move_everything_in_order),
      TEST(test_a_small_channel_moves_everything_too),
      TEST(test_a_taker_that_sleeps_again_and_again_misses_no_wake))
