// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_feed.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"
#include "lib/bus/authority_file.h"
#include "lib/bus/directory_partial.h"
#include "lib/bus/handover.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/tiles.h"
#include "security-server/exchange/directory_damage.h"
#include "security-server/exchange/directory_dispute.h"
#include "security-server/exchange/directory_older.h"
#include "security-server/exchange/directory_proof.h"
#include "security-server/exchange/directory_quorum.h"
#include "security-server/exchange/directory_talk.h"
#include "security-server/exchange/peers.h"
#include "security-server/exchange/seal_cards.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512

struct directory_feed {
    struct node *node;
    struct trust *trust;
    struct note_key anchor;    /* the log key that we were given */
    struct note_key authority; /* ... and the one to which acts lead from it */
    struct checkpoint seen;    /* newest head ever used; size 0: none */
    struct timespec stamp;     /* of the checkpoint file that was looked at last */
    bool follows;              /* a follower writes the folder, and peers are asked too */
    char folder[PATH_BYTES];   /* where what is published arrives */
    char copy[PATH_BYTES];     /* our own copy, beside the log */
    uint64_t copied;           /* entries that were written into it by this run, or read from it */
    char refused[PATH_BYTES];  /* where the follower leaves what contradicts */
    struct timespec refused_stamp;
    struct checkpoint bad;    /* a head whose acts cannot be */
    enum fault_code bad_code; /* ... for this reason */
    int64_t bad_until_ms;     /* steady: then it may be tried again */
    bool disputed;            /* what is refused now was told of */
    struct dispute_rates rates;
    struct directory_quorum quorum;
    struct directory_older *older; /* what a copy that began with a snapshot lacks */
    struct directory_proof *proof; /* ... and whether that snapshot is what its acts lead to */
    uint64_t confirmed;            /* size of the quorate note that this run kept last */
    struct loop_timer timer;
    int64_t heard_ms; /* steady time of the last look for a peer's sake */
    uint64_t hint;    /* epoch that a peer used too soon after that; 0: none */
    char hint_from[ID_BYTES_MAX];
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
    TRY(handovers_key(self->copy, &self->anchor, &self->authority));
    if (!failed(checkpoint_open(bytes_span(note), &self->authority, &self->seen)))
        return DONE;
    return RAISE(DIRECTORY_BAD,
                 "%.150s is signed by another log key than the anchor's, or one that it leads to. "
                 "If the authority changed its key while this node was away, start it with the "
                 "anchor of before: %s",
                 path, fault_detail());
}

/* What the acts say now. */
static void take_key(struct directory_feed *self)
{
    const struct note_key *key = directory_log_key(self->node->directory);
    char vkey[400];
    key = key == NULL ? &self->anchor : key;
    if (memcmp(key->public_key, self->authority.public_key, ED25519_PUBLIC_BYTES) == 0)
        return;
    self->authority = *key;
    note_key_text(key, vkey, sizeof vkey);
    EVENT(INFO, "directory.key_taken", E_TEXT("key", vkey));
}

// --- what came ----------------------------------------------------------------------------------

/* A published directory, read. */
struct arrival {
    struct bytes *note, *pem, *backing;
    struct bytes *handovers;               /* NULL: the log key never changed */
    struct span *leaf;                     /* all entries; NULL: the folder lacks its beginning */
    struct directory_partial_read partial; /* ... and this is what it has */
    struct checkpoint head;
};

static void arrival_clear(struct arrival *self)
{
    bytes_free(&self->note);
    bytes_free(&self->pem);
    bytes_free(&self->backing);
    bytes_free(&self->handovers);
    free(self->leaf);
    directory_partial_clear(&self->partial);
    *self = (struct arrival){0};
}

static fault read_in(const char *folder, const char *name, size_t most, struct bytes **out)
{
    char path[PATH_BYTES];
    path_in(folder, name, path);
    return file_read(path, most, out);
}

static fault read_note(const struct directory_feed *self, const char *folder, struct arrival *out)
{
    struct note_key key;
    TRY(read_in(folder, "checkpoint", NOTE_BYTES_MAX, &out->note));
    TRY(handovers_key(folder, &self->authority, &key));
    if (failed(checkpoint_open(bytes_span(out->note), &key, &out->head)) &&
        failed(checkpoint_open(bytes_span(out->note), &self->authority, &out->head)))
        return RAISE(DIRECTORY_BAD,
                     "%.150s/checkpoint is not signed by the authority's log key: %s", folder,
                     fault_detail());
    return DONE;
}

