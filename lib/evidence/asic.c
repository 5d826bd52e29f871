// SPDX-License-Identifier: MIT
#include "lib/evidence/asic.h"

#include "lib/base/text.h"
#include "lib/crypto/digest.h"
#include "lib/evidence/archive.h"

#define MIMETYPE "mimetype"
#define MANIFEST "META-INF/ASiCManifest001.xml"
#define SIGNATURE "META-INF/signature001.p7s"

// --- containers ---------------------------------------------------------------------------------

/* The type stands in the first bytes: stored, without extra fields. */
static fault begin(const char *mimetype, struct archive **out)
{
    TRY(archive_new(out));
    return archive_add_stored(*out, MIMETYPE, span_of_text(mimetype));
}

fault asic_make_simple(struct span header, struct span signature, struct bytes **out)
{
    OWNED(archive) archive = NULL;
    TRY(begin(ASIC_S_TYPE, &archive));
    TRY(archive_add(archive, "header.bin", header));
    TRY(archive_add(archive, "META-INF/signature.p7s", signature));
    return archive_finish(archive, out);
}

fault asic_make_stamped(struct span checkpoint, struct span token, struct bytes **out)
{
    OWNED(archive) archive = NULL;
    TRY(begin(ASIC_S_TYPE, &archive));
    TRY(archive_add(archive, "checkpoint", checkpoint));
    TRY(archive_add(archive, "META-INF/timestamp.tst", token));
    return archive_finish(archive, out);
}

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending, *type;
    } known[] = {{".txt", "text/plain"},
                 {".sh", "text/x-shellscript"},
                 {".p7m", "application/pkcs7-mime"},
                 {".p7s", "application/pkcs7-signature"},
                 {".pem", "application/x-pem-file"},
                 {".tst", "application/vnd.etsi.timestamp-token"},
                 {".tlog-proof", "text/plain"},
                 {".vkey", "text/plain"},
                 {"checkpoint", "text/plain"},
                 {"batch.head", "text/plain"},
                 {"policy", "text/plain"}};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t size = strlen(known[i].ending);
        if (length >= size && strcmp(name + length - size, known[i].ending) == 0)
            return known[i].type;
    }
    return "application/octet-stream";
}

/* Names are ours: letters, digits, and nothing that XML or a URI would want escaped. */
static fault put_reference(struct bytes *xml, const struct files_one *one)
{
    char line[512], digest[48];
    struct sha256 hash = SHA256_OF(bytes_span(one->bytes));
    text_base64(sha256_span(&hash), digest, sizeof digest);
    text_format(line, sizeof line,
                "  <asic:DataObjectReference URI=\"%s\" MimeType=\"%s\">\n"
                "    <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\n"
                "    <ds:DigestValue>%s</ds:DigestValue>\n"
                "  </asic:DataObjectReference>\n",
                one->name, type_of(one->name), digest);
    return bytes_append_text(xml, line);
}

static fault make_manifest(const struct files *files, bool sealed, struct bytes **out)
{
    OWNED(bytes) xml = bytes_empty(256 * (files->count + 4));
    TRY(bytes_append_text(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
                               "<asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\""
                               " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n"));
    if (sealed)
        TRY(bytes_append_text(xml, "  <asic:SigReference URI=\"" SIGNATURE "\" "
                                   "MimeType=\"application/pkcs7-signature\"/>\n"));
    for (size_t i = 0; i < files->count; i++)
        TRY(put_reference(xml, &files->one[i]));
    TRY(bytes_append_text(xml, "</asic:ASiCManifest>\n"));
    *out = TAKE(xml);
    return DONE;
}

fault asic_make_extended(const struct files *files, struct cms_sealer *sealer, struct bytes **out)
{
    OWNED(bytes) manifest = NULL;
    OWNED(bytes) seal = NULL;
    OWNED(archive) archive = NULL; /* gone before what it borrows */
    TRY(make_manifest(files, sealer != NULL, &manifest));
    if (sealer != NULL)
        TRY(cms_sealer_sign(sealer, bytes_span(manifest), &seal));
    TRY(begin(ASIC_E_TYPE, &archive));
    for (size_t i = 0; i < files->count; i++) {
        const struct files_one *one = &files->one[i];
        TRY(one->runs ? archive_add_program(archive, one->name, bytes_span(one->bytes))
                      : archive_add(archive, one->name, bytes_span(one->bytes)));
    }
    TRY(archive_add(archive, MANIFEST, bytes_span(manifest)));
    if (sealer != NULL)
        TRY(archive_add(archive, SIGNATURE, bytes_span(seal)));
    return archive_finish(archive, out);
}
