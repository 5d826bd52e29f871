// SPDX-License-Identifier: MIT
#include "registry/ahead.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/authority_file.h"
#include "lib/bus/limits.h"
#include "lib/crypto/cades.h"
#include "registry/commands.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD "ahead"
#define ACT "ahead.act"
#define NOBODY "ahead.nobody"
#define FORMER "ahead.former"

static fault path_of(const char *folder, const char *name, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the store's name is too long");
}

/* *out NULL: there is none. */
static fault read_one(const char *folder, const char *name, size_t most, struct bytes **out)
{
    char path[STORE_PATH_BYTES];
    *out = NULL;
    TRY(path_of(folder, name, path));
    fault f = file_read(path, most, out);
    return f.code == NOT_FOUND ? DONE : f;
}

static fault write_one(const char *folder, const char *name, struct span bytes)
{
    char path[STORE_PATH_BYTES];
    TRY(path_of(folder, name, path));
    return file_replace(path, bytes, 0644);
}

static bool is_there(const char *folder, const char *name)
{
    char path[STORE_PATH_BYTES];
    return !failed(path_of(folder, name, path)) && access(path, F_OK) == 0;
}

static void drop(const char *folder, const char *name)
{
    char path[STORE_PATH_BYTES];
    if (!failed(path_of(folder, name, path)))
        unlink(path);
}

bool ahead_is_file(const char *name)
{
    return strcmp(name, HEAD) == 0 || strcmp(name, ACT) == 0 || strcmp(name, NOBODY) == 0 ||
           strcmp(name, FORMER) == 0;
}

// --- how it stands ------------------------------------------------------------------------------

static fault number_of(struct span leaf, uint64_t *out)
{
    struct span content;
    TRY(cades_content(leaf, &content));
    Chaski__Act *act = chaski__act__unpack(NULL, content.size, content.at);
    if (act == NULL)
        return RAISE(BAD_FRAME, "it holds no act");
    *out = act->number;
    chaski__act__free_unpacked(act, NULL);
    return DONE;
}

static fault read_act(const char *folder, uint64_t own, struct ahead *out)
{
    OWNED(bytes) leaf = NULL;
    uint64_t number = 0;
    TRY(read_one(folder, ACT, LEAF_BYTES_MAX, &leaf));
    if (leaf != NULL && !failed(number_of(bytes_span(leaf), &number)) && number >= own)
        *out = (struct ahead){AHEAD_OLD_COPY, number + 1};
    return DONE;
}

static fault read_head(const char *folder, const struct note_key *log, uint64_t own,
                       struct ahead *out)
{
    OWNED(bytes) note = NULL;
    OWNED(bytes) nobody = NULL;
    struct checkpoint head;
    TRY(read_one(folder, HEAD, NOTE_BYTES_MAX, &note));
    if (note == NULL || failed(checkpoint_open(bytes_span(note), log, &head)) || head.size <= own)
        return DONE; /* a key that gave way says nothing */
    TRY(read_one(folder, NOBODY, NOTE_BYTES_MAX, &nobody));
    bool said = nobody != NULL && span_equal(bytes_span(nobody), bytes_span(note));
    *out = (struct ahead){said ? AHEAD_NOBODY : AHEAD_ASKING, head.size};
    return DONE;
}

fault ahead_read(const char *folder, const struct note_key *log, uint64_t own, struct ahead *out)
{
    *out = (struct ahead){.state = AHEAD_NOT};
    TRY(read_act(folder, own, out));
    return out->state == AHEAD_NOT ? read_head(folder, log, own, out) : DONE;
}

fault ahead_of_store(const struct store *store, struct ahead *out)
{
    return ahead_read(store_folder(store), store_log_key(store), store_count(store), out);
}

const char *ahead_rule(enum ahead_state state)
{
    static const char *const rules[] = {"", "ahead/asking", "ahead/nobody", "ahead/old-copy"};
    return rules[state];
}

