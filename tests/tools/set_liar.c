// SPDX-License-Identifier: MIT
/*
 * set_liar - a member's server that lies when leaves are compared: it has that member's keys, and
 * asks, or answers, what an honest server never would. For tests.
 *
 *   set_liar ask ADDRESS KEYS_FOLDER MY_SERVER DIRECTORY TRUST VKEY TARGET_SERVER LIE
 *   set_liar serve ADDRESS KEYS_FOLDER MY_SERVER DIRECTORY TRUST VKEY TARGET_SERVER LIE
 *
 * ask:   leaves   sends leaves: garbage, one with a wrong signature, one between other servers, one
 * of its own log, one from the future, one that is too old, a good one twice; prints the verdict on
 * each many     sends more leaves than a message may have ranges   asks for hours, parts and ranges
 * that are none flood    asks 3,000 times as fast as it can; prints how many were answered, and how
 *        heads, proofs   asks 3,000 times what the target holds of its log (KnownHead), or for a
 * proof (ProveFrom), and prints how many were answered
 *        checkpoint:FILE   asks the target to cosign what is in the file, as its own; prints the
 * status
 *        leaf:FILE         sends the leaf in the file; makes a good one first when there is none
 *        drip     sends one good leaf every 150 ms for 12 s; prints how many were taken
 * serve: hashes   has a leaf for each number, without end, and shows none
 *        order    lists hashes in the wrong order
 *        digests  answers with too few digests
 *        random   answers with random bytes
 *        forged   lists one leaf that the target is said to have signed, and shows it
 *        twins    in its first run a good answer of its own; from then on two more of the same
 * exchange: another one, and the first with another signature
 *        elsewhere  lists a good answer of its own in another hour than it is of
 */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory.h"
#include "lib/bus/header.h"
#include "lib/bus/set_talk.h"
#include "lib/crypto/merkle.h"
#include "lib/crypto/random.h"
#include "lib/net/gate.h"
#include "lib/net/socket.h"

#include "logtalk.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define QUIET_MS 1500
#define FIRST_MS 30000 /* for the first answer */
#define FLOOD 3000
#define DRIPS 80
#define TWINS 3
#define DAY_MS INT64_C(86400000)

struct liar {
    struct loop *loop;
    struct net *net;
    struct gate *gate;
    struct socket *socket;
    struct loop_timer end, next;
    struct keypair *sign;
    struct certificate *certificate;
    struct cades_template template;
    struct curve_keys transport;
    struct directory *directory;
    const struct directory_server *target;
    const char *server, *lie;
    uint64_t asked;
    unsigned answers[4], verdicts;
    struct bytes *forged;
    struct bytes *twin[TWINS]; /* sorted by their hashes; the first one that is shown is `shown` */
    size_t shown;
    bool gave; /* a run is over */
    int64_t twin_ms;
};

static bool lies(const struct liar *self, const char *lie)
{
    return strcmp(self->lie, lie) == 0;
}

// --- leaves -------------------------------------------------------------------------------------

/* A fault of MY_SERVER itself to the target; every part of it can be changed. */
static struct header some_header(const struct liar *self, int64_t time_ms)
{
    struct header header = {.kind = HEADER_FAULT, .time_ms = time_ms, .fault = STALE};
    random_fill(header.exchange_id, sizeof header.exchange_id);
    header.sender = header.sender_server = span_of_text(self->server);
    header.receiver_server = span_of_text(self->target->id);
    return header;
}

static fault make_leaf(const struct liar *self, const struct header *header, bool wrong,
                       struct bytes **out)
{
    OWNED(bytes) content = NULL;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    TRY(header_encode(header, &content));
    struct sha256 hash = SHA256_OF(bytes_span(content));
    struct sha256 digest = cades_signed_digest(&self->template, &hash, header->time_ms);
    if (wrong)
        digest.at[0] ^= 1;
    TRY(keypair_sign_digest(self->sign, digest.at, signature, &size));
    return cades_leaf(&self->template, bytes_span(content), header->time_ms,
                      span_of(signature, size), out);
}

