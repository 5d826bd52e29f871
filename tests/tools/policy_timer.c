// SPDX-License-Identifier: MIT
/*
 * policy_timer - what a decision costs in a country with many rules: for tests/bench/policy.sh.
 *
 *   policy_timer SERVICES RULES     one line: services, rules, decisions, nanoseconds of processor
 *                                   each: open, shared, restricted, refused, all kinds by turns
 *
 * 20 members with 100 subsystems each; a tenth of the services restricted, a third of the rules
 * competences, the rest grants, with classes and groups among their consumers.
 */
#include "tests/unit/bus/book.h"

#include "lib/bus/policy.h"

#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MEMBERS 20
#define SUBSYSTEMS 2000
#define PURPOSES 200
#define GROUPS 50
#define DECISIONS 200000
#define ROUNDS 5

/* Where the book writes its anchors. */
const char *unit_folder(void)
{
    static char folder[] = "/tmp/chaski-policy-XXXXXX";
    static bool made;
    if (!made && mkdtemp(folder) == NULL)
        abort();
    made = true;
    return folder;
}

static void drop_folder(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/trust.pem", unit_folder());
    unlink(path);
    rmdir(unit_folder());
}

struct country {
    struct directory *state;
    uint64_t number;
    int64_t time_ms;
    unsigned services, restrictions, grants;
};

static void apply(struct country *self, Chaski__Act *act)
{
    char context[] = "chaski directory act v1";
    OWNED(bytes) packed = NULL;
    act->context = context;
    act->number = self->number++;
    act->time_ms = (uint64_t)self->time_ms;
    if (failed(bytes_new(chaski__act__get_packed_size(act), &packed)))
        abort();
    chaski__act__pack(act, packed->data);
    if (!failed(directory_apply(self->state, act->number, bytes_span(packed))))
        return;
    fprintf(stderr, "%s\n", fault_detail());
    exit(1);
}

#define APPLY(self, KIND, field, type_init, ...)    \
    do {                                            \
        Chaski__Act act_ = CHASKI__ACT__INIT;       \
        __typeof__(*act_.field) inner_ = type_init; \
        __typeof__(inner_) *it = &inner_;           \
        __VA_ARGS__;                                \
        act_.act_case = CHASKI__ACT__ACT_##KIND;    \
        act_.field = &inner_;                       \
        apply((self), &act_);                       \
    } while (0)

typedef char name[96];

static void subsystem_of(unsigned number, name out)
{
    snprintf(out, sizeof(name), "CO/GOV/%u/S%u", number % MEMBERS, number / MEMBERS);
}

static void service_of(unsigned number, name out)
{
    name subsystem;
    subsystem_of(number % SUBSYSTEMS, subsystem);
    snprintf(out, sizeof(name), "%.80s/s%u", subsystem, number / SUBSYSTEMS);
}

static void purpose_of(unsigned number, name out)
{
    snprintf(out, sizeof(name), "finalidad-%u", number % PURPOSES);
}

/* One of many subsystems, a member, a group or the class: as a country writes its rules. */
static void consumer_of(unsigned number, name out)
{
    if (number % 10 < 7)
        subsystem_of(number * 7 % SUBSYSTEMS, out);
    else if (number % 10 < 9)
        snprintf(out, sizeof(name), "CO/GOV/%u", number % MEMBERS);
    else
        snprintf(out, sizeof(name), "group:g-%u", number % GROUPS);
}

static struct directory *members_of(struct book *book)
{
    struct directory *state = NULL;
    for (unsigned i = 0; i < MEMBERS; i++) {
        name member, server;
        OWNED(keypair) key = NULL;
        snprintf(member, sizeof member, "CO/GOV/%u", i);
        snprintf(server, sizeof server, "CO/GOV/%u/SS1", i);
        OWNED(certificate) certificate = book_issue(book, member, "SS1", &key);
        book_member(book, member, true);
        book_server(book, server, "tcp://[::1]:5500", (uint8_t)(i + 1), certificate);
    }
    MUST(book_fold(book, &state));
    return state;
}

