// SPDX-License-Identifier: MIT
/*
 * openapi - an OpenAPI 3 document of an agency, JSON or YAML, as far as the bus must know it: its
 * operations, and where the addresses of its servers stand. Pure. Source: OpenAPI 3.0.4 sections
 * 4.7 and 4.8; ref C.2, C.3.
 *
 * The document is never written anew: addresses are replaced in place and every other byte stays
 * as its author wrote it. What cannot be found for certain (a YAML alias where servers or
 * operations stand) is refused, so that no inner address goes out by mistake.
 */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

struct openapi_endpoint {
    const char *method; /* in capitals; constant */
    char *path;         /* with * for each parameter */
};

/* A piece of the document that is replaced. */
struct openapi_edit {
    size_t at, size;
    struct bytes *text;
};

struct openapi {
    size_t endpoints;
    struct openapi_endpoint *endpoint; /* in the document's order */
    size_t edits;
    struct openapi_edit *edit; /* likewise */
};

/* BAD_DESCRIPTION, with what is wrong: not UTF-8, not JSON (when it begins with a brace) or YAML,
 * not OpenAPI 3, over a bound. */
fault openapi_read(struct span document, struct openapi **out);
void openapi_free(struct openapi **self);

/* The document of which it was read, with addresses replaced; at the end of `out`. NO_MEMORY. */
fault openapi_write(const struct openapi *self, struct span document, struct bytes *out);

/* The path part of a server's address: "/" for none. */
struct span openapi_path_of(struct span url);

#endif
