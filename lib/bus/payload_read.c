// SPDX-License-Identifier: MIT
#include "lib/bus/payload_private.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/bus/limits.h"
#include "lib/crypto/seal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

void payload_path(const char *folder, const char *day, const char *ending,
                  char out[PAYLOAD_PATH_BYTES])
{
    const char *kind = strcmp(ending, "seg") == 0 ? "payload" : "keys";
    snprintf(out, PAYLOAD_PATH_BYTES, "%.400s/%s/%.8s.%s", folder, kind, day, ending);
}

// --- days ---------------------------------------------------------------------------------------

/* Keeps the day of this file when it is newer. */
static bool take_newer(const char *name, char day[DAY_TEXT_BYTES])
{
    if (strncmp(name, day, 8) <= 0)
        return false;
    memcpy(day, name, 8);
    day[8] = '\0';
    return true;
}

static bool is_slab(const char *name)
{
    return strlen(name) == 13 && strcmp(name + 8, ".slab") == 0;
}

static DIR *open_keys(const char *folder)
{
    char path[PAYLOAD_PATH_BYTES];
    snprintf(path, sizeof path, "%.400s/keys", folder);
    return opendir(path);
}

static fault head_of(DIR *dir, const char *name, struct slab_head *out)
{
    int fd = openat(dirfd(dir), name, READ_FLAGS);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", name);
    fault f = slab_head_read(fd, out);
    close(fd);
    return f;
}

fault payload_oldest_day(const char *folder, char out[DAY_TEXT_BYTES])
{
    DIR *dir = open_keys(folder);
    out[0] = '\0';
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (is_slab(entry->d_name) && (out[0] == '\0' || strncmp(entry->d_name, out, 8) < 0)) {
            memcpy(out, entry->d_name, 8);
            out[8] = '\0';
        }
    if (dir != NULL)
        closedir(dir);
    return out[0] != '\0' ? DONE : RAISE(NOT_FOUND, "no payloads were ever kept");
}

void payload_day_of(const char *folder, uint64_t index, char out[DAY_TEXT_BYTES],
                    struct slab_head *head, char damaged[DAY_TEXT_BYTES])
{
    out[0] = damaged[0] = '\0';
    DIR *dir = open_keys(folder);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct slab_head found;
        if (!is_slab(entry->d_name))
            continue;
        fault f = head_of(dir, entry->d_name, &found);
        if (f.code == LOG_BROKEN)
            take_newer(entry->d_name, damaged);
        else if (!failed(f) && found.first_index <= index && take_newer(entry->d_name, out))
            *head = found;
    }
    closedir(dir);
}

fault payload_store_day(const char *folder, const char *day, uint64_t *first, uint64_t *next)
{
    DIR *dir = open_keys(folder);
    uint64_t begins = UINT64_MAX, ends = UINT64_MAX;
    if (dir == NULL)
        return RAISE(NOT_FOUND, "no payloads were ever kept");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct slab_head found;
        if (!is_slab(entry->d_name) || failed(head_of(dir, entry->d_name, &found)))
            continue;
        int order = strncmp(entry->d_name, day, 8);
        if (order == 0)
            begins = found.first_index;
        else if (order > 0 && found.first_index < ends)
            ends = found.first_index;
    }
    closedir(dir);
    if (begins == UINT64_MAX)
        return RAISE(NOT_FOUND, "there is no day %.8s", day);
    *first = begins;
    *next = ends;
    return DONE;
}

fault payload_store_from_day(const char *folder, const char *day, uint64_t *first)
{
    DIR *dir = open_keys(folder);
    uint64_t begins = UINT64_MAX;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct slab_head found;
        if (is_slab(entry->d_name) && strncmp(entry->d_name, day, 8) >= 0 &&
            !failed(head_of(dir, entry->d_name, &found)) && found.first_index < begins)
            begins = found.first_index;
    }
    if (dir != NULL)
        closedir(dir);
    if (begins == UINT64_MAX)
        return RAISE(NOT_FOUND, "nothing was kept from %.8s on", day);
    *first = begins;
    return DONE;
}

fault payload_store_day_of(const char *folder, uint64_t index, char day[DAY_TEXT_BYTES])
{
    char damaged[DAY_TEXT_BYTES];
    struct slab_head head;
    payload_day_of(folder, index, day, &head, damaged);
    return day[0] != '\0' ? DONE : RAISE(NOT_FOUND, "no slab holds entry %" PRIu64, index);
}

// --- one record ---------------------------------------------------------------------------------

/* The head comes with the slot out of one file: a slab that changes its key is another file. */
static fault load_slot(const char *folder, const char *day, struct slab_head *head, uint64_t index,
                       struct slot *out)
{
    char path[PAYLOAD_PATH_BYTES];
    payload_path(folder, day, "slab", path);
    int fd = open(path, READ_FLAGS);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    fault f = slab_head_read(fd, head);
    if (!failed(f))
        f = slot_read(fd, head->first_index, index, out);
    close(fd);
    if (f.code != IO_FAILED)
        return f;
    *out = (struct slot){.blank = true}; /* the slab ends before: nothing was ever kept for it */
    return DONE;
}

