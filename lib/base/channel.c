// SPDX-License-Identifier: MIT
#include "lib/base/channel.h"

#include "lib/base/owned.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct channel {
    size_t mask;
    int fd;
    /* each side's counter on a cache line of its own */
    _Alignas(64) atomic_size_t pushed;
    _Alignas(64) atomic_size_t popped;
    _Alignas(64) atomic_bool asleep;
    void *item[];
};

fault channel_new(size_t room, struct channel **out)
{
    assert(room > 0 && (room & (room - 1)) == 0);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return RAISE(IO_FAILED, "no descriptor for a channel");
    size_t size = (sizeof(struct channel) + room * sizeof(void *) + 63) & ~(size_t)63;
    struct channel *self = aligned_alloc(64, size);
    if (self == NULL) {
        close(fd);
        return RAISE(NO_MEMORY, "no room for a channel of %zu", room);
    }
    self->mask = room - 1;
    self->fd = fd;
    atomic_init(&self->pushed, 0);
    atomic_init(&self->popped, 0);
    atomic_init(&self->asleep, false);
    *out = self;
    return DONE;
}

void channel_free(struct channel **self)
{
    if (*self == NULL)
        return;
    close((*self)->fd);
    free(*self);
    *self = NULL;
}

bool channel_push(struct channel *self, void *item)
{
    size_t pushed = atomic_load_explicit(&self->pushed, memory_order_relaxed);
    if (pushed - atomic_load_explicit(&self->popped, memory_order_acquire) > self->mask)
        return false;
    self->item[pushed & self->mask] = item;
    /* seq_cst pairs with channel_sleep: either the sleeper sees the item or we see it asleep */
    atomic_store(&self->pushed, pushed + 1);
    return true;
}

void channel_wake(struct channel *self)
{
    if (atomic_load(&self->asleep) && atomic_exchange(&self->asleep, false)) {
        uint64_t one = 1;
        ssize_t written = write(self->fd, &one, sizeof one);
        assert(written == sizeof one);
    }
}

void *channel_pop(struct channel *self)
{
    size_t popped = atomic_load_explicit(&self->popped, memory_order_relaxed);
    if (popped == atomic_load_explicit(&self->pushed, memory_order_acquire))
        return NULL;
    void *item = self->item[popped & self->mask];
    atomic_store_explicit(&self->popped, popped + 1, memory_order_release);
    return item;
}

int channel_fd(const struct channel *self)
{
    return self->fd;
}

bool channel_sleep(struct channel *self)
{
    atomic_store(&self->asleep, true);
    if (atomic_load_explicit(&self->popped, memory_order_relaxed) == atomic_load(&self->pushed))
        return true;
    atomic_store(&self->asleep, false);
    return false;
}

void channel_woken(struct channel *self)
{
    uint64_t count;
    ssize_t got = read(self->fd, &count, sizeof count);
    (void)got; /* nothing there: a wake that came before we slept */
}
