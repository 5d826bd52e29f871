// SPDX-License-Identifier: MIT
#include "lib/bus/once_only_history.h"

#include "lib/base/text.h"
#include "lib/bus/directory_acts.h"

#define NAMES_BYTES_MAX (2 * WORD_BYTES_MAX + 2)

static const char *names(char *out, const char *first, const char *second)
{
    text_format(out, NAMES_BYTES_MAX, "%s\n%s", first, second);
    return out;
}

const struct directory_asked *once_only_asked(const struct directory *self, const char *procedure,
                                              const char *requirement)
{
    char id[NAMES_BYTES_MAX];
    return directory_find(&self->once_only.asked, names(id, procedure, requirement));
}

const struct directory_held *once_only_held(const struct directory *self, const char *evidence_type,
                                            const char *territory)
{
    char id[NAMES_BYTES_MAX];
    return directory_find(&self->once_only.held, names(id, evidence_type, territory));
}

bool once_only_asks(const struct directory_procedure *self,
                    const struct directory_requirement *requirement)
{
    for (size_t i = 0; self != NULL && i < self->needs; i++)
        if (self->need[i].requirement == requirement)
            return self->need[i].ask_citizen;
    return false;
}

// --- what forms ask for -------------------------------------------------------------------------

static struct directory_asked *asked_of(struct directory *self, const char *procedure,
                                        const char *requirement)
{
    struct map *all = &self->once_only.asked;
    char id[NAMES_BYTES_MAX];
    struct directory_asked *asked = directory_find(all, names(id, procedure, requirement));
    if (asked == NULL) {
        asked = directory_make(self, sizeof *asked);
        asked->id = directory_keep_text(self, id);
        asked->procedure = directory_keep_text(self, procedure);
        asked->requirement = directory_keep_text(self, requirement);
        asked->asked_ms = self->last_ms;
        map_set(all, span_of_text(asked->id), asked);
    }
    return asked;
}

void once_only_note_procedure(struct directory *self, const struct directory_procedure *before,
                              const struct directory_procedure *after)
{
    for (size_t i = 0; after != NULL && i < after->needs; i++) {
        if (!after->need[i].ask_citizen)
            continue;
        struct directory_asked *asked = asked_of(self, after->id, after->need[i].requirement->id);
        if (asked->stopped_ms != 0 && self->last_ms - asked->stopped_ms > ONCE_ONLY_GAP_MS)
            asked->asked_ms = self->last_ms;
        asked->stopped_ms = 0;
    }
    for (size_t i = 0; before != NULL && i < before->needs; i++)
        if (before->need[i].ask_citizen && !once_only_asks(after, before->need[i].requirement))
            asked_of(self, before->id, before->need[i].requirement->id)->stopped_ms = self->last_ms;
}

fault once_only_asked_was(struct directory *self, const struct directory_asked *from)
{
    TRY(act_code("a procedure that asked", from->procedure));
    TRY(act_code("what it asked for", from->requirement));
    struct directory_asked *asked = asked_of(self, from->procedure, from->requirement);
    asked->asked_ms = from->asked_ms;
    asked->stopped_ms = from->stopped_ms;
    return DONE;
}

// --- what is delivered --------------------------------------------------------------------------

static struct directory_held *held_of(struct directory *self, const char *evidence_type,
                                      const char *territory)
{
    struct map *all = &self->once_only.held;
    char id[NAMES_BYTES_MAX];
    struct directory_held *held = directory_find(all, names(id, evidence_type, territory));
    if (held == NULL) {
        held = directory_make(self, sizeof *held);
        held->id = directory_keep_text(self, id);
        held->evidence_type = directory_keep_text(self, evidence_type);
        held->territory = directory_keep_text(self, territory);
        held->first_ms = self->last_ms;
        map_set(all, span_of_text(held->id), held);
    }
    return held;
}

static const struct directory_source *delivering(const struct directory *self,
                                                 const char *evidence_type, const char *territory)
{
    const struct right_list *there =
        rights_of(&self->once_only.source_of, span_of_text(evidence_type), span_of_text(territory));
    for (size_t i = 0; i < there->count; i++) {
        const struct directory_source *source = there->right[i].rule;
        if (source->service[0] != '\0')
            return source;
    }
    return NULL;
}

void once_only_note_source(struct directory *self, const char *evidence_type, const char *territory)
{
    const struct directory_source *source = delivering(self, evidence_type, territory);
    if (source == NULL && once_only_held(self, evidence_type, territory) == NULL)
        return;
    struct directory_held *held = held_of(self, evidence_type, territory);
    if (source == NULL) {
        if (held->taken_ms == 0)
            held->taken_ms = self->last_ms;
        return;
    }
    held->source = source->id;
    held->service = source->service;
    held->taken_ms = 0;
}

fault once_only_held_was(struct directory *self, const struct directory_held *from)
{
    TRY(act_code("what was delivered", from->evidence_type));
    TRY(act_code("where it was delivered", from->territory));
    TRY(act_code("a source that was", from->source));
    struct directory_held *held = held_of(self, from->evidence_type, from->territory);
    held->source = directory_keep_text(self, from->source);
    held->service = directory_keep_text(self, from->service);
    held->first_ms = from->first_ms;
    held->taken_ms = from->taken_ms;
    return DONE;
}
