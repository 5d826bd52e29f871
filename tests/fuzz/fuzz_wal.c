// SPDX-License-Identifier: MIT
#include "lib/bus/wal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/chaski-fuzz-wal-XXXXXX";

static void drop(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/00000000000000000000.seg", folder);
    unlink(path);
    rmdir(folder);
}

/* The input is the only segment of a log. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    char path[128];
    struct wal_end end;
    if (!made) {
        if (mkdtemp(folder) == NULL)
            abort();
        atexit(drop);
        made = true;
    }
    snprintf(path, sizeof path, "%s/00000000000000000000.seg", folder);
    FILE *file = fopen(path, "wbe");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
    ignore(wal_walk(folder, NULL, NULL, &end));
    return 0;
}
