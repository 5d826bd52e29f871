// SPDX-License-Identifier: MIT
#include "registry/stamping.h"
#include "tests/unit/registry/authority.h"

#include <sys/stat.h>
#include <unistd.h>

static struct serials *open_serials(const struct place *store)
{
    struct serials *serials = NULL;
    MUST(serials_open(store->at, &serials));
    return serials;
}

static uint64_t next_of(struct serials *serials)
{
    uint64_t serial = 0;
    MUST(serials_next(serials, &serial));
    return serial;
}

/* One stamp by the store's own key, checked with the anchor that nodes are given. */
static void stamp_with(const struct place *store)
{
    const struct sha256 digest = SHA256_OF(span_of_text("a checkpoint"));
    struct place anchor = place_in(store->at, "anchor/trust.pem");
    OWNED(stamper) stamper = NULL;
    OWNED(trust) trust = NULL;
    OWNED(bytes) request = NULL;
    OWNED(bytes) response = NULL;
    OWNED(bytes) token = NULL;
    enum stamp_verdict verdict = STAMP_GARBAGE;
    uint64_t nonce = 0;
    int64_t time_ms = 0;
    MUST(stamping_load(store->at, &stamper));
    MUST(trust_load(anchor.at, &trust));
    MUST(stamp_request(&digest, &request, &nonce));
    MUST(stamper_answer(stamper, bytes_span(request), clock_wall_ms(), 1, &verdict, &response));
    CU_ASSERT_EQUAL(verdict, STAMP_GRANTED);
    MUST(stamp_take(bytes_span(response), &digest, nonce, trust, &token, &time_ms));
}

static void test_a_new_store_can_stamp(void)
{
    struct place place = authority_make();
    struct place key = place_in(place.at, "stamp/stamp.key");
    struct stat facts;
    CU_ASSERT_EQUAL_FATAL(stat(key.at, &facts), 0);
    CU_ASSERT_EQUAL(facts.st_mode & 077, 0);
    stamp_with(&place);
}

static void forget_stamping(const struct place *store)
{
    static const char *const names[] = {"stamp/stamp.key", "stamp/stamp.pem", "stamp/serial"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct place file = place_in(store->at, names[i]);
        CU_ASSERT_EQUAL(unlink(file.at), 0);
    }
    struct place folder = place_in(store->at, "stamp");
    CU_ASSERT_EQUAL(rmdir(folder.at), 0);
}

static void test_an_older_store_gets_one_once(void)
{
    struct place place = authority_make();
    forget_stamping(&place);
    MUST_FAIL(NOT_FOUND, stamping_lock(place.at));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "stamp-authority add"));
    OWNED(store) store = authority_open(&place);
    MUST(store_add_stamping(store));
    MUST_FAIL(REFUSED, store_add_stamping(store));
    stamp_with(&place);
}

static void test_a_store_is_served_once_at_a_time(void)
{
    struct place place = authority_make();
    MUST(stamping_lock(place.at));
    MUST_FAIL(REFUSED, stamping_lock(place.at));
}

static void test_a_key_of_another_certificate_is_refused(void)
{
    struct place place = authority_make();
    struct place other = authority_make();
    OWNED(stamper) stamper = NULL;
    struct place theirs = place_in(other.at, "stamp/stamp.pem");
    struct place ours = place_in(place.at, "stamp/stamp.pem");
    OWNED(bytes) pem = place_read(&theirs);
    place_write(&ours, bytes_span(pem));
    MUST_FAIL(BAD_KEY, stamping_load(place.at, &stamper));
}

static void test_the_key_of_acts_does_not_stamp(void)
{
    struct place place = authority_make();
    OWNED(stamper) stamper = NULL;
    static const char *const files[][2] = {{"authority.pem", "stamp/stamp.pem"},
                                           {"keys/acts.key", "stamp/stamp.key"}};
    for (size_t i = 0; i < 2; i++) {
        struct place from = place_in(place.at, files[i][0]), to = place_in(place.at, files[i][1]);
        OWNED(bytes) bytes = place_read(&from);
        MUST(file_replace(to.at, bytes_span(bytes), 0600));
    }
    MUST_FAIL(CERTIFICATE_BAD, stamping_load(place.at, &stamper));
}

static void test_an_ended_certificate_is_said_at_the_start(void)
{
    struct place place = authority_make();
    OWNED(stamper) stamper = NULL;
    clock_set_for_test(clock_wall_ms() + 3651 * STORE_DAY_MS, 0);
    fault f = stamping_load(place.at, &stamper);
    clock_set_for_test(0, -1);
    CU_ASSERT_EQUAL(f.code, CERTIFICATE_BAD);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "ended"));
}