static fault put_leaf(const struct liar *self, const struct header *header, bool wrong,
                      struct bytes *out)
{
    OWNED(bytes) leaf = NULL;
    TRY(make_leaf(self, header, wrong, &leaf));
    return set_talk_put_leaf(bytes_span(leaf), out) ? DONE : RAISE(INTERNAL, "no room");
}

static fault put_leaves(const struct liar *self, struct bytes *out)
{
    static const uint8_t garbage[200] = {0x30, 0x80, 1, 2, 3};
    int64_t now_ms = clock_wall_ms() - 1000;
    struct header good = some_header(self, now_ms), other = some_header(self, now_ms);
    struct header own = some_header(self, now_ms), future = some_header(self, now_ms + DAY_MS);
    struct header old = some_header(self, now_ms - 401 * DAY_MS);
    other.receiver_server = other.sender_server;
    own.kind = HEADER_STOPPED;
    own.sender = bus_id_prefix(own.sender_server, ID_MEMBER);
    if (!set_talk_put_leaf(span_of(garbage, sizeof garbage), out))
        return RAISE(INTERNAL, "no room");
    TRY(put_leaf(self, &good, true, out));
    TRY(put_leaf(self, &other, false, out));
    TRY(put_leaf(self, &own, false, out));
    TRY(put_leaf(self, &future, false, out));
    TRY(put_leaf(self, &old, false, out));
    size_t before = out->size;
    TRY(put_leaf(self, &good, false, out));
    OWNED(bytes) again = NULL;
    TRY(bytes_copy(span_of(out->data + before, out->size - before), &again));
    return bytes_append(out, bytes_span(again));
}

static fault make_twins(struct liar *self)
{
    struct header header = some_header(self, clock_wall_ms() - 1000);
    char sender[300], service[400];
    text_format(sender, sizeof sender, "%.*s/RUT",
                (int)bus_id_prefix(span_of_text(self->server), ID_MEMBER).size, self->server);
    text_format(service, sizeof service, "%s/uno", sender);
    header.kind = HEADER_RESPONSE;
    header.fault = 0;
    header.sender = span_of_text(sender);
    header.service = span_of_text(service);
    self->twin_ms = header.time_ms;
    TRY(make_leaf(self, &header, false, &self->twin[0]));
    TRY(make_leaf(self, &header, false, &self->twin[1])); /* another signature */
    header.status = 500;
    TRY(make_leaf(self, &header, false, &self->twin[2]));
    for (size_t i = 0; i + 1 < TWINS; i++)
        for (size_t k = 0; k + 1 < TWINS - i; k++) {
            struct sha256 a = merkle_leaf_hash(bytes_span(self->twin[k]));
            struct sha256 b = merkle_leaf_hash(bytes_span(self->twin[k + 1]));
            struct bytes *low = self->twin[k + 1];
            if (memcmp(a.at, b.at, SHA256_BYTES) <= 0)
                continue;
            if (self->shown == k || self->shown == k + 1)
                self->shown = self->shown == k ? k + 1 : k;
            self->twin[k + 1] = self->twin[k];
            self->twin[k] = low;
        }
    return DONE;
}

// --- messages -----------------------------------------------------------------------------------

static void send_message(struct liar *self, struct span to, Chaski__LogTalk *message)
{
    OWNED(bytes) packed = NULL;
    message->version = 1;
    if (failed(bytes_new(chaski__log_talk__get_packed_size(message), &packed)))
        return;
    chaski__log_talk__pack(message, packed->data);
    struct span frame = bytes_span(packed);
    if (failed(socket_send(self->socket, to, &frame, 1)))
        self->asked--; /* again */
}

