// SPDX-License-Identifier: MIT
#include "registry/log_keys.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 768
#define HANDOVER_BYTES_MAX 4096

static fault public_of(struct keypair *key, const char *name, struct note_key *out)
{
    OWNED(bytes) public_key = NULL;
    TRY(keypair_public(key, &public_key));
    return note_key_make(name, NOTE_LOG, public_key->data, out);
}

static fault load_one(const char *folder, const char *file, const char *name, struct log_keys *self)
{
    char path[PATH_BYTES];
    if (self->count == LOG_KEYS_MAX)
        return RAISE(REFUSED,
                     "%s/keys holds more than %d keys of the log: move those of before away",
                     folder, LOG_KEYS_MAX);
    if (!text_format(path, sizeof path, "%s/keys/%s", folder, file))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(keypair_load(path, KEY_ED25519, &self->key[self->count]));
    TRY(public_of(self->key[self->count], name, &self->public[self->count]));
    self->count++;
    return DONE;
}

static bool is_log_key(const char *file)
{
    size_t size = strlen(file);
    return strcmp(file, "log.key") == 0 ||
           (strncmp(file, "log-", 4) == 0 && size > 8 && strcmp(file + size - 4, ".key") == 0);
}

fault log_keys_load(const char *folder, const char *name, struct log_keys *out)
{
    char path[PATH_BYTES];
    fault f = DONE;
    if (!text_format(path, sizeof path, "%s/keys", folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    DIR *list = opendir(path);
    if (list == NULL)
        return RAISE(IO_FAILED, "%s: %m", path);
    for (struct dirent *at; !failed(f) && (at = readdir(list)) != NULL;)
        if (is_log_key(at->d_name))
            f = load_one(folder, at->d_name, name, out);
    closedir(list);
    return f;
}

void log_keys_clear(struct log_keys *self)
{
    for (size_t i = 0; i < LOG_KEYS_MAX; i++)
        keypair_free(&self->key[i]);
    self->count = 0;
}

struct keypair *log_keys_find(const struct log_keys *self, const struct note_key *key)
{
    for (size_t i = 0; i < self->count; i++)
        if (memcmp(self->public[i].public_key, key->public_key, ED25519_PUBLIC_BYTES) == 0)
            return self->key[i];
    return NULL;
}

// --- the next one -------------------------------------------------------------------------------

static fault write_handover(const char *path, const struct handover *what)
{
    char before[400], after[400];
    char signature_before[2 * ED25519_SIGNATURE_BYTES + 1],
        signature[2 * ED25519_SIGNATURE_BYTES + 1];
    note_key_text(&what->before, before, sizeof before);
    note_key_text(&what->after, after, sizeof after);
    text_hex(span_of(what->signature_before, ED25519_SIGNATURE_BYTES), signature_before,
             sizeof signature_before);
    text_hex(span_of(what->signature_after, ED25519_SIGNATURE_BYTES), signature, sizeof signature);
    json_t *object = json_pack("{s:s,s:s,s:s,s:s}", "before", before, "after", after,
                               "signature_before", signature_before, "signature", signature);
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (text == NULL)
        return RAISE(INTERNAL, "jansson does not write");
    fault f = file_replace(path, span_of_text(text), 0644);
    free(text);
    return f;
}

fault log_keys_make(const char *folder, const struct note_key *now, struct keypair *signer,
                    char *path, size_t room)
{
    OWNED(keypair) key = NULL;
    struct note_key next;
    struct handover what;
    char id[9], file[PATH_BYTES];
    TRY(keypair_make(KEY_ED25519, &key));
    TRY(public_of(key, now->name, &next));
    TRY(handover_make(now, signer, &next, key, &what));
    text_hex(span_of(next.id, sizeof next.id), id, sizeof id);
    if (!text_format(file, sizeof file, "%s/keys/log-%s.key", folder, id) ||
        !text_format(path, room, "%s/handover-%s.json", folder, id))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(keypair_save(key, file));
    return write_handover(path, &what);
}

static fault take_signature(const json_t *object, const char *field,
                            uint8_t out[ED25519_SIGNATURE_BYTES])
{
    const char *hex = json_string_value(json_object_get(object, field));
    struct span text = span_of_text(hex == NULL ? "" : hex);
    return text.size == 2 * ED25519_SIGNATURE_BYTES
               ? text_unhex(text, out, ED25519_SIGNATURE_BYTES)
               : RAISE(BAD_REQUEST, "\"%s\" is no signature", field);
}

static fault take_key(const json_t *object, const char *field, struct note_key *out)
{
    const char *vkey = json_string_value(json_object_get(object, field));
    return note_key_parse(span_of_text(vkey == NULL ? "" : vkey), out);
}

static fault take_handover(const json_t *object, struct handover *out)
{
    TRY(take_key(object, "before", &out->before));
    TRY(take_key(object, "after", &out->after));
    TRY(take_signature(object, "signature_before", out->signature_before));
    TRY(take_signature(object, "signature", out->signature_after));
    return handover_check(out);
}

fault log_keys_read_handover(const char *path, struct handover *out)
{
    OWNED(bytes) text = NULL;
    json_error_t error;
    TRY(file_read(path, HANDOVER_BYTES_MAX, &text));
    *out = (struct handover){0};
    json_t *object =
        json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    fault f = take_handover(object, out);
    json_decref(object);
    return failed(f) ? RAISE(REFUSED, "%s is no handover of a log key: %s", path, fault_detail())
                     : DONE;
}
