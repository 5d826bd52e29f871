// SPDX-License-Identifier: MIT
/* chaski free-ports N: ports of the loopback that are free now, for demos and tests. */
#include "tools/chaski/commands.h"

#include "lib/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_MAX 64

static fault one_port(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0 || bind(*fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(*fd, (struct sockaddr *)&address, &size) != 0)
        return RAISE(IO_FAILED, "no free port: %s", strerror(errno));
    printf("%u\n", ntohs(address.sin_port));
    return DONE;
}

fault free_ports_command(int argc, char **argv)
{
    uint64_t count = 1;
    int fd[PORTS_MAX];
    fault f = DONE;
    if (argc > 1)
        TRY(text_number(span_of_text(argv[1]), PORTS_MAX, &count));
    /* all are held until the last is found, so that they differ */
    size_t held = 0;
    for (; !failed(f) && held < count; held++)
        f = one_port(&fd[held]);
    while (held > 0)
        close(fd[--held]);
    return f;
}
