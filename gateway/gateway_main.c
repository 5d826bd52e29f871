// SPDX-License-Identifier: MIT
/* chaski-gateway: all HTTP of an agency, both ways, in one loop. It holds no keys of its member. */
#include "gateway/ask.h"
#include "gateway/call.h"
#include "gateway/can_i.h"
#include "gateway/clerk_line.h"
#include "gateway/clients.h"
#include "gateway/description.h"
#include "gateway/evidence.h"
#include "gateway/gateway.h"
#include "gateway/subjects.h"
#include "gateway/once_only.h"
#include "lib/bus/witness.h"
#include "lib/net/z85.h"
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define DRAIN_MS 10000
#define DRAIN_LOOK_MS 20
#define OPEN_FILES_WANTED 65536
#define OPEN_FILES_KEPT_LEAST 64
#define VERSION "0.1.0"

static const char usage[] =
    "chaski-gateway - carries an agency's HTTP requests into the bus, and the bus's to its "
    "services\n"
    "\n"
    "  --config FILE        settings (needed)\n"
    "  --check-config       read the settings, services and tables, say what is wrong, and end\n"
    "  --print-config       print the settings in effect, and end\n"
    "  --document-config    print all settings as Markdown, and end\n"
    "  --version\n"
    "  --help\n"
    "\n"
    "SIGHUP reads services and clients again; SIGTERM finishes what is in flight and stops.\n"
    "Exit status: 0 stopped as asked, 1 failed, 2 wrong settings.\n";

/* The program: what the rooms share, and what only start and end need. */
struct program {
    struct gateway gateway;
    const char *config_path;
    struct curve_keys own;
    uint8_t server_key[CURVE_KEY_BYTES];
    struct loop_timer drain;
    int64_t drain_until_us;
};

// --- services ------------------------------------------------------------------------------------

static void say_services(struct gateway *gateway)
{
    size_t count = 0;
    const char *const *subsystem = services_subsystems(gateway->services, &count);
    front_line_serve(gateway->front, subsystem, count);
}

static fault reload(struct gateway *gateway, const char *path)
{
    struct gateway_config config;
    OWNED(services) services = NULL;
    TRY(gateway_config_read(path, &config));
    fault f = services_new(&config, &services);
    gateway_config_clear(&config);
    TRY(f);
    services_free(&gateway->services);
    gateway->services = TAKE(services);
    descriptions_begin(gateway->descriptions);
    say_services(gateway);
    return DONE;
}

/* Only services and clients change; the rest needs a start. A broken file changes nothing. */
static void on_hangup(void *owner)
{
    struct program *self = owner;
    struct gateway *gateway = &self->gateway;
    if (gateway->draining)
        return;
    fault f = reload(gateway, self->config_path);
    if (failed(f))
        EVENT(ERROR, "services.reload_refused", E_FAULT(f));
    else
        EVENT(INFO, "services.reloaded", E_NUMBER("services", services_count(gateway->services)));
}

// --- the end -------------------------------------------------------------------------------------

static size_t in_flight(const struct gateway *gateway)
{
    return asks_live(gateway->asks) + evidence_live(gateway->evidence) +
           clients_live(gateway->clients) + can_i_live(gateway->can_i) +
           subjects_live(gateway->subjects) + once_only_live(gateway->once_only) +
           gateway->metrics.side[METRICS_PROVIDER].live;
}

static void on_drain(struct loop_timer *timer)
{
    struct program *self = timer->owner;
    struct gateway *gateway = &self->gateway;
    bool late = loop_now_us(gateway->loop) >= self->drain_until_us;
    if (!late && (in_flight(gateway) > 0 || http_server_counts(gateway->http).connections > 0)) {
        loop_set_timer(gateway->loop, timer, DRAIN_LOOK_MS);
        return;
    }
    if (in_flight(gateway) > 0)
        EVENT(WARN, "gateway.left_behind", E_NUMBER("requests", in_flight(gateway)));
    loop_stop(gateway->loop);
}

