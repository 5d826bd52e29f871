// SPDX-License-Identifier: MIT
/* chaski access: asks for what a restriction closes, answers what others ask, and says how a
 * request stands and whose turn it is. */
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/access.h"
#include "lib/bus/policy_columns.h"
#include "lib/crypto/random.h"
#include "tools/chaski/commands.h"
#include "tools/chaski/day.h"
#include "tools/chaski/member.h"

#include "directory.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUEST_ID_ROOM 40
#define RESTRICTED "restricted/"

struct asked {
    struct member_options member;
    const char *operand;
    const char *service, *client, *basis, *reason, *ground, *until;
    size_t purposes, endpoints, columns;
    char *purpose[DIRECTORY_GRANT_PURPOSES_MAX];
    char *endpoint[DIRECTORY_ENDPOINTS_MAX], *column[DIRECTORY_COLUMNS_MAX];
};

struct work {
    const struct asked *asked;
    struct member *member;
};

static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static fault need(const char *value, const char *option)
{
    return value != NULL ? DONE : RAISE(BAD_REQUEST, "%s is missing", option);
}

/* The request that the command is about, as the directory has it. */
static fault find(const struct work *self, const struct directory_request **out)
{
    TRY(need(self->asked->operand, "the request's identifier"));
    *out = directory_request(self->member->state, span_of_text(self->asked->operand));
    return *out != NULL
               ? DONE
               : RAISE(NOT_FOUND, "there is no request %s in the directory", self->asked->operand);
}

// --- asking -------------------------------------------------------------------------------------

/* A-20261121-1a2b3c4d: nobody has to number anything. */
static void make_id(char out[REQUEST_ID_ROOM])
{
    uint8_t random[4];
    char day[32], hex[2 * sizeof random + 1];
    random_fill(random, sizeof random);
    text_hex(span_of(random, sizeof random), hex, sizeof hex);
    clock_text(clock_wall_ms(), day, sizeof day);
    text_format(out, REQUEST_ID_ROOM, "A-%.4s%.2s%.2s-%s", day, day + 5, day + 8, hex);
}

static struct policy_question question_of(const struct work *self, const char *purpose,
                                          const char *endpoint)
{
    return (struct policy_question){.client = span_of_text(self->asked->client),
                                    .service = span_of_text(self->asked->service),
                                    .purpose = span_of_text(purpose),
                                    .at_ms = clock_wall_ms(),
                                    .endpoint = span_of_text(endpoint)};
}

static bool is_restricted(const char *rule)
{
    return strncmp(rule, RESTRICTED, strlen(RESTRICTED)) == 0;
}

/* Of the service as such nothing is closed, and of an endpoint or a column of it something may be.
 */
static bool is_closed_in_part(const struct work *self, const char *rule)
{
    static const struct access_scope whole = {0};
    return access_is_closed(self->member->state, span_of_text(self->asked->service),
                            span_of_text(self->asked->client), &whole, clock_wall_ms()) &&
           !is_restricted(rule);
}

static fault refuse(const struct policy_verdict *verdict)
{
    return RAISE(REFUSED, "%s: a request to the provider does not help. %s %s", verdict->rule,
                 verdict->reason, verdict->remedy);
}

/* An endpoint, or "": the service, of which a part may be meant. */
static fault check_endpoint(const struct work *self, const char *purpose, const char *endpoint,
                            bool *closed)
{
    struct policy_verdict verdict;
    const struct policy_question question = question_of(self, purpose, endpoint);
    policy_decide(self->member->state, &question, &verdict);
    bool in_part = verdict.fault == OK && endpoint[0] == '\0' && self->asked->columns == 0 &&
                   is_closed_in_part(self, verdict.rule);
    if (verdict.fault != OK && !is_restricted(verdict.rule))
        return refuse(&verdict);
    *closed = *closed || in_part || verdict.fault != OK;
    return DONE;
}

static bool names_column(const struct work *self, const char *name)
{
    for (size_t i = 0; i < self->asked->columns; i++)
        if (strcmp(self->asked->column[i], name) == 0)
            return true;
    return false;
}

