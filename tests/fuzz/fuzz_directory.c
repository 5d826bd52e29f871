// SPDX-License-Identifier: MIT
/*
 * The fold of the directory over arbitrary acts, without their signatures: input is a row of
 * (u16 length | packed chaski.Act), big-endian, as in an entry bundle. What folds must be sound
 * enough to decide with.
 */
#include "lib/base/cursor.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/policy.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decide_all(const struct directory *directory)
{
    size_t step = 0;
    for (const struct directory_service *service;
         (service = directory_next_service(directory, &step)) != NULL;) {
        size_t inner = 0;
        for (const struct directory_subsystem *client;
             (client = directory_next_subsystem(directory, &inner)) != NULL;) {
            struct policy_verdict verdict;
            struct policy_question question = {.client = span_of_text(client->id),
                                               .service = span_of_text(service->id),
                                               .at_ms = 1790000000000};
            policy_decide(directory, &question, &verdict);
            assert(verdict.rule[0] != '\0' && verdict.reason[0] != '\0');
            assert((verdict.fault == OK) == (verdict.remedy[0] == '\0'));
        }
    }
}

/* What the header promises of every state. */
static void check_references(const struct directory *directory)
{
    size_t step = 0;
    for (const struct directory_subsystem *at;
         (at = directory_next_subsystem(directory, &step)) != NULL;) {
        assert(at->member == directory_member(directory, span_of_text(at->member->id)));
        for (size_t i = 0; i < at->servers; i++)
            assert(at->server[i] == directory_server(directory, span_of_text(at->server[i]->id)));
    }
    step = 0;
    for (const struct directory_server *at;
         (at = directory_next_server(directory, &step)) != NULL;) {
        assert(at->member == directory_member(directory, span_of_text(at->member->id)));
        for (size_t i = 0; i < at->signers; i++)
            assert(directory_signer(directory, at->signer[i]->template.ski) == at->signer[i]);
    }
}

static void check_stampers(const struct directory *directory)
{
    const struct directory_stamper *at = NULL;
    size_t count = directory_stampers(directory, &at);
    assert(count <= DIRECTORY_STAMPERS_MAX);
    for (size_t i = 1; i < count; i++)
        assert(at[i - 1].order < at[i].order ||
               (at[i - 1].order == at[i].order && strcmp(at[i - 1].name, at[i].name) < 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(directory) state = directory_new(NULL);
    struct cursor from = cursor_over(span_of(data, size));
    for (uint64_t number = 0; !cursor_at_end(&from); number++) {
        uint16_t length = 0;
        struct span act;
        if (failed(cursor_take_u16(&from, &length)) || failed(cursor_take(&from, length, &act)) ||
            failed(directory_apply(state, number, act)))
            return 0;
    }
    check_references(state);
    check_stampers(state);
    decide_all(state);
    return 0;
}
