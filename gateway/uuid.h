// SPDX-License-Identifier: MIT
/*
 * uuid - random identifiers of exchanges (RFC 9562, version 4).
 */
#ifndef GATEWAY_UUID_H
#define GATEWAY_UUID_H

#include <stdint.h>

#define UUID_BYTES 16
#define UUID_TEXT_ROOM 37

void uuid_make(uint8_t out[UUID_BYTES]);
/* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" and a NUL. */
void uuid_text(const uint8_t uuid[UUID_BYTES], char out[UUID_TEXT_ROOM]);

#endif
