// SPDX-License-Identifier: MIT
#include "security-server/exchange/quota_verdict.h"

#include "lib/base/text.h"

/* What the directory says of the service, else what this server is set to for services of its
 * class. */
static struct fair_limit limit_of(const struct quota_question *question, const char **rule)
{
    const int64_t *rate = question->class_rate;
    *rule = "rate/service";
    if (question->service->rate > 0)
        return (struct fair_limit){question->service->rate, question->service->burst};
    *rule = "rate/class";
    if (rate[POLICY_OPEN] + rate[POLICY_SHARED] + rate[POLICY_RESTRICTED] == 0)
        return (struct fair_limit){0};
    enum policy_class class =
        policy_class_of(question->directory, span_of_text(question->service->id), question->at_ms);
    return (struct fair_limit){(uint32_t)rate[class], 0};
}

static fault by_rate(struct quota *self, const struct quota_question *question,
                     struct quota_verdict *out)
{
    const char *rule;
    struct fair_limit limit = limit_of(question, &rule);
    out->retry_s =
        quota_rate(self, question->service->id, question->member, limit, question->steady_us);
    if (out->retry_s == 0)
        return DONE;
    text_format(out->rule, sizeof out->rule, "%s", rule);
    return RAISE(RATE_LIMITED, "the service takes %u requests a second, which all who ask share",
                 limit.rate);
}

static fault by_grant(struct quota *self, const struct quota_question *question,
                      struct quota_verdict *out)
{
    const struct directory_grant *grant =
        quota_grant(question->directory, span_of_text(question->rule));
    if (grant == NULL)
        return DONE;
    text_format(out->rule, sizeof out->rule, "quota/grant %s", grant->id);
    out->retry_s = 1;
    TRY(quota_take(self, grant, question->service->subsystem->servers, question->member,
                   question->at_ms, &out->retry_s));
    out->counted = true;
    return DONE;
}

fault quota_verdict(struct quota *self, const struct quota_question *question,
                    struct quota_verdict *out)
{
    *out = (struct quota_verdict){0};
    TRY(by_rate(self, question, out));
    return by_grant(self, question, out);
}
