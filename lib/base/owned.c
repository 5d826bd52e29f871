// SPDX-License-Identifier: MIT
#include "lib/base/owned.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *or_die(void *memory)
{
    if (memory == NULL) {
        static const char line[] = "out of memory: this process ends and is started again\n";
        ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
        (void)ignored;
        abort();
    }
    return memory;
}

void *owned_new(size_t size)
{
    return or_die(calloc(1, size));
}

void *owned_array(size_t count, size_t size)
{
    return or_die(calloc(count == 0 ? 1 : count, size));
}

char *owned_text(const char *text)
{
    return or_die(strdup(text));
}

void *owned_grow(void *old, size_t count, size_t size)
{
    return or_die(reallocarray(old, count == 0 ? 1 : count, size));
}

void owned_give_back(void)
{
    malloc_trim(0);
}
