// SPDX-License-Identifier: MIT
#include "security-server/keys/key_store.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/certificate_request.h"
#include "lib/crypto/sealed_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512

static fault path_of(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the keys folder's name is too long");
}

static fault load(struct key_store *self, const char *folder, const char *name, enum key_kind kind,
                  struct keypair **out)
{
    char path[PATH_BYTES];
    TRY(path_of(folder, name, path));
    return keypair_load_sealed(path, kind, &self->opener, out);
}

/* The certificate must be of this very key: signs once and verifies. */
static fault check_pair(struct keypair *key, struct certificate *certificate, const char *what)
{
    uint8_t digest[SHA256_BYTES] = {1}, signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    TRY(keypair_sign_digest(key, digest, signature, &size));
    if (failed(certificate_verify_digest(certificate, digest, span_of(signature, size))))
        return RAISE(BAD_KEY, "%s is not the certificate of sign.key", what);
    return DONE;
}

static fault load_signer(const char *folder, struct key_store *self)
{
    char path[PATH_BYTES];
    OWNED(certificate) certificate = NULL;
    TRY(load(self, folder, "sign.key", KEY_P256, &self->sign));
    TRY(path_of(folder, "sign.crt", path));
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return DONE; /* it is to be enrolled */
    if (failed(certificate_load(path, &certificate)))
        return RAISE(BAD_KEY, "%s: %s", path, fault_detail());
    TRY(check_pair(self->sign, certificate, path));
    cades_template_make(certificate, &self->template);
    self->subject = *certificate_subject(certificate);
    self->certified = true;
    return DONE;
}

// --- the next signing key -----------------------------------------------------------------------

static fault seal_file(const char *path, struct span passphrase)
{
    OWNED(secret) plain = NULL;
    OWNED(bytes) sealed = NULL;
    TRY(key_file_read_as_is(path, &plain));
    TRY(sealed_key_make(secret_span(plain), passphrase, &sealed));
    return file_replace(path, bytes_span(sealed), 0600);
}

/* Under another name until it is whole: one that was begun and not ended is overwritten. */
static fault make_next(const char *folder, const char *path, struct span passphrase)
{
    char beside[PATH_BYTES];
    OWNED(keypair) key = NULL;
    TRY(path_of(folder, "sign.next.key.new", beside));
    unlink(beside);
    TRY(keypair_make(KEY_P256, &key));
    TRY(keypair_save(key, beside));
    if (passphrase.size > 0)
        TRY(seal_file(beside, passphrase));
    if (rename(beside, path) != 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    return file_sync_folder(folder);
}

fault key_store_prepare(struct key_store *self, const char *folder, struct span passphrase,
                        const char *server)
{
    char path[PATH_BYTES];
    if (self->sign == NULL || !self->certified)
        return DONE;
    TRY(path_of(folder, "sign.next.key", path));
    text_format(self->server, sizeof self->server, "%s", server);
    if (access(path, F_OK) != 0)
        TRY(make_next(folder, path, passphrase));
    self->opener.passphrase = passphrase;
    fault f = keypair_load_sealed(path, KEY_P256, &self->opener, &self->next);
    self->opener.passphrase = (struct span){0};
    TRY(f);
    return keypair_request(self->next, &self->subject, &self->next_request);
}

static fault certify_next(struct key_store *self, struct span der)
{
    OWNED(certificate) certificate = NULL;
    if (self->next == NULL)
        return RAISE(REFUSED, "no certificate is waited for");
    TRY(certificate_parse(der, &certificate));
    TRY(check_pair(self->next, certificate, "what the directory has"));
    cades_template_make(certificate, &self->template);
    keypair_free(&self->sign);
    self->sign = TAKE(self->next);
    bytes_free(&self->next_request);
    return DONE;
}

fault key_store_certify(struct key_store *self, struct span der)
{
    OWNED(certificate) certificate = NULL;
    if (self->sign == NULL)
        return RAISE(REFUSED, "a token holds the signing key, and not this process");
    if (self->certified)
        return certify_next(self, der);
    TRY(certificate_parse(der, &certificate));
    TRY(check_pair(self->sign, certificate, "what the directory has"));
    cades_template_make(certificate, &self->template);
    self->certified = true;
    return DONE;
}

static fault load_witness(const char *folder, struct key_store *self)
{
    char path[PATH_BYTES];
    TRY(path_of(folder, "witness.key", path));
    return access(path, F_OK) == 0
               ? keypair_load_sealed(path, KEY_ED25519, &self->opener, &self->witness)
               : DONE;
}

static fault load_seals(const char *folder, struct key_store *self)
{
    for (unsigned i = 0; i < SEAL_KEYS_MAX; i++) {
        char name[32], path[PATH_BYTES];
        OWNED(bytes) public_key = NULL;
        text_format(name, sizeof name, i == 0 ? "seal.key" : "seal.%u.key", i);
        TRY(path_of(folder, name, path));
        if (i > 0 && access(path, F_OK) != 0)
            return DONE;
        TRY(keypair_load_sealed(path, KEY_X25519, &self->opener, &self->seal[i]));
        self->seals = i + 1;
        TRY(keypair_public(self->seal[i], &public_key));
        seal_key_id(public_key->data, self->seal_id[i]);
    }
    return DONE;
}

static fault load_store_key(const char *folder, struct key_store *self)
{
    char path[PATH_BYTES];
    TRY(path_of(folder, STORE_KEY_FILE, path));
    self->store_made = access(path, F_OK) != 0;
    if (self->store_made)
        TRY(store_key_make(path, (struct span){0}));
    return store_key_load(path, &self->opener, &self->store);
}

fault key_store_load(const char *folder, struct span passphrase, bool token, struct key_store **out)
{
    OWNED(key_store) self = owned_new(sizeof *self);
    self->opener.passphrase = passphrase;
    if (!token)
        TRY(load_signer(folder, self));
    TRY(load(self, folder, "log.key", KEY_ED25519, &self->log));
    TRY(load_witness(folder, self));
    TRY(load_seals(folder, self));
    TRY(load_store_key(folder, self));
    self->opener.passphrase = (struct span){0};
    *out = TAKE(self);
    return DONE;
}

void key_store_free(struct key_store **self)
{
    if (*self == NULL)
        return;
    keypair_free(&(*self)->sign);
    keypair_free(&(*self)->next);
    bytes_free(&(*self)->next_request);
    keypair_free(&(*self)->log);
    keypair_free(&(*self)->witness);
    key_wrap_free(&(*self)->store);
    for (size_t i = 0; i < (*self)->seals; i++)
        keypair_free(&(*self)->seal[i]);
    free(*self);
    *self = NULL;
}
