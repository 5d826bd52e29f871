// SPDX-License-Identifier: MIT
/*
 * anchor_file - what a node is given of its country before it knows anything: `chaski.anchor`.
 *
 *   {
 *     "chaski_anchor": 1,
 *     "instance": "CO",
 *     "trust": [base64 of a DER certificate, ...],    anchors of all certificates
 *     "directory": "NAME+HEX+BASE64",                 verifier key of the directory's log
 *     "addresses": ["https://HOST/...", ...],         `/directory/...` lies below each; tried in
 * turn "push": [{"address": "tcp://HOST:PORT", "key": 64 hex digits (CURVE)}, ...],   maybe none
 *     "intake_key": 64 hex digits (X25519),   maybe missing; proofs of a request for enrolment are
 *                                             made for it (registry/serve/enrolment.h)
 *     "made": seconds since 1970, "expires": likewise
 *   }
 *
 * Nothing else may stand in it. Canonical form: keys sorted, no blanks, UTF-8 unescaped, no line
 * end. Its SHA-256, in groups of four hex digits, is what two people compare on the telephone: so
 * blanks and line ends of the file, and nothing else, may differ.
 */
#ifndef BUS_ANCHOR_FILE_H
#define BUS_ANCHOR_FILE_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"
#include "lib/crypto/note.h"

#define ANCHOR_FINGERPRINT_ROOM 80 /* 16 groups of 4, blanks between, NUL */

struct anchor_push {
    char address[ANCHOR_URL_BYTES_MAX];
    uint8_t key[32]; /* public CURVE key of the sender */
};

struct anchor_file {
    char instance[ID_PART_BYTES_MAX + 1];
    size_t certificates;
    struct bytes *certificate[ANCHOR_CERTIFICATES_MAX]; /* DER */
    struct note_key directory;
    size_t addresses;
    char address[ANCHOR_ADDRESSES_MAX][ANCHOR_URL_BYTES_MAX]; /* without a slash at the end */
    size_t pushes;
    struct anchor_push push[ANCHOR_PUSHES_MAX];
    bool has_intake;
    uint8_t intake_key[32]; /* when it has one */
    int64_t made_s, expires_s;
};

/* BAD_CONFIG says what is wrong with it. The time is not looked at. */
fault anchor_file_parse(struct span json, struct anchor_file **out);
fault anchor_file_read(const char *path, struct anchor_file **out); /* and NOT_FOUND, IO_FAILED */
void anchor_file_free(struct anchor_file **self);

/* Has it been made, and not expired? BAD_CONFIG says what to do. */
fault anchor_file_check_time(const struct anchor_file *self, int64_t now_ms);

/* The canonical form, or one for people (indented, with a line end); bytes_free() it. BAD_CONFIG
 * when it could not be read again. */
fault anchor_file_write(const struct anchor_file *self, bool canonical, struct bytes **out);
fault anchor_file_fingerprint(const struct anchor_file *self, char out[ANCHOR_FINGERPRINT_ROOM]);

/* The certificates in PEM; bytes_free() it. And the other way: adds all of a PEM text. */
fault anchor_file_pem(const struct anchor_file *self, struct bytes **out);
fault anchor_file_add_pem(struct anchor_file *self, struct span pem); /* BAD_CONFIG */

#endif
