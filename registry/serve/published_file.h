// SPDX-License-Identifier: MIT
/*
 * published_file - one file of the published directory, opened for sending.
 */
#ifndef REGISTRY_SERVE_PUBLISHED_FILE_H
#define REGISTRY_SERVE_PUBLISHED_FILE_H

#include "lib/base/fault.h"

#include <stdint.h>

struct published_file {
    int fd;
    uint64_t size;
    char etag[64];     /* with its quotes: size and time of the last change */
    const char *type;  /* Content-Type */
    const char *cache; /* Cache-Control */
    bool packs;        /* it may be sent packed: large, and always the same under its name */
};

/* name: what follows /directory/ in the request, with nothing decoded in it. NOT_FOUND for what no
 * published directory has, or this one has not; IO_FAILED. The caller closes fd. */
fault published_file_open(const char *folder, const char *name, struct published_file *out);

/* Its etag becomes that of the packed form. */
void published_file_is_packed(struct published_file *self);

/* Does an If-None-Match field name this file as it is? NULL: there is none. */
bool published_file_is_known(const struct published_file *self, const char *if_none_match);

#endif
