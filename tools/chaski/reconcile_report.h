// SPDX-License-Identifier: MIT
/*
 * reconcile_report - what a node's comparisons with its peers found, for people and as JSON.
 */
#ifndef TOOLS_CHASKI_RECONCILE_REPORT_H
#define TOOLS_CHASKI_RECONCILE_REPORT_H

#include "lib/base/fault.h"

#include <stdbool.h>

/* The reports in an audit folder; of one peer, or of all (NULL), in the order of their names: of
 * the last run, and with `all` of those before that found something too, in the order of time.
 * Prints to standard output. NOT_FOUND: there is none; BAD_REQUEST: too many; IO_FAILED. */
fault reconcile_report_print(const char *audit_folder, const char *peer, bool all, bool json);

#endif
