// SPDX-License-Identifier: MIT
/*
 * authority_line - the process that holds the authority's keys and alone writes the store, and the
 * line to it (proto/registry.proto, over a SOCK_SEQPACKET pair; one question at a time).
 *
 * It never sees what strangers send but as acts, which it checks as every follower does, and as
 * certificate requests, which OpenSSL reads. It has the store's lock, so that no command changes
 * the store meanwhile; no socket but its line; no exec (seccomp).
 */
#ifndef REGISTRY_SERVE_AUTHORITY_LINE_H
#define REGISTRY_SERVE_AUTHORITY_LINE_H

#include "lib/base/bytes.h"

#include <sys/types.h>

struct authority_line;

/* What the authority added; leaf spans lie in memory of the line, until it is asked again. */
struct authority_news {
    struct bytes *note;      /* checkpoint as published */
    struct bytes *heartbeat; /* or NULL */
    bool unpublished;        /* done and durable; a later beat brings it into the folder */
    uint64_t from;           /* number of the first leaf; unpublished: of the first act asked for */
    size_t leaves;
    struct span *leaf;
    void *answer; /* for authority_news_clear */
};
void authority_news_clear(struct authority_news *self);

/* Forks, so call it before any thread. Opens the store, checks the folder and publishes what is not
 * published yet; `news` holds the first heartbeat. INTERNAL: it has said why in an event; REFUSED
 * and other faults of store_open and publish_look as they are. */
fault authority_line_start(const char *store, const char *folder, struct authority_line **out);
/* Closes the line; it ends what it does first. */
void authority_line_free(struct authority_line **self);

/* Becomes readable between two questions only when the process has gone. */
int authority_line_fd(const struct authority_line *self);
pid_t authority_line_pid(const struct authority_line *self);
/* For REGISTRY_QUIET_MS from its start nothing is to be signed that nobody asks for now. */
bool authority_line_began_quietly(const struct authority_line *self);

/* Packed acts with their approvals; all or none, durable when it returns, and published unless the
 * news say otherwise. REFUSED says why not;
 * IO_FAILED; INTERNAL when the process has gone: it must not be asked again then. Waits for the
 * disk. */
fault authority_line_carry_out(struct authority_line *self, const struct span *acts, size_t count,
                               struct authority_news *out);
/* A heartbeat; the news has leaves when something had to be published. */
fault authority_line_beat(struct authority_line *self, struct authority_news *out);
/* Acts of what outside authorities have revoked, by the proofs in STORE/statuses/revoked/. The news
 * have leaves when there were any. */
fault authority_line_act_on_statuses(struct authority_line *self, size_t *revoked,
                                     struct authority_news *out);
/* A certificate for a PKCS#10 request, DER. REFUSED. */
fault authority_line_certify(struct authority_line *self, struct span request, const char *server,
                             const char *organisation, struct bytes **out);

#endif
