// SPDX-License-Identifier: MIT
/*
 * mesh_peer - a peer that lies: it has a member's keys, connects as that member's server, and sends
 * what an honest server never would. For tests.
 *
 *   mesh_peer ADDRESS KEYS_FOLDER MY_SERVER DIRECTORY TRUST VKEY TARGET_SERVER CLIENT SERVICE LIE
 *
 * LIE: honest, random, envelope, unsealed, other-payload, bad-signature, wrong-key, other-server,
 *      other-sender, future, stale, old, twice, old-twice, replay-other, stranger, long-deadline,
 *      keep:FILE (honest, and its frames go to the file), again:FILE (the very frames of before),
 *      endpoint:ID:FILE (the header names this endpoint, none if ID is empty; the file's bytes are
 *      the payload),
 *      once-only:PROCEDURE:REQUIREMENT:SOURCE:FILE (the header names these, any of them empty; the
 *      file's bytes are the payload),
 *      late (honest; when it is answered, its leaf comes again, as one that is missing there),
 * early (that before the message) Prints `answer FAULT_NAME` for each answer that can be opened, or
 * `silence` after a while; and `verdict FAULT_NAME`.
 */
#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory.h"
#include "lib/bus/header.h"
#include "lib/bus/letter.h"
#include "lib/bus/set_talk.h"
#include "lib/crypto/merkle.h"
#include "lib/crypto/random.h"
#include "lib/net/socket.h"

#include "logtalk.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 1500
#define LATE_WAIT_MS 25000
#define YOUNG_MS 500 /* no leaf is taken late that is as young as the test's reconcile_grace_ms */

struct liar {
    struct loop *loop;
    struct net *net;
    struct socket *socket;
    struct loop_timer end, again, late;
    struct keypair *sign, *seal;
    struct certificate *certificate;
    struct cades_template template;
    struct directory *directory;
    const struct directory_server *target;
    const char *server, *client, *service, *lie;
    uint8_t envelope[MESH_ENVELOPE_BYTES_MAX];
    size_t envelope_size;
    struct bytes *sealed;
    struct bytes *leaf; /* as the target writes it down */
    unsigned answers, wanted;
};

static bool lies(const struct liar *self, const char *lie)
{
    return strcmp(self->lie, lie) == 0;
}

static bool sends_twice(const struct liar *self)
{
    return lies(self, "twice") || lies(self, "old-twice");
}

static bool is_late(const struct liar *self)
{
    return lies(self, "late") || lies(self, "early");
}

/* Of "endpoint:ID:FILE". */
static fault endpoint_lie(const struct liar *self, char id[ENDPOINT_ID_BYTES_MAX + 1],
                          struct bytes **blob)
{
    static const char word[] = "endpoint:";
    id[0] = '\0';
    if (strncmp(self->lie, word, sizeof word - 1) != 0)
        return letter_blob(span_of_text("what the service would get"), blob);
    OWNED(bytes) payload = NULL;
    const char *name = self->lie + sizeof word - 1, *file = strchr(name, ':');
    if (file == NULL ||
        !text_format(id, ENDPOINT_ID_BYTES_MAX + 1, "%.*s", (int)(file - name), name))
        return RAISE(BAD_REQUEST, "endpoint:ID:FILE");
    TRY(file_read(file + 1, 1 << 20, &payload));
    return letter_blob(bytes_span(payload), blob);
}

/* Of "once-only:PROCEDURE:REQUIREMENT:SOURCE:FILE". */
struct once_only_lie {
    struct span procedure, requirement, source;
};

static struct span word_of(const char **at)
{
    const char *from = *at, *end = strchr(from, ':');
    size_t size = end == NULL ? strlen(from) : (size_t)(end - from);
    *at = from + size + (end != NULL);
    return span_of(from, size);
}

static fault once_only_lie(const struct liar *self, struct once_only_lie *out, struct bytes **blob)
{
    static const char word[] = "once-only:";
    const char *at = self->lie + sizeof word - 1;
    *out = (struct once_only_lie){0};
    if (strncmp(self->lie, word, sizeof word - 1) != 0)
        return DONE;
    OWNED(bytes) payload = NULL;
    out->procedure = word_of(&at);
    out->requirement = word_of(&at);
    out->source = word_of(&at);
    bytes_free(blob);
    TRY(file_read(at, 1 << 20, &payload));
    return letter_blob(bytes_span(payload), blob);
}

