// SPDX-License-Identifier: MIT
/* chaski-security-server: starts its processes, and starts them again when one dies. */
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "security-server/clerk/clerk_process.h"
#include "security-server/exchange/exchange_process.h"
#include "security-server/follower/follower_process.h"
#include "security-server/keys/keys_process.h"
#include "security-server/renewal_files.h"
#include "security-server/scribe/scribe_process.h"
#include "security-server/server_config.h"
#include "security-server/token/token_process.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTARTS_MAX 5
#define RESTART_WINDOW_MS 60000

#define ASIDE_WAIT_S_MAX 30
#define TOKEN_END_MS 3000

struct pair {
    pid_t keys, exchange;
};

/* Exchange and keys live and die together; the others meet them in the file system, and nobody
 * waits for them. */
enum { SCRIBE, CLERK, TOKEN, FOLLOWER, ASIDES };

struct aside {
    const char *name;
    int (*run)(struct server_config *config);
    pid_t pid; /* 0: does not run */
    unsigned restarts;
    int64_t began_ms; /* steady */
};

struct asides {
    struct server_config *config;
    struct aside one[ASIDES];
};

/* Between the exchange and the process with the token; the supervisor holds both ends, so that
 * either process may be started again without the other one. -1: there is no token. */
enum { EXCHANGE_END, TOKEN_END };
static int token_line[2] = {-1, -1};

static volatile sig_atomic_t asked_to_stop;
static volatile sig_atomic_t exchange_pid; /* 0: none runs */
static volatile sig_atomic_t follower_pid; /* likewise */

/* Passes on at once what the supervisor is told: kill(2) may be called here. */
static void on_signal(int number)
{
    if (number != SIGHUP)
        asked_to_stop = 1;
    if (exchange_pid > 0)
        kill((pid_t)exchange_pid, number == SIGHUP ? SIGHUP : SIGTERM);
    if (follower_pid > 0 && number == SIGHUP)
        kill((pid_t)follower_pid, SIGHUP);
}

/* Dies with the supervisor: nothing of a server shall run on alone. */
static void bind_to_parent(pid_t parent, const char *name)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, name);
    if (getppid() != parent)
        _exit(1);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
}

/* In a child: all ends but its own. */
static void close_token_line(int own)
{
    for (int end = 0; end < 2; end++)
        if (end != own && token_line[end] >= 0)
            close(token_line[end]);
}

static pid_t start_keys(struct server_config *config, const int line[2])
{
    pid_t parent = getpid(), child = fork();
    if (child != 0)
        return child;
    bind_to_parent(parent, "chaski-keys");
    /* asked to stop by the line closing, not by a signal: the exchange may need signatures to the
     * end */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    close(line[0]);
    close_token_line(-1);
    event_setup("chaski-keys", (enum event_level)config->event_level);
    _exit(keys_process_run(config, line[1]));
}

static pid_t start_exchange(struct server_config *config, const int line[2], pid_t keys)
{
    pid_t parent = getpid(), child = fork();
    if (child != 0)
        return child;
    bind_to_parent(parent, "chaski-exchange");
    close(line[1]);
    close_token_line(EXCHANGE_END);
    event_setup("chaski-exchange", (enum event_level)config->event_level);
    exit(exchange_process_run(config, line[0], keys, token_line[EXCHANGE_END]));
}

static int run_scribe(struct server_config *config)
{
    return scribe_process_run(config);
}

static int run_follower(struct server_config *config)
{
    return follower_process_run(config);
}

/* Ends when its line closes and not before: the exchange needs its signatures to the end. */
static int run_token(struct server_config *config)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    _exit(token_process_run(config, token_line[TOKEN_END]));
}

/* Only the clerk, who may hold the store key, needs the passphrase, and the token for a moment;
 * only the latter its line. */
static void prepare_aside(struct server_config *config, const struct aside *aside)
{
    close_token_line(aside->run == run_token ? TOKEN_END : -1);
    if (aside->run != clerk_process_run && aside->run != run_token)
        secret_free(&config->passphrase);
}

/* Each time later, so that one that cannot work does not keep the machine busy. */
static void start_aside(struct server_config *config, struct aside *aside)
{
    aside->began_ms = clock_steady_ms();
    pid_t parent = getpid(), child = fork();
    if (child != 0) {
        aside->pid = child > 0 ? child : 0;
        return;
    }
    bind_to_parent(parent, aside->name);
    signal(SIGHUP, SIG_IGN);
    prepare_aside(config, aside);
    if (aside->restarts > 0)
        sleep(aside->restarts < ASIDE_WAIT_S_MAX ? aside->restarts : ASIDE_WAIT_S_MAX);
    event_setup(aside->name, (enum event_level)config->event_level);
    exit(aside->run(config));
}

