// SPDX-License-Identifier: MIT
/* chaski service, subsystem, address, grant and key: what a member changes in the directory by
 * itself. */
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/server_set.h"
#include "lib/bus/service_act.h"
#include "lib/bus/service_look.h"
#include "tools/chaski/commands.h"
#include "tools/chaski/day.h"
#include "tools/chaski/member.h"

#include "directory.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct change {
    struct member_options member;
    const char *noun, *verb, *operand;
    const char *title, *name, *class, *reason, *notice;
    const char *service, *consumer, *purpose, *basis, *until, *certificate;
    size_t addresses;
    const char *address[DIRECTORY_ADDRESSES_MAX];
    size_t endpoints;
    const char *endpoint[DIRECTORY_ENDPOINTS_MAX];
    const char *rate, *burst, *volume, *subject;
    size_t columns;
    const char *column[DIRECTORY_COLUMNS_MAX];
};

struct work {
    const struct change *asked;
    struct member *member;
    struct arena *memory; /* of an act while it is made */
};

static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

static fault need(const char *value, const char *option)
{
    return value != NULL ? DONE : RAISE(BAD_REQUEST, "%s is missing", option);
}

/* What is said is what stands there now. */
static fault do_and_say(const struct work *self, Chaski__Act *act, const char *what)
{
    uint64_t epoch = 0;
    TRY(member_do(self->member, act, &epoch));
    if (self->asked->member.draft != NULL) {
        printf("%s: written to %s, and nothing done. What would break: chaski policy diff --config "
               "SERVER_CONF --draft %s\n",
               what, self->asked->member.draft, self->asked->member.draft);
        return DONE;
    }
    printf("%s: stands in the directory, epoch %" PRIu64 "\n", what, epoch);
    return DONE;
}

/* A service or subsystem is named by its whole identifier, or without its member. */
static fault full_id(const struct work *self, unsigned parts, char out[ID_TEXT_BYTES_MAX + 1])
{
    const char *given = self->asked->operand, *member = self->member->server->member->id;
    struct bus_id id;
    size_t size = strlen(member);
    TRY(need(given, "its identifier"));
    bool whole = strncmp(given, member, size) == 0 && given[size] == '/';
    if (!text_format(out, ID_TEXT_BYTES_MAX + 1, "%s%s%s", whole ? "" : member, whole ? "" : "/",
                     given) ||
        failed(bus_id_parse(span_of_text(out), parts, parts, &id)))
        return RAISE(BAD_REQUEST, "%s is no such identifier of %s", given, member);
    return DONE;
}

// --- services -----------------------------------------------------------------------------------

static fault class_of(const char *word, Chaski__ServiceClass *out)
{
    static const struct {
        const char *word;
        Chaski__ServiceClass class;
    } classes[] = {{"open", CHASKI__SERVICE_CLASS__OPEN},
                   {"shared", CHASKI__SERVICE_CLASS__SHARED}};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (word != NULL && strcmp(word, classes[i].word) == 0) {
            *out = classes[i].class;
            return DONE;
        }
    return word == NULL ? DONE
                        : RAISE(BAD_REQUEST,
                                "--class is open or shared; to close a service takes a restriction "
                                "with a ground and an end, and an operator of the authority with "
                                "the role approve: chaski-registry restriction add");
}

static fault service_now(const struct work *self, char id[ID_TEXT_BYTES_MAX + 1], bool must_be,
                         Chaski__ServiceSet *out)
{
    TRY(full_id(self, ID_SERVICE, id));
    const struct directory_service *now = directory_service(self->member->state, span_of_text(id));
    *out = (Chaski__ServiceSet)CHASKI__SERVICE_SET__INIT;
    out->class_ = CHASKI__SERVICE_CLASS__SHARED;
    if (now == NULL && must_be)
        return RAISE(REFUSED, "there is no service %s", id);
    if (now != NULL)
        service_act_of(self->memory, now, out);
    out->id = id;
    return DONE;
}

static fault set_service(const struct work *self, Chaski__ServiceSet *service)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    char what[ID_TEXT_BYTES_MAX + 32];
    act.act_case = CHASKI__ACT__ACT_SERVICE_SET;
    act.service_set = service;
    text_format(what, sizeof what, "service %s", service->id);
    return do_and_say(self, &act, what);
}

