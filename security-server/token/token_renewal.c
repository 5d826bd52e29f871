// SPDX-License-Identifier: MIT
#include "security-server/token/token_renewal.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/renewal.h"
#include "lib/bus/signing_object.h"
#include "lib/crypto/key_file.h"
#include "security-server/renewal_act.h"
#include "security-server/token/old_keys.h"

#include "directory.pb-c.h"
#include "keys.pb-c.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define COMMAND_BYTES 900

struct token_renewal {
    const struct server_config *config;
    struct token_uri settings;
    struct renewal_own own;         /* its points are filled in when an act is judged */
    struct token *token;            /* lent; NULL: none is open */
    char object[TOKEN_OBJECT_ROOM]; /* that signs under sign.crt; "": the settings name it by id */
    atomic_flag busy;
    bool cleared;
};

// --- made and freed -----------------------------------------------------------------------------

/* seal.key, seal.1.key and so on; a process that knew them from the exchange would believe it. */
static fault read_seals(struct token_renewal *self)
{
    struct key_opener opener = {.passphrase = secret_span(self->config->passphrase)};
    for (unsigned i = 0; i < SEAL_KEYS_MAX; i++) {
        char path[PATH_BYTES];
        OWNED(keypair) key = NULL;
        OWNED(bytes) point = NULL;
        bool fits =
            i == 0 ? text_format(path, sizeof path, "%s/seal.key", self->config->keys_folder)
                   : text_format(path, sizeof path, "%s/seal.%u.key", self->config->keys_folder, i);
        if (!fits)
            return RAISE(BAD_CONFIG, "keys_folder is too long");
        if (i > 0 && access(path, F_OK) != 0)
            return DONE;
        TRY(keypair_load_sealed(path, KEY_X25519, &opener, &key));
        TRY(keypair_public(key, &point));
        seal_key_id(point->data, self->own.seal_id[self->own.seals++]);
    }
    return DONE;
}

fault token_renewal_new(const struct server_config *config, struct token_renewal **out)
{
    OWNED(token_renewal) self = owned_new(sizeof *self);
    self->config = config;
    self->own.server = config->server;
    atomic_flag_clear(&self->busy);
    TRY(token_uri_parse(config->sign_key, &self->settings));
    fault f = read_seals(self);
    if (failed(f)) { /* headers are signed all the same */
        self->own.seals = 0;
        EVENT(WARN, "token.seals_not_read", E_FAULT(f),
              E_TEXT("remedy", "no renewal of the signing key is approved before the server's next "
                               "start: see to the file, or the passphrase"));
    }
    *out = TAKE(self);
    return DONE;
}

void token_renewal_free(struct token_renewal **self)
{
    free(*self);
    *self = NULL;
}

void token_renewal_use(struct token_renewal *self, struct token *token)
{
    struct token_uri uri = self->settings;
    self->token = token;
    if (token != NULL && !failed(signing_object_take(self->config->keys_folder, &uri)))
        text_format(self->object, sizeof self->object, "%s", uri.object);
}

fault token_renewal_object(const struct token_renewal *self, char out[TOKEN_OBJECT_ROOM])
{
    return signing_object_read(self->config->keys_folder, SIGNING_NEXT_OBJECT_FILE, &self->settings,
                               out);
}

// --- the next key -------------------------------------------------------------------------------

struct next_key {
    struct token *alias;
    struct token_session *session;
    uint8_t point[P256_POINT_BYTES];
};

static void next_key_close(struct next_key *self)
{
    token_session_free(&self->session);
    if (self->alias != NULL)
        token_alias_free(&self->alias);
}

static fault sign_by_session(void *owner, const uint8_t digest[32],
                             uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *size)
{
    return token_session_sign(owner, digest, out, size);
}

/* One that nothing in the token has; on disk before there is a key of that name. */
static fault choose_name(const struct token_renewal *self, char out[TOKEN_OBJECT_ROOM])
{
    for (unsigned attempt = 0; attempt < TOKEN_NAMES_MAX; attempt++) {
        size_t private_keys = 0, public_keys = 0;
        signing_object_name(&self->settings, clock_wall_ms(), attempt, out);
        struct token *alias = token_alias(self->token, out);
        fault f = token_count_keys(alias, &private_keys, &public_keys);
        token_alias_free(&alias);
        TRY(f);
        if (private_keys + public_keys == 0)
            return signing_object_write(self->config->keys_folder, SIGNING_NEXT_OBJECT_FILE,
                                        &self->settings, out);
    }
    return RAISE(TOKEN_REFUSED, "the token holds %d keys with today's date already",
                 TOKEN_NAMES_MAX);
}

