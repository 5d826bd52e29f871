// SPDX-License-Identifier: MIT
#include "security-server/exchange/subject_keys.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/subject_key.h"
#include "security-server/exchange/keys_line.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 768
#define YEARS (SUBJECT_YEAR_LAST - SUBJECT_YEAR_FIRST + 1)
#define WANTED_BYTES (5 * YEARS + 1)

/* Of one year. */
struct year {
    bool held;
    bool ended; /* destroyed, and nothing of it is left here */
    enum fault_code said;
    int64_t said_ms; /* steady; 0: never */
};

struct subject_keys {
    struct node *node;
    struct loop_timer timer;
    char source[PATH_BYTES / 2];
    struct year year[YEARS];
    char wanted[WANTED_BYTES]; /* as the file says it */
    /* one at a time is on its way to the keys process */
    unsigned busy; /* 0: none */
    bool from_source;
    struct bytes *blob;
};

static struct year *of(struct subject_keys *self, unsigned year)
{
    return &self->year[year - SUBJECT_YEAR_FIRST];
}

bool subject_keys_holds(const struct subject_keys *self, unsigned year)
{
    return self != NULL && year >= SUBJECT_YEAR_FIRST && year <= SUBJECT_YEAR_LAST &&
           self->year[year - SUBJECT_YEAR_FIRST].held;
}

fault subject_keys_year(const struct subject_keys *self, int64_t now_ms, unsigned *out)
{
    unsigned year = pseudonym_year(now_ms);
    if (!subject_keys_holds(self, year) && pseudonym_overlaps(now_ms) &&
        subject_keys_holds(self, year - 1))
        year--;
    *out = year;
    if (subject_keys_holds(self, year))
        return DONE;
    return directory_subject_key(self->node->directory, year) == NULL
               ? RAISE(SUBJECT_KEY_MISSING, "the directory names no key of %u", year)
               : RAISE(SUBJECT_KEY_MISSING, "the key of %u has not come to this server yet", year);
}

// --- files --------------------------------------------------------------------------------------

static void own_path(const struct subject_keys *self, unsigned year, char out[PATH_BYTES])
{
    text_format(out, PATH_BYTES, "%s/" SUBJECT_KEYS_FOLDER "/%u", self->node->config->audit_folder,
                year);
}

static void source_path(const struct subject_keys *self, unsigned year, char out[PATH_BYTES])
{
    char name[SUBJECT_KEY_NAME_ROOM];
    subject_key_name(self->node->config->server, year, name);
    text_format(out, PATH_BYTES, "%s/%s", self->source, name);
}

/* What was there is overwritten before its name goes. */
static void destroy_file(const char *path)
{
    static const uint8_t zeros[SUBJECT_BLOB_BYTES_MAX];
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size <= (off_t)sizeof zeros) {
        ignore(file_write_at(fd, span_of(zeros, (size_t)st.st_size), 0));
        fsync(fd);
    }
    close(fd);
    unlink(path);
}

/* What the follower fetched is ours; a folder that somebody else publishes into is not. */
static void destroy_files(const struct subject_keys *self, unsigned year)
{
    char path[PATH_BYTES];
    own_path(self, year, path);
    destroy_file(path);
    if (self->node->config->anchor == NULL)
        return;
    source_path(self, year, path);
    destroy_file(path);
}

static fault keep(const struct subject_keys *self, unsigned year)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "%s/" SUBJECT_KEYS_FOLDER, self->node->config->audit_folder);
    TRY(file_make_folders(path, 0700));
    own_path(self, year, path);
    return file_replace(path, bytes_span(self->blob), 0600);
}

// --- telling ------------------------------------------------------------------------------------

static void say(struct subject_keys *self, unsigned year, fault f)
{
    struct year *at = of(self, year);
    int64_t now_ms = clock_steady_ms();
    if (f.code == at->said && at->said_ms != 0 && now_ms - at->said_ms < SUBJECT_KEYS_SAY_MS)
        return;
    at->said = f.code;
    at->said_ms = now_ms;
    EVENT(WARN, "subject_key.missing", E_NUMBER("year", year), E_FAULT(f),
          E_TEXT("remedy", "requests that name a person are refused until the year's key is here: "
                           "it comes with the published directory, sealed to this server"));
}

// --- taking -------------------------------------------------------------------------------------

static void look(struct subject_keys *self);

