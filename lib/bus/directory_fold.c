// SPDX-License-Identifier: MIT
/* The fold: one act after the other becomes the state. */
#include "lib/bus/directory_private.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/log_epoch.h"

#include "directory.pb-c.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define CONTEXT "chaski directory act v1"
#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)
#define TIME_MS_END UINT64_C(2524608000000) /* 2050-01-01, as in a leaf */

// --- memory of the state ------------------------------------------------------------------------

static void *keep(struct directory *self, void *memory)
{
    if (self->memory_count == self->memory_room) {
        self->memory_room = self->memory_room == 0 ? 64 : 2 * self->memory_room;
        self->memory = owned_grow(self->memory, self->memory_room, sizeof *self->memory);
    }
    return self->memory[self->memory_count++] = memory;
}

static void *make(struct directory *self, size_t size)
{
    return keep(self, owned_new(size));
}

static const char *text(struct directory *self, const char *from)
{
    return keep(self, owned_text(from));
}

struct directory *directory_new(struct trust *trust)
{
    struct directory *self = owned_new(sizeof *self);
    self->holders = 1;
    self->trust = trust;
    return self;
}

// --- checks -------------------------------------------------------------------------------------

/* Plain text for people; it reaches JSON, terminals and HTTP fields. */
static fault check_text(const char *what, const char *text)
{
    size_t size = strlen(text);
    if (size > WORD_BYTES_MAX || !text_is_plain(span_of(text, size)))
        return BAD("%s is longer than %d bytes, or not UTF-8 without control characters", what,
                   WORD_BYTES_MAX);
    return DONE;
}

static fault check_word(const char *what, const char *word)
{
    if (word[0] == '\0')
        return BAD("%s is missing", what);
    return check_text(what, word);
}

/* A name that travels in an HTTP field and in a rule: visible ASCII. */
static fault check_code(const char *what, const char *code)
{
    TRY(check_word(what, code));
    for (const char *c = code; *c != '\0'; c++)
        if (*c <= 0x20 || *c >= 0x7f)
            return BAD("%s may hold visible ASCII only, no blank: %.100s", what, code);
    return DONE;
}

static fault check_time(const char *what, uint64_t time_ms)
{
    return time_ms == 0 || time_ms >= TIME_MS_END ? BAD("%s is not between 1970 and 2049", what)
                                                  : DONE;
}

