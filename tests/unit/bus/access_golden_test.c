// SPDX-License-Identifier: MIT
/* tests/golden/access.md, which lawyers read, played act by act and question by question. */
#include "lib/bus/access.h"
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/policy_columns.h"

#include "tests/unit/bus/approved.h"
#include "tests/unit/bus/golden.h"

#define CASES "tests/golden/access.md"

struct country {
    struct book *book; /* members, servers and subsystems, in the order of acts */
    struct golden *who, *acts;
};

static void country_free(struct country *self)
{
    book_free(&self->book);
    golden_free(&self->who);
    golden_free(&self->acts);
}

/* "Medellín" is a subsystem; what else there is, a class or a group, stands for itself. */
static const char *subsystem_of(const struct country *self, const char *name)
{
    for (size_t i = 0; i < self->who->rows; i++)
        if (strcmp(self->who->row[i].cell[0], name) == 0)
            return self->who->row[i].cell[1];
    return name;
}

static struct country country_new(void)
{
    struct country self = {book_new(), golden_read(CASES, "Who"),
                           golden_read(CASES, "What happened")};
    for (size_t i = 0; i < self.who->rows; i++) {
        OWNED(keypair) key = NULL;
        char member[128], server[160];
        const char *subsystem = self.who->row[i].cell[1];
        snprintf(member, sizeof member, "%s", subsystem);
        *strrchr(member, '/') = '\0';
        snprintf(server, sizeof server, "%s/SS1", member);
        OWNED(certificate) certificate = book_issue(self.book, member, "SS1", &key);
        book_member(self.book, member, strcmp(self.who->row[i].cell[2], "public agency") == 0);
        book_server(self.book, server, "tcp://[::1]:5500", (uint8_t)(i + 1), certificate);
        book_subsystem(self.book, subsystem, server);
    }
    return self;
}

// --- acts ---------------------------------------------------------------------------------------

enum column { WHEN, WHAT, ID, SERVICE, WHO, PURPOSE, UNTIL, WORDS };

struct play {
    const struct country *country;
    struct approved acts;
};

/* The whole name of a service, by its last part: the owner stands in the act that set it. "name:
 * part" is one of its endpoints or columns. */
static const char *service_of(const struct play *self, const char *cell)
{
    static char id[256];
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(cell, ":"), cell);
    const struct golden *acts = self->country->acts;
    for (size_t i = 0; i < acts->rows; i++)
        if (strstr(acts->row[i].cell[WHAT], " service") != NULL &&
            strcmp(acts->row[i].cell[SERVICE], name) == 0) {
            snprintf(id, sizeof id, "%s/%s", subsystem_of(self->country, acts->row[i].cell[WHO]),
                     name);
            return id;
        }
    snprintf(id, sizeof id, "%s", name);
    return id;
}

struct part {
    char *name;
    bool endpoint, column;
};

static struct part part_of(const struct play *self, const char *cell)
{
    const char *colon = strstr(cell, ": ");
    if (colon == NULL)
        return (struct part){book_text(""), false, false};
    const struct directory_service *service =
        directory_service(self->acts.state, span_of_text(service_of(self, cell)));
    bool endpoint = service != NULL && directory_endpoint(service, span_of_text(colon + 2)) != NULL;
    return (struct part){book_text(colon + 2), endpoint, !endpoint};
}

#define PART(it, part)                                                                           \
    (it)->n_endpoint = part.endpoint, (it)->endpoint = &part.name, (it)->n_column = part.column, \
    (it)->column = &part.name

#define ACT(KIND, field, type_init, ...)                     \
    ({                                                       \
        Chaski__Act act_ = CHASKI__ACT__INIT;                \
        __typeof__(*act_.field) inner_ = type_init;          \
        __typeof__(inner_) *it = &inner_;                    \
        __VA_ARGS__;                                         \
        act_.act_case = CHASKI__ACT__ACT_##KIND;             \
        act_.field = &inner_;                                \
        approved_apply(&self->acts, &act_, at_ms, reviewer); \
    })

