// SPDX-License-Identifier: MIT
#include "registry/commands.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "registry/server_request.h"

#include "directory.pb-c.h"

#include <stdlib.h>
#include <time.h>

#define DAY_MS 86400000LL
#define VALID_DAYS_DEFAULT 30
#define CERTIFICATE_DAYS 365
#define GRANT_DAYS_MAX 731 /* 24 months */

static char *or_empty(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static fault need(const char *value, const char *option)
{
    return value != NULL && value[0] != '\0' ? DONE : RAISE(REFUSED, "%s is missing", option);
}

// --- members and servers
// -----------------------------------------------------------------------------

static fault member_add(struct store *store, const struct arguments *arguments)
{
    TRY(need(arguments->name, "--name"));
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__MemberSet member = CHASKI__MEMBER_SET__INIT;
    member.id = or_empty(arguments->positional[1]);
    member.name = or_empty(arguments->name);
    member.public_agency = arguments->public_agency;
    act.act_case = CHASKI__ACT__ACT_MEMBER_SET;
    act.member_set = &member;
    return store_add(store, &act);
}

static fault issue(struct store *store, const struct directory_member *member,
                   const struct server_request *request, struct certificate **out)
{
    struct certificate_subject subject = {.country = ""};
    struct bus_id id;
    int64_t now_ms = clock_wall_ms();
    TRY(bus_id_parse(span_of_text(request->server), ID_SERVER, ID_SERVER, &id));
    if (strlen(id.part[0]) == 2)
        memcpy(subject.country, id.part[0], 3);
    text_format(subject.organisation, sizeof subject.organisation, "%s", member->name);
    if (!text_format(subject.member, sizeof subject.member, "%s", member->id) ||
        !text_format(subject.server, sizeof subject.server, "%s",
                     strrchr(request->server, '/') + 1))
        return RAISE(BAD_NAME, "%s is too long for a certificate", request->server);
    return certificate_issue(store->ca_key, store->ca, bytes_span(request->certificate_request),
                             &subject, now_ms - DAY_MS, now_ms + CERTIFICATE_DAYS * DAY_MS, out);
}

static fault add_server_act(struct store *store, const struct server_request *request,
                            const struct certificate *certificate)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__ServerSet server = CHASKI__SERVER_SET__INIT;
    ProtobufCBinaryData seal_keys[SEAL_KEYS_MAX], certificates[1];
    for (size_t i = 0; i < request->seal_keys; i++)
        seal_keys[i] = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)request->seal_key[i]};
    struct span der = certificate_der(certificate);
    certificates[0] = (ProtobufCBinaryData){der.size, (uint8_t *)(uintptr_t)der.at};
    server.id = request->server;
    server.n_address = request->addresses;
    server.address = (char **)(uintptr_t)request->address;
    server.transport_key = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)request->transport_key};
    server.n_seal_key = request->seal_keys;
    server.seal_key = seal_keys;
    server.log_vkey = request->log_vkey;
    server.n_certificate = 1;
    server.certificate = certificates;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = &server;
    return store_add(store, &act);
}

static fault write_certificate(const struct certificate *certificate, const char *request_path,
                               const char *to)
{
    char path[600];
    OWNED(bytes) pem = NULL;
    if (to != NULL)
        text_format(path, sizeof path, "%s", to);
    else
        text_format(path, sizeof path, "%s.crt", request_path);
    TRY(certificate_pem(certificate, &pem));
    return file_replace(path, bytes_span(pem), 0644);
}

static fault server_add(struct store *store, const struct arguments *arguments)
{
    OWNED(server_request) request = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(directory) state = NULL;
    TRY(server_request_read(arguments->positional[1], &request));
    TRY(store_state(store, &state));
    const struct directory_member *member =
        directory_member(state, bus_id_prefix(span_of_text(request->server), ID_MEMBER));
    if (member == NULL)
        return RAISE(REFUSED, "the member of server %s is not registered", request->server);
    TRY(issue(store, member, request, &certificate));
    TRY(add_server_act(store, request, certificate));
    return write_certificate(certificate, arguments->positional[1], arguments->certificate_to);
}