/* What is not given stays. */
static fault take_number(const char *text, const char *option, uint32_t most, uint32_t *out)
{
    uint64_t number = *out;
    if (text != NULL && failed(text_number(span_of_text(text), most, &number)))
        return RAISE(BAD_REQUEST, "%s is a number up to %u", option, most);
    *out = (uint32_t)number;
    return DONE;
}

static fault service_add(const struct work *self)
{
    char id[ID_TEXT_BYTES_MAX + 1];
    Chaski__ServiceSet service;
    TRY(service_now(self, id, false, &service));
    if (self->asked->title != NULL)
        service.title = lend(self->asked->title);
    TRY(class_of(self->asked->class, &service.class_));
    TRY(service_act_endpoints(self->memory, self->asked->endpoint, self->asked->endpoints,
                              &service));
    if (!service_act_subject(self->asked->subject, &service))
        return RAISE(BAD_REQUEST, "--subject is required or optional");
    TRY(take_number(self->asked->rate, "--rate", SERVICE_RATE_MAX, &service.rate));
    TRY(take_number(self->asked->burst, "--burst", SERVICE_BURST_MAX, &service.burst));
    if (service.rate == 0)
        service.burst = 0;
    TRY(service_act_columns(self->memory, self->asked->column, self->asked->columns, &service));
    TRY(set_service(self, &service));
    char look[SERVICE_LOOK_ROOM];
    if (service_look(self->member->state, id, service.subject_required, clock_wall_ms(), look))
        puts(look);
    return DONE;
}

static fault service_class(const struct work *self)
{
    char id[ID_TEXT_BYTES_MAX + 1];
    Chaski__ServiceSet service;
    TRY(need(self->asked->class, "--class"));
    TRY(service_now(self, id, true, &service));
    TRY(class_of(self->asked->class, &service.class_));
    return set_service(self, &service);
}

static fault service_disable(const struct work *self)
{
    char id[ID_TEXT_BYTES_MAX + 1];
    Chaski__ServiceSet service;
    TRY(need(self->asked->notice, "--notice, which callers read,"));
    TRY(service_now(self, id, true, &service));
    service.disabled = true;
    service.notice = lend(self->asked->notice);
    return set_service(self, &service);
}

static fault service_enable(const struct work *self)
{
    char id[ID_TEXT_BYTES_MAX + 1];
    Chaski__ServiceSet service;
    TRY(service_now(self, id, true, &service));
    service.disabled = false;
    service.notice = lend(NULL);
    return set_service(self, &service);
}

// --- removals -----------------------------------------------------------------------------------

static fault remove_it(const struct work *self, Chaski__Removed__WhatCase which, const char *id)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char what[ID_TEXT_BYTES_MAX + 32];
    TRY(need(self->asked->reason, "--reason"));
    removed.what_case = which;
    removed.service = lend(id); /* the members of the union are all texts */
    removed.reason = lend(self->asked->reason);
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    text_format(what, sizeof what, "removal of %s", id);
    return do_and_say(self, &act, what);
}

static fault service_remove(const struct work *self)
{
    char id[ID_TEXT_BYTES_MAX + 1];
    TRY(full_id(self, ID_SERVICE, id));
    return remove_it(self, CHASKI__REMOVED__WHAT_SERVICE, id);
}

static fault subsystem_remove(const struct work *self)
{
    char id[ID_TEXT_BYTES_MAX + 1];
    TRY(full_id(self, ID_SUBSYSTEM, id));
    return remove_it(self, CHASKI__REMOVED__WHAT_SUBSYSTEM, id);
}

static fault grant_remove(const struct work *self)
{
    TRY(need(self->asked->operand, "the grant's identifier"));
    return remove_it(self, CHASKI__REMOVED__WHAT_GRANT, self->asked->operand);
}

// --- subsystems, addresses ----------------------------------------------------------------------

