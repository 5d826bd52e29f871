// SPDX-License-Identifier: MIT
/*
 * endpoint - one operation of a service, or several: a method and a pattern of paths, with a class
 * of its own. Of those that fit, the first in the owner's order is meant.
 *
 * What is compared is what is forwarded: the path below the service, percent-decoded. An escaped
 * slash stays no slash. But services read paths in more than one way: some take an escaped slash
 * for a slash, some drop parameters (";x"), or a slash at the end, some regard no capitals. A path
 * is read in all these ways, and refused where they lead to different endpoints, to a dot segment
 * or to a doubled slash: nobody gets by one endpoint what another one closes. What is no UTF-8 is
 * refused: an overlong slash is one to some. Source: X-Road's rights on endpoints, and its fixes of
 * them.
 */
#ifndef BUS_ENDPOINT_H
#define BUS_ENDPOINT_H

#include "lib/bus/glob.h"

/* Whom a service or a part of it is open to. What is restricted is so by a directory_restriction.
 */
enum service_class { SERVICE_OPEN = 1, SERVICE_SHARED = 2 };

struct endpoint {
    const char *id;
    const char *method; /* in capitals, or "*" */
    const char *path;   /* the pattern */
    struct glob glob;
    enum service_class class;
};

/* Fills method, path and glob; texts are the caller's. BAD_REQUEST: the method is neither `*` nor
 * one of REST's eight in capitals; the pattern does not begin with / or **, or has a percent sign
 * (it stands for what is decoded). */
fault endpoint_compile(const char *method, const char *path, struct endpoint *out);

/*
 * Which one a request falls to. path: raw, as it is forwarded below the service, without the
 * query; "" counts as "/". *out: its place, or count when it is none of them.
 * BAD_REQUEST: the path is longer than ENDPOINT_PATH_BYTES_MAX, broken, or may be read in two ways.
 * No part of it stands in the fault's words: paths name people.
 */
fault endpoint_find(const struct endpoint *list, size_t count, struct span method, struct span path,
                    size_t *out);

#endif
