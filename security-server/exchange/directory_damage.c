// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_damage.h"

#include "lib/base/text.h"
#include "lib/bus/directory_partial.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/certificate.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 768

static fault check_certificate(const char *folder)
{
    char path[PATH_BYTES];
    OWNED(certificate) authority = NULL;
    if (!text_format(path, sizeof path, "%s/authority.pem", folder))
        return DONE;
    return certificate_load(path, &authority).code == CERTIFICATE_BAD
               ? RAISE(DIRECTORY_DAMAGED, "%.300s holds no certificate", path)
               : DONE;
}

static fault check_root(const struct span *leaf, const struct checkpoint *head)
{
    struct merkle tree = {0};
    for (uint64_t i = 0; i < head->size; i++) {
        struct sha256 hash = merkle_leaf_hash(leaf[i]);
        merkle_append(&tree, &hash);
    }
    struct sha256 root = merkle_root(&tree);
    return sha256_equal(&root, &head->root)
               ? DONE
               : RAISE(DIRECTORY_DAMAGED,
                       "the %" PRIu64 " acts in it are not the ones that its checkpoint was "
                       "signed over",
                       head->size);
}

/* It began with a snapshot, and lacks what came before. */
static fault check_partial(const char *folder, const struct checkpoint *head)
{
    struct directory_partial_read read = {0};
    struct merkle tree;
    fault f = directory_partial_read(folder, head->size, &read);
    bool damaged = f.code == BAD_FRAME;
    if (!failed(f))
        damaged = directory_partial_check(&read.partial, head, &tree).code == INCONSISTENT;
    directory_partial_clear(&read);
    return damaged ? RAISE(DIRECTORY_DAMAGED, "%s", fault_detail()) : DONE;
}

fault directory_damage_check(const char *folder, const struct checkpoint *head)
{
    OWNED(bytes) backing = NULL;
    struct span *leaf = NULL;
    TRY(check_certificate(folder));
    fault f = tiles_read_entries(folder, head->size, &backing, &leaf);
    if (f.code == NOT_FOUND)
        return check_partial(folder, head);
    if (f.code == BAD_FRAME)
        return RAISE(DIRECTORY_DAMAGED, "an entry bundle is damaged: %s", fault_detail());
    f = failed(f) ? DONE : check_root(leaf, head);
    free(leaf);
    return f;
}
