// SPDX-License-Identifier: MIT
/*
 * What a gateway's line to its clerk takes: input is u16 length | packed EvidenceMessage,
 * big-endian, and the body frame behind it. Whatever is handed on fits into an HTTP head.
 */
#include "gateway/clerk_line.h"
#include "lib/base/event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned handed_on;

static void on_answered(void *owner, const struct clerk_answer *answer)
{
    (void)owner;
    handed_on++;
    assert(answer->status >= 200 && answer->status <= 599);
    assert(answer->sentence != NULL);
    assert(strpbrk(answer->type, "\r\n\"") == NULL && strpbrk(answer->name, "\r\n\"") == NULL);
}

static void on_restarted(void *owner)
{
    (void)owner;
    handed_on++;
}

static struct clerk_line *line_to_nobody(void)
{
    struct clerk_line *line = NULL;
    struct clerk_line_options options = {
        .address = "inproc://nobody", .answered = on_answered, .restarted = on_restarted};
    if (failed(loop_new(&options.loop)) || failed(net_new(options.loop, &options.net)) ||
        failed(clerk_line_open(&options, &line)))
        abort();
    event_setup("fuzz", ERROR);
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct clerk_line *line;
    if (line == NULL)
        line = line_to_nobody();
    size_t first = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]);
    if (size < 2 || first > size - 2)
        return 0;
    struct message message = {
        .count = first + 2 == size ? 1 : 2,
        .frame = {span_of(data + 2, first), span_of(data + 2 + first, size - 2 - first)}};
    handed_on = 0;
    clerk_line_take(line, &message);
    assert(handed_on <= 1);
    return 0;
}
