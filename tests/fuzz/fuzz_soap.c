// SPDX-License-Identifier: MIT
/* Covers gateway/soap.c and soap_answer.c. What is taken for a list has every field that it must
 * have; every answer, of list and of fault, is well-formed XML by another reader (expat, plain). */
#include "gateway/soap_answer.h"

#include <assert.h>
#include <expat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_xml(const struct bytes *text)
{
    XML_Parser parser = XML_ParserCreate(NULL);
    assert(XML_Parse(parser, (const char *)text->data, (int)text->size, XML_TRUE) == XML_STATUS_OK);
    XML_ParserFree(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct soap_message message;
    struct span bytes = span_of(data, size);
    OWNED(bytes) out = bytes_empty(1024);
    fault f = soap_read(bytes, &message);
    if (failed(f)) {
        struct refusal refusal = {
            .code = f.code, .in_soap = true, .detail = fault_detail(), .exchange = "x"};
        soap_fault_write(&refusal, REFUSAL_PASCAL, out);
        must_be_xml(out);
    } else if (message.asks_methods) {
        assert(message.field[SOAP_CLIENT_MEMBER] != NULL && message.field[SOAP_ID] != NULL);
        soap_methods_write(&message, bytes, out);
        must_be_xml(out);
    }
    soap_clear(&message);
    return 0;
}
