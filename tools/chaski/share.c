// SPDX-License-Identifier: MIT
/* chaski share: puts a table or a service of the agency's own on the bus, with one command. */
#include "tools/chaski/commands.h"

#include "gateway/table.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/limits.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES 1024
#define CONFIG_BYTES_MAX 65536

struct share {
    const char *table, *key, *url, *service, *title, *class, *gateway_config, *registry,
        *publish_to;
    char folder[PATH_BYTES];   /* the gateway's services_folder */
    char pid_file[PATH_BYTES]; /* or "" */
};

// --- what is shared -----------------------------------------------------------------------------

static fault check_service(const struct share *self, struct bus_id *out)
{
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (failed(bus_id_parse(span_of_text(self->service), ID_SERVICE, ID_SERVICE, out)) ||
        failed(bus_id_check_strict(out)))
        return RAISE(BAD_REQUEST, "--service %s is not INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE: %s",
                     self->service, fault_detail());
    bus_id_text(out, ID_SERVICE, canonical, sizeof canonical);
    return strcmp(canonical, self->service) == 0
               ? DONE
               : RAISE(BAD_REQUEST, "write --service as %s", canonical);
}

/* By the same code that the gateway will serve it with. */
static fault check_table(const struct share *self)
{
    OWNED(bytes) file = NULL;
    OWNED(table) table = NULL;
    if (self->key == NULL)
        return RAISE(BAD_REQUEST, "--key is missing: the column whose value names a row");
    TRY(file_read(self->table, TABLE_BYTES_MAX, &file));
    return table_parse(&file, self->key, &table);
}

// --- the gateway's settings ---------------------------------------------------------------------

/* The programs of one installation stand in one folder. */
static fault program_beside(const char *name, char path[PATH_BYTES])
{
    char self[PATH_BYTES];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return RAISE(IO_FAILED, "/proc/self/exe: %m");
    self[length] = '\0';
    *(strrchr(self, '/') + 1) = '\0';
    if (!text_format(path, PATH_BYTES, "%s%s", self, name))
        return RAISE(IO_FAILED, "the name of this program's folder is too long");
    return DONE;
}

