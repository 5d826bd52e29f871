// SPDX-License-Identifier: MIT
/* chaski-audit keys export, and what the other commands open payloads with. */
#include "tools/audit/store_keys.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/slab.h"
#include "lib/bus/store_key.h"
#include "lib/crypto/sealed_key.h"
#include "lib/crypto/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 600
#define DAY_BYTES 8
#define HEX_BYTES (2 * KEY_WRAP_BYTES)
#define LINE_BYTES (DAY_BYTES + 1 + HEX_BYTES + 1) /* "yyyymmdd KEY\n" */
#define FILE_BYTES_MAX (1u << 20)

struct store_keys {
    size_t count;
    struct key_wrap *key[LOGS_MAX]; /* of nodes */
    struct key_ring *ring;
};

void store_keys_free(struct store_keys **self)
{
    if (*self == NULL)
        return;
    key_ring_free(&(*self)->ring);
    for (size_t i = 0; i < (*self)->count; i++)
        key_wrap_free(&(*self)->key[i]);
    free(*self);
    *self = NULL;
}

struct key_ring *store_keys_ring(const struct store_keys *self)
{
    return self->ring;
}

static fault unwrap(void *owner, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                    uint8_t out[KEY_WRAP_BYTES])
{
    const struct store_keys *self = owner;
    for (size_t i = 0; i < self->count; i++)
        if (!failed(key_wrap_unwrap(self->key[i], wrapped, out)))
            return DONE;
    return RAISE(SEAL_BROKEN, "under none of the store keys given");
}

static fault wrap(void *owner, const uint8_t key[KEY_WRAP_BYTES], uint8_t out[KEY_WRAPPED_BYTES])
{
    (void)owner;
    (void)key;
    (void)out;
    return RAISE(REFUSED, "an auditor wraps nothing");
}

// --- files of keys ------------------------------------------------------------------------------

static bool is_day(struct span text)
{
    uint64_t number;
    return text.size == DAY_BYTES && !failed(text_number(text, 99991231, &number));
}

static fault add_day_key(struct key_ring *ring, struct span line, const char *path)
{
    static const uint8_t not_known[KEY_WRAPPED_BYTES];
    uint8_t key[KEY_WRAP_BYTES];
    OWNED(day_key) day = NULL;
    if (!is_day(span_of(line.at, DAY_BYTES)) || line.at[DAY_BYTES] != ' ' ||
        line.at[LINE_BYTES - 1] != '\n' ||
        failed(text_unhex(span_of(line.at + DAY_BYTES + 1, HEX_BYTES), key, sizeof key)))
        return RAISE(BAD_KEY, "%s holds neither a store key nor day keys", path);
    fault f = day_key_take(key, not_known, &day);
    seal_wipe(key, sizeof key);
    TRY(f);
    key_ring_add(ring, &day);
    return DONE;
}

static fault add_day_keys(struct key_ring *ring, const struct bytes *file, const char *path)
{
    if (file->size == 0 || file->size % LINE_BYTES != 0)
        return RAISE(BAD_KEY, "%s holds neither a store key nor day keys", path);
    for (size_t at = 0; at < file->size; at += LINE_BYTES)
        TRY(add_day_key(ring, span_of(file->data + at, LINE_BYTES), path));
    return DONE;
}

static fault add_file(struct store_keys *self, const char *path, struct span passphrase)
{
    OWNED(bytes) file = NULL;
    struct key_opener opener = {.passphrase = passphrase};
    TRY(file_read(path, FILE_BYTES_MAX, &file));
    if (file->size != HEX_BYTES + 1 && !sealed_key_is(bytes_span(file)))
        return add_day_keys(self->ring, file, path);
    seal_wipe(file->data, file->size);
    TRY(store_key_load(path, &opener, &self->key[self->count]));
    self->count++;
    return DONE;
}

fault store_keys_open(const struct audit_arguments *arguments, struct store_keys **out)
{
    OWNED(store_keys) self = owned_new(sizeof *self);
    const struct key_holder holder = {wrap, unwrap, self};
    self->ring = key_ring_new(&holder);
    for (size_t i = 0; i < arguments->store_keys; i++)
        TRY(add_file(self, arguments->store_key[i], secret_span(arguments->passphrase)));
    *out = TAKE(self);
    return DONE;
}

// --- exporting ----------------------------------------------------------------------------------

static fault key_id_of(const char *folder, const char *day, uint64_t *out)
{
    char path[PATH_BYTES];
    struct slab_head head;
    if (!text_format(path, sizeof path, "%s/keys/%s.slab", folder, day))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return RAISE(NOT_FOUND, "%s: %m", path);
    fault f = slab_head_read(fd, &head);
    close(fd);
    TRY(f);
    *out = head.key_id;
    return DONE;
}

fault keys_command(const struct audit_arguments *arguments)
{
    uint8_t wrapped[KEY_WRAPPED_BYTES], key[KEY_WRAP_BYTES];
    char hex[HEX_BYTES + 1];
    uint64_t id;
    OWNED(store_keys) keys = NULL;
    if (arguments->count != 2 || strcmp(arguments->positional[0], "export") != 0 ||
        arguments->store_keys != 1 || arguments->day == NULL ||
        !is_day(span_of_text(arguments->day)))
        return RAISE(BAD_REQUEST, "keys export DIR --store-key FILE --day YYYYMMDD");
    const char *folder = arguments->positional[1];
    TRY(store_keys_open(arguments, &keys));
    TRY(key_id_of(folder, arguments->day, &id));
    TRY(day_key_file_find(folder, arguments->day, id, wrapped));
    if (failed(unwrap(keys, wrapped, key)) || day_key_id(key) != id)
        return RAISE(BAD_KEY, "the key of %s is not under this store key", arguments->day);
    text_hex(span_of(key, sizeof key), hex, sizeof hex);
    printf("%s %s\n", arguments->day, hex);
    seal_wipe(key, sizeof key);
    seal_wipe(hex, sizeof hex);
    return DONE;
}
