// SPDX-License-Identifier: MIT
#include "lib/evidence/log_view.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define PATH_BYTES 512

static fault path_in(const struct log_view *self, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", self->folder, name)
               ? DONE
               : RAISE(BAD_REQUEST, "the folder's name is too long");
}

static fault read_vkey(const char *path, struct note_key *out)
{
    OWNED(bytes) text = NULL;
    TRY(file_read(path, 1024, &text));
    struct span line = bytes_span(text);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    return note_key_parse(line, out);
}

static fault load_directory(struct log_view *self)
{
    char path[PATH_BYTES];
    TRY(path_in(self, "directory", path));
    /* what was valid then is judged entry by entry, not by today's date */
    return directory_load(path, self->trust, &self->authority, NULL, NULL, 0, &self->directory);
}

static fault find_server(struct log_view *self)
{
    size_t step = 0;
    for (const struct directory_server *server;
         (server = directory_next_server(self->directory, &step)) != NULL;)
        if (strcmp(server->log_key.name, self->registered.name) == 0 &&
            memcmp(server->log_key.public_key, self->registered.public_key, ED25519_PUBLIC_BYTES) ==
                0) {
            self->server = owned_text(server->id);
            return DONE;
        }
    return RAISE(KEY_UNKNOWN, "the directory gives the log key of %s to no server", self->folder);
}

fault log_view_trust_file(const char *folder, const struct log_anchors *anchors, char *out,
                          size_t room)
{
    bool fits = anchors->trust_file != NULL ? text_format(out, room, "%s", anchors->trust_file)
                                            : text_format(out, room, "%s/anchor/trust.pem", folder);
    return fits ? DONE : RAISE(BAD_REQUEST, "the folder's name is too long");
}

static fault read_anchors(struct log_view *self, const struct log_anchors *anchors)
{
    char path[PATH_BYTES];
    TRY(log_view_trust_file(self->folder, anchors, path, sizeof path));
    TRY(trust_load(path, &self->trust));
    TRY(path_in(self, "anchor/log.vkey", path));
    TRY(read_vkey(path, &self->registered));
    TRY(log_epoch_key(&self->registered, self->epoch, &self->log_key));
    TRY(path_in(self, "anchor/directory.vkey", path));
    return read_vkey(anchors->authority_file != NULL ? anchors->authority_file : path,
                     &self->authority);
}

static fault find_epoch(struct log_view *self, unsigned epoch)
{
    unsigned newest = 1;
    TRY(log_epoch_newest(self->folder, &newest));
    self->epoch = epoch == 0 ? newest : epoch;
    self->newest = self->epoch >= newest;
    if (self->epoch > newest)
        return RAISE(NOT_FOUND, "%s holds no epoch %u, only up to %u", self->folder, epoch, newest);
    log_epoch_payloads(self->folder, self->epoch, self->payloads, sizeof self->payloads);
    if (self->epoch == 1)
        text_format(self->name, sizeof self->name, "%s", self->folder);
    else
        text_format(self->name, sizeof self->name, "%s (epoch %u)", self->folder, self->epoch);
    return pruned_read(self->folder, self->epoch, &self->pruned);
}

fault log_view_open(const char *folder, unsigned epoch, const struct log_anchors *anchors,
                    struct log_view **out)
{
    OWNED(log_view) self = owned_new(sizeof *self);
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    TRY(find_epoch(self, epoch));
    TRY(read_anchors(self, anchors));
    TRY(load_directory(self));
    TRY(find_server(self));
    *out = TAKE(self);
    return DONE;
}

void log_view_free(struct log_view **self)
{
    if (*self == NULL)
        return;
    directory_release(&(*self)->directory);
    trust_free(&(*self)->trust);
    free((*self)->server);
    free(*self);
    *self = NULL;
}

// --- entries ------------------------------------------------------------------------------------

void log_entry_read(uint64_t index, struct span leaf, struct log_entry *out)
{
    *out = (struct log_entry){.index = index, .leaf = leaf, .leaf_hash = merkle_leaf_hash(leaf)};
    fault f = cades_parse(leaf, &out->parts);
    if (!failed(f))
        f = header_decode(out->parts.content, &out->read);
    if (failed(f))
        out->damage = owned_text(fault_detail());
    else
        out->header = header_of(out->read);
}

void log_entry_clear(struct log_entry *self)
{
    header_read_free(&self->read);
    free(self->damage);
    *self = (struct log_entry){0};
}

fault log_view_walk_leaves(struct log_view *self, wal_visit *visit, void *owner,
                           struct wal_end *end)
{
    char path[PATH_BYTES];
    *end = (struct wal_end){0};
    audit_log_path(self->folder, self->epoch, "wal", path, sizeof path);
    return wal_walk_from(path, self->pruned.first, visit, owner, end);
}

struct walk {
    fault (*visit)(void *owner, const struct log_entry *entry);
    void *owner;
};

static fault take_leaf(void *owner, uint64_t index, struct span leaf)
{
    const struct walk *walk = owner;
    struct log_entry entry;
    log_entry_read(index, leaf, &entry);
    fault f = walk->visit(walk->owner, &entry);
    log_entry_clear(&entry);
    return f;
}

fault log_view_walk(struct log_view *self,
                    fault (*visit)(void *owner, const struct log_entry *entry), void *owner,
                    struct wal_end *end)
{
    struct walk walk = {visit, owner};
    return log_view_walk_leaves(self, take_leaf, &walk, end);
}

/* A tile's hashes at a time. */
static fault read_hashes(struct tile_reader *tiles, uint64_t count, struct sha256 **out)
{
    struct sha256 *list = NULL;
    uint64_t room = 0;
    fault f = DONE;
    for (uint64_t i = 0; i < count && !failed(f); i++) {
        if (i == room) {
            room = room == 0 ? 256 : 2 * room;
            list = owned_grow(list, room, sizeof *list);
        }
        f = tile_reader_hash(tiles, (struct merkle_range){i, i + 1}, &list[i]);
    }
    if (failed(f))
        free(list);
    else
        *out = list;
    return f;
}

fault log_view_pruned_hashes(const struct log_view *self, struct sha256 **out)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint head = {.size = 0};
    audit_log_path(self->folder, self->epoch, "checkpoint", path, sizeof path);
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (!failed(f))
        f = checkpoint_open(bytes_span(note), &self->log_key, &head);
    if (failed(f) || head.size < self->pruned.first)
        return RAISE(LOG_BROKEN, "no checkpoint says how far the tiles reach");
    *strrchr(path, '/') = '\0';
    OWNED(tile_reader) tiles = tile_reader_new(path, head.size);
    return read_hashes(tiles, self->pruned.first, out);
}

void log_view_id_text(const uint8_t id[EXCHANGE_ID_BYTES], char out[37])
{
    char hex[33];
    text_hex(span_of(id, EXCHANGE_ID_BYTES), hex, sizeof hex);
    text_format(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
