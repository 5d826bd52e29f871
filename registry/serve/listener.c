// SPDX-License-Identifier: MIT
#include "registry/serve/listener.h"

#include "lib/base/text.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 256

/* freeaddrinfo() the result. */
static fault read_address(const char *text, struct addrinfo **out)
{
    static const struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                           .ai_socktype = SOCK_STREAM};
    char host[LISTENER_ADDRESS_BYTES];
    const char *colon = strrchr(text, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);
    bool bracketed = size > 2 && text[0] == '[' && text[size - 1] == ']';
    uint64_t port = 0;
    if (size == 0 || size >= sizeof host ||
        failed(text_number(span_of_text(colon + 1), 65535, &port)) ||
        (!bracketed && memchr(text, ':', size) != NULL) ||
        !text_format(host, sizeof host, "%.*s", (int)(bracketed ? size - 2 : size),
                     text + bracketed) ||
        getaddrinfo(host, colon + 1, &wanted, out) != 0)
        return RAISE(BAD_CONFIG, "'%.100s' is not an address such as 127.0.0.1:8080 or [::1]:8080",
                     text);
    return DONE;
}

static fault name_it(int fd, char address[LISTENER_ADDRESS_BYTES])
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char host[LISTENER_ADDRESS_BYTES - 16], port[8];
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return RAISE(IO_FAILED, "where it listens: %m");
    text_format(address, LISTENER_ADDRESS_BYTES, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
                host, port);
    return DONE;
}

fault listener_open(const char *text, int *out_fd, char address[LISTENER_ADDRESS_BYTES])
{
    struct addrinfo *where = NULL;
    int one = 1, zero = 0;
    TRY(read_address(text, &where));
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 &&
        where->ai_family == AF_INET6) /* [::] is both families, whatever the system's default */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    fault f = DONE;
    if (fd < 0 || bind(fd, where->ai_addr, where->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
        f = RAISE(IO_FAILED, "listening at %.100s: %m", text);
    freeaddrinfo(where);
    if (!failed(f))
        f = name_it(fd, address);
    if (failed(f) && fd >= 0)
        close(fd);
    else if (!failed(f))
        *out_fd = fd;
    return f;
}
