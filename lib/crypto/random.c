// SPDX-License-Identifier: MIT
#include "lib/crypto/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* getrandom and not RAND_bytes: no state in this process that a fork or a snapshot could repeat. */
void random_fill(uint8_t *out, size_t size)
{
    size_t filled = 0;
    while (filled < size) {
        ssize_t more = getrandom(out + filled, size - filled, 0);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0) {
            fprintf(stderr, "the system's random generator failed: %m: this process ends\n");
            abort();
        }
        filled += (size_t)more;
    }
}
