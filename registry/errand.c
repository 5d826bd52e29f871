// SPDX-License-Identifier: MIT
#include "registry/errand.h"

#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/owned.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static fault work(const struct errand *errand, int report_fd, size_t size)
{
    uint8_t result[ERRAND_RESULT_BYTES_MAX] = {0};
    TRY(jail_enter(JAIL_SCRIBE));
    TRY(errand->work(errand->owner, result));
    return write(report_fd, result, size) == (ssize_t)size
               ? DONE
               : RAISE(IO_FAILED, "reporting to the process that waits: %m");
}

static _Noreturn void be_the_child(const struct errand *errand, int report_fd, size_t size,
                                   pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (report_fd > 3)
        close_range(3, (unsigned)report_fd - 1, 0);
    close_range((unsigned)report_fd + 1, ~0u, 0);
    fault f = work(errand, report_fd, size);
    if (failed(f))
        EVENT(ERROR, errand->event, E_FAULT(f));
    _exit(failed(f));
}

/* The child's status; it is killed when it takes too long. */
static int await(pid_t child, int report_fd, int wait_ms, uint8_t *result, size_t size,
                 ssize_t *got)
{
    struct pollfd wait = {.fd = report_fd, .events = POLLIN};
    int ready = 0, status = 1;
    while ((ready = poll(&wait, 1, wait_ms)) < 0 && errno == EINTR)
        ;
    *got = ready == 1 ? read(report_fd, result, size) : -1;
    if (*got != (ssize_t)size)
        kill(child, SIGKILL); /* harmless when it has ended by itself */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

fault errand_run(const struct errand *errand, void *out, size_t size)
{
    int ends[2];
    uint8_t result[ERRAND_RESULT_BYTES_MAX];
    ssize_t got = -1;
    pid_t parent = getpid();
    assert(size > 0 && size <= sizeof result);
    if (pipe(ends) != 0)
        return RAISE(IO_FAILED, "making a pipe: %m");
    pid_t child = fork();
    if (child == 0)
        be_the_child(errand, ends[1], size, parent);
    close(ends[1]);
    int status = child > 0 ? await(child, ends[0], errand->wait_ms, result, size, &got) : 1;
    close(ends[0]);
    if (got != (ssize_t)size || status != 0)
        return RAISE(INTERNAL, "an errand did not come back: the event says why");
    memcpy(out, result, size);
    return DONE;
}
