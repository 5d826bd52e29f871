// SPDX-License-Identifier: MIT
/*
 * crowd - many callers of one HTTP service, each with a connection of its own and one request in
 * flight, and how each of them fared: for tests/bench.
 *
 *   crowd ADDRESS PORT TARGET FIELD CONNECTIONS SECONDS
 *       FIELD: a line of the request's head. The clock starts when all connections are open
 *       and have asked for WARM_MS. Who is
 *       told to come again later (503, Retry-After) does so, as a polite caller does.
 *
 * Prints one JSON object: answers 200 a second, their p50 and p99 in microseconds, what was refused
 * with 503 and how many of those said Retry-After, other answers, connections lost, connections
 * that never opened, and the spread of answers by connection: least, 5th, 50th, 95th of a hundred,
 * most, and Jain's index (1: all alike, 1/n: one has everything).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CALLERS_MAX 20000
#define HEAD_BYTES_MAX 8192
#define ANSWERS_MAX 4000000
#define OPEN_AT_ONCE 256 /* a listener's backlog is bounded */
#define OPEN_MS 30000
#define TICK_MS 10
#define WARM_MS 1000 /* not counted: the first request of each pays for connections behind */

enum state { CLOSED, OPENING, OPEN, ASKED, TOLD_LATER };

struct caller {
    int fd;
    enum state state;
    int64_t since_us, again_us;
    size_t have, body_left; /* of the answer's head; of its body */
    unsigned status, retry_s;
    uint64_t good;
    char head[HEAD_BYTES_MAX];
};

static struct caller callers[CALLERS_MAX];
static uint32_t took_us[ANSWERS_MAX];
static struct {
    struct sockaddr_in address;
    char request[4096];
    size_t request_size, callers, open, answers;
    uint64_t refused, refused_with_time, other, lost, unopened;
    int poll;
    int64_t until_us;
} self;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void need(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(struct caller *caller, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = caller};
    need(epoll_ctl(self.poll, how, caller->fd, &event) == 0, "watching a connection");
}

static void begin_open(struct caller *caller)
{
    int one = 1;
    caller->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    need(caller->fd >= 0, "a socket (ulimit -n)");
    setsockopt(caller->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int result = connect(caller->fd, (struct sockaddr *)&self.address, sizeof self.address);
    need(result == 0 || errno == EINPROGRESS, "connecting");
    caller->state = OPENING;
    watch(caller, EPOLL_CTL_ADD, EPOLLOUT);
}

static void lose(struct caller *caller)
{
    close(caller->fd);
    caller->fd = -1;
    caller->state = CLOSED;
}

static void ask(struct caller *caller)
{
    caller->since_us = now_us();
    caller->have = caller->body_left = 0;
    caller->state = ASKED;
    /* a request is far smaller than a socket's buffer, which is empty here */
    if (send(caller->fd, self.request, self.request_size, MSG_NOSIGNAL) !=
        (ssize_t)self.request_size)
        lose(caller);
}

/* The value of a field in the head, or NULL. */
static const char *field_of(const struct caller *caller, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = strstr(caller->head, "\r\n"); line != NULL;
         line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, size) == 0 && line[2 + size] == ':')
            return line + 3 + size;
    return NULL;
}

static void end_answer(struct caller *caller)
{
    int64_t now = now_us();
    caller->state = OPEN;
    if (caller->status == 200) {
        caller->good++;
        if (self.answers < ANSWERS_MAX)
            took_us[self.answers++] = (uint32_t)(now - caller->since_us);
    } else if (caller->status == 503) {
        self.refused++;
        self.refused_with_time += caller->retry_s > 0;
        caller->state = TOLD_LATER;
        caller->again_us = now + (int64_t)(caller->retry_s > 0 ? caller->retry_s : 1) * 1000000;
    } else {
        self.other++;
    }
    const char *connection = field_of(caller, "Connection");
    if (connection != NULL && strncasecmp(connection, " close", 6) == 0)
        lose(caller);
    else if (caller->state == OPEN)
        ask(caller);
}

/* The head is whole: what it says. Returns the bytes of the body that came with it. */
static size_t read_head(struct caller *caller, const char *end)
{
    const char *length = field_of(caller, "Content-Length"),
               *retry = field_of(caller, "Retry-After");
    caller->status = caller->have > 12 ? (unsigned)strtoul(caller->head + 9, NULL, 10) : 0;
    caller->retry_s = retry != NULL ? (unsigned)strtoul(retry, NULL, 10) : 0;
    caller->body_left = length != NULL ? strtoul(length, NULL, 10) : 0;
    return caller->have - (size_t)(end + 4 - caller->head);
}

