// SPDX-License-Identifier: MIT
#include "gateway/collect.h"

#include "gateway/plan_json.h"
#include "gateway/request_hash.h"
#include "gateway/rest_headers.h"
#include "gateway/rest_target.h"
#include "gateway/uuid.h"
#include "lib/base/text.h"
#include "lib/bus/plan.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/seal.h"

#include "front.pb-c.h"

#include <stdlib.h>

enum fetch_state { FETCH_NEW, FETCH_SENT, FETCH_DONE, FETCH_FAILED };

/* One piece of evidence; the same for all ways and requirements that want it. */
struct fetch {
    enum fetch_state state;
    const Chaski__PlanLeaf *leaf;
    const char *requirement; /* for which it was wanted first */
    uint64_t ask;
    uint8_t exchange[UUID_BYTES];
    char exchange_text[UUID_TEXT_ROOM];
    uint8_t hash[REQUEST_HASH_BYTES];
    json_t *said;       /* DONE, FAILED: what the caller is told */
    const char *permit; /* FAILED: the reason that a permit might have; "" */
};

struct need {
    const Chaski__PlanRequirement *requirement;
    size_t way; /* that is gone now; n_way: none is left */
    bool decided, satisfied;
};

struct collect {
    struct collect_options options;
    char client[ID_TEXT_BYTES_MAX + 1];
    struct once_only_ask wanted;
    char person[PSEUDONYM_TEXT_ROOM]; /* whom the exchanges are about, for the signed pseudonym */
    Chaski__PlanAnswer *plan;
    const char *purpose;
    int64_t until_us;
    size_t needs;
    struct need *need;
    size_t fetches;
    struct fetch *fetch; /* room for PLAN_LEAVES_MAX */
    size_t in_flight;
    size_t held; /* bytes of the budget */
};

/* As Chaski-Subject has it: the person's own view must find the exchanges. What is no document, our
 * server refuses. */
static void name_person(struct collect *self)
{
    char given[2 * WORD_BYTES_MAX + 2];
    text_format(given, sizeof given, "%s %s", self->wanted.subject_type,
                self->wanted.subject_number);
    if (failed(pseudonym_normalise(span_of_text(given), self->person)))
        text_format(self->person, sizeof self->person, "?");
    seal_wipe(given, sizeof given);
}

struct collect *collect_new(const struct collect_options *options, const Chaski__PlanAnswer *plan)
{
    struct collect *self = owned_new(sizeof *self);
    size_t size = chaski__plan_answer__get_packed_size(plan);
    uint8_t *packed = owned_new(size + 1);
    self->options = *options;
    self->wanted = *options->wanted;
    text_format(self->client, sizeof self->client, "%s", options->client);
    name_person(self);
    chaski__plan_answer__pack(plan, packed);
    self->plan = chaski__plan_answer__unpack(NULL, size, packed);
    free(packed);
    if (self->plan == NULL)
        abort(); /* what was packed unpacks, or there is no memory */
    const struct client_section *client = services_client(options->gateway->services, self->client);
    self->purpose = self->plan->purpose;
    if (self->purpose[0] == '\0' && client != NULL && client->purpose != NULL)
        self->purpose = client->purpose;
    self->needs = self->plan->n_requirement;
    self->need = owned_array(self->needs + 1, sizeof *self->need);
    self->fetch = owned_array(PLAN_LEAVES_MAX, sizeof *self->fetch);
    self->until_us = loop_now_us(options->gateway->loop) + (int64_t)options->wait_ms * 1000;
    return self;
}

void collect_free(struct collect **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->fetches; i++)
        json_decref((*self)->fetch[i].said);
    budget_give(&(*self)->options.gateway->budget, BUDGET_ANSWERS, (*self)->held);
    chaski__plan_answer__free_unpacked((*self)->plan, NULL);
    free((*self)->fetch);
    free((*self)->need);
    seal_wipe(*self, sizeof **self); /* it names a person */
    free(*self);
    *self = NULL;
}

