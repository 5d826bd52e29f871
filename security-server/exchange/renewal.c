// SPDX-License-Identifier: MIT
#include "security-server/exchange/renewal.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/token_line.h"

#include "directory.pb-c.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define CONTEXT "chaski directory act v1"
#define DAY_MS INT64_C(86400000)

struct renewal {
    struct node *node;
    struct loop_timer timer;
    bool busy;     /* the keys process is asked */
    bool has_next; /* and this is it: */
    uint8_t next[P256_POINT_BYTES];
    struct bytes *body;                      /* of the request, as it is posted */
    struct bytes *certificate;               /* of the next key, while it is being taken */
    struct bytes *act;                       /* being approved, without the approval */
    int64_t requested_ms, acted_ms, said_ms; /* steady; 0: not in this run */
    int64_t asked_ms, taking_ms;             /* ... of the token: for its next key, to take over */
};

// --- files --------------------------------------------------------------------------------------

static bool path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, name);
}

static fault write_in(const char *folder, const char *name, struct span content)
{
    char path[PATH_BYTES];
    return path_in(folder, name, path) ? file_replace(path, content, 0644)
                                       : RAISE(BAD_CONFIG, "a folder's name is too long");
}

/* The follower reads it when it changes. */
static fault leave(const struct renewal *self, const char *name, json_t *json)
{
    char folder[PATH_BYTES];
    char *text = json_dumps(json, JSON_COMPACT);
    fault f = text == NULL || !path_in(self->node->config->audit_folder, "directory", folder)
                  ? RAISE(INTERNAL, "what is to be posted cannot be written")
                  : write_in(folder, name, span_of_text(text));
    free(text);
    json_decref(json);
    return f;
}

