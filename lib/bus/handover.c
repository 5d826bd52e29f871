// SPDX-License-Identifier: MIT
#include "lib/bus/handover.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/authority_file.h"
#include "lib/bus/limits.h"
#include "lib/crypto/cades.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define CONTEXT "chaski directory log key v1"
#define VKEY_ROOM 400
#define WORDS_ROOM (sizeof CONTEXT + 2 * VKEY_ROOM)
#define PATH_BYTES 768
#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

// --- the statement ------------------------------------------------------------------------------

/* CONTEXT, zero byte, vkey of the old key, zero byte, vkey of the new one. Neither a checkpoint nor
 * a heartbeat has a zero byte in it. */
static struct span words_of(const struct handover *self, char out[WORDS_ROOM])
{
    char before[VKEY_ROOM], after[VKEY_ROOM];
    note_key_text(&self->before, before, sizeof before);
    note_key_text(&self->after, after, sizeof after);
    size_t size = sizeof CONTEXT, more = strlen(before) + 1;
    memcpy(out, CONTEXT, size);
    memcpy(out + size, before, more);
    size += more;
    more = strlen(after);
    memcpy(out + size, after, more);
    return span_of(out, size + more);
}

fault handover_make(const struct note_key *before, struct keypair *signer_before,
                    const struct note_key *after, struct keypair *signer_after,
                    struct handover *out)
{
    struct handover made = {.before = *before, .after = *after};
    char words[WORDS_ROOM];
    struct span message = words_of(&made, words);
    TRY(keypair_sign_message(signer_before, message, made.signature_before));
    TRY(keypair_sign_message(signer_after, message, made.signature_after));
    TRY(handover_check(&made));
    *out = made;
    return DONE;
}

fault handover_check(const struct handover *self)
{
    char words[WORDS_ROOM];
    struct span message = words_of(self, words);
    if (self->before.type != NOTE_LOG || self->after.type != NOTE_LOG ||
        strcmp(self->before.name, self->after.name) != 0)
        return BAD("the keys are not two of one log");
    if (memcmp(self->before.public_key, self->after.public_key, ED25519_PUBLIC_BYTES) == 0)
        return BAD("the new log key is the old one");
    if (failed(ed25519_verify(self->before.public_key, message,
                              span_of(self->signature_before, sizeof self->signature_before))))
        return BAD("the old log key did not sign that it gives way");
    if (failed(ed25519_verify(self->after.public_key, message,
                              span_of(self->signature_after, sizeof self->signature_after))))
        return BAD("the new log key did not sign that it takes over");
    return DONE;
}

static fault take_signature(ProtobufCBinaryData from, uint8_t out[ED25519_SIGNATURE_BYTES])
{
    if (from.len != ED25519_SIGNATURE_BYTES)
        return BAD("a signature of a log key with %zu bytes", from.len);
    memcpy(out, from.data, from.len);
    return DONE;
}

static fault read_act(const Chaski__AuthorityKeysSet *act, struct handover *out)
{
    if (failed(note_key_parse(span_of_text(act->log_vkey_before), &out->before)) ||
        failed(note_key_parse(span_of_text(act->log_vkey), &out->after)))
        return BAD("a log key that is none: %s", fault_detail());
    TRY(take_signature(act->signature_before, out->signature_before));
    TRY(take_signature(act->signature, out->signature_after));
    return handover_check(out);
}

fault handover_read(const struct Chaski__AuthorityKeysSet *act, struct handover *out)
{
    return read_act((const Chaski__AuthorityKeysSet *)act, out);
}

static fault of_content(struct span content, struct handover *out)
{
    Chaski__Act *act = chaski__act__unpack(NULL, content.size, content.at);
    fault f = act == NULL ? BAD("no act")
              : act->act_case != CHASKI__ACT__ACT_AUTHORITY_KEYS_SET
                  ? RAISE(NOT_FOUND, "an act of another kind")
                  : read_act(act->authority_keys_set, out);
    if (!failed(f))
        out->number = act->number;
    if (act != NULL)
        chaski__act__free_unpacked(act, NULL);
    return f;
}

fault handover_of_leaf(struct span leaf, struct handover *out)
{
    struct cades_parts parts;
    TRY(cades_parse(leaf, &parts));
    return of_content(parts.content, out);
}

// --- the file -----------------------------------------------------------------------------------

static bool is_same(const struct note_key *self, const struct note_key *other)
{
    return strcmp(self->name, other->name) == 0 &&
           memcmp(self->public_key, other->public_key, sizeof self->public_key) == 0;
}

