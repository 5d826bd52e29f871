// SPDX-License-Identifier: MIT
/* What others confirmed of a log: checkpoints with their cosignatures, time stamps. */
#include "tools/audit/verify.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/stamp.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 640

static const char derived[] = "The segments say otherwise, and they are what was signed; whoever "
                              "reads the files from a share "
                              "is misled.";

struct confirming {
    struct verify *verify;
    struct log *log;
};

static void path_in(const struct log *log, const char *name, char out[PATH_BYTES])
{
    audit_log_path(log->view->folder, log->view->epoch, name, out, PATH_BYTES);
}

// --- checkpoints and cosignatures ---------------------------------------------------------------

static bool root_fits(struct verify *self, struct log *log, const struct checkpoint *head,
                      const char *name)
{
    if (verify_beyond(log, head->size, name))
        return false;
    if (head->size > log->count)
        FIND(self, log, REPORT_WHOLE, "checkpoint", "The end of the log is missing.",
             "%s covers %" PRIu64 " entries, the log has %" PRIu64, name, head->size, log->count);
    else if (!verify_root_is(log, head->size, &head->root))
        FIND(self, log, REPORT_WHOLE, "checkpoint", "An entry was altered, removed or moved.",
             "%s has another root than the first %" PRIu64 " entries", name, head->size);
    else
        return true;
    return false;
}

/* Lines of a known witness must be good; how many of them are. */
static unsigned check_cosignatures(struct verify *self, struct log *log, struct span note,
                                   const char *name)
{
    const struct directory_server *server =
        directory_server(self->judge, span_of_text(log->view->server));
    unsigned good = 0;
    for (size_t i = 0; server != NULL && i < server->witnesses; i++) {
        const struct note_key *key = directory_witness_key(self->judge, &server->witness[i]);
        struct checkpoint said;
        uint64_t time_s = 0;
        if (key == NULL || note.size == 0 ||
            memmem(note.at, note.size, key->name, strlen(key->name)) == NULL)
            continue;
        if (!failed(cosignature_open(note, key, &said, &time_s)))
            good++;
        else
            FIND(self, log, REPORT_WHOLE, "cosignature",
                 "Somebody put a witness's name under what it did not sign.",
                 "%s: the line of %s does not verify", name, key->name);
    }
    return good;
}

/* The directory's word makes a quorum. */
static unsigned quorum_of(const struct verify *self, const struct log *log)
{
    const struct directory_server *server =
        directory_server(self->judge, span_of_text(log->view->server));
    return server == NULL ? 0 : server->quorum;
}

static void take_cosigned(struct verify *self, struct log *log, struct span note,
                          const struct checkpoint *head, const char *name, struct confirmed *out)
{
    out->good = check_cosignatures(self, log, note, name);
    out->quorum = quorum_of(self, log);
    if (out->quorum > 0 && out->good >= out->quorum && head->size > log->quorate)
        log->quorate = head->size;
}

/* False: nothing can be built on it. */
static bool take_note(struct verify *self, struct log *log, const char *name, struct bytes **note,
                      struct checkpoint *head)
{
    char path[PATH_BYTES];
    path_in(log, name, path);
    if (failed(file_read(path, NOTE_BYTES_MAX, note)) ||
        failed(checkpoint_open(bytes_span(*note), &log->view->log_key, head))) {
        FIND(self, log, REPORT_WHOLE, "checkpoint", "The head of the log cannot be relied on.",
             "%s is not signed by the log's key", name);
        return false;
    }
    verify_note_signed(log, name, head);
    return root_fits(self, log, head, name);
}

// --- time stamps --------------------------------------------------------------------------------

static void check_stamp(struct verify *self, struct log *log, const char *name, struct span note,
                        struct confirmed *out)
{
    char path[PATH_BYTES], part[96];
    OWNED(bytes) token = NULL;
    text_format(part, sizeof part, "%s.tst", name);
    path_in(log, part, path);
    fault f = file_read(path, STAMP_RESPONSE_BYTES_MAX, &token);
    if (f.code == NOT_FOUND)
        return;
    out->token = true;
    if (!failed(f))
        out->token_hash = SHA256_OF(bytes_span(token));
    struct sha256 digest = SHA256_OF(note);
    if (!failed(f))
        f = stamp_check(bytes_span(token), &digest, log->view->trust, clock_wall_ms(),
                        &out->stamp_ms);
    if (!failed(f))
        out->ended = failed(
            stamp_check_certificate(bytes_span(token), &digest, log->view->trust, clock_wall_ms()));
    else if (f.code == CERTIFICATE_BAD &&
             !failed(stamp_check_alone(bytes_span(token), &digest, &out->alone_ms)))
        out->stamp_ms = 0; /* check_renewal judges */
    else {
        out->stamp_ms = 0;
        FIND(self, log, REPORT_WHOLE, "time stamp",
             "Nothing says that the log was that long at that time.", "%s: %s: %s", part,
             fault_sentence(f.code), fault_detail());
    }
}

/* The newest stamp that an anchor vouches for covers all before it: what it covers may have been
 * stamped by an authority whose certificate has ended, or that is trusted no more. */
