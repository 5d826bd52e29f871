// SPDX-License-Identifier: MIT
#include "security-server/follower/round.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/directory_files.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/certificate.h"
#include "security-server/follower/beginning.h"
#include "security-server/follower/bundles.h"
#include "security-server/follower/reminder.h"

#include <inttypes.h>
#include <stdlib.h>

#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 200)

/* What is known of one address. */
struct address {
    enum fault_code said; /* OK: it was good */
    int64_t said_ms;      /* steady */
    int64_t behind_ms;    /* steady: since when it is behind what is held; 0: it is not */
};

struct round {
    struct fetcher *fetcher;
    struct followed *followed;
    const struct anchor_file *anchor;
    struct reminder *reminder;
    int64_t lag_ms;
    void (*done)(void *owner, bool good);
    void *owner;
    struct address address[ANCHOR_ADDRESSES_MAX];
    size_t at;    /* the address that is asked */
    size_t tried; /* in this round */
    bool running;
    /* what came from it */
    struct bytes *heartbeat; /* NULL: it has none */
    struct bytes *note, *pem;
    struct checkpoint head;
    uint64_t snapshot; /* newest one, while nothing is held; 0: none */
    struct beginning *beginning;
    struct bundles *bundles;
    bool asked_keys; /* the address was asked for changes of the log key */
    bool whole;      /* all acts were asked for, from the first on */
};

static void ask_bundles(struct round *self, uint64_t from);
static void on_heartbeat(void *owner, fault f, struct span body);
static void begin_address(struct round *self);

static void clear(struct round *self)
{
    fetcher_drop(self->fetcher, self);
    beginning_free(&self->beginning);
    bundles_free(&self->bundles);
    bytes_free(&self->heartbeat);
    bytes_free(&self->note);
    bytes_free(&self->pem);
    self->whole = false;
    self->asked_keys = false;
    self->snapshot = 0;
}

struct round *round_new(struct fetcher *fetcher, struct followed *followed,
                        const struct anchor_file *anchor, int64_t lag_ms,
                        void (*done)(void *owner, bool good), void *owner)
{
    struct round *self = owned_new(sizeof *self);
    self->fetcher = fetcher;
    self->followed = followed;
    self->anchor = anchor;
    self->reminder = reminder_new(fetcher, followed, anchor);
    self->lag_ms = lag_ms;
    self->done = done;
    self->owner = owner;
    return self;
}

void round_free(struct round **self)
{
    if (*self == NULL)
        return;
    clear(*self);
    reminder_free(&(*self)->reminder);
    free(*self);
    *self = NULL;
}

// --- the end of an address ----------------------------------------------------------------------

static void end(struct round *self, bool good)
{
    clear(self);
    self->running = false;
    self->done(self->owner, good);
}

static void say(struct round *self, fault f)
{
    struct address *address = &self->address[self->at];
    const char *url = self->anchor->address[self->at];
    int64_t now_ms = clock_steady_ms();
    if (!failed(f)) {
        if (address->said != OK)
            EVENT(INFO, "follow.address_good", E_TEXT("address", url));
    } else if (f.code != address->said || now_ms - address->said_ms >= FOLLOW_SAY_MS) {
        EVENT(WARN, "follow.address_failed", E_TEXT("address", url), E_FAULT(f));
        address->said_ms = now_ms;
    }
    address->said = f.code;
}

static void next_address(struct round *self, fault f)
{
    say(self, f);
    clear(self);
    self->at = (self->at + 1) % self->anchor->addresses;
    if (++self->tried < self->anchor->addresses)
        begin_address(self);
    else
        end(self, false);
}

/* For the exchange process, which judges it again, keeps both notes and tells of it. */
static void refuse(struct round *self, struct span note, bool with_acts, fault f)
{
    struct followed_news news = {.note = note};
    char detail[300];
    text_format(detail, sizeof detail, "%s", fault_detail());
    if (with_acts && self->bundles != NULL && self->whole) {
        news.leaf = bundles_leaves(self->bundles, &news.leaves);
        news.pem = bytes_span(self->pem);
    }
    fault kept = followed_refuse(self->followed, &news);
    if (failed(kept))
        EVENT(ERROR, "follow.conflict_not_kept", E_FAULT(kept));
    next_address(self, RAISE(f.code, "%s", detail));
}

// --- judging ------------------------------------------------------------------------------------

/* A mirror may be a little late; the authority's own word may not go back. */
static void take_older(struct round *self, fault f)
{
    struct address *address = &self->address[self->at];
    int64_t now_ms = clock_steady_ms();
    if (address->behind_ms == 0)
        address->behind_ms = now_ms;
    reminder_tell(self->reminder, self->at, self->head.size);
    if (now_ms - address->behind_ms >= self->lag_ms)
        refuse(self, bytes_span(self->note), false, f);
    else
        next_address(self, f);
}

