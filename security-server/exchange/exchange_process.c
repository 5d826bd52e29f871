// SPDX-License-Identifier: MIT
#include "security-server/exchange/exchange_process.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/anchor.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/directory_cosign.h"
#include "security-server/exchange/directory_feed.h"
#include "security-server/exchange/directory_first.h"
#include "security-server/exchange/directory_freshness.h"
#include "security-server/exchange/directory_talk.h"
#include "security-server/exchange/enrolment_wait.h"
#include "security-server/exchange/epochs.h"
#include "security-server/exchange/erasures.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/front.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/head_prover.h"
#include "security-server/exchange/kept_answers.h"
#include "security-server/exchange/outages.h"
#include "security-server/exchange/permits.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/late_receipts.h"
#include "security-server/exchange/log_talk.h"
#include "security-server/exchange/look_desk.h"
#include "security-server/exchange/mesh_door.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/node_state.h"
#include "security-server/exchange/notices.h"
#include "security-server/exchange/opened_keys.h"
#include "security-server/exchange/orders.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/own_certificate.h"
#include "security-server/exchange/peer_check.h"
#include "security-server/exchange/peers.h"
#include "security-server/exchange/prunes.h"
#include "security-server/exchange/reconciler.h"
#include "security-server/exchange/recovery.h"
#include "security-server/exchange/renewal.h"
#include "security-server/exchange/retention.h"
#include "security-server/exchange/seal_cards.h"
#include "security-server/exchange/seal_roll.h"
#include "security-server/exchange/sign_desk.h"
#include "security-server/exchange/quota.h"
#include "security-server/exchange/seen.h"
#include "security-server/exchange/set_desk.h"
#include "security-server/exchange/set_reader.h"
#include "security-server/exchange/stamp_feed.h"
#include "security-server/exchange/start_check.h"
#include "security-server/exchange/subject_desk.h"
#include "security-server/exchange/subject_keys.h"
#include "security-server/exchange/slab_keys.h"
#include "security-server/exchange/step_mesh.h"
#include "security-server/exchange/token_line.h"
#include "security-server/exchange/transport_roll.h"
#include "security-server/exchange/witness_desk.h"
#include "security-server/transport_key.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define DRAIN_MS 10000
#define HEAD_BYTES_MAX (1u << 16) /* of what a payload holds beside its body */

struct process {
    struct node node;
    struct server_config *config;
    pid_t keys_pid;
    struct recovery *recovery;
    struct audit_recovery recovered;
    struct checkpointer *checkpointer;
    struct mesh_door *door;
    struct own_certificate *own_certificate;
    struct slab_keys *slab_keys;
    struct orders *orders;
    struct look_desk *looks;
    struct node_state *state;
    struct loop_timer drain;
    int64_t drain_until_us;
    bool stopping; /* the last records are being written */
    bool enrolled; /* just now: the next process begins with it */
    fault ended;   /* why the loop ended, when not as asked */
    struct audit_log *log;
};

const struct directory_server *node_self(const struct node *self)
{
    return directory_server(self->directory, span_of_text(self->config->server));
}

const char *node_remedy(enum fault_code code)
{
    return code == OWN_REVOKED ? own_certificate_remedy(code) : token_line_remedy(code);
}

fault node_begun(const struct node *self)
{
    TRY(own_certificate_check(self));
    TRY(token_line_check(self->token));
    return self->begun ? DONE : RAISE(SERVER_AWAY, "it is starting");
}

fault node_ready(const struct node *self)
{
    if (self->draining)
        return RAISE(DRAINING, "%s", self->config->server);
    if (directory_valid_until_ms(self->directory) < clock_wall_ms())
        return RAISE(DIRECTORY_EXPIRED, "the authority's last directory was valid until earlier");
    if (self->enrolment != NULL)
        return enrolment_wait_check(self->enrolment);
    if (node_self(self) == NULL)
        return RAISE(DIRECTORY_BAD, "server %s is not in the directory", self->config->server);
    TRY(node_begun(self));
    TRY(directory_freshness_check_all(self->freshness));
    TRY(anchor_check(self->anchor));
    return stamp_feed_check(self->stamps);
}

void node_note_traffic(struct node *self, uint64_t index, enum fault_code appended)
{
    if (appended == OK && index >= self->traffic_size)
        self->traffic_size = index + 1;
}

