// SPDX-License-Identifier: MIT
#include "gateway/subject_merge.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/metaservice.h"

#include "subject.pb-c.h"

#include <stdlib.h>

#define PAGE_CONTEXT "chaski subject page v1"
#define YOUNG_MS 120000 /* may still be on its way to the other side */

enum server_state { SERVER_NOT_ASKED, SERVER_ASKED, SERVER_GAVE_ALL, SERVER_FAILED };

struct server {
    char *id, *name, *origin, *fault, *detail;
    enum server_state state;
    unsigned times_asked;
    bool cut;
    uint64_t log_size, entries, gone, newest_ms, pages;
};

/* What a server said of one exchange; it points into its page. */
struct side {
    size_t server;
    const Chaski__SubjectEntry *entry;
};

struct access {
    uint8_t id[16];
    size_t sides;
    struct side side[2]; /* more than two servers hold nothing of one exchange */
};

/* Who asked for views of this person. */
struct view {
    char *caller, *name;
    uint64_t exchanges, last_ms;
};

struct subject_merge {
    size_t views;
    struct view view[SUBJECT_VIEW_CALLERS_MAX];
    size_t servers, servers_room;
    struct server *server;
    size_t pages, pages_room;
    Chaski__SubjectPage **page;
    size_t accesses, accesses_room;
    struct access **access;
    struct map by_id;     /* exchange id -> struct access */
    struct map server_of; /* id -> place in `server`, from 1 */
};

struct subject_merge *subject_merge_new(void)
{
    return owned_new(sizeof(struct subject_merge));
}

void subject_merge_free(struct subject_merge **owner)
{
    struct subject_merge *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->servers; i++) {
        struct server *at = &self->server[i];
        free(at->id);
        free(at->name);
        free(at->origin);
        free(at->fault);
        free(at->detail);
    }
    for (size_t i = 0; i < self->pages; i++)
        chaski__subject_page__free_unpacked(self->page[i], NULL);
    for (size_t i = 0; i < self->accesses; i++)
        free(self->access[i]);
    for (size_t i = 0; i < self->views; i++) {
        free(self->view[i].caller);
        free(self->view[i].name);
    }
    map_clear(&self->by_id);
    map_clear(&self->server_of);
    free(self->server);
    free(self->page);
    free(self->access);
    free(self);
}

static void *room_for(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room == 0 ? 64 : 2 * *room;
    return owned_grow(list, *room, size);
}

size_t subject_merge_server(struct subject_merge *self, const char *id, const char *name)
{
    self->server = room_for(self->server, self->servers, &self->servers_room, sizeof *self->server);
    self->server[self->servers] = (struct server){.id = owned_text(id), .name = owned_text(name)};
    self->servers++;
    map_set(&self->server_of, span_of_text(self->server[self->servers - 1].id),
            (void *)(uintptr_t)self->servers);
    return self->servers - 1;
}

// --- pages --------------------------------------------------------------------------------------

static bool receipt_is_good(const Chaski__SubjectReceipt *receipt)
{
    return receipt == NULL || receipt->leaf_hash.len == SHA256_BYTES;
}

static bool is_good(const Chaski__SubjectEntry *entry)
{
    const char *texts[] = {
        entry->caller,          entry->caller_name, entry->provider,      entry->provider_name,
        entry->service,         entry->purpose,     entry->purpose_title, entry->procedure,
        entry->legal_basis,     entry->rule,        entry->fault,         entry->caller_server,
        entry->provider_server, entry->sealing,     entry->sealing_basis};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!text_is_plain(span_of_text(texts[i])))
            return false;
    return entry->exchange_id.len == 16 && entry->time_ms <= INT64_MAX &&
           entry->unsealed_ms <= INT64_MAX && receipt_is_good(entry->request) &&
           receipt_is_good(entry->answer) && (entry->request != NULL || entry->answer != NULL);
}

static fault check_page(const struct subject_merge *self, size_t server,
                        const Chaski__SubjectPage *page)
{
    if (page == NULL || strcmp(page->context, PAGE_CONTEXT) != 0)
        return RAISE(BAD_FRAME, "no page of who looked at a person");
    if (strcmp(page->server, self->server[server].id) != 0)
        return RAISE(BAD_FRAME, "a page of another server");
    if (!text_is_plain(span_of_text(page->origin)))
        return RAISE(BAD_FRAME, "the name of a log that is no plain text");
    if (page->n_entry > SUBJECT_PAGE_MAX)
        return RAISE(BAD_FRAME, "%zu entries on one page", page->n_entry);
    for (size_t i = 0; i < page->n_entry; i++)
        if (!is_good(page->entry[i]))
            return RAISE(BAD_FRAME, "an entry of no possible record");
    return DONE;
}

