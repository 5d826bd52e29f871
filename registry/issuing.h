// SPDX-License-Identifier: MIT
/*
 * issuing - the country's further certificate authorities, by which its CA is renewed: keys and
 * certificates besides the first one, and which of them issues.
 *
 *   keys/ca-NAME.key, ca-NAME.pem   P-256; its subject is INSTANCE/AUTHORITY/CA, server NAME
 *   settings.json: "issuer": "NAME"   the one that issues to servers; without it, the first one
 *
 * Nodes trust them by an act (certificate-authority add); the first one stays their anchor, and the
 * issuer of what is shown to operators' programs and on time stamps.
 */
#ifndef REGISTRY_ISSUING_H
#define REGISTRY_ISSUING_H

#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"

/* Both are durable when it returns; the key first. first: the country's first CA, for its names.
 * REFUSED for a name that is taken or none. */
fault issuing_make(const char *store, const char *name, const struct certificate *first,
                   const char *instance, int64_t now_ms);
/* The certificate of that name. NOT_FOUND. */
fault issuing_certificate(const char *store, const char *name, struct certificate **out);
fault issuing_key(const char *store, const char *name, struct keypair **out);
/* From now on NAME issues; whoever has the store open goes on with what it has. "": the first. */
fault issuing_use(const char *store, const char *name);

#endif
