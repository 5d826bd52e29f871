// SPDX-License-Identifier: MIT
/* The request for enrolment, and the proofs that its sender has each private key. */
#include "tools/chaski/enrol.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/crypto/key_file.h"
#include "lib/crypto/seal.h"
#include "lib/net/socket.h"
#include "tools/chaski/member_key.h"

#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define PROOF_CONTEXT "chaski enrol proof v1"

/* All that a proof is made with; open only as long as one request is made. */
struct keys {
    struct secret *passphrase;
    struct key_opener opener;
    struct member_key *sign;
    struct keypair *log, *witness, *transport;
    size_t seals;
    struct keypair *seal[SEAL_KEYS_MAX];
};

static void keys_clear(struct keys *self)
{
    member_key_free(&self->sign);
    keypair_free(&self->log);
    keypair_free(&self->witness);
    keypair_free(&self->transport);
    for (size_t i = 0; i < self->seals; i++)
        keypair_free(&self->seal[i]);
    secret_free(&self->passphrase);
}

// --- opening ------------------------------------------------------------------------------------

static fault path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_REQUEST, "the folder's name is too long");
}

static fault open_key(struct keys *self, const char *folder, const char *name, enum key_kind kind,
                      struct keypair **out)
{
    char path[PATH_BYTES];
    TRY(path_in(folder, name, path));
    return keypair_load_sealed(path, kind, &self->opener, out);
}

/* A CURVE key is one of X25519 in a file of another form. */
static fault open_transport(struct keys *self, const char *folder)
{
    char path[PATH_BYTES];
    OWNED(secret) content = NULL;
    struct curve_keys keys;
    TRY(path_in(folder, "transport.key", path));
    TRY(key_file_read(path, &self->opener, &content));
    if (failed(curve_parse(secret_span(content), &keys)))
        return RAISE(BAD_KEY, "%s: %s", path, fault_detail());
    fault f = keypair_from_raw(KEY_X25519, keys.secret_key, &self->transport);
    explicit_bzero(&keys, sizeof keys);
    return f;
}

static fault open_seals(struct keys *self, const char *folder)
{
    for (; self->seals < SEAL_KEYS_MAX; self->seals++) {
        char name[32], path[PATH_BYTES];
        text_format(name, sizeof name, self->seals == 0 ? "seal.key" : "seal.%zu.key", self->seals);
        TRY(path_in(folder, name, path));
        if (self->seals > 0 && access(path, F_OK) != 0)
            return DONE;
        TRY(open_key(self, folder, name, KEY_X25519, &self->seal[self->seals]));
    }
    return DONE;
}

static fault open_keys(const struct enrol_options *options, const char *folder, bool made,
                       struct keys *self)
{
    if (!made && options->keys.passphrase != NULL)
        TRY(secret_read(options->keys.passphrase, "passphrase of the keys", &self->passphrase));
    self->opener.passphrase = made ? options->keys.seal : secret_span(self->passphrase);
    TRY(member_key_open(&options->keys, folder, &self->opener, &self->sign));
    TRY(open_key(self, folder, "log.key", KEY_ED25519, &self->log));
    TRY(open_key(self, folder, "witness.key", KEY_ED25519, &self->witness));
    TRY(open_transport(self, folder));
    return open_seals(self, folder);
}

// --- what is said -------------------------------------------------------------------------------