static struct access *access_of(struct subject_merge *self, struct span id)
{
    struct access *access = map_get(&self->by_id, id);
    if (access != NULL || self->accesses == SUBJECT_VIEW_ENTRIES_MAX)
        return access;
    access = owned_new(sizeof *access);
    memcpy(access->id, id.at, id.size);
    self->access =
        room_for(self->access, self->accesses, &self->accesses_room, sizeof *self->access);
    self->access[self->accesses++] = access;
    map_set(&self->by_id, span_of(access->id, sizeof access->id), access);
    return access;
}

/* A question for a view, as who was asked has it: it takes no room from what it asks about. */
static bool is_view_of(const struct server *from, const Chaski__SubjectEntry *entry)
{
    return !entry->look && strcmp(entry->provider_server, from->id) == 0 &&
           metaservice_of(span_of_text(entry->service)) == METASERVICE_SUBJECT;
}

/* One line for each who asked: a view is as many exchanges as there are servers. */
static void count_view(struct subject_merge *self, const Chaski__SubjectEntry *entry)
{
    size_t at = 0;
    while (at < self->views && strcmp(self->view[at].caller, entry->caller) != 0)
        at++;
    if (at == SUBJECT_VIEW_CALLERS_MAX)
        return; /* portals are few; who invents more has told enough */
    struct view *view = &self->view[at];
    if (at == self->views) {
        self->views++;
        view->caller = owned_text(entry->caller);
        view->name = owned_text(entry->caller_name);
    }
    view->exchanges++;
    view->last_ms = entry->time_ms > view->last_ms ? entry->time_ms : view->last_ms;
}

/* False: there is no room for it. */
static bool add_entry(struct subject_merge *self, size_t server, const Chaski__SubjectEntry *entry)
{
    struct server *from = &self->server[server];
    if (is_view_of(from, entry)) {
        from->newest_ms = entry->time_ms > from->newest_ms ? entry->time_ms : from->newest_ms;
        count_view(self, entry);
        return true;
    }
    struct span id = span_of(entry->exchange_id.data, entry->exchange_id.len);
    struct access *access =
        from->entries == SUBJECT_SERVER_ENTRIES_MAX ? NULL : access_of(self, id);
    if (access == NULL)
        return false;
    from->entries++;
    from->newest_ms = entry->time_ms > from->newest_ms ? entry->time_ms : from->newest_ms;
    for (size_t i = 0; i < access->sides; i++)
        if (access->side[i].server == server)
            return true; /* said twice */
    if (access->sides < 2)
        access->side[access->sides++] = (struct side){server, entry};
    return true;
}

void subject_merge_ask(struct subject_merge *self, size_t server)
{
    if (self->server[server].state == SERVER_NOT_ASKED)
        self->server[server].state = SERVER_ASKED;
    self->server[server].times_asked++;
}

/* A server of pages without anything on them would be asked for ever. */
static bool leads_on(const struct server *from, const Chaski__SubjectPage *page)
{
    return page->next == 0 ||
           (page->n_entry + page->gone > 0 && from->gone + page->gone <= SUBJECT_SERVER_GONE_MAX);
}

fault subject_merge_page(struct subject_merge *self, size_t server, struct span payload,
                         uint64_t *next)
{
    struct server *from = &self->server[server];
    Chaski__SubjectPage *page = chaski__subject_page__unpack(NULL, payload.size, payload.at);
    fault f = check_page(self, server, page);
    if (!failed(f) && !leads_on(from, page))
        f = RAISE(BAD_FRAME, "pages that lead nowhere");
    if (failed(f)) {
        if (page != NULL)
            chaski__subject_page__free_unpacked(page, NULL);
        return f;
    }
    self->page = room_for(self->page, self->pages, &self->pages_room, sizeof(void *));
    self->page[self->pages++] = page;
    free(from->origin);
    from->origin = owned_text(page->origin);
    from->log_size = page->log_size;
    from->gone += page->gone;
    for (size_t i = 0; i < page->n_entry && !from->cut; i++)
        from->cut = !add_entry(self, server, page->entry[i]);
    /* views and what is gone take no room, but each page is an exchange that the asker signs */
    if (++from->pages >= SUBJECT_SERVER_PAGES_MAX && page->next != 0)
        from->cut = true;
    *next = from->cut ? 0 : page->next;
    return DONE;
}

