// SPDX-License-Identifier: MIT
/* tests/golden/once-only.md, which lawyers read: what the log shows, and whether a citizen may be
 * asked. */
#include "security-server/exchange/permit_decision.h"

#include "lib/bus/audit_log.h"
#include "tests/unit/bus/golden.h"

#define CASES "tests/golden/once-only.md"
#define LEAVES_MAX 4
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

enum log_column { L_WHEN, L_SOURCE, L_ABOUT, L_CASE, L_ANSWER, L_WAITED, L_COLUMNS };
enum column {
    NUMBER,
    WAYS,
    DAYS,
    REASON,
    ABOUT,
    IN_CASE,
    WHEN,
    DECISION,
    GOOD_FOR,
    LEANS_ON,
    BECAUSE,
    COLUMNS
};

/* Their pseudonym; of nobody there is none. */
static struct span person(const char *name)
{
    static const struct sha256 ana = {{7}}, blas = {{8}};
    if (name[0] == '\0' || strcmp(name, "nobody") == 0)
        return span_of("", 0);
    CU_ASSERT_FATAL(strcmp(name, "Ana") == 0 || strcmp(name, "Blas") == 0);
    return sha256_span(name[0] == 'A' ? &ana : &blas);
}

// --- what the log shows -------------------------------------------------------------------------

static void fill_answer(const char *word, struct header *out)
{
    if (strcmp(word, "no answer") == 0)
        out->fault = SERVICE_TIMEOUT;
    else if (strcmp(word, "server down") == 0)
        out->fault = SERVICE_DOWN;
    else if (strcmp(word, "refused by a rule") == 0)
        out->fault = ACCESS_DENIED;
    else
        out->status = (unsigned)strtoul(word, NULL, 10);
    CU_ASSERT_FATAL(out->fault != 0 || out->status >= 200);
}

/* Its place is the number of the line. */
static void recall(struct outages *outages, size_t line, char *const *cell)
{
    struct header answer = {.time_ms = golden_ms(cell[L_WHEN])};
    struct header request = {.time_ms =
                                 answer.time_ms - 1000 * (int)strtol(cell[L_WAITED], NULL, 10),
                             .source = span_of_text(cell[L_SOURCE]),
                             .case_ref = span_of_text(cell[L_CASE]),
                             .requirement = span_of_text("vive-aqui"),
                             .subject = person(cell[L_ABOUT])};
    fill_answer(cell[L_ANSWER], &answer);
    outages_recall(outages, &request, &answer,
                   &(struct outcome_place){audit_place(1, line), {{3}}});
}

static struct outages *outages_until(const struct golden *log, int64_t at_ms)
{
    struct outages *outages = outages_new();
    for (size_t i = 0; i < log->rows; i++) {
        CU_ASSERT_EQUAL_FATAL(log->row[i].cells, L_COLUMNS);
        if (golden_ms(log->row[i].cell[L_WHEN]) <= at_ms)
            recall(outages, i, log->row[i].cell);
    }
    return outages;
}

// --- ways ---------------------------------------------------------------------------------------

/* One requirement, and what proves it. */
struct sample {
    char text[200]; /* names point into it */
    struct directory_requirement requirement;
    struct directory_satisfaction satisfaction;
    struct directory_evidence_type type;
    struct directory_source source[LEAVES_MAX];
    struct plan_leaf leaf[LEAVES_MAX];
    size_t leaves;
    struct plan_way way[LEAVES_MAX];
    struct plan_requirement asked;
};

static void add_leaf(struct sample *self, char *word)
{
    CU_ASSERT_FATAL(self->leaves < LEAVES_MAX);
    struct plan_leaf *leaf = &self->leaf[self->leaves];
    struct plan_way *way = &self->way[self->asked.ways - 1];
    *leaf = (struct plan_leaf){.type = &self->type};
    if (strncmp(word, "nobody", 6) == 0) {
        leaf->state = way->state = PLAN_NO_SOURCE;
        leaf->reason = "no source is registered";
        leaf->until_ms = word[6] == '\0' ? 0 : golden_ms(word + strlen("nobody until "));
    } else {
        self->source[self->leaves] =
            (struct directory_source){.id = word, .service = "CO/GOV/1/S/uno"};
        leaf->state = PLAN_READY;
        leaf->source = &self->source[self->leaves];
    }
    self->leaves++;
    way->leaves++;
}

static void add_way(struct sample *self, char *words)
{
    struct plan_way *way = &self->way[self->asked.ways++];
    *way = (struct plan_way){PLAN_READY, 0, &self->leaf[self->leaves]};
    for (char *plus; words != NULL; words = plus) {
        plus = strstr(words, " + ");
        if (plus != NULL) {
            *plus = '\0';
            plus += 3;
        }
        add_leaf(self, words);
    }
    if (way->state == PLAN_READY || self->asked.ways == 1)
        self->asked.state = way->state; /* the best of them */
}

