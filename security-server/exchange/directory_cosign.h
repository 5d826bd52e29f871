// SPDX-License-Identifier: MIT
/*
 * directory_cosign - this server as a witness of the directory: each head that it took, and whose
 * consistency it so has checked, it cosigns; the follower hands the line to the authority.
 *
 *   <audit_folder>/directory/cosignature   the line about the newest head, as it goes over HTTP
 */
#ifndef EXCHANGE_DIRECTORY_COSIGN_H
#define EXCHANGE_DIRECTORY_COSIGN_H

#include "security-server/exchange/node.h"

struct directory_cosign;

/* Looks every second whether the state names this server and has a head that was not cosigned in
 * this run. The head is on disk, in our copy, before it is signed. */
struct directory_cosign *directory_cosign_new(struct node *node);
void directory_cosign_free(struct directory_cosign **self);

#endif
