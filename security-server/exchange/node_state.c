// SPDX-License-Identifier: MIT
#include "security-server/exchange/node_state.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "security-server/exchange/token_line.h"

#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define LINE_BYTES 700

struct node_state {
    struct node *node;
    struct loop_timer timer;
    char path[PATH_BYTES];
    enum fault_code said;
    char detail[TOKEN_DETAIL_BYTES_MAX];
};

/* What is told of a token to callers is less than its operator must know. */
static void fill_detail(const struct node *node, fault f, char out[TOKEN_DETAIL_BYTES_MAX])
{
    bool token = f.code == TOKEN_AWAY || f.code == TOKEN_REFUSED;
    text_format(out, TOKEN_DETAIL_BYTES_MAX, "%s",
                !failed(f) ? ""
                : token    ? token_line_detail(node->token)
                           : fault_detail());
}

static void say(struct node_state *self, fault f)
{
    char line[LINE_BYTES];
    text_format(line, sizeof line, "%d %lld %s %s\n", (int)getpid(), (long long)clock_wall_ms(),
                failed(f) ? fault_name(f.code) : "ready", self->detail);
    bool quiet =
        !failed(f) || f.code == SERVER_AWAY || f.code == ENROLMENT; /* starting is no trouble */
    EVENT(quiet ? INFO : WARN, "server.state_changed",
          E_TEXT("state", failed(f) ? fault_name(f.code) : "ready"),
          E_TEXT("detail", self->detail));
    self->said = f.code;
    f = file_replace(self->path, span_of_text(line), 0644);
    if (failed(f))
        EVENT(ERROR, "server.state_not_written", E_FAULT(f));
}

static void on_timer(struct loop_timer *timer)
{
    struct node_state *self = timer->owner;
    char detail[TOKEN_DETAIL_BYTES_MAX];
    fault f = node_ready(self->node);
    fill_detail(self->node, f, detail);
    if (f.code != self->said || strcmp(detail, self->detail) != 0) {
        memcpy(self->detail, detail, sizeof detail);
        say(self, f);
    }
    loop_set_timer(self->node->loop, &self->timer, NODE_STATE_LOOK_MS);
}

struct node_state *node_state_new(struct node *node)
{
    struct node_state *self = owned_new(sizeof *self);
    self->node = node;
    self->said = INTERNAL; /* nothing yet */
    text_format(self->path, sizeof self->path, "%s/state", node->config->audit_folder);
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, 0);
    return self;
}

void node_state_free(struct node_state **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    unlink((*self)->path);
    free(*self);
    *self = NULL;
}
