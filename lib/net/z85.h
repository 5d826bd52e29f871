// SPDX-License-Identifier: MIT
/*
 * z85 - the text form of CURVE keys (ZeroMQ RFC 32), reading only.
 */
#ifndef NET_Z85_H
#define NET_Z85_H

#include "lib/base/bytes.h"

/* Exactly out_size bytes (a multiple of 4) from 5 characters for each 4. BAD_REQUEST otherwise. */
fault z85_read(struct span text, uint8_t *out, size_t out_size);

#endif
