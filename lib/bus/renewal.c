// SPDX-License-Identifier: MIT
#include "lib/bus/renewal.h"

#define CONTEXT "chaski renewal v1"

fault renewal_digest(const char *server, struct span request, struct sha256 *out)
{
    OWNED(bytes) message = bytes_empty(sizeof CONTEXT + ID_TEXT_BYTES_MAX + 1 + request.size);
    TRY(bytes_append(message, span_of(CONTEXT, sizeof CONTEXT))); /* with its zero byte */
    TRY(bytes_append(message, span_of(server, strlen(server) + 1)));
    TRY(bytes_append(message, request));
    *out = SHA256_OF(bytes_span(message));
    return DONE;
}
