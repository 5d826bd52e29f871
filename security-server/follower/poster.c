// SPDX-License-Identifier: MIT
#include "security-server/follower/poster.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 512
#define LINE_BYTES_MAX 4096

const struct poster_mail poster_cosignature = {"cosignature", "/directory/cosignature", NULL,
                                               LINE_BYTES_MAX};
const struct poster_mail poster_renewal = {"renewal", "/member/v1/renewals", "renewal",
                                           RENEWAL_ANSWER_BYTES_MAX};
const struct poster_mail poster_act = {"act", "/member/v1/acts", NULL, 2 * RENEWAL_ACT_BYTES_MAX};

struct poster {
    struct fetcher *fetcher;
    const struct anchor_file *anchor;
    const struct poster_mail *mail;
    char path[PATH_BYTES], answer[PATH_BYTES];
    struct timespec stamp; /* of the file that was read last */
    struct bytes *line;    /* to be handed over; NULL: none */
    size_t at;             /* the address that is asked */
    unsigned tries;
    bool running;
    int64_t again_ms; /* steady */
};

struct poster *poster_new(struct fetcher *fetcher, const char *audit_folder,
                          const struct anchor_file *anchor, const struct poster_mail *mail)
{
    struct poster *self = owned_new(sizeof *self);
    self->fetcher = fetcher;
    self->anchor = anchor;
    text_format(self->path, sizeof self->path, "%s/directory/%s", audit_folder, mail->file);
    text_format(self->answer, sizeof self->answer, "%s/followed/%s", audit_folder,
                mail->answer == NULL ? "" : mail->answer);
    self->mail = mail;
    return self;
}

void poster_free(struct poster **self)
{
    if (*self == NULL)
        return;
    fetcher_drop((*self)->fetcher, *self);
    bytes_free(&(*self)->line);
    free(*self);
    *self = NULL;
}

/* The next address at once; after the last one, all of them a little later. */
static void try_next(struct poster *self, fault f)
{
    self->at = (self->at + 1) % self->anchor->addresses;
    if (self->at != 0)
        return;
    self->again_ms = clock_steady_ms() + (FOLLOW_ASK_MS << self->tries);
    if (++self->tries < FOLLOW_POST_TRIES_MAX)
        return;
    EVENT(WARN, "follow.mail_not_taken", E_TEXT("what", self->mail->file),
          E_NUMBER("tries", self->tries), E_FAULT(f));
    bytes_free(&self->line);
}

static void on_answer(void *owner, fault f, struct span body)
{
    struct poster *self = owner;
    self->running = false;
    if (!failed(f) && self->mail->answer != NULL)
        f = file_replace(self->answer, body, 0644);
    if (failed(f)) {
        try_next(self, f);
        return;
    }
    EVENT(DEBUG, "follow.mail_taken", E_TEXT("what", self->mail->file),
          E_TEXT("address", self->anchor->address[self->at]));
    bytes_free(&self->line);
}

static void read_line(struct poster *self)
{
    struct stat st;
    OWNED(bytes) line = NULL;
    if (stat(self->path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return;
    self->stamp = st.st_mtim;
    if (failed(file_read(self->path, self->mail->bytes_max, &line)))
        return;
    bytes_free(&self->line);
    self->line = TAKE(line);
    self->at = 0;
    self->tries = 0;
    self->again_ms = 0;
}

void poster_look(struct poster *self)
{
    char url[ANCHOR_URL_BYTES_MAX + 40];
    if (self->running)
        return;
    read_line(self);
    if (self->line == NULL || clock_steady_ms() < self->again_ms)
        return;
    struct span body = bytes_span(self->line);
    text_format(url, sizeof url, "%s%s", self->anchor->address[self->at], self->mail->place);
    struct fetch what = {.url = url,
                         .post = &body,
                         .bytes_max = self->mail->bytes_max,
                         .wait_ms = FOLLOW_ASK_MS,
                         .done = on_answer,
                         .owner = self};
    fault f = fetcher_begin(self->fetcher, &what);
    self->running = !failed(f);
    if (failed(f))
        try_next(self, f);
}
