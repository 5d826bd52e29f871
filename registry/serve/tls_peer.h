// SPDX-License-Identifier: MIT
/*
 * tls_peer - the key of who is at the other end of an HTTPS connection: the one place that speaks
 * to GnuTLS.
 *
 * TLS proves that the client has the private key of its certificate; who signed the certificate is
 * nobody's business here, for operators are known by their keys.
 */
#ifndef REGISTRY_SERVE_TLS_PEER_H
#define REGISTRY_SERVE_TLS_PEER_H

#include "lib/crypto/p256.h"
#include "registry/serve/http_server.h"

/* NOT_AUTHENTICATED when the client showed no certificate; BAD_KEY when its key is not P-256. */
fault tls_peer_key(const struct http_request *request, uint8_t out[P256_POINT_BYTES]);

#endif
