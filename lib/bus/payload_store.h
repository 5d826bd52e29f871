// SPDX-License-Identifier: MIT
/*
 * payload_store - payloads beside the log: encrypted per record, so that each can be erased without
 * breaking a proof.
 *
 *   payload/<yyyymmdd>.seg  frames: u32 length | u32 crc32c(index || body) | u64 index | body
 *                           body = AES-256-GCM(record key, nonce 0, associated = leaf hash) of salt
 * || payload keys/<yyyymmdd>.slab    "CHSKSLAB" | u64 first index | slots of 48 bytes by index: u64
 * offset | u32 length | u32 state (0 none, 1 held, 2 erased) | record key (32)
 *
 * A record key is used once, so its nonce may be constant. All integers big-endian.
 */
#ifndef BUS_PAYLOAD_STORE_H
#define BUS_PAYLOAD_STORE_H

#include "lib/base/bytes.h"
#include "lib/crypto/digest.h"

struct payload_store;

enum payload_state { PAYLOAD_NONE = 0, PAYLOAD_HELD = 1, PAYLOAD_ERASED = 2 };

/* `folder` holds payload/ and keys/. `next_index`: the log's size, where writing goes on.
 * LOG_SHRUNK: keys of later days than the log's end are there. LOG_BROKEN: the newest slab is
 * damaged, or does not agree with its payload file or with the log; it is left as it was. */
fault payload_store_open(const char *folder, uint64_t next_index, struct payload_store **out);
/* How far payloads go beyond the log's end: what a group that was not committed left behind, at
 * most AUDIT_GROUP_MAX; more was once committed. */
uint64_t payload_store_ahead(const struct payload_store *self);
void payload_store_free(struct payload_store **self);

/* Writes salt || payload of one record; an empty blob only marks the slot. Not yet durable.
 * LOG_FAILED (disk full): nothing counts as written. Indexes go up by one; after a failed group the
 * same ones come again. */
fault payload_store_write(struct payload_store *self, uint64_t index,
                          const struct sha256 *leaf_hash, struct span blob, int64_t wall_ms);
/* Makes all written durable; ends the process on a failing fdatasync. */
void payload_store_sync(struct payload_store *self);

/* Reads back salt || payload. *state says whether there is one; *out only when PAYLOAD_HELD.
 * LOG_BROKEN when it is held but does not decrypt, or when damage leaves open whether it is held.
 * Needs no payload_store: for auditors too. */
fault payload_store_read(const char *folder, uint64_t index, const struct sha256 *leaf_hash,
                         enum payload_state *state, struct bytes **out);

#endif
