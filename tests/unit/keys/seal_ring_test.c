// SPDX-License-Identifier: MIT
#include "security-server/keys/seal_ring.h"

#include "lib/crypto/keypair_private.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MASK 0x5a

static void id_of(const uint8_t key[X25519_PUBLIC_BYTES], uint8_t out[SEAL_KEY_ID_BYTES])
{
    seal_key_id(key, out);
}

static void test_what_was_sealed_to_a_key_opens_until_it_is_forgotten(void)
{
    struct seal_ring ring = {0};
    uint8_t key[X25519_PUBLIC_BYTES], id[SEAL_KEY_ID_BYTES], other[SEAL_KEY_ID_BYTES] = {0};
    uint8_t ephemeral[X25519_PUBLIC_BYTES], derived[SEAL_KEY_BYTES];
    uint8_t sealed[5 + SEAL_TAG_BYTES], plain[5];
    OWNED(seal_key) sender = NULL;
    OWNED(seal_key) receiver = NULL;
    MUST(seal_ring_make(&ring, key));
    id_of(key, id);
    MUST(seal_start(key, ephemeral, &sender));
    MUST(seal_encrypt(sender, 1, (struct span){0}, span_of("carta", 5), sealed));
    CU_ASSERT_PTR_NULL(seal_ring_find(&ring, other));
    struct keypair *secret = seal_ring_find(&ring, id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(secret);
    MUST(seal_derive(secret, ephemeral, derived));
    MUST(seal_key_make(derived, &receiver));
    MUST(seal_decrypt(receiver, 1, (struct span){0}, span_of(sealed, sizeof sealed), plain));
    CU_ASSERT(memcmp(plain, "carta", 5) == 0);
    seal_ring_forget(&ring, other);
    CU_ASSERT_EQUAL(ring.count, 1);
    seal_ring_forget(&ring, id);
    CU_ASSERT_PTR_NULL(seal_ring_find(&ring, id));
    seal_ring_clear(&ring);
}

static void test_the_oldest_gives_way_and_no_other(void)
{
    struct seal_ring ring = {0};
    uint8_t id[SEAL_MADE_MAX + 1][SEAL_KEY_ID_BYTES];
    for (size_t i = 0; i <= SEAL_MADE_MAX; i++) {
        uint8_t key[X25519_PUBLIC_BYTES];
        MUST(seal_ring_make(&ring, key));
        id_of(key, id[i]);
    }
    CU_ASSERT_EQUAL(ring.count, SEAL_MADE_MAX);
    CU_ASSERT_PTR_NULL(seal_ring_find(&ring, id[0]));
    for (size_t i = 1; i <= SEAL_MADE_MAX; i++)
        CU_ASSERT_PTR_NOT_NULL(seal_ring_find(&ring, id[i]));
    seal_ring_forget(&ring, id[5]);
    CU_ASSERT_PTR_NULL(seal_ring_find(&ring, id[5]));
    CU_ASSERT_PTR_NOT_NULL(seal_ring_find(&ring, id[4]));
    CU_ASSERT_PTR_NOT_NULL(seal_ring_find(&ring, id[6]));
    seal_ring_clear(&ring);
    CU_ASSERT_EQUAL(ring.count, 0);
}

// --- is it still in memory? ---------------------------------------------------------------------

/* The secret, so that these bytes are not themselves what is looked for. */
static void masked_secret(const struct keypair *key, uint8_t out[32])
{
    size_t size = 32;
    /* EVP_PKEY_get_raw_private_key leaves copies of its own on the heap */
    CU_ASSERT_EQUAL_FATAL(EVP_PKEY_get_octet_string_param(
                              keypair_pkey(key), OSSL_PKEY_PARAM_PRIV_KEY, out, size, &size),
                          1);
    for (size_t i = 0; i < 32; i++)
        out[i] ^= MASK;
}

static bool is_here(const uint8_t *at, const uint8_t masked[32])
{
    for (size_t i = 0; i < 32; i++)
        if ((at[i] ^ MASK) != masked[i])
            return false;
    return true;
}

static size_t count_in(int memory, unsigned long from, unsigned long to, const uint8_t masked[32])
{
    static uint8_t page[1 << 16];
    size_t found = 0;
    for (unsigned long at = from; at < to; at += sizeof page - 31) {
        size_t want = to - at < sizeof page ? to - at : sizeof page;
        ssize_t got = pread(memory, page, want, (off_t)at);
        for (ssize_t i = 0; i + 32 <= got; i++)
            found += is_here(page + i, masked);
    }
    explicit_bzero(page, sizeof page);
    return found;
}

/* How often it stands in what this process can write to, but for the window it is looked at
 * through. */
static size_t count_in_memory(const uint8_t masked[32])
{
    char line[512];
    size_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(maps != NULL && memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from = 0, to = 0;
        char rights[5] = "";
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[0] != 'r' ||
            rights[1] != 'w' || to - from > (64ul << 20))
            continue;
        found += count_in(memory, from, to, masked);
    }
    fclose(maps);
    close(memory);
    return found;
}

static void test_a_forgotten_secret_is_nowhere_in_memory(void)
{
    struct seal_ring ring = {0};
    uint8_t key[X25519_PUBLIC_BYTES], id[SEAL_KEY_ID_BYTES], masked[32];
    uint8_t ephemeral[X25519_PUBLIC_BYTES], derived[SEAL_KEY_BYTES];
    OWNED(seal_key) sender = NULL;
    MUST(seal_ring_make(&ring, key));
    id_of(key, id);
    MUST(seal_start(key, ephemeral, &sender));
    MUST(seal_derive(seal_ring_find(&ring, id), ephemeral, derived));
    masked_secret(seal_ring_find(&ring, id), masked);
    CU_ASSERT(count_in_memory(masked) > 0); /* the search finds what is there */
    seal_ring_forget(&ring, id);
    CU_ASSERT_EQUAL(count_in_memory(masked), 0);
    seal_ring_clear(&ring);
}

SUITE(seal_ring, TEST(test_what_was_sealed_to_a_key_opens_until_it_is_forgotten),
      TEST(test_the_oldest_gives_way_and_no_other),
      TEST(test_a_forgotten_secret_is_nowhere_in_memory))
