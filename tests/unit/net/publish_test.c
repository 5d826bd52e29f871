// SPDX-License-Identifier: MIT
/* One that publishes and those that listen. */
#include "lib/net/socket.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define BYTES_MAX 4096
#define FOLLOWERS 3

static struct loop *loop;
static struct net *net;
static struct socket *publisher;
static struct socket *follower[FOLLOWERS];
static struct curve_keys keys;
static size_t heard[FOLLOWERS];
static char said[FOLLOWERS][64];

static void hear(void *owner, const struct message *message)
{
    size_t which = *(const size_t *)owner;
    CU_ASSERT_EQUAL(message->from.size, 0);
    heard[which]++;
    struct span last = message->frame[message->count - 1];
    snprintf(said[which], sizeof said[which], "%.*s", (int)(last.size < 60 ? last.size : 60),
             (const char *)last.at);
}

static void stop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

static void run_for(int64_t ms)
{
    struct loop_timer end = {.fire = stop};
    loop_set_timer(loop, &end, ms);
    MUST(loop_run(loop));
}

static void begin(void)
{
    struct socket_options options = {.kind = SOCKET_PUBLISHER,
                                     .queue_messages = 100,
                                     .message_bytes_max = BYTES_MAX,
                                     .own = &keys};
    MUST(loop_new(&loop));
    MUST(net_new(loop, &net));
    curve_make(&keys);
    memset(heard, 0, sizeof heard);
    MUST(socket_open(net, &options, NULL, NULL, &publisher));
    MUST(socket_bind(publisher, "tcp://127.0.0.1:*"));
}

static void follow(size_t which, const uint8_t *server_key, int64_t bytes_max)
{
    static const size_t names[FOLLOWERS] = {0, 1, 2};
    struct curve_keys own;
    curve_make(&own);
    struct socket_options options = {.kind = SOCKET_SUBSCRIBER,
                                     .queue_messages = 100,
                                     .message_bytes_max = bytes_max,
                                     .own = &own,
                                     .server_key = server_key};
    MUST(socket_open(net, &options, hear, (void *)(uintptr_t)&names[which], &follower[which]));
    MUST(socket_connect(follower[which], socket_address(publisher)));
}

static void end(void)
{
    for (size_t i = 0; i < FOLLOWERS; i++)
        socket_close(&follower[i]);
    socket_close(&publisher);
    net_free(&net);
    loop_free(&loop);
}

static void publish(const char *text)
{
    const struct span frames[] = {span_of_text("a note"), span_of_text(text)};
    MUST(socket_send(publisher, span_of(NULL, 0), frames, 2));
}

/* A subscription takes a moment to arrive. */
static void publish_until_heard(size_t which)
{
    for (int i = 0; i < 500 && heard[which] == 0; i++) {
        publish("first");
        run_for(10);
    }
    CU_ASSERT_FATAL(heard[which] > 0);
}

static void test_everyone_who_knows_the_key_hears_it(void)
{
    begin();
    follow(0, keys.public_key, BYTES_MAX);
    follow(1, keys.public_key, BYTES_MAX);
    publish_until_heard(0);
    publish_until_heard(1);
    publish("news");
    run_for(200);
    CU_ASSERT_STRING_EQUAL(said[0], "news");
    CU_ASSERT_STRING_EQUAL(said[1], "news");
    end();
}

static void test_whoever_expects_another_key_hears_nothing(void)
{
    struct curve_keys other;
    begin();
    curve_make(&other);
    follow(0, keys.public_key, BYTES_MAX);
    follow(1, other.public_key, BYTES_MAX);
    publish_until_heard(0);
    publish("news");
    run_for(300);
    CU_ASSERT_STRING_EQUAL(said[0], "news");
    CU_ASSERT_EQUAL(heard[1], 0);
    end();
}

static void test_a_longer_frame_than_allowed_is_not_taken(void)
{
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    begin();
    follow(0, keys.public_key, BYTES_MAX);
    follow(1, keys.public_key, 1024);
    publish_until_heard(0);
    publish_until_heard(1);
    size_t before = heard[1];
    publish(text);
    run_for(300);
    CU_ASSERT_EQUAL(said[0][0], 'x');
    CU_ASSERT_EQUAL(heard[1], before);
    end();
}

static void test_nobody_has_to_listen(void)
{
    begin();
    for (int i = 0; i < 1000; i++)
        publish("into the dark");
    run_for(50);
    follow(2, keys.public_key, BYTES_MAX);
    publish_until_heard(2);
    CU_ASSERT_STRING_EQUAL(said[2], "first");
    end();
}

SUITE(publish, TEST(test_everyone_who_knows_the_key_hears_it),
      TEST(test_whoever_expects_another_key_hears_nothing),
      TEST(test_a_longer_frame_than_allowed_is_not_taken), TEST(test_nobody_has_to_listen))
