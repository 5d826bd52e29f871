// SPDX-License-Identifier: MIT
#include "gateway/gateway_config.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <stddef.h>

#define SERVICE(member) offsetof(struct service_section, member)
#define CLIENT(member) offsetof(struct client_section, member)
#define AT(member) offsetof(struct gateway_config, member)

static const struct config_setting service_settings[] = {
    {.name = "kind",
     .kind = CONFIG_CHOICE,
     .offset = SERVICE(kind),
     .text = "http",
     .choices = "http|table",
     .sentence = "What answers: the agency's own HTTP service, or a CSV file served from memory."},
    {.name = "url",
     .kind = CONFIG_TEXT,
     .offset = SERVICE(url),
     .text = "",
     .sentence = "http: where the service is, such as http://127.0.0.1:9000/base; the caller's "
                 "path and query are added. A name is looked up when this is read, not later."},
    {.name = "timeout_ms",
     .kind = CONFIG_NUMBER,
     .offset = SERVICE(timeout_ms),
     .number = DEADLINE_MS_DEFAULT,
     .least = DEADLINE_MS_LEAST,
     .most = DEADLINE_MS_MAX,
     .sentence = "http: longest wait for the whole answer, in ms; the caller's deadline may be "
                 "shorter."},
    {.name = "file",
     .kind = CONFIG_TEXT,
     .offset = SERVICE(file),
     .text = "",
     .sentence = "table: the CSV file (RFC 4180, UTF-8, with a header row)."},
    {.name = "key",
     .kind = CONFIG_TEXT,
     .offset = SERVICE(key),
     .text = "",
     .sentence = "table: the column whose value names a row (GET /{key}); must be unique."},
    {.name = "title",
     .kind = CONFIG_TEXT,
     .offset = SERVICE(name),
     .text = "",
     .sentence = "table: what people call it, for the OpenAPI description."},
    {.name = "openapi",
     .kind = CONFIG_TEXT,
     .offset = SERVICE(openapi),
     .text = "",
     .sentence =
         "http: the service's OpenAPI 3 description, JSON or YAML, for getOpenAPI and listMethods: "
         "a file, or where it is fetched, such as http://127.0.0.1:9000/openapi.json. Addresses in "
         "it are given out without their hosts. Empty: none. A table describes itself."},
    {.name = NULL}};

static const struct config_setting client_settings[] = {
    {.name = "purpose",
     .kind = CONFIG_TEXT,
     .offset = CLIENT(purpose),
     .text = "",
     .most = WORD_BYTES_MAX,
     .sentence = "Purpose of its requests that carry no Chaski-Purpose header."},
    {.name = "procedure",
     .kind = CONFIG_TEXT,
     .offset = CLIENT(procedure),
     .text = "",
     .most = WORD_BYTES_MAX,
     .sentence = "The same for Chaski-Procedure."},
    {.name = "legal_basis",
     .kind = CONFIG_TEXT,
     .offset = CLIENT(legal_basis),
     .text = "",
     .most = WORD_BYTES_MAX,
     .sentence = "The same for Chaski-Legal-Basis."},
    {.name = "records",
     .kind = CONFIG_CHOICE,
     .offset = CLIENT(records),
     .text = "off",
     .choices = "off|on",
     .sentence = "May whoever reaches this gateway fetch the records of its exchanges, payloads "
                 "included (/asic)?"},
    {.name = NULL}};

