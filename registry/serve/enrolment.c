// SPDX-License-Identifier: MIT
#include "registry/serve/enrolment.h"

#include "lib/base/shown.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define PROOF_CONTEXT "chaski enrol proof v1"

void enrolment_free(struct enrolment **owner)
{
    struct enrolment *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    json_decref(self->json);
    bytes_free(&self->request);
    for (size_t i = 0; i < self->chain; i++)
        bytes_free(&self->certificate[i]);
    free(self);
}

// --- fields -------------------------------------------------------------------------------------

static fault check_fields(json_t *object, const char *const *known)
{
    const char *field;
    json_t *value;
    json_object_foreach(object, field, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], field) != 0)
            i++;
        if (known[i] == NULL)
            return RAISE(REFUSED, "a field \"%.60s\" that is not known", field);
    }
    return DONE;
}

static fault take_text(json_t *object, const char *field, const char **out)
{
    const char *text = json_string_value(json_object_get(object, field));
    if (text == NULL || text[0] == '\0' || strlen(text) > WORD_BYTES_MAX * 4 ||
        !text_is_plain(span_of_text(text)))
        return RAISE(REFUSED, "\"%s\" is missing, or no plain text", field);
    *out = text;
    return DONE;
}

static fault take_key(json_t *value, const char *field, uint8_t out[32])
{
    const char *hex = json_string_value(value);
    if (hex == NULL || failed(text_unhex(span_of_text(hex), out, 32)))
        return RAISE(REFUSED, "\"%s\" is not a key of 64 hex digits", field);
    return DONE;
}

static fault take_vkey(json_t *object, const char *field, uint8_t type, const char **text,
                       struct note_key *out)
{
    TRY(take_text(object, field, text));
    if (failed(note_key_parse(span_of_text(*text), out)) || out->type != type)
        return RAISE(REFUSED, "\"%s\" is no verifier key of its kind", field);
    return DONE;
}

static fault take_list(json_t *object, const char *field, size_t least, size_t most, json_t **out,
                       size_t *count)
{
    *out = json_object_get(object, field);
    *count = json_array_size(*out);
    if ((*out != NULL && !json_is_array(*out)) || *count < least || *count > most)
        return RAISE(REFUSED, "\"%s\" is a list of %zu to %zu", field, least, most);
    return DONE;
}

static fault take_subsystems(struct enrolment *self)
{
    static const char *const known[] = {"code", "name", NULL};
    json_t *list = NULL;
    TRY(take_list(self->json, "subsystems", 0, ENROLMENT_SUBSYSTEMS_MAX, &list, &self->subsystems));
    for (size_t i = 0; i < self->subsystems; i++) {
        json_t *one = json_array_get(list, i);
        if (!json_is_object(one))
            return RAISE(REFUSED, "\"subsystems\" holds objects with code and name");
        TRY(check_fields(one, known));
        TRY(take_text(one, "code", &self->subsystem[i].code));
        TRY(take_text(one, "name", &self->subsystem[i].name));
    }
    return DONE;
}

static fault take_addresses(struct enrolment *self)
{
    json_t *list = NULL;
    TRY(take_list(self->json, "addresses", 1, DIRECTORY_ADDRESSES_MAX, &list, &self->addresses));
    for (size_t i = 0; i < self->addresses; i++) {
        self->address[i] = json_string_value(json_array_get(list, i));
        if (self->address[i] == NULL)
            return RAISE(REFUSED, "\"addresses\" holds something that is no text");
    }
    return DONE;
}

static fault take_seal_keys(struct enrolment *self)
{
    json_t *list = NULL;
    TRY(take_list(self->json, "seal_keys", 1, SEAL_KEYS_MAX, &list, &self->seal_keys));
    for (size_t i = 0; i < self->seal_keys; i++)
        TRY(take_key(json_array_get(list, i), "seal_keys", self->seal_key[i]));
    return DONE;
}

