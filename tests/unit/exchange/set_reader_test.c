// SPDX-License-Identifier: MIT
#include "security-server/exchange/set_reader.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/unit/unit.h"

#define HOUR 497000

struct asking {
    struct loop *loop;
    struct set_job job;
    struct set_digest digest[4];
};

static void done(struct set_job *job)
{
    loop_stop(((struct asking *)job->owner)->loop);
}

static void read_hours(const char *folder, struct asking *asking)
{
    struct set_reader *reader = NULL;
    MUST(loop_new(&asking->loop));
    MUST(set_reader_start(asking->loop, folder, &reader));
    asking->job = (struct set_job){.work = SET_HOURS,
                                   .peer = "CO/GOV/1/SS1",
                                   .range = {HOUR, INT64_MAX, -1, -1},
                                   .parts = 4,
                                   .digest = asking->digest,
                                   .done = done,
                                   .owner = asking};
    MUST(set_reader_ask(reader, &asking->job));
    MUST(loop_run(asking->loop));
    set_reader_free(&reader);
    loop_free(&asking->loop);
    CU_ASSERT_EQUAL(asking->job.fault, OK);
}

static void test_hours_without_leaves_are_empty(void)
{
    struct asking asking = {0};
    struct sha256 none = SHA256_OF((struct span){0});
    read_hours(unit_folder(), &asking);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(asking.digest[i].count, 0);
        CU_ASSERT(sha256_equal(&asking.digest[i].digest, &none));
    }
}

/* Else a peer would send back what was removed on purpose. */
static void test_hours_of_which_the_log_was_pruned_are_not_empty_but_unknown(void)
{
    struct asking asking = {0};
    const char *folder = unit_folder();
    char path[512];
    text_format(path, sizeof path, "%s/sets", folder);
    MUST(file_make_folders(path, 0700));
    MUST(set_floor_write(folder, (int64_t)HOUR * SET_HOUR_MS + 1));
    CU_ASSERT_EQUAL(set_floor_read(folder), (int64_t)HOUR * SET_HOUR_MS + 1);
    read_hours(folder, &asking);
    CU_ASSERT_EQUAL(asking.digest[0].count, SET_UNKNOWN);
    CU_ASSERT_EQUAL(asking.digest[1].count, SET_UNKNOWN);
    CU_ASSERT_EQUAL(asking.digest[2].count, 0);
    CU_ASSERT_EQUAL(asking.digest[3].count, 0);
}

static void test_jobs_that_wait_at_the_end_are_not_done(void)
{
    struct loop *loop = NULL;
    struct set_reader *reader = NULL;
    static struct set_digest digest[4];
    static struct set_job job[50];
    MUST(loop_new(&loop));
    MUST(set_reader_start(loop, unit_folder(), &reader));
    for (size_t i = 0; i < 50; i++) {
        job[i] = (struct set_job){.work = SET_HOURS,
                                  .peer = "CO/GOV/1/SS1",
                                  .range = {HOUR, INT64_MAX, -1, -1},
                                  .parts = 4,
                                  .digest = digest,
                                  .done = done};
        MUST(set_reader_ask(reader, &job[i]));
    }
    set_reader_free(&reader); /* `done` would fail: it has no owner */
    loop_free(&loop);
}

SUITE(set_reader, TEST(test_hours_without_leaves_are_empty),
      TEST(test_hours_of_which_the_log_was_pruned_are_not_empty_but_unknown),
      TEST(test_jobs_that_wait_at_the_end_are_not_done))
