// SPDX-License-Identifier: MIT
/*
 * index_file - where a search index lies, whose it is, and how a new one takes its place.
 *
 * A copied folder may bring an index along that says something else than its log, or a file that
 * was made to harm SQLite. So an index is marked with the number and the birth of its own file: a
 * copy of it has others, is not believed, and is not even opened.
 */
#ifndef TOOLS_AUDIT_INDEX_FILE_H
#define TOOLS_AUDIT_INDEX_FILE_H

#include "tools/audit/database.h"

#define INDEX_PATH_BYTES 600

struct index_place {
    char folder[INDEX_PATH_BYTES]; /* that the file lies in; without links */
    char file[INDEX_PATH_BYTES];
};

enum index_condition {
    INDEX_ABSENT,
    INDEX_USABLE,
    INDEX_FOREIGN, /* made elsewhere, and copied */
    INDEX_OLD,     /* made by another version */
    INDEX_DAMAGED,
};

/* `audit_folder`/index/search.db, of a later epoch search-<epoch>.db, or `file` when it is not
 * NULL. NOT_FOUND when the folder that it would lie in is not there (but index/ itself may still be
 * missing), REFUSED when index/ is a link. */
fault index_place_find(const char *audit_folder, unsigned epoch, const char *file,
                       struct index_place *out);

enum index_condition index_file_look(const struct index_place *place);

/* For one who writes: the lock of this index until `fd` is closed. Makes index/ when it is missing.
 * Waits up to INDEX_WAIT_MS. REFUSED: another process holds it; IO_FAILED: it cannot be written. */
#define INDEX_WAIT_MS 10000
fault index_file_lock(const struct index_place *place, int *fd);

/* A new index beside the one in use, empty. Under the lock. */
fault index_file_begin(const struct index_place *place, struct database **out);
/* Removes what was begun, so that a full disk gets its space back. */
void index_file_give_up(const struct index_place *place);
/* Marks it, makes it durable, and puts it in the old one's place: there is a whole index or none at
 * any moment. Closes the database. */
fault index_file_finish(const struct index_place *place, struct database **database);

#endif
