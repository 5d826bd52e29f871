// SPDX-License-Identifier: MIT
/* How a request for enrolment stands, for the operator of the server that asks. */
#include "tools/chaski/enrol.h"

#include "lib/base/shown.h"
#include "lib/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

enum enrol_state enrol_state_of(json_t *answer)
{
    const char *state = text_in(answer, "state");
    return strcmp(state, "approved") == 0   ? ENROL_APPROVED
           : strcmp(state, "refused") == 0  ? ENROL_REFUSED
           : strcmp(state, "prepared") == 0 ? ENROL_PREPARED
                                            : ENROL_WAITING;
}

/* The registry's words; what is not plain is not shown. */
static const char *plain_in(json_t *json, const char *field)
{
    const char *text = text_in(json, field);
    return shown_as_is(span_of_text(text)) ? text : "(words that cannot be shown)";
}

static void tell_reach(json_t *answer, enum enrol_state state)
{
    json_t *reach = json_object_get(answer, "reach");
    if (reach != NULL)
        printf("called back by the registry at %s: IPv4: %s; IPv6: %s\n", plain_in(reach, "called"),
               plain_in(reach, "ipv4"), plain_in(reach, "ipv6"));
    else if (state == ENROL_WAITING || state == ENROL_PREPARED)
        printf("the registry has not called this server back yet: start it and run this again\n");
}

/* Of a member that has servers, one of them says that this is no stranger. */
static void tell_voucher(json_t *answer, enum enrol_state state)
{
    json_t *voucher = json_object_get(answer, "voucher"), *one = NULL;
    json_t *servers = json_object_get(voucher, "servers");
    size_t i = 0;
    if (state != ENROL_WAITING && state != ENROL_PREPARED)
        return;
    json_array_foreach(servers, i, one) if (json_is_string(one) &&
                                            shown_as_is(span_of_text(json_string_value(one))))
        printf("vouched for by %s\n", json_string_value(one));
    if (json_is_true(json_object_get(voucher, "wanted")) && json_array_size(servers) == 0)
        printf("this member has servers, and none of them vouches for this request yet. At one of "
               "them:\n  chaski enrol vouch %s --config server.conf\n",
               text_in(answer, "id"));
}

void enrol_tell(const char *server, json_t *answer, enum enrol_state state)
{
    const char *reason = text_in(answer, "reason");
    printf("request %s\n%s: ", text_in(answer, "id"), server);
    if (state == ENROL_APPROVED)
        printf("approved, epoch %" PRId64 "; the node takes its certificate by itself\n",
               (int64_t)json_integer_value(json_object_get(answer, "epoch")));
    else if (state == ENROL_REFUSED)
        printf("refused: %s\nput right what it names and run this again with --anew: a new request "
               "with the same keys\n",
               shown_as_is(span_of_text(reason)) ? reason : "(a reason that cannot be shown)");
    else if (state == ENROL_PREPARED)
        printf("prepared: two operators of the authority must approve it now\n");
    else
        printf("waiting: no operator of the authority has looked at it yet\n");
    tell_voucher(answer, state);
    tell_reach(answer, state);
    fflush(stdout);
}

bool enrol_is_news(json_t *answer, enum enrol_state state, char said[ENROL_SAID_ROOM])
{
    char now[ENROL_SAID_ROOM];
    json_t *reach = json_object_get(answer, "reach");
    json_t *servers = json_object_get(json_object_get(answer, "voucher"), "servers");
    text_format(now, sizeof now, "%d %zu %.150s %.150s", (int)state, json_array_size(servers),
                text_in(reach, "ipv4"), text_in(reach, "ipv6"));
    bool news = strcmp(now, said) != 0;
    memcpy(said, now, sizeof now);
    return news;
}