/* The present entry again, with other addresses. */
static fault server_address(struct store *store, const struct arguments *arguments)
{
    OWNED(directory) state = NULL;
    TRY(store_state(store, &state));
    const struct directory_server *old =
        directory_server(state, span_of_text(arguments->positional[1]));
    if (old == NULL)
        return RAISE(NOT_FOUND, "no server %s", arguments->positional[1]);
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__ServerSet server = CHASKI__SERVER_SET__INIT;
    ProtobufCBinaryData seal_keys[SEAL_KEYS_MAX], certificates[DIRECTORY_CERTIFICATES_MAX];
    char vkey[512];
    for (size_t i = 0; i < old->seal_keys; i++)
        seal_keys[i] = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)old->seal_key[i]};
    for (size_t i = 0; i < old->signers; i++) {
        struct span der = certificate_der(old->signer[i]->certificate);
        certificates[i] = (ProtobufCBinaryData){der.size, (uint8_t *)(uintptr_t)der.at};
    }
    note_key_text(&old->log_key, vkey, sizeof vkey);
    server.id = or_empty(old->id);
    server.n_address = arguments->addresses;
    server.address = (char **)(uintptr_t)arguments->address;
    server.transport_key = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)old->transport_key};
    server.n_seal_key = old->seal_keys;
    server.seal_key = seal_keys;
    server.log_vkey = vkey;
    server.n_certificate = old->signers;
    server.certificate = certificates;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = &server;
    return store_add(store, &act);
}

// --- subsystems and services
// -------------------------------------------------------------------------

static fault subsystem_add(struct store *store, const struct arguments *arguments)
{
    TRY(need(arguments->name, "--name"));
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__SubsystemSet subsystem = CHASKI__SUBSYSTEM_SET__INIT;
    subsystem.id = or_empty(arguments->positional[1]);
    subsystem.name = or_empty(arguments->name);
    subsystem.n_server = arguments->servers;
    subsystem.server = (char **)(uintptr_t)arguments->server;
    act.act_case = CHASKI__ACT__ACT_SUBSYSTEM_SET;
    act.subsystem_set = &subsystem;
    return store_add(store, &act);
}

static fault class_of(const char *word, Chaski__ServiceClass *out)
{
    static const char *const words[] = {"open", "shared", "restricted"};
    if (word == NULL)
        word = "shared"; /* access by default */
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = (Chaski__ServiceClass)(i + 1);
            return DONE;
        }
    return RAISE(REFUSED, "--class %s is not one of open, shared, restricted", word);
}

static fault add_service(struct store *store, const char *id, const char *title,
                         Chaski__ServiceClass class, bool disabled, const char *notice)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__ServiceSet service = CHASKI__SERVICE_SET__INIT;
    service.id = or_empty(id);
    service.title = or_empty(title);
    service.class_ = class;
    service.disabled = disabled;
    service.notice = or_empty(notice);
    act.act_case = CHASKI__ACT__ACT_SERVICE_SET;
    act.service_set = &service;
    return store_add(store, &act);
}

static fault service_add(struct store *store, const struct arguments *arguments)
{
    Chaski__ServiceClass class;
    TRY(class_of(arguments->class, &class));
    return add_service(store, arguments->positional[1], arguments->title, class, false, "");
}

static fault service_switch(struct store *store, const struct arguments *arguments, bool disabled)
{
    OWNED(directory) state = NULL;
    TRY(store_state(store, &state));
    const struct directory_service *old =
        directory_service(state, span_of_text(arguments->positional[1]));
    if (old == NULL)
        return RAISE(NOT_FOUND, "no service %s", arguments->positional[1]);
    return add_service(store, old->id, old->title, (Chaski__ServiceClass)old->class, disabled,
                       arguments->notice);
}

static fault service_disable(struct store *store, const struct arguments *arguments)
{
    TRY(need(arguments->notice, "--notice (what callers are told)"));
    return service_switch(store, arguments, true);
}

static fault service_enable(struct store *store, const struct arguments *arguments)
{
    return service_switch(store, arguments, false);
}

// --- purposes and grants
// -----------------------------------------------------------------------------

