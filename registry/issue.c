// SPDX-License-Identifier: MIT
/* server add: from an agency's request file to a certificate and an entry in the directory. */
#include "registry/commands.h"
#include "registry/server_request.h"
#include "lib/bus/server_set.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/log_epoch.h"

#define CERTIFICATE_DAYS 365

/* The subject comes from the directory, never from the request. */
static fault fill_subject(const struct store *store, const char *server,
                          struct certificate_subject *out)
{
    struct span id = span_of_text(server);
    struct span member_id = bus_id_prefix(id, ID_MEMBER);
    const struct directory_member *member = directory_member(store_state(store), member_id);
    if (bus_id_count(id) != ID_SERVER)
        return RAISE(REFUSED, "%.200s is not INSTANCE/CLASS/MEMBER/SERVERCODE", server);
    if (member == NULL)
        return RAISE(REFUSED,
                     "%.*s is not a member yet: chaski-registry member add STORE %.*s --name TEXT",
                     (int)member_id.size, server, (int)member_id.size, server);
    *out = *certificate_subject(store_ca(store)); /* its country */
    bool fits = text_format(out->organisation, sizeof out->organisation, "%s", member->name) &&
                text_format(out->member, sizeof out->member, "%s", member->id) &&
                text_format(out->server, sizeof out->server, "%s", server + member_id.size + 1);
    return fits ? DONE : RAISE(REFUSED, "%.200s is too long for a certificate", server);
}

/* The certificate that this server has already for the same key; NULL when it has none. A request
 * that comes twice (the answer was lost, an address changed) gets the same certificate. */
static const struct certificate *held_already(const struct store *store, const char *server,
                                              const struct certificate *fresh)
{
    const struct directory_server *now = directory_server(store_state(store), span_of_text(server));
    for (size_t i = 0; now != NULL && i < now->signers; i++)
        if (memcmp(certificate_ski(now->signer[i]->certificate), certificate_ski(fresh),
                   SKI_BYTES) == 0)
            return now->signer[i]->certificate;
    return NULL;
}

/* Of the key that the agency showed to have, by an authority that the directory knows: otherwise
 * the server would be registered, and every node would refuse what it signs. */
static fault take_outside(struct store *store, const struct server_request *request,
                          const char *path, struct certificate **out)
{
    OWNED(certificate) certificate = NULL;
    int64_t now_ms = store_time(store);
    TRY(certificate_load(path, &certificate));
    TRY(certificate_check_request(certificate, bytes_span(request->certificate_request)));
    if (!certificate_may_sign(certificate))
        return RAISE(
            REFUSED,
            "%s may not sign messages: its authority must give it the key usages "
            "digitalSignature and nonRepudiation, and no extended one or one for documents",
            path);
    if (!store_trusts(store, certificate, now_ms))
        return RAISE(REFUSED,
                     "%s is of no authority that the directory trusts, or not valid now: "
                     "chaski-registry certificate-authority add comes first",
                     path);
    *out = TAKE(certificate);
    return DONE;
}

static fault certificate_for(struct store *store, const struct server_request *request,
                             const char *outside, struct certificate **out)
{
    OWNED(certificate) fresh = NULL;
    struct certificate_subject subject;
    if (outside != NULL)
        return take_outside(store, request, outside, out);
    if (store_is_drafting(store))
        return RAISE(REFUSED, "only the registry issues certificates: the agency sends its request "
                              "there (`request prepare`), or give --certificate");
    TRY(fill_subject(store, request->server, &subject));
    fault f = store_issue(store, bytes_span(request->certificate_request), &subject,
                          CERTIFICATE_DAYS, &fresh);
    if (failed(f))
        return RAISE(REFUSED, "the certificate: %s", fault_detail());
    const struct certificate *held = held_already(store, request->server, fresh);
    if (held != NULL)
        return certificate_parse(certificate_der(held), out);
    *out = TAKE(fresh);
    return DONE;
}

/* Behind the new one, those still good: messages signed before the change are still on their way.
 */
static void keep_good_certificates(const struct directory_server *now, int64_t now_ms,
                                   struct server_set *set)
{
    for (size_t i = 0; now != NULL && i < now->signers; i++) {
        const struct directory_signer *signer = now->signer[i];
        if (span_equal(certificate_der(signer->certificate), set->certificate[0]) ||
            signer->revoked_since_ms != 0 ||
            certificate_not_after_ms(signer->certificate) < now_ms ||
            set->certificates == DIRECTORY_CERTIFICATES_MAX)
            continue;
        set->certificate[set->certificates++] = certificate_der(signer->certificate);
    }
}

static fault fill_set(const struct store *store, const struct server_request *request,
                      const struct certificate *certificate, struct server_set *out)
{
    int64_t now_ms = store_time(store);
    struct note_key log_key;
    *out = (struct server_set){.id = request->server, .addresses = request->addresses};
    for (size_t i = 0; i < request->addresses; i++)
        out->address[i] = request->address[i];
    out->transport_key = span_of(request->transport_key, sizeof request->transport_key);
    for (; out->seal_keys < request->seal_keys; out->seal_keys++)
        out->seal_key[out->seal_keys] = span_of(request->seal_key[out->seal_keys], 32);
    if (failed(note_key_parse(span_of_text(request->log_vkey), &log_key)))
        return RAISE(REFUSED, "\"log_vkey\": %s", fault_detail());
    if (span_equal(log_epoch_base(span_of_text(log_key.name)),
                   log_epoch_base(span_of_text(store_log_key(store)->name))))
        return RAISE(REFUSED, "\"log_vkey\": %s is the directory's own log", log_key.name);
    note_key_text(&log_key, out->log_vkey, sizeof out->log_vkey);
    if (!text_format(out->witness_vkey, sizeof out->witness_vkey, "%s", request->witness_vkey))
        return RAISE(REFUSED, "\"witness_vkey\" is too long");
    out->certificates = 1;
    out->certificate[0] = certificate_der(certificate);
    keep_good_certificates(directory_server(store_state(store), span_of_text(request->server)),
                           now_ms, out);
    return DONE;
}

fault issue_server_add(struct store *store, const struct arguments *arguments, struct said *said)
{
    OWNED(server_request) request = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    struct server_set set;
    char path[STORE_PATH_BYTES], until[32];
    const char *to = arguments_text(arguments, ARGUMENT_CERTIFICATE_TO);
    if (!(to != NULL ? text_format(path, sizeof path, "%s", to)
                     : text_format(path, sizeof path, "%s.crt", arguments->operand)))
        return RAISE(REFUSED, "the certificate's file name is too long");
    TRY(server_request_read(arguments->operand, &request));
    TRY(certificate_for(store, request, arguments_text(arguments, ARGUMENT_CERTIFICATE),
                        &certificate));
    TRY(fill_set(store, request, certificate, &set));
    TRY(server_set_act(&set, store_carry_out, store));
    TRY(certificate_pem(certificate, &pem));
    store_then_write(store, path, &pem);
    clock_text(certificate_not_after_ms(certificate), until, sizeof until);
    said_add(said, "server %s: certificate until %s in %s", request->server, until, path);
    return DONE;
}
