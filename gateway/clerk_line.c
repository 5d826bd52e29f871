// SPDX-License-Identifier: MIT
#include "gateway/clerk_line.h"

#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include "evidence.pb-c.h"

#include <stdlib.h>

struct clerk_line {
    struct clerk_line_options options;
    struct socket *socket;
    uint64_t run; /* of the clerk that answered last; 0: none has */
};

// --- asking --------------------------------------------------------------------------------------

static char *text(const char *from)
{
    return (char *)(uintptr_t)from;
}

static fault send_message(struct clerk_line *self, const Chaski__EvidenceMessage *message)
{
    OWNED(bytes) packed = NULL;
    TRY(bytes_new(chaski__evidence_message__get_packed_size(message), &packed));
    chaski__evidence_message__pack(message, packed->data);
    struct span frame = bytes_span(packed);
    if (failed(socket_send(self->socket, (struct span){NULL, 0}, &frame, 1)))
        return RAISE(SERVER_AWAY, "nobody answers at %s", self->options.address);
    return DONE;
}

static fault send_ask(struct clerk_line *self, Chaski__EvidenceAsk *ask)
{
    Chaski__EvidenceMessage message = CHASKI__EVIDENCE_MESSAGE__INIT;
    message.body_case = CHASKI__EVIDENCE_MESSAGE__BODY_ASK;
    message.ask = ask;
    return send_message(self, &message);
}

fault clerk_line_ask_file(struct clerk_line *self, uint64_t id, struct span path)
{
    char file[EVIDENCE_PATH_BYTES_MAX + 1];
    Chaski__EvidenceAsk ask = CHASKI__EVIDENCE_ASK__INIT;
    if (!text_is_plain(path) ||
        !text_format(file, sizeof file, "%.*s", (int)path.size, (const char *)path.at))
        return RAISE(NOT_FOUND, "no such file");
    ask.ask = id;
    ask.what_case = CHASKI__EVIDENCE_ASK__WHAT_FILE;
    ask.file = file;
    return send_ask(self, &ask);
}

fault clerk_line_ask_record(struct clerk_line *self, uint64_t id,
                            const struct clerk_record_ask *record)
{
    Chaski__EvidenceAsk ask = CHASKI__EVIDENCE_ASK__INIT;
    Chaski__RecordAsk wire = CHASKI__RECORD_ASK__INIT;
    ask.ask = id;
    ask.what_case = CHASKI__EVIDENCE_ASK__WHAT_RECORD;
    ask.record = &wire;
    wire.client = text(record->client);
    wire.message_id = text(record->message_id);
    wire.request = record->request;
    wire.response = record->response;
    wire.unique = record->unique;
    wire.force = record->force;
    return send_ask(self, &ask);
}

fault clerk_line_ask_verification(struct clerk_line *self, uint64_t id)
{
    Chaski__EvidenceAsk ask = CHASKI__EVIDENCE_ASK__INIT;
    Chaski__VerificationAsk wire = CHASKI__VERIFICATION_ASK__INIT;
    ask.ask = id;
    ask.what_case = CHASKI__EVIDENCE_ASK__WHAT_VERIFICATION;
    ask.verification = &wire;
    return send_ask(self, &ask);
}

void clerk_line_hello(struct clerk_line *self)
{
    Chaski__EvidenceMessage message = CHASKI__EVIDENCE_MESSAGE__INIT;
    Chaski__EvidenceHello hello = CHASKI__EVIDENCE_HELLO__INIT;
    message.body_case = CHASKI__EVIDENCE_MESSAGE__BODY_HELLO;
    message.hello = &hello;
    ignore(send_message(self, &message)); /* said again a second later */
}

// --- arriving ------------------------------------------------------------------------------------

static bool fits_a_field(const char *word)
{
    for (const char *at = word; *at != '\0'; at++)
        if (*at < 0x20 || *at > 0x7e || *at == '"' || *at == '\\')
            return false;
    return true;
}

static void take_answer(struct clerk_line *self, const Chaski__EvidenceAnswer *wire,
                        struct span body)
{
    struct clerk_answer answer = {.ask = wire->ask,
                                  .status = wire->status,
                                  .type = wire->type,
                                  .name = wire->name,
                                  .sentence = wire->sentence,
                                  .constant = wire->constant,
                                  .body = body};
    if (wire->status < 200 || wire->status > 599 || !fits_a_field(wire->type) ||
        !fits_a_field(wire->name)) {
        EVENT(WARN, "clerk.message_refused", E_TEXT("detail", "an answer that HTTP cannot hold"));
        return;
    }
    self->options.answered(self->options.owner, &answer);
}

static void take_welcome(struct clerk_line *self, uint64_t run)
{
    bool restarted = self->run != 0 && run != self->run;
    self->run = run;
    if (!restarted)
        return;
    EVENT(WARN, "clerk.restarted");
    self->options.restarted(self->options.owner);
}

void clerk_line_take(struct clerk_line *self, const struct message *message)
{
    Chaski__EvidenceMessage *evidence = NULL;
    struct span body = message->count == 2 ? message->frame[1] : (struct span){NULL, 0};
    if (message->count >= 1 && message->count <= 2 &&
        message->frame[0].size <= EVIDENCE_HEAD_BYTES_MAX)
        evidence =
            chaski__evidence_message__unpack(NULL, message->frame[0].size, message->frame[0].at);
    if (evidence != NULL && evidence->body_case == CHASKI__EVIDENCE_MESSAGE__BODY_ANSWER)
        take_answer(self, evidence->answer, body);
    else if (evidence != NULL && evidence->body_case == CHASKI__EVIDENCE_MESSAGE__BODY_WELCOME)
        take_welcome(self, evidence->welcome->run);
    else
        EVENT(WARN, "clerk.message_refused", E_NUMBER("frames", message->count));
    if (evidence != NULL)
        chaski__evidence_message__free_unpacked(evidence, NULL);
}

static void on_message(void *owner, const struct message *message)
{
    clerk_line_take(owner, message);
}

// --- the line ------------------------------------------------------------------------------------

fault clerk_line_open(const struct clerk_line_options *options, struct clerk_line **out)
{
    OWNED(clerk_line) self = owned_new(sizeof *self);
    struct socket_options socket_options = {
        .kind = SOCKET_DEALER,
        .queue_messages = EVIDENCE_QUEUE_MESSAGES,
        .message_bytes_max = EVIDENCE_BODY_BYTES_MAX,
        .own = options->own,
        .server_key = options->server_key,
    };
    self->options = *options;
    TRY(socket_open(options->net, &socket_options, on_message, self, &self->socket));
    TRY(socket_connect(self->socket, options->address));
    *out = TAKE(self);
    return DONE;
}

void clerk_line_free(struct clerk_line **self)
{
    if (*self == NULL)
        return;
    socket_close(&(*self)->socket);
    free(*self);
    *self = NULL;
}
