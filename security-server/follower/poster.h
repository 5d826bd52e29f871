// SPDX-License-Identifier: MIT
/*
 * poster - hands to the authority what the exchange process leaves for it in
 * <audit_folder>/directory/: this server's cosignature of the directory's newest head, its request
 * for the next certificate, and an act of its own.
 */
#ifndef FOLLOWER_POSTER_H
#define FOLLOWER_POSTER_H

#include "lib/bus/anchor_file.h"
#include "security-server/follower/fetcher.h"

struct poster;

struct poster_mail {
    const char *file;   /* below <audit_folder>/directory/ */
    const char *place;  /* of the URL: "/directory/cosignature" */
    const char *answer; /* below <audit_folder>/followed/: where the answer goes; NULL: nowhere */
    size_t bytes_max;   /* of the file; the answer has as many */
};
extern const struct poster_mail poster_cosignature, poster_renewal, poster_act;

/* All borrowed. */
struct poster *poster_new(struct fetcher *fetcher, const char *audit_folder,
                          const struct anchor_file *anchor, const struct poster_mail *mail);
void poster_free(struct poster **self);
/* To be called every second or so: posts what is new, to the addresses in turn until one takes it,
 * FOLLOW_POST_TRIES_MAX times; then the next change of the file is waited for. */
void poster_look(struct poster *self);

#endif
