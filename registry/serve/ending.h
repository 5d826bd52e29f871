// SPDX-License-Identifier: MIT
/*
 * ending - says once a day that the certificate that signs acts ends within a year (event
 * authority.certificate_ends): who follows refuses acts that are signed later.
 */
#ifndef REGISTRY_SERVE_ENDING_H
#define REGISTRY_SERVE_ENDING_H

#include "lib/base/loop.h"
#include "registry/serve/outlook.h"

struct ending;

/* All lent. */
struct ending *ending_new(struct loop *loop, const struct outlook *outlook);
void ending_free(struct ending **self);

#endif
