// SPDX-License-Identifier: MIT
#include "lib/bus/store_key.h"

#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"

#define LINE_BYTES (2 * KEY_WRAP_BYTES + 1)

fault store_key_make(const char *path, struct span passphrase)
{
    uint8_t key[KEY_WRAP_BYTES];
    char line[LINE_BYTES + 1];
    random_fill(key, sizeof key);
    text_hex(span_of(key, sizeof key), line, sizeof line);
    line[LINE_BYTES - 1] = '\n';
    fault f = key_file_make(path, span_of(line, LINE_BYTES), passphrase);
    seal_wipe(key, sizeof key);
    seal_wipe(line, sizeof line);
    return f;
}

fault store_key_load(const char *path, struct key_opener *opener, struct key_wrap **out)
{
    uint8_t key[KEY_WRAP_BYTES];
    OWNED(secret) line = NULL;
    TRY(key_file_read(path, opener, &line));
    bool good = line->size == LINE_BYTES && line->data[LINE_BYTES - 1] == '\n' &&
                !failed(text_unhex(span_of(line->data, LINE_BYTES - 1), key, sizeof key));
    fault f = good ? key_wrap_make(key, out) : RAISE(BAD_KEY, "%s is no store key", path);
    seal_wipe(key, sizeof key);
    return f;
}
