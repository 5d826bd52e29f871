// SPDX-License-Identifier: MIT
/*
 * status_files - what an outside authority said of a signer's certificate, as it was kept beside
 * the directory.
 *
 *   FOLDER/status/<sha256>/<seconds>.ocsp|.crl    see docs/AUDIT-FORMAT.md
 */
#ifndef EVIDENCE_STATUS_FILES_H
#define EVIDENCE_STATUS_FILES_H

#include "lib/bus/directory.h"
#include "lib/evidence/files.h"

/* Adds status/<seconds>.ocsp or .crl: the newest answer that is not younger than time_ms, and the
 * oldest that is, which tells that nothing was to be told until then. Answers that are not sound
 * are passed over; there may be none. folder: of the directory. */
fault status_files_export(const char *folder, const struct directory_signer *signer,
                          int64_t time_ms, struct files *files);

#endif
