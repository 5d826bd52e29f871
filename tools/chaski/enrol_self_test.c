// SPDX-License-Identifier: MIT
/* What an agency can find out about itself before it asks to be enrolled. What others see of it,
 * the authority finds out. */
#include "tools/chaski/enrol.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/heartbeat.h"
#include "tools/chaski/log_key.h"
#include "tools/chaski/web.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_BYTES 1024
#define BLOCK_BYTES 4096
#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 64)
#define HOST_BYTES 256

static void say(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("  %-10s ", what);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

// --- clock and way to the registry --------------------------------------------------------------

struct word {
    bool reached;
    bool is_signed;
    int64_t asked_ms, date_ms, signed_ms;
};

/* Ahead: positive. Half a minute is what an answer and its whole seconds may hide. */
static int64_t off_by(int64_t ours_ms, int64_t theirs_ms)
{
    return ours_ms - theirs_ms;
}

/* By the anchor's key, or by the one that has its place since the anchor was made. */
static fault open_heartbeat(const struct anchor_file *anchor, const char *at, struct span note,
                            struct heartbeat *out)
{
    struct note_key key;
    fault f = heartbeat_open(note, &anchor->directory, out);
    if (f.code != SIGNATURE_BAD)
        return f;
    TRY(log_key_fetch(anchor, at, &key));
    return heartbeat_open(note, &key, out);
}

static void take_heartbeat(const struct anchor_file *anchor, const char *at,
                           const struct web_answer *answer, struct word *out)
{
    struct heartbeat beat;
    out->reached = answer->status == 200;
    out->date_ms = answer->date_ms;
    out->asked_ms = clock_wall_ms();
    out->is_signed =
        out->reached && !failed(open_heartbeat(anchor, at, bytes_span(answer->body), &beat));
    if (out->is_signed)
        out->signed_ms = (int64_t)beat.time_s * 1000;
}

/* One family, in words; the first that answers tells the time. */
static const char *ask_by(const struct anchor_file *anchor, const char *at, enum web_family family,
                          struct word *word)
{
    char url[URL_BYTES];
    struct web_answer answer;
    text_format(url, sizeof url, "%s/directory/heartbeat", at);
    const struct web_ask ask = {url, NULL, family, NOTE_BYTES_MAX, NULL};
    fault f = web_ask(&ask, &answer);
    if (f.code == NOT_FOUND)
        return "not tried, the registry has no such address";
    if (failed(f)) {
        say(family == WEB_IPV4 ? "IPv4" : "IPv6", "not reached: %s", fault_detail());
        return "not reached";
    }
    struct word said = {0};
    take_heartbeat(anchor, at, &answer, &said);
    bytes_free(&answer.body);
    if (!said.is_signed)
        return said.reached ? "answers what neither the anchor's key nor a later one signed"
                            : "no heartbeat there";
    if (!word->is_signed)
        *word = said;
    return "reached";
}

static fault check_reach(const struct anchor_file *anchor, const char *at, struct word *word,
                         json_t *receipt)
{
    const char *four = ask_by(anchor, at, WEB_IPV4, word);
    const char *six = ask_by(anchor, at, WEB_IPV6, word);
    say("registry", "%s; IPv4: %s, IPv6: %s", at, four, six);
    json_object_set_new(receipt, "registry",
                        json_pack("{s:s,s:s,s:s}", "at", at, "ipv4", four, "ipv6", six));
    return word->is_signed
               ? DONE
               : RAISE(PEER_UNREACHABLE,
                       "the registry at %s is not reached, or it is another one: IPv4: %s, IPv6: "
                       "%s. Nothing was sent; run it again when the way is open",
                       at, four, six);
}

/* The signed word counts. It may be old, from a mirror: then the unsigned date says whose fault. */
static fault check_clock(const struct word *word, json_t *receipt)
{
    int64_t off_ms = off_by(word->asked_ms, word->signed_ms);
    int64_t date_off_ms = word->date_ms == 0 ? off_ms : off_by(word->asked_ms, word->date_ms);
    json_object_set_new(receipt, "clock_off_ms", json_integer((json_int_t)off_ms));
    if (off_ms < -DIRECTORY_AHEAD_MS)
        return RAISE(REFUSED,
                     "this machine's clock is %" PRId64
                     " s behind the word that the registry signed: put it right (NTP) and run this "
                     "again; if it is right, the registry's is wrong: tell the authority",
                     -off_ms / 1000);
    if (off_ms > DIRECTORY_AHEAD_MS && date_off_ms > DIRECTORY_AHEAD_MS)
        return RAISE(REFUSED,
                     "this machine's clock is %" PRId64
                     " s ahead of the registry's: put it right (NTP) and run this again",
                     date_off_ms / 1000);
    if (off_ms > DIRECTORY_AHEAD_MS)
        say("clock",
            "agrees with the registry's machine, whose newest signed word is %" PRId64
            " s old: tell the authority",
            off_ms / 1000);
    else
        say("clock", "%" PRId64 " s since the registry's newest signed word", off_ms / 1000);
    return DONE;
}

// --- disk ---------------------------------------------------------------------------------------

static fault time_flushes(const char *folder, int64_t *slowest_us)
{
    static const uint8_t block[BLOCK_BYTES];
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/.chaski-enrol-%d", folder, (int)getpid()))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %s; the evidence log needs a folder that can be written",
                     folder, strerror(errno));
    fault f = DONE;
    for (int i = 0; i < ENROL_FSYNC_TIMES && !failed(f); i++) {
        int64_t from_us = clock_steady_us();
        f = file_write_at(fd, span_of(block, sizeof block), (off_t)i * BLOCK_BYTES);
        if (!failed(f) && fdatasync(fd) != 0)
            f = RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
        if (clock_steady_us() - from_us > *slowest_us)
            *slowest_us = clock_steady_us() - from_us;
    }
    close(fd);
    unlink(path);
    return f;
}

