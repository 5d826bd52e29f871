// SPDX-License-Identifier: MIT
#include "registry/acts_keys.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory.h"
#include "registry/store.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGE_BYTES_MAX 65536
#define CLOCK_SKEW_MS INT64_C(300000) /* a node's clock may stand this much before ours */

void acts_key_change_clear(struct acts_key_change *self)
{
    certificate_free(&self->before);
    certificate_free(&self->after);
}

static fault path_of(const char *folder, const char *below, const uint8_t *ski, const char *end,
                     char out[STORE_PATH_BYTES])
{
    char id[9];
    text_hex(span_of(ski, 4), id, sizeof id);
    return text_format(out, STORE_PATH_BYTES, "%s/%sacts-%s.%s", folder, below, id, end)
               ? DONE
               : RAISE(BAD_CONFIG, "the store's name is too long");
}

/* By what it signs, for nodes look at nothing else. */
static fault check_match(struct certificate *certificate, struct keypair *key, const char *path)
{
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 digest = SHA256_OF(certificate_der(certificate));
    TRY(keypair_sign_digest(key, digest.at, signature, &size));
    return failed(certificate_verify_digest(certificate, digest.at, span_of(signature, size)))
               ? RAISE(BAD_KEY, "%s is not the key of the certificate that signs acts", path)
               : DONE;
}

fault acts_keys_load(const char *folder, struct certificate *certificate, bool first,
                     struct keypair **out)
{
    char path[STORE_PATH_BYTES];
    OWNED(keypair) key = NULL;
    TRY(path_of(folder, "keys/", certificate_ski(certificate), "key", path));
    if (first && !text_format(path, sizeof path, "%s/keys/acts.key", folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    if (access(path, F_OK) != 0)
        return RAISE(NOT_FOUND, "%s, the key that signs acts, is not there", path);
    TRY(keypair_load(path, KEY_P256, &key));
    TRY(check_match(certificate, key, path));
    *out = TAKE(key);
    return DONE;
}

// --- the next one -------------------------------------------------------------------------------

static fault issue(const struct acts_key_plan *plan, struct keypair *key, struct certificate **out)
{
    OWNED(bytes) request = NULL;
    const struct certificate_subject *subject = certificate_subject(plan->now);
    int64_t end_ms = plan->now_ms + ACTS_KEY_DAYS * STORE_DAY_MS;
    if (end_ms > certificate_not_after_ms(plan->ca))
        end_ms = certificate_not_after_ms(plan->ca);
    if (end_ms <= plan->now_ms)
        return RAISE(REFUSED, "the CA of the anchor has ended, which alone issues this "
                              "certificate: nodes need a new anchor");
    TRY(keypair_request(key, subject, &request));
    return certificate_issue(plan->ca_key, plan->ca, bytes_span(request), subject,
                             plan->now_ms - CLOCK_SKEW_MS, end_ms, out);
}

static fault write_change(const char *path, const struct acts_key_change *what)
{
    OWNED(bytes) before = NULL;
    OWNED(bytes) after = NULL;
    char signature[2 * P256_SIGNATURE_BYTES_MAX + 1] = "";
    TRY(certificate_pem(what->before, &before));
    TRY(certificate_pem(what->after, &after));
    text_hex(span_of(what->signature, what->signature_size), signature, sizeof signature);
    json_t *object =
        json_pack("{s:s%,s:s%,s:s}", "before", (const char *)before->data, before->size, "after",
                  (const char *)after->data, after->size, "signature_before", signature);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (text == NULL)
        return RAISE(INTERNAL, "jansson does not write");
    fault f = file_replace(path, span_of_text(text), 0644);
    free(text);
    return f;
}

fault acts_keys_make(const struct acts_key_plan *plan, char *path, size_t room)
{
    OWNED(keypair) key = NULL;
    struct acts_key_change change = {0};
    char key_path[STORE_PATH_BYTES], change_path[STORE_PATH_BYTES];
    TRY(keypair_make(KEY_P256, &key));
    TRY(issue(plan, key, &change.after));
    fault f = certificate_parse(certificate_der(plan->now), &change.before);
    struct sha256 digest =
        act_signer_digest(certificate_der(plan->now), certificate_der(change.after));
    if (!failed(f) && plan->signer != NULL)
        f = keypair_sign_digest(plan->signer, digest.at, change.signature, &change.signature_size);
    const uint8_t *ski = certificate_ski(change.after);
    if (!failed(f))
        f = path_of(plan->folder, "keys/", ski, "key", key_path);
    if (!failed(f))
        f = path_of(plan->folder, "", ski, "json", change_path);
    if (!failed(f))
        f = keypair_save(key, key_path);
    if (!failed(f))
        f = write_change(change_path, &change);
    acts_key_change_clear(&change);
    TRY(f);
    return text_format(path, room, "%s", change_path) ? DONE
                                                      : RAISE(BAD_CONFIG, "the name is too long");
}

// --- what is proposed ---------------------------------------------------------------------------

static fault take_certificate(const json_t *object, const char *field, struct certificate **out)
{
    const char *pem = json_string_value(json_object_get(object, field));
    return certificate_read(span_of_text(pem == NULL ? "" : pem), out);
}

static fault take(const json_t *object, struct acts_key_change *out)
{
    const char *hex = json_string_value(json_object_get(object, "signature_before"));
    struct span text = span_of_text(hex == NULL ? "-" : hex);
    TRY(take_certificate(object, "before", &out->before));
    TRY(take_certificate(object, "after", &out->after));
    out->signature_size = text.size / 2;
    if (text.size % 2 != 0 || out->signature_size > sizeof out->signature)
        return RAISE(BAD_REQUEST, "\"signature_before\" is no signature");
    return text_unhex(text, out->signature, out->signature_size);
}

fault acts_keys_read(const char *path, struct acts_key_change *out)
{
    OWNED(bytes) text = NULL;
    json_error_t error;
    TRY(file_read(path, CHANGE_BYTES_MAX, &text));
    *out = (struct acts_key_change){0};
    json_t *object =
        json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    fault f = take(object, out);
    json_decref(object);
    if (!failed(f))
        return DONE;
    acts_key_change_clear(out);
    return RAISE(REFUSED, "%s is no change of the key that signs acts: %s", path, fault_detail());
}
