// SPDX-License-Identifier: MIT
#include "registry/serve/datagram.h"

#include "lib/base/event.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 10

fault datagram_send(int fd, struct span datagram)
{
    for (;;) {
        ssize_t sent = send(fd, datagram.at, datagram.size, MSG_NOSIGNAL);
        if (sent == (ssize_t)datagram.size)
            return DONE;
        if (sent < 0 && errno == EINTR)
            continue;
        return RAISE(INTERNAL, "the line between two processes: %m");
    }
}

fault datagram_receive(int fd, uint8_t *room, size_t size, struct span *out)
{
    for (;;) {
        ssize_t got = recv(fd, room, size, MSG_TRUNC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (size_t)got > size)
            return RAISE(INTERNAL, "the line between two processes: %m");
        *out = span_of(room, (size_t)got);
        return DONE;
    }
}

fault datagram_await(int fd, int wait_ms, const char *who, uint8_t *room, size_t size,
                     struct span *out)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = 0;
    while ((ready = poll(&wait, 1, wait_ms)) < 0 && errno == EINTR)
        ;
    if (ready != 1)
        return RAISE(INTERNAL, "%s does not answer", who);
    TRY(datagram_receive(fd, room, size, out));
    return out->size == 0 ? RAISE(INTERNAL, "%s has gone", who) : DONE;
}

/* Asked to end by the line closing, not by a signal: the server may need it to the end. */
static _Noreturn void be_the_child(const struct datagram_child *child, int fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, child->name);
    if (getppid() != parent)
        _exit(1);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (fd > 3)
        close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
    event_setup(child->name, INFO);
    fault f = child->run(child->owner, fd);
    if (failed(f))
        EVENT(ERROR, "registry.child_failed", E_FAULT(f));
    _exit(failed(f));
}

fault datagram_start(const struct datagram_child *child, int *fd, pid_t *pid)
{
    int pair[2] = {-1, -1};
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return RAISE(INTERNAL, "the line to %s: %m", child->name);
    pid_t made = fork();
    if (made == 0)
        be_the_child(child, pair[1], parent);
    close(pair[1]);
    *fd = pair[0];
    *pid = made;
    return made < 0 ? RAISE(INTERNAL, "starting %s: %m", child->name) : DONE;
}

static bool has_ended(pid_t pid)
{
    pid_t got = waitpid(pid, NULL, WNOHANG);
    return got == pid || (got < 0 && errno == ECHILD);
}

void datagram_stop(int *fd, pid_t *pid, int grace_ms)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    if (*pid <= 0)
        return;
    for (int waited = 0; waited < grace_ms; waited += LOOK_MS) {
        if (has_ended(*pid)) {
            *pid = -1;
            return;
        }
        usleep(LOOK_MS * 1000);
    }
    kill(*pid, SIGKILL);
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *pid = -1;
}
