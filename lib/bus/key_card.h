// SPDX-License-Identifier: MIT
/*
 * key_card - to which key letters to a server are sealed, as that server's log says it: a KEY_CARD
 * record (docs/PROTOCOL.md 2). Whoever brings a card proves nothing; it is signed.
 */
#ifndef BUS_KEY_CARD_H
#define BUS_KEY_CARD_H

#include "lib/bus/directory.h"
#include "lib/bus/header.h"

struct key_card {
    struct header_card card;
    int64_t made_ms;        /* of the record: the later card counts */
    uint8_t ski[SKI_BYTES]; /* who signed it */
};

/*
 * Reads a stranger's bytes as a card of this server, at this wall time. BAD_FRAME: no leaf, or no
 * card. INCONSISTENT: of another server. CERTIFICATE_BAD, REVOKED, NOT_YOURS, SIGNATURE_BAD: not
 * signed with a certificate that the directory gives this server, valid when it was made and not
 * revoked by now. FROM_FUTURE: made more than FRESH_FUTURE_MS from now. STALE: its time is over, or
 * is to be longer than any server's may be.
 */
fault key_card_read(const struct directory *directory, const char *server, struct span leaf,
                    int64_t now_ms, struct key_card *out);

#endif
