// SPDX-License-Identifier: MIT
/* Another key for the acts: made here, and brought in by an act. */
#include "registry/acts_keys.h"
#include "registry/commands.h"

#include "lib/base/clock.h"

#include "directory.pb-c.h"

fault acts_key_make(struct store *store, struct said *said)
{
    char path[STORE_PATH_BYTES], until[32];
    struct acts_key_change made;
    TRY(store_make_acts_key(store, path, sizeof path));
    TRY(acts_keys_read(path, &made));
    clock_text(certificate_not_after_ms(made.after), until, sizeof until);
    bool lost = made.signature_size == 0;
    acts_key_change_clear(&made);
    said_add(said, "a key for acts, good until %s: it is in %s/keys. Nothing uses it yet.", until,
             store_folder(store));
    if (lost)
        said_add(said, "The key that signs acts is not there, and did not sign that it gives way.");
    said_add(said, "Next: take a backup, start `serve`, and propose it: acts-key use %s", path);
    return DONE;
}

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

fault act_acts_key_use(struct store *store, const struct arguments *arguments, struct said *said)
{
    struct acts_key_change with;
    char until[32];
    Chaski__ActsKeySet set = CHASKI__ACTS_KEY_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    TRY(acts_keys_read(arguments->operand, &with));
    set.certificate_before = binary(certificate_der(with.before));
    set.certificate = binary(certificate_der(with.after));
    set.signature_before = binary(span_of(with.signature, with.signature_size));
    act.act_case = CHASKI__ACT__ACT_ACTS_KEY_SET;
    act.acts_key_set = &set;
    fault f = store_act(store, &act);
    clock_text(certificate_not_after_ms(with.after), until, sizeof until);
    acts_key_change_clear(&with);
    TRY(f);
    said_add(said, "acts: signed by another key from here on, good until %s", until);
    return DONE;
}
