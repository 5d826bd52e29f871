// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_feed.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/tiles.h"
#include "security-server/exchange/peers.h"

#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 512

struct directory_feed {
    struct node *node;
    struct trust *trust;
    struct note_key authority;
    struct checkpoint seen; /* newest head ever used; size 0: none */
    struct timespec stamp;  /* of the checkpoint file that was looked at last */
    char copy[PATH_BYTES];  /* our own copy, beside the log */
    struct loop_timer timer;
    int64_t heard_ms;           /* steady time of the last look for a peer's sake */
    enum fault_code last_fault; /* so that a standing fault is said once */
};

static void path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    if (!text_format(out, PATH_BYTES, "%s/%s", folder, name))
        out[0] = '\0';
}

static fault read_authority(const char *path, struct note_key *out)
{
    OWNED(bytes) text = NULL;
    TRY(file_read(path, 1024, &text));
    struct span line = bytes_span(text);
    while (line.size > 0 && (line.at[line.size - 1] == '\n' || line.at[line.size - 1] == '\r'))
        line.size--;
    return note_key_parse(line, out);
}

/* The newest head that this node ever used. */
static fault read_seen(struct directory_feed *self)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    path_in(self->copy, "checkpoint", path);
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    return checkpoint_open(bytes_span(note), &self->authority, &self->seen);
}

static fault copy_file(const char *from_folder, const char *to_folder, const char *name)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    OWNED(bytes) content = NULL;
    path_in(from_folder, name, from);
    path_in(to_folder, name, to);
    TRY(file_read(from, CERTIFICATE_BYTES_MAX, &content));
    return file_replace(to, bytes_span(content), 0644);
}

/* The copy makes the log folder self-contained for an auditor, and lets the node start when the
 * published folder is away. Its checkpoint is written last: it is what we refuse to go back from.
 */
static fault keep_copy(struct directory_feed *self, const char *folder)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    uint64_t epoch = directory_epoch(self->node->directory);
    path_in(folder, "checkpoint", path);
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    struct checkpoint checkpoint;
    TRY(checkpoint_open(bytes_span(note), &self->authority, &checkpoint));
    if (checkpoint.size != epoch)
        return DONE; /* a newer one came meanwhile: the next look takes it */
    TRY(file_make_folders(self->copy, 0755));
    TRY(copy_file(folder, self->copy, "authority.pem"));
    TRY(tiles_read_entries(folder, epoch, &backing, &leaves));
    fault f = tiles_publish(self->copy, leaves, 0, epoch, bytes_span(note));
    free(leaves);
    TRY(f);
    self->seen = checkpoint;
    return DONE;
}

/* Only these may connect to our mesh socket from now on. */
static void open_gate(struct node *node)
{
    size_t count = 0, room = 16, step = 0;
    struct gate_entry *entries = owned_array(room, sizeof *entries);
    for (const struct directory_server *server;
         (server = directory_next_server(node->directory, &step)) != NULL;) {
        if (count == room) {
            room *= 2;
            entries = owned_grow(entries, room, sizeof *entries);
        }
        struct gate_entry *entry = &entries[count++];
        memcpy(entry->public_key, server->transport_key, CURVE_KEY_BYTES);
        text_format(entry->user, sizeof entry->user, "%s", server->id);
    }
    gate_allow(node->gate, entries, count);
    free(entries);
}

static fault add_outside_witnesses(struct bytes *policy, const struct directory_server *own)
{
    char vkey[400], line[1400];
    for (size_t i = 0; i < own->witnesses; i++) {
        if (own->witness[i].server != NULL)
            continue;
        note_key_text(own->witness[i].key, vkey, sizeof vkey);
        text_format(line, sizeof line, "witness %s %s\n", vkey, own->witness[i].url);
        TRY(bytes_append_text(policy, line));
    }
    return DONE;
}

