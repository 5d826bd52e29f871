// SPDX-License-Identifier: MIT
/* Two logs of the same exchanges: copied at different moments, cut, and thinned out. */
#include "lib/base/clock.h"
#include "lib/bus/pair_type.h"
#include "lib/crypto/merkle.h"
#include "tests/unit/tools/forge.h"

#define EXCHANGES 6
#define ENTRIES (1 + 2 * EXCHANGES) /* of the provider: a start, then request and answer */
#define ALIKE "both sides hold the same leaves"

/* The provider's log as it was written; what an auditor is given of it are copies. */
struct story {
    struct bytes *leaf[ENTRIES], *blob[ENTRIES];
    int64_t time_ms[ENTRIES];
};

static void story_clear(struct story *self)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        bytes_free(&self->leaf[i]);
        bytes_free(&self->blob[i]);
    }
}

/* The caller signs over an empty log, so that its copy may be made of any of these. */
static struct forge *told(struct story *out, bool provider_lies)
{
    struct merkle none = {0};
    struct forge *self = forge_new(PROVIDER);
    out->time_ms[0] = self->time_ms;
    forge_own(self, HEADER_STARTED);
    for (size_t i = 1; i < ENTRIES; i += 2) {
        struct header request = forge_header(self, CALLER, HEADER_REQUEST);
        request.log_epoch = 1;
        request.log_root = merkle_root(&none);
        struct sha256 asked = forge_append(self, CALLER, &request, request.time_ms);
        struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
        memcpy(response.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
        response.has_reply_to = true;
        response.reply_to = asked;
        if (provider_lies) {
            response.log_size = 0;
            response.log_root = merkle_root(&none);
        }
        out->time_ms[i] = request.time_ms;
        out->time_ms[i + 1] = response.time_ms;
        forge_append(self, PROVIDER, &response, response.time_ms);
    }
    for (size_t i = 0; i < ENTRIES; i++)
        MUST(audit_log_read(self->log, audit_place(1, i), &out->leaf[i], &out->blob[i]));
    return self;
}

static void replay(struct forge *self, const struct story *story, size_t at)
{
    struct audit_record record = {.leaf = bytes_span(story->leaf[at]),
                                  .blob = bytes_span(story->blob[at])};
    MUST(audit_log_append(self->log, &record, 1, story->time_ms[at]));
    self->head = audit_log_head(self->log);
}

static void begin(struct forge *self, enum forge_side whose, const char *name)
{
    snprintf(self->folder, sizeof self->folder, "%s/%s", unit_folder(), name);
    MUST(file_make_folders(self->folder, 0700));
    self->whose = whose;
    forge_open(self, 1);
}

static void end(struct forge *self)
{
    forge_checkpoint(self);
    forge_publish(self);
}

/* The first `count` entries of the provider's log. */
static void copy_provider(struct forge *self, const struct story *story, size_t count)
{
    begin(self, PROVIDER, "provider");
    for (size_t i = 0; i < count; i++)
        replay(self, story, i);
    end(self);
    snprintf(self->other, sizeof self->other, "%s", self->folder);
}

/* All that the caller has, but for one exchange (0: none is left out). */
static void begin_caller(struct forge *self, const struct story *story, size_t without)
{
    begin(self, CALLER, "caller");
    self->time_ms = story->time_ms[0];
    forge_own(self, HEADER_STARTED);
    for (size_t i = 1; i < ENTRIES; i++)
        if ((i + 1) / 2 != without)
            replay(self, story, i);
    self->time_ms = story->time_ms[ENTRIES - 1] + 10;
}

static void copy_caller(struct forge *self, const struct story *story, size_t without)
{
    begin_caller(self, story, without);
    forge_own(self, HEADER_STOPPED);
    end(self);
}

static json_int_t findings(const json_t *said)
{
    return json_integer_value(json_object_get(said, "count"));
}

static json_int_t type_count(const json_t *said, enum pair_type type)
{
    json_t *pair = json_array_get(json_object_get(said, "pairs"), 0);
    json_t *one = json_array_get(json_object_get(pair, "types"), (size_t)type - 1);
    return json_integer_value(json_object_get(one, "count"));
}

// --- copies of different ages -------------------------------------------------------------------

static void test_an_older_copy_is_one_finding_whichever_log_comes_first(void)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, false);
    copy_provider(self, &story, 7);
    copy_caller(self, &story, 0);
    const char *const orders[][2] = {{self->folder, self->other}, {self->other, self->folder}};
    for (size_t i = 0; i < 2; i++) {
        json_t *said = forge_verify_all(self, orders[i], 2);
        CU_ASSERT_EQUAL(findings(said), 1);
        CU_ASSERT_EQUAL(forge_count(said, "older copy", "ends after 7 entries"), 1);
        CU_ASSERT_EQUAL(forge_count(said, "older copy", "hold 6 records from beyond"), 1);
        CU_ASSERT_EQUAL(forge_count(said, "older copy", "is of 12 entries"), 1);
        json_decref(said);
    }
    story_clear(&story);
}

static void test_copies_of_one_moment_are_clean(void)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, false);
    copy_provider(self, &story, ENTRIES);
    copy_caller(self, &story, 0);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(findings(said), 0);
    json_decref(said);
    story_clear(&story);
}

static json_t *verdict_as_of(struct forge *self, int64_t time_ms)
{
    char text[32];
    clock_text(time_ms, text, sizeof text);
    self->as_of = text;
    json_t *said = forge_verify(self);
    self->as_of = NULL;
    return said;
}

