// SPDX-License-Identifier: MIT
#include "lib/bus/directory_check.h"

#include "lib/bus/limits.h"
#include "lib/crypto/cades.h"

#include <pthread.h>
#include <unistd.h>

/* What one thread looks at; it shares nothing that changes. */
struct slice {
    const struct span *leaf;
    size_t count;
    struct certificate *authority; /* its own: a prepared key belongs to one thread */
    bool sound;
    pthread_t thread;
};

static void *look(void *owner)
{
    struct slice *self = owner;
    struct cades_parts parts;
    size_t at = 0;
    while (at < self->count && !failed(cades_verify_leaf(self->authority, self->leaf[at], &parts)))
        at++;
    self->sound = at == self->count;
    return NULL;
}

static size_t threads_for(size_t count)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = cores < 1 ? 1 : (size_t)cores;
    if (threads > DIRECTORY_CHECK_THREADS_MAX)
        threads = DIRECTORY_CHECK_THREADS_MAX;
    return threads < count ? threads : count;
}

bool directory_check_signed(const struct span *leaves, size_t count,
                            const struct certificate *authority)
{
    struct slice slice[DIRECTORY_CHECK_THREADS_MAX] = {0};
    size_t threads = threads_for(count), begun = 0;
    bool sound = true;
    for (; sound && begun < threads; begun++) {
        struct slice *self = &slice[begun];
        size_t from = count * begun / threads;
        self->leaf = leaves + from;
        self->count = count * (begun + 1) / threads - from;
        sound = !failed(certificate_parse(certificate_der(authority), &self->authority)) &&
                pthread_create(&self->thread, NULL, look, self) == 0;
        if (!sound) {
            certificate_free(&self->authority);
            break;
        }
    }
    for (size_t i = 0; i < begun; i++) {
        pthread_join(slice[i].thread, NULL);
        certificate_free(&slice[i].authority);
        sound = sound && slice[i].sound;
    }
    return sound;
}