void ahead_words(const struct ahead *self, uint64_t own, char out[AHEAD_WORDS_ROOM])
{
    static const char *const words[] = {
        "",
        "an old copy, or a stolen log key. Who follows is given some minutes to show the acts; "
        "until then no act is signed",
        "nobody who follows showed the acts, so the log key is stolen. Change it now, which alone "
        "is let through: log-key make, log-key use (docs/OPERATIONS.md, The log key is stolen)",
        "it was shown (ahead.act in the store), so the store is an old copy; put back the newest "
        "one. If no member holds such an act, somebody else signed it: docs/OPERATIONS.md, "
        "registry.store_behind"};
    out[0] = '\0';
    if (self->state != AHEAD_NOT)
        snprintf(out, AHEAD_WORDS_ROOM,
                 "%s: %s of %" PRIu64 " acts, signed with the %s, is elsewhere, and this store has "
                 "%" PRIu64 ": %s",
                 ahead_rule(self->state), self->state == AHEAD_OLD_COPY ? "the last" : "a head",
                 self->held_elsewhere,
                 self->state == AHEAD_OLD_COPY ? "key of acts" : "log key in force", own,
                 words[self->state]);
}

fault ahead_check_act(const struct store *store, const Chaski__Act *act)
{
    struct ahead ahead;
    char words[AHEAD_WORDS_ROOM];
    TRY(ahead_of_store(store, &ahead));
    bool changes_key = act->act_case == CHASKI__ACT__ACT_AUTHORITY_KEYS_SET ||
                       act->act_case == CHASKI__ACT__ACT_ACTS_KEY_SET; /* who has one has both */
    if (ahead.state == AHEAD_NOT || (ahead.state == AHEAD_NOBODY && changes_key))
        return DONE;
    ahead_words(&ahead, store_count(store), words);
    return RAISE(ACTS_HELD, "%s", words);
}

// --- what is shown ------------------------------------------------------------------------------

static fault kept(fault f)
{
    if (failed(f))
        EVENT(ERROR, "registry.note_not_kept", E_FAULT(f));
    return f;
}

fault ahead_take_head(const char *folder, uint64_t own, const struct checkpoint *head,
                      struct span note, bool *held)
{
    *held = head->size > own;
    if (!*held || is_there(folder, HEAD))
        return DONE;
    fault f = write_one(folder, HEAD, note);
    EVENT(ERROR, "registry.acts_held", E_TEXT("rule", ahead_rule(AHEAD_ASKING)),
          E_NUMBER("held_elsewhere", (int64_t)head->size), E_NUMBER("held_here", (int64_t)own),
          E_TEXT("detail", "somebody showed a head of more acts than this store has, signed with "
                           "the log key in force: it is an old copy, or the key is stolen. No act "
                           "is signed until it is known which"));
    return kept(f);
}

/* An old copy does not know who signs by now. An act that says so itself shows it, when a CA of the
 * anchor has issued that certificate to the authority. Not one whose key gave way: whoever stole it
 * has such a certificate too. */
static fault verify_change(const char *folder, const struct directory *state,
                           const struct certificate *authority, struct span leaf)
{
    char path[STORE_PATH_BYTES];
    struct cades_parts parts;
    OWNED(trust) trust = NULL;
    OWNED(certificate) signer = NULL;
    OWNED(bytes) pem = NULL;
    OWNED(bytes) further = NULL;
    TRY(path_of(folder, "anchor/trust.pem", path));
    TRY(trust_load(path, &trust));
    TRY(certificate_pem(authority, &pem));
    TRY(authority_file_further(bytes_span(pem), &leaf, 1, &further));
    TRY(authority_file_check(bytes_span(further), trust));
    TRY(authority_file_verify(bytes_span(further), leaf, &parts, &signer));
    return directory_check_later_signer(state, signer);
}

static fault verify_act(const char *folder, const struct directory *state,
                        struct certificate *authority, struct span leaf)
{
    struct cades_parts parts;
    fault f = cades_verify_leaf(authority, leaf, &parts);
    return f.code == NOT_YOURS && !failed(verify_change(folder, state, authority, leaf)) ? DONE : f;
}