static bool is_host(struct span host, const char *others)
{
    for (size_t i = 0; i < host.size; i++) {
        char c = (char)host.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return host.size > 0;
}

/* name:port, 1.2.3.4:port or [::1]:port. */
static bool is_host_and_port(struct span text)
{
    struct cursor left = cursor_over(text);
    struct span start, host;
    uint64_t port = 0;
    bool bracketed = text.size > 0 && text.at[0] == '[';
    bool sound = bracketed
                     ? !failed(cursor_take(&left, 1, &start)) &&
                           !failed(cursor_take_until(&left, ']', &host)) && is_host(host, ":.") &&
                           !failed(cursor_take_until(&left, ':', &start)) && start.size == 0
                     : !failed(cursor_take_until(&left, ':', &host)) && is_host(host, "-._");
    return sound && !failed(text_number(left.left, 65535, &port)) && port > 0;
}

/* tcp://name:port, tcp://1.2.3.4:port or tcp://[::1]:port, and nothing else: ZeroMQ gives meaning
 * to ';', '*' and more. */
static fault check_address(const char *address)
{
    static const char scheme[] = "tcp://";
    struct cursor left = cursor_over(span_of_text(address));
    struct span start;
    if (failed(cursor_take(&left, sizeof scheme - 1, &start)) || !span_is_text(start, scheme))
        return BAD("address %.200s does not begin with tcp://", address);
    if (!is_host_and_port(left.left))
        return BAD("address %.200s is not tcp://HOST:PORT or tcp://[IPv6]:PORT", address);
    return DONE;
}

/* Letters, digits, "-._~" and '/', and no part that begins with a dot. */
static bool is_path(struct span path)
{
    char before = '/';
    for (size_t i = 0; i < path.size; before = (char)path.at[i++])
        if (before == '/' && path.at[i] == '.')
            return false;
    return path.size == 0 || is_host(path, "-._~/");
}

/* http(s)://host[:port][/path], and nothing that a client could read in two ways: no user, no
 * query, no fragment, no escape. */
static fault check_url(const char *url)
{
    struct cursor path = cursor_over(span_of_text(url));
    struct span scheme, nothing, place;
    TRY(check_word("the address of a time stamp authority", url));
    if (failed(cursor_take_until(&path, '/', &scheme)) ||
        (!span_is_text(scheme, "http:") && !span_is_text(scheme, "https:")) ||
        failed(cursor_take_until(&path, '/', &nothing)) || nothing.size != 0)
        return BAD("%.200s does not begin with http:// or https://", url);
    if (failed(cursor_take_until(&path, '/', &place))) {
        place = path.left;
        path.left.size = 0;
    }
    if ((!is_host(place, "-._") && !is_host_and_port(place)) || !is_path(path.left))
        return BAD("%.200s is not http://HOST:PORT/PATH", url);
    return DONE;
}

/* Canonical, fit for registration, and of this instance. */
static fault check_id(const struct directory *self, const char *id, unsigned parts)
{
    struct bus_id parsed;
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (failed(bus_id_parse(span_of_text(id), parts, parts, &parsed)) ||
        failed(bus_id_check_strict(&parsed)))
        return BAD("%.200s is no identifier to be registered: %s", id, fault_detail());
    bus_id_text(&parsed, parts, canonical, sizeof canonical);
    if (strcmp(canonical, id) != 0)
        return BAD("%.200s is not in canonical form", id);
    if (self->instance == NULL || strcmp(parsed.part[0], self->instance) != 0)
        return BAD("%.200s is of another instance", id);
    return DONE;
}

static void *find(const struct map *map, const char *id)
{
    return map_get(map, span_of_text(id));
}

// --- acts ---------------------------------------------------------------------------------------

static fault apply_opened(struct directory *self, const Chaski__Opened *act)
{
    if (self->instance != NULL)
        return BAD("the directory is opened twice");
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(act->instance), 1, 1, &id)) ||
        failed(bus_id_check_strict(&id)) || strcmp(id.part[0], act->instance) != 0)
        return BAD("%.100s is no name of an instance: %s", act->instance, fault_detail());
    self->instance = keep(self, owned_text(act->instance));
    return DONE;
}

static fault apply_member(struct directory *self, const Chaski__MemberSet *act)
{
    TRY(check_id(self, act->id, ID_MEMBER));
    TRY(check_word("the member's name", act->name));
    struct bus_id id;
    TRY(bus_id_parse(span_of_text(act->id), ID_MEMBER, ID_MEMBER, &id));
    if (strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) == 0)
        return BAD("%s: the class %s is the authority's own", act->id, DIRECTORY_AUTHORITY_CLASS);
    struct directory_member *member = find(&self->members, act->id);
    if (member == NULL) {
        member = make(self, sizeof *member);
        member->id = text(self, act->id);
        map_set(&self->members, span_of_text(member->id), member);
    }
    member->name = text(self, act->name);
    member->public_agency = act->public_agency;
    return DONE;
}

static fault check_certificate(const struct directory_server *server,
                               const struct certificate *certificate)
{
    const struct certificate_subject *subject = certificate_subject(certificate);
    char id[ID_TEXT_BYTES_MAX + 1];
    bool fits = text_format(id, sizeof id, "%s/%s", subject->member, subject->server);
    if (!fits || strcmp(id, server->id) != 0 || strcmp(subject->member, server->member->id) != 0)
        return BAD("a certificate of %s was issued to %s", server->id, id);
    if (!certificate_may_sign(certificate))
        return BAD("a certificate of %s may not sign messages", server->id);
    return DONE;
}

static struct directory_signer *new_signer(struct directory *self, struct certificate **certificate,
                                           int64_t at_ms)
{
    struct directory_signer *signer = make(self, sizeof *signer);
    signer->trusted = self->trust != NULL && !failed(trust_check(self->trust, *certificate, at_ms));
    cades_template_make(*certificate, &signer->template);
    if (self->certificate_count == self->certificate_room) {
        self->certificate_room = self->certificate_room == 0 ? 16 : 2 * self->certificate_room;
        self->certificate =
            owned_grow(self->certificate, self->certificate_room, sizeof(struct certificate *));
    }
    signer->certificate = self->certificate[self->certificate_count++] = TAKE(*certificate);
    map_set(&self->signers_ever, span_of(signer->template.ski, SKI_BYTES), signer);
    return signer;
}