uint64_t node_payload_bytes_max(const struct node *self)
{
    return (uint64_t)self->config->body_bytes_max + HEAD_BYTES_MAX;
}

int64_t node_message_bytes_max(const struct node *self)
{
    return 2 * (int64_t)self->config->body_bytes_max + (1 << 20);
}

// --- start --------------------------------------------------------------------------------------

static fault path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the name of folder %s is too long", folder);
}

/* Where the directory is followed a member changes it by itself. */
static void load_next_transport(struct node *node)
{
    if (node->config->anchor == NULL)
        return;
    fault f = transport_key_next(node->config, &node->transport_next);
    node->has_transport_next = !failed(f);
    if (failed(f)) /* the present one does */
        EVENT(ERROR, "transport.no_next_key", E_FAULT(f));
}

static fault load_public_parts(struct node *node)
{
    char path[PATH_BYTES];
    OWNED(bytes) vkey = NULL;
    const char *folder = node->config->keys_folder;
    TRY(path_in(folder, "sign.crt", path));
    if (!enrolment_wait_is_needed(node)) {
        TRY(certificate_load(path, &node->certificate));
        cades_template_make(node->certificate, &node->template);
    }
    TRY(transport_key_load(node->config, &node->transport));
    node->transport_client = node->transport;
    load_next_transport(node);
    TRY(path_in(folder, "log.vkey", path));
    TRY(file_read(path, 1024, &vkey));
    struct span line = bytes_span(vkey);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    return note_key_parse(line, &node->registered);
}

/* What the directory says of us must be what our keys say. */
static fault check_own_entry(const struct node *node)
{
    const struct directory_server *self = node_self(node);
    const struct directory_signer *signer = directory_signer(node->directory, node->template.ski);
    if (self == NULL)
        return RAISE(DIRECTORY_BAD,
                     "server %s is not in the directory: has it been enrolled and published?",
                     node->config->server);
    if (signer == NULL || signer->server != self)
        return RAISE(DIRECTORY_BAD, "the directory does not give sign.crt to %s",
                     node->config->server);
    if (memcmp(self->transport_key, node->transport.public_key, CURVE_KEY_BYTES) != 0)
        return RAISE(DIRECTORY_BAD, "transport.key is not the one that the directory has for %s",
                     node->config->server);
    if (strcmp(self->log_key.name, node->registered.name) != 0 ||
        memcmp(self->log_key.public_key, node->registered.public_key, ED25519_PUBLIC_BYTES) != 0)
        return RAISE(DIRECTORY_BAD, "log.vkey is not the one that the directory has for %s",
                     node->config->server);
    return DONE;
}

static fault wait_for_keys(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char ready = 0;
    if (poll(&wait, 1, KEYS_START_WAIT_MS) != 1 || recv(fd, &ready, 1, 0) != 1 || ready != '!')
        return RAISE(KEYS_UNREACHABLE, "it did not become ready");
    return DONE;
}

static void keys_lost(void *owner)
{
    struct process *self = owner;
    self->ended = RAISE(KEYS_UNREACHABLE, "the keys process ended");
    loop_stop(self->node.loop);
}

static fault open_log(struct process *self)
{
    struct node *node = &self->node;
    struct audit_log_options options = {
        .folder = node->config->audit_folder,
        .epoch = node->log_epoch,
        .segment_bytes = (size_t)node->config->wal_segment_mib << 20,
        .key = &node->log_key,
        .server = node->config->server,
        .holder = keys_line_holder(node->keys),
    };
    TRY(erasures_new(node, &node->erasures));
    node->prunes = prunes_new(node);
    node->notices = notices_new(node);
    node->outages = outages_new();
    node->permits = permits_new();
    self->recovery = recovery_new(node);
    int64_t started_us = clock_steady_us();
    TRY(epochs_read(node->epochs, self->recovery));
    node->log_begun_ms = 0; /* that was of a closed one */
    TRY(audit_log_open(&options, recovery_visit, self->recovery, &self->log, &self->recovered));
    epochs_give(node->epochs, self->log);
    node->log_segment = self->recovered.segment;
    TRY(erasures_finish(node->erasures, self->log));
    prunes_finish(node->prunes, self->log);
    node->head = audit_log_head(self->log);
    node->traffic_size = node->head.size;
    EVENT(INFO, "audit.recovered", E_NUMBER("entries", self->recovered.size),
          E_NUMBER("cut_bytes", self->recovered.cut_bytes),
          E_NUMBER("payloads_ahead", self->recovered.ahead),
          E_MS("took_ms", (clock_steady_us() - started_us) / 1000));
    TRY(audit_actor_start(node->loop, &self->log, &node->audit));
    sign_desk_follow(node->signs, audit_actor_pace(node->audit));
    return DONE;
}