/* A request of its own, or what an outside CA issued: its key in both cases. */
static fault take_signing_key(struct enrolment *self)
{
    const char *text = json_string_value(json_object_get(self->json, "certificate_request"));
    json_t *list = NULL;
    TRY(take_list(self->json, "certificates", 0, ENROLMENT_CHAIN_MAX, &list, &self->chain));
    size_t count = self->chain;
    self->chain = 0;
    if ((text != NULL) == (count > 0))
        return RAISE(REFUSED, "either \"certificate_request\" or \"certificates\"");
    if (text != NULL) {
        if (failed(text_unbase64(span_of_text(text), &self->request)) ||
            failed(p256_of_request(bytes_span(self->request), self->point)))
            return RAISE(REFUSED, "\"certificate_request\": %s", fault_detail());
        return DONE;
    }
    for (; self->chain < count; self->chain++) {
        text = json_string_value(json_array_get(list, self->chain));
        if (text == NULL ||
            failed(text_unbase64(span_of_text(text), &self->certificate[self->chain])))
            return RAISE(REFUSED, "\"certificates\" holds something that is not base64");
    }
    if (failed(p256_of_certificate(bytes_span(self->certificate[0]), self->point)))
        return RAISE(REFUSED, "\"certificates\": %s", fault_detail());
    return DONE;
}

static fault take_id(struct enrolment *self)
{
    json_t *bare = json_copy(self->json);
    json_object_del(bare, "proofs");
    char *text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(bare);
    if (text == NULL)
        return RAISE(REFUSED, "the request has no canonical form");
    self->id = SHA256_OF(span_of_text(text));
    free(text);
    return DONE;
}

static fault take_fields(struct enrolment *self)
{
    static const char *const known[] = {
        "server",       "organisation", "public_agency", "subsystems", "addresses",
        "log_vkey",     "witness_vkey", "transport_key", "seal_keys",  "certificate_request",
        "certificates", "self_test",    "proofs",        NULL};
    json_t *agency = json_object_get(self->json, "public_agency");
    json_t *receipt = json_object_get(self->json, "self_test");
    TRY(check_fields(self->json, known));
    TRY(take_text(self->json, "server", &self->server));
    TRY(take_text(self->json, "organisation", &self->organisation));
    if (!json_is_boolean(agency))
        return RAISE(REFUSED, "\"public_agency\" is true or false");
    if (receipt != NULL && !json_is_object(receipt))
        return RAISE(REFUSED, "\"self_test\" is an object");
    self->public_agency = json_is_true(agency);
    TRY(take_subsystems(self));
    TRY(take_addresses(self));
    TRY(take_key(json_object_get(self->json, "transport_key"), "transport_key",
                 self->transport_key));
    TRY(take_seal_keys(self));
    TRY(take_vkey(self->json, "log_vkey", NOTE_LOG, &self->log_vkey, &self->log));
    self->witness_vkey = "";
    if (json_object_get(self->json, "witness_vkey") != NULL)
        TRY(take_vkey(self->json, "witness_vkey", NOTE_WITNESS, &self->witness_vkey,
                      &self->witness));
    TRY(take_signing_key(self));
    return take_id(self);
}

fault enrolment_again(struct span text, struct enrolment **out)
{
    OWNED(enrolment) self = owned_new(sizeof *self);
    json_error_t error;
    if (text.size > REGISTRY_ENROLMENT_BYTES_MAX)
        return RAISE(REFUSED, "a request of more than %d bytes", REGISTRY_ENROLMENT_BYTES_MAX);
    self->json = json_loadb((const char *)text.at, text.size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(self->json))
        return RAISE(REFUSED, "the request is not a JSON object");
    TRY(take_fields(self));
    *out = TAKE(self);
    return DONE;
}

// --- proofs -------------------------------------------------------------------------------------

static fault take_proof(json_t *proofs, const char *field, struct bytes **out)
{
    const char *text = json_string_value(json_object_get(proofs, field));
    if (text == NULL || failed(text_unbase64(span_of_text(text), out)))
        return RAISE(REFUSED, "\"proofs\": \"%s\" is missing, or not base64", field);
    return DONE;
}

