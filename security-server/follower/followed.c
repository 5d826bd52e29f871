// SPDX-License-Identifier: MIT
#include "security-server/follower/followed.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/merkle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512

struct followed {
    char folder[PATH_BYTES - 64], exchange[PATH_BYTES - 64], refused[PATH_BYTES - 64];
    struct note_key key;
    struct trust *trust;
    struct checkpoint head;
    struct heartbeat heartbeat;
};

/* All leaves of a tree in order: some that are held, then new ones. */
struct row {
    struct bytes *backing;
    struct span *leaf;
};

static void row_clear(struct row *row)
{
    bytes_free(&row->backing);
    free(row->leaf);
    *row = (struct row){0};
}

static void path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    if (!text_format(out, PATH_BYTES, "%s/%s", folder, name))
        out[0] = '\0';
}

static fault read_in(const char *folder, const char *name, size_t most, struct bytes **out)
{
    char path[PATH_BYTES];
    path_in(folder, name, path);
    return file_read(path, most, out);
}

static struct sha256 root_of(const struct span *leaves, uint64_t from, uint64_t to,
                             struct merkle *tree)
{
    for (uint64_t i = from; i < to; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(tree, &hash);
    }
    return merkle_root(tree);
}

// --- what is on disk ----------------------------------------------------------------------------

/* A folder's checkpoint and the entries under it, when they are what was signed. */
static fault read_folder(const struct followed *self, const char *folder, struct bytes **note,
                         struct checkpoint *head, struct row *row)
{
    struct merkle tree = {0};
    TRY(read_in(folder, "checkpoint", NOTE_BYTES_MAX, note));
    TRY(checkpoint_open(bytes_span(*note), &self->key, head));
    TRY(tiles_read_entries(folder, head->size, &row->backing, &row->leaf));
    struct sha256 root = root_of(row->leaf, 0, head->size, &tree);
    if (sha256_equal(&root, &head->root))
        return DONE;
    row_clear(row);
    return RAISE(INCONSISTENT, "%s: its entries are not those of its checkpoint", folder);
}

static fault copy_name(struct followed *self, const char *name, size_t most)
{
    char path[PATH_BYTES];
    OWNED(bytes) content = NULL;
    TRY(read_in(self->exchange, name, most, &content));
    path_in(self->folder, name, path);
    return file_replace(path, bytes_span(content), 0644);
}

static fault take_over(struct followed *self, uint64_t old_size)
{
    struct row row = {0};
    struct checkpoint head;
    OWNED(bytes) note = NULL;
    TRY(read_folder(self, self->exchange, &note, &head, &row));
    fault f = file_make_folders(self->folder, 0755);
    if (!failed(f))
        f = copy_name(self, "authority.pem", CERTIFICATE_BYTES_MAX);
    if (!failed(f))
        f = tiles_publish(self->folder, row.leaf, old_size, head.size, bytes_span(note));
    row_clear(&row);
    TRY(f);
    self->head = head;
    return DONE;
}

fault followed_catch_up(struct followed *self)
{
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    fault f = read_in(self->exchange, "checkpoint", NOTE_BYTES_MAX, &note);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    TRY(checkpoint_open(bytes_span(note), &self->key, &head));
    return head.size > self->head.size ? take_over(self, self->head.size) : DONE;
}

static void read_held(struct followed *self)
{
    struct row row = {0};
    struct checkpoint head;
    OWNED(bytes) note = NULL;
    OWNED(bytes) beat = NULL;
    fault f = read_folder(self, self->folder, &note, &head, &row);
    row_clear(&row);
    if (!failed(f))
        self->head = head;
    else if (note != NULL)
        EVENT(WARN, "follow.copy_left_aside", E_FAULT(f));
    if (!failed(read_in(self->folder, "heartbeat", NOTE_BYTES_MAX, &beat)) &&
        failed(heartbeat_open(bytes_span(beat), &self->key, &self->heartbeat)))
        self->heartbeat = (struct heartbeat){.time_s = 0};
}

