// SPDX-License-Identifier: MIT
/*
 * directory_act - acts of the authority that no command makes: the directory's own witnesses
 * without asking anybody, and a restriction that ends in so many milliseconds. And what nobody
 * makes who is honest, with the authority's keys and no operator's: it vouches in FOLDER for the
 * state of another store, or for COUNT acts that no operator approved, each with a member
 * CO/GOV/666<n>. The store is of no further use then. For tests.
 *
 *   directory_act witnesses STORE QUORUM SERVER...
 *   directory_act restrict STORE ID SERVICE CONSUMER MS
 *   directory_act snapshot STORE EVIL_STORE FOLDER
 *   directory_act unapproved STORE COUNT FOLDER
 */
#include "registry/commands.h"
#include "registry/store.h"

#include "lib/bus/directory_private.h"
#include "lib/bus/directory_snapshot.h"

#include "directory.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

static fault set_witnesses(const char *folder, unsigned quorum, char **servers, size_t count)
{
    OWNED(store) store = NULL;
    Chaski__DirectoryWitnessesSet set = CHASKI__DIRECTORY_WITNESSES_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    TRY(store_open(folder, &store));
    set.server = servers;
    set.n_server = count;
    set.quorum = quorum;
    act.act_case = CHASKI__ACT__ACT_DIRECTORY_WITNESSES_SET;
    act.directory_witnesses_set = &set;
    TRY(store_act(store, &act));
    return store_commit(store);
}

static fault restrict_for(const char *folder, char *const *words)
{
    OWNED(store) store = NULL;
    Chaski__RestrictionSet set = CHASKI__RESTRICTION_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char text[] = "Prueba";
    TRY(store_open(folder, &store));
    set.id = words[0];
    set.service = words[1];
    set.consumer = words[2];
    set.ground = CHASKI__GROUND__PRIVACY;
    set.reason = set.approver = text;
    set.from_ms = (uint64_t)store_time(store);
    set.until_ms = set.from_ms + strtoull(words[3], NULL, 10);
    act.act_case = CHASKI__ACT__ACT_RESTRICTION_SET;
    act.restriction_set = &set;
    TRY(store_act(store, &act));
    return store_commit(store);
}

/* Approvals are not asked for. */
static fault act_alone(struct store *store, Chaski__Act *act)
{
    ((struct directory *)(uintptr_t)store_state(store))->governed = false;
    return store_act(store, act);
}

static fault vouch(struct store *store, const struct bytes *snapshot, const char *folder)
{
    struct sha256 digest = SHA256_OF(bytes_span(snapshot));
    Chaski__Published published = CHASKI__PUBLISHED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    OWNED(bytes) note = NULL;
    uint64_t old_size = 0;
    TRY(publish_look(store, folder, &old_size));
    published.valid_until_ms = (uint64_t)(store_time(store) + 30 * STORE_DAY_MS);
    published.snapshot_sha256 = (ProtobufCBinaryData){sizeof digest.at, digest.at};
    act.act_case = CHASKI__ACT__ACT_PUBLISHED;
    act.published = &published;
    TRY(act_alone(store, &act));
    TRY(store_commit(store));
    return publish_write(store, folder, old_size, snapshot, &note);
}

static fault lie(const char *folder, const char *evil, const char *published)
{
    OWNED(store) store = NULL;
    OWNED(store) other = NULL;
    OWNED(bytes) snapshot = NULL;
    TRY(store_open(folder, &store));
    TRY(store_look(evil, &other));
    TRY(directory_snapshot(store_state(other), store_count(store), &snapshot));
    return vouch(store, snapshot, published);
}

static fault add_unapproved(struct store *store, uint64_t number)
{
    char id[64], name[] = "Nadie la aprobó";
    Chaski__MemberSet set = CHASKI__MEMBER_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    snprintf(id, sizeof id, "CO/GOV/666%llu", (unsigned long long)number);
    set.id = id;
    set.name = name;
    set.public_agency = true;
    act.act_case = CHASKI__ACT__ACT_MEMBER_SET;
    act.member_set = &set;
    return act_alone(store, &act);
}

static fault without_approvals(const char *folder, uint64_t count, const char *published)
{
    OWNED(store) store = NULL;
    OWNED(bytes) snapshot = NULL;
    TRY(store_open(folder, &store));
    for (uint64_t i = 0; i < count; i++)
        TRY(add_unapproved(store, i));
    TRY(directory_snapshot(store_state(store), store_count(store), &snapshot));
    return vouch(store, snapshot, published);
}

int main(int argc, char **argv)
{
    fault f = RAISE(BAD_REQUEST, "see the head of this tool's source");
    if (argc >= 4 && strcmp(argv[1], "witnesses") == 0)
        f = set_witnesses(argv[2], (unsigned)strtoul(argv[3], NULL, 10), argv + 4,
                          (size_t)(argc - 4));
    else if (argc == 7 && strcmp(argv[1], "restrict") == 0)
        f = restrict_for(argv[2], argv + 3);
    else if (argc == 5 && strcmp(argv[1], "snapshot") == 0)
        f = lie(argv[2], argv[3], argv[4]);
    else if (argc == 5 && strcmp(argv[1], "unapproved") == 0)
        f = without_approvals(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
    if (failed(f))
        fprintf(stderr, "directory_act: %s\n", fault_detail());
    return failed(f);
}