static void on_terminate(void *owner)
{
    struct program *self = owner;
    struct gateway *gateway = &self->gateway;
    if (gateway->draining)
        return;
    gateway->draining = true;
    EVENT(INFO, "gateway.draining", E_NUMBER("in_flight", in_flight(gateway)));
    front_line_leave(gateway->front);
    http_server_drain(gateway->http);
    if (gateway->evidence_http != NULL)
        http_server_drain(gateway->evidence_http);
    self->drain_until_us = loop_now_us(gateway->loop) + DRAIN_MS * 1000;
    self->drain = (struct loop_timer){.fire = on_drain, .owner = self};
    loop_set_timer(gateway->loop, &self->drain, DRAIN_LOOK_MS);
}

// --- from the front line -------------------------------------------------------------------------

static void on_admitted(void *owner, uint64_t ask, const struct front_problem *problem)
{
    ask_admitted(owner, ask, problem);
}

static void on_answered(void *owner, const struct front_answer *answer)
{
    if (!once_only_answered(owner, answer))
        ask_answered(owner, answer);
}

static void on_called(void *owner, const struct front_call *call)
{
    call_take(owner, call);
}

static void on_lost(void *owner, enum front_loss loss)
{
    ask_lost(owner, loss);
    clients_lost(owner);
    can_i_lost(owner);
    subjects_lost(owner);
    once_only_lost(owner);
}

static void on_witnessed(void *owner, uint64_t ask, unsigned status, struct span body)
{
    evidence_witnessed(owner, ask, status, body);
}

static void on_clients(void *owner, const struct front_clients *page)
{
    clients_came(owner, page);
}

static void on_can(void *owner, const struct front_can *answer)
{
    can_i_came(owner, answer);
}

static void on_servers(void *owner, const struct front_servers *page)
{
    subjects_servers(owner, page);
}

static void on_once_only(void *owner, const struct Chaski__FrontMessage *message)
{
    once_only_came(owner, message);
}

static const struct front_handler front_handler = {on_admitted, on_answered,  on_called,
                                                   on_lost,     on_witnessed, on_clients,
                                                   on_can,      on_servers,   on_once_only};

// --- the start -----------------------------------------------------------------------------------

/* CURVE only towards another machine; the server's key is what makes it the right one. */
static fault check_keys(struct program *self)
{
    const struct gateway_config *config = &self->gateway.config;
    bool tcp = strncmp(config->server, "tcp://", 6) == 0;
    bool evidence = strncmp(config->evidence_server, "tcp://", 6) == 0;
    if (config->server_key[0] == '\0')
        return !tcp && !evidence
                   ? DONE
                   : RAISE(BAD_CONFIG,
                           "%s = %s needs server_key: what goes over a network is encrypted",
                           tcp ? "server" : "evidence_server",
                           tcp ? config->server : config->evidence_server);
    if (failed(z85_read(span_of_text(config->server_key), self->server_key, CURVE_KEY_BYTES)))
        return RAISE(BAD_CONFIG, "server_key is not 40 characters of Z85");
    return DONE;
}

static fault read_keys(struct program *self)
{
    const struct gateway_config *config = &self->gateway.config;
    if (config->server_key[0] == '\0')
        return DONE;
    if (config->key_file[0] != '\0')
        return curve_load(config->key_file, &self->own);
    curve_make(&self->own);
    return DONE;
}

static fault check_addresses(const struct gateway_config *config)
{
    if (config->listen.count == 0)
        return RAISE(BAD_CONFIG, "listen is empty");
    for (size_t i = 0; i < config->listen.count; i++)
        TRY(http_server_check_address(config->listen.item[i]));
    for (size_t i = 0; i < config->evidence_listen.count; i++)
        TRY(http_server_check_address(config->evidence_listen.item[i]));
    return DONE;
}

/* The quarter that the budget keeps for each use must hold one body. */
static fault check_sizes(const struct gateway_config *config)
{
    if (config->held_bytes_max / 4 < config->body_bytes_max)
        return RAISE(BAD_CONFIG,
                     "held_bytes_max = %lld must be at least four times body_bytes_max = %lld",
                     (long long)config->held_bytes_max, (long long)config->body_bytes_max);
    return DONE;
}

