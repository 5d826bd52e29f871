// SPDX-License-Identifier: MIT
/* mute PORT: takes connections on the loopback and says nothing, for tests of what hangs. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)(argc == 2 ? strtoul(argv[1], NULL, 10) : 0))};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (argc != 2 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 16) != 0) {
        perror("mute PORT");
        return 1;
    }
    for (;;)
        pause(); /* the kernel takes connections into the backlog; nobody ever answers */
}