/* What the scribe needs of the directory: it reads no directory itself. */
static void write_policy(const struct node *node)
{
    const struct directory_server *own = node_self(node);
    const struct directory_stamper *stamper = NULL;
    size_t stampers = directory_stampers(node->directory, &stamper);
    char path[PATH_BYTES], line[1400];
    OWNED(bytes) policy = bytes_empty(1024);
    text_format(line, sizeof line, "quorum %u\n", own == NULL ? 0 : own->quorum);
    fault f = bytes_append_text(policy, line);
    for (size_t i = 0; !failed(f) && i < stampers; i++) {
        text_format(line, sizeof line, "stamper %s %s\n", stamper[i].name, stamper[i].url);
        f = bytes_append_text(policy, line);
    }
    if (!failed(f) && own != NULL)
        f = add_outside_witnesses(policy, own);
    path_in(node->config->audit_folder, "anchor", path);
    if (!failed(f))
        f = file_make_folders(path, 0755);
    path_in(node->config->audit_folder, "anchor/confirmers", path);
    if (!failed(f))
        f = file_replace(path, bytes_span(policy), 0644);
    if (failed(f))
        EVENT(WARN, "directory.policy_not_written", E_FAULT(f));
}

static fault load_from(struct directory_feed *self, const char *folder)
{
    struct directory *fresh = NULL;
    TRY(directory_load(folder, self->trust, &self->authority, self->node->directory,
                       self->seen.size > 0 ? &self->seen : NULL, clock_wall_ms(), &fresh));
    directory_release(&self->node->directory);
    self->node->directory = fresh;
    open_gate(self->node);
    write_policy(self->node);
    if (self->node->peers != NULL)
        peers_refresh(self->node->peers);
    EVENT(INFO, "directory.taken", E_NUMBER("epoch", directory_epoch(fresh)),
          E_TEXT("from", folder));
    return DONE;
}

static bool checkpoint_changed(struct directory_feed *self)
{
    char path[PATH_BYTES];
    struct stat st;
    path_in(self->node->config->directory_folder, "checkpoint", path);
    if (stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return false;
    self->stamp = st.st_mtim;
    return true;
}

static fault look(struct directory_feed *self)
{
    const char *folder = self->node->config->directory_folder;
    TRY(load_from(self, folder));
    return keep_copy(self, folder);
}

void directory_feed_look(struct directory_feed *self)
{
    if (!checkpoint_changed(self))
        return;
    fault f = look(self);
    if (!failed(f)) {
        self->last_fault = OK;
        return;
    }
    /* The files may be half there (a copy over a slow line): look again at the next turn. */
    self->stamp = (struct timespec){0};
    if (self->last_fault != f.code)
        EVENT(ERROR, "directory.refused", E_FAULT(f),
              E_NUMBER("epoch_in_use",
                       self->node->directory == NULL ? 0 : directory_epoch(self->node->directory)));
    self->last_fault = f.code;
}

void directory_feed_heard(struct directory_feed *self, uint64_t epoch)
{
    /* at most once a second: a peer may claim any number, in every message */
    if (epoch > directory_epoch(self->node->directory) &&
        clock_steady_ms() - self->heard_ms >= DIRECTORY_POLL_MS) {
        self->heard_ms = clock_steady_ms();
        directory_feed_look(self);
    }
}

static void on_timer(struct loop_timer *timer)
{
    struct directory_feed *self = timer->owner;
    directory_feed_look(self);
    loop_set_timer(self->node->loop, &self->timer, DIRECTORY_POLL_MS);
}

fault directory_feed_start(struct node *node, struct directory_feed **out)
{
    OWNED(directory_feed) self = owned_new(sizeof *self);
    self->node = node;
    path_in(node->config->audit_folder, "directory", self->copy);
    TRY(trust_load(node->config->trust_file, &self->trust));
    TRY(read_authority(node->config->authority_file, &self->authority));
    TRY(read_seen(self));
    checkpoint_changed(self);
    fault f = look(self);
    if (failed(f) && self->seen.size > 0) {
        EVENT(WARN, "directory.refused", E_FAULT(f), E_TEXT("instead", self->copy));
        f = load_from(self, self->copy);
        self->stamp = (struct timespec){0};
    }
    TRY(f);
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, DIRECTORY_POLL_MS);
    *out = TAKE(self);
    return DONE;
}

void directory_feed_free(struct directory_feed **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    directory_release(&(*self)->node->directory);
    trust_free(&(*self)->trust);
    free(*self);
    *self = NULL;
}