// --- what a piece came to -----------------------------------------------------------------------

static json_t *receipt_json(const struct front_answer *answer)
{
    char hex[2 * SHA256_BYTES + 1] = "";
    if (answer == NULL || !answer->has_receipt)
        return json_null();
    if (answer->leaf_hash.size == SHA256_BYTES)
        text_hex(answer->leaf_hash, hex, sizeof hex);
    return json_pack("{s:s,s:I,s:s}", "origin", answer->origin, "index", (json_int_t)answer->index,
                     "leaf_hash", hex);
}

static json_t *head_json(const struct fetch *fetch, const struct front_answer *answer)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "evidence_type", fetch->leaf->evidence_type,
                     "title", fetch->leaf->title, "source", fetch->leaf->source, "service",
                     fetch->leaf->service, "exchange", fetch->exchange_text, "receipt",
                     receipt_json(answer));
}

/* What a source that failed so may be said to be. */
static const char *permit_of(enum fault_code code, unsigned status)
{
    switch (code) {
    case SERVICE_DOWN:
    case SERVICE_TIMEOUT:
    case SERVICE_GARBAGE:
    case SERVICE_NOT_SET:
    case SERVICE_DISABLED:
    case DEADLINE_PASSED:
    case PEER_UNREACHABLE:
        return "SOURCE_DOWN";
    case OK:
        return status >= 500                                     ? "SOURCE_DOWN"
               : status == 300 || status == 404 || status == 409 ? "NO_UNIQUE_MATCH"
                                                                 : "";
    default:
        return "";
    }
}

static void fetch_failed(struct fetch *fetch, const struct front_answer *answer,
                         enum fault_code code, const char *detail)
{
    fetch->state = FETCH_FAILED;
    fetch->permit = permit_of(code, 0);
    fetch->said = head_json(fetch, answer);
    json_object_set_new(fetch->said, "fault", json_string(fault_name(code)));
    json_object_set_new(fetch->said, "sentence", json_string(fault_sentence(code)));
    json_object_set_new(fetch->said, "reason", json_string(detail));
    if (answer != NULL && answer->problem.rule[0] != '\0')
        json_object_set_new(fetch->said, "rule", json_string(answer->problem.rule));
    if (answer != NULL && answer->problem.remedy[0] != '\0')
        json_object_set_new(fetch->said, "remedy", json_string(answer->problem.remedy));
}

/* The fault that was just raised. */
static void fetch_fell(struct fetch *fetch, const struct front_answer *answer, fault f)
{
    fetch_failed(fetch, answer, f.code, fault_detail());
}

static bool is_json(struct span type)
{
    for (size_t i = 0; i + 4 <= type.size && type.at[i] != ';'; i++)
        if (text_same_word(span_of(type.at + i, 4), span_of_text("json")))
            return true;
    return false;
}

static void set_body(json_t *object, struct span type, struct span body)
{
    json_t *value =
        is_json(type) ? json_loadb((const char *)body.at, body.size, JSON_DECODE_ANY, NULL) : NULL;
    json_object_set_new(object, "content_type",
                        json_stringn((const char *)type.at, type.at == NULL ? 0 : type.size));
    if (value != NULL) {
        json_object_set_new(object, "body", value);
        return;
    }
    size_t room = 4 * ((body.size + 2) / 3) + 1;
    char *text = owned_new(room);
    text_base64(body, text, room);
    json_object_set_new(object, "body_base64", json_string(text));
    free(text);
}

static void fetch_has(struct fetch *fetch, const struct front_answer *answer,
                      const struct rest_response *response)
{
    bool good = response->status >= 200 && response->status < 300;
    fetch->state = good ? FETCH_DONE : FETCH_FAILED;
    fetch->permit = permit_of(OK, response->status);
    fetch->said = head_json(fetch, answer);
    json_object_set_new(fetch->said, "status", json_integer(response->status));
    if (fetch->leaf->version[0] != '\0')
        json_object_set_new(fetch->said, "version", json_string(fetch->leaf->version));
    set_body(fetch->said, rest_headers_last(&response->header, "content-type"), response->body);
}

