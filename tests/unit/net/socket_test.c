// SPDX-License-Identifier: MIT
#include "lib/net/socket.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define BURST 5000
#define QUEUE 20000
#define BYTES_MAX 65536

static struct loop *loop;
static struct net *net;
static struct socket *router;
static struct socket *dealer;
static struct loop_timer late;
static struct loop_timer early;

/* What arrived at either end. */
static size_t at_router, at_dealer, wanted_at_router, wanted_at_dealer;
static struct bytes *last;
static char last_user[64];
static size_t last_count;

static void stop_late(struct loop_timer *timer)
{
    (void)timer;
    CU_FAIL("what was waited for did not come within ten seconds");
    loop_stop(loop);
}

static void stop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

static void run(void)
{
    late = (struct loop_timer){.fire = stop_late};
    loop_set_timer(loop, &late, 10000);
    MUST(loop_run(loop));
    loop_stop_timer(loop, &late);
}

/* Whatever comes meanwhile is counted. */
static void run_for(int64_t ms)
{
    early = (struct loop_timer){.fire = stop};
    loop_set_timer(loop, &early, ms);
    MUST(loop_run(loop));
}

static void note(const struct message *message)
{
    bytes_free(&last);
    MUST(bytes_copy(message->frame[message->count - 1], &last));
    last_count = message->count;
    snprintf(last_user, sizeof last_user, "%s", message->user);
}

static void stop_when_all_is_there(void)
{
    if (at_router >= wanted_at_router && at_dealer >= wanted_at_dealer)
        loop_stop(loop);
}

static void count_at_router(void *owner, const struct message *message)
{
    (void)owner;
    note(message);
    at_router++;
    stop_when_all_is_there();
}

static void count_at_dealer(void *owner, const struct message *message)
{
    (void)owner;
    CU_ASSERT_EQUAL(message->from.size, 0);
    note(message);
    at_dealer++;
    stop_when_all_is_there();
}

/* Two answers for each question. */
static void answer_twice(void *owner, const struct message *message)
{
    for (int i = 0; i < 2; i++)
        MUST(socket_send(router, message->from, message->frame, message->count));
    count_at_router(owner, message);
}

static void begin(size_t router_wants, size_t dealer_wants)
{
    MUST(loop_new(&loop));
    MUST(net_new(loop, &net));
    at_router = at_dealer = 0;
    wanted_at_router = router_wants;
    wanted_at_dealer = dealer_wants;
}

static void end(void)
{
    socket_close(&dealer);
    socket_close(&router);
    net_free(&net);
    loop_free(&loop);
    bytes_free(&last);
}

static struct socket_options plain(enum socket_kind kind)
{
    return (struct socket_options){
        .kind = kind, .queue_messages = QUEUE, .message_bytes_max = BYTES_MAX};
}

static void open_pair(const char *address, void (*take)(void *, const struct message *))
{
    struct socket_options options = plain(SOCKET_ROUTER);
    MUST(socket_open(net, &options, take, NULL, &router));
    MUST(socket_bind(router, address));
    options = plain(SOCKET_DEALER);
    MUST(socket_open(net, &options, count_at_dealer, NULL, &dealer));
    MUST(socket_connect(dealer, socket_address(router)));
}

static fault say(const char *text)
{
    struct span frame = span_of_text(text);
    return socket_send(dealer, span_of(NULL, 0), &frame, 1);
}

/* A connection takes a moment, and until then a DEALER takes nothing. */
static void say_when_connected(const char *text)
{
    fault said = say(text);
    for (int i = 0; i < 1000 && said.code == OVERLOADED; i++) {
        run_for(5);
        said = say(text);
    }
    MUST(said);
}

static void test_a_message_arrives_with_its_frames_and_its_sender(void)
{
    begin(1, 2);
    open_pair("tcp://127.0.0.1:*", answer_twice);
    run_for(50);
    const struct span frames[] = {span_of("", 0), span_of_text("b"), span_of_text("ccc"),
                                  span_of_text("dd")};
    MUST(socket_send(dealer, span_of(NULL, 0), frames, 4));
    run();
    CU_ASSERT_EQUAL(at_router, 1);
    CU_ASSERT_EQUAL(at_dealer, 2);
    CU_ASSERT_EQUAL(last_count, 4);
    CU_ASSERT(span_is_text(bytes_span(last), "dd"));
    CU_ASSERT_STRING_EQUAL(last_user, "");
    end();
}