static fault make_header(struct liar *self, const char *endpoint, const struct once_only_lie *lie,
                         const struct bytes *blob, struct bytes **out, int64_t *time_ms)
{
    struct header header = {.kind = HEADER_REQUEST, .time_ms = clock_wall_ms()};
    random_fill(header.exchange_id, sizeof header.exchange_id);
    if (lies(self, "future"))
        header.time_ms += 3600000;
    if (lies(self, "stale"))
        header.time_ms -= 3600000;
    if (lies(self, "old") || lies(self, "old-twice")) /* not young, and its caller still waits */
        header.time_ms -= 300000;
    header.deadline_ms = header.time_ms + (lies(self, "long-deadline") ? 86400000 : 5000);
    if (lies(self, "old") || lies(self, "old-twice"))
        header.deadline_ms += 300000;
    header.sender = span_of_text(self->client);
    header.service = span_of_text(self->service);
    header.receiver = bus_id_prefix(header.service, ID_SUBSYSTEM);
    if (lies(self, "other-sender")) /* a subsystem of the very server that is asked */
        header.sender = header.receiver;
    header.sender_server = span_of_text(self->server);
    header.receiver_server =
        span_of_text(lies(self, "other-server") ? self->server : self->target->id);
    if (lies(self, "replay-other")) /* as if another server had sent it */
        header.sender_server = span_of_text(self->target->id);
    header.payload_sha256 = letter_commitment(bytes_span(blob));
    header.payload_bytes = blob->size - SALT_BYTES;
    header.directory_epoch = directory_epoch(self->directory);
    header.endpoint = span_of_text(endpoint);
    header.procedure = lie->procedure;
    header.requirement = lie->requirement;
    header.source = lie->source;
    header.case_ref = span_of_text(lie->procedure.size > 0 ? "2026-17" : "");
    *time_ms = header.time_ms;
    return header_encode(&header, out);
}

static fault sign_header(struct liar *self, const struct bytes *header, int64_t time_ms,
                         uint8_t *signature, size_t *size)
{
    struct sha256 content = SHA256_OF(bytes_span(header));
    struct sha256 digest = cades_signed_digest(&self->template, &content, time_ms);
    if (lies(self, "wrong-key")) {
        OWNED(keypair) other = NULL;
        TRY(keypair_make(KEY_P256, &other));
        return keypair_sign_digest(other, digest.at, signature, size);
    }
    if (lies(self, "bad-signature"))
        digest.at[0] ^= 1;
    return keypair_sign_digest(self->sign, digest.at, signature, size);
}

static fault make_message(struct liar *self)
{
    OWNED(bytes) blob = NULL;
    OWNED(bytes) header = NULL;
    OWNED(seal_key) key = NULL;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    int64_t time_ms = 0;
    struct envelope envelope = {.direction = LETTER_QUESTION};
    char endpoint[ENDPOINT_ID_BYTES_MAX + 1];
    struct once_only_lie once_only;
    TRY(endpoint_lie(self, endpoint, &blob));
    TRY(once_only_lie(self, &once_only, &blob));
    TRY(make_header(self, endpoint, &once_only, blob, &header, &time_ms));
    TRY(sign_header(self, header, time_ms, signature, &size));
    TRY(cades_leaf(&self->template, bytes_span(header), time_ms, span_of(signature, size),
                   &self->leaf));
    if (lies(self, "other-payload"))
        blob->data[SALT_BYTES] ^= 1;
    TRY(seal_start(self->target->seal_key[0], envelope.ephemeral, &key));
    seal_key_id(self->target->seal_key[0], envelope.seal_key_id);
    self->envelope_size = envelope_encode(&envelope, self->envelope);
    struct letter letter = {.header = bytes_span(header),
                            .ski = span_of(certificate_ski(self->certificate), SKI_BYTES),
                            .signature = span_of(signature, size),
                            .blob = bytes_span(blob)};
    TRY(letter_seal(&letter, key, 0, span_of(self->envelope, self->envelope_size), &self->sealed));
    if (lies(self, "unsealed"))
        self->sealed->data[3] ^= 1;
    if (lies(self, "envelope"))
        random_fill(self->envelope, self->envelope_size);
    if (lies(self, "random")) {
        random_fill(self->envelope, self->envelope_size);
        random_fill(self->sealed->data, self->sealed->size);
    }
    return DONE;
}

static const char *file_of(const struct liar *self, const char *lie)
{
    size_t size = strlen(lie);
    return strncmp(self->lie, lie, size) == 0 ? self->lie + size : NULL;
}

