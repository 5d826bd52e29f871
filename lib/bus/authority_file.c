// SPDX-License-Identifier: MIT
#include "lib/bus/authority_file.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory.h"
#include "lib/bus/directory_private.h"
#include "lib/crypto/cades.h"

#include "directory.pb-c.h"

#include <string.h>

#define PATH_BYTES 768
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

/* The next one's text, without it in *left; false: there is no further one. */
static bool next_of(struct span *left, struct span *one)
{
    if (left->at == NULL)
        return false;
    const uint8_t *begin = memmem(left->at, left->size, BEGIN, sizeof BEGIN - 1);
    if (begin == NULL)
        return false;
    size_t before = (size_t)(begin - left->at);
    const uint8_t *end = memmem(begin, left->size - before, END, sizeof END - 1);
    if (end == NULL)
        return false;
    size_t size = (size_t)(end - begin) + sizeof END - 1;
    *one = span_of(begin, size);
    *left = span_of(begin + size, left->size - before - size);
    return true;
}

static fault read_next(struct span *left, bool *found, struct certificate **out)
{
    struct span one;
    *found = next_of(left, &one);
    return *found ? certificate_read(one, out) : DONE;
}

static fault append(struct bytes *to, const struct certificate *certificate)
{
    OWNED(bytes) pem = NULL;
    TRY(certificate_pem(certificate, &pem));
    TRY(bytes_append(to, bytes_span(pem)));
    return to->size <= CERTIFICATE_BYTES_MAX
               ? DONE
               : RAISE(CERTIFICATE_BAD, AUTHORITY_FILE " with more than %d bytes",
                       CERTIFICATE_BYTES_MAX);
}

fault authority_file_make(const struct directory *state, const struct certificate *first,
                          struct bytes **out)
{
    OWNED(bytes) made = bytes_empty(1024);
    TRY(append(made, first));
    for (size_t i = 0; i < state->acts_keys_count; i++)
        TRY(append(made, state->acts_keys[i].certificate));
    *out = TAKE(made);
    return DONE;
}

/* *out NULL: it is not among them. */
static fault find(struct span pem, struct span hash, struct certificate **out)
{
    struct span left = pem;
    for (bool found = true; found;) {
        OWNED(certificate) one = NULL;
        TRY(read_next(&left, &found, &one));
        if (!found)
            break;
        struct sha256 its = certificate_hash(one);
        if (span_equal(sha256_span(&its), hash)) {
            *out = TAKE(one);
            return DONE;
        }
    }
    return DONE;
}

fault authority_file_verify(struct span pem, struct span leaf, struct cades_parts *parts,
                            struct certificate **signer)
{
    OWNED(certificate) one = NULL;
    TRY(cades_parse(leaf, parts));
    TRY(find(pem, parts->certificate_sha256, &one));
    if (one == NULL)
        return RAISE(NOT_YOURS, "signed by none of the certificates in " AUTHORITY_FILE);
    TRY(cades_verify_parts(one, parts, NULL));
    *signer = TAKE(one);
    return DONE;
}

static fault check_one(const struct certificate *one, struct trust *trust)
{
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(certificate_subject(one)->member), ID_MEMBER, ID_MEMBER,
                            &id)) ||
        strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) != 0)
        return RAISE(CERTIFICATE_BAD, AUTHORITY_FILE " is not the authority's");
    return failed(trust_check(trust, one, certificate_not_before_ms(one)))
               ? RAISE(CERTIFICATE_BAD, AUTHORITY_FILE " is not trusted: %s", fault_detail())
               : DONE;
}

fault authority_file_check(struct span pem, struct trust *trust)
{
    struct span left = pem;
    size_t count = 0;
    for (bool found = true; found; count++) {
        OWNED(certificate) one = NULL;
        TRY(read_next(&left, &found, &one));
        if (found)
            TRY(check_one(one, trust));
    }
    return count > 1 ? DONE : RAISE(CERTIFICATE_BAD, AUTHORITY_FILE " holds no certificate");
}

bool authority_file_same_first(struct span pem, struct span other)
{
    OWNED(certificate) one = NULL;
    OWNED(certificate) two = NULL;
    return !failed(certificate_read(pem, &one)) && !failed(certificate_read(other, &two)) &&
           span_equal(certificate_der(one), certificate_der(two));
}

// --- further ------------------------------------------------------------------------------------

/* *out NULL: an act of another kind. */
static fault named_by(struct span leaf, struct certificate **out)
{
    struct span content;
    TRY(cades_content(leaf, &content));
    Chaski__Act *act = chaski__act__unpack(NULL, content.size, content.at);
    if (act == NULL)
        return RAISE(BAD_FRAME, "it holds no act");
    fault f = DONE;
    if (act->act_case == CHASKI__ACT__ACT_ACTS_KEY_SET)
        f = certificate_parse(
            span_of(act->acts_key_set->certificate.data, act->acts_key_set->certificate.len), out);
    chaski__act__free_unpacked(act, NULL);
    return f;
}

static fault add_named(struct bytes *file, struct span leaf)
{
    OWNED(certificate) named = NULL;
    OWNED(certificate) held = NULL;
    if (failed(named_by(leaf, &named)) || named == NULL)
        return DONE; /* whether it is an act at all, the fold says */
    struct sha256 hash = certificate_hash(named);
    TRY(find(bytes_span(file), sha256_span(&hash), &held));
    return held != NULL ? DONE : append(file, named);
}

fault authority_file_further(struct span pem, const struct span *leaves, size_t count,
                             struct bytes **out)
{
    OWNED(bytes) file = NULL;
    TRY(bytes_copy(pem, &file));
    for (size_t i = 0; i < count; i++)
        TRY(add_named(file, leaves[i]));
    *out = TAKE(file);
    return DONE;
}

fault authority_file_add(const char *folder, const struct span *leaves, size_t count)
{
    char path[PATH_BYTES];
    OWNED(bytes) held = NULL;
    OWNED(bytes) further = NULL;
    if (!text_format(path, sizeof path, "%s/" AUTHORITY_FILE, folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_read(path, CERTIFICATE_BYTES_MAX, &held));
    TRY(authority_file_further(bytes_span(held), leaves, count, &further));
    return span_equal(bytes_span(held), bytes_span(further))
               ? DONE
               : file_replace(path, bytes_span(further), 0644);
}