static fault keep_anchor(const struct node *node, const char *name, struct span content)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/anchor/%s", node->config->audit_folder, name))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    return file_replace(path, content, 0644);
}

/* Line ends as the operator's editor left them. */
static fault read_anchors(const struct node *node, struct bytes **trust, struct bytes **vkey)
{
    char text[512];
    if (node->config->anchor == NULL) {
        TRY(file_read(node->config->trust_file, 1 << 20, trust));
        return file_read(node->config->authority_file, 1 << 20, vkey);
    }
    TRY(anchor_file_pem(node->config->anchor, trust));
    note_key_text(&node->config->anchor->directory, text, sizeof text);
    *vkey = bytes_empty(sizeof text);
    TRY(bytes_append_text(*vkey, text));
    return bytes_append_text(*vkey, "\n");
}

/* Anchors beside the log, so that a copied folder can be checked by itself. */
static fault copy_anchor(const struct node *node)
{
    char folder[PATH_BYTES], own[512];
    OWNED(bytes) trust = NULL;
    OWNED(bytes) vkey = NULL;
    TRY(path_in(node->config->audit_folder, "anchor", folder));
    TRY(file_make_folders(folder, 0755));
    TRY(read_anchors(node, &trust, &vkey));
    TRY(keep_anchor(node, "trust.pem", bytes_span(trust)));
    TRY(keep_anchor(node, "directory.vkey", bytes_span(vkey)));
    note_key_text(&node->registered, own, sizeof own); /* of all epochs: see log_epoch.h */
    return keep_anchor(node, "log.vkey", span_of_text(own));
}

static fault write_ready_file(const struct process *self)
{
    const struct node *node = &self->node;
    if (node->config->ready_file[0] == '\0')
        return DONE;
    char text[1024];
    text_format(text, sizeof text, "server=%s\nmesh=%s\npid=%d\nexchange_pid=%d\nkeys_pid=%d\n",
                node->config->server, socket_address(node->mesh), (int)getppid(), (int)getpid(),
                (int)self->keys_pid);
    return file_replace(node->config->ready_file, span_of_text(text), 0644);
}

// --- stop ---------------------------------------------------------------------------------------

static struct process *process_of(struct node *node)
{
    return (struct process *)(void *)((char *)node - offsetof(struct process, node));
}

static void end_loop(struct node *node, fault f)
{
    ignore(f); /* said already; we end all the same */
    loop_stop(node->loop);
}

static void sign_last_checkpoint(struct node *node, fault f)
{
    ignore(f);
    checkpointer_sign(process_of(node)->checkpointer, end_loop);
}

static void on_drain(struct loop_timer *timer)
{
    struct process *self = timer->owner;
    bool empty = exchange_table_count(self->node.table) == 0;
    if (!empty && clock_steady_us() < self->drain_until_us) {
        loop_set_timer(self->node.loop, &self->drain, 20);
        return;
    }
    self->stopping = true;
    if (self->checkpointer == NULL) { /* nothing was begun */
        loop_stop(self->node.loop);
        return;
    }
    own_record_keep(&self->node, HEADER_STOPPED, "stopped as asked", sign_last_checkpoint);
}

static void on_stop_signal(void *owner)
{
    struct process *self = owner;
    if (self->node.draining)
        return;
    EVENT(INFO, "server.draining", E_NUMBER("in_flight", exchange_table_count(self->node.table)));
    self->node.draining = true;
    self->drain_until_us = clock_steady_us() + DRAIN_MS * 1000LL;
    self->drain = (struct loop_timer){.fire = on_drain, .owner = self};
    loop_set_timer(self->node.loop, &self->drain, 0);
}

static void on_hangup(void *owner)
{
    struct process *self = owner;
    directory_feed_look(self->node.feed);
}