static void send_digests(struct liar *self, int64_t hour, uint32_t minute, uint32_t parts)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SetDigests question = CHASKI__SET_DIGESTS__INIT;
    Chaski__SetRange range = CHASKI__SET_RANGE__INIT;
    range.hour = (uint64_t)hour;
    range.minute = minute;
    range.until_ms = (uint64_t)clock_wall_ms() - 5000;
    question.range = &range;
    question.parts = parts;
    message.id = self->asked++;
    message.body_case = CHASKI__LOG_TALK__BODY_SET_DIGESTS;
    message.set_digests = &question;
    send_message(self, (struct span){0}, &message);
}

static bool asks_heads(const struct liar *self)
{
    return lies(self, "heads") || lies(self, "proofs");
}

static void send_head_question(struct liar *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__KnownHead head = CHASKI__KNOWN_HEAD__INIT;
    Chaski__ProveFrom proof = CHASKI__PROVE_FROM__INIT;
    proof.old_size = 1;
    message.id = self->asked++;
    if (lies(self, "heads")) {
        message.body_case = CHASKI__LOG_TALK__BODY_KNOWN_HEAD;
        message.known_head = &head;
    } else {
        message.body_case = CHASKI__LOG_TALK__BODY_PROVE_FROM;
        message.prove_from = &proof;
    }
    send_message(self, (struct span){0}, &message);
}

static const char *checkpoint_file(const struct liar *self)
{
    static const char lie[] = "checkpoint:";
    return strncmp(self->lie, lie, sizeof lie - 1) == 0 ? self->lie + sizeof lie - 1 : NULL;
}

static void send_checkpoint(struct liar *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__AddCheckpoint question = CHASKI__ADD_CHECKPOINT__INIT;
    OWNED(bytes) body = NULL;
    fault f = file_read(checkpoint_file(self), 1 << 16, &body);
    if (failed(f)) {
        fprintf(stderr, "no checkpoint: %s\n", fault_detail());
        return;
    }
    question.body = (ProtobufCBinaryData){body->size, body->data};
    message.id = self->asked++;
    message.body_case = CHASKI__LOG_TALK__BODY_ADD_CHECKPOINT;
    message.add_checkpoint = &question;
    send_message(self, (struct span){0}, &message);
}

static const char *leaf_file(const struct liar *self)
{
    static const char lie[] = "leaf:";
    return strncmp(self->lie, lie, sizeof lie - 1) == 0 ? self->lie + sizeof lie - 1 : NULL;
}

static fault put_kept_leaf(const struct liar *self, struct bytes *out)
{
    OWNED(bytes) leaf = NULL;
    struct header header = some_header(self, clock_wall_ms() - 1000);
    fault f = file_read(leaf_file(self), 1 << 16, &leaf);
    if (f.code == NOT_FOUND) {
        TRY(make_leaf(self, &header, false, &leaf));
        f = file_replace(leaf_file(self), bytes_span(leaf), 0600);
    }
    TRY(f);
    return set_talk_put_leaf(bytes_span(leaf), out) ? DONE : RAISE(INTERNAL, "no room");
}

static void send_leaves(struct liar *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__TakeLeaves question = CHASKI__TAKE_LEAVES__INIT;
    OWNED(bytes) leaves = bytes_empty(4096);
    static const uint8_t tiny[3] = {0, 1, 7};
    for (size_t i = 0; lies(self, "many") && i <= RECONCILE_LEAVES_A_MESSAGE; i++)
        ignore(bytes_append(leaves, span_of(tiny, sizeof tiny)));
    if (lies(self, "leaves") && failed(put_leaves(self, leaves)))
        fprintf(stderr, "no leaves: %s\n", fault_detail());
    struct header drop = some_header(self, clock_wall_ms() - 1000);
    if (lies(self, "drip") && failed(put_leaf(self, &drop, false, leaves)))
        fprintf(stderr, "no leaf: %s\n", fault_detail());
    if (leaf_file(self) != NULL && failed(put_kept_leaf(self, leaves)))
        fprintf(stderr, "no leaf: %s\n", fault_detail());
    question.leaves = (ProtobufCBinaryData){leaves->size, leaves->data};
    message.id = self->asked++;
    message.body_case = CHASKI__LOG_TALK__BODY_TAKE_LEAVES;
    message.take_leaves = &question;
    send_message(self, (struct span){0}, &message);
}