static fault read_partial(const char *folder, struct arrival *out)
{
    struct merkle tree;
    TRY(directory_partial_read(folder, out->head.size, &out->partial));
    return failed(directory_partial_check(&out->partial.partial, &out->head, &tree))
               ? RAISE(DIRECTORY_BAD, "%s", fault_detail())
               : DONE;
}

/* Entries of a head that would go back are not even read. */
static fault read_all(const struct directory_feed *self, const char *folder, struct arrival *out)
{
    TRY(read_note(self, folder, out));
    if (out->head.size < self->seen.size)
        return RAISE(DIRECTORY_OLD, "epoch %llu was used already; this one is %llu",
                     (unsigned long long)self->seen.size, (unsigned long long)out->head.size);
    TRY(read_in(folder, AUTHORITY_FILE, CERTIFICATE_BYTES_MAX, &out->pem));
    fault f = read_in(folder, HANDOVERS_FILE, HANDOVERS_BYTES_MAX, &out->handovers);
    if (f.code != NOT_FOUND)
        TRY(f);
    f = tiles_read_entries(folder, out->head.size, &out->backing, &out->leaf);
    if (f.code == NOT_FOUND)
        f = read_partial(folder, out);
    return f.code == BAD_FRAME
               ? RAISE(DIRECTORY_BAD, "an entry bundle is damaged: %s", fault_detail())
               : f;
}

/* What leads from the anchor's key to the one in use; before the checkpoint that needs it. */
static fault keep_handovers(const struct directory_feed *self, const struct arrival *from)
{
    OWNED(bytes) file = NULL;
    char path[PATH_BYTES];
    if (from->handovers == NULL || directory_log_key(self->node->directory) == NULL)
        return DONE;
    path_in(self->copy, HANDOVERS_FILE, path);
    if (!failed(file_read(path, HANDOVERS_BYTES_MAX, &file)) &&
        span_equal(bytes_span(file), bytes_span(from->handovers)))
        return DONE;
    return file_replace(path, bytes_span(from->handovers), 0644);
}

/* The copy makes the log folder self-contained for an auditor, and lets the node start when the
 * published folder is away. Its checkpoint is written last: it is what we refuse to go back from.
 */
