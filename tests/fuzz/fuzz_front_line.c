// SPDX-License-Identifier: MIT
/*
 * What a gateway's line to its server takes: input is u16 length | packed FrontMessage, big-endian,
 * and the payload frame behind it. Each message is handed on once at most, with every text there,
 * and its payload is read as the gateway reads it.
 */
#include "gateway/client_list.h"
#include "gateway/plan_json.h"
#include "gateway/front_line.h"
#include "gateway/rest_headers.h"
#include "lib/base/event.h"

#include "front.pb-c.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned handed_on;

static void check_problem(const struct front_problem *problem)
{
    handed_on++;
    assert(fault_known((uint32_t)problem->code));
    assert(problem->detail != NULL && problem->rule != NULL && problem->remedy != NULL);
}

static void on_admitted(void *owner, uint64_t ask, const struct front_problem *problem)
{
    (void)owner, (void)ask;
    check_problem(problem);
}

static void on_answered(void *owner, const struct front_answer *answer)
{
    static struct rest_response response;
    static struct rest_fields given;
    (void)owner;
    check_problem(&answer->problem);
    assert(answer->origin != NULL && answer->client != NULL && answer->service != NULL);
    if (failed(rest_response_read(answer->payload, &response)))
        return;
    rest_headers_of_answer(&response.header, &given);
    assert(given.count <= HTTP_FIELDS_MAX && given.count <= response.header.count);
}

static void on_called(void *owner, const struct front_call *call)
{
    static struct rest_request request;
    static struct rest_fields told;
    (void)owner;
    handed_on++;
    assert(call->client != NULL && call->service != NULL && call->purpose != NULL);
    for (size_t i = 0; i < call->codes; i++)
        assert(call->has_offer && call->code[i] != NULL);
    struct rest_facts facts = {call->client, "exchange", call->purpose};
    if (failed(rest_request_read(call->payload, &request)) ||
        failed(rest_headers_of_call(&request.header, &facts, &told)))
        return;
    assert(!failed(rest_headers_check(&told)));
    assert(span_is_text(rest_headers_last(&told, "X-Road-Client"), call->client));
}

static void on_clients(void *owner, const struct front_clients *page)
{
    static struct client_list list;
    (void)owner;
    check_problem(&page->problem);
    if (page->total > 1000)
        return;
    client_list_begin(&list, page->epoch, page->total);
    for (size_t i = 0; i < page->count; i++)
        if (failed(client_list_add(&list, &page->client[i])))
            return;
    assert(list.count == page->count);
}

static void on_lost(void *owner, enum front_loss loss)
{
    (void)owner, (void)loss;
    handed_on++;
}

static void on_can(void *owner, const struct front_can *answer)
{
    size_t letters = strlen(answer->missing) + strlen(answer->supplier) + strlen(answer->command) +
                     strlen(answer->rule);
    (void)owner;
    check_problem(&answer->problem);
    for (size_t i = 0; i < answer->steps; i++)
        letters += strlen(answer->step[i].name) + strlen(answer->step[i].detail);
    handed_on += letters > 0;
}

static void on_servers(void *owner, const struct front_servers *page)
{
    size_t letters = 0;
    (void)owner;
    check_problem(&page->problem);
    for (size_t i = 0; i < page->count; i++)
        letters += strlen(page->server[i].id) + strlen(page->server[i].subsystem) +
                   strlen(page->server[i].name);
    handed_on += letters > 0;
}

static void on_once_only(void *owner, const struct Chaski__FrontMessage *message)
{
    json_t *said = NULL;
    (void)owner;
    if (message->body_case == CHASKI__FRONT_MESSAGE__BODY_PLAN_ANSWER)
        said = plan_json(message->plan_answer);
    else if (message->body_case == CHASKI__FRONT_MESSAGE__BODY_PERMIT_SAID)
        said = plan_json_permit(message->permit_said);
    handed_on++;
    json_decref(said);
}

static const struct front_handler handler = {on_admitted, on_answered, on_called,
                                             on_lost,     NULL,        on_clients,
                                             on_can,      on_servers,  on_once_only};

static struct front_line *line_to_nobody(void)
{
    struct front_line *line = NULL;
    struct front_line_options options = {
        .address = "inproc://nobody", .name = "fuzz", .handler = &handler};
    if (failed(loop_new(&options.loop)) || failed(net_new(options.loop, &options.net)) ||
        failed(front_line_open(&options, &line)))
        abort();
    event_setup("fuzz", ERROR);
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct front_line *line;
    if (line == NULL)
        line = line_to_nobody();
    size_t first = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]);
    if (size < 2 || first > size - 2)
        return 0;
    struct message message = {
        .count = first + 2 == size ? 1 : 2,
        .frame = {span_of(data + 2, first), span_of(data + 2 + first, size - 2 - first)}};
    handed_on = 0;
    front_line_take(line, &message);
    assert(handed_on <= 1);
    return 0;
}