/* u32 size of the envelope | envelope | sealed letter */
static fault keep_frames(const struct liar *self)
{
    uint8_t size[4];
    const char *path = file_of(self, "keep:");
    OWNED(bytes) all = bytes_empty(self->sealed->size + MESH_ENVELOPE_BYTES_MAX + 4);
    if (path == NULL)
        return DONE;
    put_u32(size, (uint32_t)self->envelope_size);
    TRY(bytes_append(all, span_of(size, sizeof size)));
    TRY(bytes_append(all, span_of(self->envelope, self->envelope_size)));
    TRY(bytes_append(all, bytes_span(self->sealed)));
    return file_replace(path, bytes_span(all), 0600);
}

static fault take_frames(struct liar *self)
{
    const char *path = file_of(self, "again:");
    OWNED(bytes) all = NULL;
    if (path == NULL)
        return make_message(self);
    TRY(file_read(path, 1 << 20, &all));
    self->envelope_size = all->size < 4 ? SIZE_MAX : get_u32(all->data);
    if (self->envelope_size > sizeof self->envelope || all->size < 4 + self->envelope_size)
        return RAISE(BAD_FRAME, "%s holds no frames", path);
    memcpy(self->envelope, all->data + 4, self->envelope_size);
    return bytes_copy(
        span_of(all->data + 4 + self->envelope_size, all->size - 4 - self->envelope_size),
        &self->sealed);
}

/* "You lack this." */
static fault send_leaf(struct liar *self)
{
    OWNED(bytes) leaves = bytes_empty(4096);
    OWNED(bytes) packed = NULL;
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__TakeLeaves question = CHASKI__TAKE_LEAVES__INIT;
    if (!set_talk_put_leaf(bytes_span(self->leaf), leaves))
        return RAISE(INTERNAL, "no room for the leaf");
    question.leaves = (ProtobufCBinaryData){leaves->size, leaves->data};
    message.version = 1;
    message.body_case = CHASKI__LOG_TALK__BODY_TAKE_LEAVES;
    message.take_leaves = &question;
    TRY(bytes_new(chaski__log_talk__get_packed_size(&message), &packed));
    chaski__log_talk__pack(&message, packed->data);
    struct span frame = bytes_span(packed);
    return socket_send(self->socket, (struct span){0}, &frame, 1);
}

static void send_late(struct loop_timer *timer)
{
    struct liar *self = timer->owner;
    if (failed(send_leaf(self)))
        loop_set_timer(self->loop, &self->late, 20);
}

static void take_verdict(struct liar *self, struct span frame)
{
    enum fault_code code = INTERNAL;
    Chaski__LogTalk *answer = chaski__log_talk__unpack(NULL, frame.size, frame.at);
    if (answer == NULL || answer->body_case != CHASKI__LOG_TALK__BODY_TAKE_LEAVES_ANSWER) {
        if (answer != NULL)
            chaski__log_talk__free_unpacked(answer, NULL);
        return;
    }
    const Chaski__TakeLeavesAnswer *said = answer->take_leaves_answer;
    ignore(set_talk_get_verdict(span_of(said->verdicts.data, said->verdicts.len), 0, &code));
    printf("verdict %s\n", said->status == 0 ? fault_name(code) : "none");
    chaski__log_talk__free_unpacked(answer, NULL);
    if (lies(self, "early"))
        loop_set_timer(self->loop, &self->again, 0);
    else
        loop_stop(self->loop);
}

static void send_it(struct loop_timer *timer)
{
    struct liar *self = timer->owner;
    struct span frames[] = {span_of(self->envelope, self->envelope_size), bytes_span(self->sealed)};
    if (failed(socket_send(self->socket, (struct span){0}, frames, 2)))
        loop_set_timer(self->loop, &self->again, 20);
    else if (sends_twice(self) && self->wanted++ == 0)
        loop_set_timer(self->loop, &self->again, 300);
}

static fault open_answer(struct liar *self, const struct message *message)
{
    struct envelope envelope;
    uint8_t raw[SEAL_KEY_BYTES];
    OWNED(seal_key) key = NULL;
    OWNED(bytes) memory = NULL;
    OWNED(header_read) header = NULL;
    struct letter letter;
    TRY(envelope_decode(message->frame[0], &envelope));
    TRY(seal_derive(self->seal, envelope.ephemeral, raw));
    TRY(seal_key_make(raw, &key));
    TRY(letter_open(message->frame[1], key, envelope.counter, message->frame[0], &memory, &letter));
    TRY(header_decode(letter.header, &header));
    struct sha256 hash = SHA256_OF(letter.header);
    char hex[17];
    text_hex(span_of(hash.at, 8), hex, sizeof hex);
    printf("answer %s %s\n", fault_name((enum fault_code)header_of(header)->fault), hex);
    return DONE;
}

