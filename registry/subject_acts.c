// SPDX-License-Identifier: MIT
/* Commands about pseudonyms of persons and what may be kept from their view. */
#include "registry/commands.h"

#include "lib/base/clock.h"
#include "lib/base/day.h"
#include "lib/base/text.h"
#include "registry/subject_keys.h"

#include "directory.pb-c.h"

#define TEXT(which) arguments_text(arguments, ARGUMENT_##which)

static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static fault year_of(const struct arguments *arguments, unsigned *out)
{
    uint64_t year = 0;
    if (failed(text_number(span_of_text(arguments->operand), SUBJECT_YEAR_LAST, &year)) ||
        year < SUBJECT_YEAR_FIRST)
        return RAISE(BAD_REQUEST, "a year is from %d to %d", SUBJECT_YEAR_FIRST, SUBJECT_YEAR_LAST);
    *out = (unsigned)year;
    return DONE;
}

/* The store's own key, or the one that another machine made. */
static fault commitment_of(const struct store *store, const struct arguments *arguments,
                           unsigned year, struct sha256 *out)
{
    const char *given = TEXT(COMMITMENT);
    if (given == NULL && store_is_drafting(store))
        return RAISE(BAD_REQUEST, "--commitment is missing: the key is made on the store's "
                                  "machine, by `subject-key make`, which prints it");
    if (given == NULL)
        return subject_keys_make(store_folder(store), year, out);
    return failed(text_unhex(span_of_text(given), out->at, sizeof out->at))
               ? RAISE(BAD_REQUEST, "--commitment has %d hex digits", 2 * SHA256_BYTES)
               : DONE;
}

fault act_subject_key_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__SubjectKeySet key = CHASKI__SUBJECT_KEY_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    struct sha256 commitment;
    char hex[2 * SHA256_BYTES + 1];
    TRY(year_of(arguments, &key.year));
    if (directory_subject_key(store_state(store), key.year) != NULL)
        return RAISE(REFUSED, "the year %u has its key already", key.year);
    TRY(commitment_of(store, arguments, key.year, &commitment));
    key.commitment = (ProtobufCBinaryData){sizeof commitment.at, commitment.at};
    act.act_case = CHASKI__ACT__ACT_SUBJECT_KEY_SET;
    act.subject_key_set = &key;
    TRY(store_act(store, &act));
    text_hex(sha256_span(&commitment), hex, sizeof hex);
    said_add(said, "pseudonyms of %u are made under the key %s", key.year, hex);
    return DONE;
}

fault act_subject_key_remove(struct store *store, const struct arguments *arguments,
                             struct said *said)
{
    Chaski__SubjectKeyDestroyed key = CHASKI__SUBJECT_KEY_DESTROYED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    TRY(year_of(arguments, &key.year));
    key.reason = lend(TEXT(REASON));
    act.act_case = CHASKI__ACT__ACT_SUBJECT_KEY_DESTROYED;
    act.subject_key_destroyed = &key;
    TRY(store_act(store, &act));
    said_add(said,
             "the key of %u is destroyed, here with the next publication and at each server "
             "when it sees that",
             key.year);
    return DONE;
}

// --- who may seal -------------------------------------------------------------------------------

fault act_sealing_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__SealingSet sealing = CHASKI__SEALING_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    int year = 0, month = 0, day = 0;
    char until[32];
    TRY(day_read(TEXT(UNTIL), &year, &month, &day));
    int64_t until_ms = day_midnight_ms(year, month, day) + STORE_DAY_MS;
    TRY(arguments_number(arguments, ARGUMENT_DAYS, 1, SEALING_DAYS_MAX, 1, &sealing.days_max));
    sealing.id = lend(arguments->operand);
    sealing.consumer = lend(TEXT(CONSUMER));
    sealing.purpose = lend(TEXT(PURPOSE));
    sealing.legal_basis = lend(TEXT(LEGAL_BASIS));
    sealing.until_ms = (uint64_t)until_ms;
    act.act_case = CHASKI__ACT__ACT_SEALING_SET;
    act.sealing_set = &sealing;
    TRY(store_act(store, &act));
    clock_text(until_ms, until, sizeof until);
    said_add(said, "sealing %s: %s may keep exchanges for %s from view for %u days, until %s",
             sealing.id, sealing.consumer, sealing.purpose, sealing.days_max, until);
    return DONE;
}

fault act_sealing_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    removed.what_case = CHASKI__REMOVED__WHAT_SEALING;
    removed.sealing = lend(arguments->operand);
    removed.reason = lend(TEXT(REASON));
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    TRY(store_act(store, &act));
    said_add(said, "sealing %s: removed", arguments->operand);
    return DONE;
}
