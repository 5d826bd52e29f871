// SPDX-License-Identifier: MIT
#include "registry/remote/fetch.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_files.h"
#include "lib/bus/handover.h"

#include <ftw.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

static fault path_in(const char *folder, const char *name, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the folder's name is too long");
}

static fault fetch_file(struct registry_http *http, const char *folder, const char *name,
                        size_t most)
{
    char path[STORE_PATH_BYTES], parent[STORE_PATH_BYTES], place[STORE_PATH_BYTES];
    OWNED(bytes) body = NULL;
    TRY(path_in(folder, name, path));
    TRY(path_in("/directory", name, place));
    TRY(registry_http_get(http, place, most, &body));
    memcpy(parent, path, sizeof parent);
    TRY(file_make_folders(dirname(parent), 0700));
    return file_replace(path, bytes_span(body), 0600);
}

/* A tile that was not full may have been filled since the checkpoint was signed. */
static fault fetch_files(struct registry_http *http, const char *folder, uint64_t snapshot,
                         uint64_t head)
{
    struct directory_file file;
    uint64_t step = 0;
    while (directory_files_next(snapshot, head, &step, &file)) {
        fault f = fetch_file(http, folder, file.name, file.bytes_max);
        if (f.code == NOT_FOUND && file.instead[0] != '\0')
            f = fetch_file(http, folder, file.instead, file.bytes_max);
        TRY(f);
    }
    return DONE;
}

/* Not everywhere is one: then all acts are fetched. */
static uint64_t newest_snapshot(struct registry_http *http)
{
    OWNED(bytes) body = NULL;
    fault f = registry_http_get(http, "/directory/snapshot/newest", NOTE_BYTES_MAX, &body);
    return failed(f) ? 0 : directory_files_newest(bytes_span(body));
}

/* An anchor may be older than the key that signs now: the acts that lead to it are judged with the
 * rest. */
static fault fetch_key(struct registry_http *http, const char *folder, const struct note_key *log,
                       struct note_key *out)
{
    fault f = fetch_file(http, folder, HANDOVERS_FILE, HANDOVERS_BYTES_MAX);
    if (f.code != NOT_FOUND)
        TRY(f);
    return handovers_key(folder, log, out);
}

static fault fetch_all(struct registry_http *http, const char *folder, const struct note_key *log)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    struct note_key key;
    uint64_t snapshot = newest_snapshot(http);
    TRY(fetch_file(http, folder, "checkpoint", NOTE_BYTES_MAX));
    TRY(fetch_file(http, folder, "authority.pem", CERTIFICATE_BYTES_MAX * 2));
    TRY(path_in(folder, "checkpoint", path));
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(fetch_key(http, folder, log, &key));
    TRY(checkpoint_open(bytes_span(note), &key, &head));
    if (head.size > DIRECTORY_ENTRIES_MAX)
        return RAISE(DIRECTORY_BAD, "a directory of more than %d acts", DIRECTORY_ENTRIES_MAX);
    fault f = fetch_files(http, folder, snapshot < head.size ? snapshot : 0, head.size);
    return f.code == NOT_FOUND && snapshot > 0 ? fetch_files(http, folder, 0, head.size) : f;
}

static fault load_trust(const struct anchor_file *anchor, const char *folder, struct trust **out)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) pem = NULL;
    TRY(path_in(folder, "trust.pem", path));
    TRY(anchor_file_pem(anchor, &pem));
    TRY(file_replace(path, bytes_span(pem), 0600));
    return trust_load(path, out);
}

static fault fill(struct registry_http *http, const struct anchor_file *anchor, const char *folder,
                  struct store **out)
{
    OWNED(trust) trust = NULL;
    OWNED(directory) state = NULL;
    TRY(load_trust(anchor, folder, &trust));
    TRY(fetch_all(http, folder, &anchor->directory));
    TRY(directory_load(folder, trust, &anchor->directory, NULL, NULL, clock_wall_ms(), &state));
    return store_drafts(&state, &trust, &anchor->directory, out);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

fault fetch_store(struct registry_http *http, const struct anchor_file *anchor, struct store **out)
{
    char folder[256];
    const char *base = getenv("TMPDIR");
    if (!text_format(folder, sizeof folder, "%s/chaski-registry-XXXXXX",
                     base == NULL ? "/tmp" : base) ||
        mkdtemp(folder) == NULL)
        return RAISE(IO_FAILED, "a folder for the time being: %m");
    fault f = fill(http, anchor, folder, out);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return f;
}
