// SPDX-License-Identifier: MIT
#include "security-server/transport_key.h"

#include "lib/base/text.h"
#include "lib/crypto/key_file.h"

#define PATH_BYTES 512

fault transport_key_load(const struct server_config *config, struct curve_keys *out)
{
    char path[PATH_BYTES];
    OWNED(secret) content = NULL;
    struct key_opener opener = {.passphrase = secret_span(config->passphrase)};
    if (!text_format(path, sizeof path, "%s/transport.key", config->keys_folder))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    TRY(key_file_read(path, &opener, &content));
    return failed(curve_parse(secret_span(content), out))
               ? RAISE(BAD_KEY, "key file %s: %s", path, fault_detail())
               : DONE;
}
