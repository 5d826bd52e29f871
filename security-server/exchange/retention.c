// SPDX-License-Identifier: MIT
#include "security-server/exchange/retention.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/epochs.h"
#include "security-server/exchange/erasures.h"
#include "security-server/exchange/prunes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATH_BYTES 512
#define DAY_MS INT64_C(86400000)
#define BUSY_MS 1000 /* another erasure is under way */

struct day {
    unsigned epoch;
    char text[DAY_TEXT_BYTES];
};

struct retention {
    struct node *node;
    struct keeping keeping; /* rule 0 is for all services */
    int64_t *days;          /* of each rule; 0: for ever */
    bool all_full;

    struct loop_timer timer;
    size_t day_count;
    struct day *day; /* of this walk, in no order */
    size_t at;       /* day * rules + rule */
    struct map over; /* "day rule": nothing of it is held any more */
    const char *except[KEEPING_RULES_MAX];
};

// --- rules --------------------------------------------------------------------------------------

static void add_rule(struct retention *self, const char *of, int64_t mode, int64_t days)
{
    self->days[self->keeping.count] = days;
    self->keeping.rule[self->keeping.count++] = (struct keeping_rule){of, (enum keep_mode)mode};
    self->all_full = self->all_full && mode == KEEP_FULL;
}

static void take_section(struct retention *self, const struct payload_section *section)
{
    const struct server_config *config = self->node->config;
    add_rule(self, section->title, section->payload == 0 ? config->payload : section->payload - 1,
             section->retention_days < 0 ? config->retention_days : section->retention_days);
}

static void take_days(struct loop_timer *timer);

struct retention *retention_new(struct node *node)
{
    struct retention *self = owned_new(sizeof *self);
    const struct server_config *config = node->config;
    self->node = node;
    self->all_full = true;
    self->days = owned_array(config->service.count + 1, sizeof *self->days);
    self->keeping.rule = owned_array(config->service.count + 1, sizeof *self->keeping.rule);
    self->timer = (struct loop_timer){.fire = take_days, .owner = self};
    add_rule(self, "", config->payload, config->retention_days);
    for (size_t i = 0; i < config->service.count; i++)
        take_section(self, config->service.section[i]);
    return self;
}

void retention_free(struct retention **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    map_clear(&(*self)->over);
    free((*self)->keeping.rule);
    free((*self)->days);
    free((*self)->day);
    free(*self);
    *self = NULL;
}

const struct keeping *retention_keeping(const struct retention *self)
{
    return &self->keeping;
}

const struct keeping *retention_said(const struct retention *self)
{
    return self->all_full ? NULL : &self->keeping;
}

/* Services under a longer rule than this one are not under it. */
static size_t fill_except(struct retention *self, size_t rule)
{
    size_t count = 0;
    const char *of = self->keeping.rule[rule].of;
    for (size_t i = 0; i < self->keeping.count; i++)
        if (i != rule && keeping_names(of, span_of_text(self->keeping.rule[i].of)))
            self->except[count++] = self->keeping.rule[i].of;
    return count;
}

// --- the walk over days and rules ---------------------------------------------------------------