// --- ready --------------------------------------------------------------------------------------

/* Leaves that peers have and we have not, and the other way round. */
static fault open_sets(struct node *node)
{
    TRY(set_reader_start(node->loop, node->config->audit_folder, &node->sets));
    node->prover = head_prover_new(node);
    node->late = late_receipts_new(node);
    node->set_desk = set_desk_new(node);
    return reconciler_new(node, &node->reconciler);
}

/* Gateways may ask how we are before anything is begun. */
static fault open_front(struct node *node)
{
    if (node->front != NULL)
        return DONE;
    TRY(jail_enter(JAIL_EXCHANGE));
    return front_open(node, node->config->front, &node->front);
}

static fault open_doors(struct process *self)
{
    struct node *node = &self->node;
    TRY(open_front(node));
    TRY(mesh_door_open(node, &self->door));
    node->transport_roll = transport_roll_new(node, self->door);
    TRY(anchor_new(node, &node->anchor));
    TRY(stamp_feed_new(node, &node->stamps));
    node->peer_check = peer_check_new(node);
    TRY(open_sets(node));
    TRY(subject_desk_new(node, &node->subject_desk));
    self->looks = look_desk_new(node);
    node->directory_talk = directory_talk_new(node);
    node->directory_cosign = directory_cosign_new(node);
    node->renewal = renewal_new(node);
    size_t interrupted = recovery_close_interrupted(self->recovery);
    if (interrupted > 0)
        EVENT(WARN, "recovery.interrupted_exchanges", E_NUMBER("count", interrupted));
    recovery_free(&self->recovery);
    TRY(orders_new(node, &self->orders));
    retention_begin(node->retention);
    notices_begin(node->notices);
    node->begun = true;
    TRY(write_ready_file(self));
    EVENT(INFO, "server.ready", E_TEXT("server", node->config->server),
          E_TEXT("origin", node->log_key.name), E_NUMBER("log_size", node->head.size),
          E_NUMBER("epoch", directory_epoch(node->directory)));
    return DONE;
}

/* The first record of this run is durable and promised: the log works, and strangers may come. */
static void on_promised(struct node *node, fault f)
{
    struct process *self = process_of(node);
    if (!failed(f))
        f = epochs_end(node->epochs);
    if (!failed(f))
        f = open_doors(self);
    if (failed(f)) {
        self->ended = f;
        EVENT(ERROR, "server.start_failed", E_FAULT(f));
        loop_stop(node->loop);
    }
}

static void on_sealing(struct node *node, fault f)
{
    if (failed(f))
        on_promised(node, f);
    else
        checkpointer_sign(process_of(node)->checkpointer, on_promised);
}

static void on_started(struct node *node, fault f)
{
    if (failed(f))
        on_promised(node, f);
    else
        seal_roll_begin(node->seal_roll, on_sealing);
}

static void on_incident(struct node *node, fault f)
{
    if (failed(f))
        on_promised(node, f);
    else
        own_record_keep(node, HEADER_STARTED, "started", on_started);
}

/* What the stop left half done is said in the log itself, in facts: whoever holds other evidence,
 * a peer's log or an older copy, can tell a torn write from a record that somebody cut off. */
static void write_first_records(struct process *self)
{
    const struct audit_recovery *found = &self->recovered;
    char detail[400];
    if (found->cut_bytes == 0 && found->ahead == 0) {
        on_incident(&self->node, DONE);
        return;
    }
    text_format(detail, sizeof detail,
                "found at start: after the last whole entry, number %llu, %llu bytes of an "
                "unfinished write with %llu whole entries in it, set aside and cut; and %llu "
                "payloads of entries that are not in the log",
                (unsigned long long)found->size - 1, (unsigned long long)found->cut_bytes,
                (unsigned long long)found->whole_after, (unsigned long long)found->ahead);
    own_record_keep(&self->node, HEADER_INCIDENT, detail, on_incident);
}

static void begin_records(void *owner)
{
    struct process *self = owner;
    struct node *node = &self->node;
    if (node->draining && node->token != NULL)
        return; /* asked to stop while it waited for its token */
    self->checkpointer = checkpointer_new(node);
    if (epochs_closing(node->epochs))
        epochs_record(node->epochs, on_incident);
    else
        write_first_records(self);
}

