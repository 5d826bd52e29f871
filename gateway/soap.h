// SPDX-License-Identifier: MIT
/*
 * soap - a SOAP 1.1 message with X-Road's headers, protocol 4.0, as far as this gateway must know
 * it. Pure. Source: SOAP 1.1 sections 4.1 to 4.3; X-Road PR-MESS; ref D.
 *
 * Read with expat, which opens nothing: no network, no files. A DOCTYPE ends the reading, so there
 * are no entities but the five of XML itself; SOAP 1.1 forbids it anyway (section 3), and
 * processing instructions. Depth, elements and lengths are bounded.
 */
#ifndef GATEWAY_SOAP_H
#define GATEWAY_SOAP_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

#define SOAP_ENVELOPE_XMLNS "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP_XROAD_XMLNS "http://x-road.eu/xsd/xroad.xsd"
#define SOAP_ID_XMLNS "http://x-road.eu/xsd/identifiers"

/* Fields of the header, in the order in which X-Road's schemas have them. */
enum soap_field {
    SOAP_CLIENT_INSTANCE,
    SOAP_CLIENT_CLASS,
    SOAP_CLIENT_MEMBER,
    SOAP_CLIENT_SUBSYSTEM,
    SOAP_SERVICE_INSTANCE,
    SOAP_SERVICE_CLASS,
    SOAP_SERVICE_MEMBER,
    SOAP_SERVICE_SUBSYSTEM,
    SOAP_SERVICE_CODE,
    SOAP_SERVICE_VERSION,
    SOAP_ID,
    SOAP_USER_ID,
    SOAP_ISSUE,
    SOAP_PROTOCOL_VERSION,
    SOAP_FIELDS
};

/* What a message says; texts are owned, NULL where there is none. */
struct soap_message {
    char *field[SOAP_FIELDS];
    bool asks_methods; /* for listMethods or allowedMethods, which stands in SOAP_SERVICE_CODE */
};

/*
 * Reads and checks a whole message; `out` may be cleared also after a fault.
 *
 * SOAP_MALFORMED: not well-formed UTF-8 XML, a DOCTYPE, a processing instruction, or over a bound.
 * SOAP_VERSION, SOAP_INVALID: another envelope, another order. SOAP_NO_HEADER, SOAP_NO_FIELD,
 * SOAP_FIELD_TWICE, SOAP_PROTOCOL. SOAP_NO_BODY, SOAP_BAD_BODY: not exactly one element in it, or
 * not the empty one of listMethods. SOAP_INCONSISTENT: its name is not the service's code.
 */
fault soap_read(struct span bytes, struct soap_message *out);
void soap_clear(struct soap_message *self);

#endif
