// SPDX-License-Identifier: MIT
#include "gateway/soap_answer.h"

#include "gateway/write.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define HASH_ALGORITHM "http://www.w3.org/2001/04/xmlenc#sha512"

static void write_element(struct bytes *out, const char *name, const char *text)
{
    write_format(out, "<%s>", name);
    write_xml(out, span_of_text(text));
    write_format(out, "</%s>", name);
}

void soap_fault_write(const struct refusal *self, enum refusal_style style, struct bytes *out)
{
    char type[REFUSAL_TYPE_ROOM], message[REFUSAL_MESSAGE_ROOM];
    refusal_type(self, style, type);
    refusal_message(self, message);
    write_text(out, DECLARATION "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"" SOAP_ENVELOPE_XMLNS
                                "\"><SOAP-ENV:Body><SOAP-ENV:Fault>");
    write_element(out, "faultcode", self->code == SOAP_VERSION ? "SOAP-ENV:VersionMismatch" : type);
    write_element(out, "faultstring", message);
    write_text(out, "<faultactor></faultactor><detail>");
    write_element(out, "faultDetail", self->exchange);
    write_text(out, "</detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>");
}

static void write_field(const struct soap_message *message, enum soap_field field, const char *name,
                        struct bytes *out)
{
    if (message->field[field] != NULL)
        write_element(out, name, message->field[field]);
}

static void write_client(const struct soap_message *message, struct bytes *out)
{
    write_format(out, "<xroad:client id:objectType=\"%s\">",
                 message->field[SOAP_CLIENT_SUBSYSTEM] == NULL ? "MEMBER" : "SUBSYSTEM");
    write_field(message, SOAP_CLIENT_INSTANCE, "id:xRoadInstance", out);
    write_field(message, SOAP_CLIENT_CLASS, "id:memberClass", out);
    write_field(message, SOAP_CLIENT_MEMBER, "id:memberCode", out);
    write_field(message, SOAP_CLIENT_SUBSYSTEM, "id:subsystemCode", out);
    write_text(out, "</xroad:client>");
}

static void write_service(const struct soap_message *message, struct bytes *out)
{
    write_text(out, "<xroad:service id:objectType=\"SERVICE\">");
    write_field(message, SOAP_SERVICE_INSTANCE, "id:xRoadInstance", out);
    write_field(message, SOAP_SERVICE_CLASS, "id:memberClass", out);
    write_field(message, SOAP_SERVICE_MEMBER, "id:memberCode", out);
    write_field(message, SOAP_SERVICE_SUBSYSTEM, "id:subsystemCode", out);
    write_field(message, SOAP_SERVICE_CODE, "id:serviceCode", out);
    write_field(message, SOAP_SERVICE_VERSION, "id:serviceVersion", out);
    write_text(out, "</xroad:service>");
}

static void write_hash(struct span request, struct bytes *out)
{
    uint8_t hash[SHA512_BYTES];
    char text[4 * ((SHA512_BYTES + 2) / 3) + 1];
    digest_sha512(&request, 1, hash);
    text_base64(span_of(hash, sizeof hash), text, sizeof text);
    write_format(
        out, "<xroad:requestHash algorithmId=\"" HASH_ALGORITHM "\">%s</xroad:requestHash>", text);
}

void soap_methods_write(const struct soap_message *message, struct span request, struct bytes *out)
{
    write_text(out, DECLARATION "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"" SOAP_ENVELOPE_XMLNS
                                "\" xmlns:id=\"" SOAP_ID_XMLNS "\" xmlns:xroad=\"" SOAP_XROAD_XMLNS
                                "\"><SOAP-ENV:Header>");
    write_client(message, out);
    write_service(message, out);
    write_field(message, SOAP_ID, "xroad:id", out);
    write_field(message, SOAP_USER_ID, "xroad:userId", out);
    write_field(message, SOAP_ISSUE, "xroad:issue", out);
    write_field(message, SOAP_PROTOCOL_VERSION, "xroad:protocolVersion", out);
    write_hash(request, out);
    write_text(out, "</SOAP-ENV:Header><SOAP-ENV:Body>");
    write_format(out, "<xroad:%sResponse/>", message->field[SOAP_SERVICE_CODE]);
    write_text(out, "</SOAP-ENV:Body></SOAP-ENV:Envelope>");
}
