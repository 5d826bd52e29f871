// SPDX-License-Identifier: MIT
/*
 * signing_object - which object of its token signs for a server. The settings name the first one;
 * when the server has renewed its key by itself, two lines in its keys folder name another:
 *
 *   <the object that the settings name; its id in hex before it, and a blank, or "- ">\n
 *   <label of the object that is meant instead>\n
 *
 *   sign.object        the one that signs under sign.crt
 *   sign.next.object   the one that signs, or will, under sign.next.crt
 *
 * Whoever names another object in the settings means that one: then the file counts for nothing.
 * docs/decisions/0040.
 */
#ifndef BUS_SIGNING_OBJECT_H
#define BUS_SIGNING_OBJECT_H

#include "lib/crypto/token_uri.h"

#define SIGNING_OBJECT_FILE "sign.object"
#define SIGNING_NEXT_OBJECT_FILE "sign.next.object"

/* settings: the URI as it stands there. NOT_FOUND: no file, or one of other settings. BAD_FRAME,
 * IO_FAILED. */
fault signing_object_read(const char *keys_folder, const char *file,
                          const struct token_uri *settings, char out[TOKEN_OBJECT_ROOM]);
/* Durable when it returns. BAD_CONFIG: a label that is no plain text. IO_FAILED. */
fault signing_object_write(const char *keys_folder, const char *file,
                           const struct token_uri *settings, const char *object);
/* *uri, as the settings have it, becomes that of the object that signs now. */
fault signing_object_take(const char *keys_folder, struct token_uri *uri);

/* A label for the next object: that of the settings, or "sign", with the day behind it, and from
 * the second try of that day on with a number. */
void signing_object_name(const struct token_uri *settings, int64_t now_ms, unsigned attempt,
                         char out[TOKEN_OBJECT_ROOM]);

#endif
