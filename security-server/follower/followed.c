// SPDX-License-Identifier: MIT
#include "security-server/follower/followed_private.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/authority_file.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/cades.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES FOLLOWED_PATH_BYTES

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

/* The copy's checkpoint and the entries under it, when they are what was signed. */
static fault read_copy(const struct followed *self, struct bytes **note, struct checkpoint *head,
                       uint64_t *begins, struct merkle *tree)
{
    TRY(read_in(self->folder, "checkpoint", NOTE_BYTES_MAX, note));
    TRY(followed_open_head(self, bytes_span(*note), head));
    return followed_read_tree(self, head, begins, tree);
}

static fault take_over(struct followed *self, struct span note, uint64_t from, uint64_t size)
{
    OWNED(bytes) pem = NULL;
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    TRY(read_in(self->exchange, AUTHORITY_FILE, CERTIFICATE_BYTES_MAX, &pem));
    fault f = tiles_read_from(self->exchange, from, size, &backing, &leaves);
    if (f.code == NOT_FOUND && self->head.size == 0)
        return followed_begin_from_exchange(self, note, bytes_span(pem));
    TRY(f);
    f = followed_take(self, &(struct followed_news){.note = note,
                                                    .from = from,
                                                    .leaf = leaves,
                                                    .leaves = (size_t)(size - from),
                                                    .pem = bytes_span(pem)});
    free(leaves);
    return f;
}

fault followed_catch_up(struct followed *self)
{
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    fault f = read_in(self->exchange, "checkpoint", NOTE_BYTES_MAX, &note);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    TRY(followed_learn_from_exchange(self));
    TRY(followed_open_head(self, bytes_span(note), &head));
    if (head.size <= self->head.size)
        return DONE;
    f = take_over(self, bytes_span(note), self->head.size, head.size);
    return f.code == INCONSISTENT ? take_over(self, bytes_span(note), 0, head.size) : f;
}

static void read_held(struct followed *self)
{
    struct checkpoint head;
    struct merkle tree = {0};
    uint64_t begins = 0;
    OWNED(bytes) note = NULL;
    OWNED(bytes) beat = NULL;
    fault f = read_copy(self, &note, &head, &begins, &tree);
    if (!failed(f)) {
        self->head = head;
        self->begins = begins;
        self->tree = tree;
    } else if (note != NULL) {
        EVENT(WARN, "follow.copy_left_aside", E_FAULT(f));
    }
    if (!failed(read_in(self->folder, "heartbeat", NOTE_BYTES_MAX, &beat)) &&
        failed(heartbeat_open(bytes_span(beat), &self->keys.key, &self->heartbeat)))
        self->heartbeat = (struct heartbeat){.time_s = 0};
}

