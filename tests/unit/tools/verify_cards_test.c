// SPDX-License-Identifier: MIT
#include "tests/unit/tools/forge.h"

static void card(struct forge *self, uint8_t key)
{
    struct header_card card = {
        {key}, self->time_ms + BOOK_DAY_MS, self->time_ms + BOOK_DAY_MS + FORGE_MINUTE_MS};
    struct header header = forge_header(self, self->whose, HEADER_KEY_CARD);
    header.card = &card;
    forge_append(self, self->whose, &header, header.time_ms);
}

static size_t said_of(json_t *said, const char *list, const char *words)
{
    size_t index, count = 0;
    json_t *one;
    json_array_foreach(json_object_get(said, list), index, one) count +=
        strstr(json_string_value(json_object_get(one, "what")), words) != NULL;
    return count;
}

static void test_a_new_key_each_day_is_sound(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    for (uint8_t key = 1; key <= 3; key++) {
        card(self, key);
        self->time_ms += BOOK_DAY_MS;
    }
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(said_of(said, "findings", "key"), 0);
    CU_ASSERT_EQUAL(said_of(said, "remarks", "sealing key"), 0);
    json_decref(said);
}

static void test_a_key_that_comes_back_is_found(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    card(self, 1);
    self->time_ms += BOOK_DAY_MS;
    card(self, 2);
    self->time_ms += BOOK_DAY_MS;
    card(self, 1);
    forge_finds(self, "key cards", 1, 3);
}

static void test_a_key_that_was_used_for_too_long_is_told(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    card(self, 1);
    self->time_ms += 2 * BOOK_DAY_MS;
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(said_of(said, "remarks", "1 sealing key was used for longer"), 1);
    json_decref(said);
}

static void test_a_key_ends_with_its_process(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    card(self, 1);
    self->time_ms += 2 * BOOK_DAY_MS;
    forge_own(self, HEADER_STARTED);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(said_of(said, "remarks", "sealing key"), 0);
    json_decref(said);
}

SUITE(verify_cards, TEST(test_a_new_key_each_day_is_sound),
      TEST(test_a_key_that_comes_back_is_found),
      TEST(test_a_key_that_was_used_for_too_long_is_told), TEST(test_a_key_ends_with_its_process))
