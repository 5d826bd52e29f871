// SPDX-License-Identifier: MIT
#include "lib/bus/subject_key.h"

#include "tests/unit/unit.h"

#define SERVER "CO/GOV/800197268/SS1"

struct case_of {
    struct keypair *receiver;
    uint8_t key[PSEUDONYM_KEY_BYTES];
    struct sha256 commitment;
    struct bytes *blob;
};

static struct case_of made(void)
{
    struct case_of self = {.key = {9, 8, 7}};
    OWNED(bytes) receiver = NULL;
    MUST(keypair_make(KEY_X25519, &self.receiver));
    MUST(keypair_public(self.receiver, &receiver));
    self.commitment = pseudonym_commitment(self.key);
    MUST(subject_key_seal(SERVER, 2026, self.key, receiver->data, &self.blob));
    return self;
}

static void clear(struct case_of *self)
{
    keypair_free(&self->receiver);
    bytes_free(&self->blob);
}

static fault open_as(const struct case_of *self, const char *server, uint8_t out[32])
{
    struct subject_key_blob blob;
    TRY(subject_key_read(bytes_span(self->blob), &blob));
    return subject_key_open(&blob, server, &self->commitment, self->receiver, out);
}

static void test_its_server_opens_it(void)
{
    struct case_of self = made();
    uint8_t out[PSEUDONYM_KEY_BYTES];
    MUST(open_as(&self, SERVER, out));
    CU_ASSERT(memcmp(out, self.key, sizeof out) == 0);
    clear(&self);
}

static void test_nobody_else_opens_it(void)
{
    struct case_of self = made();
    uint8_t out[PSEUDONYM_KEY_BYTES];
    MUST_FAIL(SEAL_BROKEN, open_as(&self, "CO/GOV/800197268/SS2", out));
    self.commitment.at[0] ^= 1;
    MUST_FAIL(SEAL_BROKEN, open_as(&self, SERVER, out));
    self.commitment.at[0] ^= 1;
    keypair_free(&self.receiver);
    MUST(keypair_make(KEY_X25519, &self.receiver));
    MUST_FAIL(SEAL_BROKEN, open_as(&self, SERVER, out));
    clear(&self);
}

static void test_no_byte_can_be_changed(void)
{
    struct case_of self = made();
    uint8_t out[PSEUDONYM_KEY_BYTES];
    for (size_t i = 0; i < self.blob->size; i++) {
        bool is_id = i >= 10 && i < 10 + SEAL_KEY_ID_BYTES; /* only says which key to take */
        self.blob->data[i] ^= 1;
        CU_ASSERT_EQUAL(failed(open_as(&self, SERVER, out)), !is_id);
        self.blob->data[i] ^= 1;
    }
    self.blob->size--;
    MUST_FAIL(BAD_FRAME, open_as(&self, SERVER, out));
    clear(&self);
}

static void test_its_place_names_year_and_server_only(void)
{
    char one[SUBJECT_KEY_NAME_ROOM], other[SUBJECT_KEY_NAME_ROOM];
    subject_key_name(SERVER, 2026, one);
    subject_key_name("CO/GOV/800197268/SS2", 2026, other);
    CU_ASSERT_NSTRING_EQUAL(one, "subject-keys/2026/", 18);
    CU_ASSERT_EQUAL(strlen(one), 18 + 64);
    CU_ASSERT_STRING_NOT_EQUAL(one, other);
}

SUITE(subject_key, TEST(test_its_server_opens_it), TEST(test_nobody_else_opens_it),
      TEST(test_no_byte_can_be_changed), TEST(test_its_place_names_year_and_server_only))
