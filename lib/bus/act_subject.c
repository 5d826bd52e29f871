// SPDX-License-Identifier: MIT
/* What the view of a person rests on: keys of pseudonyms, and who may seal. */
#include "lib/bus/directory_acts.h"

#include "lib/base/text.h"
#include "lib/bus/consumer.h"
#include "lib/bus/pseudonym.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

// --- keys of pseudonyms -------------------------------------------------------------------------

static size_t keys_in_force(const struct directory *self)
{
    size_t count = 0, step = 0;
    for (const struct directory_subject_key *at;
         (at = map_next(&self->subject_keys, &step, NULL)) != NULL;)
        count += !at->destroyed;
    return count;
}

fault act_subject_key_apply(struct directory *self, const Chaski__SubjectKeySet *act)
{
    static const uint8_t none[SHA256_BYTES];
    char id[16];
    if (act->year < SUBJECT_YEAR_FIRST || act->year > SUBJECT_YEAR_LAST)
        return BAD("a key of pseudonyms for the year %u", act->year);
    if (act->commitment.len != SHA256_BYTES || memcmp(act->commitment.data, none, sizeof none) == 0)
        return BAD("the key of pseudonyms of %u without its commitment", act->year);
    if (directory_subject_key(self, act->year) != NULL)
        return BAD("the year %u has its key of pseudonyms already", act->year);
    if (keys_in_force(self) == SUBJECT_KEYS_MAX)
        return BAD("more than %d keys of pseudonyms: destroy those of years that are over",
                   SUBJECT_KEYS_MAX);
    text_format(id, sizeof id, "%u", act->year);
    struct directory_subject_key *key = directory_make(self, sizeof *key);
    key->id = directory_keep_text(self, id);
    key->year = act->year;
    memcpy(key->commitment.at, act->commitment.data, SHA256_BYTES);
    map_set(&self->subject_keys, span_of_text(key->id), key);
    return DONE;
}

fault act_subject_key_destroy(struct directory *self, const Chaski__SubjectKeyDestroyed *act)
{
    char id[16];
    text_format(id, sizeof id, "%u", act->year);
    struct directory_subject_key *key = directory_find(&self->subject_keys, id);
    TRY(act_word("why a key of pseudonyms is destroyed", act->reason));
    if (key == NULL || key->destroyed)
        return BAD("the year %u has no key of pseudonyms that could be destroyed", act->year);
    if (act->year >= pseudonym_year(self->last_ms) ||
        (act->year + 1 == pseudonym_year(self->last_ms) && pseudonym_overlaps(self->last_ms)))
        return BAD("the key of pseudonyms of %u is in use", act->year);
    key->destroyed = true;
    return DONE;
}

// --- who may seal -------------------------------------------------------------------------------

static fault check_sealing(const struct directory *self, const Chaski__SealingSet *act)
{
    TRY(act_code("a sealing", act->id));
    TRY(consumer_check(self, "a sealing of", act->consumer));
    TRY(act_word("the sealing's legal basis", act->legal_basis));
    TRY(act_time("the sealing's end", act->until_ms));
    if (directory_find(&self->purposes, act->purpose) == NULL)
        return BAD("sealing %s for a purpose that is not registered", act->id);
    if (act->days_max == 0 || act->days_max > SEALING_DAYS_MAX)
        return BAD("sealing %s keeps exchanges from view for 1 to %d days", act->id,
                   SEALING_DAYS_MAX);
    if ((int64_t)act->until_ms <= self->last_ms ||
        (int64_t)act->until_ms - self->last_ms > DIRECTORY_GRANT_MS_MAX)
        return BAD("sealing %s must end after now and within 24 months", act->id);
    return DONE;
}

fault act_sealing_apply(struct directory *self, const Chaski__SealingSet *act)
{
    TRY(check_sealing(self, act));
    act_sealing_drop(self, act->id);
    struct directory_sealing *sealing = directory_make(self, sizeof *sealing);
    sealing->id = directory_keep_text(self, act->id);
    sealing->consumer = directory_keep_text(self, act->consumer);
    sealing->purpose = directory_keep_text(self, act->purpose);
    sealing->legal_basis = directory_keep_text(self, act->legal_basis);
    sealing->days_max = act->days_max;
    sealing->until_ms = (int64_t)act->until_ms;
    map_set(&self->sealings, span_of_text(sealing->id), sealing);
    rights_put(&self->sealing_of, span_of_text(sealing->purpose), span_of_text(sealing->consumer),
               (struct right){sealing->id, sealing->until_ms, sealing});
    return DONE;
}

bool act_sealing_drop(struct directory *self, const char *id)
{
    const struct directory_sealing *old = map_remove(&self->sealings, span_of_text(id));
    if (old != NULL)
        rights_take(&self->sealing_of, span_of_text(old->purpose), span_of_text(old->consumer), id);
    return old != NULL;
}
