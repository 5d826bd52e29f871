// SPDX-License-Identifier: MIT
#include "registry/issuing.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory.h"
#include "registry/store.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAYS 7300
#define LAST_SECOND_MS INT64_C(2524607999000) /* of 2049, as store_make */

/* A part of file names: no more than letters, digits, - and _. */
static bool is_name(const char *name)
{
    return name[0] != '\0' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               strlen(name);
}

static fault path_of(const char *store, const char *form, const char *name,
                     char out[STORE_PATH_BYTES])
{
    char file[160];
    if (!is_name(name))
        return RAISE(REFUSED, "the name of a certificate authority has letters, digits, - and _");
    if (!text_format(file, sizeof file, strcmp(form, "key") == 0 ? "keys/ca-%s.key" : "ca-%s.pem",
                     name) ||
        !text_format(out, STORE_PATH_BYTES, "%s/%s", store, file))
        return RAISE(REFUSED, "the name of a certificate authority is too long");
    return DONE;
}

static fault make_certificate(struct keypair *key, const char *name,
                              const struct certificate *first, const char *instance, int64_t now_ms,
                              struct bytes **pem)
{
    struct certificate_subject subject = *certificate_subject(first); /* country and name */
    OWNED(certificate) certificate = NULL;
    int64_t end_ms = now_ms + DAYS * STORE_DAY_MS;
    if (!text_format(subject.member, sizeof subject.member, "%s/" DIRECTORY_AUTHORITY_CLASS "/CA",
                     instance) ||
        !text_format(subject.server, sizeof subject.server, "%s", name))
        return RAISE(BAD_NAME, "the instance or the name is too long");
    TRY(certificate_make_ca(key, &subject, now_ms - STORE_DAY_MS,
                            end_ms < LAST_SECOND_MS ? end_ms : LAST_SECOND_MS, &certificate));
    return certificate_pem(certificate, pem);
}

/* A key without its certificate, of a run that was cut short, is taken. */
static fault take_key(const char *path, struct keypair **out)
{
    if (access(path, F_OK) == 0)
        return keypair_load(path, KEY_P256, out);
    TRY(keypair_make(KEY_P256, out));
    return keypair_save(*out, path);
}

fault issuing_make(const char *store, const char *name, const struct certificate *first,
                   const char *instance, int64_t now_ms)
{
    char key_path[STORE_PATH_BYTES], path[STORE_PATH_BYTES], folder[STORE_PATH_BYTES];
    OWNED(keypair) key = NULL;
    OWNED(bytes) pem = NULL;
    TRY(path_of(store, "key", name, key_path));
    TRY(path_of(store, "pem", name, path));
    if (access(path, F_OK) == 0)
        return RAISE(REFUSED, "%s is there already: a new one comes under a new name", path);
    TRY(take_key(key_path, &key));
    text_format(folder, sizeof folder, "%s/keys", store);
    TRY(file_sync_folder(folder));
    TRY(make_certificate(key, name, first, instance, now_ms, &pem));
    return file_replace(path, bytes_span(pem), 0644);
}

fault issuing_certificate(const char *store, const char *name, struct certificate **out)
{
    char path[STORE_PATH_BYTES];
    TRY(path_of(store, "pem", name, path));
    if (access(path, F_OK) != 0)
        return RAISE(NOT_FOUND, "there is no %s: `certificate-authority make` makes it", path);
    return certificate_load(path, out);
}

fault issuing_key(const char *store, const char *name, struct keypair **out)
{
    char path[STORE_PATH_BYTES];
    TRY(path_of(store, "key", name, path));
    return keypair_load(path, KEY_P256, out);
}

fault issuing_use(const char *store, const char *name)
{
    char path[STORE_PATH_BYTES];
    json_error_t error;
    if (!text_format(path, sizeof path, "%s/settings.json", store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    json_t *settings = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (name[0] == '\0')
        json_object_del(settings, "issuer");
    else
        json_object_set_new(settings, "issuer", json_string(name));
    char *text = settings == NULL ? NULL : json_dumps(settings, JSON_SORT_KEYS);
    json_decref(settings);
    fault f = text == NULL ? RAISE(BAD_CONFIG, "%s cannot be read", path)
                           : file_replace(path, span_of_text(text), 0644);
    free(text);
    return f;
}
