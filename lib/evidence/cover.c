// SPDX-License-Identifier: MIT
#include "lib/evidence/cover.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/record_proof.h"
#include "lib/bus/tile_log.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define SIZE_MOST ((uint64_t)INT64_MAX)

struct kept_head {
    uint64_t size;
    bool noted, stamped; /* cp/<size> and cp/<size>.tst are there */
};

struct covers {
    const struct log_view *view;
    size_t count, room;
    struct kept_head *kept; /* of cp/, by size */
    struct cover *tiles, *newest;
};

void cover_free(struct cover **self)
{
    if (*self == NULL)
        return;
    bytes_free(&(*self)->note);
    bytes_free(&(*self)->token);
    free(*self);
    *self = NULL;
}

void covers_free(struct covers **self)
{
    if (*self == NULL)
        return;
    free((*self)->kept);
    cover_free(&(*self)->tiles);
    cover_free(&(*self)->newest);
    free(*self);
    *self = NULL;
}

// --- reading ------------------------------------------------------------------------------------

/* NULL in *out when it is not there or nothing that this log signed. */
static fault read_head(const struct log_view *view, const char *name, struct cover **out)
{
    char path[PATH_BYTES];
    OWNED(cover) self = owned_new(sizeof *self);
    audit_log_path(view->folder, view->epoch, name, path, sizeof path);
    fault f = file_read(path, NOTE_BYTES_MAX, &self->note);
    if (f.code == NO_MEMORY)
        return f;
    if (!failed(f))
        f = checkpoint_open(bytes_span(self->note), &view->log_key, &self->head);
    *out = failed(f) ? NULL : TAKE(self);
    return DONE;
}

static fault read_kept(const struct log_view *view, const struct kept_head *kept,
                       struct cover **out)
{
    char name[64], path[PATH_BYTES];
    OWNED(cover) self = NULL;
    text_format(name, sizeof name, "cp/%" PRIu64, kept->size);
    TRY(read_head(view, name, &self));
    if (self != NULL && self->head.size != kept->size)
        cover_free(&self); /* another head under this name */
    if (self != NULL && kept->stamped) {
        text_format(name, sizeof name, "cp/%" PRIu64 ".tst", kept->size);
        audit_log_path(view->folder, view->epoch, name, path, sizeof path);
        TRY(file_read(path, COVER_TOKEN_BYTES_MAX, &self->token));
    }
    *out = TAKE(self);
    return DONE;
}

static void note_name(struct covers *self, const char *name)
{
    struct kept_head head = {0};
    const char *dot = strchr(name, '.');
    struct span digits = span_of(name, dot == NULL ? strlen(name) : (size_t)(dot - name));
    if (digits.size == 0 || (digits.size > 1 && name[0] == '0') ||
        failed(text_number(digits, SIZE_MOST, &head.size)))
        return;
    head.noted = dot == NULL;
    head.stamped = dot != NULL && strcmp(dot, ".tst") == 0;
    if (!head.noted && !head.stamped)
        return;
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->kept = owned_grow(self->kept, self->room, sizeof *self->kept);
    }
    self->kept[self->count++] = head;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = ((const struct kept_head *)a)->size;
    uint64_t right = ((const struct kept_head *)b)->size;
    return (left > right) - (left < right);
}

/* One for each size, and only where the note is there. */
static void join(struct covers *self)
{
    size_t count = 0;
    if (self->count > 1)
        qsort(self->kept, self->count, sizeof *self->kept, by_size);
    for (size_t i = 0; i < self->count;) {
        struct kept_head head = self->kept[i];
        for (i++; i < self->count && self->kept[i].size == head.size; i++) {
            head.noted |= self->kept[i].noted;
            head.stamped |= self->kept[i].stamped;
        }
        if (head.noted)
            self->kept[count++] = head;
    }
    self->count = count;
}

