// SPDX-License-Identifier: MIT
#include "lib/bus/pruned.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/limits.h"
#include "lib/bus/tiles.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define PATH_BYTES 700
#define MAGIC "chaski pruned v1"
#define FILE_BYTES_MAX 8192
#define LINE_BYTES 64
#define WIDTH 256
#define BUNDLES_A_STEP 256

// --- the file -----------------------------------------------------------------------------------

static fault take_number(struct cursor *at, uint64_t *out)
{
    struct span line;
    TRY(cursor_take_until(at, '\n', &line));
    return text_number(line, INT64_MAX, out);
}

static fault take_hash(struct cursor *at, struct sha256 *out)
{
    struct span line;
    OWNED(bytes) hash = NULL;
    TRY(cursor_take_until(at, '\n', &line));
    TRY(text_unbase64(line, &hash));
    if (hash->size != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a hash of %zu bytes", hash->size);
    memcpy(out->at, hash->data, SHA256_BYTES);
    return DONE;
}

fault pruned_parse(struct span text, struct pruned *out)
{
    struct cursor at = cursor_over(text);
    struct span line;
    TRY(cursor_take_until(&at, '\n', &line));
    if (!span_is_text(line, MAGIC))
        return RAISE(BAD_FRAME, "another first line");
    *out = (struct pruned){.first = 0};
    TRY(take_number(&at, &out->first));
    TRY(take_number(&at, &out->act));
    out->tree.size = out->first;
    for (unsigned level = MERKLE_LEVELS; level-- > 0;)
        if ((out->first >> level & 1) != 0)
            TRY(take_hash(&at, &out->tree.edge[level]));
    return cursor_at_end(&at) && out->first > 0 && out->act >= out->first
               ? DONE
               : RAISE(BAD_FRAME, "it names no possible entries");
}

fault pruned_read(const char *folder, unsigned epoch, struct pruned *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) text = NULL;
    *out = (struct pruned){.first = 0};
    audit_log_path(folder, epoch, "pruned", path, sizeof path);
    fault f = file_read(path, FILE_BYTES_MAX, &text);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    f = pruned_parse(bytes_span(text), out);
    return failed(f) ? RAISE(LOG_BROKEN, "%s cannot be read: put back the undamaged file", path)
                     : DONE;
}

fault pruned_write(const char *folder, unsigned epoch, const struct pruned *self)
{
    char path[PATH_BYTES], line[LINE_BYTES];
    OWNED(bytes) text = bytes_empty(FILE_BYTES_MAX);
    text_format(line, sizeof line, MAGIC "\n%" PRIu64 "\n%" PRIu64 "\n", self->first, self->act);
    TRY(bytes_append_text(text, line));
    for (unsigned level = MERKLE_LEVELS; level-- > 0;) {
        if ((self->first >> level & 1) == 0)
            continue;
        text_base64(sha256_span(&self->tree.edge[level]), line, sizeof line);
        TRY(bytes_append_text(text, line));
        TRY(bytes_append_text(text, "\n"));
    }
    audit_log_path(folder, epoch, "pruned", path, sizeof path);
    return file_replace(path, bytes_span(text), 0644);
}

// --- the first leaf of a later epoch ------------------------------------------------------------

fault pruned_first_write(const char *folder, unsigned epoch, struct span leaf)
{
    char path[PATH_BYTES];
    audit_log_path(folder, epoch, "first.leaf", path, sizeof path);
    return file_replace(path, leaf, 0600);
}

fault pruned_first_read(const char *folder, unsigned epoch, struct bytes **out)
{
    char path[PATH_BYTES];
    audit_log_path(folder, epoch, "first.leaf", path, sizeof path);
    return file_read(path, LEAF_BYTES_MAX, out);
}

// --- tiles --------------------------------------------------------------------------------------

fault pruned_tree(struct tile_reader *tiles, uint64_t size, struct merkle *out)
{
    uint64_t start = 0;
    *out = (struct merkle){.size = size};
    for (unsigned level = MERKLE_LEVELS; level-- > 0;) {
        if ((size >> level & 1) == 0)
            continue;
        struct merkle_range range = {start, start + ((uint64_t)1 << level)};
        TRY(tile_reader_hash(tiles, range, &out->edge[level]));
        start = range.end;
    }
    return DONE;
}

fault pruned_drop_bundles(const char *folder, unsigned epoch, uint64_t first, uint64_t *next,
                          bool *more)
{
    uint64_t end = first / WIDTH;
    for (unsigned i = 0; i < BUNDLES_A_STEP && *next < end; i++, (*next)++) {
        char tile[160], path[PATH_BYTES];
        tiles_path(-1, *next, WIDTH, tile, sizeof tile);
        audit_log_path(folder, epoch, tile, path, sizeof path);
        if (unlink(path) != 0 && errno != ENOENT)
            return RAISE(IO_FAILED, "%s: %m", path);
    }
    *more = *next < end;
    return DONE;
}
