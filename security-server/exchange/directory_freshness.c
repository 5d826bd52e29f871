// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_freshness.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/heartbeat.h"
#include "lib/bus/policy.h"
#include "security-server/exchange/directory_feed.h"
#include "security-server/exchange/directory_quorum.h"

#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 512
#define LOOK_MS 1000

/* A word, and until when it counts: no longer than to the moment at which it was heard, whatever
 * time it names. */
struct word {
    struct heartbeat heartbeat;
    int64_t counts_ms; /* wall; 0: there is none */
    struct bytes *note;
};

struct directory_freshness {
    struct node *node;
    struct loop_timer timer;
    char followed[PATH_BYTES], heard[PATH_BYTES]; /* files: of the follower, and of peers */
    struct timespec stamp;                        /* of the follower's */
    struct word word;                             /* about a head that is, or was, in use */
    struct word ahead;                            /* about one that is not here yet */
    int64_t newest_ms;                            /* wall: of the newest word of any kind so far */
    int64_t newer_ms;                             /* steady: when it became newer */
    int64_t warned_ms, clock_said_ms;             /* steady */
    bool warned;
};

static void word_clear(struct word *word)
{
    bytes_free(&word->note);
    *word = (struct word){.counts_ms = 0};
}

// --- what is known ------------------------------------------------------------------------------

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A head that was signed after this word is no less fresh than it. */
static bool is_about_ours(const struct directory_freshness *self, const struct heartbeat *heartbeat)
{
    const struct directory *directory = self->node->directory;
    struct sha256 root = directory_root(directory);
    uint64_t size = directory_epoch(directory);
    return heartbeat->head.size < size ||
           (heartbeat->head.size == size && sha256_equal(&heartbeat->head.root, &root));
}

/* Wall time of the newest word of any kind. */
static int64_t newest_word_ms(const struct directory_freshness *self)
{
    const struct directory_quorum *quorum = directory_feed_quorum(self->node->feed);
    int64_t newest_ms = directory_last_ms(self->node->directory);
    if (quorum->confirmed == directory_epoch(self->node->directory) &&
        quorum->time_s * 1000 > newest_ms)
        newest_ms = quorum->time_s * 1000;
    return self->word.counts_ms > newest_ms ? self->word.counts_ms : newest_ms;
}

int64_t directory_freshness_age_ms(const struct directory_freshness *self)
{
    if (self == NULL)
        return 0;
    int64_t age_ms = clock_wall_ms() - newest_word_ms(self);
    return age_ms < 1 ? 1 : age_ms;
}

int64_t directory_freshness_silent_ms(const struct directory_freshness *self)
{
    return self == NULL ? 0 : clock_steady_ms() - self->newer_ms;
}

struct span directory_freshness_note(const struct directory_freshness *self)
{
    static const struct span none = {0};
    return self == NULL ? none : bytes_span(self->word.note);
}

// --- what may be exchanged ----------------------------------------------------------------------

static int64_t limit_ms(const struct server_config *config, enum policy_class class)
{
    int64_t own_ms = class == POLICY_OPEN     ? config->directory_stale_open_ms
                     : class == POLICY_SHARED ? config->directory_stale_shared_ms
                                              : config->directory_stale_restricted_ms;
    return own_ms > 0 ? own_ms : config->directory_stale_ms;
}

static fault check(const struct directory_freshness *self, int64_t most_ms)
{
    char heard[32];
    int64_t age_ms = directory_freshness_age_ms(self);
    if (self == NULL || age_ms <= most_ms)
        return DONE;
    clock_text(newest_word_ms(self), heard, sizeof heard);
    return RAISE(
        DIRECTORY_STALE,
        "newest word of the directory: %s, %lld s ago; allowed are %lld s. The operator of "
        "%s looks at the way to the authority (events follow.*) and at the clock",
        heard, (long long)(age_ms / 1000), (long long)(most_ms / 1000), self->node->config->server);
}

fault directory_freshness_check(const struct directory_freshness *self, struct span service)
{
    if (self == NULL)
        return DONE;
    enum policy_class class = policy_class_of(self->node->directory, service, clock_wall_ms());
    return check(self, limit_ms(self->node->config, class));
}

fault directory_freshness_check_all(const struct directory_freshness *self)
{
    int64_t most_ms = 0;
    for (enum policy_class class = POLICY_OPEN; self != NULL && class < POLICY_CLASSES_END;
         class ++) {
        int64_t limit = limit_ms(self->node->config, class);
        most_ms = limit > most_ms ? limit : most_ms;
    }
    return check(self, most_ms);
}

// --- new words ----------------------------------------------------------------------------------

/* Whose clock it is nobody can tell from here: so both are named. */
static void say_ahead(struct directory_freshness *self, int64_t by_ms)
{
    int64_t now_ms = clock_steady_ms();
    if (self->clock_said_ms != 0 && now_ms - self->clock_said_ms < DIRECTORY_WARN_MS)
        return;
    self->clock_said_ms = now_ms;
    EVENT(ERROR, "directory.clock", E_MS("ahead_ms", by_ms),
          E_TEXT("detail", "the directory's heartbeat is dated in the future: this server's clock "
                           "stands behind, or the authority's ahead; compare both with a third"));
}

