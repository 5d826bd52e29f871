// SPDX-License-Identifier: MIT
/* verify_sealing - was an exchange kept from its person's view by right? */
#include "tools/audit/verify.h"

#include <inttypes.h>

#define DAY_MS INT64_C(86400000)
#define GROUP "group:"

/* Who was in a group then the acts tell in many places: whoever is in it now, or was put out since,
 * is not accused. */
static bool is_for(const struct sealing_stood *sealing, struct span client)
{
    size_t length = strlen(sealing->consumer);
    if (strncmp(sealing->consumer, GROUP, sizeof GROUP - 1) == 0)
        return true;
    return client.size >= length && memcmp(client.at, sealing->consumer, length) == 0 &&
           (client.size == length || client.at[length] == '/');
}

/* NULL: it was lawful. */
static const char *what_is_wrong(const struct sealing_stood *sealing, const struct header *header)
{
    if (sealing == NULL)
        return "no such sealing stood in the directory";
    if (!is_for(sealing, header->sender))
        return "the sealing was another consumer's";
    if (!span_is_text(header->purpose, sealing->purpose))
        return "the sealing was for another purpose";
    if (header->time_ms >= sealing->until_ms)
        return "the sealing had ended";
    if (header->sealed_until_ms <= header->time_ms)
        return "its unseal date was over when it was made";
    if (header->sealed_until_ms - header->time_ms > sealing->days_max * DAY_MS)
        return "it is sealed for longer than the sealing allows";
    return NULL;
}

/* By the state that its signer names, which is of this folder's directory or not known here. */
void verify_sealing(struct verify *self, struct log *log, const struct log_entry *entry)
{
    const struct header *header = entry->header;
    const struct sealing_stood *sealing = NULL;
    if (header->kind != HEADER_REQUEST || header->sealed_until_ms == 0 || log->history == NULL ||
        !history_sealing(log->history, header->sealing, header->directory_epoch, &sealing))
        return;
    const char *wrong = what_is_wrong(sealing, header);
    if (wrong != NULL)
        FIND(self, log, entry->index, "sealing",
             "An exchange was kept from the view of its person without right; until its unseal "
             "date the person cannot know of it.",
             "sealed by %.*s under %.*s at directory size %" PRIu64 ": %s",
             (int)header->sender_server.size, (const char *)header->sender_server.at,
             (int)header->sealing.size, (const char *)header->sealing.at, header->directory_epoch,
             wrong);
}
