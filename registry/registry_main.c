// SPDX-License-Identifier: MIT
/* chaski-registry: the authority's program. Offline: keeps a store and publishes the directory. */
#include "registry/commands.h"

#include "lib/base/text.h"

#include <getopt.h>
#include <stdlib.h>

#define LINE_WORDS_MAX 64
#define VALID_DAYS_MAX 366

enum option_code {
    OPTION_NAME = 1000,
    OPTION_PUBLIC,
    OPTION_CERTIFICATE_TO,
    OPTION_ADDRESS,
    OPTION_SERVER,
    OPTION_TITLE,
    OPTION_CLASS,
    OPTION_NOTICE,
    OPTION_LEGAL_BASIS,
    OPTION_SERVICE,
    OPTION_CONSUMER,
    OPTION_PURPOSE,
    OPTION_UNTIL,
    OPTION_REASON,
    OPTION_CERTIFICATE,
    OPTION_TO,
    OPTION_VALID_DAYS,
    OPTION_JSON,
    OPTION_INSTANCE,
    OPTION_HELP,
};

static const struct option options[] = {
    {"name", required_argument, NULL, OPTION_NAME},
    {"public", no_argument, NULL, OPTION_PUBLIC},
    {"certificate-to", required_argument, NULL, OPTION_CERTIFICATE_TO},
    {"address", required_argument, NULL, OPTION_ADDRESS},
    {"server", required_argument, NULL, OPTION_SERVER},
    {"title", required_argument, NULL, OPTION_TITLE},
    {"class", required_argument, NULL, OPTION_CLASS},
    {"notice", required_argument, NULL, OPTION_NOTICE},
    {"legal-basis", required_argument, NULL, OPTION_LEGAL_BASIS},
    {"service", required_argument, NULL, OPTION_SERVICE},
    {"consumer", required_argument, NULL, OPTION_CONSUMER},
    {"purpose", required_argument, NULL, OPTION_PURPOSE},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"reason", required_argument, NULL, OPTION_REASON},
    {"certificate", required_argument, NULL, OPTION_CERTIFICATE},
    {"to", required_argument, NULL, OPTION_TO},
    {"valid-days", required_argument, NULL, OPTION_VALID_DAYS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"instance", required_argument, NULL, OPTION_INSTANCE},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static void usage(FILE *out)
{
    fputs("chaski-registry - who is a member, with which keys and services: the authority's "
          "program\n\n"
          "  init STORE --instance CO --name NAME\n"
          "      makes an authority: its keys, its certificate, and the anchor for nodes\n"
          "  batch STORE FILE\n"
          "      runs the commands in FILE, one a line, and keeps all of them or none\n",
          out);
    for (const struct command *at = commands; at->words != NULL; at++)
        fprintf(out, "  %s %s\n      %s\n", at->words, at->usage, at->sentence);
    fputs("\nExit status: 0 done, 1 refused or failed, 2 the command line is wrong.\n", out);
}

static fault take_days(const char *text, int64_t *out)
{
    uint64_t days = 0;
    if (failed(text_number(span_of_text(text), VALID_DAYS_MAX, &days)) || days == 0)
        return RAISE(BAD_REQUEST, "--valid-days must be 1..%d", VALID_DAYS_MAX);
    *out = (int64_t)days;
    return DONE;
}

static const char **text_option(struct arguments *self, int code)
{
    switch (code) {
    case OPTION_NAME:
        return &self->name;
    case OPTION_CERTIFICATE_TO:
        return &self->certificate_to;
    case OPTION_TITLE:
        return &self->title;
    case OPTION_CLASS:
        return &self->class;
    case OPTION_NOTICE:
        return &self->notice;
    case OPTION_LEGAL_BASIS:
        return &self->legal_basis;
    case OPTION_SERVICE:
        return &self->service;
    case OPTION_CONSUMER:
        return &self->consumer;
    case OPTION_PURPOSE:
        return &self->purpose;
    case OPTION_UNTIL:
        return &self->until;
    case OPTION_REASON:
        return &self->reason;
    case OPTION_CERTIFICATE:
        return &self->certificate;
    case OPTION_TO:
        return &self->to;
    case OPTION_INSTANCE:
        return &self->instance;
    default:
        return NULL;
    }
}

