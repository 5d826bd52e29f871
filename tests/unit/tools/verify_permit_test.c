// SPDX-License-Identifier: MIT
#include "lib/bus/permit_code.h"
#include "tests/unit/tools/forge.h"

#define SERVICE DANE "/DIVIPOLA/abierto"
#define DEADLINE_MS 6000 /* what a collection gives a source */

/* Outcomes of one source's query, and a permit that leans on the last of them. */
struct play {
    struct forge *forge;
    struct sha256 last; /* the leaf of the last outcome */
    uint64_t at;        /* its entry */
};

static struct play play_new(void)
{
    struct play self = {.forge = forge_new(CALLER)};
    forge_own(self.forge, HEADER_STARTED);
    return self;
}

struct query {
    const char *source, *case_ref;
    bool about_nobody;
    unsigned status;
    uint32_t fault; /* 0: the source answered with that status */
};

static void ask(struct play *self, const struct query *query)
{
    static const uint8_t pseudonym[32] = {7};
    struct forge *forge = self->forge;
    struct header request = forge_header(forge, CALLER, HEADER_REQUEST);
    if (query->source != NULL) {
        request.source = span_of_text(query->source);
        request.procedure = span_of_text("T-1");
        request.requirement = span_of_text("R-1");
    }
    request.case_ref = span_of_text(query->case_ref);
    if (!query->about_nobody) {
        request.subject = span_of(pseudonym, sizeof pseudonym);
        request.subject_year = 2026;
    }
    request.deadline_ms = request.time_ms + DEADLINE_MS;
    struct sha256 asked = forge_append(forge, CALLER, &request, request.time_ms);
    struct header outcome = forge_header(forge, query->fault == 0 ? PROVIDER : CALLER,
                                         query->fault == 0 ? HEADER_RESPONSE : HEADER_FAULT);
    memcpy(outcome.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    outcome.sender = span_of_text(forge_subsystem[PROVIDER]);
    outcome.receiver = span_of_text(forge_subsystem[CALLER]);
    outcome.receiver_server = span_of_text(forge_server[CALLER]);
    if (query->fault != 0) { /* this server's own word */
        outcome.sender = span_of_text(forge_server[CALLER]);
        outcome.time_ms += DEADLINE_MS;
    }
    outcome.status = query->status;
    outcome.fault = query->fault;
    outcome.has_reply_to = true;
    outcome.reply_to = asked;
    self->at = forge->head.size;
    self->last =
        forge_append(forge, query->fault == 0 ? PROVIDER : CALLER, &outcome, outcome.time_ms);
}

static const struct query down = {"S-1", "2026-17", false, 503, 0};
static const struct query up = {"S-1", "2026-18", false, 200, 0};
static const struct query not_found = {"S-1", "2026-17", false, 404, 0};

static void later(struct play *self, int64_t ms)
{
    self->forge->time_ms += ms;
}

/* In case 2026-17. The entry of it. */
static int permit(struct play *self, enum permit_reason reason)
{
    struct forge *forge = self->forge;
    struct header header = forge_header(forge, CALLER, HEADER_PERMIT);
    char code[PERMIT_CODE_ROOM];
    permit_code_make(4711, code);
    struct header_permit said = {.code = span_of_text(code),
                                 .reason = reason,
                                 .until_ms = header.time_ms + 1000,
                                 .has_evidence = true,
                                 .evidence = self->last,
                                 .evidence_index = self->at,
                                 .service = span_of_text(SERVICE)};
    if (reason == PERMIT_SOURCE_DOWN)
        said.since_ms = header.time_ms - OUTAGE_SPACING_MS;
    header.receiver = span_of_text(forge_subsystem[CALLER]);
    header.procedure = span_of_text("T-1");
    header.requirement = span_of_text("R-1");
    header.case_ref = span_of_text("2026-17");
    header.territory = span_of_text("05001");
    header.permit = &said;
    forge_append(forge, CALLER, &header, header.time_ms);
    return (int)forge->head.size - 1;
}

static void is_sound(struct play *self)
{
    forge_finds(self->forge, "permit", 0, -1);
    forge_free(&self->forge);
}

/* The one finding is about that entry, and says so. */
static void is_found(struct play *self, int entry, const char *words)
{
    forge_own(self->forge, HEADER_STOPPED);
    forge_checkpoint(self->forge);
    forge_publish(self->forge);
    json_t *said = forge_verify(self->forge);
    json_t *list = json_object_get(said, "findings");
    CU_ASSERT_EQUAL(json_array_size(list), 1);
    CU_ASSERT_EQUAL(forge_count(said, "permit", words), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(list, 0), "entry")), entry);
    if (forge_count(said, "permit", words) != 1)
        json_dumpf(list, stderr, JSON_INDENT(1));
    json_decref(said);
    forge_free(&self->forge);
}

static void test_what_an_honest_log_bears_out_is_sound(void)
{
    struct play self = play_new();
    ask(&self, &down);
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &down);
    permit(&self, PERMIT_SOURCE_DOWN);
    ask(&self, &not_found);
    permit(&self, PERMIT_NO_UNIQUE_MATCH);
    ask(&self, &(struct query){"S-1", "2026-17", false, 200, 0});
    permit(&self, PERMIT_STALE);
    is_sound(&self);
}

static void test_the_record_must_stand_there(void)
{
    struct play self = play_new();
    ask(&self, &not_found);
    self.last.at[0] ^= 1;
    is_found(&self, permit(&self, PERMIT_NO_UNIQUE_MATCH), "another record stands there");

    self = play_new();
    ask(&self, &not_found);
    self.at = self.forge->head.size; /* itself */
    is_found(&self, permit(&self, PERMIT_NO_UNIQUE_MATCH), "no such record stood before it");

    self = play_new();
    ask(&self, &not_found);
    self.at = 100000;
    is_found(&self, permit(&self, PERMIT_NO_UNIQUE_MATCH), "no such record stood before it");
}