fault ahead_take_act(const char *folder, uint64_t own, const struct directory *state,
                     struct certificate *authority, struct span leaf)
{
    uint64_t number = 0;
    TRY(number_of(leaf, &number));
    if (number < own)
        return DONE;
    if (number - own >= REGISTRY_AHEAD_ACTS_MAX)
        return RAISE(REFUSED,
                     "it says that it is act %" PRIu64 ", and this store has %" PRIu64
                     ": no store is that old. Show the one behind those that are here",
                     number, own);
    TRY(verify_act(folder, state, authority, leaf));
    ignore(kept(write_one(folder, ACT, leaf)));
    EVENT(ERROR, "registry.store_behind", E_NUMBER("held_elsewhere", (int64_t)number + 1),
          E_NUMBER("held_here", (int64_t)own),
          E_TEXT("detail", "who follows holds acts that this store does not: it is an old copy, "
                           "and is served no more; put back the newest one"));
    return RAISE(DIRECTORY_OLD, "this store is an old copy");
}

fault ahead_note_nobody(const char *folder)
{
    OWNED(bytes) note = NULL;
    TRY(read_one(folder, HEAD, NOTE_BYTES_MAX, &note));
    fault f = note == NULL ? RAISE(NOT_FOUND, "there is no head that is not held here")
                           : write_one(folder, NOBODY, bytes_span(note));
    EVENT(ERROR, "registry.log_key_stolen", E_TEXT("rule", ahead_rule(AHEAD_NOBODY)),
          E_TEXT("detail", "nobody who follows has the acts of the head that was shown: somebody "
                           "else signs with the log key. Change it now (docs/OPERATIONS.md, The "
                           "log key is stolen); until then no other act is signed"));
    return kept(f);
}

void ahead_settle(const char *folder)
{
    char from[STORE_PATH_BYTES], to[STORE_PATH_BYTES];
    if (!is_there(folder, HEAD))
        return;
    if (!failed(path_of(folder, HEAD, from)) && !failed(path_of(folder, FORMER, to)) &&
        rename(from, to) != 0)
        EVENT(ERROR, "registry.note_not_set_aside", E_TEXT("folder", folder));
    drop(folder, NOBODY);
    EVENT(INFO, "registry.acts_go_on", E_TEXT("folder", folder));
}

// --- before it is served ------------------------------------------------------------------------

/* A head that the store reached since, or one by a key that gave way: which nobody is to fear. */
static fault settle_at_start(const struct store *store)
{
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    const char *folder = store_folder(store);
    TRY(read_one(folder, HEAD, NOTE_BYTES_MAX, &note));
    if (note != NULL && !failed(checkpoint_open(bytes_span(note), store_log_key(store), &head)))
        TRY(publish_check_past(store, bytes_span(note), "what was shown (STORE/ahead)"));
    drop(folder, ACT);
    ahead_settle(folder);
    return DONE;
}

fault ahead_check(const char *folder)
{
    struct ahead ahead;
    char words[AHEAD_WORDS_ROOM];
    OWNED(store) store = NULL;
    if (!is_there(folder, HEAD) && !is_there(folder, ACT))
        return DONE;
    TRY(store_look(folder, &store));
    TRY(ahead_of_store(store, &ahead));
    if (ahead.state == AHEAD_NOT)
        return settle_at_start(store);
    ahead_words(&ahead, store_count(store), words);
    if (ahead.state == AHEAD_OLD_COPY)
        return RAISE(REFUSED, "%s", words);
    EVENT(ERROR, "registry.acts_held", E_TEXT("rule", ahead_rule(ahead.state)),
          E_NUMBER("held_elsewhere", (int64_t)ahead.held_elsewhere),
          E_NUMBER("held_here", (int64_t)store_count(store)), E_TEXT("detail", words));
    return DONE;
}
