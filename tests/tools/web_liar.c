// SPDX-License-Identifier: MIT
/*
 * web_liar - a web server that does not do as it should: serves FOLDER below /directory/, or lies.
 * For tests. It shares no code with us.
 *
 *   web_liar PORT FOLDER LIE [LOG]
 *
 * LIE: honest, garbage (200, random bytes), silent (takes the request and says nothing), drip (a
 * byte each 300 ms, for ever), redirect (302 to itself), short (promises more bytes than it sends),
 *      huge (64 MiB of zeros), error (500), tiles (garbage for tiles only).
 * What is posted goes to LOG, and is answered 200.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST_BYTES 8192
#define DRIP_US 300000

static const char *folder, *lie, *log_path;

static int lies(const char *what)
{
    return strcmp(lie, what) == 0;
}

static void say(int fd, const char *status, const void *body, size_t size, size_t promised)
{
    char head[256];
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
                          "Location: /directory/checkpoint\r\n\r\n",
                          status, promised);
    if (write(fd, head, (size_t)length) == length && size > 0)
        (void)!write(fd, body, size);
}

static void say_file(int fd, const char *name)
{
    char path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = strstr(name, "..") != NULL ? -1 : open(path, O_RDONLY);
    if (file < 0 || fstat(file, &st) != 0 || !S_ISREG(st.st_mode)) {
        say(fd, "404 Not Found", "", 0, 0);
        return;
    }
    char *body = malloc((size_t)st.st_size + 1);
    ssize_t got = read(file, body, (size_t)st.st_size);
    size_t size = got < 0 ? 0 : (size_t)got;
    say(fd, "200 OK", body, size, size + (lies("short") ? 100 : 0));
    free(body);
    close(file);
}

static void say_garbage(int fd)
{
    char noise[2000];
    int source = open("/dev/urandom", O_RDONLY);
    (void)!read(source, noise, sizeof noise);
    close(source);
    say(fd, "200 OK", noise, sizeof noise, sizeof noise);
}

static void say_huge(int fd)
{
    static const char zeros[65536];
    say(fd, "200 OK", "", 0, (size_t)64 << 20);
    for (int i = 0; i < 1024 && write(fd, zeros, sizeof zeros) == (ssize_t)sizeof zeros; i++)
        ;
}

static void drip(int fd)
{
    say(fd, "200 OK", "", 0, 4000);
    while (write(fd, "x", 1) == 1)
        usleep(DRIP_US);
}

static void take_post(int fd, const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    FILE *log = log_path == NULL ? NULL : fopen(log_path, "a");
    if (log != NULL && body != NULL)
        fputs(body + 4, log);
    if (log != NULL)
        fclose(log);
    say(fd, "200 OK", "", 0, 0);
}

static void answer(int fd, char *request)
{
    char name[512] = "";
    if (strncmp(request, "POST ", 5) == 0) {
        take_post(fd, request);
        return;
    }
    sscanf(request, "GET /directory/%500s", name);
    if (lies("silent"))
        sleep(600);
    else if (lies("drip"))
        drip(fd);
    else if (lies("garbage") || (lies("tiles") && strncmp(name, "tile/", 5) == 0))
        say_garbage(fd);
    else if (lies("redirect"))
        say(fd, "302 Found", "", 0, 0);
    else if (lies("huge"))
        say_huge(fd);
    else if (lies("error"))
        say(fd, "500 Internal Server Error", "", 0, 0);
    else
        say_file(fd, name);
}

/* Head and, of what is posted, the body that it promises. */
static void take(int fd)
{
    char request[REQUEST_BYTES + 1] = "";
    size_t size = 0;
    for (;;) {
        ssize_t got = read(fd, request + size, REQUEST_BYTES - size);
        if (got <= 0)
            return;
        size += (size_t)got;
        request[size] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        size_t wanted = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
        if (end != NULL && strlen(end + 4) >= wanted)
            break;
    }
    answer(fd, request);
}

int main(int argc, char **argv)
{
    const pid_t self = getpid();
    int on = 1, door = socket(AF_INET, SOCK_STREAM, 0);
    if (argc < 4)
        return 2;
    folder = argv[2];
    lie = argv[3];
    log_path = argc > 4 ? argv[4] : NULL;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(door, (struct sockaddr *)&at, sizeof at) != 0 || listen(door, 64) != 0) {
        perror("web_liar");
        return 1;
    }
    for (;;) {
        int fd = accept(door, NULL, NULL);
        if (fd < 0)
            continue;
        if (fork() == 0) { /* it ends with us, however we do */
            if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self)
                _exit(1);
            close(door);
            alarm(600);
            take(fd);
            _exit(0);
        }
        close(fd);
    }
}