static fault take_option(struct arguments *self, int code, const char *value)
{
    const char **text = text_option(self, code);
    if (text != NULL) {
        if (*text != NULL)
            return RAISE(BAD_REQUEST, "an option is given twice");
        *text = value;
        return DONE;
    }
    switch (code) {
    case OPTION_PUBLIC:
        self->public_agency = true;
        return DONE;
    case OPTION_JSON:
        self->json = true;
        return DONE;
    case OPTION_VALID_DAYS:
        return take_days(value, &self->valid_days);
    case OPTION_ADDRESS:
        if (self->addresses == DIRECTORY_ADDRESSES_MAX)
            return RAISE(BAD_REQUEST, "more than %d addresses", DIRECTORY_ADDRESSES_MAX);
        self->address[self->addresses++] = value;
        return DONE;
    case OPTION_SERVER:
        if (self->servers == SERVERS_MAX)
            return RAISE(BAD_REQUEST, "more than %d servers", SERVERS_MAX);
        self->server[self->servers++] = value;
        return DONE;
    default:
        return RAISE(BAD_REQUEST, "an option that is not known");
    }
}

/* argv[0] is passed over, as getopt wants it. */
static fault parse(int argc, char **argv, struct arguments *out)
{
    *out = (struct arguments){0};
    optind = 0;
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;)
        TRY(take_option(out, code, optarg));
    if (argc - optind > ARGUMENTS_MAX)
        return RAISE(BAD_REQUEST, "too many words");
    for (int i = optind; i < argc; i++)
        out->positional[out->count++] = argv[i];
    return DONE;
}

/* The command whose words the line begins with; *words says how many those are. */
static const struct command *find_command(int argc, char **argv, int *words)
{
    for (const struct command *at = commands; at->words != NULL; at++) {
        char line[64];
        *words = strchr(at->words, ' ') == NULL ? 1 : 2;
        if (argc < *words)
            continue;
        if (*words == 1)
            text_format(line, sizeof line, "%s", argv[0]);
        else
            text_format(line, sizeof line, "%s %s", argv[0], argv[1]);
        if (strcmp(line, at->words) == 0)
            return at;
    }
    return NULL;
}

static fault run_command(struct store *store, const struct command *command,
                         const struct arguments *arguments)
{
    TRY(command->run(store, arguments));
    return command->changes ? store_commit(store, NULL) : DONE;
}

// --- batch
// -------------------------------------------------------------------------------------------

/* Splits a line at blanks; '...' and "..." hold blanks. Returns how many words, -1 when it is
 * broken. */
static int split(char *line, char **words, int most)
{
    int count = 0;
    for (char *at = line; *at != '\0';) {
        while (*at == ' ' || *at == '\t' || *at == '\n')
            at++;
        if (*at == '\0' || *at == '#')
            break;
        if (count == most)
            return -1;
        char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
        words[count++] = at;
        while (*at != '\0' && (quote != '\0' ? *at != quote : strchr(" \t\n", *at) == NULL))
            at++;
        if (quote != '\0' && *at == '\0')
            return -1;
        if (*at != '\0')
            *at++ = '\0';
    }
    return count;
}

