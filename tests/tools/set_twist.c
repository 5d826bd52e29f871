// SPDX-License-Identifier: MIT
/*
 * set_twist - has each record of a set of leaves say of whom it is otherwise than the log does, in
 * good form: what somebody does who writes to a server's disk. For tests.
 *
 *   set_twist SET_FILE     named by its hour
 */
#include "lib/base/file.h"
#include "lib/bus/leaf_set.h"

#include <stdio.h>

static fault run(const char *path)
{
    OWNED(bytes) file = NULL;
    const char *name = strrchr(path, '/');
    int64_t hour = 0;
    TRY(set_hour_parse(span_of_text(name == NULL ? path : name + 1), &hour));
    TRY(file_read(path, 1 << 24, &file));
    for (size_t at = 0; at + SET_RECORD_BYTES <= file->size; at += SET_RECORD_BYTES) {
        struct set_entry entry;
        TRY(set_entry_decode(file->data + at, hour, &entry));
        entry.own = !entry.own;
        set_entry_encode(&entry, file->data + at);
    }
    return file_replace(path, bytes_span(file), 0644);
}

int main(int argc, char **argv)
{
    fault f = argc == 2 ? run(argv[1]) : RAISE(BAD_REQUEST, "see the head of set_twist.c");
    if (failed(f))
        fprintf(stderr, "set_twist: %s: %s\n", fault_name(f.code), fault_detail());
    return failed(f) ? 1 : 0;
}
