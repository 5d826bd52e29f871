// SPDX-License-Identifier: MIT
/* Steps 6 and 13: seal and send to a peer. Steps 7 and 14: take from one and open. */
#include "security-server/exchange/step_mesh.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "security-server/exchange/exchange_steps.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/log_talk.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/opened_keys.h"
#include "security-server/exchange/peers.h"
#include "security-server/exchange/own_certificate.h"
#include "security-server/exchange/seal_cards.h"
#include "security-server/exchange/token_line.h"

#include <stdlib.h>

#define CONNECT_RETRY_MS 10 /* first wait for a connection that is being made; then doubling */
#define CONNECT_RETRY_MS_MAX 500

// --- asking -------------------------------------------------------------------------------------

static void on_deadline(struct loop_timer *timer)
{
    struct exchange *x = timer->owner;
    if (x->wait == WAIT_ANSWER) {
        loop_stop_timer(x->node->loop, &x->resend);
        peers_doubt(x->node->peers, x->peer);
        exchange_fail(
            x, RAISE(PEER_UNREACHABLE, "no answer from %s before the deadline", x->peer->id));
    }
}

/* Sealed to the key that counts now? The leaf stays the same, and by it the peer can tell a double.
 * *ready false: the peer's card is being asked for. */
static fault seal_question(struct exchange *x, bool *ready)
{
    struct node *node = x->node;
    uint8_t key[X25519_PUBLIC_BYTES];
    *ready = x->sealed != NULL || seal_cards_ready(node->cards, x->peer);
    if (!*ready)
        return DONE;
    TRY(seal_cards_key(node->cards, x->peer, key));
    if (x->sealed != NULL && memcmp(x->sealed_to, key, sizeof key) == 0)
        return DONE;
    bytes_free(&x->sealed);
    memcpy(x->sealed_to, key, sizeof key);
    return peers_seal(node->peers, x->peer, &x->request, LETTER_QUESTION, x->envelope,
                      &x->envelope_size, &x->sealed);
}

/* Sends, or sends again. */
static fault send_question(struct exchange *x)
{
    bool ready = false;
    TRY(seal_question(x, &ready));
    if (!ready) { /* mesh_send_again comes first, as a rule */
        loop_set_timer(x->node->loop, &x->resend, CARD_ASK_MS / 4);
        return DONE;
    }
    fault f = peers_send(x->node->peers, x->peer, span_of(x->envelope, x->envelope_size),
                         bytes_span(x->sealed));
    if (!failed(f)) {
        x->resend_ms = x->resend_ms < RESEND_FIRST_MS ? RESEND_FIRST_MS : 2 * x->resend_ms;
    } else if (x->resend_ms < CONNECT_RETRY_MS_MAX) {
        x->resend_ms = x->resend_ms == 0 ? CONNECT_RETRY_MS : 2 * x->resend_ms;
    } else {
        /* not connected for about a second: another address may do better */
        peers_doubt(x->node->peers, x->peer);
        x->resend_ms = CONNECT_RETRY_MS_MAX / 2;
    }
    loop_set_timer(x->node->loop, &x->resend, x->resend_ms);
    return DONE;
}

static void on_resend(struct loop_timer *timer)
{
    struct exchange *x = timer->owner;
    if (x->wait != WAIT_ANSWER)
        return;
    if (x->resend_ms >= RESEND_FIRST_MS) {
        EVENT(INFO, "mesh.question_sent_again", E_TEXT("peer", x->peer->id),
              E_MS("after_ms", x->resend_ms));
        peers_doubt(x->node->peers, x->peer);
    }
    fault f = send_question(x);
    if (failed(f)) {
        loop_stop_timer(x->node->loop, &x->deadline);
        exchange_fail(x, f);
    }
}

enum step_end step_send_question(struct exchange *x)
{
    int64_t left_ms = x->deadline_ms - clock_wall_ms();
    if (left_ms <= 0)
        return exchange_refuse(x, RAISE(DEADLINE_PASSED, "before the request could be sent"));
    x->wait = WAIT_ANSWER;
    x->deadline = (struct loop_timer){.fire = on_deadline, .owner = x};
    x->resend = (struct loop_timer){.fire = on_resend, .owner = x};
    loop_set_timer(x->node->loop, &x->deadline, left_ms);
    x->resend_ms = 0;
    fault f = send_question(x);
    if (!failed(f))
        return STEP_WAIT;
    x->wait = WAIT_INSIDE;
    loop_stop_timer(x->node->loop, &x->deadline);
    return exchange_refuse(x, f);
}

struct again {
    const char *peer; /* NULL: any */
    const struct send_again *what;
};

