// SPDX-License-Identifier: MIT
#include "registry/show_closed.h"

#define CHASKI "urn:chaski:"
#define SLOW 1 /* requests a second, for everybody together: the least that can be set */

static bool is_slow(const struct directory_service *at)
{
    return at->rate > 0 && at->rate <= SLOW;
}

const void *show_closed_next(const struct directory *directory, size_t *step)
{
    const struct directory_service *at;
    while ((at = directory_next_service(directory, step)) != NULL)
        if (at->disabled || is_slow(at) || at->columns > 0)
            return at;
    return NULL;
}

static json_t *columns_json(const struct directory_service *at)
{
    json_t *names = json_array();
    for (size_t i = 0; i < at->columns; i++)
        json_array_append_new(names, json_string(at->column[i].name));
    return json_pack("{s:s,s:s,s:o}", "by", "columns", "rule", "column/unlisted", "given_at_most",
                     names);
}

static json_t *how_json(const struct directory_service *at)
{
    json_t *how = json_array();
    if (at->disabled)
        json_array_append_new(how, json_pack("{s:s,s:s,s:s}", "by", "disabled", "rule",
                                             "service/disabled", "notice", at->notice));
    if (is_slow(at))
        json_array_append_new(how, json_pack("{s:s,s:s,s:I}", "by", "rate", "rule", "rate/service",
                                             "a_second", (json_int_t)at->rate));
    if (at->columns > 0)
        json_array_append_new(how, columns_json(at));
    return how;
}

json_t *show_closed_json(const struct directory *directory, const void *service, int64_t at_ms)
{
    const struct directory_service *at = service;
    (void)directory, (void)at_ms;
    return json_pack("{s:s,s:s,s:o}", "service", at->id, "owner", at->subsystem->member->id, "how",
                     how_json(at));
}

json_t *show_closed_ld(const struct directory *directory, const void *service, int64_t at_ms)
{
    const struct directory_service *at = service;
    (void)directory, (void)at_ms;
    return json_pack("{s:o,s:s,s:{s:s,s:o,s:s},s:o,s:n,s:o}", "@id",
                     json_sprintf(CHASKI "closed:%s", at->id), "@type", "odrl:Set",
                     "odrl:prohibition", "@type", "odrl:Prohibition", "odrl:target",
                     json_sprintf(CHASKI "%s", at->id), "odrl:action", "odrl:use", "chaski:owner",
                     json_sprintf(CHASKI "%s", at->subsystem->member->id), "chaski:ground",
                     "chaski:how", how_json(at));
}