/* heard_ms: wall time at which it came. */
static void take(struct directory_freshness *self, const struct heartbeat *heartbeat,
                 struct span note, int64_t heard_ms)
{
    int64_t time_ms = (int64_t)heartbeat->time_s * 1000;
    struct word *word = is_about_ours(self, heartbeat) ? &self->word : &self->ahead;
    if (heartbeat->time_s <= word->heartbeat.time_s && word->counts_ms > 0)
        return;
    if (time_ms > heard_ms + DIRECTORY_AHEAD_MS)
        say_ahead(self, time_ms - heard_ms);
    OWNED(bytes) copy = NULL;
    if (failed(bytes_copy(note, &copy)))
        return;
    word_clear(word);
    *word = (struct word){*heartbeat, least(time_ms, heard_ms), TAKE(copy)};
}

static fault open_note(const struct directory_freshness *self, struct span note,
                       struct heartbeat *out)
{
    return heartbeat_open(note, directory_feed_key(self->node->feed), out);
}

void directory_freshness_hear(struct directory_freshness *self, struct span note)
{
    struct heartbeat heartbeat;
    if (self == NULL || note.size == 0 || failed(open_note(self, note, &heartbeat)) ||
        heartbeat.time_s <= self->word.heartbeat.time_s)
        return;
    fault f = file_replace(self->heard, note, 0644);
    if (failed(f))
        EVENT(WARN, "directory.heartbeat_not_kept", E_FAULT(f));
    take(self, &heartbeat, note, clock_wall_ms());
}

static void read_file(struct directory_freshness *self, const char *path, struct timespec *stamp)
{
    struct stat st;
    struct heartbeat heartbeat;
    OWNED(bytes) note = NULL;
    if (stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == stamp->tv_sec && st.st_mtim.tv_nsec == stamp->tv_nsec))
        return;
    *stamp = st.st_mtim;
    if (!failed(file_read(path, NOTE_BYTES_MAX, &note)) &&
        !failed(open_note(self, bytes_span(note), &heartbeat)))
        take(self, &heartbeat, bytes_span(note), (int64_t)st.st_mtim.tv_sec * 1000 + 999);
}

/* The head that a word was about has come. */
static void catch_up(struct directory_freshness *self)
{
    struct word *ahead = &self->ahead;
    if (ahead->counts_ms == 0 || !is_about_ours(self, &ahead->heartbeat))
        return;
    if (ahead->heartbeat.time_s > self->word.heartbeat.time_s) {
        word_clear(&self->word);
        self->word = *ahead;
        *ahead = (struct word){.counts_ms = 0};
    }
    word_clear(ahead);
}

static void watch(struct directory_freshness *self)
{
    const struct server_config *config = self->node->config;
    int64_t now_ms = clock_steady_ms(), age_ms = directory_freshness_age_ms(self);
    int64_t warn_ms = least(DIRECTORY_WARN_MS, config->directory_stale_ms / 2);
    int64_t newest_ms = newest_word_ms(self);
    if (newest_ms > self->newest_ms) {
        self->newest_ms = newest_ms;
        self->newer_ms = now_ms;
    }
    if (age_ms < warn_ms) {
        if (self->warned)
            EVENT(INFO, "directory.fresh_again", E_MS("age_ms", age_ms));
        self->warned = false;
    } else if (!self->warned || now_ms - self->warned_ms >= DIRECTORY_WARN_MS) {
        EVENT(WARN, "directory.not_fresh", E_MS("age_ms", age_ms),
              E_NUMBER("epoch", directory_epoch(self->node->directory)),
              E_MS("refused_after_ms", config->directory_stale_ms));
        self->warned = true;
        self->warned_ms = now_ms;
    }
}

static void on_timer(struct loop_timer *timer)
{
    struct directory_freshness *self = timer->owner;
    read_file(self, self->followed, &self->stamp);
    catch_up(self);
    watch(self);
    loop_set_timer(self->node->loop, &self->timer, LOOK_MS);
}

struct directory_freshness *directory_freshness_new(struct node *node)
{
    struct timespec never = {0};
    if (node->config->anchor == NULL)
        return NULL;
    struct directory_freshness *self = owned_new(sizeof *self);
    self->node = node;
    text_format(self->followed, sizeof self->followed, "%s/followed/heartbeat",
                node->config->audit_folder);
    text_format(self->heard, sizeof self->heard, "%s/heartbeat", directory_feed_copy(node->feed));
    read_file(self, self->heard, &never);
    self->newer_ms = clock_steady_ms();
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    on_timer(&self->timer);
    return self;
}

void directory_freshness_free(struct directory_freshness **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    word_clear(&(*self)->word);
    word_clear(&(*self)->ahead);
    free(*self);
    *self = NULL;
}
