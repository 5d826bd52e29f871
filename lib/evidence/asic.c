// SPDX-License-Identifier: MIT
#include "lib/evidence/asic.h"

#include "lib/base/text.h"
#include "lib/crypto/digest.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zip.h>

#define MIMETYPE "mimetype"
#define MANIFEST "META-INF/ASiCManifest001.xml"
#define SIGNATURE "META-INF/signature001.p7s"

// --- zip ----------------------------------------------------------------------------------------

/* libzip reads the bytes when it closes the file: they are borrowed until then. */
static bool add(zip_t *zip, const char *name, struct span bytes, bool stored, bool runs)
{
    zip_source_t *source = zip_source_buffer(zip, bytes.at, bytes.size, 0);
    zip_int64_t place = source == NULL ? -1 : zip_file_add(zip, name, source, ZIP_FL_ENC_GUESS);
    if (place < 0) {
        zip_source_free(source);
        return false;
    }
    zip_uint64_t at = (zip_uint64_t)place;
    zip_uint32_t mode = S_IFREG | (runs ? 0700 : 0600);
    /* one and the same time: equal exports give equal containers */
    return zip_set_file_compression(zip, at, stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0) == 0 &&
           zip_file_set_dostime(zip, at, 0, 0x21, 0) == 0 &&
           zip_file_set_external_attributes(zip, at, 0, ZIP_OPSYS_UNIX, mode << 16) == 0;
}

static fault begin(const char *path, const char *mimetype, zip_t **out)
{
    int code = 0;
    *out = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
    if (*out == NULL)
        return RAISE(IO_FAILED, "%s: the container cannot be made (libzip %d)", path, code);
    if (!add(*out, MIMETYPE, span_of_text(mimetype), true, false)) {
        zip_discard(*out);
        return RAISE(IO_FAILED, "%s: the container cannot be filled", path);
    }
    return DONE;
}

/* Closes what was filled, or throws it away. */
static fault end(const char *path, zip_t *zip, bool filled)
{
    if (!filled || zip_close(zip) != 0) {
        zip_discard(zip);
        return RAISE(IO_FAILED, "%s: the container cannot be written", path);
    }
    return chmod(path, 0600) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", path);
}

// --- containers ---------------------------------------------------------------------------------

fault asic_write_simple(const char *path, struct span header, struct span signature)
{
    zip_t *zip = NULL;
    TRY(begin(path, "application/vnd.etsi.asic-s+zip", &zip));
    return end(path, zip,
               add(zip, "header.bin", header, false, false) &&
                   add(zip, "META-INF/signature.p7s", signature, false, false));
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

fault asic_write_extended(const char *path, const struct files *files, struct cms_sealer *sealer)
{
    zip_t *zip = NULL;
    OWNED(bytes) manifest = NULL;
    OWNED(bytes) seal = NULL;
    TRY(make_manifest(files, sealer != NULL, &manifest));
    if (sealer != NULL)
        TRY(cms_sealer_sign(sealer, bytes_span(manifest), &seal));
    TRY(begin(path, "application/vnd.etsi.asic-e+zip", &zip));
    bool filled = true;
    for (size_t i = 0; filled && i < files->count; i++)
        filled = add(zip, files->one[i].name, bytes_span(files->one[i].bytes), false,
                     files->one[i].runs);
    filled = filled && add(zip, MANIFEST, bytes_span(manifest), false, false);
    if (sealer != NULL)
        filled = filled && add(zip, SIGNATURE, bytes_span(seal), false, false);
    return end(path, zip, filled);
}
