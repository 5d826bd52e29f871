// SPDX-License-Identifier: MIT
/*
 * soap_answer - what SOAP callers are answered: faults, and empty lists of methods. Pure.
 * Source: X-Road PR-MESS, PR-META; SOAP 1.1 section 4.4; ref C.4, D.
 */
#ifndef GATEWAY_SOAP_ANSWER_H
#define GATEWAY_SOAP_ANSWER_H

#include "gateway/refusal.h"
#include "gateway/soap.h"

/* faultcode, faultstring, faultactor, detail/faultDetail. The refusal's in_soap is set by the
 * caller; a wrong version of SOAP has the code that SOAP 1.1 itself gives it. */
void soap_fault_write(const struct refusal *self, enum refusal_style style, struct bytes *out);

/* listMethodsResponse or allowedMethodsResponse without a service: none here is a SOAP service. The
 * header repeats the request's, with the hash of `request`, its bytes as they came. */
void soap_methods_write(const struct soap_message *message, struct span request, struct bytes *out);

#endif
