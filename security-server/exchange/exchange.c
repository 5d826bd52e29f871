// SPDX-License-Identifier: MIT
#include "security-server/exchange/exchange.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/crypto/seal.h"
#include "security-server/exchange/exchange_steps.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/exchange_steps.h"
#include "security-server/exchange/seen.h"

#include <assert.h>
#include <stdlib.h>

struct exchange *exchange_new(struct node *node, enum exchange_role role,
                              const uint8_t id[EXCHANGE_ID_BYTES])
{
    struct exchange *x = owned_new(sizeof *x);
    x->node = node;
    x->role = role;
    x->directory = directory_hold(node->directory);
    x->started_us = x->step_started_us = clock_steady_us();
    memcpy(x->id, id, EXCHANGE_ID_BYTES);
    return x;
}

void record_clear(struct record *self)
{
    bytes_free(&self->header);
    header_read_free(&self->read);
    bytes_free(&self->leaf);
    bytes_free(&self->blob);
    *self = (struct record){0};
}

void exchange_free(struct exchange **self)
{
    struct exchange *x = *self;
    if (x == NULL)
        return;
    loop_stop_timer(x->node->loop, &x->deadline);
    loop_stop_timer(x->node->loop, &x->resend);
    step_uncount(x);
    record_clear(&x->request);
    record_clear(&x->answer);
    bytes_free(&x->sealed);
    directory_release(&x->directory);
    free(x->client);
    free(x->service);
    free(x->purpose);
    free(x->procedure);
    free(x->legal_basis);
    free(x->case_ref);
    free(x->sealing);
    seal_wipe(x->person, sizeof x->person);
    free(x->requirement);
    free(x->source);
    free(x->wanted_server);
    free(x->endpoint);
    free(x->columns);
    free(x);
    *self = NULL;
}

