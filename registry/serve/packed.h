// SPDX-License-Identifier: MIT
/*
 * packed - files of the published directory as gzip (RFC 1952), for who says Accept-Encoding: gzip:
 * a third of the bytes on the poor lines of municipalities. Each is packed once; they never change.
 */
#ifndef REGISTRY_SERVE_PACKED_H
#define REGISTRY_SERVE_PACKED_H

#include "lib/base/bytes.h"
#include "registry/serve/published_file.h"

struct packed;

struct packed *packed_new(void);
void packed_free(struct packed **self);

/* Does an Accept-Encoding field (RFC 9110 12.5.3) allow gzip? NULL: there is none. */
bool packed_is_wanted(const char *accept_encoding);

/* The file as gzip, lent until the next call. name: as published_file_open took it. NOT_FOUND: it
 * is better sent as it is (small, too large, or no smaller). IO_FAILED. The descriptor stays the
 * caller's. Takes 10 ms a megabyte, the first time. */
fault packed_file(struct packed *self, const char *name, const struct published_file *file,
                  struct span *out);

#endif
