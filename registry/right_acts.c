// SPDX-License-Identifier: MIT
/* Commands about who may what: words in, act out. What may be is decided by the fold. */
#include "registry/commands.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/base/day.h"
#include "lib/bus/service_look.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define TEXT(which) arguments_text(arguments, ARGUMENT_##which)

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

#define ACT(KIND, field, message)                                                              \
    store_act(store, &(Chaski__Act){.base = PROTOBUF_C_MESSAGE_INIT(&chaski__act__descriptor), \
                                    .context = lend(NULL),                                     \
                                    .act_case = CHASKI__ACT__ACT_##KIND,                       \
                                    .field = (message)})

static fault remove_it(struct store *store, Chaski__Removed__WhatCase what, const char *noun,
                       const struct arguments *arguments, struct said *said)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    removed.what_case = what;
    removed.member = lend(arguments->operand); /* the others of the union are texts too */
    removed.reason = lend(TEXT(REASON));
    TRY(ACT(REMOVED, removed, &removed));
    said_add(said, "%s %s: removed", noun, arguments->operand);
    return DONE;
}

/* All values of an option; they live as long as the arguments. */
static size_t all_of(const struct arguments *arguments, enum argument which,
                     char *out[ARGUMENT_VALUES_MAX])
{
    for (size_t i = 0; i < arguments->count[which]; i++)
        out[i] = lend(arguments->value[which][i]);
    return arguments->count[which];
}

// --- purposes -----------------------------------------------------------------------------------

fault act_purpose_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__PurposeSet purpose = CHASKI__PURPOSE_SET__INIT;
    char *bases[ARGUMENT_VALUES_MAX];
    purpose.id = lend(arguments->operand);
    purpose.title = lend(TEXT(TITLE));
    purpose.legal_basis = lend(TEXT(LEGAL_BASIS));
    purpose.n_legal_basis_id = all_of(arguments, ARGUMENT_BASIS, bases);
    purpose.legal_basis_id = bases;
    purpose.procedure = lend(TEXT(PROCEDURE));
    purpose.function = lend(TEXT(FUNCTION));
    TRY(ACT(PURPOSE_SET, purpose_set, &purpose));
    said_add(said, "purpose %s: %s", purpose.id, purpose.title);
    return DONE;
}

fault act_purpose_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    return remove_it(store, CHASKI__REMOVED__WHAT_PURPOSE, "purpose", arguments, said);
}

// --- groups and legal bases ---------------------------------------------------------------------

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

fault act_group_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__GroupSet group = CHASKI__GROUP_SET__INIT;
    char *members[ARGUMENT_VALUES_MAX];
    group.id = lend(arguments->operand);
    group.title = lend(TEXT(TITLE));
    group.n_member = all_of(arguments, ARGUMENT_MEMBER, members);
    group.member = members;
    if (group.n_member > 1)
        qsort(members, group.n_member, sizeof members[0], compare_texts);
    TRY(ACT(GROUP_SET, group_set, &group));
    said_add(said, "group %s: %zu members, %s", group.id, group.n_member, group.title);
    return DONE;
}

fault act_group_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    return remove_it(store, CHASKI__REMOVED__WHAT_GROUP, "group", arguments, said);
}

fault act_legal_basis_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__LegalBasisSet basis = CHASKI__LEGAL_BASIS_SET__INIT;
    char *topics[ARGUMENT_VALUES_MAX];
    basis.id = lend(arguments->operand);
    basis.norm = lend(TEXT(NORM));
    basis.article = lend(TEXT(ARTICLE));
    basis.text = lend(TEXT(TEXT));
    basis.n_topic = all_of(arguments, ARGUMENT_TOPIC, topics);
    basis.topic = topics;
    TRY(ACT(LEGAL_BASIS_SET, legal_basis_set, &basis));
    said_add(said, "legal basis %s: %s%s%s", basis.id, basis.norm,
             basis.article[0] == '\0' ? "" : ", ", basis.article);
    return DONE;
}

fault act_legal_basis_remove(struct store *store, const struct arguments *arguments,
                             struct said *said)
{
    return remove_it(store, CHASKI__REMOVED__WHAT_LEGAL_BASIS, "legal basis", arguments, said);
}

// --- days ---------------------------------------------------------------------------------------

/* The end of that day, UTC; at most `years` from now, or any time when it is 0. */
static fault until_of(const struct store *store, const char *text, int years, int64_t *out_ms)
{
    int year = 0, month = 0, day = 0;
    int64_t now_ms = store_time(store);
    TRY(day_read(text, &year, &month, &day));
    int64_t until_ms = day_midnight_ms(year, month, day) + STORE_DAY_MS;
    if (until_ms <= now_ms)
        return RAISE(REFUSED, "%s is over: the end lies in the future", text);
    /* that day so many years earlier is still to come */
    if (years > 0 && day_midnight_ms(year - years, month, day) > now_ms)
        return RAISE(REFUSED, "%s is more than %d months from now: take less, and renew", text,
                     12 * years);
    *out_ms = until_ms;
    return DONE;
}

// --- competences --------------------------------------------------------------------------------

fault act_competence_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__CompetenceSet competence = CHASKI__COMPETENCE_SET__INIT;
    int64_t until_ms = 0;
    if (TEXT(UNTIL) != NULL)
        TRY(until_of(store, TEXT(UNTIL), 0, &until_ms));
    competence.id = lend(arguments->operand);
    competence.consumer = lend(TEXT(CONSUMER));
    competence.purpose = lend(TEXT(PURPOSE));
    competence.legal_basis = lend(TEXT(LEGAL_BASIS));
    competence.until_ms = (uint64_t)until_ms;
    TRY(ACT(COMPETENCE_SET, competence_set, &competence));
    said_add(said, "competence %s: %s may claim %s", competence.id, competence.consumer,
             competence.purpose);
    return DONE;
}

