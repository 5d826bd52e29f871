// SPDX-License-Identifier: MIT
/* What nodes are given before they know anything: one file, and a fingerprint to be read aloud. */
#include "registry/anchor.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"
#include "lib/net/socket.h"
#include "lib/net/z85.h"

#include <unistd.h>

#define TRUST_BYTES_MAX 65536
#define DAY_S INT64_C(86400)

static fault take_addresses(const struct arguments *arguments, struct anchor_file *anchor)
{
    size_t count = arguments->count[ARGUMENT_URL];
    if (count > ANCHOR_ADDRESSES_MAX)
        return RAISE(REFUSED, "at most %d addresses", ANCHOR_ADDRESSES_MAX);
    for (; anchor->addresses < count; anchor->addresses++)
        if (!text_format(anchor->address[anchor->addresses], ANCHOR_URL_BYTES_MAX, "%s",
                         arguments->value[ARGUMENT_URL][anchor->addresses]))
            return RAISE(REFUSED, "an address of more than %d characters",
                         ANCHOR_URL_BYTES_MAX - 1);
    return DONE;
}

/* The sender is this store's own. */
static fault take_own_push(const struct store *store, const char *address, struct anchor_push *out)
{
    char path[STORE_PATH_BYTES];
    struct curve_keys keys;
    if (!text_format(path, sizeof path, "%s/push.key", store_folder(store)))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(curve_load(path, &keys));
    memcpy(out->key, keys.public_key, sizeof out->key);
    return text_format(out->address, sizeof out->address, "%s", address)
               ? DONE
               : RAISE(REFUSED, "an address of --push is too long");
}

/* ADDRESS[=KEY]: an address holds no '=', a key of Z85 may. */
static fault take_push(const struct store *store, const char *given, struct anchor_push *out)
{
    const char *at = strchr(given, '=');
    if (at == NULL)
        return take_own_push(store, given, out);
    if (!text_format(out->address, sizeof out->address, "%.*s", (int)(at - given), given))
        return RAISE(REFUSED, "--push is tcp://HOST:PORT=KEY");
    struct span key = span_of_text(at + 1);
    fault f = key.size == 2 * sizeof out->key ? text_unhex(key, out->key, sizeof out->key)
                                              : z85_read(key, out->key, sizeof out->key);
    return failed(f)
               ? RAISE(REFUSED, "the key of --push is neither 40 characters of Z85 nor 64 hex "
                                "digits")
               : DONE;
}

static fault take_pushes(const struct store *store, const struct arguments *arguments,
                         struct anchor_file *anchor)
{
    if (arguments->count[ARGUMENT_PUSH] > ANCHOR_PUSHES_MAX)
        return RAISE(REFUSED, "at most %d push addresses", ANCHOR_PUSHES_MAX);
    for (size_t i = 0; i < arguments->count[ARGUMENT_PUSH]; i++)
        TRY(take_push(store, arguments->value[ARGUMENT_PUSH][i], &anchor->push[anchor->pushes++]));
    return DONE;
}

/* A store from before there was one has none, until it is served. */
static fault take_intake(const struct store *store, struct anchor_file *anchor)
{
    char path[STORE_PATH_BYTES];
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    if (!text_format(path, sizeof path, "%s/intake.key", store_folder(store)))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    if (access(path, F_OK) != 0)
        return DONE;
    TRY(keypair_load(path, KEY_X25519, &key));
    TRY(keypair_public(key, &public_key));
    memcpy(anchor->intake_key, public_key->data, sizeof anchor->intake_key);
    anchor->has_intake = true;
    return DONE;
}

static fault take_store(const struct store *store, struct anchor_file *anchor)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) pem = NULL;
    if (!text_format(path, sizeof path, "%s/anchor/trust.pem", store_folder(store)))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_read(path, TRUST_BYTES_MAX, &pem));
    TRY(anchor_file_add_pem(anchor, bytes_span(pem)));
    anchor->directory = *store_log_key(store);
    return text_format(anchor->instance, sizeof anchor->instance, "%s",
                       directory_instance(store_state(store)))
               ? DONE
               : RAISE(REFUSED, "the instance is too long");
}

fault anchor_write(const char *folder, const struct arguments *arguments, struct said *said)
{
    OWNED(store) store = NULL;
    OWNED(anchor_file) anchor = owned_new(sizeof *anchor);
    OWNED(bytes) json = NULL;
    unsigned days = 0;
    char fingerprint[ANCHOR_FINGERPRINT_ROOM], until[32];
    const char *to = arguments_text(arguments, ARGUMENT_TO);
    TRY(arguments_number(arguments, ARGUMENT_DAYS, 1, ANCHOR_DAYS_MAX, ANCHOR_DAYS_DEFAULT, &days));
    TRY(store_look(folder, &store));
    TRY(take_store(store, anchor));
    TRY(take_addresses(arguments, anchor));
    TRY(take_pushes(store, arguments, anchor));
    TRY(take_intake(store, anchor));
    anchor->made_s = clock_wall_ms() / 1000;
    anchor->expires_s = anchor->made_s + days * DAY_S;
    if (failed(anchor_file_write(anchor, false, &json)))
        return RAISE(REFUSED, "%s", fault_detail());
    TRY(anchor_file_fingerprint(anchor, fingerprint));
    TRY(file_replace(to, bytes_span(json), 0644));
    clock_text(anchor->expires_s * 1000, until, sizeof until);
    said_add(said, "The anchor of %s is in %s; nodes begin with it until %s.", anchor->instance, to,
             until);
    said_add(said, "fingerprint: %s", fingerprint);
    said_add(said, "Whoever gets the file reads this aloud to you (`chaski anchor FILE`).");
    return DONE;
}
