// SPDX-License-Identifier: MIT
#include "tests/unit/tools/forge.h"

#define DAYS 30

static void set_sealing(struct forge *self, const char *id, const char *consumer)
{
    BOOK_ACT(self->book, SEALING_SET, sealing_set, CHASKI__SEALING_SET__INIT,
             it->id = book_text(id), it->consumer = book_text(consumer),
             it->purpose = book_text("investigacion"), it->legal_basis = book_text("Ley 1"),
             it->days_max = DAYS, it->until_ms = (uint64_t)(BOOK_START_MS + 200 * BOOK_DAY_MS));
}

static struct forge *country_with_sealings(void)
{
    struct forge *self = forge_new(CALLER);
    book_purpose(self->book, "investigacion");
    set_sealing(self, "S-1", MEDELLIN);
    forge_own(self, HEADER_STARTED);
    return self;
}

struct sealed {
    const char *sealing, *purpose;
    int64_t for_ms;
};

/* At the present size of the directory, `later` acts away. */
static void seal(struct forge *self, struct sealed how, int64_t later)
{
    static const uint8_t pseudonym[32] = {7};
    struct header header = forge_header(self, CALLER, HEADER_REQUEST);
    header.subject = span_of(pseudonym, sizeof pseudonym);
    header.subject_year = 2026;
    header.sealing = span_of_text(how.sealing);
    header.purpose = span_of_text(how.purpose);
    header.sealed_until_ms = header.time_ms + how.for_ms;
    header.directory_epoch = (uint64_t)((int64_t)self->book->count + later);
    forge_append(self, CALLER, &header, header.time_ms);
}

static const struct sealed lawful = {"S-1", "investigacion", DAYS *BOOK_DAY_MS};

static void test_what_a_sealing_allows_is_sound(void)
{
    OWNED(forge) self = country_with_sealings();
    seal(self, lawful, 0);
    seal(self, (struct sealed){"S-1", "investigacion", 1}, 0);
    forge_finds(self, "sealing", 0, -1);
}

static void test_what_no_sealing_allows_is_found(void)
{
    static const struct sealed bad[] = {{"S-2", "investigacion", BOOK_DAY_MS},
                                        {"S-1", "otra-cosa", BOOK_DAY_MS},
                                        {"S-1", "investigacion", DAYS * BOOK_DAY_MS + 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        OWNED(forge) self = country_with_sealings();
        seal(self, lawful, 0);
        seal(self, bad[i], 0);
        forge_finds(self, "sealing", 1, 2);
    }
}

static void test_anothers_sealing_is_none(void)
{
    OWNED(forge) self = country_with_sealings();
    set_sealing(self, "S-3", DANE);
    seal(self, (struct sealed){"S-3", "investigacion", BOOK_DAY_MS}, 0);
    forge_finds(self, "sealing", 1, 1);
}

static void test_one_that_has_ended_allows_nothing_more(void)
{
    OWNED(forge) self = country_with_sealings();
    self->time_ms = BOOK_START_MS + 200 * BOOK_DAY_MS;
    seal(self, lawful, 0);
    forge_finds(self, "sealing", 1, 1);
}

/* By the state that the signer named: what came later neither helps nor harms. */
static void test_the_state_of_then_decides(void)
{
    OWNED(forge) self = country_with_sealings();
    seal(self, lawful, 0);
    seal(self, lawful, -1); /* before the sealing was set */
    BOOK_ACT(self->book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_SEALING, it->sealing = book_text("S-1"),
             it->reason = book_text("Prueba"));
    seal(self, lawful, -1); /* it still stood */
    seal(self, lawful, 0);
    set_sealing(self, "S-1", MEDELLIN);
    seal(self, lawful, 0);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "sealing", "no such sealing stood"), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 2);
    json_decref(said);
}

static void test_of_acts_that_are_not_here_nothing_is_said(void)
{
    OWNED(forge) self = country_with_sealings();
    seal(self, (struct sealed){"S-9", "investigacion", BOOK_DAY_MS}, 1000);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "sealing", NULL), 0);
    json_decref(said);
}

SUITE(verify_sealing, TEST(test_what_a_sealing_allows_is_sound),
      TEST(test_what_no_sealing_allows_is_found), TEST(test_anothers_sealing_is_none),
      TEST(test_one_that_has_ended_allows_nothing_more), TEST(test_the_state_of_then_decides),
      TEST(test_of_acts_that_are_not_here_nothing_is_said))