/* One key belongs to one certificate on one server for ever: what it signed never changes hands,
 * and a key that was revoked does not come back under a new certificate. */
static fault take_certificate(struct directory *self, struct directory_server *server,
                              ProtobufCBinaryData der, int64_t at_ms)
{
    OWNED(certificate) certificate = NULL;
    if (failed(certificate_parse(span_of(der.data, der.len), &certificate)))
        return BAD("a certificate of %s: %s", server->id, fault_detail());
    TRY(check_certificate(server, certificate));
    struct span ski = span_of(certificate_ski(certificate), SKI_BYTES);
    struct directory_signer *signer = map_get(&self->signers_ever, ski);
    if (signer == NULL)
        signer = new_signer(self, &certificate, at_ms);
    else if (strcmp(signer->server->id, server->id) != 0)
        return BAD("one signing key on two servers: %s and %s", server->id, signer->server->id);
    else if (!span_equal(certificate_der(signer->certificate), certificate_der(certificate)))
        return BAD("%s: a new certificate needs a new key", server->id);
    signer->server = server;
    if (map_set(&self->signers, span_of(signer->template.ski, SKI_BYTES), signer) != NULL)
        return BAD("%s names a certificate twice", server->id);
    server->signer[server->signers++] = signer;
    return DONE;
}

/* A cosignature does not say who made it: so each witness has a key of its own, and no log has it.
 */
static fault take_witness_key(struct directory *self, struct directory_server *server,
                              const Chaski__ServerSet *act)
{
    server->is_witness = act->witness_vkey[0] != '\0';
    if (!server->is_witness)
        return DONE;
    if (failed(note_key_parse(span_of_text(act->witness_vkey), &server->witness_key)) ||
        server->witness_key.type != NOTE_WITNESS)
        return BAD("the witness key of %s is none", act->id);
    if (memcmp(server->witness_key.public_key, server->log_key.public_key, ED25519_PUBLIC_BYTES) ==
        0)
        return BAD("%s would cosign with its log's key", act->id);
    struct directory_server *other = map_set(
        &self->cosigners, span_of(server->witness_key.public_key, ED25519_PUBLIC_BYTES), server);
    return other != NULL && other != server
               ? BAD("one witness key on two servers: %s and %s", server->id, other->id)
               : DONE;
}

static fault take_keys(struct directory *self, struct directory_server *server,
                       const Chaski__ServerSet *act)
{
    if (act->transport_key.len != sizeof server->transport_key || act->n_seal_key == 0 ||
        act->n_seal_key > SEAL_KEYS_MAX)
        return BAD("%s has no transport key or no sealing key", act->id);
    struct span transport = span_of(act->transport_key.data, act->transport_key.len);
    struct directory_server *other = map_set(&self->transport_ids, transport, server);
    if (other != NULL && other != server)
        return BAD("one transport key on two servers: %s and %s", server->id, other->id);
    memcpy(server->transport_key, transport.at, transport.size);
    server->seal_keys = act->n_seal_key;
    for (size_t i = 0; i < act->n_seal_key; i++) {
        if (act->seal_key[i].len != sizeof server->seal_key[i])
            return BAD("a sealing key of %s has the wrong size", act->id);
        memcpy(server->seal_key[i], act->seal_key[i].data, sizeof server->seal_key[i]);
    }
    if (failed(note_key_parse(span_of_text(act->log_vkey), &server->log_key)) ||
        server->log_key.type != NOTE_LOG)
        return BAD("the log key of %s is none", act->id);
    /* an origin stands for those of all its epochs */
    other = map_set(&self->origins, log_epoch_base(span_of_text(server->log_key.name)), server);
    if (other != NULL && other != server)
        return BAD("one log origin on two servers: %s and %s", server->id, other->id);
    return take_witness_key(self, server, act);
}

static fault take_addresses(struct directory *self, struct directory_server *server,
                            const Chaski__ServerSet *act)
{
    if (act->n_address > DIRECTORY_ADDRESSES_MAX)
        return BAD("%s has more than %d addresses", act->id, DIRECTORY_ADDRESSES_MAX);
    server->addresses = act->n_address;
    for (size_t i = 0; i < act->n_address; i++) {
        TRY(check_address(act->address[i]));
        server->address[i] = text(self, act->address[i]);
    }
    return DONE;
}

