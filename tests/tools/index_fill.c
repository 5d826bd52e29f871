// SPDX-License-Identifier: MIT
/*
 * index_fill - makes a search index of a log that does not exist, as large as one likes: for
 * measurements.
 *
 *   index_fill FOLDER ENTRIES
 *       FOLDER/index/search.db, through the code that indexes a real log, from headers as an
 *       agency's node would hold them in two years: many services and consumers, a few of them
 *       busy; nearly all answered; a case and a person's pseudonym in most. The same each time.
 *
 * Search it with --as-is.
 */
#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/audit/index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OWN "CO/GOV/800197268"
#define START_MS INT64_C(1731000000000) /* 2024-11-07 */
#define SPAN_MS INT64_C(63072000000)    /* two years */
#define IN_FLIGHT 64
#define PEERS 1100
#define SERVICES 60 /* ours, and of others that we ask */
#define PURPOSES 40
#define PROCEDURES 300
#define GRANTS 150
#define PROGRESS 1000000

struct asked {
    struct sha256 leaf_hash;
    unsigned peer, service, purpose;
    uint8_t id[EXCHANGE_ID_BYTES];
    bool by_us;
    int64_t time_ms;
};

struct fill {
    struct index_rows *rows;
    uint64_t entries, next;
    uint64_t random;
    int64_t time_ms;
    struct asked asked[IN_FLIGHT];
    size_t in_flight;
    char sender[64], receiver[64], service[128], other_server[64];
    char purpose[64], procedure[64], case_ref[64], rule[64];
    uint8_t subject[16];
};

static uint64_t roll(struct fill *self) /* splitmix64 */
{
    uint64_t z = self->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void roll_bytes(struct fill *self, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)roll(self);
}

/* 0 to most - 1, the first ones far more often. */
static unsigned skewed(struct fill *self, unsigned most)
{
    double u = (double)(roll(self) >> 11) / 9007199254740992.0;
    return (unsigned)(u * u * u * most);
}

static bool once_in(struct fill *self, uint64_t n)
{
    return roll(self) % n == 0;
}

static fault add(struct fill *self, struct header *header, struct sha256 *leaf_hash)
{
    struct index_entry entry = {.index = self->next++, .leaf_hash = leaf_hash, .header = header};
    header->time_ms = self->time_ms;
    roll_bytes(self, leaf_hash->at, SHA256_BYTES);
    return index_rows_add(self->rows, &entry);
}

static fault add_own(struct fill *self, enum header_kind kind)
{
    struct sha256 hash;
    struct header header = {.kind = kind,
                            .sender = span_of_text(OWN),
                            .sender_server = span_of_text(OWN "/SS1"),
                            .payload_bytes = 20};
    roll_bytes(self, header.exchange_id, sizeof header.exchange_id);
    return add(self, &header, &hash);
}

static void name_parties(struct fill *self, const struct asked *asked, struct header *out)
{
    unsigned peer = asked->peer;
    snprintf(self->other_server, sizeof self->other_server, "CO/MUN/8909%05u/SS1", peer);
    if (asked->by_us) {
        snprintf(self->sender, sizeof self->sender, OWN "/TRAMITES");
        snprintf(self->receiver, sizeof self->receiver, "CO/MUN/8909%05u/DATOS", peer);
        snprintf(self->service, sizeof self->service, "%s/lista%u", self->receiver, peer % 3);
    } else {
        snprintf(self->sender, sizeof self->sender, "CO/MUN/8909%05u/TRAMITES", peer);
        snprintf(self->receiver, sizeof self->receiver, OWN "/%s",
                 asked->service % 2 == 0 ? "RUT" : "EXOGENA");
        snprintf(self->service, sizeof self->service, "%s/servicio%02u", self->receiver,
                 asked->service);
    }
    snprintf(self->purpose, sizeof self->purpose, "FIN-%02u", asked->purpose);
    out->sender = span_of_text(self->sender);
    out->receiver = span_of_text(self->receiver);
    out->service = span_of_text(self->service);
    out->sender_server = span_of_text(asked->by_us ? OWN "/SS1" : self->other_server);
    out->receiver_server = span_of_text(asked->by_us ? self->other_server : OWN "/SS1");
    out->purpose = span_of_text(self->purpose);
    memcpy(out->exchange_id, asked->id, EXCHANGE_ID_BYTES);
}

static void name_reasons(struct fill *self, struct header *out)
{
    snprintf(self->procedure, sizeof self->procedure, "T-%03u", skewed(self, PROCEDURES));
    out->procedure = span_of_text(self->procedure);
    if (!once_in(self, 4)) {
        snprintf(self->case_ref, sizeof self->case_ref, "2026-%08" PRIu64,
                 roll(self) % (self->entries / 6 + 1));
        out->case_ref = span_of_text(self->case_ref);
    }
    if (!once_in(self, 3)) { /* a person, looked at a few times */
        put_u64(self->subject, roll(self) % (self->entries / 10 + 1));
        out->subject = span_of(self->subject, sizeof self->subject);
    }
    if (once_in(self, 20))
        snprintf(self->rule, sizeof self->rule, "grant/%u", skewed(self, GRANTS));
    else
        snprintf(self->rule, sizeof self->rule, "%s", once_in(self, 5) ? "open" : "shared");
    out->rule = span_of_text(self->rule);
}

