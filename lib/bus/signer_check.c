// SPDX-License-Identifier: MIT
#include "lib/bus/signer_check.h"

#include "lib/bus/bus_id.h"

fault signer_check(const struct directory_signer *signer, const struct header *header)
{
    if (signer == NULL)
        return RAISE(CERTIFICATE_BAD, "no certificate with this key was ever in the directory");
    if (!signer->trusted)
        return RAISE(CERTIFICATE_BAD, "the certificate of %s leads to no trusted authority",
                     signer->server->id);
    if (header->time_ms < certificate_not_before_ms(signer->certificate) ||
        header->time_ms > certificate_not_after_ms(signer->certificate))
        return RAISE(CERTIFICATE_BAD, "the certificate of %s was not valid at that time",
                     signer->server->id);
    if (!span_is_text(header->sender_server, signer->server->id) ||
        !span_is_text(bus_id_prefix(header->sender, ID_MEMBER), signer->server->member->id))
        return RAISE(NOT_YOURS, "%s signed as somebody else", signer->server->id);
    return DONE;
}
