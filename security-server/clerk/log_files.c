// SPDX-License-Identifier: MIT
#include "security-server/clerk/log_files.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/limits.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/published_name.h"
#include "lib/crypto/digest.h"

#define PATH_BYTES 512
#define TILE_BYTES_MAX 8192
#define BUNDLE_BYTES_MAX (256 * (2 + LEAF_BYTES_MAX))
#define NOTE_TYPE "text/plain; charset=utf-8"

static bool begins_with(struct span text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.at, start, size) == 0;
}

/* "<epoch>/" in front; without it the newest is meant. Each is a log by itself. */
static fault take_epoch(const struct server_config *config, struct span *name, unsigned *epoch)
{
    struct cursor at = cursor_over(*name);
    struct span word;
    uint64_t number = 0;
    if (name->size == 0 || name->at[0] < '1' || name->at[0] > '9')
        return log_epoch_newest(config->audit_folder, epoch);
    if (failed(cursor_take_until(&at, '/', &word)) ||
        failed(text_number(word, LOG_EPOCHS_MAX, &number)))
        return RAISE(NOT_FOUND, "There is no such file in a log.");
    *name = at.left;
    *epoch = (unsigned)number;
    return DONE;
}

static fault read_log_file(const struct server_config *config, struct span name,
                           struct clerk_file *file, struct bytes **body)
{
    char path[PATH_BYTES], text[EVIDENCE_PATH_BYTES_MAX + 1];
    unsigned epoch = 1;
    TRY(take_epoch(config, &name, &epoch));
    enum published_kind kind = published_name_kind(name);
    bool entries = begins_with(name, "tile/entries/");
    if (config->evidence_log == EVIDENCE_LOG_OFF)
        return RAISE(NOT_FOUND, "This server does not publish its log (evidence_log).");
    if (entries && config->evidence_log != EVIDENCE_LOG_ENTRIES)
        return RAISE(NOT_FOUND, "This server publishes hashes and no entries (evidence_log).");
    if ((kind != PUBLISHED_HEAD && kind != PUBLISHED_TILE) ||
        !text_format(text, sizeof text, "%.*s", (int)name.size, (const char *)name.at))
        return RAISE(NOT_FOUND, "There is no such file in a log.");
    audit_log_path(config->audit_folder, epoch, text, path, sizeof path);
    fault f = file_read(path,
                        kind == PUBLISHED_HEAD ? NOTE_BYTES_MAX
                        : entries              ? BUNDLE_BYTES_MAX
                                               : TILE_BYTES_MAX,
                        body);
    if (f.code == NOT_FOUND)
        return RAISE(NOT_FOUND, "The log has no such tile, or no longer.");
    TRY(f);
    file->constant = kind == PUBLISHED_TILE;
    file->type = kind == PUBLISHED_HEAD ? NOTE_TYPE : "application/octet-stream";
    return DONE;
}

/* Lower-case hex only: one name for each file. */
static bool is_hash(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!(text.at[i] >= '0' && text.at[i] <= '9') && !(text.at[i] >= 'a' && text.at[i] <= 'f'))
            return false;
    return text.size == (size_t)2 * SHA256_BYTES;
}

static fault read_cosigned(const struct server_config *config, struct span name,
                           struct clerk_file *file, struct bytes **body)
{
    char path[PATH_BYTES];
    struct cursor at = cursor_over(name);
    struct span hash;
    if (failed(cursor_take_until(&at, '/', &hash)) || !is_hash(hash) ||
        !span_is_text(at.left, "checkpoint") ||
        !text_format(path, sizeof path, "%s/witness/%.*s", config->audit_folder, (int)hash.size,
                     (const char *)hash.at))
        return RAISE(NOT_FOUND, "There is /witness/<hex of SHA-256 of the origin>/checkpoint.");
    fault f = file_read(path, NOTE_BYTES_MAX, body);
    if (f.code == NOT_FOUND)
        return RAISE(NOT_FOUND, "This witness has cosigned no log of that origin.");
    TRY(f);
    file->type = NOTE_TYPE;
    return DONE;
}

fault log_files_read(const struct server_config *config, struct span name, struct clerk_file *file,
                     struct bytes **body)
{
    struct cursor at = cursor_over(name);
    struct span first;
    fault f = RAISE(NOT_FOUND, "There are /witness/ and /log/ here.");
    *file = (struct clerk_file){.name = ""};
    if (failed(cursor_take_until(&at, '/', &first)))
        return f;
    if (span_is_text(first, "log"))
        f = read_log_file(config, at.left, file, body);
    else if (span_is_text(first, "witness"))
        f = read_cosigned(config, at.left, file, body);
    TRY(f);
    file->body = bytes_span(*body);
    return DONE;
}
