// SPDX-License-Identifier: MIT
#include "registry/serve/reach_call.h"

#include "lib/base/text.h"
#include "lib/net/reach.h"
#include "registry/public_address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <resolv.h>
#include <string.h>
#include <unistd.h>

#undef REFUSED /* that of resolv.h */

#define SCHEME "tcp://"
#define RESOLVE_S 2 /* for one name server */

/* One family, over all addresses of the request. */
struct family {
    int number;
    unsigned tries;
    bool reached;
    char words[REACH_WORDS_ROOM]; /* "" as long as there is no address */
};

struct call {
    const struct reach_ask *ask;
    struct family four, six;
};

static void say_not_reached(struct family *family, const char *why)
{
    text_format(family->words, sizeof family->words, "not reached: %s", why);
}

// --- one address --------------------------------------------------------------------------------

static int error_of(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static int connect_in_time(int fd, const struct addrinfo *to)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    return poll(&wait, 1, REACH_CONNECT_MS) == 1 ? error_of(fd) : ETIMEDOUT;
}

/* Why no connection comes about; NULL when it does. */
static const char *connect_to(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return "this machine does not speak this family";
    int error = connect_in_time(fd, to);
    close(fd);
    return error == 0              ? NULL
           : error == ETIMEDOUT    ? "nothing answers there"
           : error == ECONNREFUSED ? "the connection is refused: nothing listens there"
                                   : "there is no way from here";
}

static fault try_it(const struct call *call, struct family *family, const struct addrinfo *to)
{
    char host[NI_MAXHOST], port[NI_MAXSERV], address[NI_MAXHOST + NI_MAXSERV + 16];
    enum reach_end end = REACH_NOBODY;
    const char *why = connect_to(to);
    if (why != NULL) {
        say_not_reached(family, why);
        return DONE;
    }
    if (getnameinfo(to->ai_addr, to->ai_addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return RAISE(INTERNAL, "an address that cannot be written");
    text_format(address, sizeof address,
                family->number == AF_INET6 ? "tcp://[%s]:%s" : "tcp://%s:%s", host, port);
    TRY(reach_try(address, call->ask->transport_key, REACH_HANDSHAKE_MS, &end));
    family->reached = end == REACH_PROVEN;
    if (family->reached)
        text_format(family->words, sizeof family->words, "reached");
    else
        say_not_reached(family, end == REACH_OTHER ? "what answers there does not show the "
                                                     "request's transport key"
                                                   : "the connection does not hold");
    return DONE;
}

static fault try_allowed(struct call *call, const struct addrinfo *to)
{
    struct family *family = to->ai_family == AF_INET    ? &call->four
                            : to->ai_family == AF_INET6 ? &call->six
                                                        : NULL;
    if (family == NULL || family->reached)
        return DONE;
    if (!call->ask->private_too &&
        (!public_address_is(to->ai_addr) || public_address_is_own(to->ai_addr))) {
        if (family->words[0] == '\0')
            text_format(family->words, sizeof family->words,
                        "not tried: a private or reserved address");
        return DONE;
    }
    if (family->tries == REACH_TRIES_MAX)
        return DONE;
    family->tries++;
    return try_it(call, family, to);
}

// --- all of them --------------------------------------------------------------------------------

/* HOST of tcp://HOST:PORT, and PORT; the brackets of an IPv6 address go. */
static bool split(const char *address, char host[NI_MAXHOST], const char **port)
{
    const char *from = address + sizeof SCHEME - 1, *colon = strrchr(address, ':');
    if (strncmp(address, SCHEME, sizeof SCHEME - 1) != 0 || colon == NULL || colon <= from)
        return false;
    size_t size = (size_t)(colon - from);
    if (*from == '[' && size > 2 && from[size - 1] == ']') {
        from++;
        size -= 2;
    }
    *port = colon + 1;
    return text_format(host, NI_MAXHOST, "%.*s", (int)size, from);
}

static fault try_name(struct call *call, const char *address)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all = NULL;
    char host[NI_MAXHOST];
    const char *port = NULL;
    if (!split(address, host, &port))
        return RAISE(REFUSED, "an address that is not tcp://HOST:PORT");
    if (getaddrinfo(host, port, &hints, &all) != 0)
        return DONE; /* another may have one */
    fault f = DONE;
    for (const struct addrinfo *at = all; at != NULL && !failed(f); at = at->ai_next)
        f = try_allowed(call, at);
    freeaddrinfo(all);
    return f;
}

/* A family without an address is no fault of the agency's. */
static bool is_well(const struct family *family)
{
    return family->reached || family->words[0] == '\0';
}

static void write_words(const struct family *family, char out[REACH_WORDS_ROOM])
{
    text_format(out, REACH_WORDS_ROOM, "%s",
                family->words[0] == '\0' ? "no address" : family->words);
}

fault reach_call(const struct reach_ask *ask, struct reach *out)
{
    struct call call = {.ask = ask, .four = {.number = AF_INET}, .six = {.number = AF_INET6}};
    if (res_init() == 0) { /* a name that nobody answers for must not hold up the next request */
        _res.retrans = RESOLVE_S;
        _res.retry = 1;
    }
    for (size_t i = 0; i < ask->addresses; i++)
        TRY(try_name(&call, ask->address[i]));
    write_words(&call.four, out->ipv4);
    write_words(&call.six, out->ipv6);
    out->all = (call.four.reached || call.six.reached) && is_well(&call.four) && is_well(&call.six);
    return DONE;
}