// --- asking for one -----------------------------------------------------------------------------

static const char *subject_value(void *owner, struct span name)
{
    const struct collect *self = owner;
    if (span_is_text(name, "subject.type"))
        return self->wanted.subject_type;
    return span_is_text(name, "subject.number") ? self->wanted.subject_number : NULL;
}

/* *parsed points into `out`. */
static fault make_target(struct collect *self, const struct fetch *fetch, char *out, size_t room,
                         struct rest_target *parsed)
{
    char path[PLAN_PATH_BYTES_MAX];
    TRY(plan_fill(fetch->leaf->path, subject_value, self, path, sizeof path));
    if (!text_format(out, room, "/r1/%s%s", fetch->leaf->service, path) ||
        failed(rest_target_parse(span_of_text(out), parsed)))
        return RAISE(BAD_QUESTION, "with these values the source's path is none");
    return DONE;
}

static void add_word(struct rest_fields *header, const char *name, const char *value)
{
    if (value[0] != '\0')
        rest_headers_add(header, name, span_of_text(value));
}

/* The case and the legal basis are signed beside; HTTP could not carry every letter of them. */
static struct bytes *make_payload(struct collect *self, struct fetch *fetch, const char *target)
{
    struct rest_fields header = {0};
    struct bytes *payload = bytes_empty(1024);
    char id[ID_PART_BYTES_MAX + 2 + UUID_TEXT_ROOM];
    text_format(id, sizeof id, "%s-%s", front_line_instance(self->options.gateway->front),
                fetch->exchange_text);
    add_word(&header, "accept", "application/json, */*");
    add_word(&header, "x-road-client", self->client);
    add_word(&header, "chaski-purpose", self->purpose);
    add_word(&header, "chaski-procedure", self->plan->procedure);
    add_word(&header, "chaski-requirement", fetch->requirement);
    add_word(&header, "x-road-request-id", fetch->exchange_text);
    add_word(&header, "x-road-id", id);
    request_hash_head(span_of_text(PLAN_METHOD), span_of_text(target), &header, fetch->hash);
    rest_request_write(span_of_text(PLAN_METHOD), span_of_text(target), &header, payload);
    return payload;
}

static size_t ready_way(const struct need *need, size_t from)
{
    const Chaski__PlanRequirement *requirement = need->requirement;
    while (from < requirement->n_way && requirement->way[from]->state != PLAN_READY)
        from++;
    return from;
}

/* As long as there is another way behind it, half of the time is left for that. */
static int64_t wait_for(const struct collect *self, const struct need *need)
{
    int64_t left_ms = (self->until_us - loop_now_us(self->options.gateway->loop)) / 1000;
    bool more = ready_way(need, need->way + 1) < need->requirement->n_way;
    return more ? left_ms / 2 : left_ms;
}

static fault send_fetch(struct collect *self, const struct need *need, struct fetch *fetch)
{
    char target[sizeof "/r1/" + ID_TEXT_BYTES_MAX + PLAN_PATH_BYTES_MAX];
    int64_t wait_ms = wait_for(self, need);
    struct rest_target parsed;
    TRY(make_target(self, fetch, target, sizeof target, &parsed));
    if (wait_ms < DEADLINE_MS_LEAST)
        return RAISE(DEADLINE_PASSED, "no time was left to ask for it");
    uuid_make(fetch->exchange);
    uuid_text(fetch->exchange, fetch->exchange_text);
    fetch->ask = self->options.next_ask(self->options.owner);
    OWNED(bytes) payload = make_payload(self, fetch, target);
    struct front_want want = {.client = self->client,
                              .service = fetch->leaf->service,
                              .security_server = "",
                              .purpose = self->purpose,
                              .procedure = self->plan->procedure,
                              .legal_basis = self->wanted.legal_basis,
                              .case_ref = self->wanted.case_ref,
                              .requirement = fetch->requirement,
                              .source = fetch->leaf->source,
                              .wait_ms = (uint32_t)wait_ms,
                              .payload_bytes = payload->size,
                              .exchange_id = span_of(fetch->exchange, UUID_BYTES),
                              .method = PLAN_METHOD,
                              .path = parsed.path,
                              .person = self->person};
    return front_line_ask(self->options.gateway->front, fetch->ask, &want, bytes_span(payload));
}

