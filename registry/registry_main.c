// SPDX-License-Identifier: MIT
/* chaski-registry: the authority's program. Offline: a folder of keys and acts in, a signed folder
 * for a web server out. Only `serve`, `--at` and the asking part of `statuses` have a network: none
 * of them with a key of the store that signs acts. Exit 0 done, 1 not done, 2 not understood.
 */
#include "registry/acts_list.h"
#include "registry/anchor.h"
#include "registry/backup.h"
#include "registry/commands.h"
#include "registry/drafting.h"
#include "registry/health.h"
#include "registry/operator_key.h"
#include "registry/remote/remote.h"
#include "registry/serve/serve.h"
#include "registry/show_access.h"
#include "registry/status/statuses.h"
#include "registry/subject_keys.h"

#include "lib/base/shown.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "chaski-registry"

enum { DID, DID_NOT, NOT_UNDERSTOOD };

static void print_words(const struct command *command, FILE *out)
{
    fprintf(out, "%s%s%s", command->noun, command->verb == NULL ? "" : " ",
            command->verb == NULL ? "" : command->verb);
}

static void print_usage(const struct command *command, FILE *out)
{
    fputs(PROGRAM " ", out);
    print_words(command, out);
    struct arguments_shape shape = commands_shape(command);
    fprintf(out, "%s%s", commands_place(command)[0] == '\0' ? "" : " ", commands_place(command));
    arguments_usage(&shape, out);
    fputc('\n', out);
}

static int help(void)
{
    puts("The authority of a Chaski bus: keeps who is a member, on which servers, with which keys\n"
         "and services, and publishes it as a signed directory. Only `serve` and\n"
         "`statuses` use a network.\n\n"
         "STORE is the authority's own folder, with its private keys: keep it on a machine that\n"
         "nobody else uses, and keep copies. What `publish` writes holds no secret.\n");
    for (size_t i = 0; i < commands_count; i++) {
        fputs("  ", stdout);
        print_usage(&commands[i], stdout);
        printf("      %s\n", commands[i].sentence);
    }
    puts("\n" PROGRAM " COMMAND --help says more of one. Exit: 0 done, 1 refused or failed, 2 not "
         "understood.");
    return DID;
}

static int help_of(const struct command *command)
{
    struct arguments_shape shape = commands_shape(command);
    print_usage(command, stdout);
    printf("\n  %s\n\n", command->sentence);
    arguments_help(&shape, stdout);
    return DID;
}

static int not_understood(const struct command *command)
{
    fprintf(stderr, PROGRAM ": %s\n", fault_detail());
    if (command != NULL) {
        fputs("usage: ", stderr);
        print_usage(command, stderr);
    } else {
        fputs("usage: " PROGRAM " --help\n", stderr);
    }
    return NOT_UNDERSTOOD;
}

/* The peer of this program is a registry or a responder, and no provider's server. */
static const char *sentence_of(fault f)
{
    return f.code == PEER_UNREACHABLE ? "no good answer came over the network"
                                      : fault_sentence(f.code);
}

static int report(fault f)
{
    if (!failed(f))
        return DID;
    fprintf(stderr, PROGRAM ": %s: ", f.code == REFUSED ? "refused" : sentence_of(f));
    shown_page(stderr, span_of_text(fault_detail()));
    fputc('\n', stderr);
    return DID_NOT;
}

// --- commands that are not acts -----------------------------------------------------------------

static fault say_anchor(const char *folder, struct said *said)
{
    OWNED(store) store = NULL;
    char vkey[400], hex[2 * SHA256_BYTES + 1];
    TRY(store_look(folder, &store));
    struct sha256 hash = certificate_hash(store_ca(store));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    note_key_text(store_log_key(store), vkey, sizeof vkey);
    said_add(said, "The authority of %s is in %s. Its anchor, for every node:",
             directory_instance(store_state(store)), folder);
    said_add(said, "  %s/anchor/trust.pem       certificate, SHA-256 %s", folder, hex);
    said_add(said, "  %s/anchor/directory.vkey  %s", folder, vkey);
    said_add(said, "Hand both over in a way that nobody can alter, and let them compare by phone.");
    return DONE;
}

