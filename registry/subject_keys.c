// SPDX-License-Identifier: MIT
#include "registry/subject_keys.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/subject_key.h"
#include "lib/crypto/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_BYTES (2 * PSEUDONYM_KEY_BYTES + 1)

static fault path_of(const char *store, unsigned year, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/keys/subject-%u.key", store, year)
               ? DONE
               : RAISE(BAD_CONFIG, "the store's name is too long");
}

static fault read_key(const char *path, uint8_t out[PSEUDONYM_KEY_BYTES])
{
    struct stat st;
    OWNED(bytes) file = NULL;
    TRY(file_read(path, KEY_FILE_BYTES, &file));
    bool good =
        stat(path, &st) == 0 && (st.st_mode & 077) == 0 && file->size == KEY_FILE_BYTES &&
        !failed(text_unhex(span_of(file->data, 2 * PSEUDONYM_KEY_BYTES), out, PSEUDONYM_KEY_BYTES));
    seal_wipe(file->data, file->size);
    return good ? DONE : RAISE(BAD_KEY, "%s is no key, or is readable by others", path);
}

static fault make_key(const char *path, uint8_t out[PSEUDONYM_KEY_BYTES])
{
    char text[KEY_FILE_BYTES + 1];
    random_fill(out, PSEUDONYM_KEY_BYTES);
    text_hex(span_of(out, PSEUDONYM_KEY_BYTES), text, sizeof text);
    text[KEY_FILE_BYTES - 1] = '\n';
    fault f = file_replace(path, span_of(text, KEY_FILE_BYTES), 0600);
    seal_wipe(text, sizeof text);
    return f;
}

fault subject_keys_make(const char *store, unsigned year, struct sha256 *commitment)
{
    char path[STORE_PATH_BYTES];
    uint8_t key[PSEUDONYM_KEY_BYTES];
    if (year < SUBJECT_YEAR_FIRST || year > SUBJECT_YEAR_LAST)
        return RAISE(BAD_REQUEST, "a year is from %d to %d", SUBJECT_YEAR_FIRST, SUBJECT_YEAR_LAST);
    TRY(path_of(store, year, path));
    fault f = read_key(path, key);
    if (f.code == NOT_FOUND)
        f = make_key(path, key);
    TRY(f);
    *commitment = pseudonym_commitment(key);
    seal_wipe(key, sizeof key);
    return DONE;
}

// --- publishing ---------------------------------------------------------------------------------

/* Is there one that this server can open? Its sealing key may have changed. */
static bool is_there(const char *path, const struct directory_server *server)
{
    OWNED(bytes) file = NULL;
    struct subject_key_blob blob;
    uint8_t id[SEAL_KEY_ID_BYTES];
    if (failed(file_read(path, SUBJECT_BLOB_BYTES_MAX, &file)) ||
        failed(subject_key_read(bytes_span(file), &blob)))
        return false;
    seal_key_id(server->seal_key[0], id);
    return memcmp(id, blob.seal_key_id, sizeof id) == 0;
}

static fault publish_one(const struct directory_server *server, unsigned year,
                         const uint8_t key[PSEUDONYM_KEY_BYTES], const char *folder)
{
    char name[SUBJECT_KEY_NAME_ROOM], path[STORE_PATH_BYTES];
    OWNED(bytes) blob = NULL;
    subject_key_name(server->id, year, name);
    if (!text_format(path, sizeof path, "%s/%s", folder, name))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    if (server->seal_keys == 0 || is_there(path, server))
        return DONE;
    TRY(subject_key_seal(server->id, year, key, server->seal_key[0], &blob));
    return file_replace(path, bytes_span(blob), 0644);
}

static fault publish_year(const struct store *store, unsigned year,
                          const uint8_t key[PSEUDONYM_KEY_BYTES], const char *folder)
{
    char place[STORE_PATH_BYTES];
    size_t step = 0;
    if (!text_format(place, sizeof place, "%s/" SUBJECT_KEYS_FOLDER "/%04u", folder, year))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_make_folders(place, 0755));
    for (const struct directory_server *server;
         (server = directory_next_server(store_state(store), &step)) != NULL;)
        TRY(publish_one(server, year, key, folder));
    return DONE;
}

static fault publish_key(const struct store *store, const struct directory_subject_key *wanted,
                         const char *folder)
{
    char path[STORE_PATH_BYTES];
    uint8_t key[PSEUDONYM_KEY_BYTES];
    TRY(path_of(store_folder(store), wanted->year, path));
    fault f = read_key(path, key);
    struct sha256 found = pseudonym_commitment(key);
    if (failed(f) || !sha256_equal(&found, &wanted->commitment)) {
        EVENT(ERROR, "subject_key.not_in_store", E_NUMBER("year", wanted->year),
              E_TEXT("remedy", "put the key file of that year into the store: no server gets "
                               "its key from here"));
        f = DONE;
    } else {
        f = publish_year(store, wanted->year, key, folder);
    }
    seal_wipe(key, sizeof key);
    return f;
}

// --- the end of one -----------------------------------------------------------------------------

/* What was there is overwritten before its name goes. */
static void destroy_file(const char *path)
{
    static const uint8_t zeros[SUBJECT_BLOB_BYTES_MAX];
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= (off_t)sizeof zeros) {
        ignore(file_write_at(fd, span_of(zeros, (size_t)st.st_size), 0));
        fsync(fd);
    }
    if (fd >= 0)
        close(fd);
    unlink(path);
}

static void destroy_folder(const char *folder)
{
    char path[STORE_PATH_BYTES];
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' &&
            text_format(path, sizeof path, "%s/%s", folder, entry->d_name))
            destroy_file(path);
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
}

static fault destroy(const char *store, unsigned year, const char *folder)
{
    char path[STORE_PATH_BYTES];
    TRY(path_of(store, year, path));
    destroy_file(path);
    if (!text_format(path, sizeof path, "%s/" SUBJECT_KEYS_FOLDER "/%04u", folder, year))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    destroy_folder(path);
    return DONE;
}

fault subject_keys_publish(const struct store *store, const char *folder)
{
    size_t step = 0;
    for (const struct directory_subject_key *key;
         (key = directory_next_subject_key(store_state(store), &step)) != NULL;)
        TRY(key->destroyed ? destroy(store_folder(store), key->year, folder)
                           : publish_key(store, key, folder));
    return DONE;
}
