// SPDX-License-Identifier: MIT
#include "registry/stamping.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "registry/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERTIFICATE_DAYS 3650
#define LAST_SECOND_MS \
    INT64_C(2524607999000) /* of 2049, as for the authority's other certificates */
#define SERIAL_MAX (UINT64_MAX / 2)

static fault path_in(const char *store, const char *name, char out[STORE_PATH_BYTES])
{
    if (!text_format(out, STORE_PATH_BYTES, "%s/" STAMPING_FOLDER "/%s", store, name))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    return DONE;
}

// --- making -------------------------------------------------------------------------------------

static fault write_in(const char *folder, const char *name, struct span bytes)
{
    char path[STORE_PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/%s", folder, name))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    return file_replace(path, bytes, 0644);
}

static int64_t end_of(const struct certificate *ca, int64_t now_ms)
{
    int64_t end_ms = now_ms + CERTIFICATE_DAYS * STORE_DAY_MS;
    if (end_ms > certificate_not_after_ms(ca))
        end_ms = certificate_not_after_ms(ca);
    return end_ms < LAST_SECOND_MS ? end_ms : LAST_SECOND_MS;
}

static fault make_certificate(struct keypair *ca_key, const struct certificate *ca,
                              const char *instance, struct keypair *key, int64_t now_ms,
                              struct certificate **out)
{
    struct certificate_subject subject = *certificate_subject(ca); /* country and name */
    OWNED(bytes) request = NULL;
    if (!text_format(subject.member, sizeof subject.member, "%s/" DIRECTORY_AUTHORITY_CLASS "/TSA",
                     instance) ||
        !text_format(subject.server, sizeof subject.server, "tsa"))
        return RAISE(BAD_NAME, "the instance is too long");
    TRY(keypair_request(key, &subject, &request));
    return certificate_issue_stamper(ca_key, ca, bytes_span(request), &subject,
                                     now_ms - STORE_DAY_MS, end_of(ca, now_ms), out);
}

static fault fill(const char *folder, struct keypair *ca_key, const struct certificate *ca,
                  const char *instance, int64_t now_ms)
{
    char path[STORE_PATH_BYTES];
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    if (mkdir(folder, 0700) != 0)
        return RAISE(IO_FAILED, "making %s: %m", folder);
    if (!text_format(path, sizeof path, "%s/" STAMPING_KEY, folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(keypair_make(KEY_P256, &key));
    TRY(make_certificate(ca_key, ca, instance, key, now_ms, &certificate));
    TRY(keypair_save(key, path));
    TRY(certificate_pem(certificate, &pem));
    TRY(write_in(folder, STAMPING_CERTIFICATE, bytes_span(pem)));
    return write_in(folder, STAMPING_SERIAL, span_of_text("1\n"));
}

static void drop(const char *folder)
{
    static const char *const names[] = {STAMPING_KEY, STAMPING_CERTIFICATE, STAMPING_SERIAL};
    char path[STORE_PATH_BYTES];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_format(path, sizeof path, "%s/%s", folder, names[i]))
            unlink(path);
    rmdir(folder);
}

fault stamping_make(const char *store, struct keypair *ca_key, const struct certificate *ca,
                    const char *instance, int64_t now_ms)
{
    char beside[STORE_PATH_BYTES], folder[STORE_PATH_BYTES];
    if (!text_format(folder, sizeof folder, "%s/" STAMPING_FOLDER, store) ||
        !text_format(beside, sizeof beside, "%s.new-%d", folder, (int)getpid()))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    if (access(folder, F_OK) == 0)
        return RAISE(REFUSED, "%s is there already", folder);
    fault f = fill(beside, ca_key, ca, instance, now_ms);
    if (!failed(f) && rename(beside, folder) != 0)
        f = RAISE(REFUSED, "%s is there already", folder);
    if (failed(f)) {
        drop(beside);
        return f;
    }
    return file_sync_folder(store);
}

// --- using --------------------------------------------------------------------------------------

fault stamping_lock(const char *store)
{
    char path[STORE_PATH_BYTES];
    int held = -1;
    TRY(path_in(store, STAMPING_KEY, path));
    if (access(path, F_OK) != 0)
        return RAISE(NOT_FOUND,
                     "%.200s has no time stamp authority: chaski-registry "
                     "stamp-authority add %.200s",
                     store, store);
    TRY(path_in(store, STAMPING_LOCK, path));
    fault f = file_lock(path, &held);
    return f.code == REFUSED ? RAISE(REFUSED, "%.200s is being served already", store) : f;
}

fault stamping_load(const char *store, struct stamper **out)
{
    char path[STORE_PATH_BYTES], until[32];
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = NULL;
    TRY(path_in(store, STAMPING_KEY, path));
    TRY(keypair_load(path, KEY_P256, &key));
    TRY(path_in(store, STAMPING_CERTIFICATE, path));
    TRY(certificate_load(path, &certificate));
    if (certificate_not_after_ms(certificate) <= clock_wall_ms()) {
        clock_text(certificate_not_after_ms(certificate), until, sizeof until);
        return RAISE(CERTIFICATE_BAD, "%s ended at %s", path, until);
    }
    return stamper_new(key, certificate, out);
}

// --- serial numbers -----------------------------------------------------------------------------

struct serials {
    char path[STORE_PATH_BYTES];
    uint64_t next;
    uint64_t reserved; /* the first that the file does not cover */
};

void serials_free(struct serials **self)
{
    free(*self);
    *self = NULL;
}

fault serials_open(const char *store, struct serials **out)
{
    OWNED(serials) self = owned_new(sizeof *self);
    OWNED(bytes) text = NULL;
    TRY(path_in(store, STAMPING_SERIAL, self->path));
    fault f = file_read(self->path, 32, &text);
    struct span digits = bytes_span(text);
    if (!failed(f) && digits.size > 0 && digits.at[digits.size - 1] == '\n')
        digits.size--;
    if (failed(f) || failed(text_number(digits, SERIAL_MAX, &self->next)) || self->next == 0)
        return RAISE(LOG_BROKEN,
                     "%s does not hold the next serial number: write one there that is greater "
                     "than that of every stamp",
                     self->path);
    self->reserved = self->next;
    *out = TAKE(self);
    return DONE;
}

fault serials_next(struct serials *self, uint64_t *out)
{
    if (self->next == self->reserved) {
        char text[32];
        text_format(text, sizeof text, "%" PRIu64 "\n", self->reserved + SERIALS_AT_ONCE);
        TRY(file_replace(self->path, span_of_text(text), 0644));
        self->reserved += SERIALS_AT_ONCE;
    }
    *out = self->next++;
    return DONE;
}
