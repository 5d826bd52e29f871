// SPDX-License-Identifier: MIT
/*
 * snapshots - the states that new nodes begin with, in the published folder:
 *
 *   snapshot/<size>    chaski.Snapshot of the first <size> acts; the act <size> vouches for it
 *   snapshot/newest    <size> in digits: where a follower looks first
 *
 * They are derived: who lost them makes a new one with the next acts. The newest three are kept.
 */
#ifndef REGISTRY_SNAPSHOTS_H
#define REGISTRY_SNAPSHOTS_H

#include "registry/store.h"

#define SNAPSHOTS_KEPT 3

/* NULL in *out unless so many acts came since the newest one in this folder that it is time for
 * another; bytes_free() it. */
fault snapshots_make(const struct store *store, const char *folder, struct bytes **out);
/* After the act that vouches for it is durable, and before the checkpoint that covers that act. */
fault snapshots_write(const char *folder, uint64_t size, struct span snapshot);

#endif
