// SPDX-License-Identifier: MIT
/* chaski-audit search: who got what, when and why, by the index beside the log. */
#include "tools/audit/commands.h"

#include "lib/bus/log_epoch.h"
#include "lib/evidence/printable.h"
#include "tools/audit/search_print.h"

#include <stdio.h>

static void print_remarks(const struct index *index)
{
    for (size_t i = 0; i < index->remarks; i++) {
        OWNED(printable) words = printable_of(span_of_text(index->remark[i]));
        fprintf(stderr, "chaski-audit: remark: %s\n", words->text);
    }
}

static fault search(const struct search_arguments *arguments)
{
    struct search_page page;
    OWNED(index) index = NULL;
    TRY(index_open(&arguments->index, &index));
    OWNED(search_print) print = search_print_new(arguments, index);
    TRY(search_query_run(index->database, arguments, search_print_row, print, &page));
    print_remarks(index);
    search_print_end(print, &page);
    return DONE;
}

fault search_command(int argc, char **argv)
{
    struct search_arguments arguments;
    TRY(search_arguments_read(argc, argv, &arguments));
    if (arguments.index.epoch == 0)
        TRY(log_epoch_newest(arguments.index.folder, &arguments.index.epoch));
    fault f = search(&arguments);
    if (f.code != BAD_TABLE || arguments.index.as_is)
        return f;
    arguments.index.rebuild = true; /* damage shows when the page of the file is read */
    arguments.index.rebuild_why = "it is damaged";
    return search(&arguments);
}
