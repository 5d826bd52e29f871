// SPDX-License-Identifier: MIT
/*
 * metaservice - the codes under which every subsystem says what it offers, besides its services.
 * Nobody registers them, and everybody who is registered may call them, but for subjectAccesses,
 * which is our own (lib/bus/policy.h). Source: X-Road PR-MREST,
 * PR-META; ref C.2, C.3, C.6.
 */
#ifndef BUS_METASERVICE_H
#define BUS_METASERVICE_H

#include "lib/base/bytes.h"

enum metaservice {
    METASERVICE_NONE,
    METASERVICE_LIST_METHODS,    /* all services of the subsystem */
    METASERVICE_ALLOWED_METHODS, /* those that the caller may call */
    METASERVICE_OPENAPI,         /* the description of one of them */
    METASERVICE_SUBJECT          /* what a server's log holds about a person; not for everybody */
};

/* Of a service's canonical identifier, I/C/M/S/CODE. */
enum metaservice metaservice_of(struct span service);

/* Codes that X-Road keeps for itself, these among them, and ours: no service is registered so. */
bool metaservice_is_reserved(struct span code);

#endif
