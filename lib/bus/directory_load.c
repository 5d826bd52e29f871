// SPDX-License-Identifier: MIT
/* From signed entries to a state: whole, from a snapshot on, or further. */
#include "lib/bus/directory.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_acts.h"
#include "lib/bus/directory_check.h"
#include "lib/bus/directory_partial.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/handover.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/tiles.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 768

// --- entries ------------------------------------------------------------------------------------

/* A chain is sound from one date to another, and acts stand in the order of time: who is trusted at
 * the first and at the last act was so at all between. Of a certificate that gave way between them
 * the act looks at the last one that it signed (act_signer.c). */
static fault check_authority(const struct directory *self, struct trust *trust,
                             const struct certificate *authority)
{
    TRY(act_signer_check_subject(self, authority));
    if (failed(trust_check(trust, authority, self->last_ms)))
        return RAISE(DIRECTORY_BAD, "the certificate that signs the acts is not trusted: %s",
                     fault_detail());
    return DONE;
}

static fault take_entry(struct directory *self, uint64_t number, struct span leaf,
                        struct certificate *authority, bool known, bool checked)
{
    struct cades_parts parts;
    if (failed(cades_parse(leaf, &parts)))
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " is no act: %s", number, fault_detail());
    self->known = known;
    TRY(directory_apply(self, number, parts.content)); /* it may name who signs it */
    struct certificate *signer = directory_acts_signer(self, authority);
    struct sha256 hash = certificate_hash(signer);
    bool named = span_equal(parts.certificate_sha256, sha256_span(&hash));
    if (!known && (!named || (!checked && failed(cades_verify_parts(signer, &parts, NULL)))))
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " is not signed by the authority: %s", number,
                     named ? fault_detail() : "it names another certificate");
    if (self->last_ms / 1000 * 1000 != parts.time_ms)
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " was signed at another time than it says",
                     number);
    return DONE;
}

static void grow(struct merkle *tree, const struct span *leaves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(tree, &hash);
    }
}

static fault take_entries(struct directory *self, uint64_t first, const struct span *leaves,
                          size_t count, uint64_t known, struct certificate *authority,
                          struct trust *trust)
{
    struct certificate *signer = directory_acts_signer(self, authority);
    size_t old = known <= first ? 0 : known - first < count ? (size_t)(known - first) : count;
    bool checked = count - old >= DIRECTORY_CHECK_LEAST &&
                   directory_check_signed(leaves + old, count - old, signer);
    for (size_t i = 0; i < count; i++) {
        TRY(take_entry(self, first + i, leaves[i], authority, i < old, checked));
        if (i == 0)
            TRY(check_authority(self, trust, directory_acts_signer(self, authority)));
    }
    return DONE;
}

/* tree: of all entries. Takes the certificate. */
static fault close_state(struct directory *self, const struct merkle *tree, struct trust *trust,
                         struct certificate **authority)
{
    TRY(directory_check_first_signer(self, *authority));
    TRY(check_authority(self, trust, directory_acts_signer(self, *authority)));
    self->tree = *tree;
    self->epoch = tree->size;
    self->root = merkle_root(tree);
    self->trust = NULL;
    if (authority != &self->authority) {
        certificate_free(&self->authority);
        self->authority = TAKE(*authority);
    }
    return DONE;
}

/* known: how many entries, from the first, are the very bytes that were verified before. */
static fault fold(const struct span *leaves, const struct merkle *tree, uint64_t known,
                  struct trust *trust, struct certificate **authority, struct directory **out)
{
    OWNED(directory) self = directory_new(trust);
    if (tree->size == 0)
        return RAISE(DIRECTORY_BAD, "a directory without entries");
    TRY(take_entries(self, 0, leaves, tree->size, known, *authority, trust));
    TRY(close_state(self, tree, trust, authority));
    *out = TAKE(self);
    return DONE;
}

static fault fold_from(const struct span *leaves, size_t count, uint64_t known, struct trust *trust,
                       struct certificate *authority, struct directory **out)
{
    struct merkle tree = {0};
    OWNED(certificate) copy = NULL;
    grow(&tree, leaves, count);
    TRY(certificate_parse(certificate_der(authority), &copy));
    return fold(leaves, &tree, known, trust, &copy, out);
}

fault directory_fold(const struct span *leaves, size_t count, struct trust *trust,
                     struct certificate *authority, struct directory **out)
{
    return fold_from(leaves, count, 0, trust, authority, out);
}