static void ask(struct loop_timer *timer)
{
    struct liar *self = timer->owner;
    int64_t hour = clock_wall_ms() / SET_HOUR_MS;
    const struct {
        int64_t hour;
        uint32_t minute, parts;
    } ranges[] = {{INT64_MAX, 0, 60}, {0, 0, 60}, {hour, 61, 60}, {hour, 0, 0}, {hour, 0, 25}};
    uint64_t before = self->asked;
    if (asks_heads(self)) {
        for (int i = 0; i < 50 && self->asked < FLOOD; i++)
            send_head_question(self);
    } else if (lies(self, "flood")) {
        for (int i = 0; i < 50 && self->asked < FLOOD; i++)
            send_digests(self, hour - 20, 0, 20);
    } else if (lies(self, "ranges")) {
        send_digests(self, ranges[before].hour, ranges[before].minute, ranges[before].parts);
    } else if (checkpoint_file(self) != NULL) {
        send_checkpoint(self);
    } else {
        send_leaves(self);
    }
    if (lies(self, "drip") && self->asked < DRIPS) {
        loop_set_timer(self->loop, &self->next, 150);
        return;
    }
    uint64_t most = lies(self, "flood") || asks_heads(self) ? FLOOD : lies(self, "ranges") ? 5 : 1;
    if (self->asked < most)
        loop_set_timer(self->loop, &self->next,
                       self->asked == before  ? 20
                       : lies(self, "ranges") ? 100
                                              : 1);
}

static void print_verdicts(struct span verdicts)
{
    for (size_t i = 0; i < verdicts.size / 2; i++) {
        enum fault_code code = OK;
        ignore(set_talk_get_verdict(verdicts, i, &code)); /* it is there */
        printf("verdict %zu %s\n", i, fault_name(code));
    }
}

static void take_answer(struct liar *self, const struct message *message)
{
    Chaski__LogTalk *answer =
        chaski__log_talk__unpack(NULL, message->frame[0].size, message->frame[0].at);
    if (answer == NULL)
        return;
    if (answer->body_case == CHASKI__LOG_TALK__BODY_TAKE_LEAVES_ANSWER) {
        self->answers[answer->take_leaves_answer->status % 4]++;
        print_verdicts(span_of(answer->take_leaves_answer->verdicts.data,
                               answer->take_leaves_answer->verdicts.len));
    } else if (answer->body_case == CHASKI__LOG_TALK__BODY_SET_DIGESTS_ANSWER) {
        self->answers[answer->set_digests_answer->status % 4]++;
    } else if (answer->body_case == CHASKI__LOG_TALK__BODY_ADD_CHECKPOINT_ANSWER) {
        printf("status %u\n", answer->add_checkpoint_answer->status);
    } else if (answer->body_case == CHASKI__LOG_TALK__BODY_KNOWN_HEAD_ANSWER ||
               answer->body_case == CHASKI__LOG_TALK__BODY_PROVE_FROM_ANSWER) {
        self->answers[0]++;
    }
    chaski__log_talk__free_unpacked(answer, NULL);
    loop_set_timer(self->loop, &self->end, QUIET_MS);
}

// --- answering ----------------------------------------------------------------------------------

static bool shows_twins(const struct liar *self)
{
    return lies(self, "twins") || lies(self, "elsewhere");
}

/* "elsewhere": an hour before. */
static int64_t hour_of_twins(const struct liar *self)
{
    return self->twin_ms / SET_HOUR_MS - lies(self, "elsewhere");
}

