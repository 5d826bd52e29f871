// SPDX-License-Identifier: MIT
#include "lib/net/gate.h"
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define BYTES_MAX 65536

static struct loop *loop;
static struct net *net;
static struct gate *gate;
static struct socket *router;
static struct curve_keys server;
static struct loop_timer timer;
static size_t arrived;
static char last_user[1024];
static char last_text[1024];
static size_t last_size;

static void stop(struct loop_timer *self)
{
    (void)self;
    loop_stop(loop);
}

static void run_for(int64_t ms)
{
    timer = (struct loop_timer){.fire = stop};
    loop_set_timer(loop, &timer, ms);
    MUST(loop_run(loop));
    loop_stop_timer(loop, &timer);
}

static void take(void *owner, const struct message *message)
{
    (void)owner;
    arrived++;
    snprintf(last_user, sizeof last_user, "%s", message->user);
    snprintf(last_text, sizeof last_text, "%.*s", (int)message->frame[0].size,
             (const char *)message->frame[0].at);
    last_size = message->frame[0].size;
    loop_stop(loop);
}

static void begin(void)
{
    event_setup("gate_test", ERROR);
    MUST(loop_new(&loop));
    MUST(net_new(loop, &net));
    MUST(gate_open(net, "mesh", &gate));
    curve_make(&server);
    struct socket_options options = {.kind = SOCKET_ROUTER,
                                     .queue_messages = 1000,
                                     .message_bytes_max = BYTES_MAX,
                                     .own = &server,
                                     .zap_domain = "mesh"};
    MUST(socket_open(net, &options, take, NULL, &router));
    MUST(socket_bind(router, "tcp://127.0.0.1:*"));
    arrived = 0;
}

static void end(void)
{
    gate_free(&gate);
    socket_close(&router);
    net_free(&net);
    loop_free(&loop);
}

static struct socket *client_with(const struct curve_keys *own, const uint8_t *server_key)
{
    struct socket *client = NULL;
    struct socket_options options = {.kind = SOCKET_DEALER,
                                     .queue_messages = 1000,
                                     .message_bytes_max = BYTES_MAX,
                                     .own = own,
                                     .server_key = server_key};
    MUST(socket_open(net, &options, take, NULL, &client));
    MUST(socket_connect(client, socket_address(router)));
    return client;
}

/* True when the word came through the gate within the time. It is said again and again: libzmq
 * takes it as soon as TCP stands, and loses it when the handshake is refused. */
static bool gets_through(struct socket *client, const char *word, int64_t wait_ms)
{
    struct span frame = span_of_text(word);
    size_t before = arrived;
    int64_t until = clock_steady_ms() + wait_ms;
    while (arrived == before && clock_steady_ms() < until) {
        ignore(socket_send(client, span_of(NULL, 0), &frame, 1));
        run_for(20);
    }
    return arrived > before;
}

static struct gate_entry entry_of(const struct curve_keys *keys, const char *user)
{
    struct gate_entry entry;
    memcpy(entry.public_key, keys->public_key, CURVE_KEY_BYTES);
    snprintf(entry.user, sizeof entry.user, "%s", user);
    return entry;
}

static void test_an_allowed_key_gets_in_under_its_name(void)
{
    struct curve_keys own;
    curve_make(&own);
    begin();
    struct gate_entry entry = entry_of(&own, "CO/GOV/899999027/a%C3%B1o");
    gate_allow(gate, &entry, 1);
    struct socket *client = client_with(&own, server.public_key);
    CU_ASSERT(gets_through(client, "hello", 5000));
    CU_ASSERT_STRING_EQUAL(last_user, "CO/GOV/899999027/a%C3%B1o");
    CU_ASSERT_STRING_EQUAL(last_text, "hello");
    socket_close(&client);
    end();
}

static void test_a_stranger_does_not_get_in(void)
{
    struct curve_keys own, stranger;
    curve_make(&own);
    curve_make(&stranger);
    begin();
    struct gate_entry entry = entry_of(&own, "known");
    gate_allow(gate, &entry, 1);
    struct socket *client = client_with(&stranger, server.public_key);
    CU_ASSERT(!gets_through(client, "let me in", 400));
    socket_close(&client);
    /* neither does one who copies a public key without the secret one */
    struct curve_keys liar = stranger;
    memcpy(liar.public_key, own.public_key, CURVE_KEY_BYTES);
    client = client_with(&liar, server.public_key);
    CU_ASSERT(!gets_through(client, "let me in", 400));
    socket_close(&client);
    end();
}

static void test_nobody_is_in_the_list_at_first(void)
{
    struct curve_keys own;
    curve_make(&own);
    begin();
    struct socket *client = client_with(&own, server.public_key);
    CU_ASSERT(!gets_through(client, "x", 300));
    /* and the same client comes in once it is in it, by trying again */
    struct gate_entry entry = entry_of(&own, "new");
    gate_allow(gate, &entry, 1);
    CU_ASSERT(gets_through(client, "now", 15000));
    CU_ASSERT_STRING_EQUAL(last_user, "new");
    socket_close(&client);
    end();
}

