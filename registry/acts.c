// SPDX-License-Identifier: MIT
/* Commands that are one act each: words in, act out. What may be is decided by the fold. */
#include "registry/commands.h"
#include "lib/bus/server_set.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/service_act.h"
#include "lib/bus/service_look.h"

#include "directory.pb-c.h"

#define TEXT(which) arguments_text(arguments, ARGUMENT_##which)

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

#define ACT(KIND, field, message)                                                              \
    store_act(store, &(Chaski__Act){.base = PROTOBUF_C_MESSAGE_INIT(&chaski__act__descriptor), \
                                    .context = lend(NULL),                                     \
                                    .act_case = CHASKI__ACT__ACT_##KIND,                       \
                                    .field = (message)})

static fault remove_it(struct store *store, Chaski__Removed__WhatCase what, const char *id,
                       const struct arguments *arguments)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    removed.what_case = what;
    removed.member = lend(id); /* the others of the union are texts too */
    removed.reason = lend(TEXT(REASON));
    return ACT(REMOVED, removed, &removed);
}

// --- members ------------------------------------------------------------------------------------

fault act_member_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__MemberSet member = CHASKI__MEMBER_SET__INIT;
    member.id = lend(arguments->operand);
    member.name = lend(TEXT(NAME));
    member.public_agency = TEXT(PUBLIC) != NULL;
    TRY(ACT(MEMBER_SET, member_set, &member));
    said_add(said, "member %s: %s%s", member.id, member.name,
             member.public_agency ? ", a public agency" : "");
    return DONE;
}

fault act_member_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_MEMBER, arguments->operand, arguments));
    said_add(said, "member %s: removed", arguments->operand);
    return DONE;
}

// --- servers ------------------------------------------------------------------------------------

static fault find_server(struct store *store, const char *id, const struct directory_server **out)
{
    *out = directory_server(store_state(store), span_of_text(id));
    return *out == NULL ? RAISE(REFUSED, "there is no server %s", id) : DONE;
}

fault act_server_address(struct store *store, const struct arguments *arguments, struct said *said)
{
    const struct directory_server *server = NULL;
    struct server_set set;
    TRY(find_server(store, arguments->operand, &server));
    server_set_from(server, &set);
    set.addresses = arguments->count[ARGUMENT_ADDRESS];
    if (set.addresses > DIRECTORY_ADDRESSES_MAX)
        return RAISE(REFUSED, "a server has at most %d addresses", DIRECTORY_ADDRESSES_MAX);
    for (size_t i = 0; i < set.addresses; i++)
        set.address[i] = arguments->value[ARGUMENT_ADDRESS][i];
    TRY(server_set_act(&set, store_carry_out, store));
    said_add(said, "server %s: at %s%s", arguments->operand, set.address[0],
             set.addresses > 1 ? " and others" : "");
    return DONE;
}

fault act_server_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_SERVER, arguments->operand, arguments));
    said_add(said, "server %s: removed", arguments->operand);
    return DONE;
}

// --- subsystems ---------------------------------------------------------------------------------

fault act_subsystem_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__SubsystemSet subsystem = CHASKI__SUBSYSTEM_SET__INIT;
    char *servers[ARGUMENT_VALUES_MAX] = {NULL};
    subsystem.id = lend(arguments->operand);
    subsystem.name = lend(TEXT(NAME));
    subsystem.n_server = arguments->count[ARGUMENT_SERVER];
    for (size_t i = 0; i < subsystem.n_server; i++)
        servers[i] = lend(arguments->value[ARGUMENT_SERVER][i]);
    subsystem.server = servers;
    TRY(ACT(SUBSYSTEM_SET, subsystem_set, &subsystem));
    said_add(said, "subsystem %s: %s, on %s%s", subsystem.id, subsystem.name, servers[0],
             subsystem.n_server > 1 ? " and others" : "");
    return DONE;
}

fault act_subsystem_remove(struct store *store, const struct arguments *arguments,
                           struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_SUBSYSTEM, arguments->operand, arguments));
    said_add(said, "subsystem %s: removed", arguments->operand);
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
    *out = CHASKI__SERVICE_CLASS__SHARED; /* access by default */
    for (size_t i = 0; word != NULL && i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(word, classes[i].word) == 0) {
            *out = classes[i].class;
            return DONE;
        }
    return word == NULL ? DONE
                        : RAISE(REFUSED, "--class is open or shared; to close a service takes a "
                                         "restriction with a ground and an end: restriction add");
}

/* The service as it stands, to be changed in one thing. */
static fault service_now(struct store *store, const char *id, struct arena *memory,
                         Chaski__ServiceSet *out)
{
    const struct directory_service *now = directory_service(store_state(store), span_of_text(id));
    if (now == NULL)
        return RAISE(REFUSED, "there is no service %s", id);
    service_act_of(memory, now, out);
    return DONE;
}

static fault set_service(struct store *store, const struct arguments *arguments,
                         struct arena *memory, Chaski__ServiceSet *service)
{
    service->id = lend(arguments->operand);
    service->title = lend(TEXT(TITLE));
    TRY(class_of(TEXT(CLASS), &service->class_));
    TRY(service_act_endpoints(memory, arguments->value[ARGUMENT_ENDPOINT],
                              arguments->count[ARGUMENT_ENDPOINT], service));
    if (!service_act_subject(TEXT(SUBJECT), service))
        return RAISE(REFUSED, "--subject is required or optional");
    unsigned rate = 0, burst = 0;
    TRY(arguments_number(arguments, ARGUMENT_RATE, 0, SERVICE_RATE_MAX, service->rate, &rate));
    TRY(arguments_number(arguments, ARGUMENT_BURST, 0, SERVICE_BURST_MAX, service->burst, &burst));
    service->rate = rate;
    service->burst = rate == 0 ? 0 : burst;
    TRY(service_act_columns(memory, arguments->value[ARGUMENT_COLUMN],
                            arguments->count[ARGUMENT_COLUMN], service));
    return ACT(SERVICE_SET, service_set, service);
}

