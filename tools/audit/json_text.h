// SPDX-License-Identifier: MIT
/*
 * json_text - words out of a log as JSON text.
 *
 * jansson makes no string of what is not UTF-8, and an object that holds it is lost as a whole: a
 * finding must not vanish because a folder or a word in a log is named badly.
 */
#ifndef TOOLS_AUDIT_JSON_TEXT_H
#define TOOLS_AUDIT_JSON_TEXT_H

#include "lib/base/bytes.h"

#include <jansson.h>

/* As they are when they are UTF-8 (JSON escapes control characters itself), else as printable_of
 * shows them. Never NULL. */
json_t *json_text(struct span words);

/* Members of an object. */
void json_put_text(json_t *object, const char *name, struct span words);
void json_put_number(json_t *object, const char *name, uint64_t number);
void json_put_hash(json_t *object, const char *name, struct span hash);

#endif