static bool is_minute_of_twins(const struct liar *self, const Chaski__SetRange *range,
                               int64_t minute)
{
    return (int64_t)range->hour == hour_of_twins(self) &&
           minute == self->twin_ms % SET_HOUR_MS / 60000;
}

/* Of all hours and minutes but one it has nothing. */
static void tell_twins(const struct liar *self, const Chaski__SetDigests *asked, struct bytes *out)
{
    for (size_t i = 0; i < asked->parts; i++) {
        struct set_digest digest = {0, SHA256_OF((struct span){0})};
        bool is = asked->parts == SET_MINUTES
                      ? is_minute_of_twins(self, asked->range, (int64_t)i)
                      : (int64_t)(asked->range->hour + i) == hour_of_twins(self);
        if (is) {
            digest.count = 1;
            random_fill(digest.digest.at, SHA256_BYTES);
        }
        ignore(set_talk_put_digests(&digest, 1, out));
    }
}

static void list_twins(const struct liar *self, struct bytes *out)
{
    for (size_t i = 0; i < TWINS; i++) {
        struct sha256 hash = merkle_leaf_hash(bytes_span(self->twin[i]));
        if (self->gave || i == self->shown)
            ignore(bytes_append(out, sha256_span(&hash)));
    }
}

static void give_twins(struct liar *self, struct span wanted, struct bytes *out)
{
    for (size_t at = 0; at + SHA256_BYTES <= wanted.size; at += SHA256_BYTES)
        for (size_t i = 0; i < TWINS; i++) {
            struct sha256 hash = merkle_leaf_hash(bytes_span(self->twin[i]));
            if (memcmp(hash.at, wanted.at + at, SHA256_BYTES) == 0)
                set_talk_put_leaf(bytes_span(self->twin[i]), out);
        }
    self->gave = true;
}

static void lie_about_digests(struct liar *self, const Chaski__SetDigests *asked, struct bytes *out)
{
    struct set_digest digest = {.count = 5000};
    size_t parts = asked->parts;
    if (shows_twins(self)) {
        tell_twins(self, asked, out);
        return;
    }
    if (lies(self, "forged") || lies(self, "order"))
        digest.count = 1;
    random_fill(digest.digest.at, SHA256_BYTES);
    if (lies(self, "digests"))
        parts--;
    for (size_t i = 0; i < parts; i++) {
        ignore(set_talk_put_digests(&digest, 1, out));
        if (lies(self, "forged")) /* all else is empty */
            digest = (struct set_digest){0, SHA256_OF((struct span){0})};
    }
}

static void lie_about_hashes(struct liar *self, const Chaski__SetList *asked, struct bytes *out,
                             bool *more)
{
    struct span after = span_of(asked->after.data, asked->after.len);
    struct sha256 hash = {{0}};
    if (shows_twins(self)) {
        if (is_minute_of_twins(self, asked->range, (int64_t)asked->range->minute - 1))
            list_twins(self, out);
        return;
    }
    if (lies(self, "forged")) {
        hash = merkle_leaf_hash(bytes_span(self->forged));
        ignore(bytes_append(out, sha256_span(&hash)));
        return;
    }
    if (after.size == SHA256_BYTES)
        memcpy(hash.at, after.at, SHA256_BYTES);
    for (size_t i = 0; i < RECONCILE_HASHES_A_MESSAGE; i++) {
        for (size_t at = 8; at-- > 0 && ++hash.at[at] == 0;)
            ;
        ignore(bytes_append(out, sha256_span(&hash)));
    }
    if (lies(self, "order"))
        out->data[0] = 255;
    *more = true;
}