bool subject_merge_is_cut(const struct subject_merge *self, size_t server)
{
    return self->server[server].cut;
}

void subject_merge_end(struct subject_merge *self, size_t server)
{
    if (self->server[server].state == SERVER_ASKED)
        self->server[server].state = SERVER_GAVE_ALL;
}

static void note_fault(struct server *at, const char *word, const char *detail)
{
    free(at->fault);
    free(at->detail);
    at->fault = owned_text(word);
    at->detail = owned_text(detail);
}

void subject_merge_silent(struct subject_merge *self, size_t server, const char *word,
                          const char *detail)
{
    if (self->server[server].state == SERVER_ASKED)
        note_fault(&self->server[server], word, detail);
}

void subject_merge_fail(struct subject_merge *self, size_t server, const char *word,
                        const char *detail)
{
    struct server *at = &self->server[server];
    if (at->state == SERVER_FAILED)
        return;
    at->state = SERVER_FAILED;
    note_fault(at, word, detail);
}

// --- telling ------------------------------------------------------------------------------------

static json_t *time_json(uint64_t ms)
{
    char text[32];
    if (ms == 0)
        return json_null();
    clock_text((int64_t)ms, text, sizeof text);
    return json_string(text);
}

static json_t *record_json(const Chaski__SubjectReceipt *receipt)
{
    char hex[2 * SHA256_BYTES + 1];
    if (receipt == NULL)
        return json_null();
    text_hex(span_of(receipt->leaf_hash.data, SHA256_BYTES), hex, sizeof hex);
    return json_pack("{s:I,s:i,s:s}", "entry", (json_int_t)receipt->index, "log_epoch",
                     (int)receipt->log_epoch, "leaf_hash", hex);
}

static json_t *receipts_json(const struct subject_merge *self, const struct access *access)
{
    json_t *all = json_array();
    for (size_t i = 0; i < access->sides; i++) {
        const struct side *side = &access->side[i];
        const struct server *server = &self->server[side->server];
        json_array_append_new(all, json_pack("{s:s,s:s,s:o,s:o}", "server", server->id, "log",
                                             server->origin, "request",
                                             record_json(side->entry->request), "answer",
                                             record_json(side->entry->answer)));
    }
    return all;
}

static bool same_record(const Chaski__SubjectReceipt *a, const Chaski__SubjectReceipt *b)
{
    return a == NULL || b == NULL ||
           memcmp(a->leaf_hash.data, b->leaf_hash.data, SHA256_BYTES) == 0;
}

/* One record was said twice: then it says the same. Hashes alone would let one side tell another
 * story about a record that both hold. */
static bool same_words(const Chaski__SubjectEntry *a, const Chaski__SubjectEntry *b)
{
    const char *words[][2] = {{a->caller, b->caller},
                              {a->provider, b->provider},
                              {a->service, b->service},
                              {a->purpose, b->purpose},
                              {a->procedure, b->procedure},
                              {a->legal_basis, b->legal_basis},
                              {a->rule, b->rule},
                              {a->sealing, b->sealing},
                              {a->caller_server, b->caller_server},
                              {a->provider_server, b->provider_server}};
    if (a->request == NULL || b->request == NULL)
        return true; /* words of an outcome are others */
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], words[i][1]) != 0)
            return false;
    bool same_outcome = a->answer == NULL || b->answer == NULL ||
                        (a->outcome == b->outcome && a->status == b->status);
    return a->time_ms == b->time_ms && a->unsealed_ms == b->unsealed_ms && same_outcome;
}

static const struct server *server_named(const struct subject_merge *self, const char *id)
{
    uintptr_t place = (uintptr_t)map_get(&self->server_of, span_of_text(id));
    return place == 0 ? NULL : &self->server[place - 1];
}

