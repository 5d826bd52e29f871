// SPDX-License-Identifier: MIT
/* From the store to the folder that nodes read. Its checkpoint is written last, so that a reader
 * never sees one before its entries. */
#include "registry/commands.h"
#include "registry/status_book.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/authority_file.h"
#include "lib/bus/handover.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/merkle.h"
#include "registry/snapshots.h"
#include "registry/subject_keys.h"

#include "directory.pb-c.h"

#include <inttypes.h>

static fault path_of(const char *folder, const char *name, char out[STORE_PATH_BYTES])
{
    if (!text_format(out, STORE_PATH_BYTES, "%s/%s", folder, name))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    return DONE;
}

static struct sha256 root_at(const struct store *store, uint64_t size)
{
    struct merkle tree = {0};
    for (uint64_t i = 0; i < size; i++) {
        struct sha256 hash = merkle_leaf_hash(store_leaves(store)[i]);
        merkle_append(&tree, &hash);
    }
    return merkle_root(&tree);
}

static fault check_past(const struct store *store, struct span note, const char *where,
                        struct checkpoint *head)
{
    if (failed(store_open_head(store, note, head)))
        return RAISE(REFUSED, "%s is of another directory: %s", where, fault_detail());
    if (head->size > store_count(store))
        return RAISE(REFUSED,
                     "%s has %" PRIu64 " acts and this store only %zu: the store is an old copy; "
                     "put back the newest one",
                     where, head->size, store_count(store));
    struct sha256 root = root_at(store, head->size);
    if (!sha256_equal(&root, &head->root))
        return RAISE(REFUSED, "%s holds other acts than this store: nodes would refuse a fork",
                     where);
    return DONE;
}

fault publish_check_past(const struct store *store, struct span note, const char *where)
{
    struct checkpoint head;
    return check_past(store, note, where, &head);
}

/* What stands in the folder must be our own past: a store restored from an old copy would otherwise
 * publish a second history, and every node would refuse it as a fork. */
fault publish_look(const struct store *store, const char *folder, uint64_t *out)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    TRY(path_of(folder, "checkpoint", path));
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    *out = 0;
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    TRY(check_past(store, bytes_span(note), folder, &head));
    *out = head.size;
    return DONE;
}

/* snapshot: of the acts so far, or NULL. */
static fault add_published(struct store *store, unsigned valid_days, const struct bytes *snapshot,
                           int64_t *until_ms)
{
    struct sha256 digest = SHA256_OF(bytes_span(snapshot));
    Chaski__Published published = CHASKI__PUBLISHED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    *until_ms = store_time(store) + valid_days * STORE_DAY_MS;
    published.valid_until_ms = (uint64_t)*until_ms;
    if (snapshot != NULL)
        published.snapshot_sha256 = (ProtobufCBinaryData){sizeof digest.at, digest.at};
    act.act_case = CHASKI__ACT__ACT_PUBLISHED;
    act.published = &published;
    return store_act(store, &act);
}

static fault write_authority(struct store *store, const char *folder)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) pem = NULL;
    OWNED(bytes) there = NULL;
    TRY(path_of(folder, AUTHORITY_FILE, path));
    TRY(authority_file_make(store_state(store), store_authority(store), &pem));
    if (!failed(file_read(path, CERTIFICATE_BYTES_MAX, &there)) &&
        span_equal(bytes_span(pem), bytes_span(there)))
        return DONE;
    return file_replace(path, bytes_span(pem), 0644);
}

static fault head_of(const struct store *store, struct checkpoint *out)
{
    *out = (struct checkpoint){.size = store_count(store), .root = store_root(store)};
    if (!text_format(out->origin, sizeof out->origin, "%s", store_log_key(store)->name))
        return RAISE(BAD_NAME, "the log's name is too long");
    return DONE;
}

fault publish_beat(struct store *store, const char *folder, struct bytes **heartbeat)
{
    struct checkpoint head;
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    TRY(head_of(store, &head));
    TRY(path_of(folder, "heartbeat", path));
    TRY(store_sign_heartbeat(store, &head, clock_wall_ms(), &note));
    TRY(file_replace(path, bytes_span(note), 0644));
    *heartbeat = TAKE(note);
    return DONE;
}

fault publish_record(struct store *store, const char *folder, unsigned valid_days,
                     struct bytes **snapshot)
{
    OWNED(bytes) made = NULL;
    int64_t until_ms = 0;
    TRY(snapshots_make(store, folder, &made));
    TRY(add_published(store, valid_days, made, &until_ms));
    TRY(store_commit(store));
    *snapshot = TAKE(made);
    return DONE;
}

fault publish_write(struct store *store, const char *folder, uint64_t old_size,
                    const struct bytes *snapshot, struct bytes **note)
{
    struct checkpoint head;
    OWNED(bytes) made = NULL;
    OWNED(bytes) heartbeat = NULL;
    TRY(head_of(store, &head));
    TRY(store_sign_checkpoint(store, &head, &made));
    TRY(file_make_folders(folder, 0755));
    TRY(write_authority(store, folder));
    if (snapshot != NULL)
        TRY(snapshots_write(folder, head.size - 1, bytes_span(snapshot)));
    TRY(handovers_add(folder, store_leaves(store) + old_size, head.size - old_size));
    TRY(subject_keys_publish(store, folder)); /* who sees an act finds its key */
    TRY(tiles_publish(folder, store_leaves(store), old_size, head.size, bytes_span(made)));
    TRY(status_book_publish(store_folder(store), folder));
    TRY(publish_beat(store, folder, &heartbeat));
    *note = TAKE(made);
    return DONE;
}

fault publish_to(struct store *store, const char *folder, unsigned valid_days, struct said *said)
{
    OWNED(directory) as_a_node_sees_it = NULL;
    OWNED(bytes) note = NULL;
    OWNED(bytes) snapshot = NULL;
    char root[4 * ((SHA256_BYTES + 2) / 3) + 1], until[32];
    uint64_t old_size = 0;
    int64_t until_ms = 0;
    TRY(publish_look(store, folder, &old_size));
    TRY(snapshots_make(store, folder, &snapshot));
    TRY(add_published(store, valid_days, snapshot, &until_ms));
    TRY(directory_fold(store_leaves(store), store_count(store), store_trust(store),
                       store_authority(store), &as_a_node_sees_it));
    TRY(store_commit(store));
    TRY(publish_write(store, folder, old_size, snapshot, &note));
    struct sha256 hash = store_root(store);
    text_base64(sha256_span(&hash), root, sizeof root);
    clock_text(until_ms, until, sizeof until);
    said_add(said, "epoch %zu root %s valid until %s", store_count(store), root, until);
    witnesses_warn(store, said);
    return DONE;
}
