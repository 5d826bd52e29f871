// SPDX-License-Identifier: MIT
#include "security-server/transport_key.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/key_file.h"
#include "lib/crypto/sealed_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512

static fault path_of(const struct server_config *config, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", config->keys_folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "keys_folder is too long");
}

static fault load(const struct server_config *config, const char *name, struct curve_keys *out)
{
    char path[PATH_BYTES];
    OWNED(secret) content = NULL;
    struct key_opener opener = {.passphrase = secret_span(config->passphrase)};
    TRY(path_of(config, name, path));
    TRY(key_file_read(path, &opener, &content));
    return failed(curve_parse(secret_span(content), out))
               ? RAISE(BAD_KEY, "key file %s: %s", path, fault_detail())
               : DONE;
}

fault transport_key_load(const struct server_config *config, struct curve_keys *out)
{
    return load(config, "transport.key", out);
}

// --- the next one -------------------------------------------------------------------------------

static fault seal_file(const char *path, struct span passphrase)
{
    OWNED(secret) plain = NULL;
    OWNED(bytes) sealed = NULL;
    TRY(key_file_read_as_is(path, &plain));
    TRY(sealed_key_make(secret_span(plain), passphrase, &sealed));
    return file_replace(path, bytes_span(sealed), 0600);
}

/* Under another name until it is whole: one that was begun and not ended is overwritten. */
static fault make_next(const struct server_config *config, const char *path)
{
    char beside[PATH_BYTES];
    struct curve_keys keys;
    TRY(path_of(config, "transport.next.key.new", beside));
    unlink(beside);
    curve_make(&keys);
    fault f = curve_save(&keys, beside);
    explicit_bzero(&keys, sizeof keys);
    TRY(f);
    if (config->passphrase != NULL)
        TRY(seal_file(beside, secret_span(config->passphrase)));
    if (rename(beside, path) != 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    return file_sync_folder(config->keys_folder);
}

fault transport_key_next(const struct server_config *config, struct curve_keys *out)
{
    char path[PATH_BYTES];
    TRY(path_of(config, TRANSPORT_NEXT_FILE, path));
    if (access(path, F_OK) != 0)
        TRY(make_next(config, path));
    return load(config, TRANSPORT_NEXT_FILE, out);
}

fault transport_key_take(const struct server_config *config)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    TRY(path_of(config, TRANSPORT_NEXT_FILE, from));
    TRY(path_of(config, "transport.key", to));
    if (rename(from, to) != 0)
        return RAISE(IO_FAILED, "%s: %s", from, strerror(errno));
    return file_sync_folder(config->keys_folder);
}
