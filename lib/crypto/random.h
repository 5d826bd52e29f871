// SPDX-License-Identifier: MIT
/*
 * random - bytes nobody can guess, from the system's generator.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `out`; ends the process when the generator fails. */
void random_fill(uint8_t *out, size_t size);

#endif