static fault purpose_add(struct store *store, const struct arguments *arguments)
{
    TRY(need(arguments->title, "--title"));
    TRY(need(arguments->legal_basis, "--legal-basis"));
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__PurposeSet purpose = CHASKI__PURPOSE_SET__INIT;
    purpose.id = or_empty(arguments->positional[1]);
    purpose.title = or_empty(arguments->title);
    purpose.legal_basis = or_empty(arguments->legal_basis);
    act.act_case = CHASKI__ACT__ACT_PURPOSE_SET;
    act.purpose_set = &purpose;
    return store_add(store, &act);
}

/* The end of that day, UTC. */
static fault end_of_day(const char *date, int64_t *out)
{
    struct tm day = {0};
    const char *rest = date == NULL ? NULL : strptime(date, "%Y-%m-%d", &day);
    if (rest == NULL || *rest != '\0')
        return RAISE(REFUSED, "--until must be a date such as 2027-06-30");
    *out = (int64_t)timegm(&day) * 1000 + DAY_MS - 1;
    return DONE;
}

static fault grant_add(struct store *store, const struct arguments *arguments)
{
    int64_t until_ms = 0, now_ms = clock_wall_ms();
    TRY(need(arguments->service, "--service"));
    TRY(need(arguments->consumer, "--consumer"));
    TRY(need(arguments->legal_basis, "--legal-basis"));
    TRY(end_of_day(arguments->until, &until_ms));
    if (until_ms < now_ms || until_ms > now_ms + GRANT_DAYS_MAX * DAY_MS)
        return RAISE(REFUSED, "--until %s is over, or more than 24 months away", arguments->until);
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__GrantSet grant = CHASKI__GRANT_SET__INIT;
    grant.id = or_empty(arguments->positional[1]);
    grant.service = or_empty(arguments->service);
    grant.consumer = or_empty(arguments->consumer);
    grant.purpose = or_empty(arguments->purpose);
    grant.legal_basis = or_empty(arguments->legal_basis);
    grant.until_ms = (uint64_t)until_ms;
    act.act_case = CHASKI__ACT__ACT_GRANT_SET;
    act.grant_set = &grant;
    return store_add(store, &act);
}

// --- removal and revocation
// --------------------------------------------------------------------------

static fault remove_what(struct store *store, const struct arguments *arguments,
                         Chaski__Removed__WhatCase what)
{
    TRY(need(arguments->reason, "--reason"));
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    removed.what_case = what;
    removed.member = or_empty(arguments->positional[1]); /* one place for all: a union */
    removed.reason = or_empty(arguments->reason);
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    return store_add(store, &act);
}

static fault member_remove(struct store *store, const struct arguments *arguments)
{
    return remove_what(store, arguments, CHASKI__REMOVED__WHAT_MEMBER);
}

static fault server_remove(struct store *store, const struct arguments *arguments)
{
    return remove_what(store, arguments, CHASKI__REMOVED__WHAT_SERVER);
}

static fault subsystem_remove(struct store *store, const struct arguments *arguments)
{
    return remove_what(store, arguments, CHASKI__REMOVED__WHAT_SUBSYSTEM);
}

static fault service_remove(struct store *store, const struct arguments *arguments)
{
    return remove_what(store, arguments, CHASKI__REMOVED__WHAT_SERVICE);
}

static fault purpose_remove(struct store *store, const struct arguments *arguments)
{
    return remove_what(store, arguments, CHASKI__REMOVED__WHAT_PURPOSE);
}

static fault grant_remove(struct store *store, const struct arguments *arguments)
{
    return remove_what(store, arguments, CHASKI__REMOVED__WHAT_GRANT);
}

static fault revoke_one(struct store *store, const struct sha256 *hash, const char *reason)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__CertificateRevoked revoked = CHASKI__CERTIFICATE_REVOKED__INIT;
    revoked.certificate_sha256 =
        (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)(uintptr_t)hash->at};
    revoked.since_ms = (uint64_t)clock_wall_ms();
    revoked.reason = or_empty(reason);
    act.act_case = CHASKI__ACT__ACT_CERTIFICATE_REVOKED;
    act.certificate_revoked = &revoked;
    return store_add(store, &act);
}

