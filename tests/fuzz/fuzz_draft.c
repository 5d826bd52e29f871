// SPDX-License-Identifier: MIT
/* A file of drafted acts, supposed on top of a directory that was only opened. */
#include "lib/bus/directory_private.h"
#include "lib/bus/draft.h"

#include "directory.pb-c.h"

#include <assert.h>

#define NOW_MS INT64_C(1790000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_country(struct directory *state)
{
    char context[] = "chaski directory act v1", instance[] = "CO";
    uint8_t packed[128];
    Chaski__Opened opened = CHASKI__OPENED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    opened.instance = instance;
    act.context = context;
    act.time_ms = NOW_MS;
    act.act_case = CHASKI__ACT__ACT_OPENED;
    act.opened = &opened;
    size_t length = chaski__act__pack(&act, packed);
    fault f = directory_apply(state, 0, span_of(packed, length));
    assert(!failed(f));
    (void)f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(directory) state = directory_new(NULL);
    struct draft_facts facts;
    open_country(state);
    fault f = draft_suppose(state, span_of(data, size), NOW_MS, &facts);
    assert(failed(f) || (facts.acts > 0 && directory_is_spoiled(state)));
    (void)f;
    return 0;
}
