// SPDX-License-Identifier: MIT
#include "security-server/keys/subject_ring.h"

#define MINUTE_MS 60000

static size_t place_of(const struct subject_ring *self, unsigned year)
{
    size_t at = 0;
    while (at < self->count && self->held[at].year != year)
        at++;
    return at;
}

fault subject_ring_take(struct subject_ring *self, const struct subject_key_blob *blob,
                        const char *server, const struct sha256 *commitment,
                        struct keypair *receiver)
{
    size_t at = place_of(self, blob->year);
    if (at == SUBJECT_KEYS_MAX)
        return RAISE(OVERLOADED, "keys of %d years are held", SUBJECT_KEYS_MAX);
    uint8_t key[PSEUDONYM_KEY_BYTES];
    TRY(subject_key_open(blob, server, commitment, receiver, key));
    memcpy(self->held[at].key, key, sizeof key);
    seal_wipe(key, sizeof key);
    self->held[at].year = blob->year;
    self->count += at == self->count;
    return DONE;
}

void subject_ring_forget(struct subject_ring *self, unsigned year)
{
    size_t at = place_of(self, year);
    if (at == self->count)
        return;
    self->held[at] = self->held[--self->count];
    seal_wipe(&self->held[self->count], sizeof self->held[0]);
}

/* A bucket that holds a minute's share, and begins with a second's: a process that is started again
 * and again gives nobody more. */
static bool may_make(struct subject_ring *self, int64_t now_ms)
{
    int64_t a_minute = self->a_minute == 0 ? SUBJECTS_A_MINUTE_DEFAULT : self->a_minute;
    int64_t most = a_minute * MINUTE_MS;
    if (!self->begun) {
        self->begun = true;
        self->left = most / 60 < MINUTE_MS ? MINUTE_MS : most / 60;
        self->left_ms = now_ms;
    }
    int64_t passed_ms = now_ms - self->left_ms;
    self->left_ms = now_ms;
    self->left = passed_ms >= MINUTE_MS ? most : self->left + passed_ms * a_minute;
    self->left = self->left > most ? most : self->left;
    if (self->left < MINUTE_MS)
        return false;
    self->left -= MINUTE_MS;
    return true;
}

static bool was_made(const struct subject_ring *self, const struct sha256 *pseudonym)
{
    for (size_t i = 0; i < SUBJECTS_REMEMBERED; i++)
        if (sha256_equal(&self->made[i], pseudonym))
            return true;
    return false;
}

fault subject_ring_make(struct subject_ring *self, unsigned year, const char *document,
                        int64_t now_ms, struct sha256 *out)
{
    char again[PSEUDONYM_TEXT_ROOM];
    size_t at = place_of(self, year);
    if (at == self->count)
        return RAISE(SUBJECT_KEY_MISSING, "the key of %u is not here", year);
    fault f = pseudonym_normalise(span_of_text(document), again);
    bool same = !failed(f) && strcmp(document, again) == 0;
    seal_wipe(again, sizeof again);
    if (!same)
        return RAISE(BAD_FRAME, "a document that is not in its one form");
    struct sha256 made = pseudonym_make(self->held[at].key, document);
    if (!was_made(self, &made)) {
        if (!may_make(self, now_ms))
            return RAISE(SUBJECT_RATE, "more than the server's share of a minute");
        self->made[self->next++ % SUBJECTS_REMEMBERED] = made;
    }
    *out = made;
    return DONE;
}

void subject_ring_clear(struct subject_ring *self)
{
    seal_wipe(self->held, sizeof self->held);
    seal_wipe(self->made, sizeof self->made);
    self->count = 0;
}