/* Status 3: the log is not what was signed; a new start would find the same. */
static void aside_ended(struct server_config *config, struct aside *aside, int status)
{
    aside->pid = 0;
    if (asked_to_stop != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 3))
        return;
    if (clock_steady_ms() - aside->began_ms > (ASIDE_WAIT_S_MAX + 1) * 1000 + RESTART_WINDOW_MS)
        aside->restarts = 0; /* it worked for a good while */
    aside->restarts++;
    EVENT(WARN, "server.aside_restarted", E_TEXT("process", aside->name),
          E_NUMBER("restarts", aside->restarts));
    start_aside(config, aside);
}

/* Was it one of them? */
static bool take_aside(struct asides *asides, pid_t got, int status)
{
    for (int i = 0; i < ASIDES; i++)
        if (got > 0 && got == asides->one[i].pid) {
            aside_ended(asides->config, &asides->one[i], status);
            follower_pid = asides->one[FOLLOWER].pid;
            return true;
        }
    return false;
}

static bool start_pair(struct server_config *config, struct pair *out)
{
    int line[2];
    *out = (struct pair){-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) != 0)
        return false;
    out->keys = start_keys(config, line);
    if (out->keys > 0)
        out->exchange = start_exchange(config, line, out->keys);
    close(line[0]);
    close(line[1]);
    return out->keys > 0 && out->exchange > 0;
}

