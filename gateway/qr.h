// SPDX-License-Identifier: MIT
/*
 * qr - a text as a QR code in SVG (ISO/IEC 18004, level M, four modules of margin).
 */
#ifndef GATEWAY_QR_H
#define GATEWAY_QR_H

#include "lib/base/bytes.h"

/* Appends the document. INTERNAL: the text is too long for one. */
fault qr_write(const char *text, struct bytes *out);

#endif
