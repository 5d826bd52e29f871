// SPDX-License-Identifier: MIT
/*
 * report_files - what comparisons with peers found, as files below <audit_folder>/reconcile/: of
 * each peer its last run, <32 hex digits>.report, and the last RECONCILE_REPORTS_KEPT runs that
 * found something, <32 hex digits>.<when it began, 13 digits of ms>.found. The hex digits are the
 * first half of SHA-256 of the peer's identifier.
 */
#ifndef EXCHANGE_REPORT_FILES_H
#define EXCHANGE_REPORT_FILES_H

#include "lib/base/bytes.h"

#include <stdint.h>

/* Waits for the disk. BAD_CONFIG: the folder's name is too long; IO_FAILED. */
fault report_files_keep(const char *audit_folder, const char *peer, struct span report,
                        int64_t began_ms, bool found);

#endif
