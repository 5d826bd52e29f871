// SPDX-License-Identifier: MIT
#include "lib/base/crc32c.h"

#include <stdatomic.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t one_byte(uint32_t crc)
{
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (POLYNOMIAL & (0u - (crc & 1)));
    return crc;
}

static uint32_t by_table(uint32_t crc, struct span bytes)
{
    static uint32_t table[256];
    static atomic_bool made;
    /* Two threads may both fill it, with the same numbers. */
    if (!atomic_load_explicit(&made, memory_order_acquire)) {
        for (uint32_t i = 0; i < 256; i++)
            __atomic_store_n(&table[i], one_byte(i), __ATOMIC_RELAXED);
        atomic_store_explicit(&made, true, memory_order_release);
    }
    for (size_t i = 0; i < bytes.size; i++)
        crc = crc >> 8 ^ __atomic_load_n(&table[(crc ^ bytes.at[i]) & 0xff], __ATOMIC_RELAXED);
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t crc, struct span bytes)
{
    uint64_t wide = crc;
    size_t i = 0;
    for (; i + 8 <= bytes.size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes.at + i, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; i < bytes.size; i++)
        crc = __builtin_ia32_crc32qi(crc, bytes.at[i]);
    return crc;
}
#endif

uint32_t crc32c(uint32_t before, struct span bytes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~by_processor(~before, bytes);
#endif
    return ~by_table(~before, bytes);
}