static void check_renewal(struct confirming *self)
{
    const struct confirmed *newest = NULL;
    unsigned covered = 0;
    for (size_t i = 0; i < self->log->confirmations; i++)
        if (self->log->confirmed[i].stamp_ms != 0)
            newest = &self->log->confirmed[i];
    for (size_t i = 0; i < self->log->confirmations; i++) {
        if (self->log->confirmed[i].alone_ms == 0)
            continue;
        if (newest != NULL && newest->size > self->log->confirmed[i].size)
            covered++;
        else
            FIND(self->verify, self->log, REPORT_WHOLE, "time stamp",
                 "Nothing says that the log was that long at that time.",
                 "cp/%" PRIu64 ".tst is of an authority that is not trusted, and no stamp of one "
                 "that is covers it",
                 self->log->confirmed[i].size);
    }
    if (covered > 0)
        REMARK(self->verify, self->log,
               "%u time stamp%s of an authority that is not trusted count%s for nothing; that of "
               "%" PRIu64 " entries covers what they stood for",
               covered, covered == 1 ? "" : "s", covered == 1 ? "s" : "", newest->size);
    if (newest != NULL && newest->ended)
        REMARK(self->verify, self->log,
               "the certificate under the newest time stamp (%" PRIu64
               " entries) has ended: without a newer stamp nobody can tell it from a forgery for "
               "ever",
               newest->size);
}

int verify_by_size(const void *a, const void *b)
{
    uint64_t x = ((const struct confirmed *)a)->size, y = ((const struct confirmed *)b)->size;
    return x < y ? -1 : x > y;
}

static void take_history(struct confirming *self, const char *name)
{
    struct confirmed one = {.size = 0};
    struct checkpoint head;
    OWNED(bytes) note = NULL;
    char part[64];
    text_format(part, sizeof part, "cp/%s", name);
    if (failed(text_number(span_of_text(name), UINT64_MAX, &one.size)))
        return; /* a token, which is looked at with its checkpoint */
    if (!take_note(self->verify, self->log, part, &note, &head))
        return;
    if (head.size != one.size)
        FIND(self->verify, self->log, REPORT_WHOLE, "checkpoint", derived,
             "%s holds the checkpoint of %" PRIu64 " entries", part, head.size);
    take_cosigned(self->verify, self->log, bytes_span(note), &head, part, &one);
    check_stamp(self->verify, self->log, part, bytes_span(note), &one);
    struct log *log = self->log;
    log->confirmed = owned_grow(log->confirmed, log->confirmations + 1, sizeof *log->confirmed);
    log->confirmed[log->confirmations++] = one;
}

static void check_history(struct confirming *self)
{
    char path[PATH_BYTES];
    path_in(self->log, "cp", path);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            take_history(self, entry->d_name);
    closedir(dir);
    if (self->log->confirmations > 0)
        qsort(self->log->confirmed, self->log->confirmations, sizeof *self->log->confirmed,
              verify_by_size);
    int64_t last_ms = 0;
    for (size_t i = 0; i < self->log->confirmations; i++) {
        if (self->log->confirmed[i].stamp_ms == 0)
            continue;
        if (self->log->confirmed[i].stamp_ms + STAMP_ACCURACY_S * 1000 < last_ms)
            FIND(self->verify, self->log, REPORT_WHOLE, "time stamp",
                 "A longer log was stamped before a shorter one: one of the stamps lies.",
                 "cp/%" PRIu64 ".tst is older than the stamp of a shorter log",
                 self->log->confirmed[i].size);
        last_ms = self->log->confirmed[i].stamp_ms;
    }
    check_renewal(self);
}

// --- heads beside the history -------------------------------------------------------------------

/* The published one, and what witnesses signed last. */
static void check_head(struct confirming *self, const char *name)
{
    OWNED(bytes) note = NULL;
    struct confirmed one = {.size = 0};
    struct checkpoint head = {.size = 0};
    char path[PATH_BYTES];
    path_in(self->log, name, path);
    if (access(path, F_OK) == 0 && take_note(self->verify, self->log, name, &note, &head))
        take_cosigned(self->verify, self->log, bytes_span(note), &head, name, &one);
}

static void check_published(struct confirming *self)
{
    struct checkpoint head = {.size = 0};
    OWNED(bytes) note = NULL;
    struct confirmed one = {.size = 0};
    char path[PATH_BYTES];
    path_in(self->log, "checkpoint", path);
    if (access(path, F_OK) != 0) {
        REMARK(self->verify, self->log,
               "no tiles: the static form of this log was not copied, or not made yet");
        return;
    }
    if (!take_note(self->verify, self->log, "checkpoint", &note, &head))
        return;
    verify_tiles(self->verify, self->log, head.size);
    take_cosigned(self->verify, self->log, bytes_span(note), &head, "checkpoint", &one);
}

void verify_confirm(struct verify *self, struct log *log)
{
    struct confirming confirming = {.verify = self, .log = log};
    if (log->count == 0)
        return;
    check_published(&confirming);
    check_head(&confirming, "cosigned");
    check_head(&confirming, "outside");
    check_history(&confirming);
    verify_times(self, log);
    verify_cover(self, log);
}
