// SPDX-License-Identifier: MIT
/*
 * key_service - what the keys process does for the exchange: fourteen operations, nothing else.
 *
 * sign header       ECDSA over the CAdES attributes of our own certificate, for a given content
 *                   digest and time: it cannot be made to sign anything that is not a leaf of ours.
 * sign checkpoint   Ed25519 over a checkpoint body; never over a smaller size than before, nor over
 *                   another root of the same size.
 * sign cosignature  Ed25519 with the witness key over another log's checkpoint and a time; for each
 *                   log never back, as far as this run knows.
 * derive seal       X25519 + HKDF for a peer's ephemeral key.
 * make, forget seal a sealing key in memory only, and its end.
 * wrap, unwrap      a day key of the payloads, under the store key: AES key wrap.
 * take certificate  of the signing key, once, while it has none; or of the next one, which then is
 *                   the signing key.
 * take, forget subject key   of a year, in memory only; make pseudonym, so many a minute.
 * request renewal   a request for a certificate of the next signing key, signed with the present
 * one. approve renewal   the act that brings it into the directory, and nothing else with it.
 */
#ifndef KEYS_KEY_SERVICE_H
#define KEYS_KEY_SERVICE_H

#include "lib/base/map.h"
#include "security-server/keys/key_store.h"
#include "security-server/keys/seal_ring.h"
#include "security-server/keys/subject_ring.h"

struct key_service {
    struct key_store *store;
    /* the largest checkpoint signed in this run */
    bool has_signed;
    uint64_t signed_size;
    struct sha256 signed_root;
    struct map cosigned; /* origin -> struct cosigned */
    struct seal_ring ring;
    struct subject_ring subjects;
};

/* The tables, and the keys made; the store is the caller's. */
void key_service_clear(struct key_service *self);

/* One datagram in (packed KeysBatch with jobs), one out (with as many results). BAD_FRAME when the
 * bytes are no batch. bytes_free() the answer. */
fault key_service_answer(struct key_service *self, struct span datagram, struct bytes **out);

#endif