static fault check_fresh(const struct round *self)
{
    const struct heartbeat *newest = followed_heartbeat(self->followed);
    int64_t age_ms = clock_wall_ms() - (int64_t)newest->time_s * 1000;
    if (self->heartbeat == NULL)
        return RAISE(STALE, "it has no heartbeat, so that nobody knows how fresh its directory is");
    if (age_ms > DIRECTORY_FRESH_MS)
        return RAISE(STALE,
                     "its newest word is dated %" PRId64
                     " s ago: it is a late mirror, or one of the "
                     "clocks, its or ours, is wrong",
                     age_ms / 1000);
    return DONE;
}

/* The last of an address: its word of how fresh its head is. */
static void take_heartbeat(struct round *self)
{
    struct heartbeat word;
    fault f = DONE;
    self->address[self->at].behind_ms = 0;
    if (self->heartbeat != NULL)
        f = followed_take_heartbeat(self->followed, bytes_span(self->heartbeat), &word);
    if (f.code == DIRECTORY_FORKED || f.code == DIRECTORY_OLD) {
        refuse(self, bytes_span(self->heartbeat), false, f);
        return;
    }
    if (f.code == NOT_FOUND) /* the head came a moment before: its word comes with the next round */
        f = DONE;
    if (!failed(f))
        f = check_fresh(self);
    if (failed(f)) {
        next_address(self, f);
        return;
    }
    say(self, DONE);
    end(self, true);
}

static void take_head(struct round *self, const struct followed_news *news)
{
    uint64_t before = followed_head(self->followed)->size;
    fault f = followed_take(self->followed, news);
    if (!failed(f) && self->head.size > before)
        EVENT(INFO, "follow.taken", E_NUMBER("size", self->head.size),
              E_TEXT("from", self->anchor->address[self->at]));
    if (!failed(f))
        take_heartbeat(self);
    else if (f.code == DIRECTORY_OLD)
        take_older(self, f);
    else if (f.code == DIRECTORY_FORKED)
        refuse(self, news->note, true, f);
    else if (f.code == INCONSISTENT && !self->whole && before > 0)
        ask_bundles(self, 0); /* damaged, or another history: the whole of it tells */
    else
        next_address(self, f);
}

// --- asking -------------------------------------------------------------------------------------

static void ask(struct round *self, const char *name, size_t bytes_max, fetch_done *done)
{
    char url[URL_BYTES];
    text_format(url, sizeof url, "%s/directory/%s", self->anchor->address[self->at], name);
    struct fetch what = {
        .url = url, .bytes_max = bytes_max, .wait_ms = FOLLOW_ASK_MS, .done = done, .owner = self};
    fault f = fetcher_begin(self->fetcher, &what);
    if (failed(f))
        next_address(self, f);
}

static void on_bundles(void *owner, fault f)
{
    struct round *self = owner;
    if (failed(f)) {
        next_address(self, f);
        return;
    }
    struct followed_news news = {.note = bytes_span(self->note),
                                 .from = bundles_from(self->bundles),
                                 .pem = bytes_span(self->pem)};
    news.leaf = bundles_leaves(self->bundles, &news.leaves);
    bool whole = self->whole;
    take_head(self, &news);
    if (whole)
        owned_give_back();
}

static void ask_bundles(struct round *self, uint64_t from)
{
    bundles_free(&self->bundles);
    self->bundles = bundles_new(self->fetcher, self->anchor->address[self->at], from,
                                self->head.size, on_bundles, self);
    self->whole = bundles_from(self->bundles) == 0;
    bundles_begin(self->bundles);
}

/* A snapshot that was dropped meanwhile, or is none that was signed: all acts tell. */
static void on_beginning(void *owner, fault f)
{
    struct round *self = owner;
    if (!failed(f)) {
        struct directory_partial with = beginning_partial(self->beginning);
        f = followed_begin(self->followed, bytes_span(self->note), bytes_span(self->pem), &with);
    }
    if (f.code == PEER_UNREACHABLE || f.code == IO_FAILED) {
        next_address(self, f);
        return;
    }
    if (failed(f)) {
        EVENT(WARN, "follow.snapshot_not_used", E_NUMBER("snapshot", self->snapshot),
              E_TEXT("from", self->anchor->address[self->at]), E_FAULT(f));
        beginning_free(&self->beginning);
        ask_bundles(self, 0);
        return;
    }
    EVENT(INFO, "follow.begun", E_NUMBER("size", self->head.size),
          E_NUMBER("snapshot", self->snapshot), E_TEXT("from", self->anchor->address[self->at]));
    take_heartbeat(self);
    owned_give_back();
}

