// SPDX-License-Identifier: MIT
#include "lib/crypto/crypto_fault.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

void crypto_fault_note(const char *file, int line, const char *what)
{
    unsigned long first = ERR_peek_error();
    const char *reason = first == 0 ? NULL : ERR_reason_error_string(first);
    if (reason == NULL)
        fault_note(file, line, "%s", what);
    else
        fault_note(file, line, "%s: %s", what, reason);
    ERR_clear_error();
}

void crypto_fault_die(const char *what)
{
    fprintf(stderr, "%s failed in libcrypto: this process ends\n", what);
    abort();
}
