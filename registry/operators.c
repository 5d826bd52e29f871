// SPDX-License-Identifier: MIT
/* Who works at the authority, with which keys; and who watches over the directory itself. */
#include "registry/commands.h"

#include "lib/base/text.h"

#include "directory.pb-c.h"

#define TEXT(which) arguments_text(arguments, ARGUMENT_##which)
#define POINT_TEXT_BYTES (4 * ((P256_POINT_BYTES + 2) / 3) + 1)

static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static fault role_of(const char *word, enum directory_role *out)
{
    for (*out = ROLE_ENROL; *out < ROLES_END; (*out)++)
        if (strcmp(word, directory_role_word(*out)) == 0)
            return DONE;
    return RAISE(REFUSED, "'%s' is no role: enrol, approve, publish, revoke or audit", word);
}

/* In their order and each once, however they were given. */
static fault take_roles(const struct arguments *arguments, Chaski__Role out[ROLES_END],
                        size_t *count)
{
    bool has[ROLES_END] = {false};
    for (size_t i = 0; i < arguments->count[ARGUMENT_ROLE]; i++) {
        enum directory_role role = 0;
        TRY(role_of(arguments->value[ARGUMENT_ROLE][i], &role));
        has[role] = true;
    }
    for (int role = ROLE_ENROL; role < ROLES_END; role++)
        if (has[role])
            out[(*count)++] = (Chaski__Role)role;
    return DONE;
}

fault act_person_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__OperatorSet set = CHASKI__OPERATOR_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__Role roles[ROLES_END];
    OWNED(bytes) point = NULL;
    bool governed = directory_is_governed(store_state(store));
    if (failed(text_unbase64(span_of_text(TEXT(KEY)), &point)))
        return RAISE(REFUSED, "--key is not what `operator key` printed");
    set.id = lend(arguments->operand);
    set.name = lend(TEXT(NAME));
    set.public_key = (ProtobufCBinaryData){point->size, point->data};
    TRY(take_roles(arguments, roles, &set.n_role));
    set.role = roles;
    act.act_case = CHASKI__ACT__ACT_OPERATOR_SET;
    act.operator_set = &set;
    TRY(store_act(store, &act));
    said_add(said, "operator %s: %s", set.id, set.name);
    if (!governed && directory_is_governed(store_state(store)))
        said_add(said, "From now on acts need the approval of operators: --as KEYFILE");
    return DONE;
}

fault act_person_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    removed.what_case = CHASKI__REMOVED__WHAT_OPERATOR;
    removed.operator_ = lend(arguments->operand);
    removed.reason = lend(TEXT(REASON));
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    TRY(store_act(store, &act));
    said_add(said, "operator %s: removed", arguments->operand);
    return DONE;
}

fault act_directory_witness_set(struct store *store, const struct arguments *arguments,
                                struct said *said)
{
    Chaski__DirectoryWitnessesSet set = CHASKI__DIRECTORY_WITNESSES_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char *server[ARGUMENT_VALUES_MAX];
    unsigned quorum = 0;
    TRY(arguments_number(arguments, ARGUMENT_QUORUM, 0, DIRECTORY_WITNESSES_MAX, 0, &quorum));
    set.n_server = arguments->count[ARGUMENT_WITNESS];
    for (size_t i = 0; i < set.n_server; i++)
        server[i] = lend(arguments->value[ARGUMENT_WITNESS][i]);
    set.server = server;
    set.quorum = quorum;
    act.act_case = CHASKI__ACT__ACT_DIRECTORY_WITNESSES_SET;
    act.directory_witnesses_set = &set;
    TRY(store_act(store, &act));
    said_add(said, "the directory: %zu witnesses, quorum %u", set.n_server, quorum);
    return DONE;
}