static bool is_meant(const struct exchange *x, const struct send_again *what)
{
    uint8_t id[SEAL_KEY_ID_BYTES];
    if (what == NULL || x->sealed == NULL)
        return x->sealed == NULL;
    if (what->all)
        return true;
    seal_key_id(x->sealed_to, id);
    return memcmp(id, what->seal_key_id, sizeof id) == 0;
}

static void send_soon(struct exchange *x, void *owner)
{
    const struct again *again = owner;
    if (x->wait != WAIT_ANSWER || (again->peer != NULL && strcmp(x->peer->id, again->peer) != 0) ||
        !is_meant(x, again->what))
        return;
    x->resend_ms = 0;
    loop_set_timer(x->node->loop, &x->resend, 0);
}

void mesh_send_again(struct node *node, const char *peer, const struct send_again *what)
{
    /* it has another key, another connection, and perhaps another program */
    if (peer != NULL)
        peers_note_batches(node->peers, peer, false);
    exchange_table_each_asked(node->table, send_soon, &(struct again){peer, what});
}

// --- answering ----------------------------------------------------------------------------------

enum step_end step_send_answer(struct exchange *x)
{
    OWNED(bytes) sealed = NULL;
    uint8_t envelope[MESH_ENVELOPE_BYTES_MAX];
    size_t envelope_size = 0;
    if (x->route_size == 0) /* closing an exchange that a crash interrupted: nobody is there */
        return STEP_DONE;
    fault f = peers_seal(x->node->peers, x->peer, &x->answer, LETTER_ANSWER, envelope,
                         &envelope_size, &sealed);
    if (!failed(f)) {
        struct span frames[] = {span_of(envelope, envelope_size), bytes_span(sealed)};
        f = socket_send(x->node->mesh, span_of(x->route, x->route_size), frames, 2);
    }
    /* It is in the log: the peer asks again and gets the stored outcome. */
    if (failed(f))
        EVENT(INFO, "mesh.answer_not_sent", E_TEXT("peer", x->peer->id), E_FAULT(f));
    return STEP_DONE;
}

// --- taking -------------------------------------------------------------------------------------

/* A message that waits for its sealing key; copied only when it must wait. */
struct arrived {
    struct node *node;
    char *peer; /* who the transport says it is from */
    uint8_t route[256];
    size_t route_size; /* 0: an answer */
    struct bytes *envelope, *sealed;
    uint64_t counter;
    bool batches; /* as the envelope says, which the seal covers */
    uint8_t seal_key_id[SEAL_KEY_ID_BYTES];
};

static void arrived_free(struct arrived **self)
{
    if (*self == NULL)
        return;
    free((*self)->peer);
    bytes_free(&(*self)->envelope);
    bytes_free(&(*self)->sealed);
    free(*self);
    *self = NULL;
}

static void refuse_message(struct node *node, const char *peer, fault f)
{
    if (event_rate_allows(&node->refused_messages))
        EVENT(WARN, "mesh.message_refused", E_TEXT("peer", peer), E_FAULT(f));
}

static fault fill_record(const struct letter *letter, struct record *out)
{
    TRY(bytes_copy(letter->header, &out->header));
    TRY(header_decode(bytes_span(out->header), &out->read));
    TRY(bytes_copy(letter->blob, &out->blob));
    memcpy(out->ski, letter->ski.at, SKI_BYTES);
    memcpy(out->signature, letter->signature.at, letter->signature.size);
    out->signature_size = letter->signature.size;
    if (letter->place.size > 0)
        memcpy(out->place, letter->place.at, letter->place.size);
    out->place_size = letter->place.size;
    return DONE;
}

static char *text_of(struct span span)
{
    char *text = owned_array(span.size + 1, 1);
    if (span.size > 0)
        memcpy(text, span.at, span.size);
    return text;
}

static void start_asked(struct arrived *arrived, const struct directory_server *peer,
                        struct record *record)
{
    const struct header *header = header_of(record->read);
    struct exchange *x = exchange_new(arrived->node, ROLE_PROVIDER, header->exchange_id);
    x->request = *record;
    *record = (struct record){0};
    header = header_of(x->request.read);
    x->client = text_of(header->sender);
    x->service = text_of(header->service);
    x->purpose = text_of(header->purpose);
    x->endpoint = text_of(header->endpoint);
    x->deadline_ms = header->deadline_ms;
    x->peer = peer;
    memcpy(x->route, arrived->route, arrived->route_size);
    x->route_size = arrived->route_size;
    x->batches = arrived->batches;
    fault f = exchange_table_add(arrived->node->table, x);
    if (failed(f)) {
        refuse_message(arrived->node, arrived->peer, f);
        exchange_free(&x);
        return;
    }
    exchange_start(x);
}

static fault check_from(const struct arrived *arrived, const struct record *record)
{
    /* The transport has proved who sends; whoever replays another's letter stops here. */
    if (!span_is_text(header_of(record->read)->sender_server, arrived->peer))
        return RAISE(NOT_YOURS, "a letter of another server");
    return DONE;
}

