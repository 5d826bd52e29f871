// SPDX-License-Identifier: MIT
/*
 * log_files - files of the evidence that strangers may read, by names that are ours: C2SP
 * tlog-tiles under "log/" (the newest epoch) and "log/<epoch>/", and "witness/<hex
 * sha256(origin)>/checkpoint" for what this server cosigned.
 */
#ifndef CLERK_LOG_FILES_H
#define CLERK_LOG_FILES_H

#include "security-server/clerk/clerk.h"

/* name: as it came, nothing decoded. *body: bytes_free() it; file->body points into it. NOT_FOUND:
 * no such name, not there (any more), or not published by the settings. */
fault log_files_read(const struct server_config *config, struct span name, struct clerk_file *file,
                     struct bytes **body);

#endif
