// SPDX-License-Identifier: MIT
#include "registry/serve/serve.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "registry/serve/http_face.h"
#include "registry/serve/stamp_line.h"
#include "registry/stamping.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct server {
    const struct serve_plan *plan;
    struct stamp_line *stamps;
    struct serials *serials;
    struct loop *loop;
    struct http_face *face;
    struct loop_watch stamps_watch;
    bool broken; /* the process that stamps has gone */
};

static void server_free(struct server **owner)
{
    struct server *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    http_face_free(&self->face);
    loop_free(&self->loop);
    serials_free(&self->serials);
    stamp_line_free(&self->stamps);
    free(self);
}

static void on_asked_to_stop(void *owner)
{
    struct server *self = owner;
    loop_stop(self->loop);
}

static void on_broken(void *owner)
{
    struct server *self = owner;
    self->broken = true;
    loop_stop(self->loop);
}

static void on_stamps_gone(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    on_broken(watch->owner);
}

static fault check_directory(const char *folder)
{
    struct stat facts;
    if (folder != NULL && (stat(folder, &facts) != 0 || !S_ISDIR(facts.st_mode)))
        return RAISE(REFUSED, "%s is no folder: chaski-registry publish --to makes it", folder);
    return DONE;
}

static fault start_loop(struct server *self)
{
    TRY(loop_new(&self->loop));
    TRY(loop_on_signal(self->loop, SIGTERM, on_asked_to_stop, self));
    TRY(loop_on_signal(self->loop, SIGINT, on_asked_to_stop, self));
    self->stamps_watch =
        (struct loop_watch){stamp_line_fd(self->stamps), EPOLLIN, on_stamps_gone, self};
    return loop_watch(self->loop, &self->stamps_watch);
}

static fault write_ready_file(const struct server *self)
{
    char text[256];
    if (self->plan->ready_file == NULL)
        return DONE;
    text_format(text, sizeof text, "listen=%s\npid=%d\nstamp_pid=%d\n",
                http_face_address(self->face), (int)getpid(), (int)stamp_line_pid(self->stamps));
    return file_replace(self->plan->ready_file, span_of_text(text), 0644);
}

static fault start(struct server *self)
{
    TRY(check_directory(self->plan->directory));
    TRY(stamping_lock(self->plan->store));
    TRY(serials_open(self->plan->store, &self->serials));
    TRY(stamp_line_start(self->plan->store, &self->stamps));
    TRY(start_loop(self));
    const struct http_face_options options = {.loop = self->loop,
                                              .stamps = self->stamps,
                                              .serials = self->serials,
                                              .directory = self->plan->directory,
                                              .failed = on_broken,
                                              .owner = self};
    TRY(http_face_new(&options, self->plan->listen, &self->face));
    TRY(jail_enter(JAIL_GATEWAY));
    TRY(write_ready_file(self));
    EVENT(INFO, "registry.ready", E_TEXT("address", http_face_address(self->face)),
          E_TEXT("directory", self->plan->directory));
    return DONE;
}

fault serve(const struct serve_plan *plan)
{
    OWNED(server) self = owned_new(sizeof *self);
    self->plan = plan;
    event_setup("chaski-registry", INFO);
    signal(SIGPIPE, SIG_IGN);
    TRY(start(self));
    TRY(loop_run(self->loop));
    if (self->broken)
        return RAISE(INTERNAL, "the process that stamps has gone");
    EVENT(INFO, "registry.stopped");
    return DONE;
}