/* The chain as the file has it, whatever the reader knows of it. */
static fault follow_one(struct span leaf, struct span authority, struct handovers *self)
{
    OWNED(certificate) signer = NULL;
    struct handover one;
    struct cades_parts parts;
    if (failed(handover_of_leaf(leaf, &one)))
        return BAD("an entry of %s is no change of keys: %s", HANDOVERS_FILE, fault_detail());
    if (self->former > 0 && !is_same(&one.before, &self->key))
        return BAD("the entries of %s do not lead from one to the next", HANDOVERS_FILE);
    if (authority.size > 0 && failed(authority_file_verify(authority, leaf, &parts, &signer)))
        return BAD("an entry of %s is not signed by the authority", HANDOVERS_FILE);
    if (self->former == HANDOVERS_MAX)
        return BAD("more than %d keys", HANDOVERS_MAX);
    self->number[self->former] = one.number;
    self->was[self->former++] = one.before;
    self->key = one.after;
    return DONE;
}

fault handovers_follow(struct span file, const struct note_key *base, struct span authority,
                       struct handovers *out)
{
    struct cursor at = cursor_over(file);
    struct handovers all = {.key = *base};
    while (!cursor_at_end(&at)) {
        uint16_t size = 0;
        struct span leaf;
        if (failed(cursor_take_u16(&at, &size)) || failed(cursor_take(&at, size, &leaf)))
            return BAD("%s ends early", HANDOVERS_FILE);
        TRY(follow_one(leaf, authority, &all));
    }
    bool known = is_same(&all.key, base);
    for (size_t i = 0; i < all.former; i++)
        known |= is_same(&all.was[i], base);
    *out = known ? all : (struct handovers){.key = *base};
    return DONE;
}

static fault read_file(const char *folder, struct bytes **out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/%s", folder, HANDOVERS_FILE))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    fault f = file_read(path, HANDOVERS_BYTES_MAX, out);
    if (f.code != NOT_FOUND)
        return f;
    *out = bytes_empty(16);
    return DONE;
}

fault handovers_read(const char *folder, const struct note_key *base, struct handovers *out)
{
    OWNED(bytes) file = NULL;
    TRY(read_file(folder, &file));
    return handovers_follow(bytes_span(file), base, (struct span){0}, out);
}

fault handovers_key(const char *folder, const struct note_key *base, struct note_key *out)
{
    struct handovers all;
    TRY(handovers_read(folder, base, &all));
    *out = all.key;
    return DONE;
}

uint64_t handover_last_size(uint64_t number)
{
    return number + 1 + DIRECTORY_BOTH_KEYS;
}

fault handovers_open(const struct handovers *self, struct span note, struct checkpoint *out)
{
    fault f = checkpoint_open(note, &self->key, out);
    for (size_t i = self->former; f.code == SIGNATURE_BAD && i-- > 0;) {
        f = checkpoint_open(note, &self->was[i], out);
        if (!failed(f) && out->size > handover_last_size(self->number[i]))
            return RAISE(DIRECTORY_FORKED,
                         "a head of %" PRIu64 " entries is signed with a key that gave way with "
                         "entry %" PRIu64,
                         out->size, self->number[i]);
    }
    return f;
}

static bool holds(struct span file, struct span leaf)
{
    struct cursor at = cursor_over(file);
    uint16_t size = 0;
    struct span held;
    while (!failed(cursor_take_u16(&at, &size)) && !failed(cursor_take(&at, size, &held)))
        if (span_equal(held, leaf))
            return true;
    return false;
}

fault handovers_add(const char *folder, const struct span *leaves, size_t count)
{
    char path[PATH_BYTES];
    struct handover one;
    OWNED(bytes) file = NULL;
    bool more = false;
    for (size_t i = 0; i < count; i++) {
        if (failed(handover_of_leaf(leaves[i], &one)))
            continue;
        if (file == NULL)
            TRY(read_file(folder, &file));
        if (holds(bytes_span(file), leaves[i]))
            continue;
        uint8_t size[2];
        put_u16(size, (uint16_t)leaves[i].size);
        TRY(bytes_append(file, span_of(size, sizeof size)));
        TRY(bytes_append(file, leaves[i]));
        more = true;
    }
    if (!more)
        return DONE;
    text_format(path, sizeof path, "%s/%s", folder, HANDOVERS_FILE);
    TRY(file_make_folders(folder, 0755));
    return file_replace(path, bytes_span(file), 0644);
}
