// SPDX-License-Identifier: MIT
/* Which record is meant; what is in the folder that comes out is for test_export. */
#include "tests/unit/tools/forge.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void put_request(struct forge *self, const uint8_t first[4], uint8_t last)
{
    struct header header = forge_header(self, CALLER, HEADER_REQUEST);
    memset(header.exchange_id, 0x5a, EXCHANGE_ID_BYTES);
    memcpy(header.exchange_id, first, 4);
    header.exchange_id[EXCHANGE_ID_BYTES - 1] = last;
    forge_append(self, CALLER, &header, self->time_ms);
}

/* 0: the start. 1, 2: two exchanges that begin alike. 3: one of digits alone, 4: one that looks
 * like the index of an entry. */
static struct forge *some_log(void)
{
    struct forge *self = forge_new(CALLER);
    forge_own(self, HEADER_STARTED);
    put_request(self, (const uint8_t[]){0xab, 0xcd, 0xef, 0x01}, 1);
    put_request(self, (const uint8_t[]){0xab, 0xcd, 0xef, 0x01}, 2);
    put_request(self, (const uint8_t[]){0x98, 0x76, 0x54, 0x32}, 3);
    put_request(self, (const uint8_t[]){0x00, 0x00, 0x00, 0x01}, 4);
    forge_checkpoint(self);
    forge_publish(self);
    return self;
}

/* "request" when the folder of an exchange came out, "" when it is that of an entry. */
static fault export(const struct forge *self, const char *id, const char **in)
{
    char to[300], path[400];
    struct audit_arguments arguments = {.count = 2, .positional = {self->folder, id}, .to = to};
    static int count;
    snprintf(to, sizeof to, "%s-out%d", self->folder, count++);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO), none = open("/dev/null", O_WRONLY);
    dup2(none, STDOUT_FILENO);
    fault f = export_command(&arguments);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(none);
    snprintf(path, sizeof path, "%s/request/leaf.p7m", to);
    *in = access(path, F_OK) == 0 ? "request" : "";
    return f;
}

static void is_exchange(const struct forge *self, const char *id)
{
    const char *in = NULL;
    MUST(export(self, id, &in));
    CU_ASSERT_STRING_EQUAL(in, "request");
}

static void is_refused(const struct forge *self, const char *id, enum fault_code code,
                       const char *words)
{
    const char *in = NULL;
    fault f = export(self, id, &in);
    CU_ASSERT_EQUAL(f.code, code);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), words));
}

static void test_an_exchange_is_exported_by_its_first_digits(void)
{
    OWNED(forge) self = some_log();
    is_exchange(self, "98765432-5a5a-5a5a-5a5a-5a5a5a5a5a03");
    is_exchange(self, "98765432"); /* no entry has that number */
    is_exchange(self, "abcdef01-5a5a-5a5a-5a5a-5a5a5a5a5a01");
}

static void test_digits_that_two_exchanges_begin_with_name_none(void)
{
    OWNED(forge) self = some_log();
    is_refused(self, "abcdef01", BAD_REQUEST, "give more digits");
    is_refused(self, "abcdef02", NOT_FOUND, "no entry of this exchange");
    is_refused(self, "abcdef0", BAD_REQUEST, "neither the index of an entry nor an exchange");
}

static void test_a_number_that_is_an_entry_and_an_exchange_is_neither(void)
{
    const char *in = NULL;
    OWNED(forge) self = some_log();
    is_refused(self, "00000001", BAD_REQUEST, "with a dash behind its digits");
    is_exchange(self, "00000001-");
    MUST(export(self, "1", &in));
    CU_ASSERT_STRING_EQUAL(in, "");
    is_refused(self, "5", NOT_FOUND, "the log has 5 entries");
}

SUITE(export, TEST(test_an_exchange_is_exported_by_its_first_digits),
      TEST(test_digits_that_two_exchanges_begin_with_name_none),
      TEST(test_a_number_that_is_an_entry_and_an_exchange_is_neither))
