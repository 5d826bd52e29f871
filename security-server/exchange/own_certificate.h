// SPDX-License-Identifier: MIT
/*
 * own_certificate - says, once a day, when this server's own certificate comes to its end or counts
 * no more: peers refuse what is signed with it from then on. One that is revoked signs nothing more
 * here either, no exchange and no record of our own: all would refuse it, and an audit would find
 * it.
 *
 * Events: certificate.ends_soon (WARN, from CERTIFICATE_ENDS_SOON_MS before the end),
 * certificate.ended, certificate.revoked, certificate.not_trusted, certificate.not_registered
 * (ERROR). Each says what to do.
 */
#ifndef EXCHANGE_OWN_CERTIFICATE_H
#define EXCHANGE_OWN_CERTIFICATE_H

#include "lib/base/event.h"
#include "security-server/exchange/node.h"

struct own_certificate;

/* Looks at once and every second; what it said before it says again after a day. */
struct own_certificate *own_certificate_new(struct node *node);
void own_certificate_free(struct own_certificate **self);

/* OWN_REVOKED when the directory in use says that this node's certificate is revoked. */
fault own_certificate_check(const struct node *node);
/* What a caller can do about such a fault; "" for others. */
const char *own_certificate_remedy(enum fault_code code);

/* What there is to say at this time: the event's name and level, and what to do; false: nothing.
 * signer: as the directory has the certificate, or NULL. For own_certificate, and for tests. */
struct own_certificate_word {
    const char *event;
    enum event_level level;
    const char *what_to_do;
};
bool own_certificate_judge(const struct certificate *certificate,
                           const struct directory_signer *signer, int64_t now_ms,
                           struct own_certificate_word *out);

#endif