/* What stood in the last entry is no longer the server's. */
static void retire(struct directory *self, const struct directory_server *server)
{
    for (size_t i = 0; i < server->signers; i++)
        map_remove(&self->signers, span_of(server->signer[i]->template.ski, SKI_BYTES));
    map_remove(&self->transport_ids, span_of(server->transport_key, sizeof server->transport_key));
    map_remove(&self->origins, log_epoch_base(span_of_text(server->log_key.name)));
    if (server->is_witness)
        map_remove(&self->cosigners, span_of(server->witness_key.public_key, ED25519_PUBLIC_BYTES));
}

static fault apply_server(struct directory *self, const Chaski__ServerSet *act, int64_t at_ms)
{
    TRY(check_id(self, act->id, ID_SERVER));
    struct span member_id = bus_id_prefix(span_of_text(act->id), ID_MEMBER);
    struct directory_member *member = map_get(&self->members, member_id);
    if (member == NULL)
        return BAD("server %s of a member that is not registered", act->id);
    struct directory_server *server = find(&self->servers, act->id);
    if (server == NULL) {
        server = make(self, sizeof *server);
        server->id = text(self, act->id);
        map_set(&self->servers, span_of_text(server->id), server);
    } else {
        retire(self, server); /* the new entry replaces the old one whole */
    }
    server->member = member;
    server->signers = 0;
    TRY(take_addresses(self, server, act));
    TRY(take_keys(self, server, act));
    if (act->n_certificate == 0 || act->n_certificate > DIRECTORY_CERTIFICATES_MAX)
        return BAD("%s has no certificate, or more than %d", act->id, DIRECTORY_CERTIFICATES_MAX);
    for (size_t i = 0; i < act->n_certificate; i++)
        TRY(take_certificate(self, server, act->certificate[i], at_ms));
    return DONE;
}

static fault take_outside_witness(struct directory *self, struct directory_witness *out,
                                  const char *vkey, const char *url)
{
    if (failed(note_key_parse(span_of_text(vkey), &out->key)) || out->key.type != NOTE_WITNESS)
        return BAD("the key of an outside witness is none");
    TRY(check_word("an outside witness's address", url));
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return BAD("an outside witness at %s, which is no http address", url);
    out->url = text(self, url);
    return DONE;
}

static fault take_witness(struct directory *self, const struct directory_server *server,
                          struct directory_witness *out, const char *id)
{
    const struct directory_server *witness = find(&self->servers, id);
    if (witness == NULL || !witness->is_witness)
        return BAD("witness %s is not a server with a witness key", id);
    if (witness->member == server->member)
        return BAD("%s would be witnessed by its own member", server->id);
    out->server = text(self, id);
    return DONE;
}

static bool is_same_witness(const struct directory_witness *a, const struct directory_witness *b)
{
    if (a->server != NULL && b->server != NULL)
        return strcmp(a->server, b->server) == 0;
    return a->server == NULL && b->server == NULL &&
           memcmp(a->key.public_key, b->key.public_key, ED25519_PUBLIC_BYTES) == 0;
}

static bool names_one_twice(const struct directory_server *server)
{
    for (size_t i = 0; i < server->witnesses; i++)
        for (size_t j = 0; j < i; j++)
            if (is_same_witness(&server->witness[i], &server->witness[j]))
                return true;
    return false;
}

static fault apply_witnesses(struct directory *self, const Chaski__WitnessesSet *act)
{
    struct directory_server *server = find(&self->servers, act->server);
    if (server == NULL)
        return BAD("witnesses of %s, which is not registered", act->server);
    if (act->n_outside_vkey != act->n_outside_url ||
        act->n_witness + act->n_outside_vkey > DIRECTORY_WITNESSES_MAX)
        return BAD("the witnesses of %s are too many or incomplete", act->server);
    if (act->quorum > act->n_witness + act->n_outside_vkey ||
        (act->quorum == 0) != (act->n_witness + act->n_outside_vkey == 0))
        return BAD("a quorum of %u among the witnesses of %s", act->quorum, act->server);
    server->witnesses = 0;
    server->quorum = act->quorum;
    memset(server->witness, 0, sizeof server->witness);
    for (size_t i = 0; i < act->n_witness; i++)
        TRY(take_witness(self, server, &server->witness[server->witnesses++], act->witness[i]));
    for (size_t i = 0; i < act->n_outside_vkey; i++)
        TRY(take_outside_witness(self, &server->witness[server->witnesses++], act->outside_vkey[i],
                                 act->outside_url[i]));
    return names_one_twice(server) ? BAD("%s names a witness twice", act->server) : DONE;
}