static json_t *base64_json(struct span bytes)
{
    size_t room = 4 * ((bytes.size + 2) / 3) + 1;
    char *text = owned_array(room, 1);
    text_base64(bytes, text, room);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static void say_failed(const char *step, fault f)
{
    EVENT(WARN, "renewal.failed", E_TEXT("step", step), E_FAULT(f),
          E_TEXT("remedy", "it is tried again by itself"));
}

/* Not more often than whoever is asked cares for. */
static bool is_time(int64_t *last_ms, int64_t again_ms)
{
    int64_t now_ms = clock_steady_ms();
    if (*last_ms != 0 && now_ms - *last_ms < again_ms)
        return false;
    *last_ms = now_ms;
    return true;
}

// --- 1: asking for a certificate ----------------------------------------------------------------

static fault take_request(struct renewal *self, struct span result)
{
    size_t size = result.size > 0 ? result.at[0] : 0;
    if (size == 0 || result.size <= 1 + size)
        return RAISE(INTERNAL, "no request");
    struct span signature = span_of(result.at + 1, size);
    struct span request = span_of(result.at + 1 + size, result.size - 1 - size);
    TRY(p256_of_request(request, self->next));
    json_t *json =
        json_pack("{s:s,s:o,s:o}", "server", self->node->config->server, "certificate_request",
                  base64_json(request), "signature", base64_json(signature));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    fault f = bytes_copy(span_of_text(text == NULL ? "" : text), &self->body);
    free(text);
    TRY(f);
    self->has_next = true;
    return DONE;
}

static void on_request(void *owner, fault f, struct span result)
{
    struct renewal *self = owner;
    /* none: until the next start there is nothing to do here; a token is asked again */
    self->busy = f.code == KEY_UNKNOWN && self->node->token == NULL;
    if (!failed(f))
        f = take_request(self, result);
    if (failed(f) && f.code != KEY_UNKNOWN)
        say_failed("request", f);
}

static fault post_request(struct renewal *self)
{
    char folder[PATH_BYTES];
    if (!is_time(&self->requested_ms, RENEWAL_AGAIN_MS))
        return DONE;
    EVENT(INFO, "renewal.asked",
          E_NUMBER("days_left",
                   (certificate_not_after_ms(self->node->certificate) - clock_wall_ms()) / DAY_MS));
    if (!path_in(self->node->config->audit_folder, "directory", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    return write_in(folder, "renewal", bytes_span(self->body));
}

// --- 2 and 3: the act that brings it in ---------------------------------------------------------

/* What the authority issued, if it is of our next key. */
static bool read_issued(const struct renewal *self, struct bytes **out)
{
    char path[PATH_BYTES];
    uint8_t point[P256_POINT_BYTES];
    OWNED(bytes) file = NULL;
    OWNED(bytes) der = NULL;
    if (!path_in(self->node->config->audit_folder, "followed/renewal", path) ||
        failed(file_read(path, RENEWAL_ANSWER_BYTES_MAX, &file)))
        return false;
    json_t *json = json_loadb((const char *)file->data, file->size, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(json, "certificate"));
    bool good = text != NULL && !failed(text_unbase64(span_of_text(text), &der)) &&
                !failed(p256_of_certificate(bytes_span(der), point)) &&
                memcmp(point, self->next, sizeof point) == 0;
    json_decref(json);
    if (good)
        *out = TAKE(der);
    return good;
}

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static fault pack_act(const struct renewal *self, Chaski__ServerSet *server, struct bytes **out)
{
    uint8_t nonce[ACT_NONCE_BYTES];
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__Intent intent = CHASKI__INTENT__INIT;
    (void)self;
    random_fill(nonce, sizeof nonce);
    intent.proposed_ms = (uint64_t)clock_wall_ms();
    intent.nonce = binary(span_of(nonce, sizeof nonce));
    act.context = lend(CONTEXT);
    act.intent = &intent;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = server;
    size_t size = chaski__act__get_packed_size(&act);
    if (size > RENEWAL_ACT_BYTES_MAX)
        return RAISE(INTERNAL, "an act of %zu bytes", size);
    TRY(bytes_new(size, out));
    chaski__act__pack(&act, (*out)->data);
    return DONE;
}

/* Our entry as it stands, with the new certificate before the present one. */
static fault make_act(const struct renewal *self, struct span issued, struct bytes **out)
{
    const struct directory_server *now = node_self(self->node);
    Chaski__ServerSet server = CHASKI__SERVER_SET__INIT;
    char *addresses[DIRECTORY_ADDRESSES_MAX], log[400], witness[400] = "";
    ProtobufCBinaryData seals[SEAL_KEYS_MAX], certificates[2];
    for (size_t i = 0; i < now->addresses; i++)
        addresses[i] = lend(now->address[i]);
    for (size_t i = 0; i < now->seal_keys; i++)
        seals[i] = binary(span_of(now->seal_key[i], sizeof now->seal_key[i]));
    note_key_text(&now->log_key, log, sizeof log);
    if (now->is_witness)
        note_key_text(&now->witness_key, witness, sizeof witness);
    certificates[0] = binary(issued);
    certificates[1] = binary(certificate_der(self->node->certificate));
    server.id = lend(now->id);
    server.n_address = now->addresses;
    server.address = addresses;
    server.transport_key = binary(span_of(now->transport_key, sizeof now->transport_key));
    server.n_seal_key = now->seal_keys;
    server.seal_key = seals;
    server.log_vkey = log;
    server.witness_vkey = witness;
    server.n_certificate = 2;
    server.certificate = certificates;
    return pack_act(self, &server, out);
}

static fault leave_act(const struct renewal *self, struct span signature)
{
    OWNED(bytes) packed = NULL;
    Chaski__Approval approval = CHASKI__APPROVAL__INIT, *approvals[] = {&approval};
    Chaski__Act *act = chaski__act__unpack(NULL, self->act->size, self->act->data);
    if (act == NULL)
        return RAISE(INTERNAL, "our own act");
    approval.who_case = CHASKI__APPROVAL__WHO_SERVER;
    approval.server = lend(self->node->config->server);
    approval.signature = binary(signature);
    act->n_approval = 1;
    act->approval = approvals;
    fault f = bytes_new(chaski__act__get_packed_size(act), &packed);
    if (!failed(f))
        chaski__act__pack(act, packed->data);
    act->n_approval = 0;
    act->approval = NULL;
    chaski__act__free_unpacked(act, NULL);
    TRY(f);
    return leave(self, "act", json_pack("{s:o}", "act", base64_json(bytes_span(packed))));
}

static void on_approved(void *owner, fault f, struct span signature)
{
    struct renewal *self = owner;
    self->busy = false;
    if (!failed(f))
        f = leave_act(self, signature);
    bytes_free(&self->act);
    if (failed(f))
        say_failed("act", f);
    else
        EVENT(INFO, "renewal.proposed");
}

/* The one before was given up by then, which was said (poster.h). What held it back, a registry
 * that has just been started or waits for another key, is over within minutes, and so is this. */
_Static_assert(RENEWAL_ACT_AGAIN_MS > FOLLOW_ASK_MS * ((1 << (FOLLOW_POST_TRIES_MAX - 1)) - 1),
               "an act is replaced while it is still handed over");

static fault propose(struct renewal *self, struct span issued)
{
    if (!is_time(&self->acted_ms, RENEWAL_ACT_AGAIN_MS))
        return DONE;
    TRY(make_act(self, issued, &self->act));
    self->busy = true;
    keys_line_approve_renewal(self->node->keys, directory_instance(self->node->directory),
                              bytes_span(self->act), on_approved, self);
    return DONE;
}

// --- 4: taking over -----------------------------------------------------------------------------

static const struct directory_signer *in_directory(const struct renewal *self)
{
    const struct directory_server *own = node_self(self->node);
    uint8_t point[P256_POINT_BYTES];
    for (size_t i = 0; i < own->signers; i++) {
        const struct directory_signer *signer = own->signer[i];
        if (signer->trusted && signer->revoked_since_ms == 0 &&
            !failed(p256_of_certificate(certificate_der(signer->certificate), point)) &&
            memcmp(point, self->next, sizeof point) == 0)
            return signer;
    }
    return NULL;
}

/* Answers come in the order of the jobs: headers that were asked for before are signed with the old
 * key and were put together before this; those behind it carry the new one. */
static fault take_over(struct renewal *self)
{
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    struct node *node = self->node;
    TRY(certificate_parse(bytes_span(self->certificate), &certificate));
    certificate_free(&node->certificate);
    node->certificate = TAKE(certificate);
    cades_template_make(node->certificate, &node->template);
    const struct sha256 hash = certificate_hash(node->certificate);
    if (node->token != NULL)
        token_line_use_certificate(node->token, &hash);
    self->has_next = false;
    self->busy = true; /* the key after this one is made at the next start */
    EVENT(INFO, "renewal.done", E_NUMBER("epoch", directory_epoch(node->directory)),
          E_NUMBER("days_left",
                   (certificate_not_after_ms(node->certificate) - clock_wall_ms()) / DAY_MS));
    if (node->token != NULL) /* its process has written it */
        return DONE;
    TRY(certificate_pem(node->certificate, &pem));
    return write_in(node->config->keys_folder, "sign.next.crt", bytes_span(pem));
}

static void on_taken(void *owner, fault f, struct span result)
{
    struct renewal *self = owner;
    (void)result;
    self->busy = false;
    if (!failed(f))
        f = take_over(self);
    bytes_free(&self->certificate);
    if (failed(f))
        say_failed("taking over", f);
}

static fault take(struct renewal *self, const struct directory_signer *signer)
{
    if (!is_time(&self->taking_ms, RENEWAL_TAKE_AGAIN_MS))
        return DONE;
    TRY(bytes_copy(certificate_der(signer->certificate), &self->certificate));
    self->busy = true;
    keys_line_take_certificate(self->node->keys, bytes_span(self->certificate), on_taken, self);
    return DONE;
}

// --- looking ------------------------------------------------------------------------------------

static bool is_due(const struct node *node)
{
    return certificate_not_after_ms(node->certificate) - clock_wall_ms() <
           node->config->renew_before_s * 1000;
}

/* A person must act: the token makes no key, or there is no next key. */
static void say_needed(struct renewal *self)
{
    int64_t now_ms = clock_steady_ms();
    bool token = self->node->token != NULL;
    if (self->has_next || (token && self->asked_ms == 0) || (token && self->busy) ||
        (self->said_ms != 0 && now_ms - self->said_ms < DAY_MS))
        return;
    self->said_ms = now_ms;
    EVENT(WARN, "renewal.needed",
          E_NUMBER("days_left",
                   (certificate_not_after_ms(self->node->certificate) - clock_wall_ms()) / DAY_MS),
          E_TEXT("remedy",
                 token ? "the token's next key is not there: token.key_not_made, which has the "
                         "one command, or token.renewal_failed says why; nothing stops "
                         "meanwhile"
                       : "the next key is made by a restart of the server"));
}

/* The token's next key is made when it is needed, and not before; then it is there at every start.
 */
static void ask_token(struct renewal *self)
{
    if (!failed(token_line_check(self->node->token)) &&
        is_time(&self->asked_ms, RENEWAL_AGAIN_MS)) {
        self->busy = true;
        keys_line_request_renewal(self->node->keys, on_request, self);
    }
}

static fault go_on(struct renewal *self)
{
    OWNED(bytes) issued = NULL;
    const struct directory_signer *signer = in_directory(self);
    if (signer != NULL)
        return clock_wall_ms() - signer->taken_ms >= self->node->config->renew_settle_s * 1000
                   ? take(self, signer)
                   : DONE;
    if (!is_due(self->node))
        return DONE;
    return read_issued(self, &issued) ? propose(self, bytes_span(issued)) : post_request(self);
}

static void look(struct loop_timer *timer)
{
    struct renewal *self = timer->owner;
    struct node *node = self->node;
    loop_set_timer(node->loop, &self->timer, RENEWAL_LOOK_MS);
    if (node_self(node) == NULL || node->draining)
        return;
    if (is_due(node))
        say_needed(self);
    if (!self->busy && !self->has_next && node->token != NULL && is_due(node))
        ask_token(self);
    if (self->busy || !self->has_next)
        return;
    fault f = go_on(self);
    if (failed(f))
        say_failed("looking", f);
}

struct renewal *renewal_new(struct node *node)
{
    if (node->config->anchor == NULL)
        return NULL;
    struct renewal *self = owned_new(sizeof *self);
    self->node = node;
    self->timer = (struct loop_timer){.fire = look, .owner = self};
    if (node->token == NULL) {
        self->busy = true;
        keys_line_request_renewal(node->keys, on_request, self);
    }
    loop_set_timer(node->loop, &self->timer, RENEWAL_LOOK_MS);
    return self;
}

void renewal_free(struct renewal **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    bytes_free(&(*self)->body);
    bytes_free(&(*self)->certificate);
    bytes_free(&(*self)->act);
    free(*self);
    *self = NULL;
}
