// SPDX-License-Identifier: MIT
/*
 * write - text at the end of owned bytes. For what we make ourselves (heads, fault texts, pages of
 * a table): no memory ends the process, as with all small allocations. Bodies go through
 * bytes_append.
 */
#ifndef GATEWAY_WRITE_H
#define GATEWAY_WRITE_H

#include "lib/base/bytes.h"

void write_span(struct bytes *out, struct span text);
void write_text(struct bytes *out, const char *text);
void write_number(struct bytes *out, uint64_t number);
void write_format(struct bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes. What is not UTF-8 becomes U+FFFD. */
void write_json(struct bytes *out, struct span text);
/* Character data for an XML element. What XML cannot hold becomes U+FFFD. */
void write_xml(struct bytes *out, struct span text);

#endif