/* The trap: one edge for many messages, and sends that swallow edges. */
static void test_a_burst_in_both_directions_does_not_stall(void)
{
    const char *const addresses[] = {"tcp://127.0.0.1:*", "ipc://*", "inproc://burst"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        begin(BURST, 2 * BURST);
        open_pair(addresses[i], answer_twice);
        say_when_connected("0");
        for (int k = 1; k < BURST; k++)
            MUST(say("a message of a burst"));
        run();
        CU_ASSERT_EQUAL(at_router, BURST);
        CU_ASSERT_EQUAL(at_dealer, 2 * BURST);
        end();
    }
}

/* Each answer lets the next question go: every arrival is followed by a send on the same socket. */
static void ask_again(void *owner, const struct message *message)
{
    (void)owner;
    (void)message;
    at_dealer++;
    stop_when_all_is_there();
    if (at_dealer + 64 <= BURST)
        MUST(say("next"));
}

static void echo(void *owner, const struct message *message)
{
    (void)owner;
    MUST(socket_send(router, message->from, message->frame, message->count));
    at_router++;
}

static void test_questions_and_answers_in_turn_do_not_stall(void)
{
    begin(0, BURST);
    struct socket_options options = plain(SOCKET_ROUTER);
    MUST(socket_open(net, &options, echo, NULL, &router));
    MUST(socket_bind(router, "tcp://127.0.0.1:*"));
    options = plain(SOCKET_DEALER);
    MUST(socket_open(net, &options, ask_again, NULL, &dealer));
    MUST(socket_connect(dealer, socket_address(router)));
    say_when_connected("first");
    for (int i = 1; i < 64; i++)
        MUST(say("first"));
    run();
    CU_ASSERT_EQUAL(at_dealer, BURST);
    CU_ASSERT_EQUAL(at_router, BURST);
    end();
}

/* The answer is announced to the dealer, which then sends before it reads: libzmq takes the
 * announcement in, the descriptor falls silent, and the answer lies there. The pause is longer than
 * libzmq's own for looking at announcements while it sends. */
static void answer_and_send_over_it(void *owner, const struct message *message)
{
    (void)owner;
    at_router++;
    MUST(socket_send(router, message->from, message->frame, message->count));
    usleep(20000);
    if (at_router == 1)
        MUST(say("second"));
}

static void test_a_send_that_swallows_an_arrival_does_not_lose_it(void)
{
    begin(0, 2);
    open_pair("inproc://swallowed", answer_and_send_over_it);
    run_for(20); /* both have looked, and sleep */
    MUST(say("first"));
    run();
    CU_ASSERT_EQUAL(at_dealer, 2);
    end();
}

/* What a late hook sends must not wait for the next timer. */
static bool say_once(void *owner)
{
    bool *said = owner;
    if (!*said && !failed(say("from a hook")))
        *said = true;
    return false;
}

static void test_what_a_hook_sends_is_answered(void)
{
    begin(1, 2);
    open_pair("inproc://hook", answer_twice);
    bool said = false;
    loop_each_turn(loop, say_once, &said);
    run();
    CU_ASSERT_EQUAL(at_dealer, 2);
    end();
}

static void test_ipv6_loopback_works(void)
{
    begin(1, 2);
    open_pair("tcp://[::1]:*", answer_twice);
    CU_ASSERT(strncmp(socket_address(router), "tcp://[::1]:", 12) == 0);
    say_when_connected("six");
    run();
    CU_ASSERT(span_is_text(bytes_span(last), "six"));
    end();
}

