// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_dispute.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/tile_log.h"
#include "security-server/exchange/conflicts.h"
#include "security-server/exchange/own_record.h"

#define PATH_BYTES 512
#define DETAIL_BYTES 900

static fault read_note(const char *folder, struct bytes **out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/checkpoint", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    return file_read(path, NOTE_BYTES_MAX, out);
}

/* Is a head no larger than ours one of our own past? */
static fault judge_smaller(const struct disputed *what, const struct checkpoint *head)
{
    struct sha256 root;
    OWNED(tile_reader) tiles = tile_reader_new(what->copy, what->used->size);
    if (head->size == 0)
        return RAISE(DIRECTORY_OLD, "an empty directory");
    if (failed(tile_reader_hash(tiles, (struct merkle_range){0, head->size}, &root)))
        return RAISE(DIRECTORY_OLD, "a head that is over, of acts that the copy does not hold yet");
    if (!sha256_equal(&root, &head->root))
        return RAISE(DIRECTORY_FORKED, "another root of %llu entries",
                     (unsigned long long)head->size);
    return head->size == what->used->size ? DONE : RAISE(DIRECTORY_OLD, "a head that is over");
}

/* DIRECTORY_OLD, DIRECTORY_FORKED; all else is no contradiction. */
static fault judge(const struct node *node, const struct disputed *what,
                   const struct checkpoint *head)
{
    struct directory *fresh = NULL;
    if (head->size <= what->used->size)
        return judge_smaller(what, head);
    fault f = directory_load(what->folder, what->trust, what->authority, node->directory,
                             what->used, clock_wall_ms(), &fresh);
    directory_release(&fresh);
    return f;
}

static void tell(struct node *node, const struct checkpoint *head, const struct disputed *what,
                 bool fork, const char *ours, const char *theirs)
{
    char detail[DETAIL_BYTES];
    text_format(detail, sizeof detail,
                "the log of the directory, %s, signed a head of %llu entries, kept in %s, that %s "
                "the one of %llu entries that was used before, kept in %s",
                head->origin, (unsigned long long)head->size, theirs,
                fork ? "is of another history than" : "was offered after, and goes back behind,",
                (unsigned long long)what->used->size, ours);
    EVENT(ERROR, "directory.conflict_kept", E_TEXT("kind", fork ? "fork" : "rollback"),
          E_TEXT("used", ours), E_TEXT("refused", theirs));
    own_record_keep(node, HEADER_INCIDENT, detail, NULL);
}

static void remind(struct node *node, struct dispute_rate *rate, bool fork)
{
    char detail[DETAIL_BYTES];
    uint64_t heads = dispute_rate_take(rate);
    if (heads == 0)
        return;
    text_format(detail, sizeof detail,
                "since the last record of this kind the log of the directory offered %llu further "
                "signed heads that %s; as far as there is room they are kept in conflicts/",
                (unsigned long long)heads,
                fork ? "are of another history than the one in use" : "go back behind it");
    EVENT(ERROR, "directory.conflicts_since", E_TEXT("kind", fork ? "fork" : "rollback"),
          E_NUMBER("heads", (int64_t)heads));
    own_record_keep(node, HEADER_INCIDENT, detail, NULL);
}

void directory_dispute_remind(struct node *node, struct dispute_rates *rates)
{
    remind(node, &rates->fork, true);
    remind(node, &rates->rollback, false);
}

/* Old heads are many and prove less, and so do those by which a fork grows that was told of: they
 * leave room for others. */
static fault keep_both(struct node *node, const struct disputed *what, struct span note,
                       const struct checkpoint *head, bool fork)
{
    char ours[CONFLICT_NAME_BYTES], theirs[CONFLICT_NAME_BYTES];
    const char *folder = node->config->audit_folder;
    struct dispute_rate *rate = fork ? &what->rates->fork : &what->rates->rollback;
    bool alone = dispute_rate_is_open(rate);
    size_t spare = fork && alone ? 0 : CONFLICTS_A_LOG_MAX / 2;
    OWNED(bytes) own = NULL;
    bool fresh = false;
    TRY(read_note(what->copy, &own));
    TRY(conflicts_keep(folder, head->origin, bytes_span(own), spare, ours, &fresh));
    TRY(conflicts_keep(folder, head->origin, note, spare, theirs, &fresh));
    if (!fresh)
        return DONE;
    if (!alone) {
        dispute_rate_owe(rate);
        return DONE;
    }
    dispute_rate_tell(rate);
    tell(node, head, what, fork, ours, theirs);
    return DONE;
}

void directory_dispute(struct node *node, const struct disputed *what)
{
    struct checkpoint head = {.size = 0};
    OWNED(bytes) note = NULL;
    fault f = read_note(what->folder, &note);
    if (!failed(f))
        f = directory_open_head(node->directory, what->authority, bytes_span(note), &head);
    if (failed(f) && f.code != DIRECTORY_FORKED)
        return;
    if (!failed(f))
        f = judge(node, what, &head);
    if (f.code != DIRECTORY_OLD && f.code != DIRECTORY_FORKED)
        return;
    bool fork = f.code == DIRECTORY_FORKED;
    struct dispute_rate *rate = fork ? &what->rates->fork : &what->rates->rollback;
    f = keep_both(node, what, bytes_span(note), &head, fork);
    if (!failed(f))
        return;
    if (!dispute_rate_is_open(rate))
        return dispute_rate_owe(rate);
    dispute_rate_tell(rate);
    EVENT(ERROR, "directory.conflict_not_kept", E_FAULT(f));
}
