// SPDX-License-Identifier: MIT
/*
 * log_fill - makes the evidence log of a node as large as one likes: for measurements.
 *
 *   log_fill KEYS_FOLDER AUDIT_FOLDER SERVER PEER ENTRIES [SEGMENT_MIB [EPOCH]]
 *       STARTED, then requests of PEER's subsystem and our answers, by turns, 10 ms apart, the last
 *       one of now; through audit_log, with payloads of 200 bytes, and a signed promise at the end.
 *       EPOCH: a later one that a node has begun; behind what is there.
 *
 * Signatures are of the right form and all the same: a start does not check them, `verify` would.
 */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/header.h"
#include "lib/bus/letter.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/store_key.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STEP_MS 10
#define PAYLOAD_BYTES 200

struct fill {
    const char *folder, *server, *peer;
    uint64_t entries, next, segment_mib, epoch;
    int64_t time_ms;
    struct certificate *certificate;
    struct cades_template template;
    struct note_key log_key;
    struct keypair *sign, *log;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t signature_size;
    struct audit_log *audit;
    struct bytes *leaf[AUDIT_GROUP_MAX], *blob[AUDIT_GROUP_MAX];
    struct sha256 asked;
    uint8_t id[EXCHANGE_ID_BYTES];
    char own_member[ID_TEXT_BYTES_MAX + 1], own_subsystem[ID_TEXT_BYTES_MAX + 8],
        peer_subsystem[ID_TEXT_BYTES_MAX + 8], service[ID_TEXT_BYTES_MAX + 16];
};

static fault load(struct fill *self, const char *keys)
{
    char path[600];
    OWNED(bytes) vkey = NULL;
    struct sha256 digest = SHA256_OF(span_of_text("any"));
    text_format(path, sizeof path, "%s/sign.key", keys);
    TRY(keypair_load(path, KEY_P256, &self->sign));
    text_format(path, sizeof path, "%s/log.key", keys);
    TRY(keypair_load(path, KEY_ED25519, &self->log));
    text_format(path, sizeof path, "%s/sign.crt", keys);
    TRY(certificate_load(path, &self->certificate));
    cades_template_make(self->certificate, &self->template);
    text_format(path, sizeof path, "%s/log.vkey", keys);
    TRY(file_read(path, 1024, &vkey));
    struct note_key registered;
    TRY(note_key_parse(span_of(vkey->data, vkey->size - 1), &registered));
    TRY(log_epoch_key(&registered, (unsigned)self->epoch, &self->log_key));
    return keypair_sign_digest(self->sign, digest.at, self->signature, &self->signature_size);
}

static fault open_log(struct fill *self, const char *keys)
{
    char path[600];
    struct key_wrap *store = NULL;
    struct audit_recovery recovery;
    text_format(path, sizeof path, "%s/%s", keys, STORE_KEY_FILE);
    TRY(store_key_load(path, NULL, &store));
    struct audit_log_options options = {.folder = self->folder,
                                        .epoch = (unsigned)self->epoch,
                                        .segment_bytes = (size_t)self->segment_mib << 20,
                                        .key = &self->log_key,
                                        .server = self->server,
                                        .holder = key_holder_of(store)};
    fault f = audit_log_open(&options, NULL, NULL, &self->audit, &recovery);
    key_wrap_free(&store);
    return f;
}

static void name_all(struct fill *self)
{
    struct span own = bus_id_prefix(span_of_text(self->server), ID_MEMBER);
    struct span peer = bus_id_prefix(span_of_text(self->peer), ID_MEMBER);
    text_format(self->own_member, sizeof self->own_member, "%.*s", (int)own.size,
                (const char *)own.at);
    text_format(self->own_subsystem, sizeof self->own_subsystem, "%s/DATOS", self->own_member);
    text_format(self->peer_subsystem, sizeof self->peer_subsystem, "%.*s/USO", (int)peer.size,
                (const char *)peer.at);
    text_format(self->service, sizeof self->service, "%s/servicio", self->own_subsystem);
}