static fault set_calendar(struct play *self, const char *days, int64_t at_ms)
{
    char words[1024];
    static const char *const reviewer = NULL;
    uint32_t weekend[] = {0, 6}, holiday[64];
    size_t count = 0;
    char *rest = NULL;
    snprintf(words, sizeof words, "%s", days);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        CU_ASSERT_FATAL(count < 64);
        holiday[count++] = (uint32_t)strtoul(word, NULL, 10);
    }
    return ACT(CALENDAR_SET, calendar_set, CHASKI__CALENDAR_SET__INIT,
               it->utc_offset_minutes = -300, it->n_weekend = 2, it->weekend = weekend,
               it->first_year = 2026, it->last_year = 2028, it->n_holiday = count,
               it->holiday = holiday, it->answer_days = 10, it->decide_days = 15);
}

/* "resumen salud": endpoints, each of its own path, or columns. */
static fault set_service(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    bool shared = strncmp(cell[WHAT], "shared", 6) == 0;
    bool of_endpoints = strstr(cell[WHAT], "of endpoints") != NULL;
    bool of_columns = strstr(cell[WHAT], "of columns") != NULL;
    Chaski__ServiceClass class =
        shared ? CHASKI__SERVICE_CLASS__SHARED : CHASKI__SERVICE_CLASS__OPEN;
    Chaski__Endpoint endpoint[8], *endpoints[8];
    Chaski__Column column[8], *columns[8];
    char words[256], paths[8][64], *rest = NULL;
    size_t count = 0;
    snprintf(words, sizeof words, "%s", of_endpoints || of_columns ? cell[WORDS] : "");
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest), count++) {
        CU_ASSERT_FATAL(count < 8);
        chaski__endpoint__init(&endpoint[count]);
        chaski__column__init(&column[count]);
        snprintf(paths[count], sizeof paths[count], "/%s/**", word);
        endpoint[count].id = column[count].name = word;
        endpoint[count].class_ = column[count].class_ = class;
        endpoint[count].method = book_text("*");
        endpoint[count].path = paths[count];
        endpoints[count] = &endpoint[count];
        columns[count] = &column[count];
    }
    return ACT(SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
               it->id = book_text(service_of(self, cell[SERVICE])),
               it->title = book_text("Servicio"), it->class_ = class,
               it->n_endpoint = of_endpoints ? count : 0, it->endpoint = endpoints,
               it->n_column = of_columns ? count : 0, it->column = columns,
               it->subject_required = strstr(cell[WHAT], "about persons") != NULL,
               it->disabled = strncmp(cell[WHAT], "disabled", 8) == 0,
               it->notice = it->disabled ? cell[WORDS] : book_text(""));
}

static fault set_register(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    char *who = book_text(subsystem_of(self->country, cell[WHO]));
    if (strcmp(cell[WHAT], "purpose") == 0)
        return ACT(PURPOSE_SET, purpose_set, CHASKI__PURPOSE_SET__INIT, it->id = cell[ID],
                   it->title = book_text("Finalidad"), it->legal_basis = book_text("Ley"));
    if (strcmp(cell[WHAT], "group") == 0)
        return ACT(GROUP_SET, group_set, CHASKI__GROUP_SET__INIT, it->id = cell[ID],
                   it->title = book_text("Grupo"), it->n_member = 1, it->member = &who);
    return ACT(COMPETENCE_SET, competence_set, CHASKI__COMPETENCE_SET__INIT, it->id = cell[ID],
               it->consumer = who, it->purpose = cell[PURPOSE], it->legal_basis = book_text("Ley"),
               it->until_ms = cell[UNTIL][0] == '\0' ? 0 : (uint64_t)golden_ms(cell[UNTIL]));
}

static fault set_restriction(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    struct part part = part_of(self, cell[SERVICE]);
    return ACT(RESTRICTION_SET, restriction_set, CHASKI__RESTRICTION_SET__INIT, it->id = cell[ID],
               it->service = book_text(service_of(self, cell[SERVICE])),
               it->consumer = book_text(subsystem_of(self->country, cell[WHO])),
               it->ground = (Chaski__Ground)directory_ground_of(cell[WORDS]), PART(it, part),
               it->by_law = strcmp(cell[WHAT], "restriction by law") == 0,
               it->reason = book_text("Datos de personas"), it->approver = book_text("Jurídica"),
               it->from_ms = (uint64_t)at_ms, it->until_ms = (uint64_t)golden_ms(cell[UNTIL]));
}

