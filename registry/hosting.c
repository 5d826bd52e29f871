// SPDX-License-Identifier: MIT
#include "registry/hosting.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "registry/store.h"

#include <unistd.h>

#define CERTIFICATE_DAYS 825

static fault take_key(const char *store, struct keypair **out)
{
    char path[STORE_PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/" HOSTING_KEY, store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    if (access(path, F_OK) == 0)
        return keypair_load(path, KEY_P256, out);
    TRY(keypair_make(KEY_P256, out));
    return keypair_save(*out, path);
}

fault hosting_make(const char *store, struct keypair *ca_key, const struct certificate *ca,
                   const char *instance, const char *const *hosts, size_t count, int64_t now_ms)
{
    struct certificate_subject subject = *certificate_subject(ca); /* country and name */
    char path[STORE_PATH_BYTES];
    OWNED(keypair) key = NULL;
    OWNED(bytes) request = NULL;
    OWNED(bytes) pem = NULL;
    OWNED(certificate) certificate = NULL;
    int64_t end_ms = now_ms + CERTIFICATE_DAYS * STORE_DAY_MS;
    if (!text_format(subject.member, sizeof subject.member,
                     "%s/" DIRECTORY_AUTHORITY_CLASS "/ADMIN", instance) ||
        !text_format(subject.server, sizeof subject.server, "admin") ||
        !text_format(path, sizeof path, "%s/" HOSTING_CERTIFICATE, store))
        return RAISE(BAD_NAME, "the instance or the store's name is too long");
    TRY(take_key(store, &key));
    TRY(keypair_request(key, &subject, &request));
    if (end_ms > certificate_not_after_ms(ca))
        end_ms = certificate_not_after_ms(ca);
    TRY(certificate_issue_host(ca_key, ca, bytes_span(request), &subject, hosts, count,
                               now_ms - STORE_DAY_MS, end_ms, &certificate));
    TRY(certificate_pem(certificate, &pem));
    TRY(file_replace(path, bytes_span(pem), 0644));
    return file_sync_folder(store);
}