static void taken(void *owner, fault f, struct span result)
{
    struct subject_keys *self = owner;
    unsigned year = self->busy;
    (void)result;
    self->busy = 0;
    if (!failed(f)) {
        of(self, year)->held = true;
        EVENT(INFO, "subject_key.held", E_NUMBER("year", year));
        f = self->from_source ? keep(self, year) : DONE;
    } else if (!self->from_source) {
        destroy_files(self, year); /* of another key of this server, or damaged: it comes again */
    }
    bytes_free(&self->blob);
    if (failed(f))
        say(self, year, f);
    else
        look(self); /* the next one */
}

/* Our own copy, or what came. */
static fault read_blob(struct subject_keys *self, unsigned year)
{
    char path[PATH_BYTES];
    own_path(self, year, path);
    self->from_source = false;
    fault f = file_read(path, SUBJECT_BLOB_BYTES_MAX, &self->blob);
    if (!failed(f))
        return DONE;
    source_path(self, year, path);
    self->from_source = true;
    return file_read(path, SUBJECT_BLOB_BYTES_MAX, &self->blob);
}

static void take(struct subject_keys *self, const struct directory_subject_key *key)
{
    struct subject_key_blob blob;
    fault f = read_blob(self, key->year);
    if (!failed(f))
        f = subject_key_read(bytes_span(self->blob), &blob);
    if (!failed(f) && blob.year != key->year)
        f = RAISE(BAD_FRAME, "a sealed key of another year");
    if (failed(f)) {
        bytes_free(&self->blob);
        say(self, key->year, f);
        return;
    }
    self->busy = key->year;
    keys_line_take_subject_key(self->node->keys, bytes_span(self->blob), self->node->config->server,
                               &key->commitment, taken, self);
}

// --- the end of one -----------------------------------------------------------------------------

static void forgotten(void *owner, fault f, struct span result)
{
    (void)owner;
    (void)result;
    if (failed(f))
        EVENT(ERROR, "subject_key.not_forgotten", E_FAULT(f));
}

static void end(struct subject_keys *self, unsigned year)
{
    struct year *at = of(self, year);
    if (at->ended || self->busy == year)
        return;
    keys_line_forget_subject_key(self->node->keys, year, forgotten, self);
    destroy_files(self, year);
    EVENT(INFO, "subject_key.destroyed", E_NUMBER("year", year));
    at->held = false;
    at->ended = true;
}

// --- looking ------------------------------------------------------------------------------------

static void tell_follower(struct subject_keys *self, const char *wanted)
{
    char path[PATH_BYTES];
    if (self->node->config->anchor == NULL || strcmp(wanted, self->wanted) == 0)
        return;
    text_format(path, sizeof path, "%s/directory/" SUBJECT_KEYS_FOLDER,
                self->node->config->audit_folder);
    fault f = file_replace(path, span_of_text(wanted), 0644);
    if (failed(f))
        EVENT(WARN, "subject_key.not_asked_for", E_FAULT(f));
    else
        text_format(self->wanted, sizeof self->wanted, "%s", wanted);
}

static void look(struct subject_keys *self)
{
    char wanted[WANTED_BYTES] = "";
    size_t step = 0, used = 0;
    for (const struct directory_subject_key *key;
         (key = directory_next_subject_key(self->node->directory, &step)) != NULL;) {
        if (key->destroyed) {
            end(self, key->year);
            continue;
        }
        if (of(self, key->year)->held)
            continue;
        if (self->busy == 0)
            take(self, key);
        text_format(wanted + used, sizeof wanted - used, "%u\n", key->year);
        used = strlen(wanted);
    }
    tell_follower(self, wanted);
}

static void on_timer(struct loop_timer *timer)
{
    struct subject_keys *self = timer->owner;
    look(self);
    loop_set_timer(self->node->loop, timer, SUBJECT_KEYS_LOOK_MS);
}

struct subject_keys *subject_keys_new(struct node *node)
{
    struct subject_keys *self = owned_new(sizeof *self);
    self->node = node;
    text_format(self->wanted, sizeof self->wanted, "?"); /* whatever an earlier run wrote */
    if (node->config->anchor != NULL)
        text_format(self->source, sizeof self->source, "%s/followed", node->config->audit_folder);
    else
        text_format(self->source, sizeof self->source, "%s", node->config->directory_folder);
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    on_timer(&self->timer);
    return self;
}

void subject_keys_free(struct subject_keys **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    bytes_free(&(*self)->blob);
    free(*self);
    *self = NULL;
}