// --- ways ---------------------------------------------------------------------------------------

/* NULL: nobody wanted it yet. */
static struct fetch *find_fetch(struct collect *self, const Chaski__PlanLeaf *leaf)
{
    for (size_t i = 0; i < self->fetches; i++)
        if (strcmp(self->fetch[i].leaf->source, leaf->source) == 0 &&
            strcmp(self->fetch[i].leaf->service, leaf->service) == 0 &&
            strcmp(self->fetch[i].leaf->path, leaf->path) == 0 &&
            strcmp(self->fetch[i].leaf->evidence_type, leaf->evidence_type) == 0)
            return &self->fetch[i];
    return NULL;
}

static struct fetch *fetch_of(struct collect *self, const struct need *need,
                              const Chaski__PlanLeaf *leaf)
{
    struct fetch *fetch = find_fetch(self, leaf);
    if (fetch != NULL || self->fetches == PLAN_LEAVES_MAX)
        return fetch;
    fetch = &self->fetch[self->fetches++];
    fetch->leaf = leaf;
    fetch->requirement = need->requirement->id;
    fetch->permit = "";
    return fetch;
}

/* How far a way has come: FAILED when a piece of it has, DONE when all are there. */
static enum fetch_state way_state(struct collect *self, const struct need *need)
{
    const Chaski__PlanWay *way = need->requirement->way[need->way];
    bool all = true;
    for (size_t i = 0; i < way->n_leaf; i++) {
        const struct fetch *fetch = fetch_of(self, need, way->leaf[i]);
        if (fetch == NULL || fetch->state == FETCH_FAILED)
            return FETCH_FAILED;
        all = all && fetch->state == FETCH_DONE;
    }
    return all ? FETCH_DONE : FETCH_SENT;
}

static void look(struct collect *self, struct need *need)
{
    while (!need->decided) {
        if (need->way >= need->requirement->n_way) {
            need->decided = true;
            return;
        }
        enum fetch_state state = way_state(self, need);
        if (state == FETCH_FAILED) {
            need->way = ready_way(need, need->way + 1);
            continue;
        }
        need->decided = need->satisfied = state == FETCH_DONE;
        return;
    }
}

/* Is there one that failed at once, so that all has to be looked at again? */
static bool start_some(struct collect *self, const struct need *need)
{
    const Chaski__PlanWay *way = need->requirement->way[need->way];
    for (size_t i = 0; i < way->n_leaf && self->in_flight < COLLECT_AT_ONCE; i++) {
        struct fetch *fetch = fetch_of(self, need, way->leaf[i]);
        if (fetch == NULL || fetch->state != FETCH_NEW)
            continue;
        fault f = send_fetch(self, need, fetch);
        if (failed(f)) {
            fetch_fell(fetch, NULL, f);
            return true;
        }
        fetch->state = FETCH_SENT;
        self->in_flight++;
    }
    return false;
}

// --- the result ---------------------------------------------------------------------------------

/* The subject's places are left open, as a plan's: no number is said back. */
static json_t *permit_request(const struct collect *self, const struct need *need,
                              const char *reason)
{
    return json_pack("{s:s,s:s,s:{s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s}}}", "method", "POST", "target",
                     "/once-only/v1/ask-permit", "body", "procedure", self->plan->procedure,
                     "requirement", need->requirement->id, "territory", self->plan->territory,
                     "case", self->wanted.case_ref, "reason", reason, "subject", "type",
                     "{subject.type}", "number", "{subject.number}");
}