static void on_answer(void *owner, const struct message *message)
{
    struct liar *self = owner;
    if (message->count == 1) {
        take_verdict(self, message->frame[0]);
        return;
    }
    fault f = open_answer(self, message);
    if (failed(f))
        printf("garbage %s\n", fault_name(f.code));
    self->answers++;
    if (lies(self, "late"))
        loop_set_timer(self->loop, &self->late, YOUNG_MS);
    else if (!sends_twice(self) || self->answers == 2)
        loop_stop(self->loop);
}

static void on_end(struct loop_timer *timer)
{
    struct liar *self = timer->owner;
    if (self->answers == 0)
        puts("silence");
    loop_stop(self->loop);
}

static fault load(struct liar *self, char **argv)
{
    char path[600];
    OWNED(bytes) vkey = NULL;
    struct trust *trust = NULL;
    struct note_key authority;
    text_format(path, sizeof path, "%s/sign.key", argv[2]);
    TRY(keypair_load(path, KEY_P256, &self->sign));
    text_format(path, sizeof path, "%s/seal.key", argv[2]);
    TRY(keypair_load(path, KEY_X25519, &self->seal));
    text_format(path, sizeof path, "%s/sign.crt", argv[2]);
    TRY(certificate_load(path, &self->certificate));
    cades_template_make(self->certificate, &self->template);
    TRY(file_read(argv[6], 1024, &vkey));
    TRY(note_key_parse(span_of(vkey->data, vkey->size - 1), &authority));
    TRY(trust_load(argv[5], &trust));
    fault f =
        directory_load(argv[4], trust, &authority, NULL, NULL, clock_wall_ms(), &self->directory);
    trust_free(&trust);
    TRY(f);
    self->server = argv[3];
    self->target = directory_server(self->directory, span_of_text(argv[7]));
    self->client = argv[8];
    self->service = argv[9];
    self->lie = argv[10];
    return self->target != NULL ? DONE : RAISE(NOT_FOUND, "no server %s", argv[7]);
}

static fault run(char **argv)
{
    struct liar self = {0};
    struct curve_keys transport;
    char path[600];
    TRY(load(&self, argv));
    text_format(path, sizeof path, "%s/transport.key", argv[2]);
    TRY(curve_load(path, &transport));
    if (lies(&self, "stranger"))
        curve_make(&transport);
    TRY(loop_new(&self.loop));
    TRY(net_new(self.loop, &self.net));
    struct socket_options options = {.kind = SOCKET_DEALER,
                                     .queue_messages = 10,
                                     .message_bytes_max = 1 << 20,
                                     .own = &transport,
                                     .server_key = self.target->transport_key};
    TRY(take_frames(&self));
    TRY(keep_frames(&self));
    TRY(socket_open(self.net, &options, on_answer, &self, &self.socket));
    TRY(socket_connect(self.socket, argv[1]));
    self.end = (struct loop_timer){.fire = on_end, .owner = &self};
    self.again = (struct loop_timer){.fire = send_it, .owner = &self};
    self.late = (struct loop_timer){.fire = send_late, .owner = &self};
    loop_set_timer(self.loop, &self.end, is_late(&self) ? LATE_WAIT_MS : WAIT_MS);
    if (lies(&self, "early"))
        loop_set_timer(self.loop, &self.late, YOUNG_MS);
    else
        loop_set_timer(self.loop, &self.again, 0);
    TRY(loop_run(self.loop));
    socket_close(&self.socket);
    net_free(&self.net);
    loop_free(&self.loop);
    bytes_free(&self.sealed);
    bytes_free(&self.leaf);
    directory_release(&self.directory);
    certificate_free(&self.certificate);
    keypair_free(&self.sign);
    keypair_free(&self.seal);
    return DONE;
}

int main(int argc, char **argv)
{
    fault f = argc == 11 ? run(argv) : RAISE(BAD_REQUEST, "see the head of mesh_peer.c");
    if (failed(f))
        fprintf(stderr, "mesh_peer: %s: %s\n", fault_name(f.code), fault_detail());
    return failed(f) ? 1 : 0;
}