static bool was_told_by(const struct subject_merge *self, const struct access *access,
                        const char *server)
{
    for (size_t i = 0; i < access->sides; i++)
        if (strcmp(self->server[access->side[i].server].id, server) == 0)
            return true;
    return false;
}

/* both: as they are to be. one: the other was not heard. missing: the other was, and does not have
 * it, or not its answer. differ: they hold other records. young: it may be on its way. */
static const char *pair_word(const struct subject_merge *self, const struct access *access,
                             int64_t now_ms, const char **missing_at)
{
    const Chaski__SubjectEntry *entry = access->side[0].entry;
    const char *parties[] = {entry->caller_server, entry->provider_server};
    bool young = now_ms - (int64_t)entry->time_ms < YOUNG_MS, unheard = false;
    *missing_at = NULL;
    if (access->sides == 2) {
        const Chaski__SubjectEntry *other = access->side[1].entry;
        if (!same_record(entry->request, other->request) ||
            !same_record(entry->answer, other->answer) || !same_words(entry, other))
            return "differ";
        bool halves = (entry->request == NULL) == (other->request == NULL) &&
                      (entry->answer == NULL) == (other->answer == NULL);
        if (halves)
            return "both";
        size_t less = entry->request == NULL || entry->answer == NULL ? 0 : 1;
        *missing_at = self->server[access->side[less].server].id;
        return young ? "young" : "missing";
    }
    for (size_t i = 0; i < 2; i++) {
        const struct server *server = server_named(self, parties[i]);
        if (parties[i][0] == '\0' || was_told_by(self, access, parties[i]))
            continue;
        if (server != NULL && server->state == SERVER_GAVE_ALL && !server->cut)
            *missing_at = server->id;
        else
            unheard = true;
    }
    if (*missing_at != NULL)
        return young ? "young" : "missing";
    return unheard ? "one" : "both"; /* it never left its server, or was with itself */
}

/* A rule's no, or for what was asked; and not that something broke. */
static bool is_refusal(const char *name)
{
    enum fault_code code;
    return fault_named(name, &code) && fault_blame(code) == BLAME_CALLER;
}

static const char *outcome_word(const Chaski__SubjectEntry *entry)
{
    if (entry->outcome == 2)
        return entry->status >= 500 ? "failed" : entry->status >= 400 ? "refused" : "answered";
    if (entry->outcome != 3)
        return "none";
    return is_refusal(entry->fault) ? "refused" : "failed";
}

/* Of two sides the one that knows what came of it. */
static const Chaski__SubjectEntry *better(const struct access *access)
{
    return access->sides == 2 && access->side[0].entry->outcome == 0 ? access->side[1].entry
                                                                     : access->side[0].entry;
}

static json_t *access_json(const struct subject_merge *self, const struct access *access,
                           int64_t now_ms)
{
    const Chaski__SubjectEntry *entry = better(access);
    const char *missing_at = NULL;
    const char *pair = pair_word(self, access, now_ms, &missing_at);
    char id[33];
    text_hex(span_of(access->id, sizeof access->id), id, sizeof id);
    return json_pack(
        "{s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:o,s:s,s:s,s:s,s:s?,s:o}",
        "time", time_json(entry->time_ms), "exchange", id, "who", entry->caller_name, "caller",
        entry->caller, "asked", entry->provider_name, "provider", entry->provider, "service",
        entry->service, "why", entry->purpose_title, "purpose", entry->purpose, "procedure",
        entry->procedure, "legal_basis", entry->legal_basis, "rule", entry->rule, "outcome",
        outcome_word(entry), "status", (int)entry->status, "fault", entry->fault, "sealed_until",
        time_json(entry->unsealed_ms), "sealing", entry->sealing, "sealing_legal_basis",
        entry->sealing_basis, "sides", pair, "missing_at", missing_at, "receipts",
        receipts_json(self, access));
}

static json_t *look_json(const struct subject_merge *self, const struct access *access)
{
    const Chaski__SubjectEntry *entry = access->side[0].entry;
    return json_pack("{s:o,s:s,s:s,s:o}", "time", time_json(entry->time_ms), "who",
                     entry->caller_name, "caller", entry->caller, "receipts",
                     receipts_json(self, access));
}

/* One side alone cannot call an access something that is told of less. */
static bool is_look(const struct access *access)
{
    bool all = true;
    for (size_t i = 0; i < access->sides; i++)
        all = all && access->side[i].entry->look;
    return all;
}