/* One that stands on other servers of the member stays there. */
static fault subsystem_add(const struct work *self)
{
    char id[ID_TEXT_BYTES_MAX + 1], what[ID_TEXT_BYTES_MAX + 32];
    Chaski__SubsystemSet set = CHASKI__SUBSYSTEM_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    TRY(need(self->asked->name, "--name"));
    TRY(full_id(self, ID_SUBSYSTEM, id));
    const struct directory_subsystem *now =
        directory_subsystem(self->member->state, span_of_text(id));
    size_t before = now == NULL ? 0 : now->servers;
    char **servers = owned_array(before + 1, sizeof *servers);
    for (size_t i = 0; i < before; i++)
        if (now->server[i] != self->member->server)
            servers[set.n_server++] = lend(now->server[i]->id);
    servers[set.n_server++] = lend(self->member->server->id);
    set.id = id;
    set.name = lend(self->asked->name);
    set.server = servers;
    act.act_case = CHASKI__ACT__ACT_SUBSYSTEM_SET;
    act.subsystem_set = &set;
    text_format(what, sizeof what, "subsystem %s", id);
    fault f = do_and_say(self, &act, what);
    free(servers);
    return f;
}

static fault say_addresses(void *owner, Chaski__Act *act)
{
    return do_and_say(owner, act, "addresses");
}

/* All of the server as it stands, and other addresses. */
static fault address_set(const struct work *self)
{
    struct server_set set;
    if (self->asked->addresses == 0)
        return RAISE(BAD_REQUEST, "address set needs --address, for each of them");
    server_set_from(self->member->server, &set);
    set.addresses = self->asked->addresses;
    for (size_t i = 0; i < set.addresses; i++)
        set.address[i] = self->asked->address[i];
    return server_set_act(&set, say_addresses, (void *)(uintptr_t)self);
}

// --- grants -------------------------------------------------------------------------------------

static fault grant_add(const struct work *self)
{
    const struct change *asked = self->asked;
    Chaski__GrantSet grant = CHASKI__GRANT_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    int64_t until_ms = 0;
    char *purpose = lend(asked->purpose);
    char what[ID_TEXT_BYTES_MAX + 32];
    TRY(need(asked->operand, "the grant's identifier"));
    TRY(need(asked->service, "--service"));
    TRY(need(asked->consumer, "--consumer"));
    TRY(need(asked->basis, "--legal-basis"));
    TRY(need(asked->until, "--until"));
    TRY(day_end_ms(asked->until, &until_ms));
    grant.id = lend(asked->operand);
    grant.service = lend(asked->service);
    grant.consumer = lend(asked->consumer);
    grant.n_purpose = asked->purpose == NULL ? 0 : 1;
    grant.purpose = &purpose;
    grant.legal_basis = lend(asked->basis);
    grant.until_ms = (uint64_t)until_ms;
    grant.n_endpoint = asked->endpoints;
    grant.endpoint = (char **)(uintptr_t)asked->endpoint;
    TRY(take_number(asked->volume, "--volume", GRANT_VOLUME_MAX, &grant.volume_a_day));
    grant.n_column = asked->columns;
    grant.column = (char **)(uintptr_t)asked->column;
    act.act_case = CHASKI__ACT__ACT_GRANT_SET;
    act.grant_set = &grant;
    text_format(what, sizeof what, "grant %s", grant.id);
    return do_and_say(self, &act, what);
}

// --- certificates -------------------------------------------------------------------------------

