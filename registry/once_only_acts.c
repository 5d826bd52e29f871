// SPDX-License-Identifier: MIT
/* once-only add and remove: registers from a file, as acts. */
#include "registry/commands.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/register_file.h"

#include "directory.pb-c.h"

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

struct adding {
    struct store *store;
    struct said *said;
};

static fault add(void *owner, Chaski__Act *act, const char *what)
{
    struct adding *self = owner;
    TRY(store_act(self->store, act));
    said_add(self->said, "%s", what);
    return DONE;
}

fault act_once_only_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    struct adding adding = {store, said};
    OWNED(bytes) text = NULL;
    TRY(file_read(arguments->operand, REGISTER_FILE_BYTES_MAX, &text));
    return register_file_read(bytes_span(text), store_state(store), store_time(store), add,
                              &adding);
}

fault act_once_only_removal(struct store *store, const struct arguments *arguments,
                            struct said *said)
{
    static const struct {
        const char *noun;
        Chaski__Removed__WhatCase what;
    } kinds[] = {{"procedure/", CHASKI__REMOVED__WHAT_PROCEDURE},
                 {"requirement/", CHASKI__REMOVED__WHAT_REQUIREMENT},
                 {"evidence/", CHASKI__REMOVED__WHAT_EVIDENCE_TYPE},
                 {"satisfaction/", CHASKI__REMOVED__WHAT_SATISFACTION},
                 {"source/", CHASKI__REMOVED__WHAT_SOURCE}};
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].noun);
        if (strncmp(arguments->operand, kinds[i].noun, length) != 0)
            continue;
        removed.what_case = kinds[i].what;
        removed.procedure = lend(arguments->operand + length); /* all texts of one union */
        removed.reason = lend(arguments_text(arguments, ARGUMENT_REASON));
        act.act_case = CHASKI__ACT__ACT_REMOVED;
        act.removed = &removed;
        TRY(store_act(store, &act));
        said_add(said, "%s: removed", arguments->operand);
        return DONE;
    }
    return RAISE(BAD_REQUEST, "KIND is procedure, requirement, evidence, satisfaction or source");
}
