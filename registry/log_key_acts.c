// SPDX-License-Identifier: MIT
/* Another key for the directory's log: made here, and brought in by an act. */
#include "registry/commands.h"
#include "registry/log_keys.h"

#include "lib/base/text.h"

#include "directory.pb-c.h"

fault log_key_make(struct store *store, struct said *said)
{
    char path[STORE_PATH_BYTES], vkey[400];
    struct handover made;
    TRY(store_make_log_key(store, path, sizeof path));
    TRY(log_keys_read_handover(path, &made));
    note_key_text(&made.after, vkey, sizeof vkey);
    said_add(said, "log key %s: its key is in %s/keys. Nothing uses it yet.", vkey,
             store_folder(store));
    said_add(said, "Next: take a backup, start `serve`, and propose it: log-key use %s", path);
    return DONE;
}

fault act_log_key_use(struct store *store, const struct arguments *arguments, struct said *said)
{
    struct handover with;
    char before[400], after[400];
    Chaski__AuthorityKeysSet set = CHASKI__AUTHORITY_KEYS_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    TRY(log_keys_read_handover(arguments->operand, &with));
    note_key_text(&with.before, before, sizeof before);
    note_key_text(&with.after, after, sizeof after);
    set.log_vkey_before = before;
    set.log_vkey = after;
    set.signature_before =
        (ProtobufCBinaryData){sizeof with.signature_before, with.signature_before};
    set.signature = (ProtobufCBinaryData){sizeof with.signature_after, with.signature_after};
    act.act_case = CHASKI__ACT__ACT_AUTHORITY_KEYS_SET;
    act.authority_keys_set = &set;
    TRY(store_act(store, &act));
    said_add(said, "the directory's log: signed by %s from here on", after);
    return DONE;
}
