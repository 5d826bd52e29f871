// SPDX-License-Identifier: MIT
/*
 * request_acts - from an agency's request to the acts that enrol it.
 */
#ifndef REGISTRY_SERVE_REQUEST_ACTS_H
#define REGISTRY_SERVE_REQUEST_ACTS_H

#include "registry/serve/requests.h"

/* MemberSet when the member is new, ServerSet with a certificate, SubsystemSet for each subsystem
 * wished that is not on this server yet: as proposals without approvals, labelled with the
 * request's id, in this order. REFUSED; INTERNAL. */
fault request_acts_propose(const struct enrolment *enrolment, const char *label, const char *by,
                           const struct outlook *outlook, struct proposals *proposals,
                           struct authority_line *line, char ids[REQUEST_ACTS_MAX][ACT_ID_ROOM],
                           size_t *count);

/* Would this act, made of a request for `server`, only do what was asked for? It says the whole of
 * what it sets: of what has changed since it was made, it would take something back. */
bool request_acts_stand(const struct directory *state, const char *server, struct span packed);

#endif
