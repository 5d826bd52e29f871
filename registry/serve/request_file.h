// SPDX-License-Identifier: MIT
/*
 * request_file - one request for enrolment and its file (requests.h).
 */
#ifndef REGISTRY_SERVE_REQUEST_FILE_H
#define REGISTRY_SERVE_REQUEST_FILE_H

#include "registry/serve/requests.h"

void request_free(struct request **self);

/* Durable when it returns. */
fault request_file_write(const char *path, const struct request *request);
/* REFUSED for what is no request; its proofs were checked when it came. */
fault request_file_read(const char *path, struct request **out);

#endif