static void answer(struct liar *self, const struct message *message, const Chaski__LogTalk *asked)
{
    Chaski__LogTalk said = CHASKI__LOG_TALK__INIT;
    Chaski__SetDigestsAnswer digests = CHASKI__SET_DIGESTS_ANSWER__INIT;
    Chaski__SetListAnswer list = CHASKI__SET_LIST_ANSWER__INIT;
    Chaski__GiveLeavesAnswer give = CHASKI__GIVE_LEAVES_ANSWER__INIT;
    Chaski__TakeLeavesAnswer take = CHASKI__TAKE_LEAVES_ANSWER__INIT;
    uint8_t verdicts[2 * RECONCILE_LEAVES_A_MESSAGE] = {0};
    OWNED(bytes) content = bytes_empty(4096);
    said.id = asked->id;
    if (asked->body_case == CHASKI__LOG_TALK__BODY_SET_DIGESTS) {
        lie_about_digests(self, asked->set_digests, content);
        digests.digests = (ProtobufCBinaryData){content->size, content->data};
        digests.time_ms = (uint64_t)clock_wall_ms();
        said.body_case = CHASKI__LOG_TALK__BODY_SET_DIGESTS_ANSWER;
        said.set_digests_answer = &digests;
    } else if (asked->body_case == CHASKI__LOG_TALK__BODY_SET_LIST) {
        bool more = false;
        lie_about_hashes(self, asked->set_list, content, &more);
        list.hashes = (ProtobufCBinaryData){content->size, content->data};
        list.more = more;
        said.body_case = CHASKI__LOG_TALK__BODY_SET_LIST_ANSWER;
        said.set_list_answer = &list;
    } else if (asked->body_case == CHASKI__LOG_TALK__BODY_GIVE_LEAVES) {
        if (lies(self, "forged"))
            set_talk_put_leaf(bytes_span(self->forged), content);
        if (shows_twins(self))
            give_twins(self,
                       span_of(asked->give_leaves->hashes.data, asked->give_leaves->hashes.len),
                       content);
        give.leaves = (ProtobufCBinaryData){content->size, content->data};
        said.body_case = CHASKI__LOG_TALK__BODY_GIVE_LEAVES_ANSWER;
        said.give_leaves_answer = &give;
    } else if (asked->body_case == CHASKI__LOG_TALK__BODY_TAKE_LEAVES) {
        size_t count = 0; /* says that it takes all, and takes none */
        ignore(set_talk_count_leaves(
            span_of(asked->take_leaves->leaves.data, asked->take_leaves->leaves.len), &count));
        take.verdicts = (ProtobufCBinaryData){2 * count, verdicts};
        said.body_case = CHASKI__LOG_TALK__BODY_TAKE_LEAVES_ANSWER;
        said.take_leaves_answer = &take;
    } else {
        return;
    }
    self->answers[0]++;
    send_message(self, message->from, &said);
}

static void take_question(struct liar *self, const struct message *message)
{
    uint8_t noise[5000];
    struct span frame = span_of(noise, sizeof noise);
    if (lies(self, "random")) {
        random_fill(noise, sizeof noise);
        ignore(socket_send(self->socket, message->from, &frame, 1));
        return;
    }
    Chaski__LogTalk *asked =
        chaski__log_talk__unpack(NULL, message->frame[0].size, message->frame[0].at);
    if (asked == NULL)
        return;
    answer(self, message, asked);
    chaski__log_talk__free_unpacked(asked, NULL);
}

// --- life ---------------------------------------------------------------------------------------

static void on_message(void *owner, const struct message *message)
{
    struct liar *self = owner;
    if (message->count != 1)
        return;
    if (self->gate == NULL)
        take_answer(self, message);
    else
        take_question(self, message);
}

static void on_end(struct loop_timer *timer)
{
    struct liar *self = timer->owner;
    printf("asked %u: ready %u behind %u busy %u refused %u\n", (unsigned)self->asked,
           self->answers[0], self->answers[1], self->answers[2], self->answers[3]);
    loop_stop(self->loop);
}