static fault load_frame(const char *folder, const char *day, const struct slot *slot,
                        uint64_t index, struct bytes **out)
{
    if (slot->length < SEAL_TAG_BYTES ||
        slot->length > PAYLOAD_BYTES_MAX + SALT_BYTES + SEAL_TAG_BYTES)
        return RAISE(LOG_BROKEN, "the slot of %" PRIu64 " names an impossible length", index);
    char path[PAYLOAD_PATH_BYTES];
    payload_path(folder, day, "seg", path);
    int fd = open(path, READ_FLAGS);
    if (fd < 0)
        return RAISE(LOG_BROKEN, "%s: %s", path, strerror(errno));
    OWNED(bytes) frame = NULL;
    fault f = bytes_new(FRAME_BYTES + slot->length, &frame);
    if (!failed(f))
        f = file_read_at(fd, frame->data, frame->size, (off_t)slot->offset);
    close(fd);
    if (failed(f) || get_u32(frame->data) != slot->length || get_u64(frame->data + 8) != index ||
        get_u32(frame->data + 4) != crc32c(0, span_of(frame->data + 8, 8 + slot->length)))
        return RAISE(LOG_BROKEN, "the payload frame of %" PRIu64 " is damaged", index);
    *out = TAKE(frame);
    return DONE;
}

static fault open_frame(struct day_key *day_key, const struct slot *slot,
                        const struct sha256 *leaf_hash, const struct bytes *frame,
                        struct bytes **out)
{
    uint8_t key[SEAL_KEY_BYTES];
    OWNED(seal_key) cipher = NULL;
    OWNED(bytes) blob = NULL;
    if (failed(key_wrap_unwrap(day_key->wrap, slot->wrapped, key)))
        return RAISE(LOG_BROKEN, "a record key is not under its day's key");
    fault f = seal_key_make(key, &cipher);
    seal_wipe(key, sizeof key);
    TRY(f);
    TRY(bytes_new(slot->length - SEAL_TAG_BYTES, &blob));
    struct span sealed = span_of(frame->data + FRAME_BYTES, slot->length);
    if (failed(seal_decrypt(cipher, 0, sha256_span(leaf_hash), sealed, blob->data)))
        return RAISE(LOG_BROKEN, "a payload does not decrypt with its key");
    *out = TAKE(blob);
    return DONE;
}

/* What has a key: a frame that is whole, and with the day key what is in it. */
static fault open_slot(const char *folder, struct key_ring *ring, const char *day,
                       const struct slab_head *head, const struct slot *slot, uint64_t index,
                       const struct sha256 *leaf_hash, struct bytes **out)
{
    OWNED(bytes) frame = NULL;
    struct day_key *key = NULL;
    TRY(load_frame(folder, day, slot, index, &frame));
    TRY(key_ring_find(ring, folder, day, head->key_id, &key));
    return key == NULL ? DONE : open_frame(key, slot, leaf_hash, frame, out);
}

static enum payload_state state_of(const struct slot *slot, bool opened)
{
    switch (slot->state) {
    case SLOT_HELD:
        return opened ? PAYLOAD_HELD : PAYLOAD_SEALED;
    case SLOT_SALT:
        return PAYLOAD_SALT;
    case SLOT_ERASED:
        return PAYLOAD_ERASED;
    default:
        return PAYLOAD_NONE;
    }
}

static fault read_once(const char *folder, struct key_ring *ring, uint64_t index,
                       const struct sha256 *leaf_hash, enum payload_state *state,
                       struct bytes **out)
{
    char day[DAY_TEXT_BYTES], damaged[DAY_TEXT_BYTES];
    struct slab_head head = {0};
    struct slot slot = {.blank = true};
    OWNED(bytes) blob = NULL;
    *state = PAYLOAD_NONE;
    payload_day_of(folder, index, day, &head, damaged);
    if (day[0] != '\0')
        TRY(load_slot(folder, day, &head, index, &slot));
    if (slot.blank && strcmp(damaged, day) > 0)
        return RAISE(LOG_BROKEN, "a key slab of %s does not begin as one", damaged);
    if (slot.state > SLOT_SALT)
        return RAISE(LOG_BROKEN, "the slot of %" PRIu64 " is in no known state", index);
    if (slot_has_key(&slot))
        TRY(open_slot(folder, ring, day, &head, &slot, index, leaf_hash, &blob));
    *state = state_of(&slot, blob != NULL);
    if (blob != NULL)
        *out = TAKE(blob);
    return DONE;
}

/* A second look at what seems damaged: a running node may have changed the day's key, or erased the
 * payload, between our looking at one file and at the next. */
fault payload_store_read(const char *folder, struct key_ring *ring, uint64_t index,
                         const struct sha256 *leaf_hash, enum payload_state *state,
                         struct bytes **out)
{
    fault f = read_once(folder, ring, index, leaf_hash, state, out);
    return f.code == LOG_BROKEN ? read_once(folder, ring, index, leaf_hash, state, out) : f;
}

fault payload_store_read_own(struct payload_store *self, uint64_t index,
                             const struct sha256 *leaf_hash, enum payload_state *state,
                             struct bytes **out)
{
    return payload_store_read(self->folder, self->ring, index, leaf_hash, state, out);
}
