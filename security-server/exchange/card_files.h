// SPDX-License-Identifier: MIT
/*
 * card_files - peers' key cards across restarts: <audit_folder>/cards/<32 hex digits>.card, the
 * card's leaf; the digits begin the SHA-256 of the server's identifier. One that is lost or damaged
 * is asked for again, so the disk is not waited for.
 */
#ifndef EXCHANGE_CARD_FILES_H
#define EXCHANGE_CARD_FILES_H

#include "lib/bus/directory.h"

struct card_files {
    char folder[448];
};

/* Makes the folder. BAD_CONFIG, IO_FAILED. */
fault card_files_open(struct card_files *self, const char *audit_folder);
/* NOT_FOUND, IO_FAILED. bytes_free() it; a stranger's bytes. */
fault card_files_read(const struct card_files *self, const char *server, struct bytes **out);
fault card_files_write(const struct card_files *self, const char *server, struct span leaf);
/* Removes whatever is of no server of the directory. */
void card_files_tidy(const struct card_files *self, const struct directory *directory);

#endif
