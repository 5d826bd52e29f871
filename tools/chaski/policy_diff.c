// SPDX-License-Identifier: MIT
/* chaski policy diff: which flows of this node's own log a change of the directory would break. */
#include "tools/chaski/commands.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/draft.h"
#include "lib/bus/policy.h"
#include "lib/bus/policy_columns.h"
#include "tools/chaski/day.h"
#include "tools/chaski/flows.h"
#include "tools/chaski/node_directory.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define DAYS_DEFAULT 30
#define DAYS_MAX 3660
#define RULE_BYTES 160
#define LOST_BYTES 2048

struct asked {
    const char *config, *draft;
    uint64_t days;
    int64_t at_ms; /* when the decisions are made; 0: now, or when the change begins */
    bool json;
};

/* What was decided before, and after. */
struct change {
    const struct flow *flow;
    bool was, is;
    char old_rule[RULE_BYTES], new_rule[RULE_BYTES], remedy[POLICY_TEXT_BYTES];
    char lost[LOST_BYTES]; /* columns of a table that it got and would not get, with the rules */
};

struct comparison {
    struct flows flows;
    struct change *change; /* one for each flow */
    struct draft_facts draft;
    int64_t at_ms;
    size_t broken, opened, otherwise;
    uint64_t before_epoch;
};

// --- words --------------------------------------------------------------------------------------

static fault read_words(int argc, char **argv, struct asked *out)
{
    const char *on = NULL;
    const struct option_place known[] = {
        OPTION_MUST("config", &out->config),
        OPTION_MUST("draft", &out->draft),
        OPTION_NUMBER("days", &out->days, 1, DAYS_MAX),
        OPTION_TEXT("on", &on),
        OPTION_FLAG("json", &out->json),
        {0},
    };
    TRY(options_take("policy diff", argc, argv, known, NULL));
    return on == NULL ? DONE : day_begin_ms(on, &out->at_ms);
}

// --- comparing ----------------------------------------------------------------------------------

static struct policy_question question_of(const struct flow *flow, int64_t at_ms)
{
    return (struct policy_question){.client = span_of_text(flow->client),
                                    .service = span_of_text(flow->service),
                                    .purpose = span_of_text(flow->purpose),
                                    .endpoint = span_of_text(flow->endpoint),
                                    .procedure = span_of_text(flow->procedure),
                                    .requirement = span_of_text(flow->requirement),
                                    .names_nobody = flow->names_nobody,
                                    .at_ms = at_ms};
}

static struct policy_verdict decide(const struct directory *state, const struct flow *flow,
                                    int64_t at_ms)
{
    const struct policy_question question = question_of(flow, at_ms);
    struct policy_verdict verdict;
    policy_decide(state, &question, &verdict);
    return verdict;
}

/* Where no columns are listed, all are given. */
static bool gives(const struct policy_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->column[i].name, name) == 0)
            return columns->column[i].rule[0] == '\0';
    return columns->count == 0;
}

static bool lists(const struct policy_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->column[i].name, name) == 0)
            return true;
    return false;
}

static void add_lost(struct change *self, const char *name, const char *rule)
{
    size_t at = strlen(self->lost);
    text_format(self->lost + at, sizeof self->lost - at, "%s%s (%s)", at == 0 ? "" : ", ", name,
                rule);
}

static void look_at_columns(struct change *self, const struct directory *before,
                            const struct directory *after, int64_t at_ms)
{
    const struct policy_question question = question_of(self->flow, at_ms);
    struct policy_columns was, is;
    policy_columns(before, &question, &was);
    policy_columns(after, &question, &is);
    for (size_t i = 0; i < is.count; i++)
        if (is.column[i].rule[0] != '\0' && gives(&was, is.column[i].name))
            add_lost(self, is.column[i].name, is.column[i].rule);
    for (size_t i = 0; i < was.count; i++)
        if (is.count > 0 && was.column[i].rule[0] == '\0' && !lists(&is, was.column[i].name))
            add_lost(self, was.column[i].name, POLICY_COLUMN_UNLISTED);
    if (was.count == 0 && is.count > 0)
        add_lost(self, "all that are not listed", POLICY_COLUMN_UNLISTED);
}