static void add_names(struct country *self)
{
    for (unsigned i = 0; i < SUBSYSTEMS; i++) {
        name id, server;
        char *servers[] = {server};
        subsystem_of(i, id);
        snprintf(server, sizeof server, "CO/GOV/%u/SS1", i % MEMBERS);
        APPLY(self, SUBSYSTEM_SET, subsystem_set, CHASKI__SUBSYSTEM_SET__INIT, it->id = id,
              it->name = id, it->n_server = 1, it->server = servers);
    }
    for (unsigned i = 0; i < PURPOSES; i++) {
        name id;
        purpose_of(i, id);
        APPLY(self, PURPOSE_SET, purpose_set, CHASKI__PURPOSE_SET__INIT, it->id = id,
              it->title = id, it->legal_basis = id);
    }
    for (unsigned i = 0; i < GROUPS; i++) {
        name id, member;
        char *members[] = {member};
        snprintf(id, sizeof id, "g-%u", i);
        snprintf(member, sizeof member, "CO/GOV/%u", i % MEMBERS);
        APPLY(self, GROUP_SET, group_set, CHASKI__GROUP_SET__INIT, it->id = id, it->title = id,
              it->n_member = 1, it->member = members);
    }
}

static void add_restriction(struct country *self, unsigned service)
{
    name id, about;
    char empty[] = "", why[] = "motivo";
    snprintf(id, sizeof id, "R-%u", service);
    service_of(service, about);
    APPLY(self, RESTRICTION_SET, restriction_set, CHASKI__RESTRICTION_SET__INIT, it->id = id,
          it->service = about, it->consumer = empty, it->ground = CHASKI__GROUND__PRIVACY,
          it->reason = why, it->approver = why, it->from_ms = (uint64_t)self->time_ms,
          it->until_ms = (uint64_t)(self->time_ms + 300 * BOOK_DAY_MS));
    self->restrictions++;
}

static void add_services(struct country *self, unsigned services)
{
    for (unsigned i = 0; i < services; i++) {
        name id;
        service_of(i, id);
        APPLY(
            self, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT, it->id = id, it->title = id,
            it->class_ = i % 10 == 1 ? CHASKI__SERVICE_CLASS__OPEN : CHASKI__SERVICE_CLASS__SHARED);
        if (i % 10 == 0)
            add_restriction(self, i);
    }
    self->services = services;
}

static void rule_of(const struct country *self, unsigned number, name consumer, name purpose,
                    name service)
{
    consumer_of(number, consumer);
    purpose_of(number / 3, purpose);
    service_of(number / 3 * 10 % self->services, service);
}

static void add_rules(struct country *self, unsigned rules)
{
    char basis[] = "Ley 489 de 1998";
    for (unsigned i = self->restrictions; i < rules; i++) {
        name id, consumer, purpose, service;
        char *purposes[] = {purpose};
        rule_of(self, i, consumer, purpose, service);
        if (i % 3 == 0) {
            snprintf(id, sizeof id, "C-%u", i);
            APPLY(self, COMPETENCE_SET, competence_set, CHASKI__COMPETENCE_SET__INIT, it->id = id,
                  it->consumer = consumer, it->purpose = purpose, it->legal_basis = basis);
        } else {
            snprintf(id, sizeof id, "G-%u", i);
            APPLY(self, GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = id,
                  it->service = service, it->consumer = consumer, it->n_purpose = 1,
                  it->purpose = purposes, it->legal_basis = basis,
                  it->until_ms = (uint64_t)(self->time_ms + 300 * BOOK_DAY_MS));
        }
    }
}

// --- deciding -----------------------------------------------------------------------------------

struct ask {
    name client, service, purpose;
};

struct asks {
    struct ask *ask;
    unsigned count;
};

static double cpu_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

