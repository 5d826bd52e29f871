// SPDX-License-Identifier: MIT
/*
 * admin_face - what operators do over HTTPS (docs/registry-openapi.json): TLS 1.3, and a client
 * certificate whose key is that of an operator in the directory.
 */
#ifndef REGISTRY_SERVE_ADMIN_FACE_H
#define REGISTRY_SERVE_ADMIN_FACE_H

#include "registry/serve/office.h"

struct admin_face;

/* Reads admin.key, admin.pem and anchor/trust.pem of the office's store. BAD_KEY, BAD_CONFIG,
 * IO_FAILED. */
fault admin_face_new(struct loop *loop, struct office *office, const char *listen,
                     struct admin_face **out);
void admin_face_free(struct admin_face **self);
const char *admin_face_address(const struct admin_face *self);

#endif
