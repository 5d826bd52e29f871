// SPDX-License-Identifier: MIT
/*
 * crypto_fault - OpenSSL's error queue as one fault; internal to lib/crypto.
 */
#ifndef CRYPTO_CRYPTO_FAULT_H
#define CRYPTO_CRYPTO_FAULT_H

#include "lib/base/fault.h"

/* Raises `code` with "what: OpenSSL's first reason" and empties the queue, so that an old error
 * never explains a later fault. The reason is a fixed text of OpenSSL: no payload and no key. */
#define crypto_raise(code, what) (crypto_fault_note(__FILE__, __LINE__, (what)), (fault){(code)})

void crypto_fault_note(const char *file, int line, const char *what);

/* Ends the process: libcrypto itself is broken and nothing signed after this could be trusted. */
_Noreturn void crypto_fault_die(const char *what);

#endif
