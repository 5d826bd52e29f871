// SPDX-License-Identifier: MIT
#include "registry/serve/status_line.h"

#include "lib/bus/limits.h"
#include "registry/serve/datagram.h"
#include "registry/status/statuses.h"
#include "registry/status_book.h"

#include "registry.pb-c.h"

#include <stdlib.h>

#define ANSWER_BYTES_MAX 4096
#define START_WAIT_MS 5000

// --- the process that has it done ---------------------------------------------------------------

struct plan {
    const char *store, *folder;
};

static fault ask(const struct plan *plan, struct status_counts *counts)
{
    TRY(statuses_ask(plan->store, counts));
    return status_book_publish(plan->store, plan->folder);
}

static fault answer(const struct plan *plan, int fd)
{
    Chaski__StatusRound round = CHASKI__STATUS_ROUND__INIT;
    struct status_counts counts = {0};
    uint8_t packed[ANSWER_BYTES_MAX];
    fault f = ask(plan, &counts);
    round.answered = true;
    round.fault = (uint32_t)f.code;
    round.detail = failed(f) ? (char *)(uintptr_t)fault_detail() : round.detail;
    round.asked = (uint32_t)counts.asked;
    round.good = (uint32_t)counts.good;
    round.revoked = (uint32_t)counts.revoked;
    round.unknown = (uint32_t)counts.unknown;
    round.unanswered = (uint32_t)counts.unanswered;
    size_t size = chaski__status_round__get_packed_size(&round);
    if (size > sizeof packed)
        return RAISE(INTERNAL, "an answer of %zu bytes", size);
    chaski__status_round__pack(&round, packed);
    return datagram_send(fd, span_of(packed, size));
}

static fault run(void *owner, int fd)
{
    const struct plan *plan = owner;
    uint8_t question[8];
    TRY(datagram_send(fd, span_of_text("!")));
    for (;;) {
        struct span received;
        TRY(datagram_receive(fd, question, sizeof question, &received));
        if (received.size == 0)
            return DONE;
        TRY(answer(plan, fd));
    }
}

// --- the other end ------------------------------------------------------------------------------

struct status_line {
    int fd;
    pid_t pid;
};

void status_line_free(struct status_line **owner)
{
    struct status_line *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    datagram_stop(&self->fd, &self->pid, 0);
    free(self);
}

int status_line_fd(const struct status_line *self)
{
    return self->fd;
}

fault status_line_start(const char *store, const char *folder, struct status_line **out)
{
    OWNED(status_line) self = owned_new(sizeof *self);
    struct plan plan = {store, folder};
    const struct datagram_child child = {"chaski-statuses", run, &plan};
    uint8_t ready[8];
    struct span received;
    self->fd = -1;
    TRY(datagram_start(&child, &self->fd, &self->pid));
    TRY(datagram_await(self->fd, START_WAIT_MS, "the process that asks for statuses", ready,
                       sizeof ready, &received));
    *out = TAKE(self);
    return DONE;
}

fault status_line_begin(struct status_line *self)
{
    return datagram_send(self->fd, span_of_text("?"));
}

fault status_line_take(struct status_line *self, fault *round, struct status_counts *counts)
{
    uint8_t packed[ANSWER_BYTES_MAX];
    struct span received;
    TRY(datagram_await(self->fd, 0, "the process that asks for statuses", packed, sizeof packed,
                       &received));
    Chaski__StatusRound *got = chaski__status_round__unpack(NULL, received.size, received.at);
    if (got == NULL)
        return RAISE(INTERNAL, "the process that asks for statuses speaks another language");
    *counts =
        (struct status_counts){got->asked, got->good, got->revoked, got->unknown, got->unanswered};
    enum fault_code code = fault_known(got->fault) ? (enum fault_code)got->fault : INTERNAL;
    *round = got->fault == OK ? DONE : RAISE(code, "%s", got->detail);
    chaski__status_round__free_unpacked(got, NULL);
    return DONE;
}
