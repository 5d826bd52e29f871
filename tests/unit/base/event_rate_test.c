// SPDX-License-Identifier: MIT
#include "lib/base/event_rate.h"

#include "lib/base/event.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static struct event_rate rate;
static char caught[8192];

static void stop(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

/* What is said on stderr while the loop runs for longer than a second. */
static const char *said_after_a_second(void)
{
    int ends[2], kept = dup(STDERR_FILENO);
    struct loop_timer end = {.fire = stop};
    CU_ASSERT_FATAL(pipe2(ends, O_NONBLOCK) == 0);
    dup2(ends[1], STDERR_FILENO);
    loop_set_timer(loop, &end, EVENT_RATE_MS + 50);
    fault f = loop_run(loop);
    dup2(kept, STDERR_FILENO);
    ssize_t got = read(ends[0], caught, sizeof caught - 1);
    caught[got < 0 ? 0 : got] = '\0';
    close(ends[0]);
    close(ends[1]);
    close(kept);
    MUST(f);
    return caught;
}

static unsigned allowed_of(unsigned many)
{
    unsigned allowed = 0;
    for (unsigned i = 0; i < many; i++)
        allowed += event_rate_allows(&rate);
    return allowed;
}

static void test_a_flood_is_twenty_lines_and_a_count(void)
{
    MUST(loop_new(&loop));
    event_setup("tester", INFO);
    event_rate_begin(&rate, loop, "caller.was_rude");
    CU_ASSERT_EQUAL(allowed_of(1000), EVENT_RATE_MOST);
    const char *said = said_after_a_second();
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "\"event\":\"event.left_out\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "\"of\":\"caller.was_rude\",\"count\":980"));
    CU_ASSERT_PTR_EQUAL(strchr(said, '\n'), said + strlen(said) - 1);
    CU_ASSERT_EQUAL(allowed_of(EVENT_RATE_MOST), EVENT_RATE_MOST);
    CU_ASSERT_STRING_EQUAL(said_after_a_second(), "");
    event_rate_end(&rate);
    event_rate_end(&rate);
    loop_free(&loop);
}

SUITE(event_rate, TEST(test_a_flood_is_twenty_lines_and_a_count))
