// SPDX-License-Identifier: MIT
/* chaski-audit export: one record as files that stock tools can check. */
#include "tools/audit/commands.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/audit/log_view.h"

#include <inttypes.h>
#include <stdio.h>

#define PATH_BYTES 512

struct export
{
    struct log_view *view;
    const char *to;
    const struct log_anchors *anchors;
    uint64_t index;
    bool found;
};

static fault put(const struct export *self, const char *name, struct span bytes)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/%s", self->to, name))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    return file_replace(path, bytes, 0644);
}

static fault put_payload(const struct export *self, const struct log_entry *entry, bool *held)
{
    OWNED(bytes) blob = NULL;
    enum payload_state state = PAYLOAD_NONE;
    TRY(payload_store_read(self->view->folder, entry->index, entry->leaf_hash, &state, &blob));
    *held = state == PAYLOAD_HELD;
    return *held ? put(self, "payload.bin", bytes_span(blob)) : DONE;
}

static fault put_certificates(const struct export *self, const struct log_entry *entry)
{
    char from[PATH_BYTES];
    OWNED(bytes) pem = NULL;
    OWNED(bytes) trust = NULL;
    struct directory_signer *signer =
        directory_signer_ever(self->view->directory, entry->parts.ski.at);
    if (signer == NULL)
        return RAISE(CERTIFICATE_BAD, "the directory knows no certificate of this signer");
    TRY(certificate_pem(signer->certificate, &pem));
    TRY(put(self, "signer.pem", bytes_span(pem)));
    TRY(log_view_trust_file(self->view->folder, self->anchors, from, sizeof from));
    TRY(file_read(from, 1 << 20, &trust));
    return put(self, "trust.pem", bytes_span(trust));
}

static fault put_readme(const struct export *self, const struct log_entry *entry, bool held)
{
    char text[4096], hash[2 * SHA256_BYTES + 1], commitment[2 * SHA256_BYTES + 1];
    text_hex(sha256_span(entry->leaf_hash), hash, sizeof hash);
    text_hex(sha256_span(&entry->header->payload_sha256), commitment, sizeof commitment);
    text_format(
        text, sizeof text,
        "Entry %" PRIu64 " of the log %s, a %s.\n\n"
        "leaf.p7m     the log entry: a CAdES signature that holds the signed header\n"
        "header.bin   that header, taken out (protobuf, message chaski.Header)\n"
        "signer.pem   the certificate of who signed\n"
        "trust.pem    the authority's certificate; use your own copy, not this one\n"
        "%s\n"
        "1. Who signed, and is it unchanged? Says \"CAdES Verification successful\":\n"
        "   openssl cms -verify -cades -binary -inform DER -in leaf.p7m -certfile signer.pem \\\n"
        "           -CAfile trust.pem -out header.out && cmp header.out header.bin\n\n"
        "2. Is it this entry? The leaf hash, which the log's Merkle tree is built of, must be\n"
        "   %s\n"
        "   (printf '\\0'; cat leaf.p7m) | sha256sum\n\n"
        "3. Is it this content? The header commits to\n"
        "   %s\n"
        "   sha256sum payload.bin\n\n"
        "4. What does the header say?\n"
        "   protoc --decode=chaski.Header audit.proto < header.bin\n",
        entry->index, self->view->log_key.name, header_kind_word(entry->header->kind),
        held ? "payload.bin  salt (32 bytes) and payload\n"
             : "(the payload is not held any more: what remains is the commitment)\n",
        hash, commitment);
    return put(self, "README.txt", span_of_text(text));
}

static fault export_entry(void *owner, const struct log_entry *entry)
{
    struct export *self = owner;
    bool held = false;
    if (entry->index != self->index)
        return DONE;
    if (entry->header == NULL)
        return RAISE(LOG_BROKEN, "the entry cannot be read: %s", entry->damage);
    self->found = true;
    TRY(file_make_folders(self->to, 0755));
    TRY(put(self, "leaf.p7m", entry->leaf));
    TRY(put(self, "header.bin", entry->parts.content));
    TRY(put_payload(self, entry, &held));
    TRY(put_certificates(self, entry));
    return put_readme(self, entry, held);
}

fault export_command(const struct audit_arguments *arguments)
{
    struct export self = {.to = arguments->to, .anchors = &arguments->anchors};
    struct wal_end end;
    OWNED(log_view) view = NULL;
    if (arguments->count != 2 || arguments->to == NULL)
        return RAISE(BAD_REQUEST, "export DIR INDEX --to OUT");
    TRY(text_number(span_of_text(arguments->positional[1]), UINT64_MAX, &self.index));
    TRY(log_view_open(arguments->positional[0], &arguments->anchors, &view));
    self.view = view;
    TRY(log_view_walk(view, export_entry, &self, &end));
    if (!self.found)
        return RAISE(NOT_FOUND, "the log has %" PRIu64 " entries", end.size);
    printf("entry %" PRIu64 " is in %s; README.txt there says how to check it\n", self.index,
           arguments->to);
    return DONE;
}
