// SPDX-License-Identifier: MIT
#include "lib/evidence/witness_policy.h"

#include "lib/base/text.h"

#include <stdio.h>

#define LINE_BYTES 1024

static fault add_witness(struct bytes *policy, const struct note_key *key)
{
    char vkey[400], line[LINE_BYTES];
    note_key_text(key, vkey, sizeof vkey);
    text_format(line, sizeof line, "witness %s %s\n", key->name, vkey);
    return bytes_append_text(policy, line);
}

/* The keys of those that still are witnesses; at most DIRECTORY_WITNESSES_MAX. */
static size_t keys_of(const struct directory *directory, const struct directory_server *server,
                      const struct note_key *out[DIRECTORY_WITNESSES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < server->witnesses; i++) {
        const struct note_key *key = directory_witness_key(directory, &server->witness[i]);
        if (key != NULL)
            out[count++] = key;
    }
    return count;
}

static bool has_quorum(const struct note_key *const *keys, size_t count, unsigned quorum,
                       struct span note)
{
    unsigned good = 0;
    for (size_t i = 0; i < count; i++) {
        struct checkpoint head;
        uint64_t time_s = 0;
        good += !failed(cosignature_open(note, keys[i], &head, &time_s));
    }
    return good >= quorum;
}

/* A quorum that is more than there are can be met by nobody: all of them are named then. */
static fault add_quorum(struct bytes *policy, const struct note_key *const *keys, size_t count,
                        unsigned quorum)
{
    char line[64];
    if (quorum == 0)
        return bytes_append_text(policy, "quorum none\n");
    text_format(line, sizeof line, "group quorum %zu", quorum < count ? (size_t)quorum : count);
    TRY(bytes_append_text(policy, line));
    for (size_t i = 0; i < count; i++) {
        TRY(bytes_append_text(policy, " "));
        TRY(bytes_append_text(policy, keys[i]->name));
    }
    return bytes_append_text(policy, "\nquorum quorum\n");
}

static fault make(const struct note_key *const *keys, size_t count, unsigned quorum,
                  struct span note, struct bytes **out, bool *met)
{
    OWNED(bytes) policy = bytes_empty(1024);
    *out = NULL;
    *met = false;
    if (count == 0)
        return DONE;
    for (size_t i = 0; i < count; i++)
        TRY(add_witness(policy, keys[i]));
    TRY(add_quorum(policy, keys, count, quorum));
    *met = has_quorum(keys, count, quorum, note);
    *out = TAKE(policy);
    return DONE;
}

fault witness_policy(const struct directory *directory, const struct note_key *log,
                     struct span note, struct bytes **out, bool *met)
{
    const struct note_key *keys[DIRECTORY_WITNESSES_MAX];
    const struct directory_server *server =
        directory_server_of_log(directory, span_of_text(log->name));
    size_t count = server == NULL ? 0 : keys_of(directory, server, keys);
    return make(keys, count, server == NULL ? 0 : server->quorum, note, out, met);
}

fault witness_policy_of_directory(const struct directory *directory, struct span note,
                                  struct bytes **out, bool *met)
{
    const struct directory_server *witness[DIRECTORY_WITNESSES_MAX];
    const struct note_key *keys[DIRECTORY_WITNESSES_MAX];
    unsigned quorum = 0;
    size_t count = 0, named = directory_witnesses(directory, witness, &quorum);
    for (size_t i = 0; i < named; i++)
        if (witness[i]->is_witness)
            keys[count++] = &witness[i]->witness_key;
    return make(keys, count, quorum, note, out, met);
}
