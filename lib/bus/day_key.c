// SPDX-License-Identifier: MIT
#include "lib/bus/day_key.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define PLACES 2
#define PLACE_BYTES 512 /* a sector: a write that is torn spoils one of them */
#define CRC_AT (PLACE_BYTES - 4)

static const uint8_t magic[8] = {'C', 'H', 'S', 'K', 'D', 'K', 'E', 'Y'};
static const char id_label[] = "chaski day key";

uint64_t day_key_id(const uint8_t key[KEY_WRAP_BYTES])
{
    struct sha256 hash = SHA256_OF(span_of_text(id_label), span_of(key, KEY_WRAP_BYTES));
    return get_u64(hash.at);
}

fault day_key_take(const uint8_t key[KEY_WRAP_BYTES], const uint8_t wrapped[KEY_WRAPPED_BYTES],
                   struct day_key **out)
{
    OWNED(day_key) self = owned_new(sizeof *self);
    self->id = day_key_id(key);
    memcpy(self->wrapped, wrapped, KEY_WRAPPED_BYTES);
    TRY(key_wrap_make(key, &self->wrap));
    *out = TAKE(self);
    return DONE;
}

fault day_key_make(const struct key_holder *holder, struct day_key **out)
{
    uint8_t key[KEY_WRAP_BYTES], wrapped[KEY_WRAPPED_BYTES];
    random_fill(key, sizeof key);
    fault f = holder->wrap(holder->owner, key, wrapped);
    if (!failed(f))
        f = day_key_take(key, wrapped, out);
    seal_wipe(key, sizeof key);
    return f;
}

void day_key_free(struct day_key **self)
{
    if (*self == NULL)
        return;
    key_wrap_free(&(*self)->wrap);
    free(*self);
    *self = NULL;
}

static fault holder_wrap(void *owner, const uint8_t key[KEY_WRAP_BYTES],
                         uint8_t out[KEY_WRAPPED_BYTES])
{
    return key_wrap_wrap(owner, key, out);
}

static fault holder_unwrap(void *owner, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                           uint8_t out[KEY_WRAP_BYTES])
{
    return key_wrap_unwrap(owner, wrapped, out);
}

struct key_holder key_holder_of(struct key_wrap *store_key)
{
    return (struct key_holder){holder_wrap, holder_unwrap, store_key};
}

// --- the file -----------------------------------------------------------------------------------

struct place {
    bool there;
    uint64_t id;
    uint8_t wrapped[KEY_WRAPPED_BYTES];
};

static fault file_of(const char *folder, const char *day, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/keys/%.8s.key", folder, day)
               ? DONE
               : RAISE(BAD_CONFIG, "the log folder's name is too long");
}

static fault open_file(const char *folder, const char *day, int flags, int *fd)
{
    char path[PATH_BYTES];
    TRY(file_of(folder, day, path));
    *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (*fd >= 0)
        return DONE;
    return errno == ENOENT
               ? RAISE(LOG_BROKEN, "%s is missing: without it no payload of that day opens", path)
               : RAISE(LOG_FAILED, "%s: %m", path);
}

static void read_place(const uint8_t *raw, struct place *out)
{
    *out = (struct place){.there = memcmp(raw, magic, sizeof magic) == 0 &&
                                   get_u32(raw + CRC_AT) == crc32c(0, span_of(raw, CRC_AT))};
    if (!out->there)
        return;
    out->id = get_u64(raw + 8);
    memcpy(out->wrapped, raw + 16, KEY_WRAPPED_BYTES);
}

static fault read_places(int fd, struct place out[PLACES])
{
    uint8_t raw[PLACES * PLACE_BYTES];
    TRY(file_read_at(fd, raw, sizeof raw, 0));
    for (size_t i = 0; i < PLACES; i++)
        read_place(raw + i * PLACE_BYTES, &out[i]);
    return DONE;
}

static fault sync_key(int fd, const char *day)
{
    return fsync(fd) == 0 ? DONE : RAISE(LOG_FAILED, "the key of %s: %m", day);
}

/* key NULL: zeros. */
static fault write_place(int fd, size_t i, const struct day_key *key)
{
    uint8_t raw[PLACE_BYTES] = {0};
    if (key != NULL) {
        memcpy(raw, magic, sizeof magic);
        put_u64(raw + 8, key->id);
        memcpy(raw + 16, key->wrapped, KEY_WRAPPED_BYTES);
        put_u32(raw + CRC_AT, crc32c(0, span_of(raw, CRC_AT)));
    }
    return file_write_at(fd, span_of(raw, sizeof raw), (off_t)(i * PLACE_BYTES));
}

fault day_key_file_begin(const char *folder, const char *day, const struct day_key *key)
{
    char path[PATH_BYTES];
    int fd = -1;
    TRY(open_file(folder, day, O_RDWR | O_CREAT, &fd));
    fault f = write_place(fd, 0, key);
    if (!failed(f))
        f = write_place(fd, 1, NULL);
    if (!failed(f))
        f = sync_key(fd, day);
    close(fd);
    TRY(f);
    return text_format(path, sizeof path, "%s/keys", folder)
               ? file_sync_folder(path)
               : RAISE(BAD_CONFIG, "the log folder's name is too long");
}