static fault set_grant(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    struct part part = part_of(self, cell[SERVICE]);
    return ACT(GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = cell[ID],
               it->service = book_text(service_of(self, cell[SERVICE])),
               it->consumer = book_text(subsystem_of(self->country, cell[WHO])), it->n_purpose = 1,
               it->purpose = (char **)(uintptr_t)&cell[PURPOSE], it->legal_basis = book_text("Ley"),
               it->until_ms = (uint64_t)golden_ms(cell[UNTIL]), it->request = cell[WORDS],
               PART(it, part), it->volume_a_day = strstr(cell[WHAT], "grant of one a day") != NULL);
}

static fault ask(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    struct part part = part_of(self, cell[SERVICE]);
    return ACT(ACCESS_REQUESTED, access_requested, CHASKI__ACCESS_REQUESTED__INIT,
               it->id = cell[ID], it->service = book_text(service_of(self, cell[SERVICE])),
               it->consumer = book_text(subsystem_of(self->country, cell[WHO])), it->n_purpose = 1,
               it->purpose = (char **)(uintptr_t)&cell[PURPOSE],
               it->legal_basis = cell[WORDS][0] == '\0' ? book_text("Ley") : cell[WORDS],
               PART(it, part), it->reason = book_text("Trámites"));
}

static fault answer(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    if (strcmp(cell[WHAT], "objection") == 0)
        return ACT(ACCESS_OBJECTED, access_objected, CHASKI__ACCESS_OBJECTED__INIT,
                   it->request = cell[WORDS], it->ground = CHASKI__GROUND__PRIVACY,
                   it->reason = book_text("Datos de más"));
    Chaski__AccessFacts none = CHASKI__ACCESS_FACTS__INIT;
    bool others = strcmp(cell[WHAT], "allow on other facts") == 0;
    return ACT(ACCESS_DECIDED, access_decided, CHASKI__ACCESS_DECIDED__INIT, it->id = cell[ID],
               it->request = cell[WORDS], it->allow = strcmp(cell[WHAT], "deny") != 0,
               it->facts = others ? &none : NULL, it->reason = book_text("Concepto"),
               it->until_ms = (uint64_t)golden_ms(cell[UNTIL]));
}

static fault open_glass(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    return ACT(BREAK_GLASS_SET, break_glass_set, CHASKI__BREAK_GLASS_SET__INIT, it->id = cell[ID],
               it->service = book_text(service_of(self, cell[SERVICE])),
               it->consumer = book_text(subsystem_of(self->country, cell[WHO])),
               it->purpose = cell[PURPOSE], it->reason = book_text("Inundación"),
               it->until_ms = (uint64_t)golden_ms(cell[UNTIL]));
}

static fault review(struct play *self, char *const *cell, int64_t at_ms)
{
    const char *reviewer = cell[WHO];
    return ACT(BREAK_GLASS_REVIEWED, break_glass_reviewed, CHASKI__BREAK_GLASS_REVIEWED__INIT,
               it->id = cell[ID], it->words = book_text("Con razón"));
}

static fault take_back(struct play *self, char *const *cell, int64_t at_ms)
{
    static const char *const reviewer = NULL;
    if (strcmp(cell[WHAT], "taking back") == 0)
        return ACT(REMOVED, removed, CHASKI__REMOVED__INIT,
                   it->what_case = CHASKI__REMOVED__WHAT_GRANT, it->grant = cell[ID]);
    return ACT(REMOVED, removed, CHASKI__REMOVED__INIT,
               it->what_case = strcmp(cell[WHAT], "withdrawal") == 0
                                   ? CHASKI__REMOVED__WHAT_ACCESS_REQUEST
                                   : CHASKI__REMOVED__WHAT_BREAK_GLASS,
               it->access_request = cell[ID]);
}

