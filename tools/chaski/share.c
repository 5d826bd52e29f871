// SPDX-License-Identifier: MIT
/* chaski share: puts a table or a service of the agency's own on the bus, with one command. */
#include "tools/chaski/commands.h"

#include "lib/bus/table.h"
#include "lib/base/file.h"
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/limits.h"
#include "tools/chaski/gateway_settings.h"
#include "tools/chaski/program.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_DEFAULT "/etc/chaski/gateway.conf"
#define FILE_NAME_BYTES_MAX 200 /* of 255 that a file's name may have */
#define SECTION_BYTES_MAX 65536

struct share {
    const char *table, *key, *url, *name, *title, *class, *gateway_config, *registry, *publish_to;
    struct bus_id id;
    char service[ID_TEXT_BYTES_MAX + 1]; /* the whole identifier */
    char folder[PATH_MAX];               /* the gateway's services_folder */
    char pid_file[PATH_MAX];             /* or "" */
};

// --- what is shared -----------------------------------------------------------------------------

/* --service NAME: the last part alone will do where there is only one subsystem it can belong to.
 */
static fault complete_service(struct share *self, const struct gateway_settings *settings)
{
    char subsystem[ID_TEXT_BYTES_MAX + 1], detail[300];
    if (strchr(self->name, '/') != NULL) {
        if (!text_format(self->service, sizeof self->service, "%s", self->name))
            return RAISE(BAD_REQUEST, "--service is too long");
        return DONE;
    }
    if (failed(gateway_settings_subsystem(settings, subsystem))) {
        text_format(detail, sizeof detail, "%s", fault_detail());
        return RAISE(BAD_REQUEST, "%s; write --service INSTANCE/CLASS/MEMBER/SUBSYSTEM/%s in full",
                     detail, self->name);
    }
    if (!text_format(self->service, sizeof self->service, "%s/%s", subsystem, self->name))
        return RAISE(BAD_REQUEST, "--service is too long");
    return DONE;
}

static fault check_service(struct share *self)
{
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (failed(bus_id_parse(span_of_text(self->service), ID_SERVICE, ID_SERVICE, &self->id)) ||
        failed(bus_id_check_strict(&self->id)))
        return RAISE(BAD_REQUEST, "--service %s is not INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE: %s",
                     self->service, fault_detail());
    bus_id_text(&self->id, ID_SERVICE, canonical, sizeof canonical);
    return strcmp(canonical, self->service) == 0
               ? DONE
               : RAISE(BAD_REQUEST, "write --service as %s", canonical);
}

static fault check_url(const struct share *self)
{
    if (strncasecmp(self->url, "http://", 7) != 0)
        return RAISE(BAD_REQUEST, "--url %s: it must begin with http://", self->url);
    return DONE;
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

/* One line `name = "text"`; libconfuse would look up ${NAME} in the environment. */
static fault add_quoted(const char *before, const char *text, const char *after, struct bytes *out)
{
    TRY(bytes_append_text(out, before));
    TRY(bytes_append_text(out, " \""));
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return RAISE(BAD_REQUEST, "a control byte in a file name, title, key or URL");
        if (strchr("\"\\$", *c) != NULL)
            TRY(bytes_append_text(out, "\\"));
        TRY(bytes_append(out, span_of(c, 1)));
    }
    TRY(bytes_append_text(out, "\""));
    return bytes_append_text(out, after);
}

static const char *title_of(const struct share *self)
{
    return self->title != NULL ? self->title : self->id.part[4];
}

static fault make_section(const struct share *self, struct bytes *out)
{
    char file[PATH_MAX];
    TRY(add_quoted("service", self->service, " {\n", out));
    if (self->table != NULL) {
        if (realpath(self->table, file) == NULL)
            return RAISE(IO_FAILED, "%s: %s", self->table, strerror(errno));
        TRY(bytes_append_text(out, "    kind = table\n"));
        TRY(add_quoted("    file =", file, "\n", out));
        TRY(add_quoted("    key =", self->key, "\n", out));
    } else {
        TRY(bytes_append_text(out, "    kind = http\n"));
        TRY(add_quoted("    url =", self->url, "\n", out));
    }
    TRY(add_quoted("    title =", title_of(self), "\n", out));
    return bytes_append_text(out, "}\n");
}

/* FOLDER/IDENTIFIER.conf, slashes and percent signs escaped: two services never share a file. */
static fault section_path(const struct share *self, char path[PATH_MAX])
{
    char name[FILE_NAME_BYTES_MAX + 1];
    size_t size = 0;
    for (const char *c = self->service; *c != '\0'; c++) {
        const char *escape = *c == '/' ? "%2F" : *c == '%' ? "%25" : NULL;
        if (size + 3 >= sizeof name)
            return RAISE(BAD_REQUEST, "%s is too long for the name of a file", self->service);
        size += (size_t)snprintf(name + size, sizeof name - size, "%.*s", escape == NULL ? 1 : 3,
                                 escape == NULL ? c : escape);
    }
    if (!text_format(path, PATH_MAX, "%s/%s.conf", self->folder, name))
        return RAISE(BAD_CONFIG, "the name of the services folder is too long");
    return DONE;
}