static fault load(struct liar *self, char **argv)
{
    char path[600];
    OWNED(bytes) vkey = NULL;
    struct trust *trust = NULL;
    struct note_key authority;
    text_format(path, sizeof path, "%s/sign.key", argv[3]);
    TRY(keypair_load(path, KEY_P256, &self->sign));
    text_format(path, sizeof path, "%s/sign.crt", argv[3]);
    TRY(certificate_load(path, &self->certificate));
    cades_template_make(self->certificate, &self->template);
    text_format(path, sizeof path, "%s/transport.key", argv[3]);
    TRY(curve_load(path, &self->transport));
    TRY(file_read(argv[7], 1024, &vkey));
    TRY(note_key_parse(span_of(vkey->data, vkey->size - 1), &authority));
    TRY(trust_load(argv[6], &trust));
    fault f =
        directory_load(argv[5], trust, &authority, NULL, NULL, clock_wall_ms(), &self->directory);
    trust_free(&trust);
    TRY(f);
    self->server = argv[4];
    self->target = directory_server(self->directory, span_of_text(argv[8]));
    self->lie = argv[9];
    return self->target != NULL ? DONE : RAISE(NOT_FOUND, "no server %s", argv[8]);
}

/* The target is said to have signed it: but this server did. */
static fault forge(struct liar *self)
{
    struct header header = some_header(self, clock_wall_ms() - 60000);
    struct span own = header.sender_server;
    header.sender = header.sender_server = header.receiver_server;
    header.receiver_server = own;
    return make_leaf(self, &header, false, &self->forged);
}

static fault open_socket(struct liar *self, bool serves, const char *address)
{
    struct socket_options options = {.kind = serves ? SOCKET_ROUTER : SOCKET_DEALER,
                                     .queue_messages = 10000,
                                     .message_bytes_max = 1 << 20,
                                     .own = &self->transport,
                                     .server_key = self->target->transport_key,
                                     .zap_domain = serves ? "liar" : NULL};
    if (!serves) {
        TRY(socket_open(self->net, &options, on_message, self, &self->socket));
        return socket_connect(self->socket, address);
    }
    static struct gate_entry allowed;
    text_format(allowed.user, sizeof allowed.user, "%s", self->target->id);
    memcpy(allowed.public_key, self->target->transport_key, CURVE_KEY_BYTES);
    TRY(gate_open(self->net, "liar", &self->gate));
    gate_allow(self->gate, &allowed, 1);
    TRY(socket_open(self->net, &options, on_message, self, &self->socket));
    return socket_bind(self->socket, address);
}

static fault run(char **argv)
{
    struct liar self = {0};
    bool serves = strcmp(argv[1], "serve") == 0;
    TRY(load(&self, argv));
    TRY(forge(&self));
    TRY(make_twins(&self));
    TRY(loop_new(&self.loop));
    TRY(net_new(self.loop, &self.net));
    TRY(open_socket(&self, serves, argv[2]));
    self.end = (struct loop_timer){.fire = on_end, .owner = &self};
    self.next = (struct loop_timer){.fire = ask, .owner = &self};
    if (!serves) {
        loop_set_timer(self.loop, &self.end, FIRST_MS);
        loop_set_timer(self.loop, &self.next, 0);
    }
    TRY(loop_run(self.loop));
    socket_close(&self.socket);
    gate_free(&self.gate);
    net_free(&self.net);
    loop_free(&self.loop);
    bytes_free(&self.forged);
    for (size_t i = 0; i < TWINS; i++)
        bytes_free(&self.twin[i]);
    directory_release(&self.directory);
    certificate_free(&self.certificate);
    keypair_free(&self.sign);
    return DONE;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    fault f = argc == 10 ? run(argv) : RAISE(BAD_REQUEST, "see the head of set_liar.c");
    if (failed(f))
        fprintf(stderr, "set_liar: %s: %s\n", fault_name(f.code), fault_detail());
    return failed(f) ? 1 : 0;
}
