// SPDX-License-Identifier: MIT
/*
 * evidence - in which files of a log's folder the evidence of a finding lies, by its rule and
 * entry: for whoever wants to look with other programs than ours.
 */
#ifndef TOOLS_AUDIT_EVIDENCE_H
#define TOOLS_AUDIT_EVIDENCE_H

#include "lib/base/bytes.h"

#define EVIDENCE_FILES_MAX 10
#define EVIDENCE_FILE_BYTES 128

struct log;

/* Paths below the log's folder; those that end in / are folders. */
struct evidence {
    size_t count;
    char file[EVIDENCE_FILES_MAX][EVIDENCE_FILE_BYTES];
};

/* Notes which segments the log has, once, before the first finding: looking for them again for each
 * would take a folder with many of both for ever. */
void evidence_list_segments(struct log *log);
/* log: NULL when it could not be opened. entry: or REPORT_WHOLE. */
void evidence_find(const struct log *log, const char *rule, uint64_t entry, struct evidence *out);

#endif