/* Which permit there might be, when each way that was gone ended in something that one leans on. */
static const char *possible_permit(struct collect *self, const struct need *need)
{
    const char *reason = "";
    if (need->requirement->state == PLAN_NEED)
        return "";
    if (need->requirement->state != PLAN_READY)
        return "NO_SOURCE";
    for (size_t i = 0; i < need->requirement->n_way; i++) {
        const Chaski__PlanWay *way = need->requirement->way[i];
        const char *of_way = "";
        for (size_t k = 0; way->state == PLAN_READY && k < way->n_leaf; k++) {
            const struct fetch *fetch = find_fetch(self, way->leaf[k]);
            if (fetch != NULL && fetch->state == FETCH_FAILED && fetch->permit[0] != '\0')
                of_way = fetch->permit;
        }
        if (way->state == PLAN_READY && of_way[0] == '\0')
            return "";
        if (of_way[0] != '\0')
            reason = of_way;
    }
    return reason;
}

static json_t *citizen_json(struct collect *self, const struct need *need)
{
    const char *reason = possible_permit(self, need);
    const char *why = need->requirement->state == PLAN_NEED ? "a question is open"
                      : reason[0] == '\0'
                          ? "the source exists and was not asked in a way that it answers"
                          : "only with a permit, which is given when the log bears it out";
    json_t *object = json_pack("{s:b,s:s}", "may_be_asked", false, "why", why);
    if (reason[0] != '\0')
        json_object_set_new(object, "permit", permit_request(self, need, reason));
    return object;
}

static void add_questions(const struct need *need, json_t *list)
{
    for (size_t i = 0; i < need->requirement->n_way; i++)
        for (size_t k = 0; k < need->requirement->way[i]->n_leaf; k++) {
            const Chaski__PlanLeaf *leaf = need->requirement->way[i]->leaf[k];
            if (leaf->state == PLAN_NEED)
                json_array_append_new(list,
                                      json_pack("{s:s,s:s,s:s,s:s}", "evidence_type",
                                                leaf->evidence_type, "selector", leaf->need,
                                                "question", leaf->question, "codes", leaf->codes));
        }
}

/* What was fetched in a way that could not be gone to its end is told of, and not handed out. */
static json_t *unused_json(const struct fetch *fetch)
{
    json_t *object = json_copy(fetch->said);
    json_object_del(object, "body");
    json_object_del(object, "body_base64");
    return object;
}

static json_t *need_json(struct collect *self, const struct need *need)
{
    const Chaski__PlanRequirement *requirement = need->requirement;
    json_t *evidence = json_array(), *failures = json_array(), *unused = json_array();
    json_t *questions = json_array();
    for (size_t i = 0; i < requirement->n_way; i++)
        for (size_t k = 0; k < requirement->way[i]->n_leaf; k++) {
            const struct fetch *fetch = find_fetch(self, requirement->way[i]->leaf[k]);
            if (fetch == NULL || fetch->state == FETCH_NEW)
                continue;
            if (fetch->state == FETCH_SENT) /* what it belonged to failed first: it is in the log */
                json_array_append_new(unused, head_json(fetch, NULL));
            else if (fetch->state == FETCH_FAILED)
                json_array_append(failures, fetch->said);
            else if (need->satisfied && i == need->way)
                json_array_append(evidence, fetch->said);
            else
                json_array_append_new(unused, unused_json(fetch));
        }
    if (!need->satisfied)
        add_questions(need, questions);
    json_t *object = json_pack("{s:s,s:s,s:s,s:b,s:o,s:o,s:o,s:o}", "id", requirement->id, "name",
                               requirement->name, "state", plan_json_state(requirement->state),
                               "satisfied", need->satisfied, "evidence", evidence, "failed",
                               failures, "not_used", unused, "questions", questions);
    if (!need->satisfied)
        json_object_set_new(object, "citizen", citizen_json(self, need));
    return object;
}

