// SPDX-License-Identifier: MIT
/*
 * serve - the registry on a network: time stamps and the published directory, over plain HTTP (all
 * of it is signed, none of it is secret).
 *
 * Two processes. This one reads HTTP with libmicrohttpd and the directory's files, gives the serial
 * numbers, and holds no key. The other (stamp_line.h) reads time stamp requests with OpenSSL and
 * signs: no network, no files, by seccomp. Broken into, this one could have anything stamped, as
 * everybody can, at the true time; it never gets the key.
 */
#ifndef REGISTRY_SERVE_SERVE_H
#define REGISTRY_SERVE_SERVE_H

#include "lib/base/fault.h"

struct serve_plan {
    const char *store;      /* its folder stamp/ only, see registry/stamping.h */
    const char *listen;     /* IP:PORT */
    const char *directory;  /* the published folder, or NULL: stamps only */
    const char *ready_file; /* or NULL */
};

/* Until SIGTERM or SIGINT (DONE), or until the process that stamps has died (INTERNAL). */
fault serve(const struct serve_plan *plan);

#endif