/* Those that are asked for and withheld, by a restriction or by what no request opens. */
static fault check_columns(const struct work *self, const char *purpose, const char *endpoint,
                           bool *closed)
{
    struct policy_columns columns;
    const struct policy_question question = question_of(self, purpose, endpoint);
    policy_columns(self->member->state, &question, &columns);
    for (size_t i = 0; i < columns.count; i++) {
        const struct policy_column *at = &columns.column[i];
        if (at->rule[0] == '\0' || !names_column(self, at->name))
            continue;
        if (!is_restricted(at->rule))
            return RAISE(REFUSED, "column %s, %s: a request to the provider does not help",
                         at->name, at->rule);
        *closed = true;
    }
    return DONE;
}

/* What needs no request, or none of this provider, is said before anything is signed. */
static fault check_purpose(const struct work *self, const char *purpose, bool *closed)
{
    size_t count = self->asked->endpoints == 0 ? 1 : self->asked->endpoints;
    for (size_t i = 0; i < count; i++) {
        const char *endpoint = self->asked->endpoints == 0 ? "" : self->asked->endpoint[i];
        TRY(check_endpoint(self, purpose, endpoint, closed));
        TRY(check_columns(self, purpose, endpoint, closed));
    }
    return DONE;
}

static fault check_needed(const struct work *self)
{
    bool closed = false;
    for (size_t i = 0; i < self->asked->purposes; i++)
        TRY(check_purpose(self, self->asked->purpose[i], &closed));
    return closed ? DONE
                  : RAISE(REFUSED, "no request is needed: %s may use %s now", self->asked->client,
                          self->asked->service);
}

/* By the calendar that was fetched; the registry's counts, and `access status` says it. */
static void say_deadline(const struct work *self)
{
    const struct directory_calendar *calendar = directory_calendar(self->member->state);
    int64_t until_ms = 0;
    char until[32];
    if (calendar == NULL ||
        !working_days_end(&calendar->days, clock_wall_ms(), calendar->answer_days, &until_ms))
        return;
    clock_text(until_ms, until, sizeof until);
    printf("the provider has until %s to answer\n", until);
}

static fault run_request(const struct work *self)
{
    const struct asked *asked = self->asked;
    char made[REQUEST_ID_ROOM];
    Chaski__AccessRequested request = CHASKI__ACCESS_REQUESTED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    uint64_t epoch = 0;
    TRY(need(asked->service, "--service"));
    TRY(need(asked->client, "--client"));
    TRY(need(asked->basis, "--legal-basis"));
    TRY(need(asked->reason, "--reason"));
    TRY(need(asked->purposes > 0 ? "" : NULL, "--purpose"));
    TRY(check_needed(self));
    make_id(made);
    request.id = lend(asked->operand != NULL ? asked->operand : made);
    request.service = lend(asked->service);
    request.consumer = lend(asked->client);
    request.n_purpose = asked->purposes;
    request.purpose = (char **)(uintptr_t)asked->purpose;
    request.n_endpoint = asked->endpoints;
    request.endpoint = (char **)(uintptr_t)asked->endpoint;
    request.n_column = asked->columns;
    request.column = (char **)(uintptr_t)asked->column;
    request.legal_basis = lend(asked->basis);
    request.reason = lend(asked->reason);
    act.act_case = CHASKI__ACT__ACT_ACCESS_REQUESTED;
    act.access_requested = &request;
    TRY(member_do(self->member, &act, &epoch));
    printf("request %s: stands in the directory, epoch %" PRIu64 "\n", request.id, epoch);
    say_deadline(self);
    return DONE;
}

// --- answering ----------------------------------------------------------------------------------

static fault run_object(const struct work *self)
{
    Chaski__AccessObjected objection = CHASKI__ACCESS_OBJECTED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    const struct directory_request *request = NULL;
    uint64_t epoch = 0;
    TRY(find(self, &request));
    TRY(need(self->asked->ground, "--ground"));
    TRY(need(self->asked->reason, "--reason"));
    objection.request = lend(request->id);
    objection.ground = (Chaski__Ground)directory_ground_of(self->asked->ground);
    objection.reason = lend(self->asked->reason);
    act.act_case = CHASKI__ACT__ACT_ACCESS_OBJECTED;
    act.access_objected = &objection;
    TRY(member_do(self->member, &act, &epoch));
    printf("objection to %s: stands in the directory, epoch %" PRIu64 "; the arbiter decides\n",
           request->id, epoch);
    return DONE;
}

