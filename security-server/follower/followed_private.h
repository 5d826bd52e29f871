// SPDX-License-Identifier: MIT
/* followed_private - what the two halves of followed share: whole copies, and those that begin with
 * a snapshot. */
#ifndef FOLLOWER_FOLLOWED_PRIVATE_H
#define FOLLOWER_FOLLOWED_PRIVATE_H

#include "lib/crypto/certificate.h"
#include "lib/crypto/merkle.h"
#include "security-server/follower/followed.h"

#define FOLLOWED_PATH_BYTES 512

struct followed {
    char folder[FOLLOWED_PATH_BYTES - 64], exchange[FOLLOWED_PATH_BYTES - 64];
    char refused[FOLLOWED_PATH_BYTES - 64];
    struct note_key anchor;
    struct handovers keys; /* of the directory's log: the anchor's, and those to which acts lead */
    struct trust *trust;
    struct checkpoint head;
    uint64_t begins;    /* the first entry from which on all are held; 0: all are */
    struct merkle tree; /* of the head: news are judged without reading what is held */
    struct heartbeat heartbeat;
};

/* Checks that it signed `newest`, and writes it when it is another one than is held. */
fault followed_keep_authority(const struct followed *self, struct span pem, uint64_t from,
                              const struct span *leaves, size_t count);
/* As the copy in self->folder, whose head is given, stands: its tree, when it leads to the head,
 * and where it begins. */
fault followed_read_tree(const struct followed *self, const struct checkpoint *head,
                         uint64_t *begins, struct merkle *tree);
/* Acts that change the key, among those that are being taken: durably. */
fault followed_note_keys(struct followed *self, const struct span *leaves, size_t count);
/* The exchange process heard of another key first. */
fault followed_learn_from_exchange(struct followed *self);
/* Takes over a copy of the exchange process's that itself lacks its beginning. */
fault followed_begin_from_exchange(struct followed *self, struct span note, struct span pem);

#endif