const struct config_setting gateway_settings[] = {
    {.name = "name",
     .kind = CONFIG_TEXT,
     .offset = AT(name),
     .text = "gateway",
     .least = 1,
     .most = 100,
     .sentence = "Name of this gateway in the security server's events."},
    {.name = "listen",
     .kind = CONFIG_LIST,
     .offset = AT(listen),
     .text = "127.0.0.1:8080",
     .sentence = "Where agencies' systems reach this gateway, such as 127.0.0.1:8080 or "
                 "[::1]:8080. Plain HTTP: whoever reaches it is believed by X-Road-Client."},
    {.name = "server",
     .kind = CONFIG_TEXT,
     .offset = AT(server),
     .text = "ipc:///run/chaski/front.sock",
     .least = 1,
     .sentence = "The security server's front door: ipc://, or tcp:// with server_key."},
    {.name = "server_key",
     .kind = CONFIG_TEXT,
     .offset = AT(server_key),
     .text = "",
     .most = 40,
     .sentence = "The security server's public CURVE key, 40 characters of Z85, for tcp://."},
    {.name = "key_file",
     .kind = CONFIG_TEXT,
     .offset = AT(key_file),
     .text = "",
     .sentence = "This gateway's own CURVE key, mode 0600; empty: a new one at each start."},
    {.name = "evidence_server",
     .kind = CONFIG_TEXT,
     .offset = AT(evidence_server),
     .text = "",
     .sentence =
         "The security server's evidence_front, for /asic, /verificationconf, /log and what "
         "is read of /witness: ipc://, or tcp:// with server_key. Empty: none of them."},
    {.name = "evidence_listen",
     .kind = CONFIG_LIST,
     .offset = AT(evidence_listen),
     .text = "",
     .sentence = "Where logs to be witnessed, auditors and monitors reach this gateway: /witness "
                 "and /log; anybody checks permits: /permits. Nothing else. Plain HTTP for a "
                 "reverse proxy in front; everything there "
                 "proves itself by signatures. Empty: nowhere."},
    {.name = "permits_url",
     .kind = CONFIG_TEXT,
     .offset = AT(permits_url),
     .text = "",
     .most = 512,
     .sentence = "Where anybody reaches /permits of this gateway, such as "
                 "https://bus.medellin.gov.co/permits/: in front of a permit's code in its QR "
                 "code. Empty: the code alone."},
    {.name = "body_bytes_max",
     .kind = CONFIG_NUMBER,
     .offset = AT(body_bytes_max),
     .number = HTTP_BODY_BYTES_DEFAULT,
     .least = 1024,
     .most = HTTP_BODY_BYTES_MAX,
     .sentence = "Largest body in either direction, in bytes."},
    {.name = "held_bytes_max",
     .kind = CONFIG_NUMBER,
     .offset = AT(held_bytes_max),
     .number = GATEWAY_HELD_BYTES_DEFAULT,
     .least = 1 << 20,
     .most = 1ll << 40,
     .sentence = "Bodies in memory at once, all connections together, in bytes; more are answered "
                 "503. A quarter each is kept for callers' requests, answers to callers, and own "
                 "services; so it is at least four times body_bytes_max."},
    {.name = "connections_max",
     .kind = CONFIG_NUMBER,
     .offset = AT(connections_max),
     .number = HTTP_CONNECTIONS_DEFAULT,
     .least = 1,
     .most = 1000000,
     .sentence = "Callers' connections at once."},
    {.name = "head_wait_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(head_wait_ms),
     .number = HTTP_HEAD_WAIT_MS_DEFAULT,
     .least = 100,
     .most = 600000,
     .sentence = "A request's head must be complete within this, in ms."},
    {.name = "body_wait_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(body_wait_ms),
     .number = HTTP_BODY_WAIT_MS_DEFAULT,
     .least = 100,
     .most = 3600000,
     .sentence =
         "A request's body must be complete within this, in ms; and a caller who takes no 64 KiB "
         "of its answer within it is given up."},
    {.name = "body_bytes_per_s_least",
     .kind = CONFIG_NUMBER,
     .offset = AT(body_bytes_per_s_least),
     .number = 4096,
     .least = 1,
     .most = 1 << 30,
     .sentence = "A request's body that arrives more slowly than this, in bytes a second, looked "
                 "at every 5 s, is given up (408)."},
    {.name = "idle_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(idle_ms),
     .number = HTTP_IDLE_MS_DEFAULT,
     .least = 100,
     .most = 3600000,
     .sentence = "A connection without a request is closed after this, in ms."},
    {.name = "deadline_ms",
     .kind = CONFIG_NUMBER,
     .offset = AT(deadline_ms),
     .number = DEADLINE_MS_DEFAULT,
     .least = DEADLINE_MS_LEAST,
     .most = DEADLINE_MS_MAX,
     .sentence = "Deadline of requests that carry no Chaski-Deadline-Ms header, in ms."},
    {.name = "service_connections",
     .kind = CONFIG_NUMBER,
     .offset = AT(service_connections),
     .number = 64,
     .least = 1,
     .most = 10000,
     .sentence = "Connections at once to one host of our own services; more requests wait."},
    {.name = "fault_style",
     .kind = CONFIG_CHOICE,
     .offset = AT(fault_style),
     .text = "pascal",
     .choices = "pascal|snake",
     .sentence = "Fault codes as in the published protocol (Server.ServerProxy.AccessDenied) or "
                 "as in X-Road 7.8 (server.serverproxy.access_denied)."},
    {.name = "compat_status",
     .kind = CONFIG_CHOICE,
     .offset = AT(compat_status),
     .text = "http",
     .choices = "http|xroad",
     .sentence = "HTTP status of faults: what HTTP means (403, 404, 503, ...), or X-Road's 500 and "
                 "400."},
    {.name = "event_level",
     .kind = CONFIG_CHOICE,
     .offset = AT(event_level),
     .text = "info",
     .choices = "debug|info|warn|error",
     .sentence = "Least level of events on standard error."},
    {.name = "services_folder",
     .kind = CONFIG_TEXT,
     .offset = AT(services_folder),
     .text = "",
     .sentence = "Folder whose *.conf files are read too: one per service, say. Empty: none."},
    {.name = "ready_file",
     .kind = CONFIG_TEXT,
     .offset = AT(ready_file),
     .text = "",
     .sentence = "File written once this gateway listens, with its real addresses; empty: none."},
    {.name = "pid_file",
     .kind = CONFIG_TEXT,
     .offset = AT(pid_file),
     .text = "",
     .sentence = "File with the process id; empty: none."},
    {.name = "service",
     .kind = CONFIG_SECTION,
     .offset = AT(service),
     .section = service_settings,
     .section_size = sizeof(struct service_section),
     .sentence = "A service of ours that others may call; titled with its identifier "
                 "INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE. Read again on SIGHUP."},
    {.name = "client",
     .kind = CONFIG_SECTION,
     .offset = AT(client),
     .section = client_settings,
     .section_size = sizeof(struct client_section),
     .sentence = "Defaults for one of our subsystems that call; titled with its identifier "
                 "INSTANCE/CLASS/MEMBER/SUBSYSTEM. Read again on SIGHUP."},
    {.name = NULL}};

fault gateway_config_read(const char *path, struct gateway_config *out)
{
    struct gateway_config config = {0};
    fault f = config_read(path, NULL, gateway_settings, &config);
    if (!failed(f) && config.services_folder[0] != '\0') {
        /* only now is it known which further files there are */
        char glob[4200];
        text_format(glob, sizeof glob, "%s/*.conf", config.services_folder);
        config_clear(gateway_settings, &config);
        config = (struct gateway_config){0};
        f = config_read(path, glob, gateway_settings, &config);
    }
    if (failed(f)) {
        config_clear(gateway_settings, &config);
        return f;
    }
    *out = config;
    return DONE;
}

void gateway_config_clear(struct gateway_config *self)
{
    config_clear(gateway_settings, self);
}
