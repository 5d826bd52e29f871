// SPDX-License-Identifier: MIT
#include "lib/bus/service_look.h"

#include "lib/base/text.h"
#include "lib/bus/policy.h"

bool service_look(const struct directory *state, const char *service, bool subject_required,
                  int64_t at_ms, char out[SERVICE_LOOK_ROOM])
{
    if (subject_required ||
        policy_class_of(state, span_of_text(service), at_ms) != POLICY_RESTRICTED)
        return false;
    text_format(
        out, SERVICE_LOOK_ROOM,
        "LOOK: %s is restricted, and requests to it need not say about whom they are. If it "
        "is about persons, who looks at them that way is in nobody's view: its owner "
        "changes that with `chaski service add %s --subject required`",
        service, service);
    return true;
}
