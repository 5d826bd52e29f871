// SPDX-License-Identifier: MIT
#include "lib/crypto/subject.h"

#include "lib/base/text.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>

#define CHARACTERS_MAX 64 /* X.520 upper bound of O, serialNumber and CN, in characters */

/* What X.520 and RFC 5280 allow per attribute. OpenSSL takes the first type that fits the text. */
struct attribute {
    int nid;
    unsigned long types;
    long least;
    long most;
    const char *word;
};
static const struct attribute country = {NID_countryName, B_ASN1_PRINTABLESTRING, 2, 2, "country"};
static const struct attribute organisation = {NID_organizationName, B_ASN1_UTF8STRING, 1,
                                              CHARACTERS_MAX, "organisation"};
static const struct attribute member = {
    NID_serialNumber, B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING, 1, CHARACTERS_MAX, "member"};
static const struct attribute server = {NID_commonName, B_ASN1_UTF8STRING, 1, CHARACTERS_MAX,
                                        "server"};

static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] < 0x20 || text.at[i] == 0x7f)
            return true;
    return false;
}

/* Bytes of the first `most` characters of UTF-8. */
static size_t prefix_bytes(struct span text, size_t most)
{
    size_t characters = 0;
    for (size_t i = 0; i < text.size; i++)
        if ((text.at[i] & 0xc0) != 0x80 && characters++ == most)
            return i;
    return text.size;
}

static fault add(X509_NAME *name, const struct attribute *kind, struct span text)
{
    if (text.size == 0)
        return DONE;
    if (!text_is_utf8(text) || has_control(text))
        return RAISE(BAD_NAME, "the %s is not plain UTF-8", kind->word);
    ASN1_STRING *made = NULL;
    int type = ASN1_mbstring_ncopy(&made, text.at, (int)text.size, MBSTRING_UTF8, kind->types,
                                   kind->least, kind->most);
    OPENSSL_OWNED(ASN1_STRING) value = made;
    if (type < 0)
        return crypto_raise(BAD_NAME, kind->word);
    if (X509_NAME_add_entry_by_NID(name, kind->nid, type, ASN1_STRING_get0_data(value),
                                   ASN1_STRING_length(value), -1, 0) != 1)
        return crypto_raise(CRYPTO_FAILED, "a subject name");
    return DONE;
}

fault subject_encode(const struct certificate_subject *self, X509_NAME **out)
{
    OPENSSL_OWNED(X509_NAME) name = X509_NAME_new();
    if (name == NULL)
        return crypto_raise(CRYPTO_FAILED, "a subject name");
    struct span full = span_of_text(self->organisation);
    if (!text_is_utf8(full))
        return RAISE(BAD_NAME, "the organisation is not UTF-8");
    TRY(add(name, &country, span_of_text(self->country)));
    TRY(add(name, &organisation, span_of(full.at, prefix_bytes(full, CHARACTERS_MAX))));
    TRY(add(name, &member, span_of_text(self->member)));
    TRY(add(name, &server, span_of_text(self->server)));
    if (X509_NAME_entry_count(name) == 0)
        return RAISE(BAD_NAME, "a subject with no name at all");
    *out = TAKE(name);
    return DONE;
}

static fault take(const X509_NAME *name, const struct attribute *kind, char *out, size_t room)
{
    int at = X509_NAME_get_index_by_NID(name, kind->nid, -1);
    out[0] = '\0';
    if (at < 0)
        return DONE;
    if (X509_NAME_get_index_by_NID(name, kind->nid, at) >= 0)
        return RAISE(CERTIFICATE_BAD, "two of %s in the subject", kind->word);
    unsigned char *utf8 = NULL;
    int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0)
        return crypto_raise(CERTIFICATE_BAD, kind->word);
    struct span text = span_of(utf8, (size_t)size);
    bool fits = text.size < room && text_is_utf8(text) && !has_control(text);
    if (fits) {
        memcpy(out, utf8, text.size);
        out[text.size] = '\0';
    }
    OPENSSL_free(utf8);
    return fits ? DONE : RAISE(CERTIFICATE_BAD, "the %s is too long or not plain", kind->word);
}

fault subject_decode(const X509_NAME *name, struct certificate_subject *out)
{
    struct certificate_subject made;
    TRY(take(name, &country, made.country, sizeof made.country));
    TRY(take(name, &organisation, made.organisation, sizeof made.organisation));
    TRY(take(name, &member, made.member, sizeof made.member));
    TRY(take(name, &server, made.server, sizeof made.server));
    *out = made;
    return DONE;
}