/* What was asked for, to who asked. */
static fault run_grant(const struct work *self)
{
    Chaski__GrantSet grant = CHASKI__GRANT_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    const struct directory_request *request = NULL;
    char id[WORD_BYTES_MAX];
    int64_t until_ms = 0;
    uint64_t epoch = 0;
    TRY(find(self, &request));
    TRY(need(self->asked->until, "--until"));
    TRY(day_end_ms(self->asked->until, &until_ms));
    if (!text_format(id, sizeof id, "G-%s", request->id))
        return RAISE(BAD_REQUEST, "the request's identifier is too long: use chaski grant add");
    grant.id = id;
    grant.service = lend(request->service);
    grant.consumer = lend(request->consumer);
    grant.n_purpose = request->purposes;
    grant.purpose = (char **)(uintptr_t)request->purpose;
    grant.legal_basis =
        lend(self->asked->basis != NULL ? self->asked->basis : request->legal_basis);
    grant.until_ms = (uint64_t)until_ms;
    grant.n_endpoint = request->scope.endpoints;
    grant.endpoint = (char **)(uintptr_t)request->scope.endpoint;
    grant.n_column = request->scope.columns;
    grant.column = (char **)(uintptr_t)request->scope.column;
    grant.request = lend(request->id);
    act.act_case = CHASKI__ACT__ACT_GRANT_SET;
    act.grant_set = &grant;
    TRY(member_do(self->member, &act, &epoch));
    printf("grant %s: stands in the directory, epoch %" PRIu64 "\n", id, epoch);
    return DONE;
}

static fault run_withdraw(const struct work *self)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    const struct directory_request *request = NULL;
    uint64_t epoch = 0;
    TRY(find(self, &request));
    TRY(need(self->asked->reason, "--reason"));
    removed.what_case = CHASKI__REMOVED__WHAT_ACCESS_REQUEST;
    removed.access_request = lend(request->id);
    removed.reason = lend(self->asked->reason);
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    TRY(member_do(self->member, &act, &epoch));
    printf("request %s: withdrawn, epoch %" PRIu64 "\n", request->id, epoch);
    return DONE;
}

/* No member decides in its own matter. */
static fault run_decide(const struct work *self)
{
    const struct directory_request *request = NULL;
    struct standing standing;
    TRY(find(self, &request));
    access_standing(self->member->state, request, clock_wall_ms(), &standing);
    return RAISE(REFUSED,
                 "request %s is %s; the arbiter decides, which is two operators of the authority "
                 "with the role approve: chaski-registry access decide D-ID --request %s --outcome "
                 "allow|deny --reason TEXT --until YYYY-MM-DD. The provider says yes with chaski "
                 "access grant, no with chaski access object",
                 request->id, access_state_word(standing.state), request->id);
}

// --- how it stands ------------------------------------------------------------------------------

static void print_list(const char *what, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i == 0 ? what : ", ", items[i]);
}

static void print_request(const struct directory *state, const struct directory_request *request)
{
    struct standing standing;
    char until[32];
    access_standing(state, request, clock_wall_ms(), &standing);
    clock_text(standing.until_ms, until, sizeof until);
    printf("%s  %s%s%s  %s asks for %s", request->id, access_state_word(standing.state),
           standing.by[0] == '\0' ? "" : " by ", standing.by, request->consumer, request->service);
    print_list(", endpoint ", request->scope.endpoint, request->scope.endpoints);
    print_list(", column ", request->scope.column, request->scope.columns);
    print_list(" for ", request->purpose, request->purposes);
    if (standing.until_ms != 0)
        printf("; %s%suntil %s%s", standing.owner, standing.owner[0] == '\0' ? "" : " has ", until,
               standing.overdue ? ", which is over" : "");
    putchar('\n');
}

static int compare_requests(const void *left, const void *right)
{
    const struct directory_request *const *a = left, *const *b = right;
    return strcmp((*a)->id, (*b)->id);
}

/* Of this member: what it asks for, and what it is asked for. */
static bool concerns(const struct member *member, const struct directory_request *request)
{
    const char *id = member->server->member->id;
    size_t size = strlen(id);
    return (strncmp(request->consumer, id, size) == 0 && request->consumer[size] == '/') ||
           (strncmp(request->service, id, size) == 0 && request->service[size] == '/');
}