static void look_before(struct comparison *self, const struct directory *state)
{
    for (size_t i = 0; i < self->flows.count; i++) {
        struct change *change = &self->change[i];
        struct policy_verdict verdict = decide(state, &self->flows.flow[i], self->at_ms);
        change->flow = &self->flows.flow[i];
        change->was = verdict.fault == OK;
        text_format(change->old_rule, sizeof change->old_rule, "%s", verdict.rule);
    }
}

static bool breaks(const struct change *change)
{
    return (change->was && !change->is) || change->lost[0] != '\0';
}

static void look_after(struct comparison *self, const struct directory *before,
                       const struct directory *state)
{
    for (size_t i = 0; i < self->flows.count; i++) {
        struct change *change = &self->change[i];
        struct policy_verdict verdict = decide(state, change->flow, self->at_ms);
        change->is = verdict.fault == OK;
        text_format(change->new_rule, sizeof change->new_rule, "%s", verdict.rule);
        text_format(change->remedy, sizeof change->remedy, "%s", verdict.remedy);
        if (change->was && change->is)
            look_at_columns(change, before, state, self->at_ms);
        self->broken += breaks(change);
        self->opened += !change->was && change->is;
        self->otherwise +=
            change->was && change->is && strcmp(change->old_rule, change->new_rule) != 0;
    }
}

/* A change that begins later is looked at from then on: today it breaks nothing, and would seem
 * harmless. */
static int64_t moment(const struct asked *asked, const struct draft_facts *draft, int64_t now_ms)
{
    if (asked->at_ms != 0)
        return asked->at_ms;
    return draft->from_ms > now_ms ? draft->from_ms : now_ms;
}

static fault compare(const struct asked *asked, struct node_directory *node,
                     struct node_directory *supposed, struct comparison *self)
{
    OWNED(bytes) draft = NULL;
    int64_t now_ms = clock_wall_ms();
    TRY(file_read(asked->draft, DRAFT_BYTES_MAX, &draft));
    TRY(flows_read(node->audit_folder, now_ms - (int64_t)asked->days * DAY_MS, &self->flows));
    self->change = owned_array(self->flows.count, sizeof *self->change);
    self->before_epoch = directory_epoch(node->state);
    TRY(draft_suppose(supposed->state, bytes_span(draft), now_ms, &self->draft));
    self->at_ms = moment(asked, &self->draft, now_ms);
    look_before(self, node->state);
    look_after(self, node->state, supposed->state);
    return DONE;
}

// --- telling ------------------------------------------------------------------------------------

static bool is_told(const struct change *change)
{
    return change->was != change->is || breaks(change);
}

static int most_first(const void *a, const void *b)
{
    const struct change *left = a, *right = b;
    if (breaks(left) != breaks(right))
        return breaks(right) - breaks(left); /* what breaks, before what opens */
    if (left->flow->requests != right->flow->requests)
        return left->flow->requests < right->flow->requests ? 1 : -1;
    int order = strcmp(left->flow->client, right->flow->client);
    return order != 0 ? order : strcmp(left->flow->service, right->flow->service);
}

static void print_change(const struct change *change)
{
    char last[32];
    clock_text(change->flow->last_ms, last, sizeof last);
    printf("%-7s %8" PRIu64 "  %s\n", breaks(change) ? "BREAKS" : "opens", change->flow->requests,
           change->flow->client);
    printf("                  %s%s%s%s%s\n", change->flow->service,
           change->flow->endpoint[0] == '\0' ? "" : "  endpoint ", change->flow->endpoint,
           change->flow->purpose[0] == '\0' ? "" : "  for ", change->flow->purpose);
    printf("                  %s -> %s; last asked %s\n", change->old_rule, change->new_rule, last);
    if (change->lost[0] != '\0')
        printf("                  loses %s\n", change->lost);
    if (!change->is)
        printf("                  %s\n", change->remedy);
}