static void take_back(const char *path, const struct bytes *before)
{
    bool back =
        before == NULL ? unlink(path) == 0 : !failed(file_replace(path, bytes_span(before), 0644));
    if (!back)
        fprintf(stderr, "chaski: %s could not be taken back: %s\n", path, strerror(errno));
}

/* The gateway itself judges the result; what it would not take does not stay. */
static fault write_section(const struct share *self, char path[PATH_MAX])
{
    OWNED(bytes) section = bytes_empty(1024);
    OWNED(bytes) before = NULL;
    TRY(make_section(self, section));
    TRY(section_path(self, path));
    TRY(file_make_folders(self->folder, 0755));
    if (access(path, F_OK) == 0)
        TRY(file_read(path, SECTION_BYTES_MAX, &before));
    TRY(file_replace(path, bytes_span(section), 0644));
    fault f = gateway_settings_check(self->gateway_config);
    if (failed(f))
        take_back(path, before);
    return f;
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

static char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* So that a shell takes it as one word, whatever is in it. */
static void print_word(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    putchar('\'');
}

static void print_command(const struct share *self, const char *class)
{
    fputs("now the authority puts it into the directory:\n  chaski-registry service add STORE ",
          stdout);
    print_word(self->service);
    fputs(" --title ", stdout);
    print_word(title_of(self));
    fputs(" --class ", stdout);
    print_word(class);
    putchar('\n');
}

static fault register_service(const struct share *self)
{
    const char *class = self->class != NULL ? self->class : "shared";
    if (self->registry == NULL) {
        print_command(self, class);
        return DONE;
    }
    char *add[] = {word("chaski-registry"),
                   word("service"),
                   word("add"),
                   word(self->registry),
                   word(self->service),
                   word("--title"),
                   word(title_of(self)),
                   word("--class"),
                   word(class),
                   NULL};
    TRY(program_run(add, NULL));
    if (self->publish_to == NULL)
        return DONE;
    char *publish[] = {word("chaski-registry"), word("publish"),
                       word(self->registry),    word("--to"),
                       word(self->publish_to),  NULL};
    return program_run(publish, NULL);
}

// --- the command --------------------------------------------------------------------------------

static fault take_options(int argc, char **argv, struct share *out)
{
    const struct option_place known[] = {
        OPTION_TEXT("table", &out->table),
        OPTION_TEXT("key", &out->key),
        OPTION_TEXT("url", &out->url),
        OPTION_MUST("service", &out->name),
        OPTION_TEXT("title", &out->title),
        OPTION_TEXT("class", &out->class),
        OPTION_TEXT("gateway-config", &out->gateway_config),
        OPTION_TEXT("registry", &out->registry),
        OPTION_TEXT("publish-to", &out->publish_to),
        {0},
    };
    TRY(options_take("share", argc, argv, known, NULL));
    if ((out->table == NULL) == (out->url == NULL))
        return RAISE(BAD_REQUEST, "share needs one of --table and --url");
    if (out->gateway_config == NULL)
        out->gateway_config = getenv("CHASKI_GATEWAY_CONFIG");
    if (out->gateway_config == NULL || out->gateway_config[0] == '\0')
        out->gateway_config = CONFIG_DEFAULT;
    return DONE;
}

static fault take_settings(struct share *self)
{
    struct gateway_settings settings;
    TRY(gateway_settings_read(self->gateway_config, &settings));
    fault f = complete_service(self, &settings);
    if (!failed(f))
        f = gateway_settings_text(&settings, "services_folder", self->folder, sizeof self->folder);
    if (!failed(f))
        f = gateway_settings_text(&settings, "pid_file", self->pid_file, sizeof self->pid_file);
    gateway_settings_clear(&settings);
    TRY(f);
    if (self->folder[0] == '\0')
        return RAISE(BAD_CONFIG, "%s sets no services_folder", self->gateway_config);
    return DONE;
}

fault share_command(int argc, char **argv)
{
    struct share self = {0};
    char path[PATH_MAX];
    TRY(take_options(argc, argv, &self));
    TRY(self.table != NULL ? check_table(&self) : check_url(&self));
    TRY(take_settings(&self));
    TRY(check_service(&self));
    TRY(write_section(&self, path));
    printf("%s is in %s\n", self.service, path);
    tell_gateway(&self);
    return register_service(&self);
}
