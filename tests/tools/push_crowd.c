// SPDX-License-Identifier: MIT
/*
 * push_crowd - as many followers of a directory's push as asked, each with a connection and keys of
 * its own, in one process: for measurements.
 *
 *   push_crowd ADDRESS KEY_FILE COUNT
 *       until it is killed: a line `SIZE TIME_MS` for each follower each time that it hears of a
 *       larger head. TIME_MS: wall clock, when the note was read; others of the crowd may have been
 *       read before, so it is late rather than early. KEY_FILE: the sender's, for its public half
 *
 * It checks no signature. Shares no code with the sender.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#define CROWD_MAX 10000
#define NOTE_BYTES_MAX 4096
#define PAUSE_EVERY 100 /* connections; a listener's backlog is short */
#define PAUSE_MS 100

struct follower {
    void *socket;
    uint64_t size;
};

static void need(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "push_crowd: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static void read_key(const char *path, char public_text[41])
{
    char secret[41] = "";
    FILE *file = fopen(path, "r");
    need(file != NULL && fread(secret, 1, 40, file) == 40, "the key");
    fclose(file);
    need(zmq_curve_public(public_text, secret) == 0, "the key");
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

static void *connect_to(void *context, const char *address, const char *server)
{
    char own_public[41], own_secret[41];
    void *socket = zmq_socket(context, ZMQ_SUB);
    int one = 1;
    need(socket != NULL, "a socket");
    need(zmq_curve_keypair(own_public, own_secret) == 0, "keys");
    need(zmq_setsockopt(socket, ZMQ_IPV6, &one, sizeof one) == 0 &&
             zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, 41) == 0 &&
             zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own_public, 41) == 0 &&
             zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own_secret, 41) == 0 &&
             zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) == 0,
         "options");
    need(zmq_connect(socket, address) == 0, "connecting");
    return socket;
}

/* One note, of a head or a heartbeat: the size stands in the second line of both. False: no more.
 */
static int take(struct follower *self)
{
    char note[NOTE_BYTES_MAX + 1];
    uint64_t size = 0;
    int got = zmq_recv(self->socket, note, NOTE_BYTES_MAX, ZMQ_DONTWAIT);
    if (got < 0)
        return 0;
    int64_t now_ms = wall_ms();
    int more = 0;
    size_t room = sizeof more;
    need(zmq_getsockopt(self->socket, ZMQ_RCVMORE, &more, &room) == 0 && more, "two frames");
    need(zmq_recv(self->socket, NULL, 0, 0) >= 0, "acts");
    note[got < NOTE_BYTES_MAX ? got : NOTE_BYTES_MAX] = '\0';
    const char *line = strchr(note, '\n');
    need(line != NULL && sscanf(line, "%" SCNu64, &size) == 1, "a note");
    if (size > self->size) {
        self->size = size;
        printf("%" PRIu64 " %" PRId64 "\n", size, now_ms);
    }
    return 1;
}

int main(int count, char **words)
{
    static struct follower crowd[CROWD_MAX];
    static zmq_pollitem_t item[CROWD_MAX];
    char server[41];
    int followers = count == 4 ? atoi(words[3]) : 0;
    if (followers < 1 || followers > CROWD_MAX)
        return 2;
    void *context = zmq_ctx_new();
    need(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, followers + 16) == 0, "that many sockets");
    read_key(words[2], server);
    for (int i = 0; i < followers; i++) {
        crowd[i].socket = connect_to(context, words[1], server);
        item[i] = (zmq_pollitem_t){.socket = crowd[i].socket, .events = ZMQ_POLLIN};
        if (i % PAUSE_EVERY == PAUSE_EVERY - 1)
            pause_ms(PAUSE_MS);
    }
    for (;;) {
        need(zmq_poll(item, followers, -1) >= 0, "waiting");
        for (int i = 0; i < followers; i++)
            while ((item[i].revents & ZMQ_POLLIN) != 0 && take(&crowd[i]))
                continue;
        fflush(stdout);
    }
}
