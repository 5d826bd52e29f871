// SPDX-License-Identifier: MIT
#include "registry/serve/authority_line.h"

#include "lib/bus/limits.h"
#include "registry/serve/authority.h"
#include "registry/serve/datagram.h"

#include "registry.pb-c.h"

#include <stdlib.h>

#define GRACE_MS 5000

struct authority_line {
    int fd;
    pid_t pid;
    bool quiet;
    uint8_t answer[REGISTRY_DATAGRAM_BYTES_MAX];
};

void authority_line_free(struct authority_line **owner)
{
    struct authority_line *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    datagram_stop(&self->fd, &self->pid, GRACE_MS);
    free(self);
}

int authority_line_fd(const struct authority_line *self)
{
    return self->fd;
}

pid_t authority_line_pid(const struct authority_line *self)
{
    return self->pid;
}

bool authority_line_began_quietly(const struct authority_line *self)
{
    return self->quiet;
}

void authority_news_clear(struct authority_news *self)
{
    bytes_free(&self->note);
    bytes_free(&self->heartbeat);
    free(self->leaf);
    if (self->answer != NULL)
        chaski__authority_answer__free_unpacked(self->answer, NULL);
    *self = (struct authority_news){0};
}

/* The other side is ours: a number that it does not know would be our own mistake. */
static fault take_fault(const Chaski__AuthorityAnswer *answer)
{
    if (answer->fault == OK)
        return DONE;
    enum fault_code code = fault_known(answer->fault) ? (enum fault_code)answer->fault : INTERNAL;
    return RAISE(code, "%s", answer->detail);
}

static fault receive(struct authority_line *self, Chaski__AuthorityAnswer **out)
{
    struct span received;
    TRY(datagram_await(self->fd, REGISTRY_AUTHORITY_WAIT_MS, "the authority's process",
                       self->answer, sizeof self->answer, &received));
    Chaski__AuthorityAnswer *answer =
        chaski__authority_answer__unpack(NULL, received.size, received.at);
    if (answer == NULL)
        return RAISE(INTERNAL, "the authority's process speaks another language");
    fault f = take_fault(answer);
    if (failed(f)) {
        chaski__authority_answer__free_unpacked(answer, NULL);
        return f;
    }
    *out = answer;
    return DONE;
}

static fault ask(struct authority_line *self, const Chaski__AuthorityAsk *question,
                 Chaski__AuthorityAnswer **out)
{
    OWNED(bytes) packed = NULL;
    size_t size = chaski__authority_ask__get_packed_size(question);
    if (size > REGISTRY_DATAGRAM_BYTES_MAX)
        return RAISE(REFUSED, "acts of %zu bytes together", size);
    TRY(bytes_new(size, &packed));
    chaski__authority_ask__pack(question, packed->data);
    TRY(datagram_send(self->fd, bytes_span(packed)));
    return receive(self, out);
}

static fault take_note(ProtobufCBinaryData from, struct bytes **out)
{
    return from.len == 0 ? DONE : bytes_copy(span_of(from.data, from.len), out);
}

/* Takes the answer. */
static fault take_news(Chaski__AuthorityAnswer *answer, struct authority_news *out)
{
    struct authority_news news = {.unpublished = answer->unpublished,
                                  .from = answer->from,
                                  .answer = answer,
                                  .leaves = answer->n_leaf};
    news.leaf = owned_array(answer->n_leaf + 1, sizeof *news.leaf);
    for (size_t i = 0; i < answer->n_leaf; i++)
        news.leaf[i] = span_of(answer->leaf[i].data, answer->leaf[i].len);
    fault f = take_note(answer->note, &news.note);
    if (!failed(f))
        f = take_note(answer->heartbeat, &news.heartbeat);
    if (failed(f))
        authority_news_clear(&news);
    else
        *out = news;
    return f;
}

fault authority_line_start(const char *store, const char *folder, struct authority_line **out)
{
    OWNED(authority_line) self = owned_new(sizeof *self);
    struct authority_plan plan = {.store = store, .folder = folder};
    const struct datagram_child child = {"chaski-author", authority_run, &plan};
    Chaski__AuthorityAnswer *ready = NULL;
    self->fd = -1;
    TRY(datagram_start(&child, &self->fd, &self->pid));
    TRY(receive(self, &ready));
    self->quiet = ready->quiet;
    chaski__authority_answer__free_unpacked(ready, NULL);
    *out = TAKE(self);
    return DONE;
}

fault authority_line_carry_out(struct authority_line *self, const struct span *acts, size_t count,
                               struct authority_news *out)
{
    Chaski__AuthorityAsk question = CHASKI__AUTHORITY_ASK__INIT;
    Chaski__CarryOut carry_out = CHASKI__CARRY_OUT__INIT;
    Chaski__AuthorityAnswer *answer = NULL;
    ProtobufCBinaryData act[REGISTRY_GROUP_ACTS_MAX];
    if (count > REGISTRY_GROUP_ACTS_MAX)
        return RAISE(REFUSED, "more than %d acts at once", REGISTRY_GROUP_ACTS_MAX);
    for (size_t i = 0; i < count; i++)
        act[i] = (ProtobufCBinaryData){acts[i].size, (uint8_t *)(uintptr_t)acts[i].at};
    carry_out.n_act = count;
    carry_out.act = act;
    question.ask_case = CHASKI__AUTHORITY_ASK__ASK_CARRY_OUT;
    question.carry_out = &carry_out;
    TRY(ask(self, &question, &answer));
    return take_news(answer, out);
}

fault authority_line_beat(struct authority_line *self, struct authority_news *out)
{
    Chaski__AuthorityAsk question = CHASKI__AUTHORITY_ASK__INIT;
    Chaski__Beat beat = CHASKI__BEAT__INIT;
    Chaski__AuthorityAnswer *answer = NULL;
    question.ask_case = CHASKI__AUTHORITY_ASK__ASK_BEAT;
    question.beat = &beat;
    TRY(ask(self, &question, &answer));
    return take_news(answer, out);
}

fault authority_line_act_on_statuses(struct authority_line *self, size_t *revoked,
                                     struct authority_news *out)
{
    Chaski__AuthorityAsk question = CHASKI__AUTHORITY_ASK__INIT;
    Chaski__ActOnStatuses act_on = CHASKI__ACT_ON_STATUSES__INIT;
    Chaski__AuthorityAnswer *answer = NULL;
    question.ask_case = CHASKI__AUTHORITY_ASK__ASK_ACT_ON_STATUSES;
    question.act_on_statuses = &act_on;
    TRY(ask(self, &question, &answer));
    *revoked = answer->revoked;
    return take_news(answer, out);
}

fault authority_line_certify(struct authority_line *self, struct span request, const char *server,
                             const char *organisation, struct bytes **out)
{
    Chaski__AuthorityAsk question = CHASKI__AUTHORITY_ASK__INIT;
    Chaski__Certify certify = CHASKI__CERTIFY__INIT;
    Chaski__AuthorityAnswer *answer = NULL;
    certify.request = (ProtobufCBinaryData){request.size, (uint8_t *)(uintptr_t)request.at};
    certify.server = (char *)(uintptr_t)server;
    certify.organisation = (char *)(uintptr_t)organisation;
    question.ask_case = CHASKI__AUTHORITY_ASK__ASK_CERTIFY;
    question.certify = &certify;
    TRY(ask(self, &question, &answer));
    fault f = bytes_copy(span_of(answer->certificate.data, answer->certificate.len), out);
    chaski__authority_answer__free_unpacked(answer, NULL);
    return f;
}
