// SPDX-License-Identifier: MIT
#include "tools/chaski/directory_fetch.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_files.h"
#include "lib/bus/handover.h"
#include "tools/chaski/web.h"

#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 128)

struct fetch {
    const char *at, *folder;
};

static fault fetch_body(const struct fetch *self, const char *name, size_t most, struct bytes **out)
{
    char url[URL_BYTES];
    struct web_answer answer;
    if (!text_format(url, sizeof url, "%s/directory/%s", self->at, name))
        return RAISE(BAD_REQUEST, "the registry's address is too long");
    const struct web_ask ask = {url, NULL, WEB_ANY, most, NULL};
    TRY(web_ask(&ask, &answer));
    *out = answer.body;
    if (answer.status == 200)
        return DONE;
    bytes_free(out);
    return answer.status == 404 ? RAISE(NOT_FOUND, "%s is not there", url)
                                : RAISE(PEER_UNREACHABLE, "%s answers %ld", url, answer.status);
}

static fault fetch_file(const struct fetch *self, const char *name, size_t most)
{
    char path[PATH_BYTES], parent[PATH_BYTES];
    OWNED(bytes) body = NULL;
    TRY(fetch_body(self, name, most, &body));
    if (!text_format(path, sizeof path, "%s/%s", self->folder, name))
        return RAISE(BAD_REQUEST, "a folder's name is too long");
    memcpy(parent, path, sizeof parent);
    TRY(file_make_folders(dirname(parent), 0700));
    return file_replace(path, bytes_span(body), 0600);
}

/* A tile that was not full may have been filled since the checkpoint was signed. */
static fault fetch_files(const struct fetch *self, uint64_t snapshot, uint64_t head)
{
    struct directory_file file;
    uint64_t step = 0;
    while (directory_files_next(snapshot, head, &step, &file)) {
        fault f = fetch_file(self, file.name, file.bytes_max);
        if (f.code == NOT_FOUND && file.instead[0] != '\0')
            f = fetch_file(self, file.instead, file.bytes_max);
        TRY(f);
    }
    return DONE;
}

/* Not every mirror has one: then all acts are fetched. */
static uint64_t newest_snapshot(const struct fetch *self)
{
    OWNED(bytes) body = NULL;
    fault f = fetch_body(self, "snapshot/newest", NOTE_BYTES_MAX, &body);
    return failed(f) ? 0 : directory_files_newest(bytes_span(body));
}

/* An anchor may be older than the key that signs now: the acts that lead to it are judged with the
 * rest. */
static fault fetch_key(const struct fetch *self, const struct note_key *log, struct note_key *out)
{
    fault f = fetch_file(self, HANDOVERS_FILE, HANDOVERS_BYTES_MAX);
    if (f.code != NOT_FOUND)
        TRY(f);
    return handovers_key(self->folder, log, out);
}

static fault fetch_all(const struct fetch *self, const struct anchor_file *anchor)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    struct note_key key;
    uint64_t snapshot = newest_snapshot(self);
    TRY(fetch_file(self, "checkpoint", NOTE_BYTES_MAX));
    TRY(fetch_file(self, "authority.pem", CERTIFICATE_BYTES_MAX * 2));
    text_format(path, sizeof path, "%s/checkpoint", self->folder);
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(fetch_key(self, &anchor->directory, &key));
    TRY(checkpoint_open(bytes_span(note), &key, &head));
    if (head.size > DIRECTORY_ENTRIES_MAX)
        return RAISE(DIRECTORY_BAD, "a directory of more than %d acts", DIRECTORY_ENTRIES_MAX);
    fault f = fetch_files(self, snapshot < head.size ? snapshot : 0, head.size);
    return f.code == NOT_FOUND && snapshot > 0 ? fetch_files(self, 0, head.size) : f;
}

static fault load(const struct fetch *self, const struct anchor_file *anchor, struct trust **trust,
                  struct directory **out)
{
    char path[PATH_BYTES];
    OWNED(bytes) pem = NULL;
    OWNED(trust) read = NULL;
    TRY(fetch_all(self, anchor));
    text_format(path, sizeof path, "%s/trust.pem", self->folder);
    TRY(anchor_file_pem(anchor, &pem));
    TRY(file_replace(path, bytes_span(pem), 0600));
    TRY(trust_load(path, &read));
    TRY(directory_load(self->folder, read, &anchor->directory, NULL, NULL, clock_wall_ms(), out));
    *trust = TAKE(read);
    return DONE;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

fault directory_fetch(const struct anchor_file *anchor, const char *at, struct trust **trust,
                      struct directory **out)
{
    char folder[256];
    const char *base = getenv("TMPDIR");
    if (!text_format(folder, sizeof folder, "%s/chaski-directory-XXXXXX",
                     base == NULL ? "/tmp" : base) ||
        mkdtemp(folder) == NULL)
        return RAISE(IO_FAILED, "a folder for the time being: %m");
    const struct fetch self = {at, folder};
    fault f = load(&self, anchor, trust, out);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return f;
}
