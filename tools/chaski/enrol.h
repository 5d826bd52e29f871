// SPDX-License-Identifier: MIT
/*
 * enrol - what the rooms of `chaski enrol` share: the request for enrolment of a server, from the
 * agency's side. What the authority reads: registry/serve/enrolment.h.
 *
 *   KEYS/enrolment.json   {"fingerprint": of the anchor that the operator compared, "at": URL,
 *                          "request": as it is sent, with its proofs,
 *                          "awaits_certificate": true while an outside authority has not issued it:
 *                           nothing is sent before}
 *
 * It is written once, together with the keys, and sent again as often as needed: so the request
 * keeps its id whatever interrupts us.
 */
#ifndef TOOLS_CHASKI_ENROL_H
#define TOOLS_CHASKI_ENROL_H

#include "lib/bus/anchor_file.h"
#include "lib/crypto/digest.h"
#include "tools/chaski/keys.h"

#include <jansson.h>

#define ENROL_FILE "enrolment.json"

enum enrol_state { ENROL_WAITING, ENROL_PREPARED, ENROL_APPROVED, ENROL_REFUSED };

/* Exit status beside the usual ones, for scripts. */
#define ENROL_EXIT_WAITS 3
#define ENROL_WAIT_S_MAX (30 * 86400)
#define ENROL_EXIT_REFUSED 4

struct enrol_subsystem {
    const char *code, *name;
};

struct enrol_options {
    struct keys_options keys;
    const char *anchor, *at, *fingerprint, *audit, *request;
    const char *request_out;         /* where an outside authority's PKCS#10 goes, or NULL */
    const char *certificate, *chain; /* what it issued, PEM, and those above it; or NULL */
    bool public_agency, anew;
    uint64_t wait_s;
    size_t subsystems;
    struct enrol_subsystem subsystem[ENROLMENT_SUBSYSTEMS_MAX];
};

/* enrol_options.c. BAD_REQUEST: not understood. */
fault enrol_options_take(int argc, char **argv, struct enrol_options *out);
/* Is all there that a first request needs? BAD_REQUEST. */
fault enrol_options_check(const struct enrol_options *options);

/* enrol_tell.c: what the registry answers about a request, for people. */
#define ENROL_SAID_ROOM 400
enum enrol_state enrol_state_of(json_t *answer);
void enrol_tell(const char *server, json_t *answer, enum enrol_state state);
/* Has any of it changed since it was said? Keeps it in `said`. */
bool enrol_is_news(json_t *answer, enum enrol_state state, char said[ENROL_SAID_ROOM]);

/* Clock, disk, reachability and version, said to the operator line by line; json_decref() *out.
 * REFUSED when nothing can come of an enrolment from here: a wrong clock, a full disk, an address
 * that cannot be ours. PEER_UNREACHABLE: the registry is reached by no way. */
fault enrol_self_test(const struct enrol_options *options, const struct anchor_file *anchor,
                      const char *at, json_t **out);

/* The request with all proofs, from keys that lie in `folder`. made: what was just made there, or
 * NULL for keys from earlier. Takes self_test; json_decref() *out. BAD_KEY, BAD_PASSPHRASE,
 * TOKEN_AWAY, TOKEN_REFUSED; REFUSED when the anchor has no intake key. */
fault enrol_request_make(const struct enrol_options *options, const char *folder,
                         const struct keys_public *made, const struct anchor_file *anchor,
                         json_t *self_test, json_t **out);
/* SHA-256 of the canonical form without proofs. */
fault enrol_request_id(json_t *request, struct sha256 *out);

/* enrol_outside.c: the certificate request of a request, as PEM. */
fault enrol_request_out(const char *path, json_t *request);
/* What the request asks for, into what is not given; lent from it. BAD_REQUEST. */
fault enrol_wishes(json_t *request, struct enrol_options *out);
/* Puts the certificates in the place of the certificate request. REFUSED: it is of another key, has
 * ended, or may not sign. sign: the server's own key. */
struct member_key;
fault enrol_add_certificates(const struct enrol_options *options, struct member_key *sign,
                             json_t *root);

/* enrol_vouch.c: argv[0] is "vouch". */
fault enrol_vouch_command(int argc, char **argv);

#endif
