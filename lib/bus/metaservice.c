// SPDX-License-Identifier: MIT
#include "lib/bus/metaservice.h"

#include "lib/bus/bus_id.h"

static const struct {
    const char *code;
    enum metaservice meaning; /* NONE: kept, and not answered as an exchange */
} codes[] = {
    {"listMethods", METASERVICE_LIST_METHODS},
    {"allowedMethods", METASERVICE_ALLOWED_METHODS},
    {"getOpenAPI", METASERVICE_OPENAPI},
    {"subjectAccesses", METASERVICE_SUBJECT},
    {"listClients", METASERVICE_NONE},
    {"getWsdl", METASERVICE_NONE},
    {"getSecurityServerMetrics", METASERVICE_NONE},
    {"getSecurityServerOperationalData", METASERVICE_NONE},
    {"getSecurityServerHealthData", METASERVICE_NONE},
};

enum metaservice metaservice_of(struct span service)
{
    struct span subsystem = bus_id_prefix(service, ID_SUBSYSTEM);
    if (bus_id_count(service) != ID_SERVICE)
        return METASERVICE_NONE;
    struct span code = span_of(service.at + subsystem.size + 1, service.size - subsystem.size - 1);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (span_is_text(code, codes[i].code))
            return codes[i].meaning;
    return METASERVICE_NONE;
}

bool metaservice_is_reserved(struct span code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (span_is_text(code, codes[i].code))
            return true;
    return false;
}
