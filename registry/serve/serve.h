// SPDX-License-Identifier: MIT
/*
 * serve - the registry on a network: time stamps, the published directory, and, with the
 * authority's own store, what members, agencies and operators do there.
 *
 * Several processes. This one reads HTTP and TLS with libmicrohttpd, and the directory's
 * files, gives serial numbers, keeps what waits for approvals, and holds no key that signs for
 * others: those of TLS, of the push and of the intake. `stamp` (stamp_line.h) signs time stamps: no
 * network, no files, by seccomp. `authority` (authority_line.h) holds the keys of acts, log and CA
 * and alone writes the store: no network. `status_line` (status_line.h) asks outside authorities:
 * no key; neither has `reach_line`, which calls agencies back. Broken into, this process could have
 * anything stamped at the true time, as everybody can, and stop publishing; acts need approvals
 * that it cannot make.
 */
#ifndef REGISTRY_SERVE_SERVE_H
#define REGISTRY_SERVE_SERVE_H

#include "lib/base/fault.h"

struct serve_plan {
    const char *store;      /* without `authority` its folder stamp/ only, see stamping.h */
    const char *listen;     /* IP:PORT */
    const char *directory;  /* the published folder, or NULL: stamps only */
    const char *ready_file; /* or NULL */
    bool authority;         /* the whole store: acts are carried out; `directory` is published */
    const char *admin;      /* IP:PORT for operators, or NULL; with `authority` */
    const char *push;       /* tcp://IP:PORT, or NULL; with `authority` */
    unsigned statuses_s;    /* between rounds of asking outside authorities; with `authority` */
    unsigned held_s;        /* time to show the acts of a larger head; with `authority` */
    bool reach_private;     /* agencies are called back at private addresses too */
    size_t mirrors;         /* that must not know more than the store; with `authority` */
    const char *const *mirror;
};

/* Until SIGTERM or SIGINT (DONE), or until one of the other processes has died (INTERNAL). */
fault serve(const struct serve_plan *plan);

#endif
