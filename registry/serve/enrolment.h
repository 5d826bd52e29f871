// SPDX-License-Identifier: MIT
/*
 * enrolment - what an agency sends to have its server enrolled, over HTTP, as JSON (strict: a field
 * that is not known is refused):
 *
 *   server               INSTANCE/CLASS/MEMBER/SERVERCODE
 *   organisation         name of the member;  public_agency  true or false
 *   subsystems           [{"code", "name"}], those that it wants on this server
 *   addresses            ["tcp://HOST:PORT"]
 *   certificate_request  PKCS#10, base64;  or  certificates  [base64 DER], chain of an outside CA
 *   transport_key        64 hex digits;  seal_keys  [64 hex digits], newest first
 *   log_vkey, witness_vkey   C2SP verifier keys; the second may be missing
 *   self_test            any object: shown to operators, not judged
 *   proofs               that the sender has each private key, below
 *
 * Canonical form: without `proofs`, keys sorted, no blanks, UTF-8 unescaped. Its SHA-256 is the
 * request's id. Proofs, base64 or hex as said:
 *
 *   sign             ECDSA P-256 over the id, DER with low S, base64
 *   log, witness     Ed25519 over the 32 bytes of the id, base64
 *   transport, seal  HMAC-SHA-256(X25519(secret key, intake key), "chaski enrol proof v1" || id),
 *                    hex; seal: one for each key. The intake key stands in the anchor.
 */
#ifndef REGISTRY_SERVE_ENROLMENT_H
#define REGISTRY_SERVE_ENROLMENT_H

#include "lib/bus/directory.h"
#include "lib/crypto/keypair.h"

#include <jansson.h>

struct enrolment_subsystem {
    const char *code, *name; /* lent from json */
};

struct enrolment {
    json_t *json; /* whole; the texts below are lent from it */
    struct sha256 id;
    const char *server, *organisation, *log_vkey, *witness_vkey; /* the last maybe "" */
    bool public_agency;
    size_t subsystems;
    struct enrolment_subsystem subsystem[ENROLMENT_SUBSYSTEMS_MAX];
    size_t addresses;
    const char *address[DIRECTORY_ADDRESSES_MAX];
    struct bytes *request; /* PKCS#10, or NULL */
    size_t chain;
    struct bytes *certificate[ENROLMENT_CHAIN_MAX]; /* the server's first */
    uint8_t point[P256_POINT_BYTES];                /* its signing key */
    uint8_t transport_key[32];
    size_t seal_keys;
    uint8_t seal_key[SEAL_KEYS_MAX][32];
    struct note_key log, witness;
};

/* Reads it and checks every proof. REFUSED says which field is wrong. */
fault enrolment_read(struct span text, struct keypair *intake, struct enrolment **out);
/* The same of a request that was checked when it came. */
fault enrolment_again(struct span text, struct enrolment **out);
void enrolment_free(struct enrolment **self);

/* Against the directory: identifiers that may be registered, of this instance, no key that is
 * another's, and a certificate, if it brings one, of an authority that is trusted. REFUSED. */
fault enrolment_check(const struct enrolment *self, const struct directory *state,
                      const struct note_key *directory_log);
/* Must a server of its member stand behind it: has the member servers, and is this a further one,
 * or one of them with other keys? */
bool enrolment_wants_voucher(const struct enrolment *self, const struct directory *state);
/* What the directory has to say about it to operators before they approve: that it replaces keys
 * which stand there, that nobody of its member stands behind it (vouched: somebody does), whom an
 * outside authority's certificate names, and registered identifiers that look like its own, the
 * gravest first; "" nothing. */
void enrolment_warn(const struct enrolment *self, const struct directory *state, bool vouched,
                    char *out, size_t room);

#endif
