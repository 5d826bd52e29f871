// SPDX-License-Identifier: MIT
/*
 * openapi_walk - what the readers of JSON and of YAML tell of a document, piece by piece, in its
 * order; and what openapi.c makes of it.
 */
#ifndef GATEWAY_OPENAPI_WALK_H
#define GATEWAY_OPENAPI_WALK_H

#include "gateway/openapi.h"

/* Where a value stands; all that matters of a document lies on the way from ROOT. */
enum openapi_place {
    OPENAPI_ELSEWHERE,
    OPENAPI_ROOT,
    OPENAPI_VERSION,
    OPENAPI_COMPONENTS,
    OPENAPI_PATHS, /* also components/pathItems */
    OPENAPI_PATH_ITEM,
    OPENAPI_OPERATION,
    OPENAPI_SERVERS,
    OPENAPI_SERVER,
    OPENAPI_URL
};

struct openapi_level {
    bool list;
    bool own_paths; /* below paths, and not below components */
    enum openapi_place place;
    enum openapi_place next; /* of the value behind the last key */
};

struct openapi_walk {
    struct openapi *made;
    size_t depth;
    struct openapi_level level[OPENAPI_DEPTH_MAX];
    bool has_version;
    char path[OPENAPI_PATH_BYTES_MAX + 1]; /* of the path item */
};

/* A value that is text, number or the like; it lies at `at`, as `size` bytes of the document.
 * replaceable: another one can be put in its place. */
struct openapi_scalar {
    size_t at, size;
    struct span value;
    bool replaceable;
};

fault openapi_walk_key(struct openapi_walk *self, struct span key);
fault openapi_walk_scalar(struct openapi_walk *self, const struct openapi_scalar *scalar);
/* A value that stands somewhere else in the document. */
fault openapi_walk_alias(struct openapi_walk *self);
fault openapi_walk_open(struct openapi_walk *self, bool list);
void openapi_walk_close(struct openapi_walk *self);

/* The two readers: each tells all of a document, or BAD_DESCRIPTION. */
fault openapi_json_walk(struct span document, struct openapi_walk *walk);
fault openapi_yaml_walk(struct span document, struct openapi_walk *walk);

#endif