static void test_who_leaves_the_list_does_not_get_in_again(void)
{
    struct curve_keys own;
    curve_make(&own);
    begin();
    struct gate_entry entry = entry_of(&own, "once");
    gate_allow(gate, &entry, 1);
    struct socket *client = client_with(&own, server.public_key);
    CU_ASSERT(gets_through(client, "x", 5000));
    gate_allow(gate, NULL, 0);
    CU_ASSERT(gets_through(client, "a session that stands goes on", 5000));
    socket_close(&client);
    client = client_with(&own, server.public_key);
    CU_ASSERT(!gets_through(client, "x", 300));
    socket_close(&client);
    end();
}

static void test_a_client_must_know_the_server(void)
{
    struct curve_keys own, other;
    curve_make(&own);
    curve_make(&other);
    begin();
    struct gate_entry entry = entry_of(&own, "a");
    gate_allow(gate, &entry, 1);
    struct socket *client = client_with(&own, other.public_key);
    CU_ASSERT(!gets_through(client, "x", 300));
    socket_close(&client);
    end();
}

static void test_without_curve_nobody_gets_in(void)
{
    begin();
    struct socket *client = client_with(NULL, NULL);
    CU_ASSERT(!gets_through(client, "x", 300));
    socket_close(&client);
    end();
}

static void test_another_domain_is_not_this_gates(void)
{
    struct curve_keys own;
    curve_make(&own);
    begin();
    socket_close(&router);
    struct socket_options options = {.kind = SOCKET_ROUTER,
                                     .queue_messages = 1000,
                                     .message_bytes_max = BYTES_MAX,
                                     .own = &server,
                                     .zap_domain = "other"};
    MUST(socket_open(net, &options, take, NULL, &router));
    MUST(socket_bind(router, "tcp://127.0.0.1:*"));
    struct gate_entry entry = entry_of(&own, "a");
    gate_allow(gate, &entry, 1);
    struct socket *client = client_with(&own, server.public_key);
    CU_ASSERT(!gets_through(client, "x", 300));
    socket_close(&client);
    end();
}

static void test_one_of_two_thousand_is_found(void)
{
    static struct gate_entry entries[2000];
    struct curve_keys own;
    begin();
    for (size_t i = 0; i < 2000; i++) {
        snprintf(entries[i].user, sizeof entries[i].user, "peer %zu", i);
        for (size_t k = 0; k < CURVE_KEY_BYTES; k++)
            entries[i].public_key[k] = (uint8_t)((i * 2654435761u) >> (k % 24));
    }
    const size_t places[] = {0, 1000, 1999};
    for (size_t i = 0; i < 3; i++) {
        curve_make(&own);
        char user[32];
        snprintf(user, sizeof user, "peer %zu", places[i]);
        entries[places[i]] = entry_of(&own, user);
        gate_allow(gate, entries, 2000);
        struct socket *client = client_with(&own, server.public_key);
        CU_ASSERT(gets_through(client, "x", 5000));
        CU_ASSERT_STRING_EQUAL(last_user, user);
        socket_close(&client);
    }
    end();
}

static void test_the_largest_frame_passes_under_curve(void)
{
    static char body[BYTES_MAX + 2];
    struct curve_keys own;
    curve_make(&own);
    begin();
    struct gate_entry entry = entry_of(&own, "a");
    gate_allow(gate, &entry, 1);
    struct socket *client = client_with(&own, server.public_key);
    memset(body, 'x', BYTES_MAX);
    CU_ASSERT(gets_through(client, body, 5000));
    CU_ASSERT_EQUAL(last_size, BYTES_MAX);
    memset(body, 'x', BYTES_MAX + 1);
    CU_ASSERT(!gets_through(client, body, 200));
    socket_close(&client);
    end();
}

static void test_a_second_gate_is_refused(void)
{
    begin();
    struct gate *second = NULL;
    MUST_FAIL(IO_FAILED, gate_open(net, "mesh", &second));
    CU_ASSERT_PTR_NULL(second);
    end();
}

static void test_the_gate_opens_quickly_and_many_times(void)
{
    MUST(loop_new(&loop));
    MUST(net_new(loop, &net));
    int64_t began = clock_steady_ms();
    for (int i = 0; i < 5; i++) {
        MUST(gate_open(net, "mesh", &gate));
        gate_free(&gate);
    }
    CU_ASSERT(clock_steady_ms() - began < 5 * 300);
    gate_free(&gate);
    net_free(&net);
    loop_free(&loop);
}

SUITE(gate, TEST(test_an_allowed_key_gets_in_under_its_name), TEST(test_a_stranger_does_not_get_in),
      TEST(test_nobody_is_in_the_list_at_first),
      TEST(test_who_leaves_the_list_does_not_get_in_again),
      TEST(test_a_client_must_know_the_server), TEST(test_without_curve_nobody_gets_in),
      TEST(test_another_domain_is_not_this_gates), TEST(test_one_of_two_thousand_is_found),
      TEST(test_the_largest_frame_passes_under_curve), TEST(test_a_second_gate_is_refused),
      TEST(test_the_gate_opens_quickly_and_many_times))
