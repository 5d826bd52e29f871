// SPDX-License-Identifier: MIT
#include "security-server/keys/keys_process.h"

#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "security-server/keys/key_service.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static fault send_datagram(int line, struct span datagram)
{
    for (;;) {
        ssize_t sent = send(line, datagram.at, datagram.size, MSG_NOSIGNAL);
        if (sent == (ssize_t)datagram.size)
            return DONE;
        if (sent < 0 && errno == EINTR)
            continue;
        return RAISE(IO_FAILED, "the line to the exchange: %s", strerror(errno));
    }
}

/* NULL datagram data: the other side has gone. */
static fault serve(struct key_service *service, int line)
{
    static uint8_t datagram[KEYS_DATAGRAM_BYTES_MAX];
    for (;;) {
        OWNED(bytes) answer = NULL;
        ssize_t got = recv(line, datagram, sizeof datagram, 0);
        if (got == 0)
            return DONE;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return RAISE(IO_FAILED, "the line to the exchange: %s", strerror(errno));
        TRY(key_service_answer(service, span_of(datagram, (size_t)got), &answer));
        TRY(send_datagram(line, bytes_span(answer)));
    }
}

/* Everything that OpenSSL loads lazily must be loaded before the jail closes: do each kind once. */
/* A key of pseudonyms that is opened and used. */
static fault open_subject_once(struct key_store *store)
{
    static const uint8_t none[PSEUDONYM_KEY_BYTES];
    struct subject_ring ring = {0};
    struct subject_key_blob blob;
    struct sha256 commitment = pseudonym_commitment(none), made;
    OWNED(bytes) receiver = NULL;
    OWNED(bytes) sealed = NULL;
    TRY(keypair_public(store->seal[0], &receiver));
    TRY(subject_key_seal("", SUBJECT_YEAR_FIRST, none, receiver->data, &sealed));
    TRY(subject_key_read(bytes_span(sealed), &blob));
    TRY(subject_ring_take(&ring, &blob, "", &commitment, store->seal[0]));
    TRY(subject_ring_make(&ring, SUBJECT_YEAR_FIRST, "CC 1", 0, &made));
    subject_ring_clear(&ring);
    return DONE;
}

static fault do_each_once(struct key_store *store)
{
    static const uint8_t base_point[X25519_PUBLIC_BYTES] = {9};
    uint8_t digest[SHA256_BYTES] = {0}, signature[P256_SIGNATURE_BYTES_MAX], shared[SEAL_KEY_BYTES];
    uint8_t log_signature[ED25519_SIGNATURE_BYTES], wrapped[KEY_WRAPPED_BYTES];
    struct seal_ring ring = {0};
    size_t size = 0;
    TRY(seal_ring_make(&ring, shared));
    seal_ring_clear(&ring);
    if (store->sign != NULL)
        TRY(keypair_sign_digest(store->sign, digest, signature, &size));
    TRY(keypair_sign_message(store->log, span_of(digest, sizeof digest), log_signature));
    TRY(seal_derive(store->seal[0], base_point, shared));
    TRY(open_subject_once(store));
    TRY(key_wrap_wrap(store->store, shared, wrapped));
    TRY(key_wrap_unwrap(store->store, wrapped, shared));
    seal_wipe(shared, sizeof shared);
    return DONE;
}

/* What `chaski keys seal` leaves when it is killed after the keys have changed places. */
static void tell_left_over(const char *folder)
{
    char beside[512];
    if (text_format(beside, sizeof beside, "%s.resealed", folder) && access(beside, F_OK) == 0)
        EVENT(WARN, "keys.left_over", E_TEXT("folder", beside),
              E_TEXT("remedy",
                     "keys as they were before they were sealed anew: the next chaski keys "
                     "seal, unseal or passphrase overwrites and removes them"));
}

static void tell_unsealed(const struct key_store *store)
{
    if (store->opener.unsealed > 0)
        EVENT(WARN, "keys.unsealed", E_NUMBER("files", store->opener.unsealed),
              E_TEXT("remedy", "seal them under a passphrase: chaski keys seal"));
}

static fault start_and_serve(struct server_config *config, int line)
{
    OWNED(key_store) store = NULL;
    TRY(key_store_load(config->keys_folder, secret_span(config->passphrase),
                       config->sign_key[0] != '\0', &store));
    if (config->anchor != NULL) {
        fault f = key_store_prepare(store, config->keys_folder, secret_span(config->passphrase),
                                    config->server);
        if (failed(f)) /* it signs all the same, until its certificate ends */
            EVENT(ERROR, "keys.no_next_key", E_FAULT(f));
    }
    secret_free(&config->passphrase);
    if (store->sign != NULL && !store->certified && config->anchor == NULL)
        return RAISE(BAD_KEY,
                     "%s/sign.crt is missing; only with anchor_file does a node wait for it",
                     config->keys_folder);
    tell_unsealed(store);
    tell_left_over(config->keys_folder);
    if (store->store_made)
        EVENT(WARN, "keys.store_key_made", E_TEXT("file", STORE_KEY_FILE),
              E_TEXT("remedy", "keep a copy of it: without it no kept payload opens"));
    struct key_service service = {.store = store,
                                  .subjects = {.a_minute = config->subjects_a_minute}};
    TRY(do_each_once(store));
    TRY(jail_enter(JAIL_KEYS));
    EVENT(INFO, "keys.ready", E_NUMBER("seal_keys", store->seals),
          E_NUMBER("sealed_files", store->opener.sealed),
          E_NUMBER("unsealed_files", store->opener.unsealed));
    static const uint8_t ready[1] = {'!'};
    TRY(send_datagram(line, span_of(ready, sizeof ready)));
    fault f = serve(&service, line);
    key_service_clear(&service);
    return f;
}

int keys_process_run(struct server_config *config, int line)
{
    fault f = start_and_serve(config, line);
    if (!failed(f))
        return 0;
    EVENT(ERROR, "keys.failed", E_FAULT(f));
    return f.code == BAD_KEY || f.code == BAD_PASSPHRASE || f.code == BAD_CONFIG ? 2 : 1;
}