static void finish(struct collect *self)
{
    json_t *needs = json_array();
    bool complete = true;
    for (size_t i = 0; i < self->needs; i++) {
        complete = complete && self->need[i].satisfied;
        json_array_append_new(needs, need_json(self, &self->need[i]));
    }
    json_t *result = json_pack("{s:b,s:s,s:s,s:s,s:I,s:o}", "complete", complete, "procedure",
                               self->plan->procedure, "territory", self->plan->territory, "case",
                               self->wanted.case_ref, "epoch", (json_int_t)self->plan->epoch,
                               "requirements", needs);
    self->options.done(self->options.owner, result); /* frees us */
}

// --- running ------------------------------------------------------------------------------------

static void run(struct collect *self)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < self->needs; i++)
            look(self, &self->need[i]);
        for (size_t i = 0; i < self->needs; i++)
            again = (!self->need[i].decided && start_some(self, &self->need[i])) || again;
    }
    for (size_t i = 0; i < self->needs; i++)
        if (!self->need[i].decided)
            return;
    finish(self);
}

void collect_start(struct collect *self)
{
    for (size_t i = 0; i < self->needs; i++) {
        self->need[i].requirement = self->plan->requirement[i];
        self->need[i].way = ready_way(&self->need[i], 0);
    }
    run(self);
}

static fault check_answer(const struct collect *self, const struct fetch *fetch,
                          const struct front_answer *answer, struct rest_response *out)
{
    TRY(rest_response_read(answer->payload, out));
    TRY(rest_headers_check(&out->header));
    if (out->status < 200 || out->status > 999)
        return RAISE(BAD_FRAME, "a status of %u", out->status);
    if (strcmp(answer->client, self->client) != 0 ||
        strcmp(answer->service, fetch->leaf->service) != 0)
        return RAISE(INCONSISTENT, "it is for another client, or from another service");
    if (!span_equal(out->request_hash, span_of(fetch->hash, sizeof fetch->hash)))
        return RAISE(INCONSISTENT, "the provider saw another request than was sent");
    return DONE;
}

static fault take_room(struct collect *self, size_t size)
{
    if (self->held + size > COLLECT_BYTES_MAX)
        return RAISE(SERVICE_TOO_LARGE, "more than %u bytes of evidence in all", COLLECT_BYTES_MAX);
    if (!budget_take(&self->options.gateway->budget, BUDGET_ANSWERS, size))
        return RAISE(OVERLOADED, "the exchange ran, but there is no room for its answer");
    self->held += size;
    return DONE;
}

bool collect_answered(struct collect *self, const struct front_answer *answer)
{
    struct fetch *fetch = NULL;
    struct rest_response response;
    for (size_t i = 0; i < self->fetches; i++)
        if (self->fetch[i].state == FETCH_SENT && self->fetch[i].ask == answer->ask)
            fetch = &self->fetch[i];
    if (fetch == NULL)
        return false;
    self->in_flight--;
    if (answer->problem.code != OK) {
        fetch_failed(fetch, answer, answer->problem.code, answer->problem.detail);
    } else {
        fault f = check_answer(self, fetch, answer, &response);
        if (!failed(f))
            f = take_room(self, response.body.size);
        if (failed(f))
            fetch_fell(fetch, answer, f);
        else
            fetch_has(fetch, answer, &response);
    }
    run(self);
    return true;
}

void collect_give_up(struct collect *self, fault f)
{
    self->until_us = 0; /* nothing more is asked for */
    for (size_t i = 0; i < self->fetches; i++)
        if (self->fetch[i].state == FETCH_SENT) {
            self->in_flight--;
            fetch_fell(&self->fetch[i], NULL, f);
        }
    run(self);
}