static int64_t day_number(const char *day)
{
    struct tm utc = {0};
    if (sscanf(day, "%4d%2d%2d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday) != 3)
        return INT64_MAX;
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return (int64_t)timegm(&utc) * 1000 / DAY_MS;
}

static const struct day *day_at(const struct retention *self)
{
    return &self->day[self->at / self->keeping.count];
}

static void over_key(const struct retention *self, char out[32])
{
    const struct day *day = day_at(self);
    snprintf(out, 32, "%u %.8s %zu", day->epoch, day->text, self->at % self->keeping.count);
}

static bool is_due(const struct retention *self)
{
    char key[32];
    int64_t days = self->days[self->at % self->keeping.count];
    int64_t day = day_number(day_at(self)->text);
    over_key(self, key);
    return days > 0 && clock_wall_ms() / DAY_MS > day + days &&
           map_get(&self->over, span_of_text(key)) == NULL;
}

static void go_on(struct loop_timer *timer);

static void erased(void *owner, fault f, const struct erasure_end *end)
{
    struct retention *self = owner;
    char key[32];
    (void)end;
    over_key(self, key);
    if (!failed(f) || f.code == NOT_FOUND)
        map_set(&self->over, span_of_text(key), self);
    self->at++;
    self->timer.fire = go_on;
    loop_set_timer(self->node->loop, &self->timer, 0);
}

static fault erase(struct retention *self)
{
    const struct day *day = day_at(self);
    const struct node *node = self->node;
    bool is_closed = day->epoch != node->log_epoch;
    uint64_t size = is_closed ? epochs_size(node->epochs, day->epoch) : node->head.size;
    char folder[PATH_BYTES];
    size_t rule = self->at % self->keeping.count;
    char ground[64];
    struct erasure_act act = {.ground = ground, .officer = ""};
    uint64_t next;
    random_fill(act.id, sizeof act.id);
    snprintf(ground, sizeof ground, "retention of %lld days", (long long)self->days[rule]);
    act.what.day = day->text;
    act.what.epoch = is_closed ? day->epoch : 0;
    act.what.of = self->keeping.rule[rule].of;
    act.what.excepts = fill_except(self, rule);
    act.what.except = self->except;
    log_epoch_payloads(node->config->audit_folder, day->epoch, folder, sizeof folder);
    TRY(payload_store_day(folder, day->text, &act.what.first, &next));
    act.what.last = (next < size ? next : size) - 1;
    if (size == 0 || act.what.first > act.what.last)
        return RAISE(NOT_FOUND, "nothing is in the log of that day");
    erasures_do(self->node->erasures, &act, erased, self);
    return DONE;
}

// --- the log itself -----------------------------------------------------------------------------

static void pruned(void *owner, fault f, const struct erasure_end *end)
{
    (void)owner;
    (void)end;
    ignore(f); /* said already; looked at again in an hour */
}

static void prune_log(struct retention *self)
{
    const struct node *node = self->node;
    int64_t days = node->config->log_days;
    char folder[PATH_BYTES], day[DAY_TEXT_BYTES], ground[64];
    time_t first = (time_t)((clock_wall_ms() / DAY_MS - days) * (DAY_MS / 1000));
    struct prune_act act = {.ground = ground, .officer = ""};
    struct tm utc;
    if (days == 0 || prunes_busy(node->prunes))
        return;
    gmtime_r(&first, &utc);
    strftime(day, sizeof day, "%Y%m%d", &utc);
    snprintf(ground, sizeof ground, "log retention of %lld days", (long long)days);
    random_fill(act.id, sizeof act.id);
    log_epoch_payloads(node->config->audit_folder, node->log_epoch, folder, sizeof folder);
    if (!failed(payload_store_from_day(folder, day, &act.before)) && act.before > 0)
        prunes_do(node->prunes, &act, pruned, self);
}

static void go_on(struct loop_timer *timer)
{
    struct retention *self = timer->owner;
    while (self->at < self->day_count * self->keeping.count && !is_due(self))
        self->at++;
    self->timer.fire = take_days;
    if (self->at == self->day_count * self->keeping.count || self->node->draining) {
        if (!self->node->draining)
            prune_log(self);
        loop_set_timer(self->node->loop, &self->timer, RETENTION_LOOK_MS);
        return;
    }
    if (erasures_busy(self->node->erasures) || prunes_busy(self->node->prunes)) {
        self->timer.fire = go_on;
        loop_set_timer(self->node->loop, &self->timer, BUSY_MS);
        return;
    }
    fault f = erase(self);
    if (failed(f))
        erased(self, f, NULL);
}

static void add_day(struct retention *self, unsigned epoch, const char *name)
{
    uint64_t number;
    if (strlen(name) != 13 || strcmp(name + 8, ".slab") != 0 ||
        failed(text_number(span_of(name, 8), 99991231, &number)))
        return;
    self->day = owned_grow(self->day, self->day_count + 1, sizeof *self->day);
    struct day *day = &self->day[self->day_count++];
    *day = (struct day){.epoch = epoch};
    memcpy(day->text, name, DAY_TEXT_BYTES - 1);
}

static void add_days(struct retention *self, unsigned epoch)
{
    char folder[PATH_BYTES], path[PATH_BYTES + 8];
    log_epoch_payloads(self->node->config->audit_folder, epoch, folder, sizeof folder);
    text_format(path, sizeof path, "%s/keys", folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        add_day(self, epoch, entry->d_name);
    if (dir != NULL)
        closedir(dir);
}

static void take_days(struct loop_timer *timer)
{
    struct retention *self = timer->owner;
    self->day_count = self->at = 0;
    for (unsigned epoch = 1; epoch <= self->node->log_epoch; epoch++)
        add_days(self, epoch);
    go_on(timer);
}

void retention_begin(struct retention *self)
{
    loop_set_timer(self->node->loop, &self->timer, 0);
}
