// SPDX-License-Identifier: MIT
#include "registry/serve/tls_peer.h"

#include <gnutls/gnutls.h>

fault tls_peer_key(const struct http_request *request, uint8_t out[P256_POINT_BYTES])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0;
    const gnutls_datum_t *chain =
        info == NULL ? NULL : gnutls_certificate_get_peers(info->tls_session, &count);
    if (chain == NULL || count == 0)
        return RAISE(NOT_AUTHENTICATED, "no client certificate");
    return p256_of_certificate(span_of(chain[0].data, chain[0].size), out);
}