static fault run_line(struct store *store, char *line, bool *published)
{
    char *words[LINE_WORDS_MAX + 2];
    int count = split(line, words + 1, LINE_WORDS_MAX), used = 0;
    if (count == 0)
        return DONE;
    const struct command *command = count < 0 ? NULL : find_command(count, words + 1, &used);
    if (command == NULL)
        return RAISE(BAD_REQUEST, "not a command");
    struct arguments arguments;
    /* the store stands where the last word of the command was, so that lines read as on the shell
     * without repeating it */
    words[used] = store->folder;
    words[used - 1] = words[0];
    char name[] = "batch";
    words[used - 1] = name;
    TRY(parse(count - used + 2, words + used - 1, &arguments));
    if (arguments.count != command->positional)
        return RAISE(BAD_REQUEST, "usage: %s %s", command->words, command->usage);
    *published |= !command->changes;
    return command->run(store, &arguments);
}

static fault run_batch(struct store *store, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return RAISE(IO_FAILED, "%s cannot be read", path);
    char *line = NULL;
    size_t room = 0;
    bool published = false;
    fault f = DONE;
    int number = 0;
    while (!failed(f) && getline(&line, &room, file) >= 0) {
        number++;
        f = run_line(store, line, &published);
        if (failed(f)) {
            char detail[300];
            text_format(detail, sizeof detail, "%s", fault_detail());
            f = RAISE(f.code, "%s:%d: %s", path, number, detail);
        }
    }
    free(line);
    fclose(file);
    TRY(f);
    return store_commit(store, NULL);
}

// --- main
// --------------------------------------------------------------------------------------------

static fault init(const struct arguments *arguments)
{
    char path[600];
    if (arguments->instance == NULL || arguments->name == NULL)
        return RAISE(BAD_REQUEST, "init STORE --instance CO --name NAME");
    TRY(store_make(arguments->positional[0], arguments->instance, arguments->name));
    text_format(path, sizeof path, "%s/anchor", arguments->positional[0]);
    OWNED(store) store = NULL;
    TRY(store_open(arguments->positional[0], &store));
    struct sha256 hash = certificate_hash(store->ca);
    char hex[2 * SHA256_BYTES + 1], vkey[512];
    text_hex(sha256_span(&hash), hex, sizeof hex);
    note_key_text(&store->vkey, vkey, sizeof vkey);
    printf("authority of %s made in %s\n"
           "anchor for nodes:  %s/trust.pem and %s/directory.vkey\n"
           "fingerprint:       %s (SHA-256 of the certificate)\n"
           "directory key:     %s\n",
           arguments->instance, arguments->positional[0], path, path, hex, vkey);
    return DONE;
}

static int complain(fault f)
{
    fprintf(stderr, "chaski-registry: %s: %s\n", fault_sentence(f.code), fault_detail());
    return f.code == BAD_REQUEST ? 2 : 1;
}

static fault open_and_run(const struct command *command, const struct arguments *arguments)
{
    OWNED(store) store = NULL;
    TRY(store_open(arguments->positional[0], &store));
    if (store->cut_bytes > 0)
        fprintf(stderr,
                "chaski-registry: a command was interrupted while it wrote; its half-written "
                "act (%zu bytes) is gone and was never in force\n",
                store->cut_bytes);
    return command == NULL ? run_batch(store, arguments->positional[1])
                           : run_command(store, command, arguments);
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int words = 1;
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    bool is_init = strcmp(argv[1], "init") == 0, is_batch = strcmp(argv[1], "batch") == 0;
    const struct command *command =
        is_init || is_batch ? NULL : find_command(argc - 1, argv + 1, &words);
    if (command == NULL && !is_init && !is_batch) {
        fprintf(stderr, "chaski-registry: no command \"%s\"; see chaski-registry --help\n",
                argv[1]);
        return 2;
    }
    fault f = parse(argc - words, argv + words, &arguments);
    if (failed(f))
        return complain(f);
    size_t wanted = command != NULL ? command->positional : is_init ? 1 : 2;
    if (arguments.count != wanted) {
        if (command != NULL)
            fprintf(stderr, "usage: chaski-registry %s %s\n", command->words, command->usage);
        else
            usage(stderr);
        return 2;
    }
    f = is_init ? init(&arguments) : open_and_run(command, &arguments);
    return failed(f) ? complain(f) : 0;
}