static fault check_disk(const struct enrol_options *options, json_t *receipt)
{
    char folder[PATH_BYTES];
    struct statvfs facts;
    int64_t slowest_us = 0;
    if (!text_format(folder, sizeof folder, "%s",
                     options->audit != NULL ? options->audit : options->keys.folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    const char *place = options->audit != NULL ? folder : dirname(folder);
    TRY(file_make_folders(place, 0700));
    if (statvfs(place, &facts) != 0)
        return RAISE(IO_FAILED, "%s: %s", place, strerror(errno));
    uint64_t free_bytes = (uint64_t)facts.f_bavail * facts.f_frsize;
    TRY(time_flushes(place, &slowest_us));
    say("disk", "%s: %" PRIu64 " MiB free, a flush takes up to %" PRId64 ".%" PRId64 " ms%s", place,
        free_bytes >> 20, slowest_us / 1000, slowest_us / 100 % 10,
        slowest_us > ENROL_FSYNC_SLOW_MS * 1000 ? ": slow; each record waits for one" : "");
    json_object_set_new(receipt, "disk_free_bytes", json_integer((json_int_t)free_bytes));
    json_object_set_new(receipt, "disk_flush_us", json_integer((json_int_t)slowest_us));
    return free_bytes >= ENROL_DISK_BYTES_LEAST
               ? DONE
               : RAISE(REFUSED,
                       "%s has %" PRIu64 " MiB free; the evidence log needs %" PRIu64
                       " to begin with",
                       place, free_bytes >> 20, ENROL_DISK_BYTES_LEAST >> 20);
}

// --- own addresses ------------------------------------------------------------------------------

/* tcp://HOST:PORT or tcp://[HOST]:PORT; the directory's own check comes at the registry. */
static bool split(const char *address, char host[HOST_BYTES], char port[8])
{
    const char *from = strncmp(address, "tcp://", 6) == 0 ? address + 6 : "";
    const char *colon = strrchr(from, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - from);
    if (size == 0 || !text_format(port, 8, "%s", colon + 1))
        return false;
    if (from[0] == '[' && from[size - 1] == ']') {
        from++;
        size -= 2;
    }
    return size > 0 && text_format(host, HOST_BYTES, "%.*s", (int)size, from);
}

static const char *try_connect(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval wait = {.tv_sec = WEB_CONNECT_MS / 1000};
    if (fd < 0)
        return "no sockets of this family here";
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    bool done = connect(fd, at->ai_addr, at->ai_addrlen) == 0;
    close(fd);
    return done ? "connected" : "not connected";
}

/* Listens there and calls itself. What is not an address of this machine may be that of a router
 * before it: only somebody outside can tell. */
static const char *try_address(const struct addrinfo *at)
{
    const int yes = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return "no sockets of this family here";
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const char *said = "listened, and not connected";
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0)
        said = errno == EADDRINUSE      ? "in use, and connected"
               : errno == EADDRNOTAVAIL ? "not of this machine; a router must pass it on"
               : errno == EACCES        ? "may not be listened on by this user"
                                        : "cannot be listened on";
    else if (listen(fd, 1) == 0 && strcmp(try_connect(at), "connected") == 0)
        said = "listened and connected";
    if (strcmp(said, "in use, and connected") == 0 && strcmp(try_connect(at), "connected") != 0)
        said = "in use, and not connected";
    close(fd);
    return said;
}

static fault check_address(const char *address, json_t *list)
{
    char host[HOST_BYTES], port[8];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    if (!split(address, host, port))
        return RAISE(BAD_REQUEST, "--address %s is not tcp://HOST:PORT", address);
    int why = getaddrinfo(host, port, &hints, &found);
    if (why != 0)
        return RAISE(REFUSED, "--address %s: %s", address, gai_strerror(why));
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        const char *family = at->ai_family == AF_INET6 ? "IPv6" : "IPv4";
        const char *said = try_address(at);
        say("address", "%s, %s: %s", address, family, said);
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s}", "address", address, "family", family, "is", said));
    }
    freeaddrinfo(found);
    return DONE;
}

static fault check_addresses(const struct enrol_options *options, json_t *receipt)
{
    json_t *list = json_array();
    json_object_set_new(receipt, "addresses", list);
    for (size_t i = 0; i < options->keys.addresses; i++)
        TRY(check_address(options->keys.address[i], list));
    return DONE;
}

static fault check_all(const struct enrol_options *options, const struct anchor_file *anchor,
                       const char *at, json_t *receipt)
{
    struct word word = {0};
    json_object_set_new(receipt, "version", json_string(PROGRAM_VERSION));
    say("version", PROGRAM_VERSION);
    TRY(check_disk(options, receipt));
    TRY(check_addresses(options, receipt));
    TRY(check_reach(anchor, at, &word, receipt));
    return check_clock(&word, receipt);
}

fault enrol_self_test(const struct enrol_options *options, const struct anchor_file *anchor,
                      const char *at, json_t **out)
{
    json_t *receipt = json_object();
    puts("self-test");
    fault f = check_all(options, anchor, at, receipt);
    if (failed(f))
        json_decref(receipt);
    else
        *out = receipt;
    return f;
}