/* Of a whole server: every certificate in force; or one certificate from a file. */
static fault certificate_revoke(struct store *store, const struct arguments *arguments)
{
    TRY(need(arguments->reason, "--reason"));
    if (arguments->certificate != NULL) {
        OWNED(certificate) certificate = NULL;
        TRY(certificate_load(arguments->certificate, &certificate));
        struct sha256 hash = certificate_hash(certificate);
        return revoke_one(store, &hash, arguments->reason);
    }
    if (arguments->servers != 1)
        return RAISE(REFUSED, "one --server or one --certificate is needed");
    OWNED(directory) state = NULL;
    TRY(store_state(store, &state));
    const struct directory_server *server =
        directory_server(state, span_of_text(arguments->server[0]));
    if (server == NULL)
        return RAISE(NOT_FOUND, "no server %s", arguments->server[0]);
    for (size_t i = 0; i < server->signers; i++) {
        struct sha256 hash = certificate_hash(server->signer[i]->certificate);
        TRY(revoke_one(store, &hash, arguments->reason));
    }
    return DONE;
}

// --- publishing
// --------------------------------------------------------------------------------------

static fault publish(struct store *store, const struct arguments *arguments)
{
    struct checkpoint head;
    int64_t until_ms = 0;
    char root[2 * SHA256_BYTES + 1], until[32];
    TRY(need(arguments->to, "--to"));
    int64_t days = arguments->valid_days > 0 ? arguments->valid_days : VALID_DAYS_DEFAULT;
    TRY(store_publish(store, arguments->to, days, &head, &until_ms));
    text_hex(sha256_span(&head.root), root, sizeof root);
    clock_text(until_ms, until, sizeof until);
    printf("published epoch %llu root %s valid until %s in %s\n", (unsigned long long)head.size,
           root, until, arguments->to);
    return DONE;
}

// --- the table
// ---------------------------------------------------------------------------------------

const struct command commands[] = {
    {"member add", 2, "STORE I/CLASS/MEMBER --name NAME [--public]",
     "registers a member, or changes it; --public: it is a public agency", true, member_add},
    {"member remove", 2, "STORE I/CLASS/MEMBER --reason WHY", "removes one", true, member_remove},
    {"server add", 2, "STORE REQUEST_FILE [--certificate-to FILE]",
     "takes a request made by `chaski keys make`, issues the certificate", true, server_add},
    {"server address", 2, "STORE I/C/M/SERVER --address tcp://... [--address ...]",
     "changes where a server is reached", true, server_address},
    {"server remove", 2, "STORE I/C/M/SERVER --reason WHY", "removes one", true, server_remove},
    {"subsystem add", 2, "STORE I/C/M/SUBSYSTEM --name NAME --server I/C/M/SERVER [--server ...]",
     "registers a subsystem on servers, or changes it", true, subsystem_add},
    {"subsystem remove", 2, "STORE I/C/M/SUBSYSTEM --reason WHY", "removes one", true,
     subsystem_remove},
    {"service add", 2, "STORE I/C/M/S/SERVICE [--title T] [--class open|shared|restricted]",
     "publishes a service, or changes it; the class is shared unless said otherwise", true,
     service_add},
    {"service disable", 2, "STORE I/C/M/S/SERVICE --notice TEXT", "switches one off", true,
     service_disable},
    {"service enable", 2, "STORE I/C/M/S/SERVICE", "switches it on again", true, service_enable},
    {"service remove", 2, "STORE I/C/M/S/SERVICE --reason WHY", "removes one", true,
     service_remove},
    {"purpose add", 2, "STORE PURPOSE --title T --legal-basis NORM", "registers a purpose", true,
     purpose_add},
    {"purpose remove", 2, "STORE PURPOSE --reason WHY", "removes one", true, purpose_remove},
    {"grant add", 2,
     "STORE GRANT --service ID --consumer ID [--purpose P] --legal-basis NORM --until YYYY-MM-DD",
     "opens a restricted service to a member or subsystem, for at most 24 months", true, grant_add},
    {"grant remove", 2, "STORE GRANT --reason WHY", "ends one", true, grant_remove},
    {"certificate revoke", 1, "STORE (--server I/C/M/SERVER | --certificate FILE) --reason WHY",
     "makes certificates worthless from now on, for ever", true, certificate_revoke},
    {"publish", 1, "STORE --to FOLDER [--valid-days N]",
     "signs the directory as it stands and writes its static files", false, publish},
    {"show", 1, "STORE [--json]", "what is registered", false, show_run},
    {0},
};