static fault run_status(const struct work *self)
{
    const struct directory *state = self->member->state;
    const struct directory_request *one = NULL, **list = NULL;
    size_t count = 0, room = 0, step = 0;
    if (self->asked->operand != NULL) {
        TRY(find(self, &one));
        print_request(state, one);
        if (one->objected_ms != 0)
            printf("  objected (%s): %s\n", directory_ground_word(one->objection),
                   one->objection_reason);
        return DONE;
    }
    for (const struct directory_request *at; (at = directory_next_request(state, &step)) != NULL;) {
        if (!concerns(self->member, at))
            continue;
        if (count == room)
            list = owned_grow(list, room = 2 * room + 8, sizeof *list);
        list[count++] = at;
    }
    if (count > 1)
        qsort(list, count, sizeof *list, compare_requests);
    for (size_t i = 0; i < count; i++)
        print_request(state, list[i]);
    if (count == 0)
        puts("no request of this member, and none for its services");
    free(list);
    return DONE;
}

// --- the command --------------------------------------------------------------------------------

static const struct option known[] = {
    {"config", required_argument, NULL, 0},       {"folder", required_argument, NULL, 1},
    {"anchor", required_argument, NULL, 2},       {"at", required_argument, NULL, 3},
    {"server", required_argument, NULL, 4},       {"passphrase", required_argument, NULL, 5},
    {"token", required_argument, NULL, 6},        {"module", required_argument, NULL, 7},
    {"service", required_argument, NULL, 8},      {"client", required_argument, NULL, 9},
    {"legal-basis", required_argument, NULL, 10}, {"reason", required_argument, NULL, 11},
    {"ground", required_argument, NULL, 12},      {"until", required_argument, NULL, 13},
    {"purpose", required_argument, NULL, 14},     {"endpoint", required_argument, NULL, 15},
    {"column", required_argument, NULL, 16},      {0}};

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* What may be given several times, kept rising as acts have it. */
static bool take_item(char **list, size_t *count, size_t most, const char *text)
{
    if (*count == most)
        return false;
    list[(*count)++] = lend(text);
    qsort(list, *count, sizeof *list, compare_texts);
    return true;
}

static bool take_part(struct asked *out, int code, const char *text)
{
    if (code == 14)
        return take_item(out->purpose, &out->purposes, DIRECTORY_GRANT_PURPOSES_MAX, text);
    if (code == 15)
        return take_item(out->endpoint, &out->endpoints, DIRECTORY_ENDPOINTS_MAX, text);
    return code == 16 && take_item(out->column, &out->columns, DIRECTORY_COLUMNS_MAX, text);
}

static fault take_options(int argc, char **argv, struct asked *out)
{
    struct member_options *member = &out->member;
    const char **places[] = {&member->config,     &member->keys.folder, &member->anchor,
                             &member->at,         &member->server,      &member->keys.passphrase,
                             &member->keys.token, &member->keys.module, &out->service,
                             &out->client,        &out->basis,          &out->reason,
                             &out->ground,        &out->until};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (code >= 0 && (size_t)code < sizeof places / sizeof places[0])
            *places[code] = optarg;
        else if (!take_part(out, code, optarg))
            return RAISE(BAD_REQUEST,
                         "an option that is not known, or too many purposes, endpoints or columns");
    }
    if (optind < argc)
        out->operand = argv[optind++];
    return optind == argc ? DONE : RAISE(BAD_REQUEST, "one identifier at a time");
}

fault access_command(int argc, char **argv)
{
    static const struct {
        const char *verb;
        fault (*run)(const struct work *self);
    } verbs[] = {{"request", run_request},   {"object", run_object}, {"grant", run_grant},
                 {"withdraw", run_withdraw}, {"decide", run_decide}, {"status", run_status}};
    OWNED(member) member = NULL;
    struct asked asked = {0};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (argc < 2 || strcmp(argv[1], verbs[i].verb) != 0)
            continue;
        TRY(take_options(argc - 1, argv + 1, &asked));
        TRY(member_options_fill(&asked.member));
        TRY(member_open(&asked.member, &member));
        return verbs[i].run(&(struct work){&asked, member});
    }
    return RAISE(BAD_REQUEST, "chaski access request, object, grant, withdraw, decide or status");
}
