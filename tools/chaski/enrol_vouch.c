// SPDX-License-Identifier: MIT
/* chaski enrol vouch: a server that is enrolled stands behind another request of its member. The
 * signing key is opened here, as for the member's own acts (docs/decisions/0029, 0032). */
#include "tools/chaski/enrol.h"

#include "lib/base/options.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/voucher.h"
#include "lib/crypto/p256.h"
#include "tools/chaski/commands.h"
#include "tools/chaski/member.h"
#include "tools/chaski/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ID_DIGITS 64
#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 128)
#define FINGERPRINT_BYTES 8 /* of SHA-256, as operators are shown keys */

struct vouching {
    struct member_options member;
    const char *request; /* its id */
    bool yes;
};

// --- options ------------------------------------------------------------------------------------

static fault take_options(int argc, char **argv, struct vouching *out)
{
    const struct option_place known[] = {
        MEMBER_OPTIONS(&out->member), OPTION_FLAG("yes", &out->yes), {0}};
    const struct operand_place request = {
        .name = "the ID of one request", .place = &out->request, .least = 1, .most = 1};
    TRY(options_take("enrol vouch", argc, argv, known, &request));
    if (strlen(out->request) != ID_DIGITS || strspn(out->request, "0123456789abcdef") != ID_DIGITS)
        return RAISE(BAD_REQUEST,
                     "an ID is %d hex digits, as `chaski enrol` says it at the server "
                     "that asks",
                     ID_DIGITS);
    return member_options_fill(&out->member);
}

// --- the registry -------------------------------------------------------------------------------

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

/* What it answers to `body`, or to a question; json_decref() *out. */
static fault ask(const struct member *member, const struct vouching *self, const char *place,
                 const char *body, json_t **out)
{
    char url[URL_BYTES];
    struct web_answer answer = {0};
    if (!text_format(url, sizeof url, "%s/enrol/v1/requests/%s/%s", member->at, self->request,
                     place))
        return RAISE(BAD_REQUEST, "the registry's address is too long");
    const struct web_ask ask = {url, body, WEB_ANY, REGISTRY_ENROLMENT_BYTES_MAX, NULL};
    TRY(web_ask(&ask, &answer));
    json_t *json = json_loadb((const char *)answer.body->data, answer.body->size,
                              JSON_REJECT_DUPLICATES, NULL);
    bytes_free(&answer.body);
    const char *detail = text_in(json, "detail");
    fault f = DONE;
    if (answer.status != 200 && detail[0] != '\0' && answer.status < 500)
        f = RAISE(REFUSED, "the registry refuses: %s", detail);
    else if (answer.status != 200 || !json_is_object(json))
        f = RAISE(PEER_UNREACHABLE, "%s answers %ld and nothing that a registry says", member->at,
                  answer.status);
    if (failed(f))
        json_decref(json);
    else
        *out = json;
    return f;
}

/* The registry cannot show one request and have another vouched for: the id is the digest of what
 * is shown. */
static fault fetch(const struct member *member, const struct vouching *self, struct sha256 *id,
                   json_t **out)
{
    json_t *request = NULL;
    char hex[ID_DIGITS + 1] = "";
    TRY(ask(member, self, "content", NULL, &request));
    fault f = enrol_request_id(request, id);
    if (!failed(f))
        text_hex(sha256_span(id), hex, sizeof hex);
    if (!failed(f) && strcmp(hex, self->request) != 0)
        f = RAISE(REFUSED, "the registry shows another request than the one with this ID: nothing "
                           "was signed");
    if (failed(f))
        json_decref(request);
    else
        *out = request;
    return f;
}

static fault check_member(const struct member *member, json_t *request)
{
    const char *wanted = text_in(request, "server"), *own = member->server->member->id;
    struct span of = bus_id_prefix(span_of_text(wanted), ID_MEMBER);
    return span_equal(of, span_of_text(own))
               ? DONE
               : RAISE(REFUSED,
                       "%s is not a server of %s: a server vouches for its own member alone",
                       wanted, own);
}

// --- showing ------------------------------------------------------------------------------------

static void say(const char *words)
{
    shown_page(stdout, span_of_text(words));
}

static void say_key(const char *what, struct span key)
{
    char hex[2 * FINGERPRINT_BYTES + 1];
    struct sha256 hash = SHA256_OF(key);
    text_hex(span_of(hash.at, FINGERPRINT_BYTES), hex, sizeof hex);
    printf("  %-13s %s\n", what, hex);
}

