// SPDX-License-Identifier: MIT
/*
 * health - /healthz, /readyz and /metrics.
 */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include "gateway/gateway.h"

/* Answers when the target is one of ours; false otherwise. */
bool health_answer(struct gateway *gateway, struct http_connection *connection, struct span method,
                   struct span target);

#endif