static fault apply_subsystem(struct directory *self, const Chaski__SubsystemSet *act)
{
    TRY(check_id(self, act->id, ID_SUBSYSTEM));
    TRY(check_word("the subsystem's name", act->name));
    struct directory_member *member =
        map_get(&self->members, bus_id_prefix(span_of_text(act->id), ID_MEMBER));
    if (member == NULL)
        return BAD("subsystem %s of a member that is not registered", act->id);
    if (act->n_server == 0)
        return BAD("subsystem %s without a server", act->id);
    struct directory_subsystem *subsystem = find(&self->subsystems, act->id);
    if (subsystem == NULL) {
        subsystem = make(self, sizeof *subsystem);
        subsystem->id = text(self, act->id);
        map_set(&self->subsystems, span_of_text(subsystem->id), subsystem);
    }
    subsystem->name = text(self, act->name);
    subsystem->member = member;
    subsystem->servers = act->n_server;
    subsystem->server = make(self, act->n_server * sizeof *subsystem->server);
    for (size_t i = 0; i < act->n_server; i++) {
        struct directory_server *server = find(&self->servers, act->server[i]);
        if (server == NULL || server->member != member)
            return BAD("subsystem %s names server %s, which is not its member's", act->id,
                       act->server[i]);
        subsystem->server[i] = server;
    }
    return DONE;
}

static fault apply_service(struct directory *self, const Chaski__ServiceSet *act)
{
    TRY(check_id(self, act->id, ID_SERVICE));
    struct directory_subsystem *subsystem =
        map_get(&self->subsystems, bus_id_prefix(span_of_text(act->id), ID_SUBSYSTEM));
    if (subsystem == NULL)
        return BAD("service %s of a subsystem that is not registered", act->id);
    if (act->class_ != CHASKI__SERVICE_CLASS__OPEN &&
        act->class_ != CHASKI__SERVICE_CLASS__SHARED &&
        act->class_ != CHASKI__SERVICE_CLASS__RESTRICTED)
        return BAD("service %s has no class", act->id);
    TRY(check_text("the service's title", act->title));
    TRY(check_text("the service's notice", act->notice));
    struct directory_service *service = find(&self->services, act->id);
    if (service == NULL) {
        service = make(self, sizeof *service);
        service->id = text(self, act->id);
        map_set(&self->services, span_of_text(service->id), service);
    }
    service->title = text(self, act->title);
    service->class = (enum service_class)act->class_;
    service->disabled = act->disabled;
    service->notice = text(self, act->notice);
    service->subsystem = subsystem;
    return DONE;
}

static struct directory_signer *signer_of_hash(const struct directory *self, struct span wanted)
{
    size_t step = 0;
    for (struct directory_signer *at; (at = map_next(&self->signers_ever, &step, NULL)) != NULL;) {
        struct sha256 hash = certificate_hash(at->certificate);
        if (span_equal(sha256_span(&hash), wanted))
            return at;
    }
    return NULL;
}

/* A certificate stays revoked whatever comes later; a second act can only move the time back. */
static fault apply_revocation(struct directory *self, const Chaski__CertificateRevoked *act,
                              int64_t at_ms)
{
    struct span wanted = span_of(act->certificate_sha256.data, act->certificate_sha256.len);
    TRY(check_word("the reason of a revocation", act->reason));
    struct directory_signer *signer = signer_of_hash(self, wanted);
    if (signer == NULL)
        return BAD("a revocation of a certificate that was never in force");
    int64_t since_ms = act->since_ms == 0 ? at_ms : (int64_t)act->since_ms;
    if (since_ms < 0 || since_ms > at_ms)
        return BAD("a revocation that begins after the act");
    if (signer->revoked_since_ms == 0 || since_ms < signer->revoked_since_ms)
        signer->revoked_since_ms = since_ms;
    return DONE;
}