static void print_text(const struct asked *asked, const struct comparison *self)
{
    char at[32];
    clock_text(self->at_ms, at, sizeof at);
    printf("%zu act%s on top of epoch %" PRIu64 ", as of %s; %" PRIu64 " requests of %" PRIu64
           " days, of %zu sorts\n",
           self->draft.acts, self->draft.acts == 1 ? "" : "s", self->before_epoch, at,
           self->flows.requests, asked->days, self->flows.count);
    for (size_t i = 0; i < self->flows.count; i++)
        if (is_told(&self->change[i]))
            print_change(&self->change[i]);
    printf("%zu would break, %zu would open, %zu would be allowed by another rule\n", self->broken,
           self->opened, self->otherwise);
    if (self->flows.unread > 0)
        printf("%" PRIu64 " entries could not be read: see chaski-audit verify\n",
               self->flows.unread);
}

static void print_json(const struct asked *asked, const struct comparison *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->flows.count; i++) {
        const struct change *change = &self->change[i];
        if (is_told(change))
            json_array_append_new(
                list, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:b,s:s,s:s,s:s,s:s}", "client",
                                change->flow->client, "service", change->flow->service, "purpose",
                                change->flow->purpose, "endpoint", change->flow->endpoint,
                                "requests", (json_int_t)change->flow->requests, "last_ms",
                                (json_int_t)change->flow->last_ms, "allowed", change->is,
                                "rule_before", change->old_rule, "rule_after", change->new_rule,
                                "remedy", change->remedy, "columns_lost", change->lost));
    }
    json_t *root =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "acts", (json_int_t)self->draft.acts,
                  "epoch", (json_int_t)self->before_epoch, "at_ms", (json_int_t)self->at_ms, "days",
                  (json_int_t)asked->days, "requests", (json_int_t)self->flows.requests, "breaks",
                  (json_int_t)self->broken, "opens", (json_int_t)self->opened, "unread",
                  (json_int_t)self->flows.unread, "flows", list);
    char *text = json_dumps(root, JSON_INDENT(2));
    puts(text);
    free(text);
    json_decref(root);
}

static void tell(const struct asked *asked, struct comparison *self)
{
    qsort(self->change, self->flows.count, sizeof *self->change, most_first);
    if (asked->json)
        print_json(asked, self);
    else
        print_text(asked, self);
}

static fault diff(const struct asked *asked)
{
    struct node_directory node, supposed = {.audit_folder = ""};
    struct comparison comparison = {.at_ms = 0};
    fault f = node_directory_read(asked->config, &node);
    if (!failed(f))
        f = node_directory_read(asked->config, &supposed);
    if (!failed(f) && directory_epoch(node.state) != directory_epoch(supposed.state))
        f = RAISE(DIRECTORY_OLD, "the directory has just changed: ask again");
    if (!failed(f))
        f = compare(asked, &node, &supposed, &comparison);
    if (!failed(f))
        tell(asked, &comparison);
    if (!failed(f) && comparison.broken > 0)
        f = RAISE(REFUSED,
                  "%zu sorts of requests would be refused, or lose columns, that are allowed now",
                  comparison.broken);
    free(comparison.change);
    flows_clear(&comparison.flows);
    node_directory_clear(&supposed);
    node_directory_clear(&node);
    return f;
}

fault policy_command(int argc, char **argv)
{
    struct asked asked = {.days = DAYS_DEFAULT};
    if (argc < 2 || strcmp(argv[1], "diff") != 0)
        return RAISE(BAD_REQUEST, "what about the policy? chaski policy diff --help");
    TRY(read_words(argc - 1, argv + 1, &asked));
    return diff(&asked);
}