static fault wait_for_token(struct node *node)
{
    EVENT(WARN, "server.waiting_for_token", E_TEXT("detail", token_line_detail(node->token)));
    return open_front(node);
}

/* For good: only other keys, and another start with them, change it. The operator sees why. */
static fault stay_closed(struct node *node, fault f)
{
    EVENT(ERROR, "server.not_begun", E_FAULT(f));
    return open_front(node);
}

/* Nothing is signed before this, and nothing at all by who is revoked. The first record needs the
 * token: a start without it waits, and what stands in the log already is served meanwhile. */
static void on_checked(struct node *node, fault f)
{
    struct process *self = process_of(node);
    fault own = failed(f) ? DONE : own_certificate_check(node);
    if (failed(own))
        f = stay_closed(node, own);
    else if (!failed(f) && failed(token_line_check(node->token)))
        f = wait_for_token(node);
    if (failed(f)) {
        self->ended = f;
        EVENT(ERROR, "server.start_refused", E_FAULT(f));
        loop_stop(node->loop);
    } else if (failed(own)) {
        return;
    } else if (node->token == NULL) {
        begin_records(self);
    } else {
        token_line_wait(node->token, begin_records, self);
    }
}

static void on_enrolled(struct node *node, fault f)
{
    struct process *self = process_of(node);
    self->enrolled = !failed(f);
    self->ended = f;
    if (failed(f))
        EVENT(ERROR, "server.enrolment_failed", E_FAULT(f));
    loop_stop(node->loop);
}

/* Without a certificate there is nothing to sign a record with, and no log is begun. */
static fault await_enrolment(struct process *self)
{
    struct node *node = &self->node;
    node->enrolment = enrolment_wait_new(node, on_enrolled);
    self->state = node_state_new(node);
    TRY(open_front(node));
    return loop_run(node->loop);
}

static fault start(struct process *self, int keys_fd, int token_fd)
{
    struct node *node = &self->node;
    random_fill((uint8_t *)&node->run, sizeof node->run);
    fault loaded = load_public_parts(node);
    secret_free(&self->config->passphrase);
    TRY(loaded);
    TRY(file_make_folders(node->config->audit_folder, 0700));
    TRY(wait_for_keys(keys_fd));
    TRY(loop_new(&node->loop));
    TRY(loop_on_signal(node->loop, SIGTERM, on_stop_signal, self));
    TRY(loop_on_signal(node->loop, SIGINT, on_stop_signal, self));
    TRY(loop_on_signal(node->loop, SIGHUP, on_hangup, self));
    TRY(net_new(node->loop, &node->net));
    TRY(gate_open(node->net, MESH_ZAP_DOMAIN, &node->gate));
    TRY(directory_first_await(node, keys_fd));
    TRY(directory_feed_start(node, &node->feed));
    node->freshness = directory_freshness_new(node);
    TRY(transport_roll_begin(node));
    if (node->certificate != NULL)
        TRY(check_own_entry(node));
    TRY(copy_anchor(node));
    TRY(epochs_new(node, &node->epochs));
    node->verified = verified_heads_new();
    node->signs = sign_desk_new(node->loop);
    TRY(keys_line_open(node->loop, keys_fd, keys_lost, self, &node->keys));
    sign_desk_use(node->signs, node->keys);
    if (token_fd >= 0) {
        TRY(token_line_open(node->loop, token_fd, &node->token));
        keys_line_use_token(node->keys, node->token);
        if (node->certificate != NULL) {
            const struct sha256 hash = certificate_hash(node->certificate);
            token_line_use_certificate(node->token, &hash);
        }
    }
    node->subject_keys = subject_keys_new(node);
    node->seen = seen_new();
    node->quota = quota_new();
    event_rate_begin(&node->refused_messages, node->loop, "mesh.message_refused");
    event_rate_begin(&node->answers_not_sent, node->loop, "mesh.answer_not_sent");
    event_rate_begin(&node->refused_leaves, node->loop, "reconcile.leaf_refused");
    node->table = exchange_table_new((size_t)node->config->exchanges_max);
    node->opened = opened_keys_new(node);
    node->retention = retention_new(node);
    node->answers = kept_answers_new(node->loop);
    node->peers = peers_new(node, mesh_take_answer, log_talk_take_answer);
    node->talk = log_talk_new(node);
    node->heads = known_heads_new(node);
    TRY(witness_desk_new(node, &node->witness));
    if (node->certificate == NULL)
        return await_enrolment(self);
    TRY(open_log(self));
    TRY(seal_roll_new(node, &node->seal_roll));
    TRY(seal_cards_new(node, &node->cards));
    self->slab_keys = slab_keys_new(node);
    self->state = node_state_new(node);
    self->own_certificate = own_certificate_new(node);
    start_check_begin(node, on_checked);
    return loop_run(node->loop);
}