static fault apply_purpose(struct directory *self, const Chaski__PurposeSet *act)
{
    TRY(check_code("a purpose", act->id));
    TRY(check_text("the purpose's title", act->title));
    TRY(check_text("the purpose's legal basis", act->legal_basis));
    struct directory_purpose *purpose = make(self, sizeof *purpose);
    purpose->id = text(self, act->id);
    purpose->title = text(self, act->title);
    purpose->legal_basis = text(self, act->legal_basis);
    map_set(&self->purposes, span_of_text(purpose->id), purpose);
    return DONE;
}

static fault apply_grant(struct directory *self, const Chaski__GrantSet *act)
{
    TRY(check_code("a grant", act->id));
    TRY(check_word("the grant's legal basis", act->legal_basis));
    TRY(check_time("the grant's end", act->until_ms));
    if (find(&self->services, act->service) == NULL)
        return BAD("grant %s for a service that is not registered", act->id);
    if (find(&self->members, act->consumer) == NULL &&
        find(&self->subsystems, act->consumer) == NULL)
        return BAD("grant %s to a consumer that is not registered", act->id);
    if (act->purpose[0] != '\0' && find(&self->purposes, act->purpose) == NULL)
        return BAD("grant %s for a purpose that is not registered", act->id);
    if ((int64_t)act->until_ms <= self->last_ms ||
        (int64_t)act->until_ms - self->last_ms > DIRECTORY_GRANT_MS_MAX)
        return BAD("grant %s must end after now and within 24 months", act->id);
    struct directory_grant *grant = make(self, sizeof *grant);
    grant->id = text(self, act->id);
    grant->service = text(self, act->service);
    grant->consumer = text(self, act->consumer);
    grant->purpose = text(self, act->purpose);
    grant->legal_basis = text(self, act->legal_basis);
    grant->until_ms = (int64_t)act->until_ms;
    map_set(&self->grants, span_of_text(grant->id), grant);
    return DONE;
}

// --- time stamp authorities ---------------------------------------------------------------------

static size_t stamper_place(const struct directory *self, const char *name)
{
    size_t at = 0;
    while (at < self->stampers && strcmp(self->stamper[at].name, name) != 0)
        at++;
    return at;
}

static void drop_stamper(struct directory *self, size_t at)
{
    for (self->stampers--; at < self->stampers; at++)
        self->stamper[at] = self->stamper[at + 1];
}

/* Of one order, by name: the same on every node. */
static bool comes_after(const struct directory_stamper *self, const struct directory_stamper *other)
{
    return self->order != other->order ? self->order > other->order
                                       : strcmp(self->name, other->name) > 0;
}

static fault apply_stamper(struct directory *self, const Chaski__StampAuthoritySet *act)
{
    TRY(check_code("a time stamp authority", act->name));
    TRY(check_url(act->url));
    if (act->order == 0 || act->order > DIRECTORY_STAMPER_ORDER_MAX)
        return BAD("the order of a time stamp authority is from 1 to %d",
                   DIRECTORY_STAMPER_ORDER_MAX);
    size_t at = stamper_place(self, act->name);
    if (at < self->stampers)
        drop_stamper(self, at);
    if (self->stampers == DIRECTORY_STAMPERS_MAX)
        return BAD("more than %d time stamp authorities", DIRECTORY_STAMPERS_MAX);
    struct directory_stamper set = {text(self, act->name), text(self, act->url), act->order};
    for (at = self->stampers++; at > 0 && comes_after(&self->stamper[at - 1], &set); at--)
        self->stamper[at] = self->stamper[at - 1];
    self->stamper[at] = set;
    return DONE;
}

static fault remove_stamper(struct directory *self, const char *name)
{
    size_t at = stamper_place(self, name);
    if (at == self->stampers)
        return BAD("time stamp authority %.200s is not there", name);
    drop_stamper(self, at);
    return DONE;
}

// --- removal ------------------------------------------------------------------------------------

/* Each answers with the id of something that still leans on the thing, or NULL. */

static const char *server_of(const struct directory *self, const void *member)
{
    size_t step = 0;
    for (struct directory_server *at; (at = map_next(&self->servers, &step, NULL)) != NULL;)
        if (at->member == member)
            return at->id;
    return NULL;
}

static const char *subsystem_of(const struct directory *self, const void *member)
{
    size_t step = 0;
    for (struct directory_subsystem *at; (at = map_next(&self->subsystems, &step, NULL)) != NULL;)
        if (at->member == member)
            return at->id;
    return NULL;
}