static fault run_init(const char *folder, const struct arguments *arguments, struct said *said)
{
    char origin[NOTE_NAME_BYTES_MAX];
    struct store_plan plan = {.instance = arguments_text(arguments, ARGUMENT_INSTANCE),
                              .name = arguments_text(arguments, ARGUMENT_NAME),
                              .origin = arguments_text(arguments, ARGUMENT_ORIGIN)};
    TRY(arguments_number(arguments, ARGUMENT_VALID_DAYS, 1, 3650, 30, &plan.valid_days));
    plan.hosts = arguments->count[ARGUMENT_HOST];
    plan.host = arguments->value[ARGUMENT_HOST];
    if (plan.origin == NULL) {
        if (!text_format(origin, sizeof origin, "chaski/%s/directory", plan.instance))
            return RAISE(REFUSED, "the instance is too long");
        plan.origin = origin;
    }
    TRY(store_make(folder, &plan));
    return say_anchor(folder, said);
}

/* Names are others' words. */
static fault show_all(struct store *store, bool json, unsigned status_hours)
{
    char *text = NULL;
    size_t size = 0;
    FILE *page = open_memstream(&text, &size);
    if (page == NULL)
        abort();
    fault f = json ? show_json(store, page) : show_tables(store, status_hours, page);
    fclose(page);
    if (!failed(f))
        shown_page(stdout, span_of(text, size));
    free(text);
    return f;
}

static fault run_show(const char *folder, const struct arguments *arguments)
{
    OWNED(store) store = NULL;
    const char *policy = arguments_text(arguments, ARGUMENT_POLICY);
    const char *vkey = arguments_text(arguments, ARGUMENT_LOG_VKEY);
    bool json = arguments_text(arguments, ARGUMENT_JSON) != NULL;
    unsigned status_hours = 0;
    TRY(arguments_number(arguments, ARGUMENT_STATUS_HOURS, 1, 8760, STATUS_HOURS_DEFAULT,
                         &status_hours));
    if ((policy != NULL) + (vkey != NULL) + json > 1)
        return RAISE(BAD_REQUEST, "one of --json, --policy and --log-vkey");
    TRY(store_look(folder, &store));
    if (policy != NULL)
        return show_policy(store, policy, stdout);
    if (vkey != NULL)
        return show_log_vkey(store, vkey, stdout);
    return show_all(store, json, status_hours);
}

static fault run_publish(struct store *store, const struct arguments *arguments, struct said *said)
{
    unsigned days = 0;
    TRY(arguments_number(arguments, ARGUMENT_VALID_DAYS, 1, 3650, store_valid_days(store), &days));
    return publish_to(store, arguments_text(arguments, ARGUMENT_TO), days, said);
}

static fault add_stamping(struct store *store, struct said *said)
{
    TRY(store_add_stamping(store));
    said_add(said, "time stamp authority: key and certificate in %s/stamp", store_folder(store));
    return DONE;
}

static fault make_admin_certificate(struct store *store, const struct arguments *arguments,
                                    struct said *said)
{
    TRY(store_make_hosting(store, arguments->value[ARGUMENT_HOST],
                           arguments->count[ARGUMENT_HOST]));
    said_add(said, "certificate for operators' programs: %s/admin.pem", store_folder(store));
    return DONE;
}

static fault change_issuer(struct store *store, const struct command *command, const char *name,
                           struct said *said)
{
    if (strcmp(command->verb, "use") == 0) {
        TRY(store_use_issuer(store, name));
        said_add(said, "from now on certificates are issued by %s", name);
        return DONE;
    }
    TRY(store_make_issuer(store, name));
    said_add(said,
             "certificate authority %s: its key is in %s/keys, its certificate in "
             "%s/ca-%s.pem. Next: certificate-authority add %s --certificate that file",
             name, store_folder(store), store_folder(store), name, name);
    return DONE;
}