/* Everything that can be wrong with the settings before anything is started. */
static fault read_settings(struct program *self)
{
    struct gateway *gateway = &self->gateway;
    TRY(gateway_config_read(self->config_path, &gateway->config));
    TRY(check_keys(self));
    TRY(check_addresses(&gateway->config));
    TRY(check_sizes(&gateway->config));
    return services_new(&gateway->config, &gateway->services);
}

static fault open_front(struct program *self)
{
    struct gateway *gateway = &self->gateway;
    bool curve = gateway->config.server_key[0] != '\0';
    struct front_line_options options = {.loop = gateway->loop,
                                         .net = gateway->net,
                                         .address = gateway->config.server,
                                         .name = gateway->config.name,
                                         .own = curve ? &self->own : NULL,
                                         .server_key = curve ? self->server_key : NULL,
                                         .handler = &front_handler,
                                         .owner = gateway};
    TRY(front_line_open(&options, &gateway->front));
    say_services(gateway);
    return DONE;
}

static fault open_http(struct gateway *gateway)
{
    const struct gateway_config *config = &gateway->config;
    struct http_server_options options = {.loop = gateway->loop,
                                          .budget = &gateway->budget,
                                          .body_bytes_max = (size_t)config->body_bytes_max,
                                          .connections_max = (size_t)config->connections_max,
                                          .head_wait_ms = config->head_wait_ms,
                                          .body_wait_ms = config->body_wait_ms,
                                          .idle_ms = config->idle_ms,
                                          .body_bytes_per_s_least = config->body_bytes_per_s_least,
                                          .handler = &ask_http_handler,
                                          .owner = gateway};
    TRY(http_server_new(&options, &gateway->http));
    for (size_t i = 0; i < config->listen.count; i++)
        TRY(http_server_listen(gateway->http, config->listen.item[i]));
    return DONE;
}

/* A server of its own, with bounds of its own: what strangers do here takes nothing from callers.
 */
static fault open_evidence_http(struct gateway *gateway)
{
    const struct config_list *listen = &gateway->config.evidence_listen;
    if (listen->count == 0)
        return DONE;
    gateway->evidence_budget.most = EVIDENCE_HELD_BYTES_MAX;
    struct http_server_options options = {.loop = gateway->loop,
                                          .budget = &gateway->evidence_budget,
                                          .body_bytes_max = WITNESS_BODY_BYTES_MAX,
                                          .connections_max = EVIDENCE_CONNECTIONS_MAX,
                                          .head_wait_ms = gateway->config.head_wait_ms,
                                          .body_wait_ms = EVIDENCE_BODY_WAIT_MS,
                                          .idle_ms = EVIDENCE_IDLE_MS,
                                          .body_bytes_per_s_least = EVIDENCE_BYTES_PER_S_LEAST,
                                          .handler = &evidence_http_handler,
                                          .owner = gateway};
    TRY(http_server_new(&options, &gateway->evidence_http));
    for (size_t i = 0; i < listen->count; i++)
        TRY(http_server_listen(gateway->evidence_http, listen->item[i]));
    return DONE;
}

static fault open_clerk(struct program *self)
{
    struct gateway *gateway = &self->gateway;
    const char *address = gateway->config.evidence_server;
    bool curve = strncmp(address, "tcp://", 6) == 0;
    struct clerk_line_options options = {.loop = gateway->loop,
                                         .net = gateway->net,
                                         .address = address,
                                         .own = curve ? &self->own : NULL,
                                         .server_key = curve ? self->server_key : NULL,
                                         .answered = evidence_answered,
                                         .restarted = evidence_restarted,
                                         .owner = gateway};
    return address[0] == '\0' ? DONE : clerk_line_open(&options, &gateway->clerk);
}

static fault open_client(struct gateway *gateway)
{
    struct service_client_options options = {
        .loop = gateway->loop,
        .budget = &gateway->budget,
        .body_bytes_max = (size_t)gateway->config.body_bytes_max,
        .connections_max = (size_t)gateway->config.service_connections};
    return service_client_new(&options, &gateway->client);
}