static fault take_question(struct arrived *arrived, struct record *record)
{
    TRY(check_from(arrived, record));
    /* No answer could be signed: nothing is begun, and the peer asks again until its deadline. */
    TRY(own_certificate_check(arrived->node));
    TRY(token_line_room(arrived->node->token));
    const struct directory_server *peer =
        directory_server(arrived->node->directory, span_of_text(arrived->peer));
    if (peer == NULL)
        return RAISE(UNKNOWN_MEMBER, "no longer in the directory");
    start_asked(arrived, peer, record);
    return DONE;
}

static fault take_answer(struct arrived *arrived, struct record *record)
{
    TRY(check_from(arrived, record));
    struct exchange *x =
        exchange_table_asked(arrived->node->table, header_of(record->read)->exchange_id);
    if (x == NULL || x->wait != WAIT_ANSWER || strcmp(x->peer->id, arrived->peer) != 0)
        return DONE; /* the second answer to a question that was sent twice, or one too late */
    peers_trust(arrived->node->peers, arrived->peer);
    peers_note_batches(arrived->node->peers, arrived->peer, arrived->batches);
    loop_stop_timer(x->node->loop, &x->resend);
    loop_stop_timer(x->node->loop, &x->deadline);
    bytes_free(&x->sealed);
    record_clear(&x->answer);
    x->answer = *record;
    *record = (struct record){0};
    exchange_resume(x);
    return DONE;
}

static fault open_letter(struct arrived *arrived, struct seal_key *key)
{
    OWNED(bytes) memory = NULL;
    struct letter letter;
    struct record record = {0};
    TRY(letter_open(bytes_span(arrived->sealed), key, arrived->counter,
                    bytes_span(arrived->envelope), &memory, &letter));
    fault f = fill_record(&letter, &record);
    seal_wipe(memory->data, memory->size);
    if (!failed(f))
        f = arrived->route_size > 0 ? take_question(arrived, &record)
                                    : take_answer(arrived, &record);
    record_clear(&record);
    return f;
}

/* The sender seals again, so that nothing is lost when a key has ended. */
static void tell_gone(const struct arrived *arrived)
{
    struct node *node = arrived->node;
    if (arrived->route_size > 0)
        seal_cards_refuse(node->cards, arrived->peer, span_of(arrived->route, arrived->route_size),
                          arrived->seal_key_id);
    else
        seal_cards_unopened(node->cards, arrived->peer);
}

static void on_key(void *owner, fault f, struct seal_key *key)
{
    OWNED(arrived) arrived = owner;
    if (f.code == KEY_UNKNOWN)
        tell_gone(arrived);
    if (!failed(f))
        f = open_letter(arrived, key);
    if (failed(f))
        refuse_message(arrived->node, arrived->peer, f);
}

static fault take(struct node *node, const char *peer, struct span route,
                  struct span envelope_bytes, struct span sealed, enum letter_direction direction)
{
    OWNED(arrived) arrived = owned_new(sizeof *arrived);
    struct envelope envelope;
    arrived->node = node;
    arrived->peer = owned_text(peer);
    TRY(envelope_decode(envelope_bytes, &envelope));
    if (envelope.direction != direction || route.size > sizeof arrived->route)
        return RAISE(BAD_FRAME, "a message that runs the wrong way");
    if (route.size > 0)
        memcpy(arrived->route, route.at, route.size);
    arrived->route_size = route.size;
    arrived->counter = envelope.counter;
    arrived->batches = envelope.batches;
    memcpy(arrived->seal_key_id, envelope.seal_key_id, SEAL_KEY_ID_BYTES);
    TRY(bytes_copy(envelope_bytes, &arrived->envelope));
    TRY(bytes_copy(sealed, &arrived->sealed));
    struct arrived *given = arrived;
    arrived = NULL; /* on_key has it, even before this call returns */
    fault f = opened_keys_get(node->opened, &envelope, on_key, given);
    if (failed(f))
        arrived_free(&given);
    return f;
}

void mesh_take_question(void *owner, const struct message *message)
{
    struct node *node = owner;
    fault f;
    if (message->count == 1) {
        log_talk_take_question(node->talk, message->user, message->from, message->frame[0]);
        return;
    }
    if (message->count != 2)
        f = RAISE(BAD_FRAME, "%zu frames", message->count);
    else
        f = take(node, message->user, message->from, message->frame[0], message->frame[1],
                 LETTER_QUESTION);
    if (failed(f))
        refuse_message(node, message->user, f);
}

void mesh_take_answer(struct node *node, const char *peer, struct span envelope, struct span sealed)
{
    fault f = take(node, peer, (struct span){0}, envelope, sealed, LETTER_ANSWER);
    if (failed(f))
        refuse_message(node, peer, f);
}
