// SPDX-License-Identifier: MIT
/* Behind step 9: a request that may be, and is one too many for now. Nothing is touched yet. */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/quota.h"

/* What the directory says of the service, else what this server is set to for services of its
 * class. */
static struct fair_limit limit_of(const struct exchange *x, const struct directory_service *service,
                                  const char **rule)
{
    const struct server_config *config = x->node->config;
    const int64_t of_class[POLICY_CLASSES_END] = {[POLICY_OPEN] = config->rate_open,
                                                  [POLICY_SHARED] = config->rate_shared,
                                                  [POLICY_RESTRICTED] = config->rate_restricted};
    *rule = "rate/service";
    if (service->rate > 0)
        return (struct fair_limit){service->rate, service->burst};
    *rule = "rate/class";
    if (config->rate_open + config->rate_shared + config->rate_restricted == 0)
        return (struct fair_limit){0};
    enum policy_class class =
        policy_class_of(x->node->directory, span_of_text(service->id), clock_wall_ms());
    return (struct fair_limit){(uint32_t)of_class[class], 0};
}

static enum step_end refuse(struct exchange *x, const char *rule, uint32_t retry_s, fault f)
{
    x->problem.retry_s = retry_s;
    text_format(x->problem.rule, sizeof x->problem.rule, "%s", rule);
    enum step_end end = exchange_refuse(x, f);
    text_format(x->problem.remedy, sizeof x->problem.remedy,
                "Ask again in %u seconds; the answer says so in Retry-After.", retry_s);
    return end;
}

static enum step_end count_grant(struct exchange *x, size_t servers, struct span member)
{
    char rule[POLICY_RULE_ROOM];
    uint32_t retry_s = 1;
    const struct directory_grant *grant = quota_grant(x->node->directory, span_of_text(x->rule));
    if (grant == NULL)
        return STEP_NEXT;
    fault f = quota_take(x->node->quota, grant, servers, member, clock_wall_ms(), &retry_s);
    x->counted = !failed(f);
    if (!failed(f))
        return STEP_NEXT;
    text_format(rule, sizeof rule, "quota/grant %s", grant->id);
    return refuse(x, rule, retry_s, f);
}

enum step_end step_count(struct exchange *x)
{
    const struct header *header = header_of(x->request.read);
    const struct directory_service *service =
        directory_service(x->node->directory, header->service);
    struct span member = bus_id_prefix(header->sender, ID_MEMBER);
    const char *rule;
    if (service == NULL) /* a metaservice */
        return STEP_NEXT;
    struct fair_limit limit = limit_of(x, service, &rule);
    uint32_t wait_s = quota_rate(x->node->quota, service->id, member, limit, clock_steady_us());
    if (wait_s > 0)
        return refuse(x, rule, wait_s,
                      RAISE(RATE_LIMITED,
                            "the service takes %u requests a second, which all who ask share",
                            limit.rate));
    return count_grant(x, service->subsystem->servers, member);
}

static bool is_answered(const struct exchange *x)
{
    return x->answer.durable && x->answer.read != NULL &&
           header_of(x->answer.read)->kind == HEADER_RESPONSE;
}

void step_uncount(struct exchange *x)
{
    if (!x->counted || is_answered(x))
        return;
    const struct directory_grant *grant = quota_grant(x->node->directory, span_of_text(x->rule));
    if (grant != NULL)
        quota_give_back(x->node->quota, grant->id,
                        bus_id_prefix(header_of(x->request.read)->sender, ID_MEMBER));
}

/* One that a server asked of itself was counted where it was let through. */
void step_count_answer(struct exchange *x)
{
    const struct header *header = header_of(x->answer.read);
    if (!span_is_text(header->sender_server, x->node->config->server))
        quota_note(x->node->quota, x->node->directory, header);
}
