// SPDX-License-Identifier: MIT
#include "registry/status/statuses.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "registry/status/ask.h"
#include "registry/status_book.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the child. What it found stands in the store; what it counted goes through the pipe. */
static fault ask(const char *folder, int report_fd)
{
    OWNED(store) store = NULL;
    struct status_counts counts;
    TRY(jail_enter(JAIL_SCRIBE));
    TRY(store_look(folder, &store)); /* without keys */
    TRY(status_ask(folder, store_state(store), &counts));
    return write(report_fd, &counts, sizeof counts) == (ssize_t)sizeof counts
               ? DONE
               : RAISE(IO_FAILED, "reporting to the process that waits: %m");
}

static _Noreturn void be_the_child(const char *folder, int report_fd)
{
    fault f = ask(folder, report_fd);
    if (failed(f))
        EVENT(ERROR, "status.round_failed", E_FAULT(f));
    exit(failed(f) ? 1 : 0);
}

static fault ask_in_a_child(const char *folder, struct status_counts *counts)
{
    int ends[2];
    if (pipe(ends) != 0)
        return RAISE(IO_FAILED, "making a pipe: %m");
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_the_child(folder, ends[1]);
    }
    close(ends[1]);
    ssize_t got = child < 0 ? 0 : read(ends[0], counts, sizeof *counts);
    close(ends[0]);
    int status = 1;
    if (child > 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    return got == (ssize_t)sizeof *counts && status == 0
               ? DONE
               : RAISE(INTERNAL, "the statuses could not be asked for: the event says why");
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

fault statuses_run(const char *folder, const char *to, struct said *said)
{
    struct status_counts counts = {0};
    event_setup("chaski-registry", INFO);
    signal(SIGPIPE, SIG_IGN);
    TRY(ask_in_a_child(folder, &counts));
    said_add(said,
             "outside certificates: %zu asked for, %zu good, %zu revoked, %zu unknown, %zu without "
             "an answer",
             counts.asked, counts.good, counts.revoked, counts.unknown, counts.unanswered);
    TRY(act(folder, to, said));
    return to == NULL ? DONE : status_book_publish(folder, to);
}