static void say_not_made(const struct token_renewal *self, const char *object, fault f)
{
    char command[COMMAND_BYTES];
    const struct token_uri *uri = &self->settings;
    bool named = uri->token[0] != '\0'; /* else by its number, and there may be one only */
    text_format(command, sizeof command,
                "pkcs11-tool --module %s%s%s%s --login --keypairgen --key-type EC:prime256v1 "
                "--usage-sign --sensitive --label '%s'",
                self->config->token_module, named ? " --token-label '" : "", uri->token,
                named ? "'" : "", object);
    EVENT(WARN, "token.key_not_made", E_FAULT(f), E_TEXT("object", object),
          E_TEXT("command", command),
          E_TEXT("remedy", "let the server's user make keys in the token, or make this one by the "
                           "command, or the token's own tool, as somebody who may: it is found by "
                           "its label within the hour; what signs now goes on"));
}

/* A stop while it was being made can leave a public half without a private one. */
static fault make(const struct token_renewal *self, struct next_key *out)
{
    size_t private_keys = 0, public_keys = 0;
    TRY(token_count_keys(out->alias, &private_keys, &public_keys));
    if (private_keys > 0)
        return token_public(out->alias, out->point);
    if (public_keys > 0)
        TRY(token_remove_key(out->alias));
    TRY(token_make_key(out->alias, out->point));
    EVENT(INFO, "token.key_made", E_TEXT("token", self->settings.token));
    return DONE;
}

static fault open_next(const struct token_renewal *self, const char *object, bool may_make,
                       struct next_key *out)
{
    if (self->token == NULL)
        return RAISE(TOKEN_AWAY, "no token is open");
    out->alias = token_alias(self->token, object);
    fault f = may_make ? make(self, out) : token_public(out->alias, out->point);
    if (failed(f) && may_make)
        say_not_made(self, object, f);
    if (!failed(f))
        f = token_session_open(out->alias, &out->session);
    if (failed(f))
        next_key_close(out);
    return f;
}

// --- asking for a certificate -------------------------------------------------------------------

static fault write_request(const struct token_renewal *self, struct next_key *next,
                           const struct certificate_subject *subject,
                           const struct digest_signer *now, uint8_t *out, size_t *size)
{
    struct sha256 digest;
    size_t signature = 0;
    OWNED(bytes) request = NULL;
    const struct digest_signer own = {sign_by_session, next->session};
    TRY(certificate_request_make(next->point, subject, &own, &request));
    if (1 + P256_SIGNATURE_BYTES_MAX + request->size > TOKEN_RESULT_BYTES_MAX)
        return RAISE(INTERNAL, "a request of %zu bytes", request->size);
    TRY(renewal_digest(self->config->server, bytes_span(request), &digest));
    TRY(now->sign(now->owner, digest.at, out + 1, &signature));
    out[0] = (uint8_t)signature;
    memcpy(out + 1 + signature, request->data, request->size);
    *size = 1 + signature + request->size;
    return DONE;
}

static fault request(struct token_renewal *self, const struct token_desk *desk,
                     const struct digest_signer *now, uint8_t *out, size_t *size)
{
    char object[TOKEN_OBJECT_ROOM];
    struct next_key next = {0};
    if (desk->next_certificate != NULL)
        return RAISE(KEY_UNKNOWN, "the next signing key signs already");
    if (self->token == NULL)
        return RAISE(TOKEN_AWAY, "no token is open");
    fault f = token_renewal_object(self, object);
    if (f.code == NOT_FOUND)
        f = choose_name(self, object);
    TRY(f);
    TRY(open_next(self, object, true, &next));
    f = write_request(self, &next, certificate_subject(desk->certificate), now, out, size);
    next_key_close(&next);
    return f;
}

/* One errand at a time: an earlier one may still be in the module when the exchange waits no more.
 */
static fault begin(struct token_renewal *self)
{
    return atomic_flag_test_and_set(&self->busy)
               ? RAISE(OVERLOADED, "the token is busy with another key")
               : DONE;
}

static fault end(struct token_renewal *self, const char *step, fault f)
{
    if (failed(f) && f.code != KEY_UNKNOWN)
        EVENT(WARN, "token.renewal_failed", E_TEXT("step", step), E_FAULT(f));
    atomic_flag_clear(&self->busy);
    return f;
}

fault token_renewal_request(struct token_renewal *self, const struct token_desk *desk,
                            const struct digest_signer *now, uint8_t out[TOKEN_RESULT_BYTES_MAX],
                            size_t *size)
{
    TRY(begin(self));
    return end(self, "request", request(self, desk, now, out, size));
}

// --- approving the act --------------------------------------------------------------------------

static fault approve(struct token_renewal *self, const struct token_desk *desk,
                     const struct digest_signer *now, const Chaski__ApproveRenewal *job,
                     uint8_t *out, size_t *size)
{
    char object[TOKEN_OBJECT_ROOM];
    struct next_key next = {0};
    if (desk->next_certificate != NULL)
        return RAISE(KEY_UNKNOWN, "the next signing key signs already");
    TRY(token_renewal_object(self, object));
    TRY(open_next(self, object, false, &next));
    memcpy(self->own.next, next.point, sizeof self->own.next);
    next_key_close(&next);
    TRY(p256_of_certificate(certificate_der(desk->certificate), self->own.now));
    Chaski__Act *act = chaski__act__unpack(NULL, job->act.len, job->act.data);
    if (act == NULL)
        return RAISE(BAD_FRAME, "that is no act");
    fault f = renewal_act_check(&self->own, act);
    struct sha256 digest = act_approval_digest(act, job->instance);
    chaski__act__free_unpacked(act, NULL);
    TRY(f);
    return now->sign(now->owner, digest.at, out, size);
}

