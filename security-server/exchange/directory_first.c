// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_first.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define PATH_BYTES 512
#define LOOK_MS 100
#define SAY_MS 60000

static bool is_there(const struct node *node, const char *name)
{
    char path[PATH_BYTES];
    return text_format(path, sizeof path, "%s/%s/checkpoint", node->config->audit_folder, name) &&
           access(path, F_OK) == 0;
}

static bool is_asked_to_stop(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static fault check_anchor(const struct node *node, bool begun)
{
    fault f = anchor_file_check_time(node->config->anchor, clock_wall_ms());
    if (!failed(f) || !begun)
        return f;
    EVENT(WARN, "directory.anchor_expired", E_FAULT(f)); /* what is followed is newer */
    return DONE;
}

fault directory_first_await(const struct node *node, int keys_fd)
{
    struct pollfd keys = {.fd = keys_fd};
    int64_t said_ms = 0;
    if (node->config->anchor == NULL)
        return DONE;
    bool begun = is_there(node, "directory");
    TRY(check_anchor(node, begun));
    while (!begun && !is_there(node, "followed")) {
        if (said_ms == 0 || clock_steady_ms() - said_ms >= SAY_MS) {
            EVENT(WARN, "directory.awaited", E_TEXT("from", node->config->anchor->address[0]),
                  E_NUMBER("addresses", node->config->anchor->addresses));
            said_ms = clock_steady_ms();
        }
        if (poll(&keys, 1, LOOK_MS) > 0)
            return RAISE(KEYS_UNREACHABLE, "the keys process ended");
        if (is_asked_to_stop())
            return RAISE(DRAINING, "stopped before there was a directory");
    }
    return DONE;
}
