// SPDX-License-Identifier: MIT
/* chaski enrol --request-out, and later --certificate: an agency whose certificate an outside
 * authority issues (docs/decisions/0026). */
#include "tools/chaski/enrol.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/certificate.h"
#include "tools/chaski/member_key.h"

#include <stdlib.h>

#define LINE_CHARACTERS 64 /* of PEM, RFC 7468 */

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

// --- out ----------------------------------------------------------------------------------------

fault enrol_request_out(const char *path, json_t *request)
{
    struct span base64 = span_of_text(text_in(request, "certificate_request"));
    OWNED(bytes) pem = bytes_empty(base64.size + 128);
    TRY(bytes_append_text(pem, "-----BEGIN CERTIFICATE REQUEST-----\n"));
    for (size_t at = 0; at < base64.size; at += LINE_CHARACTERS) {
        size_t left = base64.size - at;
        TRY(bytes_append(pem,
                         span_of(base64.at + at, left < LINE_CHARACTERS ? left : LINE_CHARACTERS)));
        TRY(bytes_append_text(pem, "\n"));
    }
    TRY(bytes_append_text(pem, "-----END CERTIFICATE REQUEST-----\n"));
    return file_replace(path, bytes_span(pem), 0644);
}

// --- going on -----------------------------------------------------------------------------------

fault enrol_wishes(json_t *request, struct enrol_options *out)
{
    json_t *one = NULL;
    size_t i = 0;
    out->keys.server = text_in(request, "server");
    out->keys.name = text_in(request, "organisation");
    out->public_agency = json_is_true(json_object_get(request, "public_agency"));
    out->keys.addresses = out->subsystems = 0;
    json_array_foreach(json_object_get(request, "addresses"), i,
                       one) if (json_is_string(one) &&
                                out->keys.addresses < DIRECTORY_ADDRESSES_MAX)
        out->keys.address[out->keys.addresses++] = json_string_value(one);
    json_array_foreach(json_object_get(request, "subsystems"), i,
                       one) if (out->subsystems < ENROLMENT_SUBSYSTEMS_MAX)
        out->subsystem[out->subsystems++] =
        (struct enrol_subsystem){text_in(one, "code"), text_in(one, "name")};
    return DONE;
}

// --- in -----------------------------------------------------------------------------------------

struct chain {
    size_t count;
    struct bytes *der[ENROLMENT_CHAIN_MAX];
};

static void chain_clear(struct chain *self)
{
    while (self->count > 0)
        bytes_free(&self->der[--self->count]);
}

static fault add_file(struct chain *self, const char *path)
{
    size_t more = 0;
    if (self->count == ENROLMENT_CHAIN_MAX)
        return RAISE(REFUSED, "%s: at most %d certificates, the server's own first", path,
                     ENROLMENT_CHAIN_MAX);
    fault f = certificate_load_all(path, self->der + self->count, ENROLMENT_CHAIN_MAX - self->count,
                                   &more);
    if (!failed(f))
        self->count += more;
    return f;
}

/* Signs once with our key and verifies it with theirs. */
static fault check_own(const struct enrol_options *options, struct certificate *certificate,
                       struct member_key *sign)
{
    uint8_t digest[SHA256_BYTES] = {7}, signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    TRY(member_key_sign(sign, digest, signature, &size));
    if (failed(certificate_verify_digest(certificate, digest, span_of(signature, size))))
        return RAISE(REFUSED, "%s is not the certificate of this server's signing key",
                     options->certificate);
    if (!certificate_may_sign(certificate))
        return RAISE(REFUSED,
                     "%s may not sign documents: ask for key usage digitalSignature and "
                     "nonRepudiation, and no extended one or one for documents",
                     options->certificate);
    if (certificate_not_after_ms(certificate) <= clock_wall_ms())
        return RAISE(REFUSED, "%s has ended", options->certificate);
    return DONE;
}

static json_t *chain_json(const struct chain *chain)
{
    json_t *list = json_array();
    for (size_t i = 0; i < chain->count; i++) {
        struct span der = bytes_span(chain->der[i]);
        size_t room = 4 * ((der.size + 2) / 3) + 1;
        char *base64 = owned_array(room, 1);
        text_base64(der, base64, room);
        json_array_append_new(list, json_string(base64));
        free(base64);
    }
    return list;
}

fault enrol_add_certificates(const struct enrol_options *options, struct member_key *sign,
                             json_t *root)
{
    struct chain chain = {0};
    OWNED(certificate) certificate = NULL;
    fault f = add_file(&chain, options->certificate);
    if (!failed(f) && options->chain != NULL)
        f = add_file(&chain, options->chain);
    if (!failed(f))
        f = certificate_parse(bytes_span(chain.der[0]), &certificate);
    if (!failed(f))
        f = check_own(options, certificate, sign);
    if (!failed(f))
        json_object_set_new(root, "certificates", chain_json(&chain));
    chain_clear(&chain);
    return f;
}
