// SPDX-License-Identifier: MIT
#include "lib/bus/draft.h"

#include "lib/bus/directory_private.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define ACT_CONTEXT "chaski directory act v1"
#define DRAFT_CONTEXT "chaski draft v1"

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static fault pack(const Chaski__Act *act, struct bytes **out)
{
    TRY(bytes_new(chaski__act__get_packed_size(act), out));
    chaski__act__pack(act, (*out)->data);
    return DONE;
}

// --- making -------------------------------------------------------------------------------------

/* The act alone: who has approved it is told to nobody, for that would be an approval given away.
 */
static fault bare(struct span from, struct bytes **out)
{
    Chaski__Act *act = chaski__act__unpack(NULL, from.size, from.at);
    if (act == NULL)
        return RAISE(BAD_REQUEST, "this is no act");
    Chaski__Act alone = *act;
    alone.context = lend(ACT_CONTEXT);
    alone.number = alone.time_ms = 0;
    alone.intent = NULL;
    alone.n_approval = 0;
    alone.approval = NULL;
    fault f = pack(&alone, out);
    chaski__act__free_unpacked(act, NULL);
    return f;
}

static fault pack_all(struct bytes *const *acts, size_t count, struct bytes **out)
{
    Chaski__Draft draft = CHASKI__DRAFT__INIT;
    draft.context = lend(DRAFT_CONTEXT);
    draft.n_act = count;
    draft.act = owned_array(count, sizeof *draft.act);
    for (size_t i = 0; i < count; i++)
        draft.act[i] = (ProtobufCBinaryData){acts[i]->size, acts[i]->data};
    size_t size = chaski__draft__get_packed_size(&draft);
    fault f = size > DRAFT_BYTES_MAX
                  ? RAISE(BAD_REQUEST, "a draft of more than %u bytes", DRAFT_BYTES_MAX)
                  : bytes_new(size, out);
    if (!failed(f))
        chaski__draft__pack(&draft, (*out)->data);
    free(draft.act);
    return f;
}

fault draft_make(const struct span *acts, size_t count, struct bytes **out)
{
    if (count == 0 || count > DRAFT_ACTS_MAX)
        return RAISE(BAD_REQUEST, "a draft has 1 to %d acts, and not %zu", DRAFT_ACTS_MAX, count);
    struct bytes **alone = owned_array(count, sizeof *alone);
    fault f = DONE;
    for (size_t i = 0; i < count && !failed(f); i++)
        f = bare(acts[i], &alone[i]);
    if (!failed(f))
        f = pack_all(alone, count, out);
    for (size_t i = 0; i < count; i++)
        bytes_free(&alone[i]);
    free(alone);
    return f;
}

// --- supposing ----------------------------------------------------------------------------------

/* As if whoever must approve it had done so. */
static fault suppose_one(struct directory *state, struct span from, uint64_t number, int64_t at_ms,
                         struct draft_facts *facts)
{
    OWNED(bytes) alone = NULL;
    OWNED(bytes) packed = NULL;
    TRY(bare(from, &alone));
    Chaski__Act *act = chaski__act__unpack(NULL, alone->size, alone->data);
    if (act == NULL) /* fields that are not known here, and are not packed as they came */
        return RAISE(BAD_FRAME, "this is no draft of acts");
    act->number = number;
    act->time_ms = (uint64_t)(at_ms > state->last_ms ? at_ms : state->last_ms);
    if (act->act_case == CHASKI__ACT__ACT_RESTRICTION_SET &&
        (int64_t)act->restriction_set->from_ms > facts->from_ms)
        facts->from_ms = (int64_t)act->restriction_set->from_ms;
    fault f = pack(act, &packed);
    chaski__act__free_unpacked(act, NULL);
    TRY(f);
    state->governed = false;
    return directory_apply(state, number, bytes_span(packed));
}

fault draft_suppose(struct directory *state, struct span draft, int64_t at_ms,
                    struct draft_facts *out)
{
    Chaski__Draft *read =
        draft.size > DRAFT_BYTES_MAX ? NULL : chaski__draft__unpack(NULL, draft.size, draft.at);
    *out = (struct draft_facts){0};
    if (read == NULL || strcmp(read->context, DRAFT_CONTEXT) != 0 || read->n_act == 0 ||
        read->n_act > DRAFT_ACTS_MAX) {
        if (read != NULL)
            chaski__draft__free_unpacked(read, NULL);
        return RAISE(BAD_FRAME, "this is no draft of acts");
    }
    fault f = DONE;
    state->spoiled = true;
    for (size_t i = 0; i < read->n_act && !failed(f); i++)
        f = suppose_one(state, span_of(read->act[i].data, read->act[i].len), state->epoch + 1 + i,
                        at_ms, out);
    out->acts = read->n_act;
    chaski__draft__free_unpacked(read, NULL);
    return f.code == BAD_REQUEST ? RAISE(BAD_FRAME, "%s", fault_detail()) : f;
}
