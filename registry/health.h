// SPDX-License-Identifier: MIT
/*
 * health - how an authority stands, in words: what it has, until when, and what holds acts back.
 */
#ifndef REGISTRY_HEALTH_H
#define REGISTRY_HEALTH_H

#include "registry/commands.h"

/* Of a store, served or not. ACTS_HELD, with the rule and what to do, after the lines were said. */
fault health_of_store(const char *folder, struct said *said);
/* The directory's size and times, by whomever they are known. Texts as clock_text has them. */
void health_say(struct said *said, uint64_t acts, const char *valid_until, const char *signs_until,
                const char *held);
/* Until when the certificate that signs acts is good, and whether that is near. */
bool health_ends_soon(const struct certificate *authority, int64_t now_ms);

#endif