static int compare(const void *left, const void *right)
{
    const struct access *const *a = left;
    const struct access *const *b = right;
    uint64_t x = (*a)->side[0].entry->time_ms, y = (*b)->side[0].entry->time_ms;
    return x == y ? memcmp((*a)->id, (*b)->id, sizeof(*a)->id) : x < y ? 1 : -1;
}

static json_t *answered_json(const struct server *at)
{
    json_t *made =
        json_pack("{s:s,s:s,s:I,s:I,s:I,s:b}", "server", at->id, "name", at->name, "log_size",
                  (json_int_t)at->log_size, "entries", (json_int_t)at->entries, "gone",
                  (json_int_t)at->gone, "more", at->cut);
    if (at->cut)
        json_object_set_new(made, "given_until", time_json(at->newest_ms));
    return made;
}

static json_t *unanswered_json(const struct server *at)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:i,s:I}", "server", at->id, "name", at->name, "fault",
                     at->fault == NULL ? "DEADLINE_PASSED" : at->fault, "detail",
                     at->detail == NULL ? "no whole answer in time" : at->detail, "times_asked",
                     (int)at->times_asked, "entries", (json_int_t)at->entries);
}

/* In four lists; true: each gave all that it holds. */
static bool add_servers(const struct subject_merge *self, json_t *root)
{
    json_t *answered = json_array(), *late = json_array(), *failed = json_array();
    json_t *not_asked = json_array();
    size_t cut = 0;
    for (size_t i = 0; i < self->servers; i++) {
        const struct server *at = &self->server[i];
        cut += at->state == SERVER_GAVE_ALL && at->cut;
        if (at->state == SERVER_GAVE_ALL)
            json_array_append_new(answered, answered_json(at));
        else if (at->state == SERVER_NOT_ASKED)
            json_array_append_new(not_asked,
                                  json_pack("{s:s,s:s}", "server", at->id, "name", at->name));
        else
            json_array_append_new(at->state == SERVER_FAILED ? failed : late, unanswered_json(at));
    }
    size_t all = json_array_size(answered);
    json_object_set_new(root, "counts",
                        json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "servers", (int)self->servers,
                                  "answered", (int)all, "late", (int)json_array_size(late),
                                  "failed", (int)json_array_size(failed), "not_asked",
                                  (int)json_array_size(not_asked), "cut", (int)cut));
    json_object_set_new(root, "answered", answered);
    json_object_set_new(root, "late", late);
    json_object_set_new(root, "failed", failed);
    json_object_set_new(root, "not_asked", not_asked);
    return all == self->servers && cut == 0;
}

/* Told so by all who told of it: what its caller alone has of a view, whoever was asked is silent.
 */
static bool is_view(const struct access *access)
{
    bool all = true;
    for (size_t i = 0; i < access->sides; i++)
        all = all &&
              metaservice_of(span_of_text(access->side[i].entry->service)) == METASERVICE_SUBJECT;
    return all;
}

static json_t *views_json(const struct subject_merge *self)
{
    json_t *views = json_array();
    for (size_t i = 0; i < self->views; i++)
        json_array_append_new(views, json_pack("{s:s,s:s,s:I,s:o}", "who", self->view[i].name,
                                               "caller", self->view[i].caller, "exchanges",
                                               (json_int_t)self->view[i].exchanges, "last",
                                               time_json(self->view[i].last_ms)));
    return views;
}

json_t *subject_merge_json(struct subject_merge *self, int64_t now_ms)
{
    json_t *accesses = json_array(), *looks = json_array();
    if (self->accesses > 0)
        qsort(self->access, self->accesses, sizeof *self->access, compare);
    for (size_t i = 0; i < self->accesses; i++) {
        const struct access *access = self->access[i];
        if (is_look(access))
            json_array_append_new(looks, look_json(self, access));
        else if (is_view(access))
            count_view(self, access->side[0].entry);
        else
            json_array_append_new(accesses, access_json(self, access, now_ms));
    }
    json_t *root =
        json_pack("{s:o,s:b,s:o,s:o,s:o}", "asked_at", time_json((uint64_t)now_ms), "complete",
                  false, "accesses", accesses, "looks", looks, "views", views_json(self));
    json_object_set_new(root, "complete", json_boolean(add_servers(self, root)));
    return root;
}