static void test_the_record_must_be_the_outcome_of_a_sources_own_query(void)
{
    struct play self = play_new();
    self.last = forge_own(self.forge, HEADER_NOTICE);
    self.at = self.forge->head.size - 1;
    is_found(&self, permit(&self, PERMIT_NO_UNIQUE_MATCH), "the outcome of nothing");

    self = play_new();
    ask(&self, &(struct query){NULL, "2026-17", false, 404, 0});
    is_found(&self, permit(&self, PERMIT_NO_UNIQUE_MATCH), "no query that a collection sent");
}

static void test_of_the_case_and_of_a_person(void)
{
    static const struct {
        struct query query;
        enum permit_reason reason;
        const char *words;
    } bad[] = {
        {{"S-1", "2026-18", false, 404, 0}, PERMIT_NO_UNIQUE_MATCH, "another case"},
        {{"S-1", "2026-17", true, 404, 0}, PERMIT_NO_UNIQUE_MATCH, "about nobody"},
        {{"S-1", "2026-17", false, 200, 0}, PERMIT_NO_UNIQUE_MATCH, "no such answer"},
        {{"S-1", "2026-17", false, 404, 0}, PERMIT_STALE, "no such answer"},
        {{"S-1", "2026-17", false, 0, ACCESS_DENIED}, PERMIT_NO_UNIQUE_MATCH, "no such answer"},
        {{"S-1", "2026-17", false, 0, ACCESS_DENIED}, PERMIT_SOURCE_DOWN, "no failure"},
        {{"S-1", "2026-17", false, 501, 0}, PERMIT_SOURCE_DOWN, "no failure"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct play self = play_new();
        ask(&self, &bad[i].query);
        later(&self, DEADLINE_MS);
        is_found(&self, permit(&self, bad[i].reason), bad[i].words);
    }
}

static void test_a_record_grows_too_old(void)
{
    struct play self = play_new();
    ask(&self, &not_found);
    later(&self, OUTAGE_WINDOW_MS);
    permit(&self, PERMIT_NO_UNIQUE_MATCH);
    later(&self, DEADLINE_MS + OUTAGE_PATIENCE_MS);
    is_found(&self, permit(&self, PERMIT_NO_UNIQUE_MATCH), "too old");
}

/* An outage is two failures some time apart, near one another, and no answer between or since. */
static void test_one_failure_is_no_outage(void)
{
    struct play self = play_new();
    ask(&self, &down);
    later(&self, 2 * OUTAGE_SPACING_MS);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "the only failure");

    self = play_new();
    ask(&self, &down);
    later(&self, OUTAGE_SPACING_MS - DEADLINE_MS - OUTAGE_PATIENCE_MS - 100);
    ask(&self, &down);
    later(&self, 2 * OUTAGE_SPACING_MS);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "came at once");

    self = play_new();
    ask(&self, &down);
    later(&self, OUTAGE_WINDOW_MS + DEADLINE_MS + OUTAGE_PATIENCE_MS + 1);
    ask(&self, &down);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "for long before");

    self = play_new();
    ask(&self, &(struct query){"S-2", "2026-17", false, 503, 0});
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &down);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "the only failure");
}

/* A 5xx is an answer about somebody, and bears out what is asked about the same alone. */
static void test_what_a_source_breaks_on_bears_nothing_else_out(void)
{
    static const struct query other_case = {"S-1", "2026-18", false, 503, 0};
    static const struct query nobody = {"S-1", "2026-17", true, 503, 0};
    struct play self = play_new();
    ask(&self, &other_case);
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &other_case);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "another case");

    self = play_new();
    ask(&self, &nobody);
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &nobody);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "about nobody");

    self = play_new();
    ask(&self, &other_case);
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &down);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "the only failure");

    self = play_new();
    ask(&self, &down);
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &(struct query){"S-1", "2026-18", false, 0, SERVICE_DOWN});
    later(&self, DEADLINE_MS);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "the only failure");
}

static void test_an_answer_ends_an_outage(void)
{
    struct play self = play_new();
    ask(&self, &down);
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &up);
    ask(&self, &down);
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "had answered since");

    self = play_new();
    ask(&self, &down);
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &down);
    struct sha256 last = self.last;
    uint64_t at = self.at;
    ask(&self, &up);
    later(&self, DEADLINE_MS + OUTAGE_PATIENCE_MS);
    self.last = last;
    self.at = at;
    is_found(&self, permit(&self, PERMIT_SOURCE_DOWN), "before the permit was given");
}

/* Who gave a source no time has not seen it fail. */
static void test_a_wait_in_vain_is_a_failure(void)
{
    struct play self = play_new();
    ask(&self, &(struct query){"S-1", "2026-17", false, 0, PEER_UNREACHABLE});
    later(&self, OUTAGE_SPACING_MS);
    ask(&self, &(struct query){"S-1", "2026-17", false, 0, DEADLINE_PASSED});
    later(&self, DEADLINE_MS);
    permit(&self, PERMIT_SOURCE_DOWN);
    is_sound(&self);
}

SUITE(verify_permit, TEST(test_what_an_honest_log_bears_out_is_sound),
      TEST(test_the_record_must_stand_there),
      TEST(test_the_record_must_be_the_outcome_of_a_sources_own_query),
      TEST(test_of_the_case_and_of_a_person), TEST(test_a_record_grows_too_old),
      TEST(test_one_failure_is_no_outage),
      TEST(test_what_a_source_breaks_on_bears_nothing_else_out),
      TEST(test_an_answer_ends_an_outage), TEST(test_a_wait_in_vain_is_a_failure))
