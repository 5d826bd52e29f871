// SPDX-License-Identifier: MIT
/*
 * jail - what a process may still do once it has started: a seccomp filter per kind of process.
 *
 * JAIL_KEYS     read, write and poll descriptors that are open already; memory; time; exit.
 *               No open, no socket, no exec, no fork, no ptrace.
 * JAIL_AUTHORITY  as the ones below, and no socket of any kind besides those that are open.
 * JAIL_GATEWAY, JAIL_EXCHANGE, JAIL_SCRIBE, JAIL_CLERK, JAIL_FOLLOWER, JAIL_TOKEN   no exec, no
 * fork, no ptrace, no new privileges, no mount. JAIL_TOKEN holds a vendor's module, which may open
 * files and sockets.
 *
 * A forbidden call kills the process (SIGSYS), so that a break-in ends as a restart with an event.
 */
#ifndef BASE_JAIL_H
#define BASE_JAIL_H

#include "lib/base/fault.h"

enum jail_kind {
    JAIL_KEYS,
    JAIL_EXCHANGE,
    JAIL_GATEWAY,
    JAIL_SCRIBE,
    JAIL_CLERK,
    JAIL_FOLLOWER,
    JAIL_TOKEN,
    JAIL_AUTHORITY
};

/* From here on for all threads of the process. No core dumps, no ptrace by others either. The time
 * zone is read before it closes, so that telling the time of an event opens no file. */
fault jail_enter(enum jail_kind kind);

#endif