static fault run_serve(const char *folder, const struct arguments *arguments)
{
    unsigned statuses_s = 0, held_s = 0;
    if (arguments->count[ARGUMENT_PUSH] > 1)
        return RAISE(BAD_REQUEST, "`serve` has one --push");
    TRY(arguments_number(arguments, ARGUMENT_STATUSES, 1, STATUS_EVERY_S_MAX,
                         STATUS_EVERY_S_DEFAULT, &statuses_s));
    TRY(arguments_number(arguments, ARGUMENT_HELD_WAIT, REGISTRY_HELD_S_MIN, REGISTRY_HELD_S_MAX,
                         REGISTRY_HELD_S_DEFAULT, &held_s));
    return serve(&(struct serve_plan){
        .store = folder,
        .listen = arguments_text(arguments, ARGUMENT_LISTEN),
        .directory = arguments_text(arguments, ARGUMENT_DIRECTORY),
        .ready_file = arguments_text(arguments, ARGUMENT_READY_FILE),
        .authority = arguments_text(arguments, ARGUMENT_AUTHORITY) != NULL,
        .admin = arguments_text(arguments, ARGUMENT_ADMIN),
        .push = arguments_text(arguments, ARGUMENT_PUSH),
        .statuses_s = statuses_s,
        .held_s = held_s,
        .reach_private = arguments_text(arguments, ARGUMENT_REACH_PRIVATE) != NULL,
        .mirrors = arguments->count[ARGUMENT_MIRROR],
        .mirror = arguments->value[ARGUMENT_MIRROR],
    });
}

static fault run_statuses(const char *folder, const struct arguments *arguments, struct said *said)
{
    if (arguments->count[ARGUMENT_AS] + arguments->count[ARGUMENT_ANCHOR] > 0)
        return RAISE(BAD_REQUEST, "--anchor and --as go with --at");
    return statuses_run(folder, arguments_text(arguments, ARGUMENT_TO), said);
}

static fault make_subject_key(const char *folder, const struct arguments *arguments,
                              struct said *said)
{
    uint64_t year = 0;
    struct sha256 commitment;
    char hex[2 * SHA256_BYTES + 1];
    if (failed(text_number(span_of_text(arguments->operand), SUBJECT_YEAR_LAST, &year)))
        return RAISE(BAD_REQUEST, "%s is no year", arguments->operand);
    TRY(subject_keys_make(folder, (unsigned)year, &commitment));
    text_hex(sha256_span(&commitment), hex, sizeof hex);
    said_add(said, "the key of %s is in %s/keys. Next: subject-key add %s --commitment %s",
             arguments->operand, folder, arguments->operand, hex);
    return DONE;
}

static fault run_in_store(const struct command *command, const char *folder,
                          const struct arguments *arguments, struct said *said)
{
    OWNED(operator_keys) keys = NULL;
    OWNED(store) store = NULL;
    TRY(operator_keys_open(arguments, &keys));
    TRY(store_open(folder, &store));
    if (store_cut_bytes(store) > 0)
        fprintf(stderr,
                PROGRAM ": mended: %llu bytes of a command that had not ended were cut off\n",
                (unsigned long long)store_cut_bytes(store));
    TRY(operator_keys_approve(keys, store));
    if (command->act != NULL)
        TRY(command->act(store, arguments, said));
    else if (strcmp(command->noun, "batch") == 0)
        TRY(batch_run(store, arguments->operand, said));
    else if (strcmp(command->noun, "certificate-authority") == 0)
        TRY(change_issuer(store, command, arguments->operand, said));
    else if (strcmp(command->noun, "acts-key") == 0)
        TRY(acts_key_make(store, said));
    else if (strcmp(command->noun, "log-key") == 0)
        TRY(log_key_make(store, said));
    else if (strcmp(command->noun, "stamp-authority") == 0)
        TRY(add_stamping(store, said));
    else if (strcmp(command->noun, "admin-certificate") == 0)
        TRY(make_admin_certificate(store, arguments, said));
    else
        TRY(run_publish(store, arguments, said));
    return store_commit(store);
}

