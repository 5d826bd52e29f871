// SPDX-License-Identifier: MIT
#include "registry/status/ask.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "registry/status/fetch.h"
#include "registry/status_book.h"
#include "registry/store.h"

#include <stdlib.h>
#include <unistd.h>

#define OCSP_TYPE "Content-Type: application/ocsp-request"

/* One authority in this round. */
struct source {
    const struct directory_authority *authority;
    unsigned failures; /* of OCSP, in a row */
    bool crl_asked;
    struct bytes *crl; /* NULL: it did not come */
    char crl_problem[160];
};

struct round {
    int lock;
    struct status_book *book;
    struct fetcher *fetcher;
    struct status_counts *counts;
    int64_t end_ms; /* steady */
    size_t sources;
    struct source source[DIRECTORY_AUTHORITIES_MAX];
};

static void round_free(struct round **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->sources; i++)
        bytes_free(&(*self)->source[i].crl);
    status_book_free(&(*self)->book);
    fetcher_free(&(*self)->fetcher);
    if ((*self)->lock >= 0)
        close((*self)->lock);
    free(*self);
    *self = NULL;
}

/* An answer that was checked. */
struct found {
    enum status_form form;
    struct bytes *answer; /* lent or owned, as its maker says */
    struct status status;
};

// --- two ways of asking -------------------------------------------------------------------------

static fault by_ocsp(struct round *self, struct source *from, const struct directory_signer *signer,
                     struct bytes **answer, struct status *status)
{
    OWNED(bytes) request = NULL;
    OWNED(bytes) got = NULL;
    const char *url = from->authority->ocsp_url;
    if (url[0] == '\0')
        return RAISE(NOT_FOUND, "no address for OCSP");
    if (from->failures >= STATUS_FAILURES_MAX)
        return RAISE(PEER_UNREACHABLE, "its responder failed %u times in a row", from->failures);
    TRY(status_request(from->authority->issuer, signer->certificate, &request));
    from->failures++;
    TRY(fetcher_ask(self->fetcher, url, OCSP_TYPE, bytes_span(request), STATUS_OCSP_BYTES_MAX,
                    &got));
    TRY(status_read(STATUS_OCSP, bytes_span(got), from->authority->issuer, signer->certificate,
                    clock_wall_ms(), status));
    from->failures = 0;
    *answer = TAKE(got);
    return DONE;
}

static fault fetch_crl(struct round *self, struct source *from)
{
    const char *url = from->authority->crl_url;
    if (!from->crl_asked && url[0] != '\0') {
        from->crl_asked = true;
        if (failed(fetcher_ask(self->fetcher, url, NULL, span_of(NULL, 0), STATUS_CRL_BYTES_MAX,
                               &from->crl)))
            text_format(from->crl_problem, sizeof from->crl_problem, "%.150s", fault_detail());
    }
    if (url[0] == '\0')
        return RAISE(NOT_FOUND, "no address of a CRL");
    return from->crl != NULL ? DONE : RAISE(PEER_UNREACHABLE, "%s", from->crl_problem);
}

static fault by_crl(struct round *self, struct source *from, const struct directory_signer *signer,
                    struct bytes **answer, struct status *status)
{
    TRY(fetch_crl(self, from));
    TRY(status_read(STATUS_CRL, bytes_span(from->crl), from->authority->issuer, signer->certificate,
                    clock_wall_ms(), status));
    return bytes_copy(bytes_span(from->crl), answer);
}

/* What OCSP does not know a CRL may know. */
static fault ask(struct round *self, struct source *from, const struct directory_signer *signer,
                 struct found *out)
{
    char first[160];
    OWNED(bytes) listed = NULL;
    struct status status;
    out->form = STATUS_OCSP;
    fault f = by_ocsp(self, from, signer, &out->answer, &out->status);
    bool known = !failed(f) && out->status.verdict != STATUS_UNKNOWN;
    text_format(first, sizeof first, "%.150s", failed(f) ? fault_detail() : "it is not known");
    if (known)
        return DONE;
    fault listed_well = by_crl(self, from, signer, &listed, &status);
    if (failed(listed_well))
        return failed(f) ? RAISE(f.code, "OCSP: %s; CRL: %.150s", first, fault_detail()) : DONE;
    if (!failed(f) && status.verdict == STATUS_GOOD)
        return DONE; /* good by the list, and unknown to the responder: the worse counts */
    bytes_free(&out->answer);
    *out = (struct found){STATUS_CRL, TAKE(listed), status};
    return DONE;
}

// --- what comes of it ---------------------------------------------------------------------------

static int64_t seconds_since(int64_t ms)
{
    return ms == 0 ? -1 : (clock_wall_ms() - ms) / 1000;
}

