// SPDX-License-Identifier: MIT
#include "security-server/exchange/outside_lines.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/witness.h"

#define PATH_BYTES 512

void outside_lines_begin(struct outside_lines *self, const struct directory_server *own)
{
    self->count = 0;
    for (size_t i = 0; i < own->witnesses; i++)
        if (own->witness[i].server == NULL)
            self->key[self->count++] = *own->witness[i].key;
    self->waiting = self->count > 0;
    self->overtaken = false;
}

unsigned outside_lines_take(struct outside_lines *self, const char *folder,
                            const struct note_key *log_key, const struct checkpoint *head,
                            struct bytes **note)
{
    char path[PATH_BYTES];
    OWNED(bytes) brought = NULL;
    struct checkpoint over;
    unsigned taken = 0;
    text_format(path, sizeof path, "%s/outside", folder);
    if (!self->waiting || failed(file_read(path, NOTE_BYTES_MAX, &brought)) ||
        failed(checkpoint_open(bytes_span(brought), log_key, &over)) || over.size < head->size)
        return 0; /* the scribe is not that far yet */
    self->waiting = false;
    self->overtaken = over.size > head->size;
    if (self->overtaken || !sha256_equal(&over.root, &head->root))
        return 0;
    for (size_t i = 0; i < self->count; i++)
        taken += !failed(witness_line_take(note, bytes_span(brought), &self->key[i]));
    return taken;
}