static fault run_rights(const char *folder, const struct arguments *arguments)
{
    OWNED(store) store = NULL;
    TRY(store_look(folder, &store));
    if (arguments_text(arguments, ARGUMENT_JSON) == NULL) {
        show_access(store_state(store), clock_wall_ms(), stdout);
        return DONE;
    }
    json_t *json = show_access_json(store_state(store), clock_wall_ms());
    json_dumpf(json, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(json);
    return DONE;
}

static fault run(const struct command *command, const char *folder,
                 const struct arguments *arguments, struct said *said)
{
    if (strcmp(command->noun, "init") == 0)
        return run_init(folder, arguments, said);
    if (strcmp(command->noun, "show") == 0)
        return run_show(folder, arguments);
    if (command->verb != NULL && strcmp(command->verb, "list") == 0)
        return run_rights(folder, arguments);
    if (strcmp(command->noun, "acts") == 0)
        return acts_list(folder, arguments, stdout);
    if (strcmp(command->noun, "serve") == 0)
        return run_serve(folder, arguments);
    if (strcmp(command->noun, "statuses") == 0)
        return run_statuses(folder, arguments, said);
    if (strcmp(command->noun, "status") == 0)
        return health_of_store(folder, said);
    if (strcmp(command->noun, "backup") == 0)
        return backup_store(folder, arguments_text(arguments, ARGUMENT_TO), said);
    if (strcmp(command->noun, "anchor") == 0)
        return anchor_write(folder, arguments, said);
    if (strcmp(command->noun, "subject-key") == 0 && command->act == NULL)
        return make_subject_key(folder, arguments, said);
    if (strcmp(commands_place(command), "FILE") == 0)
        return operator_key_make(folder, arguments_text(arguments, ARGUMENT_MODULE), said);
    if (arguments_text(arguments, ARGUMENT_DRAFT) != NULL)
        return drafting_run(command, folder, arguments, said);
    return run_in_store(command, folder, arguments, said);
}

static int run_words(const struct command *command, int count, char **words)
{
    struct arguments arguments;
    struct arguments_shape shape = commands_shape(command);
    OWNED(said) said = said_new();
    bool elsewhere = text_is_among("--at", count, words);
    if (!elsewhere && (count < 1 || words[0][0] == '-')) {
        ignore(RAISE(BAD_REQUEST, "the %s is missing", commands_place(command)));
        return not_understood(command);
    }
    if (failed(arguments_parse(&shape, count - !elsewhere, words + !elsewhere, &arguments)))
        return not_understood(command);
    fault f = elsewhere ? remote_run(command, &arguments, said)
                        : run(command, words[0], &arguments, said);
    if (f.code == BAD_REQUEST)
        return not_understood(command);
    if (!failed(f) || strcmp(command->noun, "status") == 0)
        said_print(said, stdout);
    return !failed(f) && said_is_undone(said) ? DID_NOT : report(f);
}

int main(int count, char **words)
{
    int used = 0;
    const struct command *command = commands_find(count - 1, words + 1, &used);
    bool help_wanted = text_is_among("--help", count, words) || text_is_among("-h", count, words);
    if (command != NULL && help_wanted)
        return help_of(command);
    if (help_wanted || (count == 2 && strcmp(words[1], "help") == 0))
        return help();
    if (command == NULL) {
        ignore(RAISE(BAD_REQUEST, count < 2 ? "say what to do" : "'%.100s' is no command",
                     count < 2 ? "" : words[1]));
        return not_understood(NULL);
    }
    return run_words(command, count - 1 - used, words + 1 + used);
}