static void sample_make(struct sample *self, char *const *cell)
{
    bool registered = strcmp(cell[WAYS], "nothing proves it") == 0;
    *self = (struct sample){.requirement = {"vive-aqui", "Vive en el municipio", ""},
                            .type = {.id = "E-1", .title = "Certificado"}};
    snprintf(self->text, sizeof self->text, "%s", cell[WAYS]);
    self->type.days_max = (unsigned)strtoul(cell[DAYS], NULL, 10);
    self->asked = (struct plan_requirement){.state = PLAN_NO_MATCH,
                                            .requirement = &self->requirement,
                                            .satisfaction = registered ? &self->satisfaction : NULL,
                                            .way = self->way};
    if (registered || strcmp(cell[WAYS], "nothing is said") == 0)
        return;
    for (char *word = self->text, * or ; word != NULL; word = or) {
        or = strstr(word, " or ");
        if (or != NULL) {
            * or = '\0';
            or += 4;
        }
        add_way(self, word);
    }
}

// --- answers ------------------------------------------------------------------------------------

/* "9 days 14 hours" */
static int64_t duration_ms(const char *text)
{
    int64_t all = 0;
    char unit[16];
    unsigned count = 0;
    int used = 0;
    for (; sscanf(text, " %u %15s%n", &count, unit, &used) == 2; text += used)
        all += count * (unit[0] == 'd' ? DAY_MS : HOUR_MS);
    return all;
}

/* A permit ends within the hour that is written: a question is asked at some minute. */
static bool is_good_for(const struct permit_verdict *verdict, const char *text)
{
    int64_t written_ms = duration_ms(text);
    return verdict->permit_ms <= written_ms && verdict->permit_ms > written_ms - HOUR_MS;
}

/* "S-DOWN 10:00:30": of that source, and of that time. */
static bool leans_on(const struct permit_verdict *verdict, const struct golden *log,
                     const char *text)
{
    char said[64] = "";
    if (verdict->has_evidence) {
        char *const *cell = log->row[audit_place_index(verdict->evidence.place)].cell;
        CU_ASSERT_STRING_EQUAL(verdict->leaf->source->id, cell[L_SOURCE]);
        snprintf(said, sizeof said, "%s %s", cell[L_SOURCE], strchr(cell[L_WHEN], ' ') + 1);
    } else if (verdict->denied && verdict->leaf != NULL) {
        snprintf(said, sizeof said, "%s", verdict->leaf->source->id);
    }
    return strcmp(said, text) == 0;
}

static bool is_as_written(const struct permit_verdict *verdict, const struct golden *log,
                          char *const *cell)
{
    const char *decision = verdict->denied ? "denied" : permit_reason_word(verdict->reason);
    bool good =
        strcmp(decision, cell[DECISION]) == 0 && leans_on(verdict, log, cell[LEANS_ON]) &&
        (verdict->denied ? cell[GOOD_FOR][0] == '\0' : is_good_for(verdict, cell[GOOD_FOR]));
    if (!good)
        fprintf(stderr, "  case %s: %s for %lld s, leaning on %s\n", cell[NUMBER], decision,
                (long long)verdict->permit_ms / 1000,
                verdict->leaf == NULL || verdict->leaf->source == NULL ? "nothing"
                                                                       : verdict->leaf->source->id);
    return good;
}

static void test_permits_are_given_and_denied_as_it_is_written(void)
{
    OWNED(golden) log = golden_read(CASES, "What the log shows");
    OWNED(golden) cases = golden_read(CASES, "Permits");
    unsigned seen[PERMIT_REASONS_END] = {0};
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        struct sample sample;
        struct permit_verdict verdict;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, COLUMNS);
        CU_ASSERT_EQUAL(strtoul(cell[NUMBER], NULL, 10), i + 1);
        CU_ASSERT_STRING_EQUAL(permit_reason_word(permit_reason_of(cell[REASON])), cell[REASON]);
        int64_t now_ms = golden_ms(cell[WHEN]);
        struct outages *outages = outages_until(log, now_ms);
        sample_make(&sample, cell);
        permit_decide(&(struct permit_question){.requirement = &sample.asked,
                                                .wanted = permit_reason_of(cell[REASON]),
                                                .case_ref = cell[IN_CASE],
                                                .subject = person(cell[ABOUT]),
                                                .outages = outages,
                                                .log_epoch = 1,
                                                .now_ms = now_ms},
                      &verdict);
        CU_ASSERT(is_as_written(&verdict, log, cell));
        CU_ASSERT_EQUAL(verdict.has_evidence, permit_reason_needs_evidence(verdict.reason));
        seen[verdict.denied ? 0 : verdict.reason]++;
        outages_free(&outages);
    }
    for (size_t i = 0; i < PERMIT_REASONS_END; i++)
        CU_ASSERT(seen[i] > 0);
}

SUITE(permit_golden, TEST(test_permits_are_given_and_denied_as_it_is_written))
