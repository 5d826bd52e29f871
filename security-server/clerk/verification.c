// SPDX-License-Identifier: MIT
#include "security-server/clerk/verification.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/tiles.h"
#include "lib/evidence/archive.h"
#include "lib/evidence/record_script.h"
#include "lib/evidence/witness_policy.h"
#include "security-server/clerk/clerk.h"

#include <stdlib.h>

#define PATH_BYTES 768
#define TOP "verificationconf/"
#define TILE_WIDTH 256
#define LEVELS_MAX 8
#define FILE_BYTES_MAX (TILE_WIDTH * (2 + LEAF_BYTES_MAX))

static const char readme[] =
    "What containers of this server's records are checked against.\n"
    "\n"
    "instance-identifier          the instance; the folder of that name holds the rest\n"
    "  trust.pem                  certificates of the authorities\n"
    "  directory.vkey             key that signs the directory\n"
    "  directory/                 the directory: signed acts (C2SP tlog-tiles), as it is now\n"
    "  log.vkey                   key of this server's evidence log\n"
    "  policy                     whose cosignatures under its checkpoints count, if any\n"
    "verify.sh                    checks an unpacked container:\n"
    "\n"
    "  unzip -d record X.asice\n"
    "  bash verify.sh record --trust I/trust.pem --log-vkey I/log.vkey --directory-vkey "
    "I/directory.vkey\n"
    "\n"
    "Take what you trust from somewhere else than what you check: all of this came from the "
    "server\n"
    "whose records you want to check. Compare trust.pem and directory.vkey with what your "
    "authority\n"
    "publishes.\n";

/* Everything that goes in; the archive borrows it until it is finished. */
struct bag {
    struct archive *archive;
    size_t count, room, bytes, bytes_max;
    struct bytes **item;
};

static void bag_free(struct bag **self)
{
    archive_free(&(*self)->archive);
    for (size_t i = 0; i < (*self)->count; i++)
        bytes_free(&(*self)->item[i]);
    free((*self)->item);
    free(*self);
    *self = NULL;
}

static fault put(struct bag *self, const char *name, struct bytes **bytes)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->item = owned_grow(self->item, self->room, sizeof(struct bytes *));
    }
    struct bytes *one = self->item[self->count++] = TAKE(*bytes);
    self->bytes += one->size;
    if (self->bytes > self->bytes_max)
        return RAISE(REFUSED, "The directory is too large to be handed out here; fetch it from "
                              "the authority.");
    return archive_add(self->archive, name, bytes_span(one));
}

static fault put_file(struct bag *self, const char *name, const char *path)
{
    OWNED(bytes) bytes = NULL;
    TRY(file_read(path, FILE_BYTES_MAX, &bytes));
    return put(self, name, &bytes);
}

static fault put_text(struct bag *self, const char *name, const char *text)
{
    OWNED(bytes) bytes = NULL;
    TRY(bytes_copy(span_of_text(text), &bytes));
    return put(self, name, &bytes);
}

// --- the directory -------------------------------------------------------------------------------

static fault put_part(struct bag *self, const char *folder, const char *below, const char *name)
{
    char path[PATH_BYTES], in[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/directory/%s", folder, name) ||
        !text_format(in, sizeof in, TOP "%s/directory/%s", below, name))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    return put_file(self, in, path);
}

/* All tiles of one level (-1: entries) in a tree of so many leaves or hashes. */
static fault put_level(struct bag *self, const char *folder, const char *below, int level,
                       uint64_t size)
{
    char name[160];
    for (uint64_t n = 0; n * TILE_WIDTH < size; n++) {
        uint64_t left = size - n * TILE_WIDTH;
        tiles_path(level, n, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH, name, sizeof name);
        TRY(put_part(self, folder, below, name));
    }
    return DONE;
}

static fault put_directory(struct bag *self, const struct log_view *view, const char *below)
{
    uint64_t size = directory_epoch(view->directory);
    TRY(put_part(self, view->folder, below, "checkpoint"));
    TRY(put_part(self, view->folder, below, "authority.pem"));
    TRY(put_level(self, view->folder, below, -1, size));
    for (int level = 0; level < LEVELS_MAX && size > 0; level++, size /= TILE_WIDTH)
        TRY(put_level(self, view->folder, below, level, size));
    return DONE;
}

// --- keys ----------------------------------------------------------------------------------------

static fault put_anchors(struct bag *self, const struct log_view *view, const char *below)
{
    static const char *const names[] = {"trust.pem", "directory.vkey", "log.vkey"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_BYTES], in[PATH_BYTES];
        if (!text_format(path, sizeof path, "%s/anchor/%s", view->folder, names[i]) ||
            !text_format(in, sizeof in, TOP "%s/%s", below, names[i]))
            return RAISE(BAD_CONFIG, "the log folder's name is too long");
        TRY(put_file(self, in, path));
    }
    return DONE;
}

static fault put_policy(struct bag *self, const struct log_view *view, const char *below)
{
    char in[PATH_BYTES];
    bool met = false;
    OWNED(bytes) policy = NULL;
    TRY(witness_policy(view->directory, &view->log_key, (struct span){NULL, 0}, &policy, &met));
    text_format(in, sizeof in, TOP "%s/policy", below);
    return policy == NULL ? DONE : put(self, in, &policy);
}

static fault make(const struct log_view *view, size_t bytes_max, struct bytes **out)
{
    const char *instance = directory_instance(view->directory);
    OWNED(bag) bag = owned_new(sizeof *bag);
    bag->bytes_max = bytes_max;
    TRY(archive_new(&bag->archive));
    TRY(put_text(bag, TOP "instance-identifier", instance));
    TRY(put_text(bag, TOP "README.txt", readme));
    TRY(archive_add_program(bag->archive, TOP "verify.sh", record_script()));
    TRY(put_anchors(bag, view, instance));
    TRY(put_policy(bag, view, instance));
    TRY(put_directory(bag, view, instance));
    return archive_finish(bag->archive, out);
}

// --- once for all who ask ------------------------------------------------------------------------

void verification_clear(struct verification *self)
{
    bytes_free(&self->zip);
    *self = (struct verification){.bytes_max = self->bytes_max};
}

/* What was made a moment ago is good enough, also if it was a fault: reading and packing a whole
 * directory for each who asks would keep this process from all others. */
static bool is_good(const struct verification *self, const struct log_view *view, int64_t now_ms)
{
    struct sha256 root = directory_root(view->directory);
    bool same = self->epoch == view->epoch && sha256_equal(&self->root, &root);
    return self->made &&
           (now_ms - self->made_ms < VERIFICATION_KEPT_MS || (same && self->code == OK));
}

fault verification_get(struct verification *self, const struct view_cache *from, struct span *out)
{
    const struct log_view *view = from->view;
    int64_t now_ms = clock_steady_ms();
    if (!is_good(self, view, now_ms)) {
        verification_clear(self);
        fault f = make(view, self->bytes_max, &self->zip);
        self->made = true;
        self->code = f.code;
        self->epoch = view->epoch;
        self->root = directory_root(view->directory);
        self->made_ms = clock_steady_ms();
        if (failed(f))
            text_format(self->detail, sizeof self->detail, "%s", fault_detail());
    }
    if (self->code != OK)
        return RAISE(self->code, "%s", self->detail);
    *out = bytes_span(self->zip);
    return DONE;
}
