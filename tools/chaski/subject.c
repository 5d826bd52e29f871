// SPDX-License-Identifier: MIT
/* chaski subject token: has the running node compute the pseudonym of a person, for a search with a
 * mandate. The number is read from standard input alone: an argument is seen by others. */
#include "tools/chaski/commands.h"

#include "lib/base/text.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/seal.h"
#include "tools/chaski/order.h"

#include "audit.pb-c.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_BYTES_MAX 128

struct token {
    const char *config, *ground, *officer;
    uint64_t year, wait_s;
    char person[PSEUDONYM_TEXT_ROOM];
};

static fault take_options(int argc, char **argv, struct token *out)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},  {"ground", required_argument, NULL, 'g'},
        {"officer", required_argument, NULL, 'o'}, {"year", required_argument, NULL, 'y'},
        {"wait", required_argument, NULL, 'w'},    {0}};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (code == 'c')
            out->config = optarg;
        else if (code == 'g')
            out->ground = optarg;
        else if (code == 'o')
            out->officer = optarg;
        else if (code == 'y')
            TRY(text_number(span_of_text(optarg), SUBJECT_YEAR_LAST, &out->year));
        else if (code == 'w')
            TRY(text_number(span_of_text(optarg), 86400, &out->wait_s));
        else
            return RAISE(BAD_REQUEST, "an option that is not known");
    }
    if (optind != argc)
        return RAISE(BAD_REQUEST, "the number is read from standard input: others see arguments");
    return out->config != NULL && out->ground != NULL && out->officer != NULL
               ? DONE
               : RAISE(BAD_REQUEST, "subject token needs --config, --ground and --officer");
}

static fault read_person(struct token *out)
{
    char line[LINE_BYTES_MAX];
    if (isatty(STDIN_FILENO))
        fputs("type and number of the document: ", stderr);
    ssize_t got = read(STDIN_FILENO, line, sizeof line);
    if (got <= 0)
        return RAISE(BAD_REQUEST, "nothing came on standard input");
    while (got > 0 && (line[got - 1] == '\n' || line[got - 1] == '\r'))
        got--;
    fault f = pseudonym_normalise(span_of(line, (size_t)got), out->person);
    seal_wipe(line, sizeof line);
    return f;
}

static fault connect_to(const char *config, int *out)
{
    char folder[PATH_MAX], orders[PATH_MAX];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    TRY(order_folders(config, folder, orders));
    if (!text_format(address.sun_path, sizeof address.sun_path, "%s/look", orders))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long for a socket in it");
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return RAISE(SERVER_AWAY, "%s: %s; the node must be running", address.sun_path,
                     strerror(error));
    }
    *out = fd;
    return DONE;
}

static fault say(const Chaski__LookResult *result)
{
    char hex[2 * PSEUDONYM_BYTES + 1];
    if (result->fault != OK)
        return RAISE(fault_known(result->fault) ? (enum fault_code)result->fault : INTERNAL, "%s",
                     result->detail);
    if (result->pseudonym.len != PSEUDONYM_BYTES)
        return RAISE(INTERNAL, "the answer holds no pseudonym");
    text_hex(span_of(result->pseudonym.data, PSEUDONYM_BYTES), hex, sizeof hex);
    printf("%u-%s\n", result->year, hex);
    fprintf(stderr,
            "recorded by entry %" PRIu64 " of the log; search: chaski-audit search DIR "
            "--subject and the digits behind the hyphen\n",
            result->record);
    return DONE;
}

static fault ask(struct token *self, int fd)
{
    uint8_t answer[1024];
    Chaski__LookOrder order = CHASKI__LOOK_ORDER__INIT;
    OWNED(bytes) packed = NULL;
    order.person = self->person;
    order.year = (uint32_t)self->year;
    order.ground = (char *)(uintptr_t)self->ground;
    order.officer = (char *)(uintptr_t)self->officer;
    TRY(bytes_new(chaski__look_order__get_packed_size(&order), &packed));
    chaski__look_order__pack(&order, packed->data);
    ssize_t sent = send(fd, packed->data, packed->size, MSG_NOSIGNAL);
    seal_wipe(packed->data, packed->size);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (sent != (ssize_t)packed->size || poll(&wait, 1, (int)self->wait_s * 1000) != 1)
        return RAISE(SERVER_AWAY, "the node does not answer; a look may stand in its log");
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got <= 0)
        return RAISE(SERVER_AWAY, "the node is busy with another look; ask again");
    Chaski__LookResult *result = chaski__look_result__unpack(NULL, (size_t)got, answer);
    if (result == NULL)
        return RAISE(INTERNAL, "the answer cannot be read");
    fault f = say(result);
    chaski__look_result__free_unpacked(result, NULL);
    return f;
}

fault subject_command(int argc, char **argv)
{
    struct token self = {.wait_s = ORDER_WAIT_S_DEFAULT};
    int fd = -1;
    if (argc < 2 || strcmp(argv[1], "token") != 0)
        return RAISE(BAD_REQUEST, "it is: chaski subject token");
    TRY(take_options(argc - 1, argv + 1, &self));
    TRY(read_person(&self));
    fault f = connect_to(self.config, &fd);
    if (!failed(f))
        f = ask(&self, fd);
    seal_wipe(self.person, sizeof self.person);
    if (fd >= 0)
        close(fd);
    return f;
}