fault followed_open(const char *audit_folder, const struct anchor_file *anchor,
                    struct followed **out)
{
    OWNED(followed) self = owned_new(sizeof *self);
    OWNED(bytes) pem = NULL;
    if (!text_format(self->folder, sizeof self->folder, "%s/followed", audit_folder) ||
        !text_format(self->refused, sizeof self->refused, "%s/refused", audit_folder) ||
        !text_format(self->exchange, sizeof self->exchange, "%s/directory", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    self->anchor = anchor->directory;
    TRY(handovers_read(self->folder, &self->anchor, &self->keys));
    TRY(anchor_file_pem(anchor, &pem));
    if (failed(trust_read(bytes_span(pem), &self->trust)))
        return RAISE(BAD_CONFIG, "the anchor: %s", fault_detail());
    read_held(self);
    fault f = followed_catch_up(self);
    if (failed(f))
        EVENT(WARN, "follow.copy_left_aside", E_TEXT("folder", self->exchange), E_FAULT(f));
    owned_give_back(); /* all acts were in memory */
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

fault followed_note(const struct followed *self, struct bytes **out)
{
    return read_in(self->folder, "checkpoint", NOTE_BYTES_MAX, out);
}

fault followed_act(const struct followed *self, uint64_t number, struct bytes **out)
{
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    uint64_t end = (number / DIRECTORY_BUNDLE + 1) * DIRECTORY_BUNDLE; /* of its bundle */
    if (number >= self->head.size)
        return RAISE(NOT_FOUND, "act %" PRIu64 " is not held", number);
    TRY(tiles_read_from(self->folder, number, end < self->head.size ? end : self->head.size,
                        &backing, &leaves));
    fault f = bytes_copy(leaves[0], out);
    free(leaves);
    return f;
}

const struct note_key *followed_key(const struct followed *self)
{
    return &self->keys.key;
}

const struct heartbeat *followed_heartbeat(const struct followed *self)
{
    return &self->heartbeat;
}

// --- taking a head ------------------------------------------------------------------------------

/* News may begin before the end of what is held: then they must say the same. */
static fault check_overlap(const struct followed *self, const struct followed_news *news)
{
    OWNED(bytes) backing = NULL;
    struct span *held = NULL;
    struct merkle tree = {0};
    uint64_t count = self->head.size - news->from;
    if (count == 0)
        return DONE;
    if (news->from == 0) {
        struct sha256 root = root_of(news->leaf, 0, count, &tree);
        return sha256_equal(&root, &self->head.root)
                   ? DONE
                   : RAISE(INCONSISTENT, "its first %" PRIu64 " entries are others than are held",
                           count);
    }
    if (failed(tiles_read_from(self->folder, news->from, self->head.size, &backing, &held)))
        return RAISE(INCONSISTENT, "the copy in %s was damaged", self->folder);
    uint64_t same = 0;
    while (same < count && span_equal(news->leaf[same], held[same]))
        same++;
    free(held);
    return same == count ? DONE
                         : RAISE(INCONSISTENT, "entry %" PRIu64 " is another one than is held",
                                 news->from + same);
}

/* *tree: of the new head, when the news lead to it from what is held. */
static fault check_news(const struct followed *self, const struct followed_news *news,
                        const struct checkpoint *head, struct merkle *tree)
{
    if (news->from > self->head.size || news->leaves < head->size - news->from)
        return RAISE(INCONSISTENT, "entries %" PRIu64 " to %" PRIu64 " are not all there",
                     self->head.size, head->size);
    TRY(check_overlap(self, news));
    *tree = self->tree;
    struct sha256 root =
        root_of(news->leaf, self->head.size - news->from, head->size - news->from, tree);
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
    OWNED(certificate) signer = NULL;
    struct cades_parts parts;
    if (failed(authority_file_verify(pem, leaf, &parts, &signer)) ||
        failed(trust_check(self->trust, signer, parts.time_ms)))
        return RAISE(INCONSISTENT,
                     AUTHORITY_FILE " did not sign the newest act, or is not trusted: %s",
                     fault_detail());
    return DONE;
}

/* Another first certificate, before or instead of the true one, would have the exchange process
 * refuse a sound directory: it must be the one that is held, or have signed entry 0. */
static fault check_first(struct span pem, const struct bytes *held, struct span entry_0)
{
    struct cades_parts parts;
    OWNED(certificate) signer = NULL;
    OWNED(certificate) first = NULL;
    if (entry_0.size == 0)
        return held == NULL || authority_file_same_first(pem, bytes_span(held))
                   ? DONE
                   : RAISE(INCONSISTENT, AUTHORITY_FILE " begins with another certificate");
    if (failed(authority_file_verify(pem, entry_0, &parts, &signer)) ||
        failed(certificate_read(pem, &first)) ||
        !span_equal(certificate_der(signer), certificate_der(first)))
        return RAISE(INCONSISTENT, "the first in " AUTHORITY_FILE " did not sign the first act");
    return DONE;
}

/* Of what is pushed, nothing but the acts comes: they name who signs from them on. */
fault followed_keep_authority(const struct followed *self, struct span pem, uint64_t from,
                              const struct span *leaves, size_t count)
{
    char path[PATH_BYTES];
    OWNED(bytes) held = NULL;
    OWNED(bytes) further = NULL;
    fault there = read_in(self->folder, AUTHORITY_FILE, CERTIFICATE_BYTES_MAX, &held);
    if (pem.size == 0 && !failed(there)) {
        TRY(authority_file_further(bytes_span(held), leaves, count, &further));
        pem = bytes_span(further);
    }
    TRY(check_authority(self, pem, leaves[count - 1]));
    TRY(check_first(pem, held, from == 0 ? leaves[0] : (struct span){0}));
    if (!failed(there) && span_equal(pem, bytes_span(held)))
        return DONE;
    path_in(self->folder, AUTHORITY_FILE, path);
    return file_replace(path, pem, 0644);
}

/* Only the tiles at the edge are read and written, the checkpoint last. */
static fault append(const struct followed *self, const struct followed_news *news,
                    const struct checkpoint *head)
{
    char path[PATH_BYTES];
    OWNED(tile_writer) tiles = NULL;
    TRY(tile_writer_open(self->folder, self->head.size, &self->head.root, &tiles));
    for (uint64_t i = self->head.size; i < head->size; i++)
        TRY(tile_writer_add(tiles, news->leaf[i - news->from]));
    TRY(tile_writer_flush(tiles));
    path_in(self->folder, "checkpoint", path);
    return file_replace(path, news->note, 0644);
}

static fault write_head(const struct followed *self, const struct followed_news *news,
                        const struct checkpoint *head)
{
    TRY(file_make_folders(self->folder, 0755));
    TRY(followed_keep_authority(self, news->pem, news->from, news->leaf,
                                (size_t)(head->size - news->from)));
    if (news->from == 0) /* the first, or what heals a damaged copy */
        return tiles_publish(self->folder, news->leaf, 0, head->size, news->note);
    fault f = append(self, news, head);
    return f.code == LOG_BROKEN ? RAISE(INCONSISTENT, "the copy in %s was damaged", self->folder)
                                : f;
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
    struct merkle tree = {0};
    TRY(followed_open_head(self, news->note, &head));
    if (head.size < self->head.size)
        return RAISE(DIRECTORY_OLD, "a head of %" PRIu64 " entries; %" PRIu64 " are held",
                     head.size, self->head.size);
    if (head.size == 0 || head.size > DIRECTORY_ENTRIES_MAX)
        return RAISE(BAD_FRAME, "a directory of %" PRIu64 " entries", head.size);
    if (head.size == self->head.size)
        return take_again(self, &head, news->note);
    fault f = check_news(self, news, &head, &tree);
    if (!failed(f))
        f = followed_note_keys(self, news->leaf + (self->head.size - news->from),
                               (size_t)(head.size - self->head.size));
    if (!failed(f))
        f = write_head(self, news, &head);
    if (!failed(f)) {
        self->head = head;
        self->tree = tree;
        self->begins = news->from == 0 ? 0 : self->begins;
    }
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
    TRY(heartbeat_open(note, &self->keys.key, out));
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
    TRY(checkpoint_open(news->note, &self->keys.key, &head));
    path_in(self->refused, AUTHORITY_FILE, path);
    TRY(file_replace(path, news->pem, 0644));
    return tiles_publish(self->refused, news->leaf, 0, head.size, news->note);
}