static fault watch_signals(struct program *self)
{
    struct loop *loop = self->gateway.loop;
    TRY(loop_on_signal(loop, SIGTERM, on_terminate, self));
    TRY(loop_on_signal(loop, SIGINT, on_terminate, self));
    return loop_on_signal(loop, SIGHUP, on_hangup, self);
}

static fault write_small_file(const char *path, const struct bytes *text)
{
    return path[0] == '\0' ? DONE : file_replace(path, bytes_span(text), 0644);
}

static fault write_ready_file(struct gateway *gateway)
{
    char line[128];
    OWNED(bytes) text = bytes_empty(256);
    for (size_t i = 0; i < http_server_listeners(gateway->http); i++) {
        text_format(line, sizeof line, "listen=%s\n", http_server_address(gateway->http, i));
        TRY(bytes_append_text(text, line));
    }
    for (size_t i = 0;
         gateway->evidence_http != NULL && i < http_server_listeners(gateway->evidence_http); i++) {
        text_format(line, sizeof line, "evidence_listen=%s\n",
                    http_server_address(gateway->evidence_http, i));
        TRY(bytes_append_text(text, line));
    }
    return write_small_file(gateway->config.ready_file, text);
}

static fault write_pid_file(struct gateway *gateway)
{
    char line[32];
    OWNED(bytes) text = bytes_empty(32);
    text_format(line, sizeof line, "%d\n", (int)getpid());
    TRY(bytes_append_text(text, line));
    return write_small_file(gateway->config.pid_file, text);
}

static void say_started(const struct gateway *gateway)
{
    for (size_t i = 0; i < http_server_listeners(gateway->http); i++)
        EVENT(INFO, "gateway.listening", E_TEXT("address", http_server_address(gateway->http, i)));
    for (size_t i = 0;
         gateway->evidence_http != NULL && i < http_server_listeners(gateway->evidence_http); i++)
        EVENT(INFO, "gateway.evidence_listening",
              E_TEXT("address", http_server_address(gateway->evidence_http, i)));
    EVENT(WARN, "http.callers_believed",
          E_TEXT("detail", "plain HTTP: whoever reaches these addresses is believed by its "
                           "X-Road-Client header; let only your own systems reach them"),
          E_NUMBER("open_to_other_machines", http_server_is_open_to_others(gateway->http)));
    EVENT(INFO, "gateway.started", E_TEXT("version", VERSION),
          E_NUMBER("services", services_count(gateway->services)));
}

/* Idle callers must not take the descriptors that own services, files and the line to the server
 * need: a quarter stays for those. */
static void cap_connections(struct gateway_config *config, size_t open_files)
{
    size_t kept = open_files / 4 > OPEN_FILES_KEPT_LEAST ? open_files / 4 : OPEN_FILES_KEPT_LEAST;
    size_t most = open_files > kept ? open_files - kept : 1;
    if ((size_t)config->connections_max <= most)
        return;
    EVENT(WARN, "http.connections_capped", E_NUMBER("connections_max", config->connections_max),
          E_NUMBER("allowed", most), E_NUMBER("open_files", open_files));
    config->connections_max = (int64_t)most;
}

static void fit_file_limit(struct gateway_config *config)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = limit.rlim_max < OPEN_FILES_WANTED ? limit.rlim_max : OPEN_FILES_WANTED;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        cap_connections(config, limit.rlim_cur);
}

/* The jail stands before the first byte of a stranger is read; listening sockets only queue. */
static fault start(struct program *self)
{
    struct gateway *gateway = &self->gateway;
    gateway->budget.most = (size_t)gateway->config.held_bytes_max;
    gateway->asks = asks_new();
    gateway->evidence = evidence_new(gateway);
    gateway->clients = clients_new(gateway);
    gateway->can_i = can_i_new(gateway);
    gateway->subjects = subjects_new(gateway);
    gateway->once_only = once_only_new(gateway);
    gateway->descriptions = descriptions_new(gateway);
    TRY(read_keys(self));
    TRY(loop_new(&gateway->loop));
    TRY(watch_signals(self));
    event_rate_begin(&gateway->refused_early, gateway->loop, "ask.refused_early");
    TRY(net_new(gateway->loop, &gateway->net));
    TRY(open_client(gateway));
    TRY(open_front(self));
    TRY(open_http(gateway));
    TRY(open_clerk(self));
    TRY(open_evidence_http(gateway));
    TRY(jail_enter(JAIL_GATEWAY));
    TRY(write_pid_file(gateway));
    TRY(write_ready_file(gateway));
    descriptions_begin(gateway->descriptions);
    say_started(gateway);
    return DONE;
}