static fault add_request(struct fill *self)
{
    struct asked *asked = &self->asked[self->in_flight];
    *asked = (struct asked){.peer = skewed(self, PEERS),
                            .service = skewed(self, SERVICES),
                            .purpose = skewed(self, PURPOSES),
                            .by_us = once_in(self, 4),
                            .time_ms = self->time_ms};
    struct header header = {.kind = HEADER_REQUEST, .payload_bytes = 200 + roll(self) % 400};
    roll_bytes(self, asked->id, sizeof asked->id);
    name_parties(self, asked, &header);
    name_reasons(self, &header);
    TRY(add(self, &header, &asked->leaf_hash));
    self->in_flight += !once_in(self, 3000); /* or it is never answered */
    return DONE;
}

static void choose_outcome(struct fill *self, struct header *out)
{
    static const enum fault_code faults[] = {
        ACCESS_DENIED, ACCESS_DENIED,    ACCESS_DENIED,   SERVICE_TIMEOUT, SERVICE_TIMEOUT,
        SERVICE_DOWN,  PEER_UNREACHABLE, DEADLINE_PASSED, RATE_LIMITED,    OVERLOADED};
    unsigned of_100 = (unsigned)(roll(self) % 100);
    out->kind = of_100 < 97 ? HEADER_RESPONSE : HEADER_FAULT;
    if (out->kind == HEADER_RESPONSE)
        out->status = of_100 < 92 ? 200 : of_100 < 96 ? 404 : 500;
    else
        out->fault = faults[roll(self) % (sizeof faults / sizeof faults[0])];
    if (out->fault == OVERLOADED && !once_in(self, 50))
        out->fault = ACCESS_DENIED;
    if (out->fault == ACCESS_DENIED)
        out->rule = span_of_text("restricted/no-grant");
}

static fault add_answer(struct fill *self)
{
    size_t which = roll(self) % self->in_flight;
    struct asked asked = self->asked[which];
    self->asked[which] = self->asked[--self->in_flight];
    struct sha256 hash;
    struct header request = {0};
    name_parties(self, &asked, &request);
    struct header header = request;
    header.sender = request.receiver;
    header.receiver = request.sender;
    header.sender_server = request.receiver_server;
    header.receiver_server = request.sender_server;
    header.has_reply_to = true;
    header.reply_to = asked.leaf_hash;
    header.payload_bytes = 300 + roll(self) % 4000;
    choose_outcome(self, &header);
    return add(self, &header, &hash);
}

static fault add_next(struct fill *self)
{
    self->time_ms =
        START_MS + (int64_t)((double)SPAN_MS * (double)self->next / (double)self->entries);
    if (self->next == 0)
        return add_own(self, HEADER_STARTED);
    if (once_in(self, 50000))
        return add_own(self, once_in(self, 2) ? HEADER_STARTED : HEADER_STOPPED);
    if (self->in_flight == IN_FLIGHT || (self->in_flight > 0 && roll(self) % 2 == 0))
        return add_answer(self);
    return add_request(self);
}

static fault fill(struct database *database, uint64_t entries)
{
    OWNED(index_rows) rows = NULL;
    struct fill self = {.entries = entries, .random = 1};
    int64_t started_ms = clock_steady_ms();
    TRY(database_run(database, "BEGIN"));
    TRY(index_rows_make_tables(database));
    TRY(index_rows_new(database, &rows));
    self.rows = rows;
    while (self.next < entries) {
        TRY(add_next(&self));
        if (self.next % PROGRESS == 0)
            fprintf(stderr, "%" PRIu64 " entries in %.1f s\n", self.next,
                    (double)(clock_steady_ms() - started_ms) / 1000);
        if (self.next % INDEX_BATCH == 0)
            TRY(index_rows_flush(rows));
    }
    TRY(index_rows_flush(rows));
    fprintf(stderr, "making the indices\n");
    TRY(index_rows_make_indices(database));
    return database_run(database, "COMMIT");
}

static fault make(const char *folder, uint64_t entries)
{
    struct index_place place;
    OWNED(database) database = NULL;
    int lock = -1;
    TRY(file_make_folders(folder, 0700));
    TRY(index_place_find(folder, 1, NULL, &place));
    TRY(index_file_lock(&place, &lock));
    TRY(index_file_begin(&place, &database));
    TRY(fill(database, entries));
    return index_file_finish(&place, &database);
}

int main(int argc, char **argv)
{
    uint64_t entries = 0;
    if (argc != 3 || failed(text_number(span_of_text(argv[2]), UINT32_MAX, &entries))) {
        fprintf(stderr, "index_fill FOLDER ENTRIES\n");
        return 2;
    }
    fault f = make(argv[1], entries);
    if (failed(f))
        fprintf(stderr, "index_fill: %s: %s\n", fault_sentence(f.code), fault_detail());
    return failed(f) ? 1 : 0;
}