static void test_an_older_copy_is_clean_up_to_where_others_vouch_for_it(void)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, false);
    copy_provider(self, &story, 7);
    copy_caller(self, &story, 0);
    json_t *said = verdict_as_of(self, story.time_ms[4]);
    CU_ASSERT_EQUAL(findings(said), 0);
    json_decref(said);
    /* entry 6 stands under no head of it that anybody else holds */
    said = verdict_as_of(self, story.time_ms[6]);
    CU_ASSERT_EQUAL(findings(said), 1);
    CU_ASSERT_EQUAL(forge_count(said, "older copy", "is of 12 entries"), 1);
    json_decref(said);
    story_clear(&story);
}

static void test_an_epoch_that_began_after_the_moment_is_not_missed(void)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, false);
    struct merkle none = {0};
    copy_provider(self, &story, 7);
    begin_caller(self, &story, 0);
    struct header request = forge_header(self, PROVIDER, HEADER_REQUEST);
    request.log_epoch = 2;
    request.log_root = merkle_root(&none);
    forge_append(self, PROVIDER, &request, request.time_ms);
    forge_own(self, HEADER_STOPPED);
    end(self);
    json_t *said = verdict_as_of(self, story.time_ms[4]);
    CU_ASSERT_EQUAL(findings(said), 0);
    json_decref(said);
    said = verdict_as_of(self, story.time_ms[6]); /* which it does not reach */
    CU_ASSERT_EQUAL(forge_count(said, "append only", "a head of epoch 2"), 1);
    json_decref(said);
    story_clear(&story);
}

static void test_a_cut_before_the_moment_is_found(void)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, false);
    copy_provider(self, &story, 3);
    copy_caller(self, &story, 0);
    json_t *said = verdict_as_of(self, story.time_ms[4]);
    CU_ASSERT_EQUAL(findings(said), 1);
    CU_ASSERT_EQUAL(forge_count(said, "older copy", "hold 2 records from beyond"), 1);
    json_decref(said);
    story_clear(&story);
}

/* Of what was cut, nothing up to the moment is in the other log: only heads show it. */
static void is_found_with_a_new_end(bool handed_out)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, false);
    begin(self, PROVIDER, "provider");
    for (size_t i = 0; i < 3; i++)
        replay(self, &story, i);
    self->time_ms = story.time_ms[ENTRIES - 1];
    forge_own(self, HEADER_STOPPED);
    end(self);
    snprintf(self->other, sizeof self->other, "%s", self->folder);
    struct audit_head forked = self->head;
    begin_caller(self, &story, 0);
    if (handed_out) {
        struct header request = forge_header(self, PROVIDER, HEADER_REQUEST);
        request.log_epoch = 1;
        request.log_size = forked.size;
        request.log_root = forked.root;
        forge_append(self, PROVIDER, &request, request.time_ms);
    }
    forge_own(self, HEADER_STOPPED);
    end(self);
    json_t *said = verdict_as_of(self, story.time_ms[2] + 1);
    CU_ASSERT_EQUAL(forge_count(said, "older copy", "is of 12 entries"), 1);
    json_decref(said);
    story_clear(&story);
}

static void test_a_record_signed_over_a_cut_does_not_make_it_reach_the_moment(void)
{
    is_found_with_a_new_end(false);
}

static void test_nor_does_a_head_of_the_new_end_that_was_handed_out_since(void)
{
    is_found_with_a_new_end(true);
}

// --- thinned out --------------------------------------------------------------------------------

static void test_a_request_that_its_signer_no_longer_has_is_found(void)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, false);
    copy_provider(self, &story, ENTRIES);
    copy_caller(self, &story, 2);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(findings(said), 1);
    CU_ASSERT_EQUAL(forge_count(said, ALIKE, "is not in its own log (type 2"), 1);
    CU_ASSERT_EQUAL(type_count(said, 2), 1);
    json_decref(said);
    story_clear(&story);
}

static void test_a_request_that_was_answered_and_is_not_there_is_found(void)
{
    struct story story = {0};
    OWNED(forge) self = told(&story, true);
    begin(self, PROVIDER, "provider");
    replay(self, &story, 0);
    self->time_ms = story.time_ms[ENTRIES - 1];
    forge_own(self, HEADER_STOPPED);
    end(self);
    snprintf(self->other, sizeof self->other, "%s", self->folder);
    copy_caller(self, &story, 0);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(findings(said), 2 * EXCHANGES);
    CU_ASSERT_EQUAL(forge_count(said, ALIKE, "is not in its log (type 1"), EXCHANGES);
    CU_ASSERT_EQUAL(forge_count(said, ALIKE, "is not in its own log (type 4"), EXCHANGES);
    json_decref(said);
    story_clear(&story);
}

SUITE(verify_pairs, TEST(test_an_older_copy_is_one_finding_whichever_log_comes_first),
      TEST(test_copies_of_one_moment_are_clean),
      TEST(test_an_older_copy_is_clean_up_to_where_others_vouch_for_it),
      TEST(test_an_epoch_that_began_after_the_moment_is_not_missed),
      TEST(test_a_cut_before_the_moment_is_found),
      TEST(test_a_record_signed_over_a_cut_does_not_make_it_reach_the_moment),
      TEST(test_nor_does_a_head_of_the_new_end_that_was_handed_out_since),
      TEST(test_a_request_that_its_signer_no_longer_has_is_found),
      TEST(test_a_request_that_was_answered_and_is_not_there_is_found))