static const char *subsystem_on(const struct directory *self, const struct directory_server *server)
{
    size_t step = 0;
    for (struct directory_subsystem *at; (at = map_next(&self->subsystems, &step, NULL)) != NULL;)
        if (directory_server_has(server, at))
            return at->id;
    return NULL;
}

static const char *service_of(const struct directory *self, const void *subsystem)
{
    size_t step = 0;
    for (struct directory_service *at; (at = map_next(&self->services, &step, NULL)) != NULL;)
        if (at->subsystem == subsystem)
            return at->id;
    return NULL;
}

static const char *grant_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_grant *at; (at = map_next(&self->grants, &step, NULL)) != NULL;)
        if (strcmp(at->service, id) == 0 || strcmp(at->consumer, id) == 0 ||
            strcmp(at->purpose, id) == 0)
            return at->id;
    return NULL;
}

static fault remove_server(struct directory *self, const char *id)
{
    struct directory_server *server = find(&self->servers, id);
    if (server == NULL)
        return BAD("server %s is not there", id);
    const char *user = subsystem_on(self, server);
    if (user != NULL)
        return BAD("server %s is still used by %s", id, user);
    retire(self, server);
    map_remove(&self->servers, span_of_text(id));
    return DONE;
}

/* What still leans on a thing is removed first: nothing may dangle. */
static fault apply_removed(struct directory *self, const Chaski__Removed *act)
{
    struct map *map = NULL;
    const char *id = "";
    const char *user = NULL;
    TRY(check_text("the reason of a removal", act->reason));
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_MEMBER:
        id = act->member, map = &self->members;
        user = server_of(self, find(map, id));
        if (user == NULL)
            user = subsystem_of(self, find(map, id));
        break;
    case CHASKI__REMOVED__WHAT_SERVER:
        return remove_server(self, act->server);
    case CHASKI__REMOVED__WHAT_STAMP_AUTHORITY:
        return remove_stamper(self, act->stamp_authority);
    case CHASKI__REMOVED__WHAT_SUBSYSTEM:
        id = act->subsystem, map = &self->subsystems;
        user = service_of(self, find(map, id));
        break;
    case CHASKI__REMOVED__WHAT_SERVICE:
        id = act->service, map = &self->services;
        break;
    case CHASKI__REMOVED__WHAT_PURPOSE:
        id = act->purpose, map = &self->purposes;
        break;
    case CHASKI__REMOVED__WHAT_GRANT:
        id = act->grant, map = &self->grants;
        break;
    default:
        return BAD("a removal of nothing");
    }
    if (find(map, id) == NULL)
        return BAD("%.200s is not there", id);
    if (user == NULL && map != &self->grants)
        user = grant_naming(self, id);
    if (user != NULL)
        return BAD("%.150s is still used by %.150s", id, user);
    map_remove(map, span_of_text(id));
    return DONE;
}

static fault apply_published(struct directory *self, const Chaski__Published *act)
{
    TRY(check_time("the directory's end", act->valid_until_ms));
    if ((int64_t)act->valid_until_ms <= self->last_ms)
        return BAD("published with a validity that is over");
    self->valid_until_ms = (int64_t)act->valid_until_ms;
    self->published = true;
    return DONE;
}

static fault dispatch(struct directory *self, const Chaski__Act *act)
{
    int64_t at_ms = (int64_t)act->time_ms;
    self->published = false;
    switch (act->act_case) {
    case CHASKI__ACT__ACT_OPENED:
        return apply_opened(self, act->opened);
    case CHASKI__ACT__ACT_MEMBER_SET:
        return apply_member(self, act->member_set);
    case CHASKI__ACT__ACT_SERVER_SET:
        return apply_server(self, act->server_set, at_ms);
    case CHASKI__ACT__ACT_SUBSYSTEM_SET:
        return apply_subsystem(self, act->subsystem_set);
    case CHASKI__ACT__ACT_SERVICE_SET:
        return apply_service(self, act->service_set);
    case CHASKI__ACT__ACT_CERTIFICATE_REVOKED:
        return apply_revocation(self, act->certificate_revoked, at_ms);
    case CHASKI__ACT__ACT_PURPOSE_SET:
        return apply_purpose(self, act->purpose_set);
    case CHASKI__ACT__ACT_GRANT_SET:
        return apply_grant(self, act->grant_set);
    case CHASKI__ACT__ACT_REMOVED:
        return apply_removed(self, act->removed);
    case CHASKI__ACT__ACT_PUBLISHED:
        return apply_published(self, act->published);
    case CHASKI__ACT__ACT_WITNESSES_SET:
        return apply_witnesses(self, act->witnesses_set);
    case CHASKI__ACT__ACT_STAMP_AUTHORITY_SET:
        return apply_stamper(self, act->stamp_authority_set);
    default:
        return BAD("an act of a kind that is not known here");
    }
}

