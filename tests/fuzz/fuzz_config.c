// SPDX-License-Identifier: MIT
#include "security-server/server_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/chaski-fuzz-config-XXXXXX";

static void drop(void)
{
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct server_config config;
    if (fd < 0) {
        fd = mkstemp(path);
        if (fd < 0)
            abort();
        atexit(drop);
    }
    /* an operator's file may include others; a fuzzer would only wander about the disk */
    if (memmem(data, size, "include", 7) != NULL)
        return 0;
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    if (!failed(server_config_read(path, &config)))
        server_config_clear(&config);
    return 0;
}
