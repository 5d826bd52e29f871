// SPDX-License-Identifier: MIT
#include "security-server/exchange/pair_report.h"

#include "lib/base/event.h"
#include "lib/bus/limits.h"

#include "audit.pb-c.h"

#include <stdlib.h>

void pair_report_clear(struct pair_report *self)
{
    free(self->peer);
    free(self->finding);
    *self = (struct pair_report){0};
}

void pair_report_add(struct pair_report *self, const struct pair_finding *finding)
{
    self->count[finding->type]++;
    if (self->findings == RECONCILE_FINDINGS_MAX)
        return;
    if (self->finding == NULL)
        self->finding = owned_array(RECONCILE_FINDINGS_MAX, sizeof *self->finding);
    self->finding[self->findings++] = *finding;
}

void pair_report_state(struct pair_report *self, const struct sha256 *leaf_hash,
                       enum pair_state state, enum fault_code code)
{
    self->sent += state == PAIR_SENT;
    self->taken += state == PAIR_TAKEN;
    self->refused += state == PAIR_REFUSED;
    for (size_t i = 0; i < self->findings; i++) {
        struct pair_finding *finding = &self->finding[i];
        if (finding->type > PAIR_ANSWER_AT_CONSUMER ||
            !sha256_equal(&finding->leaf_hash, leaf_hash))
            continue;
        finding->state = state;
        finding->fault = code;
    }
}

uint64_t pair_report_count(const struct pair_report *self)
{
    uint64_t sum = 0;
    for (size_t type = 1; type < PAIR_TYPES_END; type++)
        sum += self->count[type];
    return sum;
}

// --- telling ------------------------------------------------------------------------------------

static ProtobufCBinaryData binary(const void *at, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)at};
}

static void fill_findings(const struct pair_report *self, Chaski__ReconcileFinding *finding,
                          Chaski__ReconcileFinding **list)
{
    for (size_t i = 0; i < self->findings; i++) {
        const struct pair_finding *from = &self->finding[i];
        chaski__reconcile_finding__init(&finding[i]);
        finding[i].type = from->type;
        finding[i].kind = from->kind;
        finding[i].time_ms = (uint64_t)from->time_ms;
        finding[i].exchange_id = binary(from->exchange_id, EXCHANGE_ID_BYTES);
        finding[i].leaf_hash = binary(from->leaf_hash.at, SHA256_BYTES);
        finding[i].missing_here = from->missing_here;
        finding[i].state = from->state;
        finding[i].fault = from->fault;
        list[i] = &finding[i];
    }
}

static void fill_sums(const struct pair_report *self, Chaski__ReconcileReport *out)
{
    out->peer = self->peer;
    out->detail = (char *)(uintptr_t)self->detail;
    out->fault = self->fault;
    out->began_ms = (uint64_t)self->began_ms;
    out->ended_ms = (uint64_t)self->ended_ms;
    out->from_ms = (uint64_t)self->from_ms;
    out->until_ms = (uint64_t)self->until_ms;
    out->leaves = self->leaves;
    out->peer_leaves = self->peer_leaves;
    out->hours_unequal = self->hours_unequal;
    out->hours_unknown = self->hours_unknown;
    out->young = self->young;
    out->sent = self->sent;
    out->taken = self->taken;
    out->refused = self->refused;
    out->more = self->more;
    out->n_count = PAIR_TYPES_END - 1;
    out->count = (uint64_t *)(uintptr_t)(self->count + 1);
}

fault pair_report_pack(const struct pair_report *self, struct bytes **out)
{
    Chaski__ReconcileReport report = CHASKI__RECONCILE_REPORT__INIT;
    OWNED(bytes) packed = NULL;
    Chaski__ReconcileFinding *finding = owned_array(self->findings + 1, sizeof *finding);
    Chaski__ReconcileFinding **list = owned_array(self->findings + 1, sizeof(void *));
    fill_sums(self, &report);
    fill_findings(self, finding, list);
    report.n_finding = self->findings;
    report.finding = list;
    fault f = bytes_new(chaski__reconcile_report__get_packed_size(&report), &packed);
    if (!failed(f)) {
        chaski__reconcile_report__pack(&report, packed->data);
        *out = TAKE(packed);
    }
    free(list);
    free(finding);
    return f;
}

void pair_report_tell(const struct pair_report *self)
{
    if (self->fault != OK)
        EVENT(WARN, "reconcile.not_finished", E_TEXT("peer", self->peer),
              E_TEXT("fault", fault_name(self->fault)), E_TEXT("detail", self->detail));
    if (pair_report_count(self) == 0) {
        if (self->fault == OK)
            EVENT(DEBUG, "reconcile.equal", E_TEXT("peer", self->peer),
                  E_NUMBER("leaves", self->leaves), E_NUMBER("left_out_young", self->young));
        return;
    }
    EVENT(WARN, "reconcile.found", E_TEXT("peer", self->peer),
          E_NUMBER("request_only_at_consumer", self->count[PAIR_REQUEST_AT_CONSUMER]),
          E_NUMBER("request_only_at_provider", self->count[PAIR_REQUEST_AT_PROVIDER]),
          E_NUMBER("answer_only_at_provider", self->count[PAIR_ANSWER_AT_PROVIDER]),
          E_NUMBER("answer_only_at_consumer", self->count[PAIR_ANSWER_AT_CONSUMER]),
          E_NUMBER("two_headers", self->count[PAIR_TWO_HEADERS]),
          E_NUMBER("two_signatures", self->count[PAIR_TWO_SIGNATURES]),
          E_NUMBER("bad_leaves", self->count[PAIR_BAD_LEAF]),
          E_NUMBER("clock", self->count[PAIR_CLOCK]), E_NUMBER("sent", self->sent),
          E_NUMBER("taken_in", self->taken), E_NUMBER("refused", self->refused));
}
