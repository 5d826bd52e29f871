// SPDX-License-Identifier: MIT
/*
 * witness_list - which witnesses are reached over HTTP, as the exchange process has it from the
 * directory (anchor/confirmers): the scribe reads no directory itself.
 */
#ifndef SCRIBE_WITNESS_LIST_H
#define SCRIBE_WITNESS_LIST_H

#include "lib/base/fault.h"
#include "lib/bus/limits.h"
#include "lib/crypto/note.h"

#define WITNESS_URL_BYTES 1024

struct listed_witness {
    struct note_key key;
    char url[WITNESS_URL_BYTES]; /* prefix of what C2SP tlog-witness names, without a slash */
};

struct witness_list {
    size_t count;
    struct listed_witness one[DIRECTORY_WITNESSES_MAX];
};

/* NOT_FOUND while the node has not written the file yet. */
fault witness_list_read(const char *audit_folder, struct witness_list *out);
/* The key of our own log that the directory registers (anchor/log.vkey). NOT_FOUND likewise. */
fault witness_list_own_key(const char *audit_folder, struct note_key *out);

#endif