static void finish(struct process *self)
{
    struct node *node = &self->node;
    node_state_free(&self->state);
    enrolment_wait_free(&node->enrolment);
    audit_actor_free(&node->audit);
    set_reader_free(&node->sets);
    sign_desk_free(&node->signs);
    verified_heads_free(&node->verified);
    keys_line_free(&node->keys);
    token_line_free(&node->token);
    if (node->table != NULL)
        exchange_table_free(&node->table);
    checkpointer_free(&self->checkpointer);
    anchor_free(&node->anchor);
    stamp_feed_free(&node->stamps);
    peer_check_free(&node->peer_check);
    reconciler_free(&node->reconciler);
    head_prover_free(&node->prover);
    set_desk_free(&node->set_desk);
    late_receipts_free(&node->late);
    directory_talk_free(&node->directory_talk);
    directory_cosign_free(&node->directory_cosign);
    renewal_free(&node->renewal);
    seal_roll_free(&node->seal_roll);
    start_check_free(&node->check);
    log_talk_free(&node->talk);
    witness_desk_free(&node->witness);
    known_heads_free(&node->heads);
    own_certificate_free(&self->own_certificate);
    look_desk_free(&self->looks);
    subject_desk_free(&node->subject_desk);
    subject_keys_free(&node->subject_keys);
    slab_keys_free(&self->slab_keys);
    orders_free(&self->orders);
    erasures_free(&node->erasures);
    prunes_free(&node->prunes);
    notices_free(&node->notices);
    retention_free(&node->retention);
    kept_answers_free(&node->answers);
    outages_free(&node->outages);
    permits_free(&node->permits);
    front_free(&node->front);
    transport_roll_free(&node->transport_roll);
    mesh_door_free(&self->door);
    event_rate_end(&node->refused_messages);
    event_rate_end(&node->refused_leaves);
    event_rate_end(&node->answers_not_sent);
    peers_free(&node->peers);
    seal_cards_free(&node->cards);
    opened_keys_free(&node->opened);
    directory_freshness_free(&node->freshness);
    directory_feed_free(&node->feed);
    gate_free(&node->gate);
    net_free(&node->net);
    recovery_free(&self->recovery);
    seen_free(&node->seen);
    quota_free(&node->quota);
    audit_log_free(&self->log);
    epochs_free(&node->epochs);
    certificate_free(&node->certificate);
    loop_free(&node->loop);
}

static int status_of(fault f)
{
    switch (f.code) {
    case OK:
    case DRAINING: /* asked to, before there was anything */
        return 0;
    case BAD_CONFIG:
    case BAD_KEY:
    case BAD_PASSPHRASE:
    case CERTIFICATE_BAD:
        return 2;
    case LOG_SHRUNK:
    case LOG_BROKEN:
    case DIRECTORY_BAD:
    case DIRECTORY_OLD:
    case DIRECTORY_DAMAGED:
    case DIRECTORY_FORKED:
        return 3;
    default:
        return 1;
    }
}

int exchange_process_run(struct server_config *config, int keys_line_fd, pid_t keys_pid,
                         int token_fd)
{
    struct process *self = owned_new(sizeof *self);
    self->node.config = self->config = config;
    self->keys_pid = keys_pid;
    fault f = start(self, keys_line_fd, token_fd);
    if (failed(f) && f.code != DRAINING)
        EVENT(ERROR, "server.failed", E_FAULT(f));
    if (!failed(f))
        f = self->ended;
    int status = !failed(f) && self->enrolled ? EXCHANGE_ENROLLED : status_of(f);
    finish(self);
    free(self);
    EVENT(INFO, "server.stopped", E_NUMBER("status", status));
    return status;
}