static void say_unanswered(const struct status_note *note, const struct directory_signer *signer,
                           fault f)
{
    EVENT(WARN, "status.unanswered", E_TEXT("authority", signer->authority->name),
          E_TEXT("server", signer->server->id), E_TEXT("certificate", note->sha256),
          E_NUMBER("last_good_s", seconds_since(note->answered_ms)), E_FAULT(f));
    if (note->until_ms != 0 && note->until_ms <= clock_wall_ms())
        EVENT(ERROR, "status.aged", E_TEXT("authority", signer->authority->name),
              E_TEXT("server", signer->server->id), E_TEXT("certificate", note->sha256),
              E_NUMBER("over_s", seconds_since(note->until_ms)),
              E_TEXT("what_to_do", "ask the authority; until it answers nobody knows of a "
                                   "revocation there"));
}

static fault take(struct round *self, struct status_note *note,
                  const struct directory_signer *signer, const struct found *found)
{
    struct span answer = bytes_span(found->answer);
    struct sha256 issuer = issuer_hash(signer->authority->issuer);
    TRY(status_book_take(self->book, note, &issuer, found->form, answer, &found->status,
                         clock_wall_ms()));
    if (found->status.verdict == STATUS_GOOD)
        self->counts->good++;
    if (found->status.verdict == STATUS_UNKNOWN) {
        self->counts->unknown++;
        EVENT(WARN, "status.unknown", E_TEXT("authority", signer->authority->name),
              E_TEXT("server", signer->server->id), E_TEXT("certificate", note->sha256),
              E_TEXT("what_to_do", "ask the authority whether it issued it"));
    }
    if (found->status.verdict != STATUS_REVOKED)
        return DONE;
    self->counts->revoked++;
    EVENT(WARN, "status.revoked", E_TEXT("authority", signer->authority->name),
          E_TEXT("server", signer->server->id), E_TEXT("certificate", note->sha256),
          E_TEXT("reason", found->status.reason));
    return status_book_put_proof(self->book, note, found->form, answer);
}

static fault ask_one(struct round *self, struct source *from, const struct directory_signer *signer)
{
    struct sha256 hash = certificate_hash(signer->certificate);
    struct status_note *note = status_book_note(self->book, &hash);
    struct found found = {.answer = NULL};
    self->counts->asked++;
    note->asked_ms = clock_wall_ms();
    fault f = clock_steady_ms() < self->end_ms
                  ? ask(self, from, signer, &found)
                  : RAISE(PEER_UNREACHABLE, "there was no time left for it in this round");
    if (failed(f)) {
        self->counts->unanswered++;
        text_format(note->problem, sizeof note->problem, "%.250s", fault_detail());
        say_unanswered(note, signer, f);
        return DONE;
    }
    f = take(self, note, signer, &found);
    bytes_free(&found.answer);
    return f;
}

// --- whom ---------------------------------------------------------------------------------------

static struct source *source_of(struct round *self, const struct directory_authority *authority)
{
    for (size_t i = 0; i < self->sources; i++)
        if (self->source[i].authority == authority)
            return &self->source[i];
    return NULL;
}

static bool is_to_be_asked(const struct directory_signer *signer)
{
    return !signer->authority->is_own && signer->revoked_since_ms == 0 &&
           certificate_not_after_ms(signer->certificate) > clock_wall_ms();
}

static fault ask_all(struct round *self, const struct directory *state)
{
    size_t step = 0;
    for (const struct directory_server *at; (at = directory_next_server(state, &step)) != NULL;)
        for (size_t i = 0; i < at->signers; i++) {
            struct source *from = source_of(self, at->signer[i]->authority);
            if (from != NULL && is_to_be_asked(at->signer[i]))
                TRY(ask_one(self, from, at->signer[i]));
        }
    return DONE;
}

/* A second round would write the same files. */
static fault lock(struct round *self, const char *store)
{
    char path[STORE_PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/statuses", store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(file_make_folders(path, 0755));
    text_format(path + strlen(path), sizeof path - strlen(path), "/lock");
    fault f = file_lock(path, &self->lock);
    return f.code == REFUSED ? RAISE(REFUSED, "statuses of %s are being asked for already", store)
                             : f;
}

fault status_ask(const char *store, const struct directory *state, struct status_counts *counts)
{
    OWNED(round) self = owned_new(sizeof *self);
    const struct directory_authority *const *authority = NULL;
    *counts = (struct status_counts){0};
    self->lock = -1;
    TRY(lock(self, store));
    TRY(status_book_open(store, &self->book));
    TRY(fetcher_new(&self->fetcher));
    self->counts = counts;
    self->end_ms = clock_steady_ms() + STATUS_ROUND_MS;
    self->sources = directory_authorities(state, &authority);
    for (size_t i = 0; i < self->sources; i++)
        self->source[i].authority = authority[i];
    fault f = ask_all(self, state);
    TRY(status_book_save(self->book)); /* also what came before the disk was full */
    return f;
}