static fault check_act(const struct directory *self, uint64_t number, const Chaski__Act *act)
{
    if (strcmp(act->context, CONTEXT) != 0)
        return BAD("entry %" PRIu64 " is not an act of a directory", number);
    if (act->number != number)
        return BAD("entry %" PRIu64 " calls itself %" PRIu64, number, act->number);
    TRY(check_time("an act's time", act->time_ms));
    if ((int64_t)act->time_ms < self->last_ms)
        return BAD("entry %" PRIu64 " is dated before the one before it", number);
    if ((number == 0) != (act->act_case == CHASKI__ACT__ACT_OPENED))
        return BAD("entry %" PRIu64 ": the first act, and no other, opens the directory", number);
    return DONE;
}

/* Only the one encoding that our own encoder makes: no unknown field that another reader might
 * understand, no text with a NUL inside that another reader would read on from. */
static bool is_canonical(const Chaski__Act *act, struct span bytes)
{
    bool whole = act->act_case != CHASKI__ACT__ACT__NOT_SET;
    /* every kind of act begins with its base, so any member of the union will do */
    if (act->base.n_unknown_fields > 0 || (whole && act->opened->base.n_unknown_fields > 0) ||
        chaski__act__get_packed_size(act) != bytes.size)
        return false;
    uint8_t *again = owned_array(bytes.size, 1);
    chaski__act__pack(act, again);
    bool same = bytes.size == 0 || memcmp(again, bytes.at, bytes.size) == 0;
    free(again);
    return same;
}

fault directory_apply(struct directory *self, uint64_t number, struct span bytes)
{
    Chaski__Act *act = chaski__act__unpack(NULL, bytes.size, bytes.at);
    if (act == NULL)
        return BAD("entry %" PRIu64 " holds no act", number);
    fault f = is_canonical(act, bytes) ? check_act(self, number, act)
                                       : BAD("entry %" PRIu64 " is not in the one form", number);
    if (!failed(f)) {
        self->last_ms = (int64_t)act->time_ms;
        f = dispatch(self, act);
    }
    chaski__act__free_unpacked(act, NULL);
    return f;
}

/* The longest first, so that the grant which a decision names is the same on every node. */
static int compare_grants(const void *left, const void *right)
{
    const struct directory_grant *const *a = left;
    const struct directory_grant *const *b = right;
    if ((*a)->until_ms != (*b)->until_ms)
        return (*a)->until_ms > (*b)->until_ms ? -1 : 1;
    return strcmp((*a)->id, (*b)->id);
}

static void count_grants(struct directory *self)
{
    size_t step = 0;
    for (struct directory_service *at; (at = map_next(&self->services, &step, NULL)) != NULL;)
        at->grants = 0;
    step = 0;
    for (struct directory_grant *at; (at = map_next(&self->grants, &step, NULL)) != NULL;) {
        struct directory_service *service = find(&self->services, at->service);
        assert(service != NULL); /* a service with grants is not removed */
        service->grants++;
    }
    step = 0;
    for (struct directory_service *at; (at = map_next(&self->services, &step, NULL)) != NULL;) {
        at->grant = at->grants == 0 ? NULL : make(self, at->grants * sizeof *at->grant);
        at->grants = 0;
    }
}

void directory_finish(struct directory *self)
{
    size_t step = 0;
    count_grants(self);
    for (struct directory_grant *at; (at = map_next(&self->grants, &step, NULL)) != NULL;) {
        struct directory_service *service = find(&self->services, at->service);
        service->grant[service->grants++] = at;
    }
    step = 0;
    for (struct directory_service *at; (at = map_next(&self->services, &step, NULL)) != NULL;)
        if (at->grants > 1)
            qsort(at->grant, at->grants, sizeof *at->grant, compare_grants);
}