static fault keep_copy(struct directory_feed *self, const struct arrival *from)
{
    char path[PATH_BYTES];
    OWNED(bytes) pem = NULL;
    TRY(file_make_folders(self->copy, 0755));
    path_in(self->copy, AUTHORITY_FILE, path);
    if (failed(read_in(self->copy, AUTHORITY_FILE, CERTIFICATE_BYTES_MAX, &pem)) ||
        !span_equal(bytes_span(pem), bytes_span(from->pem)))
        TRY(file_replace(path, bytes_span(from->pem), 0644));
    TRY(keep_handovers(self, from));
    if (from->leaf == NULL || directory_begun(self->node->directory) > 0)
        TRY(directory_proof_open(self->proof));
    if (from->leaf == NULL)
        TRY(directory_partial_write(self->copy, &from->partial.partial, &from->head,
                                    bytes_span(from->note)));
    else
        TRY(tiles_publish(self->copy, from->leaf, self->copied, from->head.size,
                          bytes_span(from->note)));
    directory_older_again(self->older);
    self->seen = from->head;
    self->copied = from->head.size;
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

static bool is_in_use(const struct directory_feed *self, const struct checkpoint *head)
{
    if (self->node->directory == NULL || head->size != directory_epoch(self->node->directory))
        return false;
    struct sha256 root = directory_root(self->node->directory);
    return sha256_equal(&root, &head->root);
}

static bool checkpoint_changed(struct directory_feed *self)
{
    char path[PATH_BYTES];
    struct stat st;
    path_in(self->folder, "checkpoint", path);
    if (stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return false;
    self->stamp = st.st_mtim;
    return true;
}

/* Everybody who goes by the directory is told. */
static void note_change(struct directory_feed *self, struct span note, const char *from)
{
    struct node *node = self->node;
    open_gate(node);
    write_policy(node);
    if (node->peers != NULL)
        peers_refresh(node->peers);
    seal_cards_refresh(node->cards);
    EVENT(INFO, "directory.taken", E_NUMBER("epoch", directory_epoch(node->directory)),
          E_TEXT("from", from));
    directory_quorum_see(&self->quorum, node->directory, note);
}

/* The state as a folder holds it. now_ms 0: however old it is. */
static fault load(struct directory_feed *self, const char *folder, const struct directory *previous,
                  int64_t now_ms)
{
    struct directory *fresh = NULL;
    const struct checkpoint *seen = self->seen.size > 0 ? &self->seen : NULL;
    TRY((directory_proof_is_open(self->proof) ? directory_load_anew : directory_load)(
        folder, self->trust, &self->anchor, previous, seen, now_ms, &fresh));
    directory_release(&self->node->directory);
    self->node->directory = fresh;
    take_key(self);
    owned_give_back(); /* all acts were in memory: several times the state */
    return DONE;
}

/* The newest note with a quorum outlives the next act, whose own cosignatures come later: an
 * auditor needs it. After the acts that it is about. */
static void keep_confirmed(struct directory_feed *self, struct span note)
{
    const struct directory_quorum *quorum = &self->quorum;
    char path[PATH_BYTES];
    if (quorum->quorum == 0 || quorum->confirmed != self->seen.size ||
        self->confirmed == quorum->confirmed)
        return;
    path_in(self->copy, "cosigned", path);
    fault f = file_replace(path, note, 0644);
    if (failed(f))
        EVENT(WARN, "directory.confirmed_not_kept", E_FAULT(f),
              E_NUMBER("epoch", quorum->confirmed));
    else
        self->confirmed = quorum->confirmed;
}

static fault take_folder(struct directory_feed *self, const char *folder)
{
    struct arrival arrival = {0};
    TRY(load(self, folder, self->node->directory, clock_wall_ms()));
    fault f = read_all(self, folder, &arrival);
    if (!failed(f) && !is_in_use(self, &arrival.head)) {
        arrival_clear(&arrival);
        return DONE; /* a newer one came meanwhile: the next look takes it */
    }
    note_change(self, bytes_span(arrival.note), folder);
    if (!failed(f))
        f = keep_copy(self, &arrival);
    if (!failed(f))
        keep_confirmed(self, bytes_span(arrival.note));
    arrival_clear(&arrival);
    owned_give_back();
    return f;
}

/* Without a state nothing can be decided: a new start reads the copy again. */
static void give_up(fault f)
{
    EVENT(ERROR, "directory.lost", E_FAULT(f));
    _exit(1);
}

/* What was begun with acts that cannot be is used no more. */
static void restore(struct directory_feed *self)
{
    fault f = load(self, self->copy, NULL, 0);
    if (failed(f))
        give_up(f);
    open_gate(self->node);
    if (self->node->peers != NULL)
        peers_refresh(self->node->peers);
    seal_cards_refresh(self->node->cards);
}

/* What this node began with was a lie: the acts tell what is. */
static void reload(void *owner)
{
    struct directory_feed *self = owner;
    OWNED(bytes) note = NULL;
    fault f = load(self, self->copy, NULL, 0);
    if (!failed(f))
        f = read_in(self->copy, "checkpoint", NOTE_BYTES_MAX, &note);
    if (failed(f))
        give_up(f);
    note_change(self, bytes_span(note), self->copy);
}

/* Tiles first, the checkpoint last. */
static fault keep_more(struct directory_feed *self, struct span note, const struct checkpoint *head,
                       const struct span *leaves, size_t count)
{
    char path[PATH_BYTES];
    OWNED(tile_writer) tiles = NULL;
    if (self->seen.size + count != head->size)
        return RAISE(LOG_BROKEN, "%s is behind", self->copy);
    TRY(tile_writer_open(self->copy, self->seen.size, &self->seen.root, &tiles));
    for (size_t i = 0; i < count; i++)
        TRY(tile_writer_add(tiles, leaves[i]));
    TRY(tile_writer_flush(tiles));
    TRY(handovers_add(self->copy, leaves, count));
    TRY(authority_file_add(self->copy, leaves, count));
    path_in(self->copy, "checkpoint", path);
    TRY(file_replace(path, note, 0644));
    self->seen = *head;
    self->copied = head->size;
    return DONE;
}

/* The copy is damaged or behind: all of it is written anew, from what the follower has. */
static fault keep_whole(struct directory_feed *self)
{
    struct arrival arrival = {0};
    self->copied = 0;
    fault f = read_all(self, self->folder, &arrival);
    if (!failed(f))
        f = is_in_use(self, &arrival.head)
                ? keep_copy(self, &arrival)
                : RAISE(LOG_BROKEN, "%s is behind, until the follower has as much", self->copy);
    arrival_clear(&arrival);
    owned_give_back();
    return f;
}

/* To try a head and to restore the state costs seconds in a large country: what cannot be is not
 * tried each time that somebody offers it. */
static bool is_bad(const struct directory_feed *self, const struct checkpoint *head)
{
    return self->bad.size == head->size && clock_steady_ms() < self->bad_until_ms &&
           sha256_equal(&self->bad.root, &head->root);
}

/* From the state in use to a later one: acts from directory_epoch() up to the head's size. */
static fault advance(struct directory_feed *self, struct span note, const struct checkpoint *head,
                     const struct span *leaves, size_t count, const char *from)
{
    char detail[300];
    if (is_bad(self, head))
        return RAISE(self->bad_code, "it was refused a moment ago");
    fault f =
        directory_advance(self->node->directory, head, leaves, count, self->trust, clock_wall_ms());
    if (directory_is_spoiled(self->node->directory)) {
        text_format(detail, sizeof detail, "%s", fault_detail());
        self->bad = *head;
        self->bad_code = f.code;
        self->bad_until_ms = clock_steady_ms() + DIRECTORY_BAD_MS;
        restore(self);
        return RAISE(f.code, "%s", detail);
    }
    TRY(f);
    take_key(self);
    note_change(self, note, from);
    if (failed(keep_more(self, note, head, leaves, count)))
        return keep_whole(self);
    keep_confirmed(self, note);
    return DONE;
}

/* The follower's folder holds what is in use, and more. */
static fault advance_to_folder(struct directory_feed *self, const struct arrival *arrival)
{
    uint64_t epoch = directory_epoch(self->node->directory);
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    if (arrival->head.size <= epoch)
        return RAISE(DIRECTORY_FORKED, "another root of %llu entries", (unsigned long long)epoch);
    fault f = tiles_read_from(self->folder, epoch, arrival->head.size, &backing, &leaves);
    if (!failed(f))
        f = advance(self, bytes_span(arrival->note), &arrival->head, leaves,
                    (size_t)(arrival->head.size - epoch), self->folder);
    free(leaves);
    return f;
}

/* The same head, with other cosignatures maybe: the better note is kept for auditors. */
static fault take_note_again(struct directory_feed *self, struct span note)
{
    char path[PATH_BYTES];
    if (!directory_quorum_see(&self->quorum, self->node->directory, note))
        return DONE;
    keep_confirmed(self, note);
    path_in(self->copy, "checkpoint", path);
    return file_replace(path, note, 0644);
}

/* What the follower wrote goes on from the head in use. What other hands copied is read again from
 * the first act, to be told of damage. */
static fault look_at_followed(struct directory_feed *self)
{
    struct arrival arrival = {0};
    fault f = read_note(self, self->folder, &arrival);
    if (failed(f))
        ignore(f);
    else if (is_in_use(self, &arrival.head))
        f = self->seen.size < arrival.head.size ? keep_whole(self)
                                                : take_note_again(self, bytes_span(arrival.note));
    else if (arrival.head.size >= self->seen.size) /* else a peer was quicker: it will catch up */
        f = advance_to_folder(self, &arrival);
    arrival_clear(&arrival);
    return f;
}

static fault look(struct directory_feed *self)
{
    return self->follows ? look_at_followed(self) : take_folder(self, self->folder);
}

/* Both notes are kept, and told of in the log: once the log can be written to. */
static void dispute(struct directory_feed *self, const char *folder, bool *done)
{
    if (*done || self->node->peer_check == NULL)
        return;
    *done = true;
    directory_dispute(self->node, &(struct disputed){folder, self->copy, self->trust, &self->anchor,
                                                     &self->seen, &self->rates});
}

static void look_at_refused(struct directory_feed *self)
{
    char path[PATH_BYTES];
    struct stat st;
    bool done = false;
    path_in(self->refused, "checkpoint", path);
    if (stat(path, &st) != 0 || (st.st_mtim.tv_sec == self->refused_stamp.tv_sec &&
                                 st.st_mtim.tv_nsec == self->refused_stamp.tv_nsec))
        return;
    dispute(self, self->refused, &done);
    if (done)
        self->refused_stamp = st.st_mtim;
}

void directory_feed_look(struct directory_feed *self)
{
    if (!checkpoint_changed(self))
        return;
    fault f = look(self);
    if (!failed(f)) {
        self->last_fault = OK;
        self->disputed = false;
        return;
    }
    /* The files may be half there (a copy over a slow line): look again at the next turn. */
    self->stamp = (struct timespec){0};
    if (self->last_fault != f.code) {
        EVENT(ERROR, "directory.refused", E_FAULT(f),
              E_NUMBER("epoch_in_use", directory_epoch(self->node->directory)));
        self->disputed = false;
    }
    self->last_fault = f.code;
    if (f.code == DIRECTORY_OLD || f.code == DIRECTORY_FORKED)
        dispute(self, self->folder, &self->disputed);
}

/* At most once a second, for a peer may claim any number, in every message; what comes too soon
 * waits for the next turn: it may be the only word of a revocation that comes through. */
void directory_feed_heard(struct directory_feed *self, struct span server, uint64_t epoch)
{
    if (epoch <= directory_epoch(self->node->directory))
        return;
    if (clock_steady_ms() - self->heard_ms < DIRECTORY_POLL_MS) {
        self->hint = epoch;
        text_format(self->hint_from, sizeof self->hint_from, "%.*s", (int)server.size,
                    (const char *)server.at);
        return;
    }
    self->heard_ms = clock_steady_ms();
    directory_feed_look(self);
    if (self->follows && epoch > directory_epoch(self->node->directory))
        directory_talk_ask(self->node->directory_talk, server);
}

fault directory_feed_take(struct directory_feed *self, struct span note, const struct span *leaves,
                          size_t count, const char *from)
{
    struct checkpoint head;
    TRY(directory_feed_open(self, note, &head));
    if (head.size <= directory_epoch(self->node->directory))
        return DONE; /* it came on another way meanwhile */
    return advance(self, note, &head, leaves, count, from);
}

/* Where an address's are kept by the follower, a peer's are kept beside. */
static fault keep_compared(struct directory_feed *self, const char *folder, struct span note,
                           const struct span *leaves, size_t count)
{
    char path[PATH_BYTES];
    OWNED(bytes) pem = NULL;
    TRY(file_make_folders(folder, 0755));
    path_in(folder, "checkpoint", path);
    unlink(path);
    path_in(folder, HANDOVERS_FILE, path);
    unlink(path);
    TRY(read_in(self->copy, "authority.pem", CERTIFICATE_BYTES_MAX, &pem));
    path_in(folder, "authority.pem", path);
    TRY(file_replace(path, bytes_span(pem), 0644));
    TRY(handovers_add(folder, leaves, count));
    return tiles_publish(folder, leaves, 0, count, note);
}

fault directory_feed_compare(struct directory_feed *self, struct span note,
                             const struct span *leaves, size_t count)
{
    char folder[PATH_BYTES];
    struct checkpoint head;
    struct merkle tree = {0};
    bool done = false;
    TRY(directory_feed_open(self, note, &head));
    for (size_t i = 0; i < count; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(&tree, &hash);
    }
    struct sha256 root = merkle_root(&tree);
    if (count != head.size || !sha256_equal(&root, &head.root))
        return RAISE(DIRECTORY_BAD, "all its %zu acts do not lead to its head of %llu", count,
                     (unsigned long long)head.size);
    path_in(self->refused, "peer", folder);
    TRY(keep_compared(self, folder, note, leaves, count));
    dispute(self, folder, &done);
    return DONE;
}

fault directory_feed_open(const struct directory_feed *self, struct span note,
                          struct checkpoint *out)
{
    return directory_open_head(self->node->directory, &self->anchor, note, out);
}

const struct note_key *directory_feed_key(const struct directory_feed *self)
{
    return &self->authority;
}

const char *directory_feed_copy(const struct directory_feed *self)
{
    return self->copy;
}

uint64_t directory_feed_kept(const struct directory_feed *self)
{
    return self->seen.size;
}

const struct directory_quorum *directory_feed_quorum(const struct directory_feed *self)
{
    return &self->quorum;
}

struct directory_proof *directory_feed_proof(const struct directory_feed *self)
{
    return self->proof;
}

/* What came before the snapshot that this node began with, and whether it leads to it. */
static void look_at_older(struct directory_feed *self)
{
    if (!directory_proof_look(self->proof, self->seen.size, directory_older_is_whole(self->older)))
        directory_older_again(self->older);
    directory_older_look(self->older, self->node->sets, self->seen.size);
}

static void on_timer(struct loop_timer *timer)
{
    struct directory_feed *self = timer->owner;
    directory_feed_look(self);
    uint64_t hint = self->hint;
    self->hint = 0;
    directory_feed_heard(self, span_of_text(self->hint_from), hint);
    if (self->follows)
        look_at_refused(self);
    look_at_older(self);
    directory_dispute_remind(self->node, &self->rates);
    directory_quorum_watch(&self->quorum, self->node->config->witness_alarm_ms);
    loop_set_timer(self->node->loop, &self->timer, DIRECTORY_POLL_MS);
}

/* Each thread that checks certificates has anchors of its own. */
static fault read_trust(void *owner, struct trust **out)
{
    const struct server_config *config = ((struct directory_feed *)owner)->node->config;
    OWNED(bytes) pem = NULL;
    if (config->anchor == NULL)
        return trust_load(config->trust_file, out);
    TRY(anchor_file_pem(config->anchor, &pem));
    return trust_read(bytes_span(pem), out);
}

/* One file, or two and a folder that somebody else fills. */
static fault read_anchors(struct directory_feed *self)
{
    const struct server_config *config = self->node->config;
    path_in(config->audit_folder, "directory", self->copy);
    path_in(config->audit_folder, "refused", self->refused);
    if (config->anchor == NULL) {
        if (!text_format(self->folder, sizeof self->folder, "%s", config->directory_folder))
            return RAISE(BAD_CONFIG, "the directory folder's name is too long");
        TRY(read_trust(self, &self->trust));
        TRY(read_authority(config->authority_file, &self->anchor));
        self->authority = self->anchor;
        return DONE;
    }
    self->follows = true;
    path_in(config->audit_folder, "followed", self->folder);
    self->anchor = self->authority = config->anchor->directory;
    return read_trust(self, &self->trust);
}

/* The copy cannot be used. What a disk spoilt accuses nobody. */
static fault say_why(const struct directory_feed *self)
{
    char why[320];
    text_format(why, sizeof why, "%.300s", fault_detail());
    if (failed(directory_damage_check(self->copy, &self->seen)))
        return RAISE(DIRECTORY_DAMAGED,
                     "%.300s. Nobody signed what is there now: the disk, or somebody on this "
                     "machine. Look at the disk, move %.150s away and start: it is fetched anew",
                     fault_detail(), self->copy);
    if (!directory_proof_is_open(self->proof))
        return RAISE(DIRECTORY_BAD, "%s", why);
    return RAISE(DIRECTORY_BAD,
                 "%s. This node began with a snapshot that the authority vouched for, and "
                 "these are the acts that it is to stand for. Unless %.150s is damaged (then "
                 "move it away) the authority's keys are in other hands: tell it, and start "
                 "with the anchor that it gives you then",
                 why, self->copy);
}

/* The copy is what this node used last: it is as good as it was then. */
static fault start_from_copy(struct directory_feed *self)
{
    OWNED(bytes) note = NULL;
    fault f = load(self, self->copy, NULL, clock_wall_ms());
    if (f.code == DIRECTORY_BAD)
        return say_why(self);
    TRY(f);
    TRY(read_in(self->copy, "checkpoint", NOTE_BYTES_MAX, &note));
    self->copied = self->seen.size;
    self->stamp = (struct timespec){0};
    note_change(self, bytes_span(note), self->copy);
    keep_confirmed(self, bytes_span(note));
    return DONE;
}

/* Who follows goes on from the copy; without one, from what the follower has fetched first. */
static fault start(struct directory_feed *self)
{
    if (self->follows && self->seen.size > 0)
        return start_from_copy(self);
    fault f = take_folder(self, self->folder);
    if (!failed(f) || self->seen.size == 0)
        return f;
    EVENT(WARN, "directory.refused", E_FAULT(f), E_TEXT("instead", self->copy));
    self->last_fault = f.code;
    return start_from_copy(self);
}

/* A file that was made for another country is a mistake of hands. */
static fault check_instance(const struct directory_feed *self)
{
    const char *is = directory_instance(self->node->directory);
    if (!self->follows || strcmp(is, self->node->config->anchor->instance) == 0)
        return DONE;
    return RAISE(DIRECTORY_BAD, "the anchor is of %s, and the directory of %s",
                 self->node->config->anchor->instance, is);
}

fault directory_feed_start(struct node *node, struct directory_feed **out)
{
    OWNED(directory_feed) self = owned_new(sizeof *self);
    self->node = node;
    TRY(read_anchors(self));
    self->older = directory_older_new(self->folder, self->copy);
    self->proof = directory_proof_new(
        &(struct directory_proof_of){node, self->copy, read_trust, reload, self});
    TRY(read_seen(self));
    checkpoint_changed(self);
    TRY(start(self));
    TRY(check_instance(self));
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
    directory_older_free(&(*self)->older);
    directory_proof_free(&(*self)->proof);
    free(*self);
    *self = NULL;
}
