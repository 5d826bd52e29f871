// SPDX-License-Identifier: MIT
#include "registry/drafting.h"

#include "lib/base/file.h"
#include "lib/bus/draft.h"

fault drafting_write(const struct store *store, const struct arguments *arguments,
                     struct said *said)
{
    OWNED(bytes) draft = NULL;
    const char *path = arguments_text(arguments, ARGUMENT_DRAFT);
    size_t count = 0;
    const struct span *acts = store_drafted(store, &count);
    TRY(draft_make(acts, count, &draft));
    TRY(file_replace(path, bytes_span(draft), 0644));
    said_add(said,
             "%s: %zu act%s, carried out by nobody. What would break: chaski policy diff "
             "--config SERVER_CONF --draft %s",
             path, count, count == 1 ? "" : "s", path);
    return DONE;
}

fault drafting_run(const struct command *command, const char *folder,
                   const struct arguments *arguments, struct said *said)
{
    OWNED(said) unsaid = said_new(); /* what a command says that has acted */
    OWNED(store) store = NULL;
    TRY(store_try(folder, &store));
    TRY(command->act != NULL ? command->act(store, arguments, unsaid)
                             : batch_run(store, arguments->operand, unsaid));
    said_take_looks(said, unsaid);
    return drafting_write(store, arguments, said);
}
