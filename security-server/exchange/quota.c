// SPDX-License-Identifier: MIT
#include "security-server/exchange/quota.h"

#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define KEY_BYTES (WORD_BYTES_MAX + 1 + ID_TEXT_BYTES_MAX + 1)

static const char *const by_grant[] = {"restricted/grant ", "shared/grant "}; /* rules */

struct quota {
    struct map rates;  /* by service */
    int64_t day;       /* since 1970, of all counts */
    struct map counts; /* "GRANT MEMBER": uint64_t */
};

struct quota *quota_new(void)
{
    return owned_new(sizeof(struct quota));
}

static void forget_rates(struct quota *self)
{
    size_t step = 0;
    for (struct fair_rate *at; (at = map_next(&self->rates, &step, NULL)) != NULL;)
        fair_rate_free(&at);
    map_clear(&self->rates);
}

static void forget_counts(struct quota *self)
{
    size_t step = 0;
    for (void *at; (at = map_next(&self->counts, &step, NULL)) != NULL;)
        free(at);
    map_clear(&self->counts);
}

void quota_free(struct quota **self)
{
    if (*self == NULL)
        return;
    forget_rates(*self);
    forget_counts(*self);
    free(*self);
    *self = NULL;
}

// --- requests a second --------------------------------------------------------------------------

uint32_t quota_rate(struct quota *self, const char *service, struct span member,
                    struct fair_limit limit, int64_t now_us)
{
    if (limit.rate == 0)
        return 0;
    struct fair_rate *rate = map_get(&self->rates, span_of_text(service));
    if (rate == NULL) {
        if (self->rates.count >= QUOTA_SERVICES_MAX) {
            EVENT(WARN, "quota.rates_forgotten", E_NUMBER("services", QUOTA_SERVICES_MAX));
            forget_rates(self);
        }
        rate = fair_rate_new();
        map_set(&self->rates, span_of_text(service), rate);
    }
    int64_t wait_us = fair_rate_take(rate, limit, member, now_us);
    return (uint32_t)((wait_us + 999999) / 1000000);
}

// --- answers a day ------------------------------------------------------------------------------

static struct span key_of(const char *grant, struct span member, char out[KEY_BYTES])
{
    text_format(out, KEY_BYTES, "%s %.*s", grant, (int)member.size, (const char *)member.at);
    return span_of_text(out);
}

/* A clock that is set back over midnight begins no day anew. */
static void turn_to(struct quota *self, int64_t day)
{
    if (day == self->day || day == self->day - 1)
        return;
    forget_counts(self);
    self->day = day;
}

static uint64_t *count_of(struct quota *self, struct span key)
{
    uint64_t *count = map_get(&self->counts, key);
    if (count != NULL || self->counts.count >= QUOTA_COUNTS_MAX)
        return count;
    count = owned_new(sizeof *count);
    map_set(&self->counts, key, count);
    return count;
}

/* The id behind the name of a rule by which a grant decides; empty: it is another rule. */
static struct span grant_id(struct span rule)
{
    for (size_t i = 0; i < sizeof by_grant / sizeof by_grant[0]; i++) {
        size_t size = strlen(by_grant[i]);
        if (rule.size > size && memcmp(rule.at, by_grant[i], size) == 0)
            return span_of(rule.at + size, rule.size - size);
    }
    return (struct span){NULL, 0};
}

const struct directory_grant *quota_grant(const struct directory *directory, struct span rule)
{
    struct span id = grant_id(rule);
    const struct directory_grant *grant = id.size == 0 ? NULL : directory_grant(directory, id);
    return grant != NULL && grant->volume_a_day > 0 ? grant : NULL;
}

uint32_t quota_share(uint32_t volume, size_t servers)
{
    uint64_t parts = servers == 0 ? 1 : servers;
    return (uint32_t)((volume + parts - 1) / parts);
}

fault quota_take(struct quota *self, const struct directory_grant *grant, size_t servers,
                 struct span member, int64_t at_ms, uint32_t *retry_s)
{
    uint32_t share = quota_share(grant->volume_a_day, servers);
    char key[KEY_BYTES];
    turn_to(self, at_ms / DAY_MS);
    uint64_t *count = count_of(self, key_of(grant->id, member, key));
    if (count == NULL)
        return RAISE(OVERLOADED, "the use of more than %d grants is counted", QUOTA_COUNTS_MAX);
    if (*count < share) {
        ++*count;
        return DONE;
    }
    *retry_s = (uint32_t)((DAY_MS - at_ms % DAY_MS + 999) / 1000);
    if (servers > 1)
        return RAISE(RATE_LIMITED,
                     "grant %s is for %u answers a day to each member, of which each of the "
                     "provider's %zu servers gives %u",
                     grant->id, grant->volume_a_day, servers, share);
    return RAISE(RATE_LIMITED, "grant %s is for %u answers a day to each member", grant->id,
                 grant->volume_a_day);
}

void quota_give_back(struct quota *self, const char *grant, struct span member)
{
    char key[KEY_BYTES];
    uint64_t *count = map_get(&self->counts, key_of(grant, member, key));
    if (count != NULL && *count > 0)
        --*count;
}

uint64_t quota_used(const struct quota *self, const char *grant, struct span member, int64_t at_ms)
{
    char key[KEY_BYTES];
    if (at_ms / DAY_MS > self->day)
        return 0;
    const uint64_t *count = map_get(&self->counts, key_of(grant, member, key));
    return count == NULL ? 0 : *count;
}

void quota_note(struct quota *self, const struct directory *directory, const struct header *header)
{
    char key[KEY_BYTES];
    if (header->kind != HEADER_RESPONSE || header->time_ms / DAY_MS < self->day)
        return;
    const struct directory_grant *grant = quota_grant(directory, header->rule);
    if (grant == NULL)
        return;
    turn_to(self, header->time_ms / DAY_MS);
    struct span member = bus_id_prefix(header->receiver, ID_MEMBER);
    uint64_t *count = count_of(self, key_of(grant->id, member, key));
    if (count != NULL)
        ++*count;
}
