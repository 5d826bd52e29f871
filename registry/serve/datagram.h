// SPDX-License-Identifier: MIT
/*
 * datagram - whole messages over a SOCK_SEQPACKET pair between a process and its child.
 */
#ifndef REGISTRY_SERVE_DATAGRAM_H
#define REGISTRY_SERVE_DATAGRAM_H

#include "lib/base/bytes.h"

#include <sys/types.h>

fault datagram_send(int fd, struct span datagram);
/* An empty one: the other side has gone. INTERNAL when it does not fit into the room. */
fault datagram_receive(int fd, uint8_t *room, size_t size, struct span *out);
/* Waits for one at most so long; INTERNAL when none comes or the other side has gone. `who` begins
 * the sentence: "the process that stamps". */
fault datagram_await(int fd, int wait_ms, const char *who, uint8_t *room, size_t size,
                     struct span *out);

/* Forks a process that has only its end of the line, dies with its parent, and ends with what `run`
 * returns. Call it before any thread. */
struct datagram_child {
    const char *name; /* as ps shows it, at most 15 characters */
    fault (*run)(void *owner, int fd);
    void *owner;
};
fault datagram_start(const struct datagram_child *child, int *fd, pid_t *pid);
/* Closes the line, then ends the process: at once, or after it has had `grace_ms` to go by itself.
 */
void datagram_stop(int *fd, pid_t *pid, int grace_ms);

#endif
