// SPDX-License-Identifier: MIT
#include "lib/evidence/status_files.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/status.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 1024

/* One answer that was found, checked; bytes NULL: none. */
struct pick {
    int64_t this_update_ms;
    enum status_form form;
    struct bytes *bytes;
};

struct picks {
    const struct directory_signer *signer;
    int64_t time_ms;
    struct pick before, after;
};

static bool read_name(const char *name, int64_t *out_ms, enum status_form *form)
{
    const char *dot = strchr(name, '.');
    uint64_t seconds = 0;
    if (dot == NULL || dot - name != 10 ||
        failed(text_number(span_of(name, 10), 9999999999, &seconds)))
        return false;
    *out_ms = (int64_t)seconds * 1000;
    *form = strcmp(dot, ".crl") == 0 ? STATUS_CRL : STATUS_OCSP;
    return *form == STATUS_CRL || strcmp(dot, ".ocsp") == 0;
}

/* Nearer to the record's time on this side? OCSP stands before a list of the same second. */
static bool is_nearer(const struct pick *self, int64_t ms, bool before)
{
    return self->bytes == NULL || (before ? ms > self->this_update_ms : ms < self->this_update_ms);
}

static void look_at(struct picks *self, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    OWNED(bytes) answer = NULL;
    int64_t ms = 0;
    enum status_form form = STATUS_OCSP;
    struct status status;
    if (!read_name(name, &ms, &form))
        return;
    struct pick *pick = ms <= self->time_ms ? &self->before : &self->after;
    if (!is_nearer(pick, ms, pick == &self->before) ||
        !text_format(path, sizeof path, "%s/%s", folder, name) ||
        failed(file_read(path, form == STATUS_CRL ? STATUS_CRL_BYTES_MAX : STATUS_OCSP_BYTES_MAX,
                         &answer)) ||
        failed(status_read(form, bytes_span(answer), self->signer->authority->issuer,
                           self->signer->certificate, ms, &status)) ||
        status.this_update_ms != ms || status.verdict == STATUS_UNKNOWN)
        return;
    bytes_free(&pick->bytes);
    *pick = (struct pick){ms, form, TAKE(answer)};
}

static void look_in(struct picks *self, const char *folder, const struct sha256 *hash)
{
    char path[PATH_BYTES], hex[2 * SHA256_BYTES + 1];
    text_hex(sha256_span(hash), hex, sizeof hex);
    if (!text_format(path, sizeof path, "%s/status/%s", folder, hex))
        return;
    DIR *open = opendir(path);
    for (const struct dirent *at; open != NULL && (at = readdir(open)) != NULL;)
        look_at(self, path, at->d_name);
    if (open != NULL)
        closedir(open);
}

static void put(struct pick *self, struct files *files)
{
    char name[64];
    if (self->bytes == NULL)
        return;
    text_format(name, sizeof name, "status/%" PRId64 ".%s", self->this_update_ms / 1000,
                status_form_word(self->form));
    files_take(files, name, &self->bytes);
}

fault status_files_export(const char *folder, const struct directory_signer *signer,
                          int64_t time_ms, struct files *files)
{
    struct picks picks = {.signer = signer, .time_ms = time_ms};
    struct sha256 certificate = certificate_hash(signer->certificate);
    struct sha256 issuer = issuer_hash(signer->authority->issuer);
    look_in(&picks, folder, &certificate);
    look_in(&picks, folder, &issuer);
    put(&picks.before, files);
    put(&picks.after, files);
    return DONE;
}
