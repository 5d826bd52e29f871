// SPDX-License-Identifier: MIT
#include "registry/status/statuses.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "registry/errand.h"
#include "registry/status_book.h"

#include <signal.h>
#include <unistd.h>

/* Of the child. What it found stands in the store; what it counted comes back. */
static fault ask(void *owner, void *result)
{
    const char *folder = owner;
    OWNED(store) store = NULL;
    TRY(store_look(folder, &store)); /* without keys */
    return status_ask(folder, store_state(store), result);
}

fault statuses_ask(const char *folder, struct status_counts *counts)
{
    const struct errand errand = {.work = ask,
                                  .owner = (void *)(uintptr_t)folder,
                                  .event = "status.round_failed",
                                  .wait_ms = STATUS_ROUND_MS + 2 * STATUS_FETCH_WAIT_MS};
    fault f = errand_run(&errand, counts, sizeof *counts);
    return f.code == INTERNAL
               ? RAISE(INTERNAL, "the statuses could not be asked for: the event says why")
               : f;
}

static fault act(const char *folder, const char *to, struct said *said)
{
    OWNED(store) store = NULL;
    size_t revoked = 0;
    TRY(store_open(folder, &store));
    TRY(outside_revocations(store, said, &revoked));
    if (revoked == 0)
        return DONE;
    if (to != NULL)
        return publish_to(store, to, store_valid_days(store), said);
    said_add(said, "Publish now: nodes learn of it from there");
    return store_commit(store);
}

/* Half an hour of asking would be for nothing. Who takes the lock meanwhile is met in `act`. */
static fault check_free(const char *folder)
{
    char path[STORE_PATH_BYTES];
    int lock = -1;
    if (!text_format(path, sizeof path, "%s/lock", folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    fault f = file_lock(path, &lock);
    if (!failed(f))
        close(lock);
    return f.code == REFUSED
               ? RAISE(REFUSED, "the store is being used: `serve --authority` asks by itself, "
                                "and at once by `statuses --at`")
               : f;
}

fault statuses_run(const char *folder, const char *to, struct said *said)
{
    struct status_counts counts = {0};
    event_setup("chaski-registry", INFO);
    signal(SIGPIPE, SIG_IGN);
    TRY(check_free(folder));
    TRY(statuses_ask(folder, &counts));
    said_add(said,
             "outside certificates: %zu asked for, %zu good, %zu revoked, %zu unknown, %zu without "
             "an answer",
             counts.asked, counts.good, counts.revoked, counts.unknown, counts.unanswered);
    TRY(act(folder, to, said));
    return to == NULL ? DONE : status_book_publish(folder, to);
}