/* Asks the gateway itself what its settings are: it knows its defaults. */
static fault setting_of(const struct share *self, const char *name, char *out, size_t room)
{
    int line[2];
    char program[PATH_BYTES], text[CONFIG_BYTES_MAX];
    TRY(program_beside("chaski-gateway", program));
    if (pipe(line) != 0)
        return RAISE(IO_FAILED, "%s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        dup2(line[1], STDOUT_FILENO);
        close(line[0]);
        execl(program, program, "--config", self->gateway_config, "--print-config", (char *)NULL);
        _exit(127);
    }
    close(line[1]);
    size_t size = 0;
    for (ssize_t got;
         size < sizeof text - 1 && (got = read(line[0], text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)got;
    close(line[0]);
    text[size] = '\0';
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return RAISE(BAD_CONFIG, "%s is not a gateway's settings", self->gateway_config);
    char wanted[64];
    text_format(wanted, sizeof wanted, "%s = \"", name);
    const char *at = strstr(text, wanted);
    out[0] = '\0';
    if (at != NULL)
        text_format(out, room, "%.*s", (int)strcspn(at + strlen(wanted), "\""),
                    at + strlen(wanted));
    return DONE;
}

static fault write_section(const struct share *self, const struct bus_id *id, char path[PATH_BYTES])
{
    char section[4 * PATH_BYTES], file[PATH_MAX] = "";
    if (self->table != NULL && realpath(self->table, file) == NULL)
        return RAISE(IO_FAILED, "%s: %s", self->table, strerror(errno));
    const char *title = self->title != NULL ? self->title : id->part[4];
    if (strpbrk(file, "\"\\") != NULL || strpbrk(title, "\"\\") != NULL ||
        (self->url != NULL && strpbrk(self->url, "\"\\") != NULL))
        return RAISE(BAD_REQUEST, "a file name, title or URL with a quote or a backslash");
    if (!text_format(path, PATH_BYTES, "%s/%s.%s.conf", self->folder, id->part[3], id->part[4]))
        return RAISE(BAD_REQUEST, "the name of the services folder is too long");
    bool fits =
        self->table != NULL
            ? text_format(
                  section, sizeof section,
                  "service \"%s\" {\n    kind = table\n    file = \"%s\"\n    key = \"%s\"\n"
                  "    title = \"%s\"\n}\n",
                  self->service, file, self->key, title)
            : text_format(
                  section, sizeof section,
                  "service \"%s\" {\n    kind = http\n    url = \"%s\"\n    title = \"%s\"\n}\n",
                  self->service, self->url, title);
    if (!fits)
        return RAISE(BAD_REQUEST, "names too long");
    TRY(file_make_folders(self->folder, 0755));
    return file_replace(path, span_of_text(section), 0644);
}

/* The gateway takes the new service without a restart. */
static void tell_gateway(const struct share *self)
{
    OWNED(bytes) text = NULL;
    uint64_t pid = 0;
    struct span digits;
    if (self->pid_file[0] == '\0' || failed(file_read(self->pid_file, 32, &text))) {
        puts("the gateway takes it at its next start, or on SIGHUP");
        return;
    }
    digits = bytes_span(text);
    while (digits.size > 0 && digits.at[digits.size - 1] == '\n')
        digits.size--;
    if (!failed(text_number(digits, INT32_MAX, &pid)) && pid > 1 && kill((pid_t)pid, SIGHUP) == 0)
        printf("the gateway (process %llu) takes it now\n", (unsigned long long)pid);
    else
        puts("the gateway does not run; it takes it at its next start");
}

// --- the directory ------------------------------------------------------------------------------

static fault run_registry(char *const argv[])
{
    char program[PATH_BYTES];
    TRY(program_beside("chaski-registry", program));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execv(program, argv);
        _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return RAISE(REFUSED, "the authority's program did not accept it");
    return DONE;
}

static char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

static fault register_service(const struct share *self, const struct bus_id *id)
{
    const char *title = self->title != NULL ? self->title : id->part[4];
    const char *class = self->class != NULL ? self->class : "shared";
    if (self->registry == NULL) {
        printf("now the authority puts it into the directory:\n"
               "  chaski-registry service add STORE %s --title '%s' --class %s\n",
               self->service, title, class);
        return DONE;
    }
    char *add[] = {word("chaski-registry"),
                   word("service"),
                   word("add"),
                   word(self->registry),
                   word(self->service),
                   word("--title"),
                   word(title),
                   word("--class"),
                   word(class),
                   NULL};
    TRY(run_registry(add));
    if (self->publish_to == NULL)
        return DONE;
    char *publish[] = {word("chaski-registry"), word("publish"),
                       word(self->registry),    word("--to"),
                       word(self->publish_to),  NULL};
    return run_registry(publish);
}

// --- the command --------------------------------------------------------------------------------

static fault take_options(int argc, char **argv, struct share *out)
{
    static const struct option known[] = {{"table", required_argument, NULL, 't'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"url", required_argument, NULL, 'u'},
                                          {"service", required_argument, NULL, 's'},
                                          {"title", required_argument, NULL, 'n'},
                                          {"class", required_argument, NULL, 'c'},
                                          {"gateway-config", required_argument, NULL, 'g'},
                                          {"registry", required_argument, NULL, 'r'},
                                          {"publish-to", required_argument, NULL, 'p'},
                                          {0}};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        const char **slot = code == 't'   ? &out->table
                            : code == 'k' ? &out->key
                            : code == 'u' ? &out->url
                            : code == 's' ? &out->service
                            : code == 'n' ? &out->title
                            : code == 'c' ? &out->class
                            : code == 'g' ? &out->gateway_config
                            : code == 'r' ? &out->registry
                            : code == 'p' ? &out->publish_to
                                          : NULL;
        if (slot == NULL)
            return RAISE(BAD_REQUEST, "an option that is not known");
        *slot = optarg;
    }
    if (out->service == NULL || out->gateway_config == NULL ||
        (out->table == NULL) == (out->url == NULL))
        return RAISE(BAD_REQUEST,
                     "share needs --service, --gateway-config and one of --table and --url");
    return DONE;
}

fault share_command(int argc, char **argv)
{
    struct share self = {0};
    struct bus_id id;
    char path[PATH_BYTES];
    TRY(take_options(argc, argv, &self));
    TRY(check_service(&self, &id));
    if (self.table != NULL)
        TRY(check_table(&self));
    TRY(setting_of(&self, "services_folder", self.folder, sizeof self.folder));
    TRY(setting_of(&self, "pid_file", self.pid_file, sizeof self.pid_file));
    if (self.folder[0] == '\0')
        return RAISE(BAD_CONFIG, "%s sets no services_folder", self.gateway_config);
    TRY(write_section(&self, &id, path));
    printf("%s is in %s\n", self.service, path);
    tell_gateway(&self);
    return register_service(&self, &id);
}
