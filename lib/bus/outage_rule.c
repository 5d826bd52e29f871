// SPDX-License-Identifier: MIT
#include "lib/bus/outage_rule.h"

#include "lib/bus/limits.h"

#define STATUS_FAILED_FROM 500 /* the provider's own system says that it could not */
#define STATUS_FAILED_END 600
#define STATUS_NO_SUCH_METHOD 501
#define STATUS_NO_SUCH_HTTP 505
#define STATUS_SEVERAL 300
#define STATUS_NOT_FOUND 404
#define STATUS_CONFLICT 409

/* Two of them are about what the caller sent, and it could have them whenever it likes. */
static bool status_is_failure(unsigned status)
{
    return status >= STATUS_FAILED_FROM && status < STATUS_FAILED_END &&
           status != STATUS_NO_SUCH_METHOD && status != STATUS_NO_SUCH_HTTP;
}

bool outage_is_failure(enum fault_code code, unsigned status, int64_t waited_ms)
{
    switch (code) {
    case OK:
        return status_is_failure(status);
    case SERVICE_DOWN:
    case SERVICE_GARBAGE:
    case SERVICE_NOT_SET:
    case SERVICE_DISABLED:
        return true;
    case SERVICE_TIMEOUT:
    case DEADLINE_PASSED:
    case PEER_UNREACHABLE:
        return waited_ms >= OUTAGE_PATIENCE_MS;
    default:
        return false;
    }
}

bool outage_is_of_one(enum fault_code code)
{
    return code == OK || code == SERVICE_GARBAGE;
}

bool outage_finds_no_one(unsigned status)
{
    return status == STATUS_SEVERAL || status == STATUS_NOT_FOUND || status == STATUS_CONFLICT;
}