/* Waits for one of ours. Returns its exit status. */
static int wait_for_one(const struct pair *pair, struct asides *asides, pid_t *which)
{
    for (;;) {
        int status = 0;
        pid_t got = waitpid(-1, &status, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (take_aside(asides, got, status))
            continue;
        *which = got;
        if (got < 0)
            return 1;
        if (WIFSIGNALED(status))
            EVENT(ERROR, "server.process_killed",
                  E_TEXT("process", got == pair->keys ? "keys" : "exchange"),
                  E_NUMBER("signal", WTERMSIG(status)));
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
}

/* Waits for this one; its exit status. */
static int reap(pid_t pid)
{
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Whoever starts the processes reads the passphrase, for a terminal or a descriptor gives it once;
 * each process wipes its copy when its keys are open. A file is read again before each start, so
 * that a passphrase that was changed meanwhile is not missed. */
static fault read_passphrase(struct server_config *config)
{
    bool once = strcmp(config->keys_passphrase, "terminal") == 0 ||
                strncmp(config->keys_passphrase, "fd:", 3) == 0;
    if (config->keys_passphrase[0] == '\0' || (once && config->passphrase != NULL))
        return DONE;
    secret_free(&config->passphrase);
    return secret_read(config->keys_passphrase, "passphrase of the keys", &config->passphrase);
}

/* Runs one pair to its end: status of the process that ended first, or of the exchange. */
static int run_pair(struct server_config *config, struct asides *asides)
{
    struct pair pair;
    fault f = renewal_files_take(config->keys_folder, config->sign_key[0] != '\0');
    if (!failed(f))
        f = read_passphrase(config);
    if (failed(f)) {
        EVENT(ERROR, "keys.failed", E_FAULT(f));
        return 2;
    }
    if (!start_pair(config, &pair)) {
        EVENT(ERROR, "server.start_failed", E_TEXT("error", strerror(errno)));
        if (pair.keys > 0) {
            kill(pair.keys, SIGKILL);
            reap(pair.keys);
        }
        return 1;
    }
    pid_t first = -1;
    exchange_pid = pair.exchange;
    if (asked_to_stop != 0) /* while it was being started */
        kill(pair.exchange, SIGTERM);
    int status = wait_for_one(&pair, asides, &first);
    exchange_pid = 0;
    if (first != pair.keys) {
        /* keys that do not open end both, and either may be seen first */
        int keys_status = reap(pair.keys);
        return status == 1 && keys_status == 2 ? keys_status : status;
    }
    /* The exchange sees its line close and ends by itself. A keys process that ended well has seen
     * its line close: the exchange ended before it, and was only waited for later. */
    int exchange_status = reap(pair.exchange);
    if (asked_to_stop != 0 || (status == 0 && exchange_status != 0))
        return exchange_status;
    return status == 0 ? 1 : status;
}

static int run_pairs(struct server_config *config, struct asides *asides)
{
    int64_t first_ms = clock_steady_ms();
    for (int restarts = 0;;) {
        int status = run_pair(config, asides);
        if (asked_to_stop != 0)
            return status;
        if (status == 2 || status == 3)
            return status; /* a restart would not help */
        if (status == EXCHANGE_ENROLLED)
            continue;
        if (clock_steady_ms() - first_ms > RESTART_WINDOW_MS) {
            restarts = 0;
            first_ms = clock_steady_ms();
        }
        if (++restarts > RESTARTS_MAX) {
            EVENT(ERROR, "server.gave_up", E_NUMBER("restarts", RESTARTS_MAX));
            return 1;
        }
        EVENT(WARN, "server.restarting", E_NUMBER("status", status),
              E_NUMBER("restarts", restarts));
        usleep(100000);
    }
}

static bool start_token(struct server_config *config, struct aside *aside)
{
    if (config->sign_key[0] == '\0')
        return true;
    fault f = renewal_files_take(config->keys_folder, true);
    if (failed(f)) {
        EVENT(ERROR, "keys.failed", E_FAULT(f));
        return false;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, token_line) != 0) {
        EVENT(ERROR, "server.start_failed", E_TEXT("error", strerror(errno)));
        return false;
    }
    start_aside(config, aside);
    return true;
}

/* Its line closes, and it logs out; a module that does not return is not waited for. */
static void end_token(struct aside *aside)
{
    close_token_line(-1);
    for (int waited_ms = 0; aside->pid > 0 && waited_ms < TOKEN_END_MS; waited_ms += 20) {
        if (waitpid(aside->pid, NULL, WNOHANG) != 0)
            aside->pid = 0;
        else
            usleep(20000);
    }
    if (aside->pid > 0)
        kill(aside->pid, SIGKILL);
}

static int supervise(struct server_config *config)
{
    struct asides asides = {.config = config,
                            .one = {[SCRIBE] = {"chaski-scribe", run_scribe, 0, 0, 0},
                                    [CLERK] = {"chaski-clerk", clerk_process_run, 0, 0, 0},
                                    [TOKEN] = {"chaski-token", run_token, 0, 0, 0},
                                    [FOLLOWER] = {"chaski-follow", run_follower, 0, 0, 0}}};
    if (!start_token(config, &asides.one[TOKEN]))
        return 1;
    start_aside(config, &asides.one[SCRIBE]);
    if (config->evidence_front[0] != '\0')
        start_aside(config, &asides.one[CLERK]);
    if (config->anchor != NULL)
        start_aside(config, &asides.one[FOLLOWER]);
    follower_pid = asides.one[FOLLOWER].pid;
    int status = run_pairs(config, &asides);
    end_token(&asides.one[TOKEN]);
    follower_pid = 0;
    for (int i = 0; i < ASIDES; i++) /* last: the scribe publishes what was signed at the end */
        if (asides.one[i].pid > 0) {
            kill(asides.one[i].pid, SIGTERM);
            reap(asides.one[i].pid);
        }
    return status;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static const char usage[] =
    "chaski-security-server - signs, seals, logs and forwards the exchanges of one member\n"
    "\n"
    "  --config FILE        settings (needed)\n"
    "  --check-config       read the settings, say what is wrong, and end\n"
    "  --print-config       print the settings in effect, and end\n"
    "  --document-config    print all settings as Markdown, and end\n"
    "  --help\n"
    "\n"
    "SIGTERM drains and stops; SIGHUP asks for a new directory at once.\n"
    "Exit status: 0 stopped as asked, 1 failed, 2 wrong settings or keys, 3 the log or the "
    "directory\n"
    "must not be used as they are.\n";

enum action { ACTION_RUN, ACTION_CHECK, ACTION_PRINT };

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'k'},
        {"print-config", no_argument, NULL, 'p'}, {"document-config", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},         {0}};
    const char *path = NULL;
    enum action action = ACTION_RUN;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'k':
            action = ACTION_CHECK;
            break;
        case 'p':
            action = ACTION_PRINT;
            break;
        case 'd':
            config_document("chaski-security-server", server_settings, stdout);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (path == NULL || optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    struct server_config config;
    fault f = server_config_read(path, &config);
    if (failed(f)) {
        fprintf(stderr, "chaski-security-server: %s\n", fault_detail());
        return 2;
    }
    f = server_config_anchor(&config);
    if (failed(f)) {
        fprintf(stderr, "chaski-security-server: %s: %s\n", path, fault_detail());
        server_config_clear(&config);
        return 2;
    }
    if (action == ACTION_PRINT)
        config_print(server_settings, &config, stdout);
    if (action != ACTION_RUN) {
        server_config_clear(&config);
        return 0;
    }
    event_setup("chaski-security-server", (enum event_level)config.event_level);
    if (failed(f = read_passphrase(&config))) {
        EVENT(ERROR, "keys.failed", E_FAULT(f));
        return 2;
    }
    close_range(3, ~0u, 0); /* whatever the starter left open is no business of the keys process */
    file_raise_limit();
    catch_signals();
    int status = supervise(&config);
    secret_free(&config.passphrase);
    server_config_clear(&config);
    return status;
}