static void say_hex_key(const char *what, const char *hex)
{
    uint8_t key[32];
    if (!failed(text_unhex(span_of_text(hex), key, sizeof key)))
        say_key(what, span_of(key, sizeof key));
}

static void say_signing_key(json_t *request)
{
    OWNED(bytes) der = NULL;
    uint8_t point[P256_POINT_BYTES];
    const char *asked = text_in(request, "certificate_request");
    const char *issued =
        json_string_value(json_array_get(json_object_get(request, "certificates"), 0));
    if (failed(text_unbase64(span_of_text(issued == NULL ? asked : issued), &der)))
        return;
    if (!failed(issued == NULL ? p256_of_request(bytes_span(der), point)
                               : p256_of_certificate(bytes_span(der), point)))
        say_key("signing key", span_of(point, sizeof point));
}

static void say_line(const char *what, const char *words)
{
    if (words == NULL || words[0] == '\0')
        return;
    printf("  %-13s ", what);
    say(words);
    putchar('\n');
}

static void show(const struct member *member, const struct vouching *self, json_t *request)
{
    json_t *one = NULL;
    size_t i = 0;
    bool there = directory_server(member->state, span_of_text(text_in(request, "server"))) != NULL;
    printf("request %s\n", self->request);
    say(text_in(request, "server"));
    printf("%s %s\n",
           there ? ", which is registered: these keys take the place of its own; it is of"
                 : ", a further server of",
           member->server->member->id);
    say_line("organisation", text_in(request, "organisation"));
    json_array_foreach(json_object_get(request, "addresses"), i, one)
        say_line("address", json_string_value(one));
    json_array_foreach(json_object_get(request, "subsystems"), i, one)
        say_line("subsystem", text_in(one, "code"));
    say_signing_key(request);
    say_hex_key("transport key", text_in(request, "transport_key"));
    json_array_foreach(json_object_get(request, "seal_keys"), i, one)
        say_hex_key("sealing key", json_string_value(one) == NULL ? "" : json_string_value(one));
    say_line("log", text_in(request, "log_vkey"));
    say_line("witness", text_in(request, "witness_vkey"));
}

static fault confirm(const struct vouching *self, const struct member *member)
{
    char line[16] = "";
    if (self->yes)
        return DONE;
    if (!isatty(STDIN_FILENO))
        return RAISE(BAD_REQUEST, "--yes is needed where nobody can be asked");
    printf("The ID stands for all of this. Is it what `chaski enrol` says at that server, and does "
           "%s vouch for it? [y/N] ",
           member->server->id);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL || (line[0] != 'y' && line[0] != 'Y'))
        return RAISE(REFUSED, "nothing was signed");
    return DONE;
}

// --- signing ------------------------------------------------------------------------------------

static fault send_voucher(const struct member *member, const struct vouching *self,
                          struct span signature)
{
    char base64[4 * P256_SIGNATURE_BYTES_MAX];
    json_t *answer = NULL;
    text_base64(signature, base64, sizeof base64);
    json_t *root = json_pack("{s:s,s:s}", "server", member->server->id, "signature", base64);
    char *body = json_dumps(root, JSON_COMPACT);
    fault f = ask(member, self, "vouchers", body, &answer);
    free(body);
    json_decref(root);
    json_decref(answer);
    return f;
}

static fault vouch_for(const struct member *member, const struct vouching *self,
                       const struct sha256 *id)
{
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 digest =
        voucher_digest(directory_instance(member->state), member->server->id, id);
    TRY(member_sign(member, &digest, signature, &size));
    TRY(send_voucher(member, self, span_of(signature, size)));
    printf("%s vouches for it; two operators of the authority decide\n", member->server->id);
    return DONE;
}

static fault vouch(const struct vouching *self)
{
    OWNED(member) member = NULL;
    struct sha256 id;
    json_t *request = NULL;
    TRY(member_open(&self->member, &member));
    TRY(fetch(member, self, &id, &request));
    fault f = check_member(member, request);
    if (!failed(f)) {
        show(member, self, request);
        f = confirm(self, member);
    }
    json_decref(request);
    return failed(f) ? f : vouch_for(member, self, &id);
}

fault enrol_vouch_command(int argc, char **argv)
{
    struct vouching self = {0};
    TRY(take_options(argc, argv, &self));
    return vouch(&self);
}
