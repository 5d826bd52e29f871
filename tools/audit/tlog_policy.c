// SPDX-License-Identifier: MIT
#include "tools/audit/tlog_policy.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define WORDS_MAX (TLOG_POLICY_NAMES_MAX + 3)
#define NONE SIZE_MAX

/* A witness, or a group of those that stand before it. */
struct party {
    struct span name; /* in the text */
    struct note_key key;
    bool is_group, taken; /* taken: it is in a group */
    size_t need;
    uint64_t members; /* bits: places of parties */
};

struct tlog_policy {
    struct bytes *text;
    size_t count;
    struct party party[TLOG_POLICY_NAMES_MAX];
    size_t quorum; /* place; NONE: none is asked for */
    bool has_quorum;
};

_Static_assert(TLOG_POLICY_NAMES_MAX <= 64, "members are bits of 64");

void tlog_policy_free(struct tlog_policy **self)
{
    if (*self == NULL)
        return;
    bytes_free(&(*self)->text);
    free(*self);
    *self = NULL;
}

static size_t find(const struct tlog_policy *self, struct span name)
{
    for (size_t i = 0; i < self->count; i++)
        if (span_equal(self->party[i].name, name))
            return i;
    return NONE;
}

static fault add(struct tlog_policy *self, struct span name, struct party **out)
{
    if (self->count == TLOG_POLICY_NAMES_MAX)
        return RAISE(BAD_REQUEST, "more than %d witnesses and groups", TLOG_POLICY_NAMES_MAX);
    if (span_is_text(name, "none") || find(self, name) != NONE)
        return RAISE(BAD_REQUEST, "a name stands twice, or is \"none\"");
    *out = &self->party[self->count];
    (*out)->name = name;
    return DONE;
}

static fault take_witness(struct tlog_policy *self, const struct span *word, size_t words)
{
    struct party *party = NULL;
    if (words < 3)
        return RAISE(BAD_REQUEST, "a witness has a name and a key");
    TRY(add(self, word[1], &party));
    TRY(note_key_parse(word[2], &party->key));
    if (party->key.type != NOTE_WITNESS)
        return RAISE(BAD_REQUEST, "that is no key of a witness");
    for (size_t i = 0; i < self->count; i++)
        if (!self->party[i].is_group && memcmp(self->party[i].key.public_key, party->key.public_key,
                                               sizeof party->key.public_key) == 0)
            return RAISE(BAD_REQUEST, "two witnesses have one key");
    self->count++;
    return DONE;
}

static fault take_need(struct span word, size_t members, size_t *out)
{
    uint64_t number = 0;
    *out = span_is_text(word, "any") ? 1 : members;
    if (span_is_text(word, "any") || span_is_text(word, "all"))
        return DONE;
    TRY(text_number(word, members, &number));
    *out = (size_t)number;
    return number > 0 ? DONE : RAISE(BAD_REQUEST, "a group of which none is needed");
}

static fault take_group(struct tlog_policy *self, const struct span *word, size_t words)
{
    struct party *party = NULL;
    if (words < 4)
        return RAISE(BAD_REQUEST, "a group has a name, a number and members");
    TRY(add(self, word[1], &party));
    TRY(take_need(word[2], words - 3, &party->need));
    for (size_t i = 3; i < words; i++) {
        size_t at = find(self, word[i]);
        if (at == NONE || self->party[at].taken)
            return RAISE(BAD_REQUEST, "a member that is not known before, or is in two groups");
        self->party[at].taken = true;
        party->members |= UINT64_C(1) << at;
    }
    party->is_group = true;
    self->count++;
    return DONE;
}

static fault take_quorum(struct tlog_policy *self, const struct span *word, size_t words)
{
    if (self->has_quorum || words != 2)
        return RAISE(BAD_REQUEST, "one quorum is to be named");
    self->quorum = find(self, word[1]);
    if (self->quorum == NONE && !span_is_text(word[1], "none"))
        return RAISE(BAD_REQUEST, "the quorum is of nobody known");
    self->has_quorum = true;
    return DONE;
}

static fault take_words(struct tlog_policy *self, const struct span *word, size_t words)
{
    struct note_key log;
    if (words == 0 || word[0].at[0] == '#')
        return DONE;
    if (span_is_text(word[0], "witness"))
        return take_witness(self, word, words);
    if (span_is_text(word[0], "group"))
        return take_group(self, word, words);
    if (span_is_text(word[0], "quorum"))
        return take_quorum(self, word, words);
    if (!span_is_text(word[0], "log") || words < 2)
        return RAISE(BAD_REQUEST, "it begins with another word than log, witness, group, quorum");
    return note_key_parse(word[1], &log);
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static fault take_line(struct tlog_policy *self, struct span line)
{
    struct span word[WORDS_MAX];
    size_t words = 0;
    for (size_t at = 0; at < line.size;) {
        size_t from = at;
        while (at < line.size && !is_blank(line.at[at]))
            at++;
        if (at > from && words == WORDS_MAX)
            return RAISE(BAD_REQUEST, "more than %d words", WORDS_MAX);
        if (at > from)
            word[words++] = span_of(&line.at[from], at - from);
        else
            at++;
    }
    return take_words(self, word, words);
}

fault tlog_policy_read(const char *path, struct tlog_policy **out)
{
    OWNED(tlog_policy) self = owned_new(sizeof *self);
    char detail[200];
    TRY(file_read(path, TLOG_POLICY_BYTES_MAX, &self->text));
    struct span text = bytes_span(self->text);
    size_t number = 1;
    for (size_t at = 0; at < text.size; number++) {
        size_t from = at;
        while (at < text.size && text.at[at] != '\n')
            at++;
        if (failed(take_line(self, span_of(&text.at[from], at - from)))) {
            text_format(detail, sizeof detail, "%s", fault_detail());
            return RAISE(BAD_REQUEST, "%.300s, line %zu: %s", path, number, detail);
        }
        at++;
    }
    if (!self->has_quorum)
        return RAISE(BAD_REQUEST, "%.300s names no quorum", path);
    *out = TAKE(self);
    return DONE;
}

bool tlog_policy_met(const struct tlog_policy *self, struct span note)
{
    uint64_t good = 0; /* bits: groups stand behind their members */
    for (size_t i = 0; i < self->count; i++) {
        const struct party *party = &self->party[i];
        struct checkpoint head;
        uint64_t time_s = 0;
        bool is_good = party->is_group
                           ? (size_t)__builtin_popcountll(good & party->members) >= party->need
                           : !failed(cosignature_open(note, &party->key, &head, &time_s));
        good |= is_good ? UINT64_C(1) << i : 0;
    }
    return self->quorum == NONE || (good >> self->quorum & 1) != 0;
}