fault act_competence_remove(struct store *store, const struct arguments *arguments,
                            struct said *said)
{
    return remove_it(store, CHASKI__REMOVED__WHAT_COMPETENCE, "competence", arguments, said);
}

// --- restrictions -------------------------------------------------------------------------------

static fault ground_of(const char *word, Chaski__Ground *out)
{
    char all[300] = "";
    *out = (Chaski__Ground)directory_ground_of(word);
    if (*out != CHASKI__GROUND__GROUND_NONE)
        return DONE;
    for (enum directory_ground ground = 1; ground < GROUNDS_END; ground++) {
        size_t used = strlen(all);
        text_format(all + used, sizeof all - used, "%s%s", used == 0 ? "" : ", ",
                    directory_ground_word(ground));
    }
    return RAISE(REFUSED, "--ground is one of: %s", all);
}

/* The beginning of that day; today is now. */
static fault from_of(const struct store *store, const char *text, int64_t *out_ms)
{
    int year = 0, month = 0, day = 0;
    int64_t now_ms = store_time(store);
    TRY(day_read(text, &year, &month, &day));
    int64_t from_ms = day_midnight_ms(year, month, day);
    if (from_ms + STORE_DAY_MS <= now_ms)
        return RAISE(REFUSED, "%s is over: nothing is restricted for the past", text);
    *out_ms = from_ms > now_ms ? from_ms : now_ms;
    return DONE;
}

/* When it has begun: until then requests may go on as they are. */
static void look_at_restricted(const struct store *store, const char *id, int64_t from_ms,
                               struct said *said)
{
    char look[SERVICE_LOOK_ROOM];
    const struct directory_service *service =
        directory_service(store_state(store), span_of_text(id));
    if (service != NULL &&
        service_look(store_state(store), id, service->subject_required, from_ms, look))
        said_look(said, look);
}

fault act_restriction_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__RestrictionSet restriction = CHASKI__RESTRICTION_SET__INIT;
    int64_t from_ms = store_time(store), until_ms = 0;
    char until[32], *endpoints[ARGUMENT_VALUES_MAX], *columns[ARGUMENT_VALUES_MAX];
    if (TEXT(FROM) != NULL)
        TRY(from_of(store, TEXT(FROM), &from_ms));
    TRY(until_of(store, TEXT(UNTIL), 1, &until_ms));
    TRY(ground_of(TEXT(GROUND), &restriction.ground));
    restriction.id = lend(arguments->operand);
    restriction.service = lend(TEXT(SERVICE));
    restriction.consumer = lend(TEXT(CONSUMER));
    restriction.by_law = TEXT(BY_LAW) != NULL;
    restriction.reason = lend(TEXT(REASON));
    restriction.approver = lend(TEXT(APPROVER));
    restriction.from_ms = (uint64_t)from_ms;
    restriction.until_ms = (uint64_t)until_ms;
    restriction.n_endpoint = all_of(arguments, ARGUMENT_ENDPOINT, endpoints);
    restriction.endpoint = endpoints;
    restriction.n_column = all_of(arguments, ARGUMENT_COLUMN, columns);
    restriction.column = columns;
    TRY(ACT(RESTRICTION_SET, restriction_set, &restriction));
    clock_text(until_ms, until, sizeof until);
    said_add(said, "restriction %s: %s needs a grant for %s until %s (%s)", restriction.id,
             restriction.consumer[0] == '\0' ? "everybody" : restriction.consumer,
             restriction.service, until, TEXT(GROUND));
    look_at_restricted(store, restriction.service, from_ms, said);
    return DONE;
}

fault act_restriction_remove(struct store *store, const struct arguments *arguments,
                             struct said *said)
{
    return remove_it(store, CHASKI__REMOVED__WHAT_RESTRICTION, "restriction", arguments, said);
}

// --- grants -------------------------------------------------------------------------------------

fault act_grant_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__GrantSet grant = CHASKI__GRANT_SET__INIT;
    int64_t until_ms = 0;
    char until[32], *purposes[ARGUMENT_VALUES_MAX], *endpoints[ARGUMENT_VALUES_MAX],
        *columns[ARGUMENT_VALUES_MAX];
    TRY(until_of(store, TEXT(UNTIL), 2, &until_ms));
    grant.id = lend(arguments->operand);
    grant.service = lend(TEXT(SERVICE));
    grant.consumer = lend(TEXT(CONSUMER));
    grant.n_purpose = all_of(arguments, ARGUMENT_PURPOSE, purposes);
    grant.purpose = purposes;
    grant.n_endpoint = all_of(arguments, ARGUMENT_ENDPOINT, endpoints);
    grant.endpoint = endpoints;
    grant.n_column = all_of(arguments, ARGUMENT_COLUMN, columns);
    grant.column = columns;
    grant.legal_basis = lend(TEXT(LEGAL_BASIS));
    grant.until_ms = (uint64_t)until_ms;
    grant.request = lend(TEXT(REQUEST));
    unsigned volume = 0;
    TRY(arguments_number(arguments, ARGUMENT_VOLUME, 0, GRANT_VOLUME_MAX, 0, &volume));
    grant.volume_a_day = volume;
    TRY(ACT(GRANT_SET, grant_set, &grant));
    clock_text(until_ms, until, sizeof until);
    said_add(said, "grant %s: %s may use %s until %s", grant.id, grant.consumer, grant.service,
             until);
    return DONE;
}

fault act_grant_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    return remove_it(store, CHASKI__REMOVED__WHAT_GRANT, "grant", arguments, said);
}
