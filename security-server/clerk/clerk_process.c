// SPDX-License-Identifier: MIT
#include "security-server/clerk/clerk_process.h"

#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "lib/net/door.h"
#include "security-server/clerk/clerk.h"
#include "security-server/clerk/log_files.h"
#include "security-server/clerk/records.h"
#include "security-server/transport_key.h"

#include "evidence.pb-c.h"

#include <signal.h>
#include <stdlib.h>

#define ZAP_DOMAIN "evidence"

struct clerk {
    const struct server_config *config;
    struct secret **passphrase; /* wiped when what is sealed has been opened */
    struct loop *loop;
    struct net *net;
    struct door *door;
    struct records *records;
    struct curve_keys transport; /* over tcp only */
    uint64_t run;
};

const struct server_config *clerk_config(const struct clerk *self)
{
    return self->config;
}

struct loop *clerk_loop(const struct clerk *self)
{
    return self->loop;
}

// --- answering -----------------------------------------------------------------------------------

static void send_message(struct clerk *self, struct span route,
                         const Chaski__EvidenceMessage *message, const struct span *body)
{
    OWNED(bytes) packed = NULL;
    fault f = bytes_new(chaski__evidence_message__get_packed_size(message), &packed);
    if (!failed(f)) {
        chaski__evidence_message__pack(message, packed->data);
        struct span frames[2] = {bytes_span(packed)};
        if (body != NULL)
            frames[1] = *body;
        f = socket_send(door_socket(self->door), route, frames, body == NULL ? 1 : 2);
    }
    if (failed(f)) /* the gateway has given it up, or gives it up in time */
        EVENT(WARN, "clerk.answer_not_sent", E_FAULT(f));
}

static char *text(const char *from)
{
    return (char *)(uintptr_t)from;
}

void clerk_give(struct clerk *self, const struct clerk_reply *to, const struct clerk_file *file)
{
    Chaski__EvidenceMessage message = CHASKI__EVIDENCE_MESSAGE__INIT;
    Chaski__EvidenceAnswer answer = CHASKI__EVIDENCE_ANSWER__INIT;
    message.body_case = CHASKI__EVIDENCE_MESSAGE__BODY_ANSWER;
    message.answer = &answer;
    answer.ask = to->ask;
    answer.status = 200;
    answer.type = text(file->type);
    answer.name = text(file->name);
    answer.constant = file->constant;
    send_message(self, span_of(to->route, to->route_size), &message, &file->body);
}

void clerk_refuse(struct clerk *self, const struct clerk_reply *to, unsigned status,
                  const char *sentence)
{
    Chaski__EvidenceMessage message = CHASKI__EVIDENCE_MESSAGE__INIT;
    Chaski__EvidenceAnswer answer = CHASKI__EVIDENCE_ANSWER__INIT;
    message.body_case = CHASKI__EVIDENCE_MESSAGE__BODY_ANSWER;
    message.answer = &answer;
    answer.ask = to->ask;
    answer.status = status;
    answer.sentence = text(sentence);
    send_message(self, span_of(to->route, to->route_size), &message, NULL);
}

/* What is wrong with our own files is for our operator, not for strangers. */
static void refuse_file(struct clerk *self, const struct clerk_reply *to, fault f)
{
    bool ours = fault_blame(f.code) == BLAME_US;
    if (ours)
        EVENT(WARN, "clerk.file_not_given", E_FAULT(f));
    clerk_refuse(self, to, (unsigned)fault_status(f.code),
                 ours ? fault_sentence(f.code) : fault_detail());
}

// --- arriving ------------------------------------------------------------------------------------

static void take_file(struct clerk *self, const struct clerk_reply *reply, const char *name)
{
    struct clerk_file file;
    OWNED(bytes) body = NULL;
    fault f = log_files_read(self->config, span_of_text(name), &file, &body);
    if (failed(f))
        refuse_file(self, reply, f);
    else
        clerk_give(self, reply, &file);
}

static void take_record(struct clerk *self, const struct clerk_reply *reply,
                        const Chaski__RecordAsk *wire)
{
    struct record_ask ask = {.client = wire->client,
                             .message_id = wire->message_id,
                             .request = wire->request,
                             .response = wire->response,
                             .unique = wire->unique,
                             .force = wire->force};
    records_take(self->records, reply, &ask);
}

