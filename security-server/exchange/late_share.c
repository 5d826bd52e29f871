// SPDX-License-Identifier: MIT
#include "security-server/exchange/late_share.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/bus/leaf_set.h"
#include "lib/bus/limits.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#define DAY_MS INT64_C(86400000)
#define SAID_MS INT64_C(3600000)

struct sender {
    size_t waiting;
    int64_t day_ms; /* steady: when the day that is counted began; 0: none yet */
    int64_t taken;  /* in that day */
    bool said;      /* that it is over its share of that day */
};

struct hour {
    uint64_t lates;
};

struct late_share {
    struct node *node;
    struct map senders; /* by peer: only servers of the directory can bring anything */
    struct map hours;   /* by hour and peer */
    int64_t room_said_ms, hour_said_ms; /* steady; 0: nothing is wrong */
};

struct late_share *late_share_new(struct node *node)
{
    struct late_share *self = owned_new(sizeof *self);
    self->node = node;
    return self;
}

void late_share_forget_hours(struct late_share *self)
{
    size_t step = 0;
    for (struct hour *one; (one = map_next(&self->hours, &step, NULL)) != NULL;)
        free(one);
    map_clear(&self->hours);
    self->hours = (struct map){0};
}

void late_share_free(struct late_share **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct sender *one; (one = map_next(&(*self)->senders, &step, NULL)) != NULL;)
        free(one);
    map_clear(&(*self)->senders);
    late_share_forget_hours(*self);
    free(*self);
    *self = NULL;
}

static struct sender *sender_of(struct late_share *self, const char *peer)
{
    struct sender *sender = map_get(&self->senders, span_of_text(peer));
    if (sender != NULL)
        return sender;
    sender = owned_new(sizeof *sender);
    map_set(&self->senders, span_of_text(peer), sender);
    return sender;
}

/* Once, and once an hour while it goes on. */
static bool is_to_be_said(int64_t *said_ms)
{
    int64_t now_ms = clock_steady_ms();
    if (*said_ms != 0 && now_ms - *said_ms < SAID_MS)
        return false;
    *said_ms = now_ms;
    return true;
}

// --- a day, and the disk ------------------------------------------------------------------------

static fault check_day(const struct late_share *self, struct sender *sender, const char *peer)
{
    int64_t now_ms = clock_steady_ms(), most = self->node->config->late_a_day;
    if (sender->day_ms == 0 || now_ms - sender->day_ms >= DAY_MS) {
        sender->day_ms = now_ms;
        sender->taken = 0;
        sender->said = false;
    }
    if (sender->taken + (int64_t)sender->waiting < most)
        return DONE;
    if (!sender->said)
        EVENT(WARN, "reconcile.late_share_spent", E_TEXT("peer", peer), E_NUMBER("a_day", most));
    sender->said = true;
    return RAISE(OVERLOADED, "%lld late leaves of %s were taken within a day: late_a_day",
                 (long long)most, peer);
}

/* What is left is for exchanges. A folder that cannot be asked has no room. */
static fault check_room(struct late_share *self)
{
    const struct server_config *config = self->node->config;
    struct statvfs room;
    uint64_t free_mib = 0;
    if (statvfs(config->audit_folder, &room) == 0)
        free_mib = (uint64_t)room.f_bavail * room.f_frsize >> 20;
    if (free_mib >= (uint64_t)config->late_free_mib) {
        self->room_said_ms = 0;
        return DONE;
    }
    if (is_to_be_said(&self->room_said_ms))
        EVENT(ERROR, "reconcile.no_room_for_late", E_NUMBER("free_mib", free_mib),
              E_NUMBER("late_free_mib", config->late_free_mib));
    return RAISE(OVERLOADED, "%llu MiB are left for the log: late_free_mib",
                 (unsigned long long)free_mib);
}

fault late_share_enter(struct late_share *self, const char *peer)
{
    struct sender *sender = sender_of(self, peer);
    if (sender->waiting >= LATE_QUEUE_LEAVES_A_PEER)
        return RAISE(OVERLOADED, "%zu leaves of %s wait to be taken in", sender->waiting, peer);
    TRY(check_day(self, sender, peer));
    TRY(check_room(self));
    sender->waiting++;
    return DONE;
}

// --- an hour ------------------------------------------------------------------------------------

static struct hour *hour_of(struct late_share *self, const struct late_leaf *leaf, bool begins)
{
    uint8_t key[8 + ID_TEXT_BYTES_MAX];
    size_t size = strnlen(leaf->peer, ID_TEXT_BYTES_MAX);
    put_u64(key, (uint64_t)(leaf->receipt.time_ms / SET_HOUR_MS));
    memcpy(key + 8, leaf->peer, size);
    struct hour *hour = map_get(&self->hours, span_of(key, 8 + size));
    if (hour != NULL || !begins)
        return hour;
    hour = owned_new(sizeof *hour);
    map_set(&self->hours, span_of(key, 8 + size), hour);
    return hour;
}

void late_share_note_hour(struct late_share *self, const struct late_leaf *leaf, uint64_t lates)
{
    if (hour_of(self, leaf, false) == NULL)
        hour_of(self, leaf, true)->lates = lates;
}

fault late_share_check_hour(struct late_share *self, const struct late_leaf *leaf)
{
    const struct hour *hour = hour_of(self, leaf, true);
    int64_t most = self->node->config->late_an_hour;
    if (hour->lates < (uint64_t)most)
        return DONE;
    if (is_to_be_said(&self->hour_said_ms))
        EVENT(WARN, "reconcile.late_hour_full", E_TEXT("peer", leaf->peer),
              E_NUMBER("an_hour", most));
    return RAISE(OVERLOADED, "%lld late leaves of one hour of %s were taken: late_an_hour",
                 (long long)most, leaf->peer);
}

void late_share_leave(struct late_share *self, const struct late_leaf *leaf, bool recorded)
{
    struct sender *sender = sender_of(self, leaf->peer);
    struct hour *hour = hour_of(self, leaf, false);
    sender->waiting--;
    sender->taken += recorded;
    if (recorded && hour != NULL)
        hour->lates++;
}

bool late_share_is_full(const struct late_share *self)
{
    return self->hours.count >= LATE_HOURS_COUNTED;
}
