// SPDX-License-Identifier: MIT
#include "security-server/exchange/look_desk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/seal.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/subject_keys.h"

#include "audit.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAM_BYTES_MAX (2 * ORDER_WORDS_BYTES_MAX + 256)
#define WAIT_MS 5000 /* for who has connected to say something */
#define BACKLOG 4

/* One officer at a time. */
struct look_desk {
    struct node *node;
    struct loop_watch door, caller; /* caller.fd -1: nobody is here */
    struct loop_timer timer;
    struct sockaddr_un address;
    bool busy; /* with a pseudonym, or its record */
    char ground[ORDER_WORDS_BYTES_MAX + 1], officer[ORDER_WORDS_BYTES_MAX + 1];
    struct look_act act;
};

// --- answering ----------------------------------------------------------------------------------

static void let_go(struct look_desk *self)
{
    loop_stop_timer(self->node->loop, &self->timer);
    if (self->caller.fd < 0)
        return;
    loop_unwatch(self->node->loop, &self->caller);
    close(self->caller.fd);
    self->caller.fd = -1;
}

static void answer(struct look_desk *self, fault f, uint64_t record)
{
    char detail[300] = "";
    uint8_t packed[512];
    Chaski__LookResult result = CHASKI__LOOK_RESULT__INIT;
    if (failed(f))
        text_format(detail, sizeof detail, "%s", fault_detail());
    result.fault = f.code;
    result.detail = detail;
    result.record = record;
    result.year = self->act.year;
    if (!failed(f))
        result.pseudonym = (ProtobufCBinaryData){PSEUDONYM_BYTES, self->act.pseudonym.at};
    size_t size = chaski__look_result__pack(&result, packed);
    if (self->caller.fd >= 0 &&
        send(self->caller.fd, packed, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        EVENT(WARN, "look.not_answered", E_NUMBER("entry", record));
    self->busy = false;
    let_go(self);
}

static void recorded(void *owner, fault f, uint64_t index)
{
    struct look_desk *self = owner;
    if (!failed(f))
        EVENT(INFO, "look.recorded", E_NUMBER("entry", index), E_TEXT("officer", self->officer));
    answer(self, f, index);
}

static void made(void *owner, fault f, struct span result)
{
    struct look_desk *self = owner;
    if (!failed(f) && result.size != PSEUDONYM_BYTES)
        f = RAISE(INTERNAL, "a pseudonym of %zu bytes", result.size);
    if (failed(f)) {
        answer(self, f, 0);
        return;
    }
    memcpy(self->act.pseudonym.at, result.at, PSEUDONYM_BYTES);
    own_record_look(self->node, &self->act, recorded, self);
}

// --- asking -------------------------------------------------------------------------------------

static fault take_words(struct look_desk *self, const Chaski__LookOrder *order)
{
    const char *words[] = {order->ground, order->officer};
    for (size_t i = 0; i < 2; i++)
        if (words[i][0] == '\0' || strlen(words[i]) > ORDER_WORDS_BYTES_MAX ||
            !text_is_plain(span_of_text(words[i])))
            return RAISE(BAD_REQUEST,
                         "ground and officer are needed, plain text of at most %d bytes",
                         ORDER_WORDS_BYTES_MAX);
    text_format(self->ground, sizeof self->ground, "%s", order->ground);
    text_format(self->officer, sizeof self->officer, "%s", order->officer);
    return DONE;
}

/* A ground that holds the number would write it down. */
static fault check_ground(const struct look_desk *self, const char *person)
{
    const char *number = strchr(person, ' ') + 1;
    return strstr(self->ground, number) == NULL && strstr(self->officer, number) == NULL
               ? DONE
               : RAISE(BAD_REQUEST, "ground or officer hold the number itself: name a case");
}

static fault begin(struct look_desk *self, const Chaski__LookOrder *order)
{
    char person[PSEUDONYM_TEXT_ROOM];
    unsigned year = order->year;
    TRY(node_begun(self->node));
    TRY(take_words(self, order));
    TRY(pseudonym_normalise(span_of_text(order->person), person));
    fault f = check_ground(self, person);
    if (!failed(f) && year == 0)
        f = subject_keys_year(self->node->subject_keys, clock_wall_ms(), &year);
    if (!failed(f)) {
        self->act =
            (struct look_act){.year = year, .ground = self->ground, .officer = self->officer};
        self->busy = true;
        keys_line_pseudonym(self->node->keys, year, person, made, self);
    }
    seal_wipe(person, sizeof person);
    return f;
}

static fault take_order(struct look_desk *self, struct span datagram)
{
    Chaski__LookOrder *order = chaski__look_order__unpack(NULL, datagram.size, datagram.at);
    if (order == NULL)
        return RAISE(BAD_REQUEST, "that is no order");
    fault f = begin(self, order);
    seal_wipe(order->person, strlen(order->person));
    chaski__look_order__free_unpacked(order, NULL);
    return f;
}

static void on_caller(struct loop_watch *watch, uint32_t bits)
{
    struct look_desk *self = watch->owner;
    uint8_t datagram[DATAGRAM_BYTES_MAX];
    (void)bits;
    ssize_t got = recv(watch->fd, datagram, sizeof datagram, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || self->busy) { /* gone; its record, if one is under way, is made all the same */
        let_go(self);
        return;
    }
    loop_stop_timer(self->node->loop, &self->timer);
    fault f = (size_t)got > sizeof datagram ? RAISE(BAD_REQUEST, "an order of %zd bytes", got)
                                            : take_order(self, span_of(datagram, (size_t)got));
    seal_wipe(datagram, sizeof datagram);
    if (failed(f))
        answer(self, f, 0);
}

static void on_timer(struct loop_timer *timer)
{
    let_go(timer->owner);
}

static void on_door(struct loop_watch *watch, uint32_t bits)
{
    struct look_desk *self = watch->owner;
    (void)bits;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (self->caller.fd >= 0 || self->busy) { /* asks again */
        close(fd);
        return;
    }
    self->caller =
        (struct loop_watch){.fd = fd, .bits = EPOLLIN, .ready = on_caller, .owner = self};
    if (failed(loop_watch(self->node->loop, &self->caller))) {
        close(fd);
        self->caller.fd = -1;
        return;
    }
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(self->node->loop, &self->timer, WAIT_MS);
}

// --- life ---------------------------------------------------------------------------------------

static fault open_door(struct look_desk *self)
{
    self->address.sun_family = AF_UNIX;
    if (!text_format(self->address.sun_path, sizeof self->address.sun_path, "%s/orders/look",
                     self->node->config->audit_folder))
        return RAISE(BAD_CONFIG, "audit_folder is too long for a socket in it: %zu bytes at most",
                     sizeof self->address.sun_path - sizeof "/orders/look");
    unlink(self->address.sun_path); /* of an earlier run; the log's lock says that it has ended */
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return RAISE(IO_FAILED, "a socket: %s", strerror(errno));
    self->door.fd = fd;
    if (bind(fd, (const struct sockaddr *)&self->address, sizeof self->address) != 0 ||
        chmod(self->address.sun_path, 0600) != 0 || listen(fd, BACKLOG) != 0)
        return RAISE(IO_FAILED, "%s: %s", self->address.sun_path, strerror(errno));
    self->door = (struct loop_watch){.fd = fd, .bits = EPOLLIN, .ready = on_door, .owner = self};
    return loop_watch(self->node->loop, &self->door);
}

struct look_desk *look_desk_new(struct node *node)
{
    struct look_desk *self = owned_new(sizeof *self);
    self->node = node;
    self->door.fd = self->caller.fd = -1;
    fault f = open_door(self);
    if (!failed(f))
        return self;
    EVENT(WARN, "look.not_opened", E_FAULT(f));
    if (self->door.fd >= 0)
        close(self->door.fd);
    free(self);
    return NULL;
}

void look_desk_free(struct look_desk **self)
{
    if (*self == NULL)
        return;
    let_go(*self);
    loop_unwatch((*self)->node->loop, &(*self)->door);
    close((*self)->door.fd);
    unlink((*self)->address.sun_path);
    free(*self);
    *self = NULL;
}
