// SPDX-License-Identifier: MIT
#include "gateway/front_line.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static struct net *net;
static struct front_line *line;

static void nobody_there(void)
{
    static const struct front_handler handler;
    char address[200];
    snprintf(address, sizeof address, "ipc://%s/front", unit_folder());
    struct front_line_options options = {.address = address, .name = "test", .handler = &handler};
    MUST(loop_new(&loop));
    MUST(net_new(loop, &net));
    options.loop = loop;
    options.net = net;
    MUST(front_line_open(&options, &line));
}

static void end(void)
{
    front_line_free(&line);
    net_free(&net);
    loop_free(&loop);
}

/* The server would end the connection, and with it all that is under way. */
static void test_a_payload_beyond_the_bound_does_not_go_out(void)
{
    static const uint8_t byte;
    struct span large = span_of(&byte, PAYLOAD_BYTES_MAX + 1); /* never read */
    struct front_want want = {.client = "", .service = ""};
    nobody_there();
    MUST_FAIL(SERVICE_TOO_LARGE, front_line_done(line, 1, 200, large));
    MUST_FAIL(BODY_TOO_LARGE, front_line_ask(line, 1, &want, large));
    end();
}

static void test_without_a_server_nothing_is_up_and_nothing_is_sent(void)
{
    nobody_there();
    CU_ASSERT(!front_line_up(line));
    CU_ASSERT_EQUAL(front_line_state(line), SERVER_AWAY);
    MUST_FAIL(OVERLOADED, front_line_done(line, 1, 200, span_of_text("x")));
    end();
}

SUITE(front_line, TEST(test_a_payload_beyond_the_bound_does_not_go_out),
      TEST(test_without_a_server_nothing_is_up_and_nothing_is_sent))
