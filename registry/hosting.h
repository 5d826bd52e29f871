// SPDX-License-Identifier: MIT
/*
 * hosting - key and certificate with which operators' programs recognize the registry: STORE/
 * admin.key and admin.pem, from the authority's CA for the names under which it is reached.
 */
#ifndef REGISTRY_HOSTING_H
#define REGISTRY_HOSTING_H

#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"

#define HOSTING_KEY "admin.key"
#define HOSTING_CERTIFICATE "admin.pem"

/* Makes the key when there is none, and a certificate anew. REFUSED for what is no host. */
fault hosting_make(const char *store, struct keypair *ca_key, const struct certificate *ca,
                   const char *instance, const char *const *hosts, size_t count, int64_t now_ms);

#endif