static void test_no_serial_number_comes_twice(void)
{
    struct place place = authority_make();
    uint64_t last = 0;
    for (int run = 0; run < 3; run++) { /* each ends as a kill would end it */
        OWNED(serials) serials = open_serials(&place);
        for (int i = 0; i < SERIALS_AT_ONCE + 10; i++) {
            uint64_t serial = next_of(serials);
            CU_ASSERT(serial > last);
            last = serial;
        }
    }
}

/* What a crash leaves on disk is what stood there before the answer left. */
static void test_a_serial_number_is_durable_before_it_is_given(void)
{
    struct place place = authority_make();
    struct place file = place_in(place.at, "stamp/serial");
    OWNED(serials) first = open_serials(&place);
    uint64_t given = next_of(first);
    OWNED(bytes) text = place_read(&file);
    MUST(bytes_append(text, span_of("", 1)));
    CU_ASSERT(strtoull((const char *)text->data, NULL, 10) > given);
    OWNED(serials) second = open_serials(&place);
    CU_ASSERT(next_of(second) > given);
}

static void test_a_lost_serial_number_is_not_made_up(void)
{
    static const char *const bad[] = {
        "", "\n", "x\n", "-1\n", "0\n", "12 \n", "99999999999999999999\n"};
    struct place place = authority_make();
    struct place file = place_in(place.at, "stamp/serial");
    struct serials *serials = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        place_write(&file, span_of_text(bad[i]));
        MUST_FAIL(LOG_BROKEN, serials_open(place.at, &serials));
    }
    CU_ASSERT_EQUAL(unlink(file.at), 0);
    MUST_FAIL(LOG_BROKEN, serials_open(place.at, &serials));
}

/* A folder that cannot be written gives no number, and the same run goes on once it can. */
static void test_a_disk_that_refuses_gets_no_serial_number(void)
{
    struct place place = authority_make();
    struct place folder = place_in(place.at, "stamp"), away = place_in(place.at, "away");
    OWNED(serials) serials = open_serials(&place);
    uint64_t serial = 0;
    CU_ASSERT_EQUAL_FATAL(rename(folder.at, away.at), 0);
    CU_ASSERT(failed(serials_next(serials, &serial)));
    CU_ASSERT_EQUAL(serial, 0);
    CU_ASSERT_EQUAL_FATAL(rename(away.at, folder.at), 0);
    CU_ASSERT_EQUAL(next_of(serials), 1);
}

static void test_the_directory_says_where_to_stamp(void)
{
    struct place place = authority_make();
    const struct directory_stamper *stamper = NULL;
    MUST(authority_run(&place, "stamp-authority url --url http://127.0.0.1:8080/tsa"));
    MUST(authority_run(&place, "stamp-authority url --url https://tsa.gov.co/ --name B --order 2"));
    MUST_FAIL(REFUSED, authority_run(&place, "stamp-authority url --url ftp://a/"));
    MUST_FAIL(REFUSED, authority_run(&place, "stamp-authority remove NADIE"));
    OWNED(store) store = authority_open(&place);
    CU_ASSERT_EQUAL_FATAL(directory_stampers(store_state(store), &stamper), 2);
    CU_ASSERT_STRING_EQUAL(stamper[0].name, "TSA-1");
    CU_ASSERT_STRING_EQUAL(stamper[1].url, "https://tsa.gov.co/");
    MUST(authority_tell(store, "stamp-authority remove TSA-1"));
    CU_ASSERT_EQUAL_FATAL(directory_stampers(store_state(store), &stamper), 1);
    CU_ASSERT_STRING_EQUAL(stamper[0].name, "B");
}

SUITE(stamping, TEST(test_a_new_store_can_stamp), TEST(test_an_older_store_gets_one_once),
      TEST(test_a_store_is_served_once_at_a_time),
      TEST(test_a_key_of_another_certificate_is_refused), TEST(test_the_key_of_acts_does_not_stamp),
      TEST(test_an_ended_certificate_is_said_at_the_start), TEST(test_no_serial_number_comes_twice),
      TEST(test_a_serial_number_is_durable_before_it_is_given),
      TEST(test_a_lost_serial_number_is_not_made_up),
      TEST(test_a_disk_that_refuses_gets_no_serial_number),
      TEST(test_the_directory_says_where_to_stamp))
