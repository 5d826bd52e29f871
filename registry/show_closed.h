// SPDX-License-Identifier: MIT
/*
 * show_closed - what owners have closed without a restriction: a service that is switched off, one
 * that takes hardly any requests, and a table that gives listed columns only. None of it needs a
 * ground or an end; all of it is public.
 *
 * Not seen here: a server that is down and rates that it sets for a class of services, which stand
 * in no directory, and open data that is made shared. Refusals by them are in the records.
 */
#ifndef REGISTRY_SHOW_CLOSED_H
#define REGISTRY_SHOW_CLOSED_H

#include "lib/bus/directory.h"

#include <jansson.h>

/* A walk over such services, as directory_next_service. */
const void *show_closed_next(const struct directory *directory, size_t *step);

/* {"service", "owner", "how": [{"by": "disabled" | "rate" | "columns", ...}]} */
json_t *show_closed_json(const struct directory *directory, const void *service, int64_t at_ms);
/* The same as an odrl:Set without a ground. */
json_t *show_closed_ld(const struct directory *directory, const void *service, int64_t at_ms);

#endif
