// SPDX-License-Identifier: MIT
/*
 * public_face - what the registry says to everybody over HTTP:
 *
 *   POST /tsa                          a time stamp (RFC 3161)
 *   GET  /directory/...                the published folder, byte for byte
 *   POST /directory/cosignature        a witness's line over the newest head     (with an office)
 *   POST /directory/head               what a follower holds, that is shown less (with an office)
 *   POST /enrol/v1/requests            an agency asks to be enrolled             (with an office)
 *   GET  /enrol/v1/requests/<id>       what became of it                         (with an office)
 *   POST /member/v1/acts               {"act": base64}, approved by a server     (with an office)
 *   GET  /restrictions /grants /access/requests[/<id>] /break-glass
 *                                      who may what, for everybody              (with an office)
 *   GET  /healthz
 */
#ifndef REGISTRY_SERVE_PUBLIC_FACE_H
#define REGISTRY_SERVE_PUBLIC_FACE_H

#include "lib/base/event_rate.h"
#include "registry/serve/http_server.h"
#include "registry/serve/office.h"
#include "registry/serve/packed.h"
#include "registry/serve/stamp_line.h"
#include "registry/stamping.h"

struct public_face;

struct public_face_options {
    struct loop *loop;
    struct stamp_line *stamps;
    struct serials *serials;
    const char *directory;       /* or NULL */
    struct office *office;       /* or NULL: stamps and files only */
    void (*failed)(void *owner); /* no more stamps can be made: end */
    void (*behind)(void *owner); /* the store is an old copy (registry/ahead.h): end */
    void *owner;
};

/* Everything lent until public_face_free. BAD_CONFIG for an address that is none, IO_FAILED. */
fault public_face_new(const struct public_face_options *options, const char *listen,
                      struct public_face **out);
void public_face_free(struct public_face **self); /* closes all connections */

const char *public_face_address(const struct public_face *self); /* IP:PORT, with the real port */

/* A file of the published folder, for both faces; folder may be NULL. */
enum MHD_Result public_face_file(const struct http_request *request, const char *folder,
                                 const char *name, struct packed *packed,
                                 struct event_rate *unread);

#endif