static void ask_acts(struct round *self)
{
    if (beginning_fits(self->snapshot, self->head.size)) {
        self->beginning = beginning_new(self->fetcher, self->anchor->address[self->at],
                                        self->snapshot, self->head.size, on_beginning, self);
        beginning_begin(self->beginning);
    } else {
        ask_bundles(self, followed_head(self->followed)->size);
    }
}

/* Whoever knows the newest key alone would not know what the ones before still say. */
static void on_first_handovers(void *owner, fault f, struct span body)
{
    struct round *self = owner;
    bool more = false;
    if (!failed(f))
        f = followed_learn(self->followed, body, bytes_span(self->pem), &more);
    if (failed(f) && f.code != NOT_FOUND)
        next_address(self, f);
    else
        ask_acts(self);
}

static void on_authority(void *owner, fault f, struct span body)
{
    struct round *self = owner;
    if (!failed(f))
        f = bytes_copy(body, &self->pem);
    if (failed(f))
        next_address(self, f);
    else if (followed_head(self->followed)->size == 0 && !self->asked_keys)
        ask(self, HANDOVERS_FILE, HANDOVERS_BYTES_MAX, on_first_handovers);
    else
        ask_acts(self);
}

/* By another key than is known: of before, or one that acts named while we were away. */
static void on_handovers(void *owner, fault f, struct span body)
{
    struct round *self = owner;
    bool more = false;
    if (!failed(f))
        f = followed_learn(self->followed, body, bytes_span(self->pem), &more);
    if (failed(f) && f.code != NOT_FOUND) {
        next_address(self, f);
        return;
    }
    bytes_free(&self->pem);
    ask(self, "heartbeat", NOTE_BYTES_MAX, on_heartbeat);
}

static void on_keys_authority(void *owner, fault f, struct span body)
{
    struct round *self = owner;
    if (!failed(f))
        f = bytes_copy(body, &self->pem);
    if (failed(f))
        next_address(self, f);
    else
        ask(self, HANDOVERS_FILE, HANDOVERS_BYTES_MAX, on_handovers);
}

static bool asks_for_keys(struct round *self, fault f)
{
    if (f.code != SIGNATURE_BAD || self->asked_keys)
        return false;
    self->asked_keys = true;
    bytes_free(&self->heartbeat);
    ask(self, "authority.pem", CERTIFICATE_BYTES_MAX, on_keys_authority);
    return true;
}

static void on_checkpoint(void *owner, fault f, struct span body)
{
    struct round *self = owner;
    if (!failed(f))
        f = followed_open_head(self->followed, body, &self->head);
    if (asks_for_keys(self, f))
        return;
    if (f.code == DIRECTORY_FORKED) { /* whoever has the old key goes on with it */
        refuse(self, body, false, f);
        return;
    }
    if (!failed(f) && (self->head.size == 0 || self->head.size > DIRECTORY_ENTRIES_MAX))
        f = RAISE(BAD_FRAME, "a directory of %" PRIu64 " entries", self->head.size);
    if (!failed(f))
        f = bytes_copy(body, &self->note);
    if (failed(f)) {
        next_address(self, f);
        return;
    }
    if (self->head.size > followed_head(self->followed)->size) {
        ask(self, "authority.pem", CERTIFICATE_BYTES_MAX, on_authority);
        return;
    }
    struct followed_news news = {.note = bytes_span(self->note)};
    take_head(self, &news);
}

/* Before the checkpoint, or the snapshot may be the newer one. Not every mirror has one. */
static void on_newest(void *owner, fault f, struct span body)
{
    struct round *self = owner;
    if (f.code == PEER_UNREACHABLE) {
        next_address(self, f);
        return;
    }
    self->snapshot = failed(f) ? 0 : directory_files_newest(body);
    ask(self, "checkpoint", NOTE_BYTES_MAX, on_checkpoint);
}

/* Not every mirror has one. */
static void on_heartbeat(void *owner, fault f, struct span body)
{
    struct round *self = owner;
    struct heartbeat word;
    if (!failed(f))
        f = heartbeat_open(body, followed_key(self->followed), &word);
    if (asks_for_keys(self, f))
        return;
    if (!failed(f))
        f = bytes_copy(body, &self->heartbeat);
    if (failed(f) && f.code != NOT_FOUND && f.code != SIGNATURE_BAD)
        next_address(self, f);
    else if (followed_head(self->followed)->size == 0)
        ask(self, "snapshot/newest", NOTE_BYTES_MAX, on_newest);
    else
        ask(self, "checkpoint", NOTE_BYTES_MAX, on_checkpoint);
}

static void begin_address(struct round *self)
{
    clear(self);
    ask(self, "heartbeat", NOTE_BYTES_MAX, on_heartbeat);
}

void round_begin(struct round *self)
{
    if (self->running)
        return;
    self->running = true;
    self->tried = 0;
    begin_address(self);
}
