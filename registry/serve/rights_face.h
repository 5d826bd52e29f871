// SPDX-License-Identifier: MIT
/*
 * rights_face - who may what, as everybody may read it: JSON lists by pages, in the order of ids.
 *
 *   GET /restrictions      [?after=ID] [?format=jsonld, or Accept: application/ld+json]
 *   GET /grants            likewise
 *   GET /access/requests   [?after=ID]
 *   GET /access/requests/<id>
 *   GET /break-glass       [?after=ID]
 *
 * All of it stands in the published directory; what is in force is judged at the time of asking.
 */
#ifndef REGISTRY_SERVE_RIGHTS_FACE_H
#define REGISTRY_SERVE_RIGHTS_FACE_H

#include "lib/bus/directory.h"
#include "registry/serve/http_server.h"

bool rights_face_has(const char *path);
enum MHD_Result rights_face_answer(const struct http_request *request,
                                   const struct directory *directory);

#endif