static void stop(struct program *self)
{
    struct gateway *gateway = &self->gateway;
    if (gateway->front != NULL)
        ask_lost(gateway, FRONT_LOST);
    if (gateway->loop != NULL)
        loop_stop_timer(gateway->loop, &self->drain);
    http_server_free(&gateway->evidence_http);
    http_server_free(&gateway->http); /* asks that only gathered a body end here */
    service_client_free(&gateway->client);
    if (gateway->loop != NULL)
        evidence_free(&gateway->evidence);
    if (gateway->loop != NULL)
        clients_free(&gateway->clients);
    if (gateway->loop != NULL)
        can_i_free(&gateway->can_i);
    if (gateway->loop != NULL)
        subjects_free(&gateway->subjects);
    if (gateway->loop != NULL)
        once_only_free(&gateway->once_only);
    if (gateway->loop != NULL)
        descriptions_free(&gateway->descriptions);
    clerk_line_free(&gateway->clerk);
    front_line_free(&gateway->front);
    net_free(&gateway->net);
    event_rate_end(&gateway->refused_early);
    loop_free(&gateway->loop);
    asks_free(&gateway->asks);
    services_free(&gateway->services);
    gateway_config_clear(&gateway->config);
    explicit_bzero(&self->own, sizeof self->own);
}

static int run(struct program *self)
{
    fault f = start(self);
    bool started = !failed(f);
    if (started)
        f = loop_run(self->gateway.loop);
    if (failed(f))
        EVENT(ERROR, started ? "gateway.failed" : "gateway.start_refused", E_FAULT(f));
    else
        EVENT(INFO, "gateway.stopped", E_NUMBER("left", in_flight(&self->gateway)));
    int status = !failed(f) ? 0 : !started && f.code == BAD_CONFIG ? 2 : 1;
    stop(self);
    return status;
}

// --- the command line ----------------------------------------------------------------------------

enum action { ACTION_RUN, ACTION_CHECK, ACTION_PRINT };

/* Returns an exit status, or -1 to go on. */
static int read_arguments(int argc, char **argv, const char **path, enum action *action)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check-config", no_argument, NULL, 'k'},
                                            {"print-config", no_argument, NULL, 'p'},
                                            {"document-config", no_argument, NULL, 'd'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            *path = optarg;
            break;
        case 'k':
            *action = ACTION_CHECK;
            break;
        case 'p':
            *action = ACTION_PRINT;
            break;
        case 'd':
            config_document("chaski-gateway", gateway_settings, stdout);
            return 0;
        case 'v':
            puts("chaski-gateway " VERSION);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (*path != NULL && optind == argc)
        return -1;
    fputs(usage, stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static struct program program;
    enum action action = ACTION_RUN;
    int status = read_arguments(argc, argv, &program.config_path, &action);
    if (status >= 0)
        return status;
    struct gateway *gateway = &program.gateway;
    if (failed(read_settings(&program))) {
        fprintf(stderr, "chaski-gateway: %s\n", fault_detail());
        gateway_config_clear(&gateway->config);
        return 2;
    }
    if (action == ACTION_PRINT)
        config_print(gateway_settings, &gateway->config, stdout);
    if (action != ACTION_RUN) {
        services_free(&gateway->services);
        gateway_config_clear(&gateway->config);
        return 0;
    }
    event_setup("chaski-gateway", (enum event_level)gateway->config.event_level);
    signal(SIGPIPE, SIG_IGN);
    fit_file_limit(&gateway->config);
    return run(&program);
}