static fault play_act(struct play *self, char *const *cell)
{
    static const struct {
        const char *word;
        fault (*run)(struct play *self, char *const *cell, int64_t at_ms);
    } acts[] = {{"open service", set_service},
                {"shared service", set_service},
                {"disabled service", set_service},
                {"open service about persons", set_service},
                {"shared service about persons", set_service},
                {"disabled service about persons", set_service},
                {"shared service of endpoints", set_service},
                {"open service of columns", set_service},
                {"purpose", set_register},
                {"group", set_register},
                {"competence", set_register},
                {"restriction", set_restriction},
                {"restriction by law", set_restriction},
                {"grant", set_grant},
                {"answering grant", set_grant},
                {"grant of one a day", set_grant},
                {"answering grant of one a day", set_grant},
                {"request", ask},
                {"objection", answer},
                {"allow", answer},
                {"deny", answer},
                {"allow on other facts", answer},
                {"emergency", open_glass},
                {"review", review},
                {"withdrawal", take_back},
                {"taking back", take_back},
                {"end of emergency", take_back}};
    int64_t at_ms = golden_ms(cell[WHEN]);
    if (strcmp(cell[WHAT], "calendar") == 0)
        return set_calendar(self, cell[WORDS], at_ms);
    if (strcmp(cell[WHAT], "operators") == 0) {
        approved_name_operators(&self->acts, at_ms);
        return DONE;
    }
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(cell[WHAT], acts[i].word) == 0)
            return acts[i].run(self, cell, at_ms);
    return RAISE(INTERNAL, "no such act: %s", cell[WHAT]);
}

/* All that happened up to that moment. */
static void play_until(struct play *self, const struct country *country, int64_t at_ms)
{
    *self = (struct play){.country = country};
    approved_begin(&self->acts, country->book);
    for (size_t i = 0; i < country->acts->rows; i++) {
        if (golden_ms(country->acts->row[i].cell[WHEN]) > at_ms)
            break;
        CU_ASSERT_EQUAL_FATAL(country->acts->row[i].cells, 8);
        fault f = play_act(self, country->acts->row[i].cell);
        if (failed(f))
            fprintf(stderr, "  act %zu: %s\n", i + 1, fault_detail());
        CU_ASSERT_FATAL(!failed(f));
    }
}

// --- questions ----------------------------------------------------------------------------------

static const char *decision_word(enum fault_code code)
{
    return code == OK ? "allowed" : code == SERVICE_DISABLED ? "disabled" : "refused";
}

static bool is_written(char *const *cell, char *const *answer, const char *decision,
                       const char *rule)
{
    bool as_written = strcmp(decision, answer[1]) == 0 && strcmp(rule, answer[2]) == 0;
    if (!as_written)
        fprintf(stderr, "  case %s: %s, %s\n", cell[0], decision, rule);
    return as_written;
}

static bool is_column_decided(const struct directory *state, const struct policy_question *question,
                              const char *name, char *const *cell, char *const *answer)
{
    struct policy_columns columns;
    policy_columns(state, question, &columns);
    for (size_t i = 0; i < columns.count; i++)
        if (strcmp(columns.column[i].name, name) == 0)
            return is_written(cell, answer,
                              columns.column[i].rule[0] == '\0' ? "allowed" : "refused",
                              columns.column[i].rule);
    return false;
}

/* case, who, service, purpose; then when, decision and rule in `answer`. */
static bool is_answered(const struct play *self, const struct directory *state, char *const *cell,
                        bool names_nobody, char *const *answer)
{
    struct policy_verdict verdict;
    struct policy_trace trace;
    struct part part = part_of(self, cell[2]);
    const struct policy_question question = {
        .client = span_of_text(subsystem_of(self->country, cell[1])),
        .service = span_of_text(service_of(self, cell[2])),
        .purpose = span_of_text(cell[3]),
        .endpoint = span_of_text(part.endpoint ? part.name : ""),
        .names_nobody = names_nobody,
        .at_ms = golden_ms(answer[0])};
    if (part.column)
        return is_column_decided(state, &question, part.name, cell, answer);
    policy_explain(state, &question, &verdict, &trace);
    CU_ASSERT_EQUAL(trace.missing[0] == '\0', verdict.fault == OK);
    CU_ASSERT_EQUAL(verdict.remedy[0] == '\0', verdict.fault == OK);
    if (verdict.fault != SUBJECT_REQUIRED) /* it is the request that must be another */
        CU_ASSERT_EQUAL(trace.command[0] == '\0', verdict.fault == OK);
    if (part.endpoint && strncmp(verdict.rule, "restricted/no-grant", 19) == 0) {
        char option[128];
        snprintf(option, sizeof option, "chaski access request --service %s --endpoint %s --client",
                 service_of(self, cell[2]), part.name);
        CU_ASSERT_PTR_NOT_NULL(strstr(trace.command, option));
        CU_ASSERT_PTR_NOT_NULL(strstr(verdict.remedy, option));
    }
    return is_written(cell, answer, decision_word(verdict.fault), verdict.rule);
}