fault directory_fold_again(const struct span *leaves, size_t count, struct trust *trust,
                           struct certificate *authority, struct directory **out)
{
    return fold_from(leaves, count, count, trust, authority, out);
}

// --- loading ------------------------------------------------------------------------------------

struct wanted_root {
    uint64_t size;
    struct sha256 root;
    enum fault_code otherwise;
};

/* One walk over the entries for up to three sizes: they are hashed once. */
static fault check_roots(const struct span *leaves, const struct checkpoint *head,
                         const struct wanted_root *wanted, size_t count, struct merkle *out)
{
    struct merkle tree = {0};
    for (uint64_t size = 0;; size++) {
        for (size_t i = 0; i < count; i++) {
            if (wanted[i].size != size)
                continue;
            struct sha256 root = merkle_root(&tree);
            if (!sha256_equal(&root, &wanted[i].root))
                return RAISE(wanted[i].otherwise, "its first %" PRIu64 " entries are not %s", size,
                             wanted[i].otherwise == DIRECTORY_FORKED
                                 ? "the ones that were used before"
                                 : "the ones that the checkpoint was signed over");
        }
        if (size == head->size) {
            *out = tree;
            return DONE;
        }
        struct sha256 hash = merkle_leaf_hash(leaves[size]);
        merkle_append(&tree, &hash);
    }
}

static fault check_forward(const struct checkpoint *head, const struct directory *previous,
                           const struct checkpoint *seen)
{
    uint64_t used = seen == NULL ? 0 : seen->size;
    if (previous != NULL && previous->epoch > used)
        used = previous->epoch;
    if (head->size < used)
        return RAISE(DIRECTORY_OLD, "epoch %" PRIu64 " was used already; this one is %" PRIu64,
                     used, head->size);
    return DONE;
}

static fault check_entries(const struct span *leaves, const struct checkpoint *head,
                           const struct directory *previous, const struct checkpoint *seen,
                           struct merkle *tree)
{
    struct wanted_root wanted[3] = {{head->size, head->root, DIRECTORY_BAD}};
    size_t count = 1;
    if (seen != NULL)
        wanted[count++] = (struct wanted_root){seen->size, seen->root, DIRECTORY_FORKED};
    if (previous != NULL)
        wanted[count++] = (struct wanted_root){previous->epoch, previous->root, DIRECTORY_FORKED};
    return check_roots(leaves, head, wanted, count, tree);
}

/* By the anchor's key, or the one to which the folder leads from it: the acts tell which it had to
 * be. */