/* The best round: what else ran on the machine is not the decision's. */
static double cost(const struct country *self, const struct asks *asks)
{
    double best = 1e12;
    for (int round = 0; asks->count > 0 && round < ROUNDS; round++) {
        double begun = cpu_ns();
        for (unsigned i = 0; i < DECISIONS; i++) {
            const struct ask *ask = &asks->ask[i % asks->count];
            struct policy_question question = {.client = span_of_text(ask->client),
                                               .service = span_of_text(ask->service),
                                               .purpose = span_of_text(ask->purpose),
                                               .at_ms = self->time_ms};
            struct policy_verdict verdict;
            policy_decide(self->state, &question, &verdict);
        }
        double each = (cpu_ns() - begun) / DECISIONS;
        best = each < best ? each : best;
    }
    return best;
}

enum kind { OPEN, SHARED, RESTRICTED, REFUSED_KIND, ALL, KINDS };

static enum kind kind_of(const struct country *self, const struct ask *ask)
{
    struct policy_question question = {.client = span_of_text(ask->client),
                                       .service = span_of_text(ask->service),
                                       .purpose = span_of_text(ask->purpose),
                                       .at_ms = self->time_ms};
    struct policy_verdict verdict;
    policy_decide(self->state, &question, &verdict);
    return verdict.fault != OK                       ? REFUSED_KIND
           : strncmp(verdict.rule, "open", 4) == 0   ? OPEN
           : strncmp(verdict.rule, "shared", 6) == 0 ? SHARED
                                                     : RESTRICTED;
}

static unsigned services, rules;

/* Half of them anything, the other half what some rule is about, by a subsystem that it means. */
static struct ask ask_of(const struct country *self, unsigned number)
{
    struct ask ask;
    unsigned rule = number * 13 % rules;
    rule_of(self, rule, ask.client, ask.purpose, ask.service);
    if (rule % 3 == 0)
        service_of((number * 10 + 2) % services, ask.service); /* a shared one */
    if (rule % 10 < 7 && number % 2 == 0)
        return ask;
    subsystem_of(number * 31 % SUBSYSTEMS, ask.client);
    service_of(number * 17 % services, ask.service);
    return ask;
}

/* The book asserts, and so wants to be in a test. */
static void measure(void)
{
    static struct asks asks[KINDS];
    OWNED(book) book = book_new();
    struct country country = {.state = members_of(book)};
    country.number = book->count;
    country.time_ms = book->time_ms;
    add_names(&country);
    add_services(&country, services);
    add_rules(&country, rules);
    for (unsigned i = 0; i < KINDS; i++)
        asks[i].ask = owned_array(DECISIONS, sizeof(struct ask));
    for (unsigned i = 0; i < DECISIONS; i++) {
        struct ask ask = ask_of(&country, i);
        enum kind kind = kind_of(&country, &ask);
        asks[kind].ask[asks[kind].count++] = ask;
        asks[ALL].ask[asks[ALL].count++] = ask;
    }
    printf("%u %u %d", services, rules, DECISIONS);
    for (unsigned i = 0; i < KINDS; i++) {
        printf(" %u:%.0f", asks[i].count, cost(&country, &asks[i]));
        free(asks[i].ask);
    }
    putchar('\n');
    directory_release(&country.state);
}

int main(int argc, char **argv)
{
    services = argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    rules = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (services < SUBSYSTEMS || rules < services / 10) {
        fprintf(stderr, "usage: policy_timer SERVICES RULES (at least %d, and a tenth of that)\n",
                SUBSYSTEMS);
        return 2;
    }
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite suite = CU_add_suite("policy", NULL, NULL);
    CU_basic_set_mode(CU_BRM_SILENT);
    bool run = suite != NULL && CU_add_test(suite, "cost", measure) != NULL &&
               CU_basic_run_tests() == CUE_SUCCESS && CU_get_number_of_failures() == 0;
    CU_cleanup_registry();
    drop_folder();
    return run ? 0 : 1;
}
