// SPDX-License-Identifier: MIT
#include "tools/audit/anchors.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define TRUST_BYTES_MAX (1 << 20)

/* Base64 without its line ends. */
static fault unwrap(struct span lines, struct bytes **der)
{
    OWNED(bytes) joined = bytes_empty(lines.size + 1);
    for (size_t i = 0; i < lines.size; i++)
        if (strchr("\r\n \t", lines.at[i]) == NULL)
            TRY(bytes_append(joined, span_of(lines.at + i, 1)));
    return text_unbase64(bytes_span(joined), der);
}

static bool take_line(struct cursor *at, struct span *out)
{
    if (cursor_at_end(at))
        return false;
    if (failed(cursor_take_until(at, '\n', out)))
        ignore(cursor_take(at, at->left.size, out)); /* the last one, which nothing ends */
    if (out->size > 0 && out->at[out->size - 1] == '\r')
        out->size--;
    return true;
}

static bool begins(struct span line, const char *with)
{
    size_t size = strlen(with);
    return line.size >= size && memcmp(line.at, with, size) == 0;
}

static void take_block(struct anchors *self, struct span lines)
{
    OWNED(bytes) der = NULL;
    if (self->certificates == ANCHORS_CERTIFICATES_MAX || failed(unwrap(lines, &der))) {
        self->unread = true;
        return;
    }
    self->certificate[self->certificates++] = SHA256_OF(bytes_span(der));
}

static void take_blocks(struct anchors *self, struct span pem)
{
    struct cursor at = cursor_over(pem);
    struct span line;
    const uint8_t *begun = NULL;
    while (take_line(&at, &line)) {
        if (begins(line, "-----BEGIN ")) {
            self->unread |= !span_is_text(line, "-----BEGIN CERTIFICATE-----");
            begun = at.left.at;
        } else if (begun != NULL && begins(line, "-----END ")) {
            take_block(self, span_of(begun, (size_t)(line.at - begun)));
            begun = NULL;
        }
    }
    self->unread |= begun != NULL;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_BYTES);
}

fault anchors_read(const char *trust_file, const struct note_key *authority, struct anchors *out)
{
    OWNED(bytes) pem = NULL;
    TRY(file_read(trust_file, TRUST_BYTES_MAX, &pem));
    *out = (struct anchors){.file = SHA256_OF(bytes_span(pem))};
    take_blocks(out, bytes_span(pem));
    if (out->certificates > 1)
        qsort(out->certificate, out->certificates, sizeof out->certificate[0], by_bytes);
    note_key_text(authority, out->vkey, sizeof out->vkey);
    return DONE;
}

bool anchors_equal(const struct anchors *a, const struct anchors *b)
{
    if (strcmp(a->vkey, b->vkey) != 0)
        return false;
    if (a->unread || b->unread)
        return sha256_equal(&a->file, &b->file);
    return a->certificates == b->certificates &&
           memcmp(a->certificate, b->certificate, a->certificates * sizeof a->certificate[0]) == 0;
}