static void take_ask(struct clerk *self, const struct clerk_reply *reply,
                     const Chaski__EvidenceAsk *ask)
{
    switch (ask->what_case) {
    case CHASKI__EVIDENCE_ASK__WHAT_FILE:
        take_file(self, reply, ask->file);
        return;
    case CHASKI__EVIDENCE_ASK__WHAT_RECORD:
        take_record(self, reply, ask->record);
        return;
    case CHASKI__EVIDENCE_ASK__WHAT_VERIFICATION:
        records_take_verification(self->records, reply);
        return;
    default:
        clerk_refuse(self, reply, 400, "Of no kind that is known here.");
    }
}

static void take_hello(struct clerk *self, struct span route)
{
    Chaski__EvidenceMessage message = CHASKI__EVIDENCE_MESSAGE__INIT;
    Chaski__EvidenceWelcome welcome = CHASKI__EVIDENCE_WELCOME__INIT;
    message.body_case = CHASKI__EVIDENCE_MESSAGE__BODY_WELCOME;
    message.welcome = &welcome;
    welcome.run = self->run;
    send_message(self, route, &message, NULL);
}

static void take_message(struct clerk *self, struct span route,
                         const Chaski__EvidenceMessage *message)
{
    struct clerk_reply reply = {.route_size = route.size};
    if (message->body_case == CHASKI__EVIDENCE_MESSAGE__BODY_HELLO) {
        take_hello(self, route);
    } else if (message->body_case == CHASKI__EVIDENCE_MESSAGE__BODY_ASK &&
               route.size <= sizeof reply.route) {
        reply.ask = message->ask->ask;
        memcpy(reply.route, route.at, route.size);
        take_ask(self, &reply, message->ask);
    } else {
        EVENT(WARN, "clerk.message_refused", E_TEXT("detail", "of no kind that a clerk takes"));
    }
}

static void on_message(void *owner, const struct message *message)
{
    struct clerk *self = owner;
    Chaski__EvidenceMessage *evidence = NULL;
    if (message->count == 1 && message->frame[0].size <= EVIDENCE_HEAD_BYTES_MAX)
        evidence =
            chaski__evidence_message__unpack(NULL, message->frame[0].size, message->frame[0].at);
    if (evidence == NULL) {
        EVENT(WARN, "clerk.message_refused", E_NUMBER("frames", message->count));
        return;
    }
    take_message(self, message->from, evidence);
    chaski__evidence_message__free_unpacked(evidence, NULL);
}

// --- life ----------------------------------------------------------------------------------------

static void on_stop(void *owner)
{
    struct clerk *self = owner;
    loop_stop(self->loop);
}

static fault load_transport(struct clerk *self)
{
    if (strncmp(self->config->evidence_front, "tcp://", 6) != 0)
        return DONE;
    return transport_key_load(self->config, &self->transport);
}

static fault open_door(struct clerk *self)
{
    struct door_options options = {
        .loop = self->loop,
        .net = self->net,
        .address = self->config->evidence_front,
        .domain = ZAP_DOMAIN,
        .own = &self->transport,
        .keys = &self->config->gateway_keys,
        .queue_messages = EVIDENCE_QUEUE_MESSAGES,
        .message_bytes_max = EVIDENCE_HEAD_BYTES_MAX,
    };
    return door_open(&options, on_message, self, &self->door);
}

static fault start(struct clerk *self)
{
    random_fill((uint8_t *)&self->run, sizeof self->run);
    TRY(load_transport(self));
    TRY(loop_new(&self->loop));
    fault opened = records_new(self, &self->records);
    secret_free(self->passphrase);
    TRY(opened);
    TRY(loop_on_signal(self->loop, SIGTERM, on_stop, self));
    TRY(loop_on_signal(self->loop, SIGINT, on_stop, self));
    TRY(net_new(self->loop, &self->net));
    TRY(jail_enter(JAIL_CLERK));
    TRY(open_door(self));
    EVENT(INFO, "clerk.started", E_TEXT("at", self->config->evidence_front));
    return loop_run(self->loop);
}

int clerk_process_run(struct server_config *config)
{
    struct clerk *self = owned_new(sizeof *self);
    self->config = config;
    self->passphrase = &config->passphrase;
    fault f = start(self);
    if (failed(f))
        EVENT(ERROR, "clerk.failed", E_FAULT(f));
    door_free(&self->door);
    records_free(&self->records);
    net_free(&self->net);
    loop_free(&self->loop);
    explicit_bzero(&self->transport, sizeof self->transport);
    free(self);
    return failed(f) ? 1 : 0;
}
