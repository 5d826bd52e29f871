// SPDX-License-Identifier: MIT
/*
 * files - files to be handed over, in memory first: all of them can be made, or none is written.
 *
 * Names are ours and never a stranger's: plain, relative, at most one folder deep.
 */
#ifndef EVIDENCE_FILES_H
#define EVIDENCE_FILES_H

#include "lib/base/bytes.h"

#define FILES_NAME_BYTES 128

struct files_one {
    char name[FILES_NAME_BYTES];
    struct bytes *bytes;
    bool runs; /* may be executed */
};

struct files {
    char below[FILES_NAME_BYTES]; /* goes before each name: "request/", or "" */
    size_t count, room;
    struct files_one *one;
};

void files_free(struct files **self);

/* Where the next ones go: below/ and then name. */
void files_go_below(struct files *self, const char *below);
void files_take(struct files *self, const char *name, struct bytes **bytes);
fault files_copy(struct files *self, const char *name, struct span bytes);

/* May this folder be written to: is it absent or empty, and outside of `source`? REFUSED if not. */
fault files_check_folder(const char *to, const char *source);
/* May this file be made: does nothing stand there, and is it outside of `source`? REFUSED if not.
 */
fault files_check_file(const char *to, const char *source);
/* Writes all of them, readable by nobody else, and durable. Nothing that exists is written over. */
fault files_write(const struct files *self, const char *to);

#endif
