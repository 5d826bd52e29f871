// SPDX-License-Identifier: MIT
#include "security-server/exchange/sets_reach.h"

#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/leaf_set.h"

#include <unistd.h>

#define PATH_BYTES 512

bool sets_reach_time(const struct node *node, int64_t time_ms)
{
    struct set_place place;
    return !failed(set_place_read(node->config->audit_folder, &place)) &&
           (place.time_ms >= time_ms ||
            (place.epoch == node->log_epoch && place.entries >= node->head.size));
}

bool sets_reach_entry(const struct node *node, uint64_t entries)
{
    struct set_place place;
    return !failed(set_place_read(node->config->audit_folder, &place)) &&
           place.epoch == node->log_epoch && place.entries >= entries;
}

void sets_reach_begin_anew(const struct node *node)
{
    char path[PATH_BYTES];
    if (text_format(path, sizeof path, "%s/sets/next", node->config->audit_folder) &&
        unlink(path) == 0)
        EVENT(WARN, "reconcile.sets_damaged", E_TEXT("removed", path));
}
