// SPDX-License-Identifier: MIT
/*
 * standing - what the directory says of the signer of an entry, as files that show it: the acts
 * that registered its member, server, certificate, subsystem and the log's key, those that revoked
 * or removed them, each with the proof that it stands in the directory.
 *
 *   directory/<number>.p7m          an act, signed by the authority
 *   directory/<number>.tlog-proof   that it is entry <number> of the directory
 *   directory/authority.pem         certificate that signs the acts
 *   directory/directory.vkey        key that signs the directory
 *   directory/policy                whose cosignatures under the directory count, if it names any
 *   status/<seconds>.ocsp|.crl      what an outside authority said of its certificate
 */
#ifndef EVIDENCE_STANDING_H
#define EVIDENCE_STANDING_H

#include "lib/evidence/files.h"
#include "lib/evidence/log_view.h"

struct standing_of {
    struct span sender;        /* subsystem, or the server itself */
    struct span sender_server; /* whose certificate signed */
    struct span certificate;   /* DER */
    const char *log_server;    /* whose log the entry is exported from */
    const char *authority;     /* the outside one that issued the certificate, or NULL */
};

struct standing; /* the acts of a directory */

/* folder: the one that `directory` was loaded from, and so verified. DIRECTORY_BAD when its acts
 * are not the ones that were verified. */
fault standing_read(const char *folder, const struct directory *directory,
                    const struct note_key *authority, struct standing **out);
void standing_free(struct standing **self);

const char *standing_folder(const struct standing *self);
uint64_t standing_epoch(const struct standing *self);
/* The directory as it stood after its first `epoch` acts; directory_release() it. DIRECTORY_BAD. */
fault standing_then(const struct standing *self, uint64_t epoch, struct trust *trust,
                    struct directory **out);
/* Adds the files of the acts that say something of it, and of those that say who cosigns the
 * directory. Their proofs lead to the newest head, or to the newest one that a quorum cosigned when
 * all of these acts stand in it. */
fault standing_export(const struct standing *self, const struct standing_of *of,
                      struct files *files);

#endif
