// SPDX-License-Identifier: MIT
/*
 * old_keys - keys of the token that gave way to another one, in keys_folder/sign.old.objects: a
 * line each, "<second in which its certificate ends> <label>". At most TOKEN_OLD_KEYS_MAX; beyond
 * that the oldest line goes, and its key stays in the token.
 */
#ifndef TOKEN_OLD_KEYS_H
#define TOKEN_OLD_KEYS_H

#include "lib/bus/limits.h"
#include "lib/crypto/token_uri.h"

struct old_key {
    int64_t ends_s;
    char object[TOKEN_OBJECT_ROOM];
};

struct old_keys {
    size_t count;
    struct old_key key[TOKEN_OLD_KEYS_MAX];
};

/* None when there is no file. BAD_FRAME, IO_FAILED. */
fault old_keys_read(const char *keys_folder, struct old_keys *out);
/* Durable when it returns. IO_FAILED. */
fault old_keys_write(const char *keys_folder, const struct old_keys *all);
/* One of this label takes the place of an earlier one. */
void old_keys_add(struct old_keys *self, const char *object, int64_t ends_s);

#endif