fault covers_read(const struct log_view *view, struct covers **out)
{
    char path[PATH_BYTES];
    OWNED(covers) self = owned_new(sizeof *self);
    self->view = view;
    audit_log_path(view->folder, view->epoch, "cp", path, sizeof path);
    DIR *dir = opendir(path);
    if (dir != NULL) {
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
            note_name(self, entry->d_name);
        closedir(dir);
    }
    join(self);
    TRY(read_head(view, "checkpoint", &self->tiles));
    TRY(read_head(view, "promise", &self->newest));
    *out = TAKE(self);
    return DONE;
}

// --- choosing -----------------------------------------------------------------------------------

/* The first sound head of cp/ over this entry, stamped or not. */
static fault first_kept(const struct covers *self, uint64_t index, bool stamped, struct cover **out)
{
    *out = NULL;
    for (size_t i = 0; *out == NULL && i < self->count; i++)
        if (self->kept[i].size > index && (self->kept[i].stamped || !stamped))
            TRY(read_kept(self->view, &self->kept[i], out));
    return DONE;
}

static fault copy(const struct cover *from, struct cover **out)
{
    OWNED(cover) self = owned_new(sizeof *self);
    self->head = from->head;
    TRY(bytes_copy(bytes_span(from->note), &self->note));
    *out = TAKE(self);
    return DONE;
}

fault covers_first(const struct covers *self, uint64_t index, struct cover **out)
{
    TRY(first_kept(self, index, true, out));
    if (*out == NULL)
        TRY(first_kept(self, index, false, out));
    if (*out != NULL)
        return DONE;
    if (self->tiles != NULL && self->tiles->head.size > index)
        return copy(self->tiles, out);
    if (self->newest != NULL && self->newest->head.size > index)
        return copy(self->newest, out);
    return DONE;
}

fault covers_newest_stamped(const struct covers *self, const struct cover *first,
                            struct cover **out)
{
    *out = NULL;
    for (size_t i = self->count; *out == NULL && i > 0; i--) {
        if (self->kept[i - 1].size <= first->head.size)
            return DONE;
        if (self->kept[i - 1].stamped)
            TRY(read_kept(self->view, &self->kept[i - 1], out));
    }
    return DONE;
}

// --- proving ------------------------------------------------------------------------------------

static bool leads_there(const struct record_proof *proof, const struct sha256 *leaf_hash,
                        const struct checkpoint *head)
{
    struct sha256 root;
    return !failed(merkle_inclusion_root(proof->index, head->size, leaf_hash, proof->path,
                                         proof->length, &root)) &&
           sha256_equal(&root, &head->root);
}

static bool from_tiles(const struct log_view *view, const struct checkpoint *head,
                       const struct sha256 *leaf_hash, struct record_proof *proof)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "%s/log/%u", view->folder, view->epoch);
    OWNED(tile_reader) tiles = tile_reader_new(path, head->size);
    return !failed(tile_reader_inclusion(tiles, proof->index, proof->path, &proof->length)) &&
           leads_there(proof, leaf_hash, head);
}

fault cover_prove(const struct log_view *view, const struct cover *self, uint64_t index,
                  const struct sha256 *leaf_hash, const struct sha256 *leaf_hashes,
                  uint64_t leaf_count, struct bytes **out)
{
    struct record_proof proof = {.index = index, .note = bytes_span(self->note)};
    if (from_tiles(view, &self->head, leaf_hash, &proof))
        return record_proof_encode(&proof, out);
    if (self->head.size > leaf_count)
        return RAISE(LOG_BROKEN, "a head over %" PRIu64 " entries, and there are %" PRIu64,
                     self->head.size, leaf_count);
    proof.length = record_proof_path(leaf_hashes, self->head.size, index, proof.path);
    if (!leads_there(&proof, leaf_hash, &self->head))
        return RAISE(LOG_BROKEN,
                     "the entries do not lead to the head that was signed over %" PRIu64
                     " of them: run chaski-audit verify",
                     self->head.size);
    return record_proof_encode(&proof, out);
}