/* Setting an existing service again leaves it switched off if it was, with the endpoints
 * and columns that it has. */
fault act_service_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__ServiceSet service = CHASKI__SERVICE_SET__INIT;
    struct arena memory = {0};
    char look[SERVICE_LOOK_ROOM];
    ignore(service_now(store, arguments->operand, &memory, &service)); /* a new one as a rule */
    fault f = set_service(store, arguments, &memory, &service);
    if (!failed(f))
        said_add(said, "service %s: %s%s%s", service.id,
                 TEXT(CLASS) == NULL ? "shared" : TEXT(CLASS), TEXT(TITLE) == NULL ? "" : ", ",
                 service.title);
    if (!failed(f) && service_look(store_state(store), service.id, service.subject_required,
                                   store_time(store), look))
        said_look(said, look);
    arena_clear(&memory);
    return f;
}

static fault switch_service(struct store *store, const struct arguments *arguments,
                            const char *notice)
{
    Chaski__ServiceSet service;
    struct arena memory = {0};
    fault f = service_now(store, arguments->operand, &memory, &service);
    if (!failed(f)) {
        service.disabled = notice != NULL;
        service.notice = lend(notice);
        f = ACT(SERVICE_SET, service_set, &service);
    }
    arena_clear(&memory);
    return f;
}

fault act_service_disable(struct store *store, const struct arguments *arguments, struct said *said)
{
    TRY(switch_service(store, arguments, TEXT(NOTICE)));
    said_add(said, "service %s: switched off: %s", arguments->operand, TEXT(NOTICE));
    return DONE;
}

fault act_service_enable(struct store *store, const struct arguments *arguments, struct said *said)
{
    TRY(switch_service(store, arguments, NULL));
    said_add(said, "service %s: switched on", arguments->operand);
    return DONE;
}

fault act_service_remove(struct store *store, const struct arguments *arguments, struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_SERVICE, arguments->operand, arguments));
    said_add(said, "service %s: removed", arguments->operand);
    return DONE;
}

// --- certificates -------------------------------------------------------------------------------

static fault revoke(struct store *store, struct sha256 hash, const char *reason, struct said *said)
{
    Chaski__CertificateRevoked revoked = CHASKI__CERTIFICATE_REVOKED__INIT;
    char hex[2 * SHA256_BYTES + 1];
    revoked.certificate_sha256 = (ProtobufCBinaryData){SHA256_BYTES, hash.at};
    revoked.reason = lend(reason);
    TRY(ACT(CERTIFICATE_REVOKED, certificate_revoked, &revoked)); /* since: the time of the act */
    text_hex(sha256_span(&hash), hex, sizeof hex);
    said_add(said, "certificate %s: revoked. Publish now: nodes learn of it from there", hex);
    return DONE;
}

static fault revoke_all_of(struct store *store, const char *id, const char *reason,
                           struct said *said)
{
    const struct directory_server *server = NULL;
    size_t done = 0;
    TRY(find_server(store, id, &server));
    for (size_t i = 0; i < server->signers; i++) {
        if (server->signer[i]->revoked_since_ms != 0)
            continue;
        TRY(revoke(store, certificate_hash(server->signer[i]->certificate), reason, said));
        done++;
    }
    return done > 0 ? DONE : RAISE(REFUSED, "all certificates of %s are revoked already", id);
}

fault act_certificate_revoke(struct store *store, const struct arguments *arguments,
                             struct said *said)
{
    OWNED(certificate) certificate = NULL;
    if (arguments->count[ARGUMENT_SERVER] + arguments->count[ARGUMENT_CERTIFICATE] != 1)
        return RAISE(REFUSED, "name either --server ID or --certificate FILE");
    if (TEXT(SERVER) != NULL)
        return revoke_all_of(store, TEXT(SERVER), TEXT(REASON), said);
    TRY(certificate_load(TEXT(CERTIFICATE), &certificate));
    return revoke(store, certificate_hash(certificate), TEXT(REASON), said);
}

// --- time stamp authorities ---------------------------------------------------------------------

fault act_stamp_authority_url(struct store *store, const struct arguments *arguments,
                              struct said *said)
{
    Chaski__StampAuthoritySet set = CHASKI__STAMP_AUTHORITY_SET__INIT;
    unsigned order = 0;
    if (arguments->count[ARGUMENT_URL] > 1)
        return RAISE(BAD_REQUEST, "a time stamp authority has one --url");
    TRY(arguments_number(arguments, ARGUMENT_ORDER, 1, DIRECTORY_STAMPER_ORDER_MAX, 1, &order));
    set.name = lend(TEXT(NAME) == NULL ? "TSA-1" : TEXT(NAME));
    set.url = lend(TEXT(URL));
    set.order = order;
    TRY(ACT(STAMP_AUTHORITY_SET, stamp_authority_set, &set));
    said_add(said, "time stamp authority %s: %s, order %u", set.name, set.url, order);
    return DONE;
}

fault act_stamp_authority_remove(struct store *store, const struct arguments *arguments,
                                 struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_STAMP_AUTHORITY, arguments->operand, arguments));
    said_add(said, "time stamp authority %s: removed", arguments->operand);
    return DONE;
}
