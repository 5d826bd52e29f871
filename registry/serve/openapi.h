// SPDX-License-Identifier: MIT
/*
 * openapi - docs/registry-openapi.json, as it was when this program was built.
 */
#ifndef REGISTRY_SERVE_OPENAPI_H
#define REGISTRY_SERVE_OPENAPI_H

#include "lib/base/bytes.h"

struct span openapi_document(void);

#endif