static json_t *base64_json(struct span bytes)
{
    size_t room = 4 * ((bytes.size + 2) / 3) + 1;
    char *text = owned_array(room, 1);
    text_base64(bytes, text, room);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *hex_json(struct span bytes)
{
    char text[2 * 64 + 1];
    text_hex(bytes, text, sizeof text);
    return json_string(text);
}

static fault add_public(struct keypair *key, json_t **out)
{
    OWNED(bytes) public_key = NULL;
    TRY(keypair_public(key, &public_key));
    *out = hex_json(bytes_span(public_key));
    return DONE;
}

static fault add_vkey(const char *folder, const char *name, const char *field, json_t *root)
{
    char path[PATH_BYTES];
    OWNED(bytes) file = NULL;
    TRY(path_in(folder, name, path));
    TRY(file_read(path, 1024, &file));
    struct span line = bytes_span(file);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    json_object_set_new(root, field, json_stringn((const char *)line.at, line.size));
    return DONE;
}

/* `chaski keys make` wrote the token's own request into a file, for only the token makes one. */
static fault read_request(const struct enrol_options *options, json_t **out)
{
    json_error_t error;
    json_t *root = json_load_file(options->request, JSON_REJECT_DUPLICATES, &error);
    *out = json_incref(json_object_get(root, "certificate_request"));
    json_decref(root);
    return json_is_string(*out) ? DONE
                                : RAISE(BAD_REQUEST, "%s holds no certificate_request: %s",
                                        options->request, error.text);
}

static fault add_certificate_request(const struct enrol_options *options, struct keys *keys,
                                     const struct keys_public *made, json_t *root)
{
    json_t *value = NULL;
    OWNED(bytes) request = NULL;
    if (made != NULL) {
        value = base64_json(bytes_span(made->request));
    } else if (options->request != NULL) {
        TRY(read_request(options, &value));
    } else {
        TRY(member_key_request(keys->sign, options->keys.server, options->keys.name, &request));
        value = base64_json(bytes_span(request));
    }
    json_object_set_new(root, "certificate_request", value);
    return DONE;
}

static void add_wishes(const struct enrol_options *options, json_t *root)
{
    json_t *subsystems = json_array(), *addresses = json_array();
    for (size_t i = 0; i < options->subsystems; i++)
        json_array_append_new(subsystems, json_pack("{s:s,s:s}", "code", options->subsystem[i].code,
                                                    "name", options->subsystem[i].name));
    for (size_t i = 0; i < options->keys.addresses; i++)
        json_array_append_new(addresses, json_string(options->keys.address[i]));
    json_object_set_new(root, "server", json_string(options->keys.server));
    json_object_set_new(root, "organisation", json_string(options->keys.name));
    json_object_set_new(root, "public_agency", json_boolean(options->public_agency));
    json_object_set_new(root, "subsystems", subsystems);
    json_object_set_new(root, "addresses", addresses);
}

static fault add_keys(const struct keys *keys, const char *folder, json_t *root)
{
    json_t *seals = json_array(), *transport = NULL;
    json_object_set_new(root, "seal_keys", seals);
    for (size_t i = 0; i < keys->seals; i++) {
        json_t *seal = NULL;
        TRY(add_public(keys->seal[i], &seal));
        json_array_append_new(seals, seal);
    }
    TRY(add_public(keys->transport, &transport));
    json_object_set_new(root, "transport_key", transport);
    TRY(add_vkey(folder, "log.vkey", "log_vkey", root));
    return add_vkey(folder, "witness.vkey", "witness_vkey", root);
}

// --- proofs -------------------------------------------------------------------------------------

fault enrol_request_id(json_t *request, struct sha256 *out)
{
    json_t *bare = json_copy(request);
    json_object_del(bare, "proofs");
    char *text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(bare);
    if (text == NULL)
        return RAISE(BAD_REQUEST, "the request has no canonical form: a text that is not UTF-8");
    *out = SHA256_OF(span_of_text(text));
    free(text);
    return DONE;
}

static fault prove_note_key(struct keypair *key, const struct sha256 *id, json_t **out)
{
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    TRY(keypair_sign_message(key, sha256_span(id), signature));
    *out = base64_json(span_of(signature, sizeof signature));
    return DONE;
}

static fault prove_agreement(struct keypair *key, const uint8_t intake[32], const struct sha256 *id,
                             json_t **out)
{
    uint8_t shared[32], message[sizeof PROOF_CONTEXT - 1 + SHA256_BYTES];
    TRY(keypair_agree(key, intake, shared));
    memcpy(message, PROOF_CONTEXT, sizeof PROOF_CONTEXT - 1);
    memcpy(message + sizeof PROOF_CONTEXT - 1, id->at, SHA256_BYTES);
    struct sha256 proof =
        digest_hmac_sha256(span_of(shared, sizeof shared), span_of(message, sizeof message));
    seal_wipe(shared, sizeof shared);
    *out = hex_json(sha256_span(&proof));
    return DONE;
}

static fault prove_all(struct keys *keys, const struct anchor_file *anchor, const struct sha256 *id,
                       json_t *proofs)
{
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    json_t *one = NULL, *seals = json_array();
    json_object_set_new(proofs, "seal", seals);
    TRY(member_key_sign(keys->sign, id->at, signature, &size));
    json_object_set_new(proofs, "sign", base64_json(span_of(signature, size)));
    TRY(prove_note_key(keys->log, id, &one));
    json_object_set_new(proofs, "log", one);
    TRY(prove_note_key(keys->witness, id, &one));
    json_object_set_new(proofs, "witness", one);
    TRY(prove_agreement(keys->transport, anchor->intake_key, id, &one));
    json_object_set_new(proofs, "transport", one);
    for (size_t i = 0; i < keys->seals; i++) {
        TRY(prove_agreement(keys->seal[i], anchor->intake_key, id, &one));
        json_array_append_new(seals, one);
    }
    return DONE;
}

static fault fill(const struct enrol_options *options, const char *folder,
                  const struct keys_public *made, const struct anchor_file *anchor,
                  struct keys *keys, json_t *root)
{
    struct sha256 id;
    json_t *proofs = json_object();
    add_wishes(options, root);
    json_object_set_new(root, "proofs", proofs);
    TRY(open_keys(options, folder, made != NULL, keys));
    TRY(add_keys(keys, folder, root));
    if (options->certificate != NULL)
        TRY(enrol_add_certificates(options, keys->sign, root));
    else
        TRY(add_certificate_request(options, keys, made, root));
    TRY(enrol_request_id(root, &id));
    return prove_all(keys, anchor, &id, proofs);
}

fault enrol_request_make(const struct enrol_options *options, const char *folder,
                         const struct keys_public *made, const struct anchor_file *anchor,
                         json_t *self_test, json_t **out)
{
    struct keys keys = {0};
    json_t *root = json_object();
    json_object_set_new(root, "self_test", self_test);
    fault f = anchor->has_intake
                  ? fill(options, folder, made, anchor, &keys, root)
                  : RAISE(REFUSED, "the anchor has no intake key: ask the authority for a new one");
    keys_clear(&keys);
    if (failed(f))
        json_decref(root);
    else
        *out = root;
    return f;
}
