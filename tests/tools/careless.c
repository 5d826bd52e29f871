// SPDX-License-Identifier: MIT
/*
 * careless - an agency's own service as it should not be: its path chooses what is wrong.
 *
 * /echo alone does as it should: it answers the head that it got. /large is large, and quick.
 *
 *   careless PORT        one connection at a time, one byte at a time, closed after each answer
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *path, *answer;
} answers[] = {
    {"/good", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"/continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"/chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"},
    {"/until-close", "HTTP/1.0 200 OK\r\n\r\nok"},
    {"/forger", "HTTP/1.1 200 OK\r\nX-Road-Service: forged\r\nx-road-id: forged\r\nChaski-Receipt: "
                "forged\r\nX-Road-Error: forged\r\nX-Road-Security-Server: "
                "forged\r\nX_Road_Error: forged\r\nChaski-Total: forged\r\nX-Hop: "
                "forged\r\nConnection: x-hop\r\nDate: a\r\nDate: b\r\nContent-Length: "
                "2\r\n\r\nok"},
    {"/not-http", "hello\r\n\r\n"},
    {"/early", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"},
    {"/broken-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
    {"/two-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"},
    {"/folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok"},
    {"/split", "HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\nContent-Length: 2\r\n\r\nok"},
    {"/upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
    {"/huge", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"},
    {"/silent-end", ""},
};

static const char *answer_to(const char *request)
{
    const char *path = strchr(request, ' ');
    for (size_t i = 0; path != NULL && i < sizeof answers / sizeof answers[0]; i++) {
        size_t length = strlen(answers[i].path);
        if (strncmp(path + 1, answers[i].path, length) == 0 && path[1 + length] == ' ')
            return answers[i].answer;
    }
    return "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
}

static bool say(int fd, const char *text)
{
    for (; *text != '\0'; text++)
        if (write(fd, text, 1) != 1)
            return false;
    return true;
}

static void echo(int fd, const char *request)
{
    char head[64];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(request));
    if (say(fd, head))
        say(fd, request);
}

#define LARGE_BYTES 7900000

static void say_much(int fd)
{
    static char block[LARGE_BYTES];
    char head[64];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE_BYTES);
    if (!say(fd, head))
        return;
    for (ssize_t sent = 0, more; sent < LARGE_BYTES; sent += more)
        if ((more = write(fd, block + sent, (size_t)(LARGE_BYTES - sent))) <= 0)
            return;
}

static void serve(int fd)
{
    char request[8192];
    size_t size = 0;
    request[0] = '\0';
    while (strstr(request, "\r\n\r\n") == NULL && size + 1 < sizeof request) {
        ssize_t got = read(fd, request + size, sizeof request - 1 - size);
        if (got <= 0)
            return;
        size += (size_t)got;
        request[size] = '\0';
    }
    if (strstr(request, " /echo ") != NULL)
        echo(fd, request);
    else if (strstr(request, " /large ") != NULL)
        say_much(fd);
    else
        say(fd, answer_to(request));
}

int main(int argc, char **argv)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)(argc == 2 ? strtoul(argv[1], NULL, 10) : 0));
    signal(SIGPIPE, SIG_IGN);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (argc != 2 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 64) != 0) {
        perror("careless");
        return 1;
    }
    for (;;) {
        int caller = accept(fd, NULL, NULL);
        setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        serve(caller);
        close(caller);
    }
}