void exchange_id_text(const uint8_t id[EXCHANGE_ID_BYTES], char out[37])
{
    char hex[33];
    text_hex(span_of(id, EXCHANGE_ID_BYTES), hex, sizeof hex);
    text_format(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

// --- the end ------------------------------------------------------------------------------------

/* One line per exchange with the time of every step: what `chaski trace` reads. */
static void report(const struct exchange *x)
{
    char id[37];
    bool refused = x->problem.fault != OK;
    enum event_level level = refused ? INFO : DEBUG;
    if (!event_wanted(level) || x->doubled)
        return;
    exchange_id_text(x->id, id);
    struct event_field field[12 + STEPS_TIMED] = {
        E_TEXT("exchange", id),
        E_TEXT("role", x->role == ROLE_CONSUMER ? "consumer" : "provider"),
        E_TEXT("client", x->client == NULL ? "" : x->client),
        E_TEXT("service", x->service == NULL ? "" : x->service),
        E_TEXT("purpose", x->purpose == NULL ? "" : x->purpose),
        E_TEXT("rule", refused ? x->problem.rule : x->rule),
        E_TEXT("outcome", fault_name(x->problem.fault)),
        E_TEXT("detail", x->problem.detail),
        E_NUMBER("request_index", x->request.durable ? (int64_t)x->request.index : -1),
        E_NUMBER("answer_index", x->answer.durable ? (int64_t)x->answer.index : -1),
        E_NUMBER("total_us", clock_steady_us() - x->started_us),
    };
    size_t count = 11;
    for (size_t i = 0; i < x->timed_count; i++)
        field[count++] = E_NUMBER(x->timed[i].name, x->timed[i].us);
    event_emit(level, refused ? "exchange.refused" : "exchange.completed", field, count);
}

static void end(struct exchange *x)
{
    report(x);
    exchange_table_remove(x->node->table, x);
    exchange_free(&x);
}

/* What was not written down may come again; what was, and has no outcome, never runs again. */
static void leave_to_doubles(struct exchange *x)
{
    struct span server = header_of(x->request.read)->sender_server;
    if (!x->request.durable && x->remembered)
        seen_forget(x->node->seen, x->id, server);
    else if (x->request.durable)
        seen_lose(x->node->seen, x->id, server);
}

/* The refusal itself could not be recorded or sent. The caller of our own gateway still hears of
 * it, without a receipt; a peer will ask again or see its deadline pass. */
static void give_up(struct exchange *x)
{
    if (x->role == ROLE_PROVIDER)
        leave_to_doubles(x);
    if (x->role == ROLE_CONSUMER)
        (void)step_deliver(x);
    end(x);
}

// --- walking ------------------------------------------------------------------------------------

static const char *const step_us[][2] = {
    {"admit", "admit_us"},
    {"pseudonym", "pseudonym_us"},
    {"sign", "sign_us"},
    {"log", "log_us"},
    {"send", "send_us"},
    {"verify", "verify_us"},
    {"log_answer", "log_answer_us"},
    {"deliver", "deliver_us"},
    {"sign_refusal", "sign_refusal_us"},
    {"decide", "decide_us"},
    {"log_refusal", "log_refusal_us"},
    {"call", "call_us"},
    {"sign_answer", "sign_answer_us"},
};

static const char *with_unit(const char *name)
{
    for (size_t i = 0; i < sizeof step_us / sizeof step_us[0]; i++)
        if (strcmp(step_us[i][0], name) == 0)
            return step_us[i][1];
    return name;
}

static void time_step(struct exchange *x)
{
    int64_t now = clock_steady_us();
    if (x->timed_count < STEPS_TIMED && x->step->name != NULL) {
        x->timed[x->timed_count].name = with_unit(x->step->name);
        x->timed[x->timed_count++].us = now - x->step_started_us;
    }
    x->step_started_us = now;
}

static void run(struct exchange *x)
{
    for (;;) {
        switch (x->step->run(x)) {
        case STEP_WAIT:
            return;
        case STEP_NEXT:
            time_step(x);
            x->step++;
            assert(x->step->run != NULL); /* a walk ends with a step that says DONE */
            break;
        case STEP_FAULT:
            time_step(x);
            if (x->refusing) {
                give_up(x);
                return;
            }
            x->refusing = true;
            x->step = x->role == ROLE_CONSUMER ? consumer_refusal : provider_refusal;
            break;
        case STEP_CHANGED:
            time_step(x);
            break;
        case STEP_DONE:
            time_step(x);
            end(x);
            return;
        }
    }
}

void exchange_start(struct exchange *x)
{
    x->step = x->role == ROLE_CONSUMER ? consumer_walk : provider_walk;
    run(x);
}

void exchange_start_refused(struct exchange *x)
{
    x->refusing = true;
    x->step = x->role == ROLE_CONSUMER ? consumer_refusal : provider_refusal;
    run(x);
}

void exchange_resume(struct exchange *x)
{
    x->wait = WAIT_INSIDE;
    time_step(x);
    x->step++;
    run(x);
}

static void note_problem(struct exchange *x, fault f)
{
    /* The first problem is the one that counts: later ones are about recording it. */
    if (x->problem.fault == f.code)
        return; /* what kept it from being signed keeps its refusal from it too */
    if (x->problem.fault != OK) {
        EVENT(ERROR, "exchange.refusal_failed", E_FAULT(f));
        return;
    }
    x->problem.fault = f.code;
    x->problem.at_provider = x->role == ROLE_PROVIDER;
    text_format(x->problem.detail, sizeof x->problem.detail, "%s", fault_detail());
    if (x->problem.remedy[0] == '\0') /* the rule that decided may have said what to do */
        text_format(x->problem.remedy, sizeof x->problem.remedy, "%s", node_remedy(f.code));
}

enum step_end exchange_refuse(struct exchange *x, fault f)
{
    note_problem(x, f);
    return STEP_FAULT;
}

void exchange_fail(struct exchange *x, fault f)
{
    x->wait = WAIT_INSIDE;
    note_problem(x, f);
    time_step(x);
    if (x->refusing)
        give_up(x);
    else
        exchange_start_refused(x);
}
