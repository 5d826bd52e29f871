// SPDX-License-Identifier: MIT
/* Copies that begin with a snapshot, until what came before is filled in. */
#include "security-server/follower/followed_private.h"

#include "lib/base/file.h"
#include "lib/bus/limits.h"
#include "lib/bus/tiles.h"

#include <inttypes.h>
#include <stdlib.h>

/* A copy of which a bundle was lost is as good as one that began behind it, if there is a snapshot
 * to begin with. */
static fault check_snapshot(const char *folder, uint64_t size, uint64_t begins)
{
    uint64_t snapshot = 0;
    if (begins == 0)
        return DONE;
    TRY(directory_partial_newest(folder, size, &snapshot));
    return directory_partial_first(snapshot) >= begins
               ? DONE
               : RAISE(INCONSISTENT, "%s: entries before %" PRIu64 " are missing", folder, begins);
}

fault followed_read_tree(const struct followed *self, const struct checkpoint *head,
                         uint64_t *begins, struct merkle *tree)
{
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    *begins = directory_partial_begins(self->folder, head->size);
    TRY(check_snapshot(self->folder, head->size, *begins));
    TRY(directory_partial_tree(self->folder, head->size, *begins, tree));
    TRY(tiles_read_from(self->folder, *begins, head->size, &backing, &leaves));
    for (uint64_t i = 0; i < head->size - *begins; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(tree, &hash);
    }
    free(leaves);
    struct sha256 root = merkle_root(tree);
    return sha256_equal(&root, &head->root)
               ? DONE
               : RAISE(INCONSISTENT, "%s: its entries are not those of its checkpoint",
                       self->folder);
}

fault followed_begin(struct followed *self, struct span note, struct span pem,
                     const struct directory_partial *with)
{
    struct checkpoint head;
    struct merkle tree;
    uint64_t first = directory_partial_first(with->snapshot);
    TRY(followed_open_head(self, note, &head));
    if (self->head.size > 0)
        return RAISE(INCONSISTENT, "%" PRIu64 " entries are held already", self->head.size);
    if (head.size > DIRECTORY_ENTRIES_MAX)
        return RAISE(BAD_FRAME, "a directory of %" PRIu64 " entries", head.size);
    TRY(directory_partial_check(with, &head, &tree));
    TRY(file_make_folders(self->folder, 0755));
    TRY(followed_keep_authority(self, pem, first, with->leaf, (size_t)(head.size - first)));
    TRY(directory_partial_write(self->folder, with, &head, note));
    self->head = head;
    self->tree = tree;
    self->begins = first;
    return DONE;
}

fault followed_begin_from_exchange(struct followed *self, struct span note, struct span pem)
{
    struct directory_partial_read held = {0};
    struct checkpoint head;
    TRY(followed_open_head(self, note, &head));
    fault f = directory_partial_read(self->exchange, head.size, &held);
    if (!failed(f))
        f = followed_begin(self, note, pem, &held.partial);
    directory_partial_clear(&held);
    return f;
}

uint64_t followed_begins(const struct followed *self)
{
    return self->begins;
}

fault followed_fill(struct followed *self, struct span bundle)
{
    if (self->begins == 0)
        return DONE;
    TRY(directory_partial_fill(self->folder, self->head.size, self->begins / DIRECTORY_BUNDLE - 1,
                               bundle));
    self->begins -= DIRECTORY_BUNDLE;
    return DONE;
}
