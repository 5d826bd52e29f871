// SPDX-License-Identifier: MIT
#include "lib/bus/sealing.h"

#include "lib/bus/consumer.h"

#define DAY_MS INT64_C(86400000)

static bool is_for(const struct directory *directory, const struct directory_sealing *sealing,
                   struct span client)
{
    struct consumer_names names;
    consumer_names_of(directory, client, &names);
    for (size_t i = 0; i < names.count; i++)
        if (span_is_text(names.name[i], sealing->consumer))
            return true;
    return false;
}

fault sealing_check(const struct directory *directory, const struct sealing_question *question)
{
    const struct directory_sealing *sealing = directory_sealing(directory, question->sealing);
    if (sealing == NULL)
        return RAISE(SEALING_REFUSED, "sealing %.*s is not in the directory",
                     (int)question->sealing.size, (const char *)question->sealing.at);
    if (!is_for(directory, sealing, question->client))
        return RAISE(SEALING_REFUSED, "sealing %s is not for %.*s", sealing->id,
                     (int)question->client.size, (const char *)question->client.at);
    if (!span_is_text(question->purpose, sealing->purpose))
        return RAISE(SEALING_REFUSED, "sealing %s is for the purpose %s", sealing->id,
                     sealing->purpose);
    if (question->at_ms >= sealing->until_ms)
        return RAISE(SEALING_REFUSED, "sealing %s has ended", sealing->id);
    if (question->until_ms <= question->at_ms)
        return RAISE(SEALING_REFUSED, "the unseal date is over");
    if (question->until_ms - question->at_ms > sealing->days_max * DAY_MS)
        return RAISE(SEALING_REFUSED, "sealing %s keeps an exchange from view for %u days at most",
                     sealing->id, sealing->days_max);
    return DONE;
}