static bool is_decided(const struct play *self, const struct directory *state, char *const *cell)
{
    return is_answered(self, state, cell, false, cell + 4);
}

static bool is_decided_about(const struct play *self, const struct directory *state,
                             char *const *cell)
{
    bool nobody = strcmp(cell[4], "nobody") == 0;
    CU_ASSERT(nobody || strcmp(cell[4], "a person") == 0);
    return is_answered(self, state, cell, nobody, cell + 5);
}

/* A state that came back from its snapshot decides the same. */
static void decide_all(const char *heading, size_t cells, size_t when,
                       bool (*decides)(const struct play *self, const struct directory *state,
                                       char *const *cell))
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, heading);
    for (size_t i = 0; i < cases->rows; i++) {
        struct play play;
        OWNED(directory) again = NULL;
        OWNED(bytes) snapshot = NULL;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, cells);
        play_until(&play, &country, golden_ms(cases->row[i].cell[when]));
        CU_ASSERT(decides(&play, play.acts.state, cases->row[i].cell));
        MUST(directory_snapshot(play.acts.state, play.acts.number, &snapshot));
        MUST(directory_restore(bytes_span(snapshot), country.book->trust, &again));
        CU_ASSERT(decides(&play, again, cases->row[i].cell));
        directory_release(&play.acts.state);
    }
    country_free(&country);
}

static void test_every_case_is_decided_as_it_is_written(void)
{
    decide_all("Decisions", 8, 4, is_decided);
}

static void test_services_about_persons_are_decided_as_it_is_written(void)
{
    decide_all("Services about persons", 9, 5, is_decided_about);
}

static void test_requests_stand_as_it_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "Where requests stand");
    for (size_t i = 0; i < cases->rows; i++) {
        struct play play;
        struct standing standing;
        char *const *cell = cases->row[i].cell;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 6);
        play_until(&play, &country, golden_ms(cell[1]));
        const struct directory_request *request =
            directory_request(play.acts.state, span_of_text(cell[0]));
        CU_ASSERT_PTR_NOT_NULL_FATAL(request);
        access_standing(play.acts.state, request, golden_ms(cell[1]), &standing);
        CU_ASSERT_STRING_EQUAL(access_state_word(standing.state), cell[2]);
        CU_ASSERT_STRING_EQUAL(standing.owner, cell[3]);
        CU_ASSERT_EQUAL(standing.until_ms, cell[4][0] == '\0' ? 0 : golden_ms(cell[4]));
        CU_ASSERT_EQUAL(standing.overdue, strcmp(cell[5], "yes") == 0);
        directory_release(&play.acts.state);
    }
    country_free(&country);
}

static void test_what_is_refused_is_refused_for_the_reason_that_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "What the directory does not take");
    for (size_t i = 0; i < cases->rows; i++) {
        struct play play;
        char *const *cell = cases->row[i].cell;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 10);
        play_until(&play, &country, golden_ms(cell[1]));
        fault f = play_act(&play, cell + 1);
        bool as_written = f.code == DIRECTORY_BAD && strstr(fault_detail(), cell[9]) != NULL;
        if (!as_written)
            fprintf(stderr, "  case %s: %s\n", cell[0], failed(f) ? fault_detail() : "taken");
        CU_ASSERT(as_written);
        directory_release(&play.acts.state);
    }
    country_free(&country);
}

SUITE(access_golden, TEST(test_every_case_is_decided_as_it_is_written),
      TEST(test_services_about_persons_are_decided_as_it_is_written),
      TEST(test_requests_stand_as_it_is_written),
      TEST(test_what_is_refused_is_refused_for_the_reason_that_is_written))
