// SPDX-License-Identifier: MIT
#include "registry/remote/remote.h"

#include "lib/base/text.h"
#include "registry/drafting.h"
#include "registry/operator_key.h"
#include "registry/remote/fetch.h"
#include "registry/remote/health_asking.h"
#include "registry/remote/proposing.h"
#include "registry/remote/requesting.h"
#include "registry/remote/statuses_asking.h"

#include <stdlib.h>

static fault open_http(const struct arguments *arguments, const struct anchor_file *anchor,
                       const struct operator_keys *keys, struct registry_http **out)
{
    OWNED(bytes) pem = NULL;
    TRY(anchor_file_pem(anchor, &pem));
    TRY(bytes_append(pem, span_of("", 1)));
    return registry_http_open(arguments_text(arguments, ARGUMENT_AT), (const char *)pem->data,
                              operator_key_pair(keys->key[0]), out);
}

/* A command that acts, or a whole file of them: tried and signed here, then sent. */
static fault run_acts(const struct command *command, const struct arguments *arguments,
                      struct registry_http *http, struct store *store, struct said *said)
{
    char label[REGISTRY_REASON_BYTES_MAX];
    const char *given = arguments_text(arguments, ARGUMENT_LABEL);
    OWNED(said) locally = said_new(); /* it is not done yet: the registry says what became of it */
    TRY(command->act != NULL ? command->act(store, arguments, locally)
                             : batch_run(store, arguments->operand, locally));
    said_take_looks(said, locally);
    if (arguments_text(arguments, ARGUMENT_DRAFT) != NULL)
        return drafting_write(store, arguments, said);
    TRY(store_commit(store)); /* files besides, if any */
    text_format(label, sizeof label, "%s%s%s", command->noun, command->verb == NULL ? "" : " ",
                command->verb == NULL ? "" : command->verb);
    return proposing_send(http, store, given == NULL ? label : given, said);
}

static fault run_with_store(const struct command *command, const struct arguments *arguments,
                            struct registry_http *http, const struct anchor_file *anchor,
                            const struct operator_keys *keys, struct said *said)
{
    OWNED(store) store = NULL;
    TRY(fetch_store(http, anchor, &store));
    TRY(operator_keys_approve(keys, store));
    if (strcmp(command->noun, "approve") == 0)
        return proposing_approve(http, store, arguments, said);
    return run_acts(command, arguments, http, store, said);
}

fault remote_run(const struct command *command, const struct arguments *arguments,
                 struct said *said)
{
    OWNED(anchor_file) anchor = NULL;
    OWNED(operator_keys) keys = NULL;
    OWNED(registry_http) http = NULL;
    const char *path = arguments_text(arguments, ARGUMENT_ANCHOR);
    if (path == NULL || arguments_text(arguments, ARGUMENT_AS) == NULL)
        return RAISE(BAD_REQUEST, "--at needs --anchor FILE and --as KEYFILE");
    TRY(anchor_file_read(path, &anchor));
    TRY(operator_keys_open(arguments, &keys));
    TRY(open_http(arguments, anchor, keys, &http));
    if (strcmp(command->noun, "proposals") == 0)
        return proposing_list(http, arguments, said);
    if (strcmp(command->noun, "refuse") == 0)
        return proposing_refuse(http, arguments, said);
    if (strcmp(command->noun, "requests") == 0)
        return requesting_list(http, arguments, said);
    if (strcmp(command->noun, "request") == 0)
        return requesting_one(http, command->verb, arguments, said);
    if (strcmp(command->noun, "status") == 0)
        return health_asking(http, said);
    if (strcmp(command->noun, "statuses") == 0)
        return statuses_asking(http, arguments, said);
    return run_with_store(command, arguments, http, anchor, keys, said);
}
