// SPDX-License-Identifier: MIT
/*
 * call - the provider's side: a Call from the security server becomes a request to one of our own
 * services, and its answer a Done.
 */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "gateway/gateway.h"

void call_take(struct gateway *gateway, const struct front_call *call);

#endif