static fault check_note_key(const struct enrolment *self, json_t *proofs, const char *field,
                            const struct note_key *key)
{
    OWNED(bytes) signature = NULL;
    TRY(take_proof(proofs, field, &signature));
    if (failed(ed25519_verify(key->public_key, sha256_span(&self->id), bytes_span(signature))))
        return RAISE(REFUSED, "\"proofs\": \"%s\" is not made with that key", field);
    return DONE;
}

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t size)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

/* A key of which a secret is a weak point agrees with nobody. */
static fault check_agreed(const struct enrolment *self, json_t *value, const char *field,
                          const uint8_t key[32], struct keypair *intake)
{
    uint8_t given[SHA256_BYTES], shared[32], message[sizeof PROOF_CONTEXT - 1 + SHA256_BYTES];
    TRY(take_key(value, field, given));
    if (failed(keypair_agree(intake, key, shared)))
        return RAISE(REFUSED, "the %s key is a weak one", field);
    memcpy(message, PROOF_CONTEXT, sizeof PROOF_CONTEXT - 1);
    memcpy(message + sizeof PROOF_CONTEXT - 1, self->id.at, SHA256_BYTES);
    struct sha256 wanted =
        digest_hmac_sha256(span_of(shared, sizeof shared), span_of(message, sizeof message));
    if (!same_bytes(wanted.at, given, sizeof given))
        return RAISE(REFUSED, "\"proofs\": \"%s\" is not made with that key", field);
    return DONE;
}

static fault check_signature(const struct enrolment *self, json_t *proofs)
{
    OWNED(bytes) signature = NULL;
    TRY(take_proof(proofs, "sign", &signature));
    if (failed(p256_verify_digest(span_of(self->point, sizeof self->point), self->id.at,
                                  bytes_span(signature))))
        return RAISE(REFUSED, "\"proofs\": \"sign\" is not made with the signing key");
    return DONE;
}

static fault check_proofs(const struct enrolment *self, struct keypair *intake)
{
    static const char *const known[] = {"sign", "log", "witness", "transport", "seal", NULL};
    json_t *proofs = json_object_get(self->json, "proofs"), *list = NULL;
    size_t count = 0;
    if (!json_is_object(proofs))
        return RAISE(REFUSED, "\"proofs\" is missing");
    TRY(check_fields(proofs, known));
    TRY(check_signature(self, proofs));
    TRY(check_note_key(self, proofs, "log", &self->log));
    if (self->witness_vkey[0] != '\0')
        TRY(check_note_key(self, proofs, "witness", &self->witness));
    TRY(check_agreed(self, json_object_get(proofs, "transport"), "transport", self->transport_key,
                     intake));
    TRY(take_list(proofs, "seal", self->seal_keys, self->seal_keys, &list, &count));
    for (size_t i = 0; i < count; i++)
        TRY(check_agreed(self, json_array_get(list, i), "seal", self->seal_key[i], intake));
    return DONE;
}

// --- words --------------------------------------------------------------------------------------

static fault check_shown(json_t *json);

static fault check_word(const char *word)
{
    return shown_as_is(span_of_text(word))
               ? DONE
               : RAISE(REFUSED, "a text with a character that is not seen, or changes how what "
                                "stands around it is read");
}

static fault check_fields_shown(json_t *object)
{
    const char *field;
    json_t *value;
    json_object_foreach(object, field, value)
    {
        TRY(check_word(field));
        TRY(check_shown(value));
    }
    return DONE;
}

/* All of it is a stranger's, and read by operators before they decide; jansson bounds its depth. */
static fault check_shown(json_t *json)
{
    if (json_is_string(json))
        return check_word(json_string_value(json));
    if (json_is_object(json))
        return check_fields_shown(json);
    for (size_t i = 0; i < json_array_size(json); i++)
        TRY(check_shown(json_array_get(json, i)));
    return DONE;
}

fault enrolment_read(struct span text, struct keypair *intake, struct enrolment **out)
{
    OWNED(enrolment) self = NULL;
    TRY(enrolment_again(text, &self));
    TRY(check_shown(self->json));
    TRY(check_proofs(self, intake));
    *out = TAKE(self);
    return DONE;
}
