// SPDX-License-Identifier: MIT
#include "tools/audit/json_text.h"

#include "lib/base/text.h"
#include "lib/evidence/printable.h"

#include <stdlib.h>

json_t *json_text(struct span words)
{
    json_t *text = json_stringn(words.size == 0 ? "" : (const char *)words.at, words.size);
    if (text == NULL) {
        OWNED(printable) shown = printable_of(words);
        text = json_string(shown->text);
    }
    if (text == NULL)
        abort(); /* out of memory */
    return text;
}

void json_put_text(json_t *object, const char *name, struct span words)
{
    json_object_set_new(object, name, json_text(words));
}

void json_put_number(json_t *object, const char *name, uint64_t number)
{
    json_object_set_new(object, name, json_integer((json_int_t)number));
}

void json_put_hash(json_t *object, const char *name, struct span hash)
{
    char hex[2 * 32 + 1];
    text_hex(hash, hex, sizeof hex);
    json_object_set_new(object, name, json_string(hex));
}
