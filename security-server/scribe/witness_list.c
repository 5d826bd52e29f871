// SPDX-License-Identifier: MIT
#include "security-server/scribe/witness_list.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#define PATH_BYTES 512
#define POLICY_BYTES_MAX 65536

fault witness_list_own_key(const char *audit_folder, struct note_key *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) vkey = NULL;
    text_format(path, sizeof path, "%s/anchor/log.vkey", audit_folder);
    TRY(file_read(path, 1024, &vkey));
    struct span line = bytes_span(vkey);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    return note_key_parse(line, out);
}

/* "witness VKEY URL" */
static bool read_witness(struct span line, struct listed_witness *out)
{
    struct cursor at = cursor_over(line);
    struct span word, vkey;
    return !failed(cursor_take_until(&at, ' ', &word)) && span_is_text(word, "witness") &&
           !failed(cursor_take_until(&at, ' ', &vkey)) &&
           !failed(note_key_parse(vkey, &out->key)) && out->key.type == NOTE_WITNESS &&
           text_format(out->url, sizeof out->url, "%.*s", (int)at.left.size,
                       (const char *)at.left.at);
}

fault witness_list_read(const char *audit_folder, struct witness_list *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) policy = NULL;
    struct span line;
    text_format(path, sizeof path, "%s/anchor/confirmers", audit_folder);
    TRY(file_read(path, POLICY_BYTES_MAX, &policy));
    *out = (struct witness_list){0};
    struct cursor at = cursor_over(bytes_span(policy));
    while (out->count < DIRECTORY_WITNESSES_MAX && !failed(cursor_take_until(&at, '\n', &line)))
        out->count += read_witness(line, &out->one[out->count]);
    return DONE;
}
