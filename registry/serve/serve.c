// SPDX-License-Identifier: MIT
#include "registry/serve/serve.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "registry/ahead.h"
#include "registry/serve/admin_face.h"
#include "registry/serve/mirrors.h"
#include "registry/serve/public_face.h"
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
    struct authority_line *authority; /* or NULL */
    struct status_line *statuses;     /* likewise */
    struct reach_line *callback;      /* likewise */
    struct office *office;            /* likewise */
    struct public_face *face;
    struct admin_face *admin; /* or NULL */
    struct loop_watch stamps_watch, authority_watch;
    const char *broken; /* why it ends by itself, or NULL */
    enum fault_code broken_code;
};

static void server_free(struct server **owner)
{
    struct server *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    admin_face_free(&self->admin);
    public_face_free(&self->face);
    office_free(&self->office);
    loop_free(&self->loop);
    serials_free(&self->serials);
    stamp_line_free(&self->stamps);
    status_line_free(&self->statuses);
    reach_line_free(&self->callback);
    authority_line_free(&self->authority);
    free(self);
}

static void on_asked_to_stop(void *owner)
{
    struct server *self = owner;
    loop_stop(self->loop);
}

static void break_off(struct server *self, enum fault_code code, const char *why)
{
    self->broken = why;
    self->broken_code = code;
    loop_stop(self->loop);
}

static void stamps_broken(void *owner)
{
    break_off(owner, INTERNAL, "the process that stamps has gone");
}

static void authority_broken(void *owner)
{
    break_off(owner, INTERNAL, "the authority's process has gone");
}

static void store_behind(void *owner)
{
    break_off(owner, DIRECTORY_OLD,
              "the store is an old copy: who follows holds more acts. Put back the newest one");
}

static void on_stamps_gone(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    stamps_broken(watch->owner);
}

static void on_authority_gone(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    authority_broken(watch->owner);
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
    file_raise_limit(); /* each follower of the push is a connection */
    TRY(loop_new(&self->loop));
    TRY(loop_on_signal(self->loop, SIGTERM, on_asked_to_stop, self));
    TRY(loop_on_signal(self->loop, SIGINT, on_asked_to_stop, self));
    self->stamps_watch =
        (struct loop_watch){stamp_line_fd(self->stamps), EPOLLIN, on_stamps_gone, self};
    TRY(loop_watch(self->loop, &self->stamps_watch));
    if (self->authority == NULL)
        return DONE;
    self->authority_watch =
        (struct loop_watch){authority_line_fd(self->authority), EPOLLIN, on_authority_gone, self};
    return loop_watch(self->loop, &self->authority_watch);
}

static fault write_ready_file(const struct server *self)
{
    char text[768], more[512] = "";
    if (self->plan->ready_file == NULL)
        return DONE;
    if (self->authority != NULL)
        text_format(more, sizeof more, "authority_pid=%d\n",
                    (int)authority_line_pid(self->authority));
    text_format(text, sizeof text, "listen=%s\npid=%d\nstamp_pid=%d\n%s",
                public_face_address(self->face), (int)getpid(), (int)stamp_line_pid(self->stamps),
                more);
    size_t used = strlen(text);
    if (self->admin != NULL)
        text_format(text + used, sizeof text - used, "admin=%s\n", admin_face_address(self->admin));
    used = strlen(text);
    if (self->office != NULL && self->office->push != NULL)
        text_format(text + used, sizeof text - used, "push=%s\n", push_address(self->office->push));
    return file_replace(self->plan->ready_file, span_of_text(text), 0644);
}

static fault check_plan(const struct serve_plan *plan)
{
    if (!plan->authority && (plan->admin != NULL || plan->push != NULL || plan->mirrors > 0))
        return RAISE(REFUSED, "--admin, --push and --mirror need --authority");
    if (plan->authority && plan->directory == NULL)
        return RAISE(REFUSED, "--authority needs --directory, the folder that it publishes");
    return plan->authority ? DONE : check_directory(plan->directory);
}

/* The children first: they fork, and must not have what this process opens. */
static fault start_children(struct server *self)
{
    TRY(stamping_lock(self->plan->store));
    TRY(serials_open(self->plan->store, &self->serials));
    TRY(stamp_line_start(self->plan->store, &self->stamps));
    if (!self->plan->authority)
        return DONE;
    TRY(ahead_check(self->plan->store));
    TRY(mirrors_check(self->plan->store, self->plan->mirror, self->plan->mirrors));
    TRY(authority_line_start(self->plan->store, self->plan->directory, &self->authority));
    TRY(status_line_start(self->plan->store, self->plan->directory, &self->statuses));
    return reach_line_start(self->plan->reach_private, &self->callback);
}

static fault start_office(struct server *self)
{
    const struct office_options options = {.loop = self->loop,
                                           .store = self->plan->store,
                                           .folder = self->plan->directory,
                                           .push = self->plan->push,
                                           .line = self->authority,
                                           .held_s = self->plan->held_s,
                                           .statuses = self->statuses,
                                           .statuses_s = self->plan->statuses_s,
                                           .callback = self->callback,
                                           .failed = authority_broken,
                                           .owner = self};
    if (self->authority == NULL)
        return DONE;
    TRY(office_open(&options, &self->office));
    if (self->plan->admin == NULL)
        return DONE;
    return admin_face_new(self->loop, self->office, self->plan->admin, &self->admin);
}

static fault start(struct server *self)
{
    TRY(check_plan(self->plan));
    TRY(start_children(self));
    TRY(start_loop(self));
    TRY(start_office(self));
    const struct public_face_options options = {.loop = self->loop,
                                                .stamps = self->stamps,
                                                .serials = self->serials,
                                                .directory = self->plan->directory,
                                                .office = self->office,
                                                .failed = stamps_broken,
                                                .behind = store_behind,
                                                .owner = self};
    TRY(public_face_new(&options, self->plan->listen, &self->face));
    TRY(jail_enter(JAIL_GATEWAY));
    TRY(write_ready_file(self));
    EVENT(INFO, "registry.ready", E_TEXT("address", public_face_address(self->face)),
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
    if (self->broken != NULL)
        return RAISE(self->broken_code, "%s", self->broken);
    EVENT(INFO, "registry.stopped");
    return DONE;
}