static size_t place_of(const struct place place[PLACES], uint64_t id)
{
    for (size_t i = 0; i < PLACES; i++)
        if (place[i].there && place[i].id == id)
            return i;
    return PLACES;
}

/* What `change` makes of the place that does not hold the key `kept`. */
static fault change_other(const char *folder, const char *day, uint64_t kept,
                          const struct day_key *key)
{
    struct place place[PLACES];
    int fd = -1;
    TRY(open_file(folder, day, O_RDWR, &fd));
    fault f = read_places(fd, place);
    size_t i = failed(f) ? PLACES : place_of(place, kept);
    if (!failed(f) && i == PLACES)
        f = RAISE(LOG_BROKEN, "the key file of %s does not hold the key of its slab", day);
    if (!failed(f))
        f = write_place(fd, 1 - i, key);
    if (!failed(f))
        f = sync_key(fd, day);
    close(fd);
    return f;
}

fault day_key_file_add(const char *folder, const char *day, uint64_t kept,
                       const struct day_key *key)
{
    return change_other(folder, day, kept, key);
}

fault day_key_file_keep_only(const char *folder, const char *day, uint64_t kept)
{
    return change_other(folder, day, kept, NULL);
}

fault day_key_file_find(const char *folder, const char *day, uint64_t id,
                        uint8_t wrapped[KEY_WRAPPED_BYTES])
{
    struct place place[PLACES];
    int fd = -1;
    TRY(open_file(folder, day, O_RDONLY, &fd));
    fault f = read_places(fd, place);
    close(fd);
    size_t i = failed(f) ? PLACES : place_of(place, id);
    if (i == PLACES)
        return RAISE(LOG_BROKEN, "the key file of %s is damaged, or is not the one of its slab",
                     day);
    memcpy(wrapped, place[i].wrapped, KEY_WRAPPED_BYTES);
    return DONE;
}

// --- the ring -----------------------------------------------------------------------------------

struct key_ring {
    bool has_holder;
    struct key_holder holder;
    size_t count, room;
    struct day_key **key;
    struct map by_id; /* of them; one id may come twice, and the first stays */
};

struct key_ring *key_ring_new(const struct key_holder *holder)
{
    struct key_ring *self = owned_new(sizeof *self);
    self->has_holder = holder != NULL;
    if (holder != NULL)
        self->holder = *holder;
    return self;
}

void key_ring_free(struct key_ring **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++)
        day_key_free(&(*self)->key[i]);
    map_clear(&(*self)->by_id);
    free((*self)->key);
    free(*self);
    *self = NULL;
}

static struct span id_span(const uint64_t *id)
{
    return span_of((const uint8_t *)id, sizeof *id);
}

static void note_id(struct key_ring *self, struct day_key *key)
{
    if (map_get(&self->by_id, id_span(&key->id)) == NULL)
        map_set(&self->by_id, id_span(&key->id), key);
}

void key_ring_add(struct key_ring *self, struct day_key **key)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 4 : 2 * self->room;
        self->key = owned_grow(self->key, self->room, sizeof *self->key);
    }
    note_id(self, *key);
    self->key[self->count++] = TAKE(*key);
}

void key_ring_keep(struct key_ring *self, uint64_t one, uint64_t other)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->key[i]->id == one || self->key[i]->id == other)
            self->key[kept++] = self->key[i];
        else
            day_key_free(&self->key[i]);
    self->count = kept;
    map_clear(&self->by_id);
    for (size_t i = 0; i < kept; i++)
        note_id(self, self->key[i]);
}

void key_ring_close(struct key_ring *self)
{
    self->has_holder = false;
}

static fault unwrap(struct key_ring *self, const uint8_t wrapped[KEY_WRAPPED_BYTES], uint64_t id,
                    struct day_key **out)
{
    uint8_t key[KEY_WRAP_BYTES];
    OWNED(day_key) opened = NULL;
    fault f = self->holder.unwrap(self->holder.owner, wrapped, key);
    if (f.code == SEAL_BROKEN)
        return DONE; /* under another store key than those at hand */
    if (!failed(f))
        f = day_key_take(key, wrapped, &opened);
    seal_wipe(key, sizeof key);
    TRY(f);
    if (opened->id != id)
        return RAISE(LOG_BROKEN, "a day key is not the one that its file names");
    *out = opened;
    key_ring_add(self, &opened);
    return DONE;
}

fault key_ring_find(struct key_ring *self, const char *folder, const char *day, uint64_t id,
                    struct day_key **out)
{
    uint8_t wrapped[KEY_WRAPPED_BYTES];
    *out = NULL;
    if (self != NULL)
        *out = map_get(&self->by_id, id_span(&id));
    if (*out != NULL)
        return DONE;
    TRY(day_key_file_find(folder, day, id, wrapped));
    return self != NULL && self->has_holder ? unwrap(self, wrapped, id, out) : DONE;
}
