// SPDX-License-Identifier: MIT
/*
 * leaf_set - which leaves of exchanges with one other server stand in a log, by the hour of their
 * header's time: what two servers compare. Derived from the log by the scribe, which alone writes
 * here; may be removed at any time (docs/decisions/0013).
 *
 *   <audit_folder>/sets/next                   "<epoch> <entries> <time in ms>\n": what is taken in
 *   <audit_folder>/sets/floor                  decimal: time in ms before which the log was pruned
 *                                              when the sets were made; absent: nothing is missing
 *   <audit_folder>/sets/broken                 lines of "<32 hex digits> <yyyymmddhh>": hours that
 * could not be written, and of which nothing is known <audit_folder>/sets/<32 hex digits>/peer the
 * other server's identifier <audit_folder>/sets/<32 hex digits>/<yyyymmddhh>   records of 72 bytes,
 * in no order: leaf hash (32) | exchange id (16) | u64 index | u32 epoch | u32 ms of the hour | u8
 * kind | u8 flags (1 own, 2 late) | u16 zero | u32 crc32c(the 68 bytes before)
 *
 * A leaf may stand there twice, after a crash; it counts once. The folder's name is the first half
 * of SHA-256 of the identifier.
 */
#ifndef BUS_LEAF_SET_H
#define BUS_LEAF_SET_H

#include "lib/bus/header.h"
#include "lib/crypto/digest.h"

#define SET_RECORD_BYTES 72
#define SET_HOUR_MS 3600000
#define SET_HOUR_TEXT_BYTES 11 /* "yyyymmddhh" and NUL */
#define SET_MINUTES 60
#define SET_PREFIXES 256

struct set_entry {
    struct sha256 leaf_hash;
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    uint64_t index; /* of the leaf; of the LATE record that holds it, if `late` */
    unsigned epoch; /* of the log */
    int64_t time_ms;
    enum header_kind kind;
    bool own; /* signed by the log's own server */
    bool late;
};

void set_entry_encode(const struct set_entry *entry, uint8_t out[SET_RECORD_BYTES]);
/* BAD_FRAME: damaged. `hour`: since 1970, of the file. */
fault set_entry_decode(const uint8_t record[SET_RECORD_BYTES], int64_t hour, struct set_entry *out);

void set_hour_text(int64_t hour, char out[SET_HOUR_TEXT_BYTES]);
/* BAD_REQUEST: not yyyymmddhh (UTC), or no such hour. */
fault set_hour_parse(struct span text, int64_t *hour);

/* Names; room at least 512. BAD_CONFIG: the audit folder's name is too long. */
fault leaf_set_folder(const char *audit_folder, const char *peer, char *out, size_t room);
fault leaf_set_path(const char *audit_folder, const char *peer, int64_t hour, char *out,
                    size_t room);

/* How far the sets go: all that the log held at `time_ms`, at least. */
struct set_place {
    unsigned epoch;
    uint64_t entries;
    int64_t time_ms;
};
/* NOT_FOUND: there are none; BAD_FRAME: damaged. */
fault set_place_read(const char *audit_folder, struct set_place *out);
fault set_place_write(const char *audit_folder, const struct set_place *place);

/* Leaves dated before this may be missing in the sets; 0: none are. */
int64_t set_floor_read(const char *audit_folder);
fault set_floor_write(const char *audit_folder, int64_t time_ms);

/* Hours that could not be written. What cannot be read is taken for broken. */
bool set_is_broken(const char *audit_folder, const char *peer, int64_t hour);
bool set_any_broken(const char *audit_folder);
/* Durable when it returns. OVERLOADED: SET_BROKEN_MAX hours are. */
fault set_broken_add(const char *audit_folder, const char *peer, int64_t hour);
#define SET_BROKEN_MAX 1000

/* Part of an hour's leaves: dated before until_ms; of one minute or all (-1); whose hash begins
 * with this byte or any (-1). */
struct set_range {
    int64_t hour, until_ms;
    int minute, prefix;
};

/* Number, and SHA-256 over the sorted leaf hashes; of none: SHA256(""). SET_UNKNOWN: the hour lies
 * below the floor or is broken, and zeros stand for the digest. */
#define SET_UNKNOWN UINT64_MAX
struct set_digest {
    uint64_t count;
    struct sha256 digest;
};

/*
 * Digests of a range: of all of it (parts 1), of its minutes (SET_MINUTES) or of its hashes by
 * their first byte (SET_PREFIXES). The file is read twice. At most SET_SORT_MAX hashes are sorted
 * in memory at a time; those of a larger range lie in a file without a name below sets/ meanwhile.
 *
 * An hour without a file is empty. LOG_BROKEN: a record is damaged; IO_FAILED: it cannot be read,
 * or is broken, or there is no room to sort it; OVERLOADED: more leaves than SET_SORT_MAX whose
 * hashes begin alike.
 */
fault leaf_set_digests(const char *audit_folder, const char *peer, const struct set_range *range,
                       size_t parts, struct set_digest *out);

/* How many leaves are dated from from_ms on and before until_ms; one that stands there twice, after
 * a crash, counts twice. Hours that are broken count for nothing. Faults as above. */
fault leaf_set_count(const char *audit_folder, const char *peer, int64_t from_ms, int64_t until_ms,
                     uint64_t *out);

/* The leaves of a range in the order of their hashes, each once, from the first behind `after` (or
 * NULL) on; at most `most`. *more: there are others behind. Faults as above. */
fault leaf_set_list(const char *audit_folder, const char *peer, const struct set_range *range,
                    const struct sha256 *after, size_t most, struct set_entry *out, size_t *count,
                    bool *more);

/* Is this leaf in the set of its hour? And is there another of the same exchange, kind and signer?
 */
struct set_query {
    struct sha256 leaf_hash;
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    enum header_kind kind;
    bool own;
    bool found, has_twin;         /* out */
    struct set_entry entry, twin; /* out */
};
/* All of one hour; sorted here by their hashes. lates, or NULL: records of that hour that are held
 * by late receipts. Faults as above. */
fault leaf_set_find(const char *audit_folder, const char *peer, int64_t hour,
                    struct set_query *queries, size_t count, uint64_t *lates);

#endif
