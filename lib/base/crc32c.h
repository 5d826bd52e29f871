// SPDX-License-Identifier: MIT
/*
 * crc32c - the Castagnoli checksum (RFC 3720 appendix B.4): finds torn and rotten frames. Not a
 * defence against people; the Merkle tree is.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "lib/base/bytes.h"

/* crc of the bytes after those that gave `before` (0 to begin). */
uint32_t crc32c(uint32_t before, struct span bytes);

#endif
