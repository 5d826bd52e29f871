// SPDX-License-Identifier: MIT
/*
 * proposing - proposals at a registry elsewhere: made, read, approved and refused.
 */
#ifndef REGISTRY_REMOTE_PROPOSING_H
#define REGISTRY_REMOTE_PROPOSING_H

#include "registry/commands.h"
#include "registry/remote/registry_http.h"

/* What the store has drafted, in groups; says of each what became of it. Where something has its
 * approvals and is not in force, said_is_undone(), here and when it is approved. */
fault proposing_send(struct registry_http *http, struct store *store, const char *label,
                     struct said *said);
fault proposing_list(struct registry_http *http, const struct arguments *arguments,
                     struct said *said);
/* Shows each in words made from the bytes that are then signed with the store's first key. REFUSED
 * when the answer on stdin is not "yes", or the registry shows another act than it calls by its id.
 */
fault proposing_approve(struct registry_http *http, struct store *store,
                        const struct arguments *arguments, struct said *said);
fault proposing_refuse(struct registry_http *http, const struct arguments *arguments,
                       struct said *said);

#endif
