// SPDX-License-Identifier: MIT
/* push_listen ADDRESS KEYFILE COUNT: takes COUNT news of a directory as a follower would and says,
 * for each, the size in its note and how many acts came with it. KEYFILE: the sender's own, for its
 * public half. Shares no code with the sender but the protobuf encoding. */
#include "directory.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void need(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "push_listen: %s: %s\n", what, zmq_strerror(zmq_errno()));
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

static void *connect_to(void *context, const char *address, const char *server)
{
    char own_public[41], own_secret[41];
    void *socket = zmq_socket(context, ZMQ_SUB);
    int one = 1;
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

static void take(void *socket)
{
    static char note[65536];
    static unsigned char body[131072];
    unsigned long size = 0;
    int got = zmq_recv(socket, note, sizeof note - 1, 0);
    need(got > 0 && got < (int)sizeof note, "a note");
    note[got] = '\0';
    got = zmq_recv(socket, body, sizeof body, 0);
    need(got >= 0 && got <= (int)sizeof body, "acts");
    Chaski__DirectoryPush *push = chaski__directory_push__unpack(NULL, (size_t)got, body);
    const char *line = strchr(note, '\n');
    need(push != NULL && line != NULL && sscanf(line, "%lu", &size) == 1, "the form");
    printf("size %lu leaves %zu\n", size, push->n_leaf);
    fflush(stdout);
    chaski__directory_push__free_unpacked(push, NULL);
}

int main(int count, char **words)
{
    char server[41];
    if (count != 4)
        return 2;
    void *context = zmq_ctx_new();
    read_key(words[2], server);
    void *socket = connect_to(context, words[1], server);
    puts("listening");
    fflush(stdout);
    for (int i = atoi(words[3]); i > 0; i--)
        take(socket);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