/* Entry 0: STARTED; then a request of the peer at odd numbers, our answer at even ones. */
static void fill_header(struct fill *self, struct header *out)
{
    bool request = self->next % 2 == 1;
    *out = (struct header){.kind = self->next == 0 ? HEADER_STARTED
                                   : request       ? HEADER_REQUEST
                                                   : HEADER_RESPONSE,
                           .time_ms = self->time_ms};
    struct audit_head head = audit_log_head(self->audit);
    out->log_size = head.size;
    out->log_root = head.root;
    if (!request)
        out->log_epoch = (unsigned)self->epoch;
    if (request || self->next == 0)
        random_fill(self->id, sizeof self->id);
    memcpy(out->exchange_id, self->id, sizeof self->id);
    out->sender_server = span_of_text(request ? self->peer : self->server);
    if (self->next == 0) {
        out->sender = span_of_text(self->own_member);
        return;
    }
    out->receiver_server = span_of_text(request ? self->server : self->peer);
    out->sender = span_of_text(request ? self->peer_subsystem : self->own_subsystem);
    out->receiver = span_of_text(request ? self->own_subsystem : self->peer_subsystem);
    out->service = span_of_text(self->service);
    out->purpose = span_of_text("P-1");
    out->rule = span_of_text("open");
    out->deadline_ms = self->time_ms + 60000;
    out->has_reply_to = !request;
    out->reply_to = self->asked;
    out->status = request ? 0 : 200;
}

static fault make_entry(struct fill *self, size_t at, struct audit_record *record)
{
    static const uint8_t content[PAYLOAD_BYTES] = "the same each time";
    OWNED(bytes) encoded = NULL;
    struct header header;
    bytes_free(&self->leaf[at]);
    bytes_free(&self->blob[at]);
    fill_header(self, &header);
    TRY(letter_blob(span_of(content, sizeof content), &self->blob[at]));
    header.payload_sha256 = letter_commitment(bytes_span(self->blob[at]));
    header.payload_bytes = sizeof content;
    TRY(header_encode(&header, &encoded));
    TRY(cades_leaf(&self->template, bytes_span(encoded), self->time_ms,
                   span_of(self->signature, self->signature_size), &self->leaf[at]));
    *record = (struct audit_record){.leaf = bytes_span(self->leaf[at]),
                                    .blob = bytes_span(self->blob[at])};
    if (header.kind == HEADER_REQUEST)
        self->asked = merkle_leaf_hash(record->leaf);
    self->next++;
    self->time_ms += STEP_MS;
    return DONE;
}

/* The first group of a log is its STARTED alone. */
static fault fill(struct fill *self)
{
    static struct audit_record records[AUDIT_GROUP_MAX];
    while (self->next < self->entries) {
        uint64_t left = self->entries - self->next;
        size_t count = self->next == 0 ? 1 : left < AUDIT_GROUP_MAX ? left : AUDIT_GROUP_MAX;
        for (size_t i = 0; i < count; i++)
            TRY(make_entry(self, i, &records[i]));
        TRY(audit_log_append(self->audit, records, count, self->time_ms));
    }
    return DONE;
}

static fault promise(struct fill *self)
{
    struct audit_head head = audit_log_head(self->audit);
    struct checkpoint checkpoint = {.size = head.size, .root = head.root};
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    OWNED(bytes) note = NULL;
    memcpy(checkpoint.origin, self->log_key.name, sizeof checkpoint.origin);
    size_t size = checkpoint_body(&checkpoint, body, sizeof body);
    TRY(keypair_sign_message(self->log, span_of(body, size), signature));
    TRY(checkpoint_note(&checkpoint, &self->log_key, signature, &note));
    return audit_log_keep_checkpoint(self->audit, bytes_span(note));
}

static fault run(char **argv)
{
    static struct fill self;
    self.folder = argv[2];
    self.server = argv[3];
    self.peer = argv[4];
    TRY(text_number(span_of_text(argv[5]), UINT32_MAX, &self.entries));
    self.segment_mib = WAL_SEGMENT_MIB_DEFAULT;
    if (argv[6] != NULL)
        TRY(text_number(span_of_text(argv[6]), 1024, &self.segment_mib));
    self.epoch = 1;
    if (argv[6] != NULL && argv[7] != NULL)
        TRY(text_number(span_of_text(argv[7]), LOG_EPOCHS_MAX, &self.epoch));
    self.time_ms = clock_wall_ms() - (int64_t)self.entries * STEP_MS;
    name_all(&self);
    TRY(load(&self, argv[1]));
    TRY(open_log(&self, argv[1]));
    TRY(fill(&self));
    TRY(promise(&self));
    audit_log_free(&self.audit);
    return DONE;
}

int main(int argc, char **argv)
{
    fault f = argc >= 6 && argc <= 8 ? run(argv) : RAISE(BAD_REQUEST, "see the head of log_fill.c");
    if (failed(f))
        fprintf(stderr, "log_fill: %s: %s\n", fault_sentence(f.code), fault_detail());
    return failed(f) ? 1 : 0;
}
