// SPDX-License-Identifier: MIT
#include "security-server/clerk/view_cache.h"

#include "lib/base/text.h"
#include "lib/bus/log_epoch.h"

#include <sys/stat.h>

#define PATH_BYTES 512

void view_cache_clear(struct view_cache *self)
{
    standing_free(&self->standing);
    log_view_free(&self->view);
    self->stamp = (struct timespec){0};
}

static fault read(struct view_cache *self, const char *audit_folder, unsigned epoch,
                  const char *directory)
{
    static const struct log_anchors own = {NULL, NULL};
    TRY(log_view_open(audit_folder, epoch, &own, &self->view));
    return standing_read(directory, self->view->directory, &self->view->authority, &self->standing);
}

fault view_cache_refresh(struct view_cache *self, const char *audit_folder, unsigned epoch)
{
    unsigned newest = 1;
    char directory[PATH_BYTES], path[PATH_BYTES + 16];
    struct stat st;
    if (!text_format(directory, sizeof directory, "%s/directory", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    text_format(path, sizeof path, "%s/checkpoint", directory);
    if (stat(path, &st) != 0)
        return RAISE(NOT_FOUND, "This server has no directory yet.");
    TRY(log_epoch_newest(audit_folder, &newest));
    if (epoch == 0)
        epoch = newest;
    if (self->view != NULL && self->epoch == epoch && self->view->newest == (epoch >= newest) &&
        st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec)
        return DONE;
    view_cache_clear(self);
    fault f = read(self, audit_folder, epoch, directory);
    if (failed(f))
        view_cache_clear(self);
    else
        self->stamp = st.st_mtim;
    self->epoch = epoch;
    return f;
}
