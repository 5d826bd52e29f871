// SPDX-License-Identifier: MIT
/*
 * anchors - fingerprints of what a verdict rests on: the authority's certificates and the key that
 * signs its directory. They are for people to compare with what the authority has made known.
 */
#ifndef TOOLS_AUDIT_ANCHORS_H
#define TOOLS_AUDIT_ANCHORS_H

#include "lib/crypto/digest.h"
#include "lib/crypto/note.h"

#define ANCHORS_CERTIFICATES_MAX 64

struct anchors {
    struct sha256 file; /* of trust.pem as it stands */
    size_t certificates;
    struct sha256 certificate[ANCHORS_CERTIFICATES_MAX]; /* of each DER; sorted */
    bool unread; /* the file holds blocks that are no certificate, or too many */
    char vkey[400];
};

/* IO_FAILED, NOT_FOUND. */
fault anchors_read(const char *trust_file, const struct note_key *authority, struct anchors *out);
/* Do they let in the same? Files may differ in order and blanks, not in certificates. */
bool anchors_equal(const struct anchors *a, const struct anchors *b);

#endif