static void test_a_bad_address_is_named(void)
{
    begin(0, 0);
    struct socket_options options = plain(SOCKET_ROUTER);
    MUST(socket_open(net, &options, count_at_router, NULL, &router));
    MUST_FAIL(IO_FAILED, socket_bind(router, "tcp://256.0.0.1:1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "tcp://256.0.0.1:1"));
    MUST_FAIL(IO_FAILED, socket_connect(router, "nonsense"));
    MUST(socket_bind(router, "tcp://127.0.0.1:*"));
    struct socket *second = NULL;
    MUST(socket_open(net, &options, count_at_router, NULL, &second));
    MUST_FAIL(IO_FAILED, socket_bind(second, socket_address(router)));
    end(); /* closes the second, too */
}

static void test_a_router_does_not_know_a_stranger(void)
{
    begin(0, 0);
    open_pair("tcp://127.0.0.1:*", count_at_router);
    struct span frame = span_of_text("hello");
    MUST_FAIL(PEER_UNREACHABLE, socket_send(router, span_of_text("nobody"), &frame, 1));
    MUST_FAIL(PEER_UNREACHABLE, socket_send(router, span_of(NULL, 0), &frame, 1));
    end();
}

static void test_a_peer_that_has_gone_is_unreachable(void)
{
    begin(1, 0);
    open_pair("tcp://127.0.0.1:*", answer_twice);
    say_when_connected("x");
    run();
    socket_close(&dealer);
    run_for(100);
    struct span frame = span_of_text("late");
    /* the routing id is libzmq's choice: any will do, since nobody is left */
    MUST_FAIL(PEER_UNREACHABLE, socket_send(router, span_of("\0\0\0\0\1", 5), &frame, 1));
    end();
}

static void test_a_dealer_without_a_connection_takes_nothing(void)
{
    begin(0, 0);
    struct socket_options options = plain(SOCKET_DEALER);
    MUST(socket_open(net, &options, count_at_dealer, NULL, &dealer));
    MUST(socket_connect(dealer, "tcp://127.0.0.1:1"));
    MUST_FAIL(OVERLOADED, say("x"));
    run_for(50);
    MUST_FAIL(OVERLOADED, say("x"));
    end();
}

/* Filled to the brim, then emptied: what was taken arrives whole, what was refused does not. */
static void test_a_full_queue_is_overloaded_and_loses_nothing_it_took(void)
{
    begin(0, 0);
    struct socket_options options = plain(SOCKET_ROUTER);
    options.queue_messages = 10;
    MUST(socket_open(net, &options, count_at_router, NULL, &router));
    MUST(socket_bind(router, "inproc://small"));
    options = plain(SOCKET_DEALER);
    options.queue_messages = 10;
    MUST(socket_open(net, &options, count_at_dealer, NULL, &dealer));
    MUST(socket_connect(dealer, "inproc://small"));
    const struct span frames[] = {span_of_text("one"), span_of_text("two"), span_of_text("three")};
    size_t taken = 0;
    fault sent = DONE;
    while (!failed(sent = socket_send(dealer, span_of(NULL, 0), frames, 3)))
        taken++;
    MUST_FAIL(OVERLOADED, sent);
    CU_ASSERT(taken >= 10 && taken <= 40);
    wanted_at_router = taken;
    run();
    CU_ASSERT_EQUAL(at_router, taken);
    CU_ASSERT_EQUAL(last_count, 3);
    CU_ASSERT(span_is_text(bytes_span(last), "three"));
    end();
}

/* Straight through libzmq, as a stranger would. */
static void *stranger_connected_to(struct socket *server, void **context)
{
    int none = 0;
    *context = zmq_ctx_new();
    void *stranger = zmq_socket(*context, ZMQ_DEALER);
    CU_ASSERT_FATAL(stranger != NULL);
    zmq_setsockopt(stranger, ZMQ_LINGER, &none, sizeof none);
    CU_ASSERT_FATAL(zmq_connect(stranger, socket_address(server)) == 0);
    return stranger;
}

static void test_too_many_frames_are_dropped_and_counted(void)
{
    begin(1, 0);
    open_pair("tcp://127.0.0.1:*", count_at_router);
    void *context = NULL;
    void *stranger = stranger_connected_to(router, &context);
    for (int i = 0; i < 9; i++)
        zmq_send(stranger, "x", 1, ZMQ_SNDMORE);
    zmq_send(stranger, "x", 1, 0);
    zmq_send(stranger, "good", 4, 0);
    run();
    CU_ASSERT_EQUAL(at_router, 1);
    CU_ASSERT_EQUAL(last_count, 1);
    CU_ASSERT_EQUAL(socket_dropped(router), 1);
    zmq_close(stranger);
    zmq_ctx_term(context);
    end();
}

static void send_of_size(size_t size)
{
    OWNED(bytes) body = NULL;
    MUST(bytes_new(size, &body));
    struct span frame = bytes_span(body);
    MUST(socket_send(dealer, span_of(NULL, 0), &frame, 1));
}

static void open_curve_pair(const struct curve_keys *server, const struct curve_keys *client)
{
    struct socket_options options = plain(SOCKET_ROUTER);
    options.own = server;
    options.zap_domain = "test";
    MUST(socket_open(net, &options, count_at_router, NULL, &router));
    MUST(socket_bind(router, "tcp://127.0.0.1:*"));
    options = plain(SOCKET_DEALER);
    options.own = client;
    options.server_key = server->public_key;
    MUST(socket_open(net, &options, count_at_dealer, NULL, &dealer));
    MUST(socket_connect(dealer, socket_address(router)));
}

static void test_the_largest_frame_arrives_and_a_larger_one_ends_the_connection(void)
{
    begin(2, 0);
    open_pair("tcp://127.0.0.1:*", count_at_router);
    say_when_connected("x");
    send_of_size(BYTES_MAX);
    run();
    CU_ASSERT_EQUAL(last->size, BYTES_MAX);
    send_of_size(BYTES_MAX + 1);
    wanted_at_router = 100;
    run_for(50);
    CU_ASSERT_EQUAL(at_router, 2);
    /* the connection is made anew */
    wanted_at_router = 3;
    say_when_connected("again");
    run();
    CU_ASSERT(span_is_text(bytes_span(last), "again"));
    end();
}

/* Debian's libzmq keeps the door shut when a domain is enforced and nobody is there to ask. */
static void test_without_a_gate_no_curve_peer_gets_in(void)
{
    struct curve_keys server, client;
    curve_make(&server);
    curve_make(&client);
    begin(1, 0);
    open_curve_pair(&server, &client);
    int64_t waited = 0;
    for (; waited < 200 && say("x").code == OVERLOADED; waited += 5)
        run_for(5);
    wanted_at_router = 100;
    run_for(100);
    CU_ASSERT_EQUAL(at_router, 0);
    end();
}

/* closing */

static void close_myself(void *owner, const struct message *message)
{
    (void)owner;
    at_router++;
    socket_close(&router);
    CU_ASSERT_PTR_NULL(router);
    CU_ASSERT(span_is_text(message->frame[0], "x")); /* still there until we return */
    loop_stop(loop);
}

static void test_a_socket_may_be_closed_inside_its_own_take(void)
{
    begin(0, 0);
    open_pair("tcp://127.0.0.1:*", close_myself);
    say_when_connected("x");
    ignore(say("x")); /* perhaps closed already */
    if (at_router == 0)
        run();
    CU_ASSERT_EQUAL(at_router, 1);
    run_for(20);
    CU_ASSERT_EQUAL(at_router, 1);
    end();
}

static void close_the_other(void *owner, const struct message *message)
{
    (void)owner;
    MUST(socket_send(router, message->from, message->frame, message->count));
    at_router++;
    if (dealer != NULL) {
        ignore(say("marks it"));
        socket_close(&dealer);
    }
    loop_stop(loop);
}

static void test_a_socket_may_be_closed_inside_anothers_take(void)
{
    begin(0, 0);
    open_pair("inproc://other", close_the_other);
    MUST(say("x"));
    run();
    run_for(20);
    CU_ASSERT_PTR_NULL(dealer);
    CU_ASSERT_EQUAL(at_dealer, 0);
    end();
}

static void test_what_is_still_open_ends_with_the_net(void)
{
    begin(0, 0);
    open_pair("tcp://127.0.0.1:*", count_at_router);
    run_for(50);
    router = dealer = NULL;
    end(); /* hangs here when a socket is left */
    net_free(&net);
}

/* keys */

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static char path[256];

static const char *new_path(void)
{
    snprintf(path, sizeof path, "%s/curve.key", unit_folder());
    return path;
}

static void test_keys_come_back_from_their_file(void)
{
    struct curve_keys made, found;
    struct stat facts;
    curve_make(&made);
    MUST(curve_save(&made, new_path()));
    CU_ASSERT_FATAL(stat(path, &facts) == 0);
    CU_ASSERT_EQUAL(facts.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(facts.st_size, 41);
    MUST(curve_load(path, &found));
    CU_ASSERT(memcmp(&made, &found, sizeof made) == 0);
    MUST_FAIL(IO_FAILED, curve_save(&made, path));
}

/* RFC 32 and ZeroMQ RFC 26 give no vector; this is zmq_curve_public's manual page. */
static void test_the_public_key_is_derived(void)
{
    static const char secret[] = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
    static const char expected[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    struct curve_keys found;
    char text[41];
    write_file(new_path(), secret, 0600);
    MUST(curve_load(path, &found));
    CU_ASSERT_PTR_NOT_NULL(zmq_z85_encode(text, found.public_key, CURVE_KEY_BYTES));
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_a_key_file_open_to_others_or_broken_is_refused(void)
{
    static const char good[] = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
    static const char *const broken[] = {
        "",
        "\n",
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%c",      /* short */
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%csx",    /* long */
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\n\n", /* something after it */
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%c\"",    /* not Z85 */
        "\xff:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
        "#####[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs", /* a group beyond 32 bits, and long */
    };
    struct curve_keys found;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        write_file(new_path(), broken[i], 0600);
        MUST_FAIL(BAD_KEY, curve_load(path, &found));
    }
    write_file(new_path(), good, 0640);
    MUST_FAIL(BAD_KEY, curve_load(path, &found));
    chmod(path, 0604);
    MUST_FAIL(BAD_KEY, curve_load(path, &found));
    chmod(path, 0400);
    MUST(curve_load(path, &found));
    char link[300];
    snprintf(link, sizeof link, "%s.link", path);
    CU_ASSERT_FATAL(symlink(path, link) == 0);
    MUST_FAIL(BAD_KEY, curve_load(link, &found));
    snprintf(link, sizeof link, "%s.fifo", path);
    CU_ASSERT_FATAL(mkfifo(link, 0600) == 0);
    MUST_FAIL(BAD_KEY, curve_load(link, &found));
    MUST_FAIL(BAD_KEY, curve_load("/nowhere/key", &found));
    MUST_FAIL(BAD_KEY, curve_load(unit_folder(), &found));
}

SUITE(socket, TEST(test_a_message_arrives_with_its_frames_and_its_sender),
      TEST(test_a_burst_in_both_directions_does_not_stall),
      TEST(test_questions_and_answers_in_turn_do_not_stall),
      TEST(test_a_send_that_swallows_an_arrival_does_not_lose_it),
      TEST(test_what_a_hook_sends_is_answered), TEST(test_ipv6_loopback_works),
      TEST(test_a_bad_address_is_named), TEST(test_a_router_does_not_know_a_stranger),
      TEST(test_a_peer_that_has_gone_is_unreachable),
      TEST(test_a_dealer_without_a_connection_takes_nothing),
      TEST(test_a_full_queue_is_overloaded_and_loses_nothing_it_took),
      TEST(test_too_many_frames_are_dropped_and_counted),
      TEST(test_the_largest_frame_arrives_and_a_larger_one_ends_the_connection),
      TEST(test_without_a_gate_no_curve_peer_gets_in),
      TEST(test_a_socket_may_be_closed_inside_its_own_take),
      TEST(test_a_socket_may_be_closed_inside_anothers_take),
      TEST(test_what_is_still_open_ends_with_the_net), TEST(test_keys_come_back_from_their_file),
      TEST(test_the_public_key_is_derived),
      TEST(test_a_key_file_open_to_others_or_broken_is_refused))