/* False: the connection has ended. */
static int take(struct caller *caller)
{
    static char body[65536];
    bool in_body = caller->body_left > 0;
    ssize_t got = in_body ? recv(caller->fd, body, sizeof body, 0)
                          : recv(caller->fd, caller->head + caller->have,
                                 HEAD_BYTES_MAX - 1 - caller->have, 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    if (!in_body) {
        caller->have += (size_t)got;
        caller->head[caller->have] = '\0';
        const char *end = strstr(caller->head, "\r\n\r\n");
        if (end == NULL)
            return caller->have < HEAD_BYTES_MAX - 1;
        got = (ssize_t)read_head(caller, end);
    }
    if ((size_t)got > caller->body_left)
        return 0; /* more than was announced */
    caller->body_left -= (size_t)got;
    if (caller->body_left == 0)
        end_answer(caller);
    return 1;
}

static void on_event(struct caller *caller, uint32_t events)
{
    if (caller->state == OPENING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(caller->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0 || (events & EPOLLERR) != 0) {
            lose(caller);
            return;
        }
        caller->state = OPEN;
        self.open++;
        watch(caller, EPOLL_CTL_MOD, EPOLLIN);
        if (self.until_us != 0) /* one that was lost, again */
            ask(caller);
        return;
    }
    if (!take(caller) && caller->state != CLOSED) {
        self.lost += self.until_us != 0;
        lose(caller);
    }
}

static void wait_once(void)
{
    static struct epoll_event events[1024];
    int count = epoll_wait(self.poll, events, 1024, TICK_MS);
    for (int i = 0; i < count; i++)
        on_event(events[i].data.ptr, events[i].events);
}

static void open_all(void)
{
    int64_t until = now_us() + OPEN_MS * INT64_C(1000);
    size_t begun = 0;
    while (self.open < self.callers && now_us() < until) {
        while (begun < self.callers && begun < self.open + OPEN_AT_ONCE)
            begin_open(&callers[begun++]);
        wait_once();
    }
    self.unopened = self.callers - self.open;
}

/* Who was told to come later, and who lost its connection. */
static void come_again(int64_t now)
{
    for (size_t i = 0; i < self.callers; i++) {
        struct caller *caller = &callers[i];
        if (caller->state == TOLD_LATER && now >= caller->again_us)
            ask(caller);
        else if (caller->state == CLOSED && caller->fd < 0 && now >= caller->again_us)
            begin_open(caller);
    }
}

/* What was until now was to get warm. */
static void count_anew(void)
{
    self.answers = 0;
    self.refused = self.refused_with_time = self.other = self.lost = 0;
    for (size_t i = 0; i < self.callers; i++)
        callers[i].good = 0;
}

static void run(int64_t seconds)
{
    int64_t now = now_us(), looked = now, warm_us = now + WARM_MS * INT64_C(1000);
    bool warm = false;
    self.until_us = warm_us + seconds * 1000000;
    for (size_t i = 0; i < self.callers; i++)
        if (callers[i].state == OPEN)
            ask(&callers[i]);
    for (; now < self.until_us; now = now_us()) {
        wait_once();
        if (!warm && now >= warm_us) {
            count_anew();
            warm = true;
        }
        if (now - looked >= TICK_MS * 1000) {
            come_again(now);
            looked = now;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static uint32_t at_hundredth(const uint32_t *sorted, size_t count, unsigned hundredth)
{
    return count == 0 ? 0 : sorted[(count - 1) * hundredth / 100];
}

static void tell(int64_t seconds)
{
    static uint32_t share[CALLERS_MAX];
    double sum = 0, squares = 0;
    for (size_t i = 0; i < self.callers; i++) {
        share[i] = (uint32_t)callers[i].good;
        sum += share[i];
        squares += (double)share[i] * share[i];
    }
    qsort(share, self.callers, sizeof *share, by_size);
    qsort(took_us, self.answers, sizeof *took_us, by_size);
    printf("{\"rate\":%.1f,\"p50_us\":%" PRIu32 ",\"p99_us\":%" PRIu32 ",\"answered\":%.0f,"
           "\"refused\":%" PRIu64 ",\"refused_with_retry_after\":%" PRIu64 ",\"other\":%" PRIu64
           ",\"lost\":%" PRIu64 ",\"unopened\":%" PRIu64 ",",
           sum / (double)seconds, at_hundredth(took_us, self.answers, 50),
           at_hundredth(took_us, self.answers, 99), sum, self.refused, self.refused_with_time,
           self.other, self.lost, self.unopened);
    printf("\"least\":%" PRIu32 ",\"p5\":%" PRIu32 ",\"p50\":%" PRIu32 ",\"p95\":%" PRIu32
           ",\"most\":%" PRIu32 ",\"jain\":%.4f}\n",
           share[0], at_hundredth(share, self.callers, 5), at_hundredth(share, self.callers, 50),
           at_hundredth(share, self.callers, 95), share[self.callers - 1],
           squares > 0 ? sum * sum / ((double)self.callers * squares) : 0);
}

int main(int count, char **words)
{
    unsigned long port = count == 7 ? strtoul(words[2], NULL, 10) : 0;
    unsigned long many = count == 7 ? strtoul(words[5], NULL, 10) : 0;
    int seconds = count == 7 ? (int)strtol(words[6], NULL, 10) : 0;
    if (port < 1 || port > UINT16_MAX || many < 1 || many > CALLERS_MAX || seconds < 1) {
        fprintf(stderr, "crowd: see the head of crowd.c\n");
        return 2;
    }
    self.address.sin_family = AF_INET;
    self.address.sin_port = htons((uint16_t)port);
    need(inet_pton(AF_INET, words[1], &self.address.sin_addr) == 1, "the address");
    self.request_size = (size_t)snprintf(self.request, sizeof self.request,
                                         "GET %s HTTP/1.1\r\nHost: %s:%s\r\n%s\r\n\r\n", words[3],
                                         words[1], words[2], words[4]);
    need(self.request_size < sizeof self.request, "the request");
    self.callers = many;
    self.poll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < self.callers; i++)
        callers[i].fd = -1;
    open_all();
    run(seconds);
    tell(seconds);
    return 0;
}