fault followed_open(const char *audit_folder, const struct anchor_file *anchor,
                    struct followed **out)
{
    OWNED(followed) self = owned_new(sizeof *self);
    OWNED(bytes) pem = NULL;
    self->key = anchor->directory;
    if (!text_format(self->folder, sizeof self->folder, "%s/followed", audit_folder) ||
        !text_format(self->refused, sizeof self->refused, "%s/refused", audit_folder) ||
        !text_format(self->exchange, sizeof self->exchange, "%s/directory", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(anchor_file_pem(anchor, &pem));
    if (failed(trust_read(bytes_span(pem), &self->trust)))
        return RAISE(BAD_CONFIG, "the anchor: %s", fault_detail());
    read_held(self);
    fault f = followed_catch_up(self);
    if (failed(f))
        EVENT(WARN, "follow.copy_left_aside", E_TEXT("folder", self->exchange), E_FAULT(f));
    *out = TAKE(self);
    return DONE;
}

void followed_free(struct followed **self)
{
    if (*self == NULL)
        return;
    trust_free(&(*self)->trust);
    free(*self);
    *self = NULL;
}

const struct checkpoint *followed_head(const struct followed *self)
{
    return &self->head;
}

const struct note_key *followed_key(const struct followed *self)
{
    return &self->key;
}

const struct heartbeat *followed_heartbeat(const struct followed *self)
{
    return &self->heartbeat;
}

// --- taking a head ------------------------------------------------------------------------------

/* Held leaves, then the news behind them. The news may begin earlier: then it must say the same. */
static fault join(const struct followed *self, const struct followed_news *news, uint64_t size,
                  struct row *row)
{
    if (news->from > self->head.size || news->leaves < size - news->from)
        return RAISE(INCONSISTENT, "entries %" PRIu64 " to %" PRIu64 " are not all there",
                     self->head.size, size);
    TRY(tiles_read_entries(self->folder, self->head.size, &row->backing, &row->leaf));
    row->leaf = owned_grow(row->leaf, size, sizeof *row->leaf);
    for (uint64_t i = news->from; i < size; i++) {
        struct span leaf = news->leaf[i - news->from];
        if (i < self->head.size && !span_equal(leaf, row->leaf[i]))
            return RAISE(INCONSISTENT, "entry %" PRIu64 " is another one than is held", i);
        row->leaf[i] = leaf;
    }
    return DONE;
}

/* Both roots on one way: what is held is still what it was, and the new one is what was signed. */
static fault check_roots(const struct followed *self, const struct row *row,
                         const struct checkpoint *head)
{
    struct merkle tree = {0};
    struct sha256 held = root_of(row->leaf, 0, self->head.size, &tree);
    if (self->head.size > 0 && !sha256_equal(&held, &self->head.root))
        return RAISE(IO_FAILED, "the copy in %s was damaged", self->folder);
    struct sha256 root = root_of(row->leaf, self->head.size, head->size, &tree);
    return sha256_equal(&root, &head->root)
               ? DONE
               : RAISE(INCONSISTENT, "the entries lead to another root than was signed");
}

/* A whole tree that was signed, and is not ours with more behind it. */
static bool is_fork(const struct followed *self, const struct followed_news *news,
                    const struct checkpoint *head)
{
    struct merkle tree = {0};
    if (news->from != 0 || news->leaves < head->size || head->size < self->head.size)
        return false;
    struct sha256 before = root_of(news->leaf, 0, self->head.size, &tree);
    struct sha256 root = root_of(news->leaf, self->head.size, head->size, &tree);
    return self->head.size > 0 && sha256_equal(&root, &head->root) &&
           !sha256_equal(&before, &self->head.root);
}

/* Otherwise a mirror could have the exchange process refuse a sound directory. */
static fault check_authority(const struct followed *self, struct span pem, struct span leaf)
{
    OWNED(certificate) authority = NULL;
    struct cades_parts parts;
    if (failed(certificate_read(pem, &authority)) ||
        failed(cades_verify_leaf(authority, leaf, &parts)) ||
        failed(trust_check(self->trust, authority, parts.time_ms)))
        return RAISE(INCONSISTENT,
                     "authority.pem did not sign the newest act, or is not trusted: %s",
                     fault_detail());
    return DONE;
}

static fault write_head(struct followed *self, const struct row *row, const struct checkpoint *head,
                        const struct followed_news *news)
{
    char path[PATH_BYTES];
    OWNED(bytes) held = NULL;
    TRY(file_make_folders(self->folder, 0755));
    fault there = read_in(self->folder, "authority.pem", CERTIFICATE_BYTES_MAX, &held);
    struct span pem = news->pem.size > 0 ? news->pem : bytes_span(held);
    TRY(check_authority(self, pem, row->leaf[head->size - 1]));
    path_in(self->folder, "authority.pem", path);
    if (failed(there) || !span_equal(pem, bytes_span(held)))
        TRY(file_replace(path, pem, 0644));
    TRY(tiles_publish(self->folder, row->leaf, self->head.size, head->size, news->note));
    self->head = *head;
    return DONE;
}

/* The same head again, maybe with other cosignatures: what they are worth, the exchange process
 * knows. */
static fault take_again(struct followed *self, const struct checkpoint *head, struct span note)
{
    char path[PATH_BYTES];
    OWNED(bytes) held = NULL;
    if (!sha256_equal(&head->root, &self->head.root))
        return RAISE(DIRECTORY_FORKED, "another root of %" PRIu64 " entries was signed",
                     head->size);
    TRY(read_in(self->folder, "checkpoint", NOTE_BYTES_MAX, &held));
    if (span_equal(note, bytes_span(held)))
        return DONE;
    path_in(self->folder, "checkpoint", path);
    return file_replace(path, note, 0644);
}

fault followed_take(struct followed *self, const struct followed_news *news)
{
    struct checkpoint head;
    struct row row = {0};
    TRY(checkpoint_open(news->note, &self->key, &head));
    if (head.size < self->head.size)
        return RAISE(DIRECTORY_OLD, "a head of %" PRIu64 " entries; %" PRIu64 " are held",
                     head.size, self->head.size);
    if (head.size == 0 || head.size > DIRECTORY_ENTRIES_MAX)
        return RAISE(BAD_FRAME, "a directory of %" PRIu64 " entries", head.size);
    if (head.size == self->head.size)
        return take_again(self, &head, news->note);
    fault f = join(self, news, head.size, &row);
    if (!failed(f))
        f = check_roots(self, &row, &head);
    if (!failed(f))
        f = write_head(self, &row, &head, news);
    row_clear(&row);
    if (f.code == INCONSISTENT && is_fork(self, news, &head))
        return RAISE(DIRECTORY_FORKED,
                     "its first %" PRIu64 " entries are not the ones that are held",
                     self->head.size);
    return f;
}

// --- the rest -----------------------------------------------------------------------------------

fault followed_take_heartbeat(struct followed *self, struct span note, struct heartbeat *out)
{
    char path[PATH_BYTES];
    const struct heartbeat *held = &self->heartbeat;
    TRY(heartbeat_open(note, &self->key, out));
    if (out->head.size > self->head.size)
        return RAISE(NOT_FOUND, "%" PRIu64 " entries are not held yet", out->head.size);
    if (out->head.size == self->head.size && !sha256_equal(&out->head.root, &self->head.root))
        return RAISE(DIRECTORY_FORKED, "another root of %" PRIu64 " entries was signed",
                     out->head.size);
    if (out->time_s <= held->time_s)
        return DONE;
    if (out->head.size < held->head.size)
        return RAISE(DIRECTORY_OLD,
                     "the directory says that it has %" PRIu64 " entries; it had %" PRIu64
                     " before",
                     out->head.size, held->head.size);
    path_in(self->folder, "heartbeat", path);
    TRY(file_replace(path, note, 0644));
    self->heartbeat = *out;
    return DONE;
}

fault followed_refuse(struct followed *self, const struct followed_news *news)
{
    char path[PATH_BYTES];
    TRY(file_make_folders(self->refused, 0755));
    path_in(self->refused, "checkpoint", path);
    unlink(path); /* half of the acts of one under the note of another say nothing */
    if (news->leaves == 0 || news->from > 0)
        return file_replace(path, news->note, 0644);
    struct checkpoint head;
    TRY(checkpoint_open(news->note, &self->key, &head));
    path_in(self->refused, "authority.pem", path);
    TRY(file_replace(path, news->pem, 0644));
    return tiles_publish(self->refused, news->leaf, 0, head.size, news->note);
}