fault token_renewal_approve(struct token_renewal *self, const struct token_desk *desk,
                            const struct digest_signer *now, const Chaski__ApproveRenewal *job,
                            uint8_t out[TOKEN_RESULT_BYTES_MAX], size_t *size)
{
    TRY(begin(self));
    return end(self, "act", approve(self, desk, now, job, out, size));
}

// --- taking over --------------------------------------------------------------------------------

static fault check_next(const struct token_renewal *self, struct certificate *certificate)
{
    char object[TOKEN_OBJECT_ROOM];
    uint8_t digest[SHA256_BYTES] = {3}, signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct next_key next = {0};
    TRY(token_renewal_object(self, object));
    TRY(open_next(self, object, false, &next));
    fault f = token_session_sign(next.session, digest, signature, &size);
    next_key_close(&next);
    TRY(f);
    return failed(certificate_verify_digest(certificate, digest, span_of(signature, size)))
               ? RAISE(BAD_KEY, "what the directory has is not the certificate of the next key")
               : DONE;
}

/* Which key gives way is noted first: the note alone does nothing. */
static fault note_old(const struct token_renewal *self, const struct token_desk *desk)
{
    struct old_keys all;
    TRY(old_keys_read(self->config->keys_folder, &all));
    if (self->object[0] == '\0')
        return DONE;
    old_keys_add(&all, self->object, certificate_not_after_ms(desk->certificate) / 1000);
    return old_keys_write(self->config->keys_folder, &all);
}

static bool is_same(const struct certificate *certificate, struct span der)
{
    return certificate != NULL && span_equal(certificate_der(certificate), der);
}

static fault take(struct token_renewal *self, const struct token_desk *desk, struct span der)
{
    char path[PATH_BYTES];
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    if (is_same(desk->certificate, der) || is_same(desk->next_certificate, der))
        return DONE;
    if (desk->next_certificate != NULL)
        return RAISE(REFUSED, "no certificate is waited for");
    TRY(certificate_parse(der, &certificate));
    TRY(check_next(self, certificate));
    TRY(note_old(self, desk));
    if (!text_format(path, sizeof path, "%s/sign.next.crt", self->config->keys_folder))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    TRY(certificate_pem(certificate, &pem));
    TRY(file_replace(path, bytes_span(pem), 0644));
    return RAISE(KEY_UNKNOWN, "the next certificate is to be read from %s", path);
}

fault token_renewal_take(struct token_renewal *self, const struct token_desk *desk, struct span der)
{
    TRY(begin(self));
    return end(self, "taking over", take(self, desk, der));
}

// --- keys that gave way -------------------------------------------------------------------------

/* True: it need not be looked at again. What a person made, a person removes. */
static bool clear_one(const struct token_renewal *self, const struct old_key *old)
{
    fault f = DONE;
    bool made_here = strcmp(old->object, self->settings.object) != 0;
    if (made_here) {
        struct token *alias = token_alias(self->token, old->object);
        f = token_remove_key(alias);
        token_alias_free(&alias);
    }
    if (made_here && !failed(f)) {
        EVENT(INFO, "token.old_key_removed", E_TEXT("object", old->object));
        return true;
    }
    EVENT(INFO, "token.old_key", E_TEXT("object", old->object),
          E_TEXT("detail", made_here ? fault_detail() : "the settings name it"),
          E_TEXT("remedy", "its certificate has ended and nothing signs with it: it can be removed "
                           "with the token's own tool; the settings stay as they are"));
    return false;
}

static bool is_in_use(const struct token_renewal *self, const char *object)
{
    char next[TOKEN_OBJECT_ROOM];
    return strcmp(object, self->object) == 0 ||
           (!failed(token_renewal_object(self, next)) && strcmp(object, next) == 0);
}

void token_renewal_clear_old(struct token_renewal *self)
{
    struct old_keys all, left = {0};
    if (self->cleared || self->token == NULL)
        return;
    self->cleared = true;
    fault f = old_keys_read(self->config->keys_folder, &all);
    for (size_t i = 0; !failed(f) && i < all.count; i++) {
        const struct old_key *old = &all.key[i];
        bool ended = old->ends_s * 1000 < clock_wall_ms() && !is_in_use(self, old->object);
        if (!ended || !clear_one(self, old))
            left.key[left.count++] = *old;
    }
    if (!failed(f) && left.count < all.count)
        f = old_keys_write(self->config->keys_folder, &left);
    if (failed(f))
        EVENT(WARN, "token.old_keys_not_read", E_FAULT(f));
}
