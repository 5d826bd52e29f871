// SPDX-License-Identifier: MIT
/*
 * backup - a copy of a store from which another machine takes over, made while the store is in use.
 */
#ifndef REGISTRY_BACKUP_H
#define REGISTRY_BACKUP_H

#include "registry/commands.h"

/* Copies to a folder that is not there yet, all of it or nothing, and reads the copy as `serve`
 * will. Serial numbers of time stamps go on far behind those that the store itself can give
 * meanwhile: of store and copy one is served. REFUSED, IO_FAILED. */
fault backup_store(const char *store, const char *to, struct said *said);

#endif