/* The one in a file, or that which signs: a key that is lost ends itself while it can. */
static fault key_revoke(const struct work *self)
{
    char path[MEMBER_PATH_BYTES + 16], what[2 * SHA256_BYTES + 32], hex[2 * SHA256_BYTES + 1];
    OWNED(certificate) certificate = NULL;
    Chaski__CertificateRevoked revoked = CHASKI__CERTIFICATE_REVOKED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    TRY(need(self->asked->reason, "--reason"));
    if (!text_format(path, sizeof path, "%s/sign.crt", self->asked->member.keys.folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    TRY(certificate_load(self->asked->certificate == NULL ? path : self->asked->certificate,
                         &certificate));
    struct sha256 hash = certificate_hash(certificate);
    revoked.certificate_sha256 = binary(sha256_span(&hash));
    revoked.reason = lend(self->asked->reason);
    act.act_case = CHASKI__ACT__ACT_CERTIFICATE_REVOKED;
    act.certificate_revoked = &revoked;
    text_hex(sha256_span(&hash), hex, sizeof hex);
    text_format(what, sizeof what, "revocation of %s", hex);
    return do_and_say(self, &act, what);
}

// --- commands -----------------------------------------------------------------------------------

static const struct {
    const char *noun, *verb;
    fault (*run)(const struct work *self);
} changes[] = {{"service", "add", service_add},
               {"service", "class", service_class},
               {"service", "disable", service_disable},
               {"service", "enable", service_enable},
               {"service", "remove", service_remove},
               {"subsystem", "add", subsystem_add},
               {"subsystem", "remove", subsystem_remove},
               {"address", "set", address_set},
               {"grant", "add", grant_add},
               {"grant", "remove", grant_remove},
               {"key", "revoke", key_revoke}};

#define CHANGES (sizeof changes / sizeof changes[0])

static const struct option known[] = {
    {"config", required_argument, NULL, 0},       {"folder", required_argument, NULL, 1},
    {"anchor", required_argument, NULL, 2},       {"at", required_argument, NULL, 3},
    {"server", required_argument, NULL, 4},       {"passphrase", required_argument, NULL, 5},
    {"token", required_argument, NULL, 6},        {"module", required_argument, NULL, 7},
    {"title", required_argument, NULL, 8},        {"name", required_argument, NULL, 9},
    {"class", required_argument, NULL, 10},       {"reason", required_argument, NULL, 11},
    {"notice", required_argument, NULL, 12},      {"service", required_argument, NULL, 13},
    {"consumer", required_argument, NULL, 14},    {"purpose", required_argument, NULL, 15},
    {"legal-basis", required_argument, NULL, 16}, {"until", required_argument, NULL, 17},
    {"certificate", required_argument, NULL, 18}, {"draft", required_argument, NULL, 19},
    {"address", required_argument, NULL, 20},     {"endpoint", required_argument, NULL, 21},
    {"column", required_argument, NULL, 22},      {"rate", required_argument, NULL, 23},
    {"burst", required_argument, NULL, 24},       {"volume", required_argument, NULL, 25},
    {"subject", required_argument, NULL, 26},     {0}};

static fault take_options(int argc, char **argv, struct change *out)
{
    struct member_options *member = &out->member;
    const char **places[] = {&member->config,     &member->keys.folder, &member->anchor,
                             &member->at,         &member->server,      &member->keys.passphrase,
                             &member->keys.token, &member->keys.module, &out->title,
                             &out->name,          &out->class,          &out->reason,
                             &out->notice,        &out->service,        &out->consumer,
                             &out->purpose,       &out->basis,          &out->until,
                             &out->certificate,   &member->draft};
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (code >= 0 && (size_t)code < sizeof places / sizeof places[0])
            *places[code] = optarg;
        else if (code == 20 && out->addresses < DIRECTORY_ADDRESSES_MAX)
            out->address[out->addresses++] = optarg;
        else if (code == 21 && out->endpoints < DIRECTORY_ENDPOINTS_MAX)
            out->endpoint[out->endpoints++] = optarg;
        else if (code == 23)
            out->rate = optarg;
        else if (code == 24)
            out->burst = optarg;
        else if (code == 25)
            out->volume = optarg;
        else if (code == 26)
            out->subject = optarg;
        else if (code == 22 && out->columns < DIRECTORY_COLUMNS_MAX)
            out->column[out->columns++] = optarg;
        else
            return RAISE(BAD_REQUEST, "an option that is not known, or too many of one");
    }
    if (optind < argc)
        out->operand = argv[optind++];
    return optind == argc ? DONE : RAISE(BAD_REQUEST, "one identifier at a time");
}

fault member_command(int argc, char **argv)
{
    OWNED(member) member = NULL;
    struct change asked = {.noun = argv[0], .verb = argc > 1 ? argv[1] : ""};
    size_t i = 0;
    while (i < CHANGES &&
           (strcmp(changes[i].noun, asked.noun) != 0 || strcmp(changes[i].verb, asked.verb) != 0))
        i++;
    if (i == CHANGES)
        return RAISE(BAD_REQUEST, "chaski %s %s is not known: see chaski %s --help", asked.noun,
                     asked.verb, asked.noun);
    TRY(take_options(argc - 1, argv + 1, &asked));
    TRY(member_options_fill(&asked.member));
    TRY(member_open(&asked.member, &member));
    struct arena memory = {0};
    const struct work work = {&asked, member, &memory};
    fault f = changes[i].run(&work);
    arena_clear(&memory);
    return f;
}