static fault read_checkpoint(const char *folder, const struct note_key *authority,
                             struct bytes **note, struct checkpoint *out)
{
    char path[PATH_BYTES];
    struct note_key key;
    if (!text_format(path, sizeof path, "%s/checkpoint", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_read(path, NOTE_BYTES_MAX, note));
    TRY(handovers_key(folder, authority, &key));
    if (failed(checkpoint_open(bytes_span(*note), &key, out)) &&
        failed(checkpoint_open(bytes_span(*note), authority, out)))
        return RAISE(DIRECTORY_BAD, "%.150s is not signed by the authority's log key: %s", path,
                     fault_detail());
    return DONE;
}

static fault read_authority(const char *folder, struct certificate **out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/authority.pem", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    fault f = certificate_load(path, out);
    return f.code == CERTIFICATE_BAD ? RAISE(DIRECTORY_BAD, "%s", fault_detail()) : f;
}

static fault read_entries(const char *folder, uint64_t from, uint64_t count, struct bytes **backing,
                          struct span **leaves)
{
    fault f = tiles_read_from(folder, from, count, backing, leaves);
    return f.code == BAD_FRAME
               ? RAISE(DIRECTORY_BAD, "an entry bundle is damaged: %s", fault_detail())
               : f;
}

static fault check_validity(const struct directory *self, int64_t now_ms)
{
    if (!self->published)
        return RAISE(DIRECTORY_BAD, "its last act does not publish it");
    if (self->valid_until_ms > now_ms)
        return DONE;
    char until[32];
    clock_text(self->valid_until_ms, until, sizeof until);
    return RAISE(DIRECTORY_EXPIRED, "epoch %" PRIu64 " was valid until %s", self->epoch, until);
}

/* Where it comes from, and what was used before. */
struct loading {
    const char *folder;
    struct trust *trust;
    const struct directory *previous;
    const struct checkpoint *seen;
    bool anew; /* what was used before may never have been verified */
};

/* What was used before was verified then, if it was folded; its root is the same. */
static uint64_t known_size(const struct loading *from)
{
    uint64_t known = 0;
    if (from->anew)
        return 0;
    if (from->previous != NULL && from->previous->begun == 0)
        known = from->previous->epoch;
    return from->seen != NULL && from->seen->size > known ? from->seen->size : known;
}

static fault check_keys(const struct directory *self, const struct note_key *authority,
                        struct span note)
{
    struct checkpoint head;
    TRY(directory_check_keys(self, authority));
    return failed(directory_open_head(self, authority, note, &head))
               ? RAISE(DIRECTORY_BAD, "its head is not signed by the key that its acts name: %s",
                       fault_detail())
               : DONE;
}

static fault load_whole(const struct loading *from, const struct checkpoint *head,
                        struct certificate **authority, struct directory **out)
{
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    struct merkle tree;
    TRY(read_entries(from->folder, 0, head->size, &backing, &leaves));
    fault f = check_entries(leaves, head, from->previous, from->seen, &tree);
    if (!failed(f))
        f = fold(leaves, &tree, known_size(from), from->trust, authority, out);
    free(leaves);
    return f;
}

// --- from a snapshot on -------------------------------------------------------------------------

/* The right edge of the tree of the first `size` entries, by the tiles' word. */
static fault read_edge(struct tile_reader *tiles, uint64_t size, struct merkle *out)
{
    *out = (struct merkle){.size = size};
    uint64_t start = 0;
    for (unsigned level = MERKLE_LEVELS; level-- > 0;) {
        uint64_t width = UINT64_C(1) << level;
        if ((size & width) == 0)
            continue;
        TRY(tile_reader_hash(tiles, (struct merkle_range){start, start + width},
                             &out->edge[level]));
        start += width;
    }
    return DONE;
}

static fault check_contains(struct tile_reader *tiles, const struct checkpoint *head, uint64_t size,
                            const struct sha256 *root)
{
    struct sha256 proof[MERKLE_PROOF_MAX];
    size_t length = 0;
    TRY(tile_reader_consistency(tiles, size, proof, &length));
    fault f = merkle_consistency_check(size, root, head->size, &head->root, proof, length);
    return f.code == INCONSISTENT
               ? RAISE(DIRECTORY_FORKED,
                       "its first %" PRIu64 " entries are not the ones that were used before", size)
               : f;
}

/* The act that follows must vouch for the snapshot. */
static fault check_voucher(struct span leaf, struct span snapshot)
{
    struct cades_parts parts;
    struct sha256 digest = SHA256_OF(snapshot);
    TRY(cades_parse(leaf, &parts));
    return directory_vouches(parts.content, &digest)
               ? DONE
               : RAISE(DIRECTORY_BAD, "the authority does not vouch for the snapshot");
}

static fault restore(const char *folder, uint64_t size, struct span next, struct trust *trust,
                     struct directory **out)
{
    char path[PATH_BYTES];
    OWNED(bytes) snapshot = NULL;
    text_format(path, sizeof path, "%s/snapshot/%" PRIu64, folder, size);
    TRY(file_read(path, DIRECTORY_SNAPSHOT_BYTES_MAX, &snapshot));
    TRY(check_voucher(next, bytes_span(snapshot)));
    TRY(directory_restore(bytes_span(snapshot), trust, out));
    return (*out)->epoch == size
               ? DONE
               : RAISE(DIRECTORY_BAD, "the snapshot of %" PRIu64 " acts is one of %" PRIu64, size,
                       (*out)->epoch);
}

/* Entries, edge and snapshot are strangers' until the root of all of them is the signed one; the
 * signature of the act that vouches is checked with the others'. */
static fault take_tail(const char *folder, const struct span *leaves, struct merkle *tree,
                       const struct checkpoint *head, struct trust *trust,
                       struct certificate **authority, struct directory **out)
{
    OWNED(directory) self = NULL;
    uint64_t size = tree->size;
    grow(tree, leaves, head->size - size);
    struct sha256 root = merkle_root(tree);
    if (!sha256_equal(&root, &head->root))
        return RAISE(DIRECTORY_BAD, "entries from %" PRIu64 " on do not lead to the checkpoint",
                     size);
    TRY(restore(folder, size, leaves[0], trust, &self));
    self->trust = trust;
    TRY(take_entries(self, size, leaves, head->size - size, 0, *authority, trust));
    TRY(close_state(self, tree, trust, authority));
    self->begun = size;
    *out = TAKE(self);
    return DONE;
}

static fault load_snapshot(const struct loading *from, const struct checkpoint *head,
                           struct certificate **authority, struct directory **out)
{
    OWNED(tile_reader) tiles = tile_reader_new(from->folder, head->size);
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    struct merkle tree;
    uint64_t size = 0;
    TRY(directory_partial_newest(from->folder, head->size, &size));
    if (from->previous != NULL)
        TRY(check_contains(tiles, head, from->previous->epoch, &from->previous->root));
    if (from->seen != NULL)
        TRY(check_contains(tiles, head, from->seen->size, &from->seen->root));
    TRY(read_edge(tiles, size, &tree));
    TRY(read_entries(from->folder, size, head->size, &backing, &leaves));
    fault f = take_tail(from->folder, leaves, &tree, head, from->trust, authority, out);
    free(leaves);
    return f;
}

static fault load(const struct loading *from, const struct note_key *authority, int64_t now_ms,
                  struct directory **out)
{
    struct checkpoint head;
    OWNED(certificate) certificate = NULL;
    OWNED(directory) self = NULL;
    OWNED(bytes) note = NULL;
    TRY(read_checkpoint(from->folder, authority, &note, &head));
    TRY(check_forward(&head, from->previous, from->seen));
    TRY(read_authority(from->folder, &certificate));
    fault f = load_whole(from, &head, &certificate, &self);
    if (f.code == NOT_FOUND)
        f = load_snapshot(from, &head, &certificate, &self);
    TRY(f);
    TRY(check_keys(self, authority, bytes_span(note)));
    TRY(check_validity(self, now_ms));
    *out = TAKE(self);
    return DONE;
}

fault directory_load(const char *folder, struct trust *trust, const struct note_key *authority,
                     const struct directory *previous, const struct checkpoint *seen,
                     int64_t now_ms, struct directory **out)
{
    return load(&(struct loading){folder, trust, previous, seen, false}, authority, now_ms, out);
}

fault directory_load_anew(const char *folder, struct trust *trust, const struct note_key *authority,
                          const struct directory *previous, const struct checkpoint *seen,
                          int64_t now_ms, struct directory **out)
{
    return load(&(struct loading){folder, trust, previous, seen, true}, authority, now_ms, out);
}

uint64_t directory_begun(const struct directory *self)
{
    return self->begun;
}

void directory_proved(struct directory *self)
{
    self->begun = 0;
}

// --- further ------------------------------------------------------------------------------------

/* tree: of all entries with these. From here on a fault spoils the state. */
static fault take_further(struct directory *self, const struct merkle *tree,
                          const struct span *leaves, size_t count, struct trust *trust)
{
    self->spoiled = true;
    self->trust = trust;
    fault f = take_entries(self, self->epoch, leaves, count, 0, self->authority, trust);
    if (!failed(f))
        f = close_state(self, tree, trust, &self->authority);
    self->trust = NULL;
    return f;
}

fault directory_fold_further(struct directory *self, const struct span *leaves, size_t count,
                             struct trust *trust)
{
    struct merkle tree = self->tree;
    grow(&tree, leaves, count);
    TRY(take_further(self, &tree, leaves, count, trust));
    self->spoiled = false;
    return DONE;
}

fault directory_advance(struct directory *self, const struct checkpoint *head,
                        const struct span *leaves, size_t count, struct trust *trust,
                        int64_t now_ms)
{
    struct merkle tree = self->tree;
    if (head->size != self->epoch + count || count == 0)
        return RAISE(DIRECTORY_OLD, "%zu acts do not lead from epoch %" PRIu64 " to %" PRIu64,
                     count, self->epoch, head->size);
    grow(&tree, leaves, count);
    struct sha256 root = merkle_root(&tree);
    if (!sha256_equal(&root, &head->root))
        return RAISE(DIRECTORY_FORKED, "acts after epoch %" PRIu64 " do not lead to the checkpoint",
                     self->epoch);
    /* a fault from here on is the authority's own: it signed the head */
    TRY(take_further(self, &tree, leaves, count, trust));
    TRY(check_validity(self, now_ms));
    self->spoiled = false;
    return DONE;
}

bool directory_is_spoiled(const struct directory *self)
{
    return self->spoiled;
}
