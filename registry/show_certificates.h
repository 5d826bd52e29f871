// SPDX-License-Identifier: MIT
/*
 * show_certificates - for `show`: outside authorities, and certificates that end soon or of whose
 * status nothing is known.
 */
#ifndef REGISTRY_SHOW_CERTIFICATES_H
#define REGISTRY_SHOW_CERTIFICATES_H

#include "lib/bus/directory.h"
#include "registry/status_book.h"
#include "registry/store.h"

#include <jansson.h>
#include <stdio.h>

void show_authorities(const struct directory *directory, FILE *out);
/* hours: a status that is older is told of. */
void show_certificates(const struct directory *directory, const struct status_book *book,
                       unsigned hours, FILE *out);
json_t *show_authorities_json(const struct directory *directory);
/* NULL when nothing is known of it. */
json_t *show_status_json(const struct directory_signer *signer, const struct status_book *book);

#endif
