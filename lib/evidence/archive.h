// SPDX-License-Identifier: MIT
/*
 * archive - a zip file in memory (libzip, and nowhere else): nothing of what is handed out lies in
 * a temporary file.
 */
#ifndef EVIDENCE_ARCHIVE_H
#define EVIDENCE_ARCHIVE_H

#include "lib/base/bytes.h"

struct archive;

fault archive_new(struct archive **out);
void archive_free(struct archive **self);

/* One more file; its bytes are borrowed until archive_finish. Names are ours: relative, plain. All
 * files have one and the same time, so that equal contents make equal archives. */
fault archive_add(struct archive *self, const char *name, struct span bytes);
fault archive_add_stored(struct archive *self, const char *name, struct span bytes); /* as it is */
fault archive_add_program(struct archive *self, const char *name,
                          struct span bytes); /* to be run */
/* The whole zip file; bytes_free() it. Nothing may be added after this. */
fault archive_finish(struct archive *self, struct bytes **out);

/* Makes the file, durable, readable by nobody else; it must not be there yet. IO_FAILED. */
fault archive_write(const char *path, struct span archive);

#endif
