// SPDX-License-Identifier: MIT
/*
 * bus_id - X-Road identifiers: INSTANCE/CLASS/MEMBER[/SUBSYSTEM[/SERVICE]], and servers
 * INSTANCE/CLASS/MEMBER/SERVERCODE. Source: X-Road PR-REST 4.1, 4.3.
 *
 * In memory a part is decoded UTF-8. The text form percent-encodes, in each part, everything but
 * unreserved characters, sub-delims, ':' and '@' (RFC 3986 pchar), so that it splits at '/' and
 * equal identifiers have equal text. Identifiers are compared by that text, case-sensitively.
 */
#ifndef BUS_BUS_ID_H
#define BUS_BUS_ID_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

#define ID_TEXT_BYTES_MAX (3 * ID_BYTES_MAX) /* every byte escaped */

enum id_parts { ID_CLASS = 2, ID_MEMBER = 3, ID_SUBSYSTEM = 4, ID_SERVICE = 5, ID_SERVER = 4 };

struct bus_id {
    unsigned parts; /* 3, 4 or 5 */
    char part[5][ID_PART_BYTES_MAX + 1];
};

/* Parses percent-encoded text with `least` to `most` parts. BAD_NAME: wrong number of parts, an
 * empty or over-long part, broken escape, not UTF-8, or a control character. As lenient as X-Road
 * is while messages flow (an escaped slash stays inside its part). */
fault bus_id_parse(struct span text, unsigned least, unsigned most, struct bus_id *out);

/* What may be registered: also none of : ; / \ % and no zero-width space (U+200B) or byte-order
 * mark (U+FEFF) in any part, and no blank or dot at either end. BAD_NAME says which. X-Road B.9. */
fault bus_id_check_strict(const struct bus_id *self);

/* Canonical text of the first `parts` parts, with closing NUL. Returns its length. */
size_t bus_id_text(const struct bus_id *self, unsigned parts, char *out, size_t room);

/* Is it an identifier of so many parts that stands as it is in all forms: letters, digits, - _ .
 * only? True for most, and then bus_id_parse takes it and bus_id_text writes it so. */
bool bus_id_is_plain(struct span text, unsigned parts);

/* Text of the first `parts` parts of canonical text: a prefix, by counting slashes. */
struct span bus_id_prefix(struct span text, unsigned parts);
unsigned bus_id_count(struct span text); /* number of parts of canonical text */

#endif
