// SPDX-License-Identifier: MIT
/*
 * pair_report - what a comparison of leaves with one peer has found: nine types, numbered as in
 * docs/AUDIT.md. All are counted, the first RECONCILE_FINDINGS_MAX are told one by one.
 */
#ifndef EXCHANGE_PAIR_REPORT_H
#define EXCHANGE_PAIR_REPORT_H

#include "lib/bus/pair_type.h"

enum pair_state { PAIR_OPEN, PAIR_SENT, PAIR_TAKEN, PAIR_REFUSED };

struct pair_finding {
    enum pair_type type;
    enum pair_state state;
    enum header_kind kind; /* 0: not about one leaf */
    int64_t time_ms;
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    struct sha256 leaf_hash;
    bool missing_here;
    enum fault_code fault; /* why it was refused, or OK */
};

struct pair_report {
    char *peer;
    int64_t began_ms, ended_ms, from_ms, until_ms;
    enum fault_code fault; /* why it did not come to its end */
    char detail[200];
    uint64_t leaves, peer_leaves;
    uint32_t hours_unequal, hours_unknown;
    uint64_t young; /* leaves here from until_ms on, which were not compared */
    uint64_t sent, taken, refused;
    uint64_t count[PAIR_TYPES_END];
    struct pair_finding *finding;
    size_t findings;
    uint64_t differences;
    bool more;
};

void pair_report_clear(struct pair_report *self);
void pair_report_add(struct pair_report *self, const struct pair_finding *finding);
/* What became of the leaf that types 1 to 4 were told of. */
void pair_report_state(struct pair_report *self, const struct sha256 *leaf_hash,
                       enum pair_state state, enum fault_code code);
uint64_t pair_report_count(const struct pair_report *self); /* of all types */
/* chaski.ReconcileReport; bytes_free() it. */
fault pair_report_pack(const struct pair_report *self, struct bytes **out);
/* One line for the operator. */
void pair_report_tell(const struct pair_report *self);

#endif
