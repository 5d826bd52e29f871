// SPDX-License-Identifier: MIT
/*
 * proposal_file - one proposal and its file (proposals.h), and the act in it.
 */
#ifndef REGISTRY_SERVE_PROPOSAL_FILE_H
#define REGISTRY_SERVE_PROPOSAL_FILE_H

#include "registry/serve/proposals.h"

struct Chaski__Act; /* directory.pb-c.h */

void proposal_free(struct proposal **self);

/* Durable when it returns. */
fault proposal_file_write(const char *path, const struct proposal *proposal);
/* REFUSED for what is no proposal. */
fault proposal_file_read(const char *path, const struct outlook *outlook, struct proposal **out);

/* REFUSED for what is no act, or too large. */
fault proposal_act_read(struct span packed, struct Chaski__Act **out);
/* Is it a draft of a kind that people propose? REFUSED. */
fault proposal_act_check(const struct Chaski__Act *act);
/* Was it proposed about now? An act that comes from another machine shows whether the clocks agree
 * before a wrong one dates an act for good. behind_ms: how long it may have been on its way.
 * last_ms: of the last act, by which a draft may go too. REFUSED names both clocks. */
fault proposal_act_check_time(const struct Chaski__Act *act, int64_t last_ms, int64_t behind_ms);

void proposal_act_free(struct Chaski__Act **act);
#define PROPOSAL_ACT __attribute__((cleanup(proposal_act_free))) struct Chaski__Act *

#endif
