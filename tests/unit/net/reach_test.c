// SPDX-License-Identifier: MIT
#include "lib/net/reach.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 600

static void take_nothing(void *owner, const struct message *message)
{
    (void)owner;
    (void)message;
}

/* A node that waits: everybody who knows its key may end a handshake. */
struct bell {
    struct loop *loop;
    struct net *net;
    struct socket *socket;
    struct curve_keys keys;
    char address[256];
};

static void bell_hang(struct bell *self)
{
    curve_make(&self->keys);
    const struct socket_options options = {.kind = SOCKET_PUBLISHER,
                                           .queue_messages = 1,
                                           .message_bytes_max = 1024,
                                           .own = &self->keys};
    MUST(loop_new(&self->loop));
    MUST(net_new(self->loop, &self->net));
    MUST(socket_open(self->net, &options, take_nothing, NULL, &self->socket));
    MUST(socket_bind(self->socket, "tcp://127.0.0.1:*"));
    snprintf(self->address, sizeof self->address, "%s", socket_address(self->socket));
}

static void bell_take_down(struct bell *self)
{
    socket_close(&self->socket);
    net_free(&self->net);
    loop_free(&self->loop);
}

static void test_who_holds_the_key_is_reached(void)
{
    struct bell bell;
    enum reach_end end = REACH_NOBODY;
    bell_hang(&bell);
    MUST(reach_try(bell.address, bell.keys.public_key, WAIT_MS, &end));
    CU_ASSERT_EQUAL(end, REACH_PROVEN);
    bell_take_down(&bell);
}

static void test_another_key_is_somebody_else(void)
{
    struct bell bell;
    struct curve_keys other;
    enum reach_end end = REACH_PROVEN;
    bell_hang(&bell);
    curve_make(&other);
    MUST(reach_try(bell.address, other.public_key, WAIT_MS, &end));
    CU_ASSERT_EQUAL(end, REACH_OTHER);
    bell_take_down(&bell);
}

/* The system takes the connection, and nobody says a word. */
static void test_an_open_port_proves_nothing(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct curve_keys keys;
    char address[64];
    enum reach_end end = REACH_PROVEN;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    CU_ASSERT_EQUAL_FATAL(listen(fd, 4), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    curve_make(&keys);
    MUST(reach_try(address, keys.public_key, WAIT_MS, &end));
    CU_ASSERT_EQUAL(end, REACH_OTHER);
    close(fd);
    MUST(reach_try(address, keys.public_key, WAIT_MS, &end));
    CU_ASSERT_EQUAL(end, REACH_NOBODY);
}

SUITE(reach, TEST(test_who_holds_the_key_is_reached), TEST(test_another_key_is_somebody_else),
      TEST(test_an_open_port_proves_nothing))
