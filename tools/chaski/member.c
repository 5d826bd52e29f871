// SPDX-License-Identifier: MIT
#include "tools/chaski/member.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/secret.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/draft.h"
#include "lib/crypto/random.h"
#include "tools/chaski/directory_fetch.h"
#include "tools/chaski/gateway_settings.h"
#include "tools/chaski/member_key.h"
#include "tools/chaski/web.h"

#include "directory.pb-c.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define CONTEXT "chaski directory act v1"
#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 64)
#define SEND_TIMES 3 /* the same bytes: a registry that has carried them out says so again */

// --- options ------------------------------------------------------------------------------------

static fault take(const struct gateway_settings *settings, const char *name, const char **place,
                  char *out, size_t room)
{
    if (*place != NULL)
        return DONE;
    TRY(gateway_settings_text(settings, name, out, room));
    if (out[0] != '\0')
        *place = out;
    return DONE;
}

static fault take_all(const struct gateway_settings *settings, struct member_options *self)
{
    struct keys_options *keys = &self->keys;
    TRY(take(settings, "keys_folder", &keys->folder, self->folder_text, sizeof self->folder_text));
    TRY(take(settings, "anchor_file", &self->anchor, self->anchor_text, sizeof self->anchor_text));
    TRY(take(settings, "server", &self->server, self->server_text, sizeof self->server_text));
    TRY(take(settings, "keys_passphrase", &keys->passphrase, self->passphrase_text,
             sizeof self->passphrase_text));
    TRY(take(settings, "sign_key", &keys->token, self->token_text, sizeof self->token_text));
    return take(settings, "token_module", &keys->module, self->module_text,
                sizeof self->module_text);
}

/* Whose key it is, as its certificate says. */
static fault name_server(struct member_options *self)
{
    char path[MEMBER_PATH_BYTES + 16];
    OWNED(certificate) certificate = NULL;
    if (!text_format(path, sizeof path, "%s/sign.crt", self->keys.folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    TRY(certificate_load(path, &certificate));
    const struct certificate_subject *subject = certificate_subject(certificate);
    if (!text_format(self->server_text, sizeof self->server_text, "%s/%s", subject->member,
                     subject->server))
        return RAISE(BAD_REQUEST, "%s names no server: give --server", path);
    self->server = self->server_text;
    return DONE;
}

fault member_options_fill(struct member_options *self)
{
    struct gateway_settings settings;
    self->keys.signs_now = true; /* beside a server that may have renewed its key */
    if (self->config != NULL) {
        TRY(gateway_settings_read_server(self->config, &settings));
        fault f = take_all(&settings, self);
        gateway_settings_clear(&settings);
        TRY(f);
    }
    if (self->keys.folder == NULL || self->anchor == NULL)
        return RAISE(BAD_REQUEST, "--config with the server's settings, in which anchor_file is "
                                  "set, or else --folder KEYS and --anchor FILE");
    if (self->keys.passphrase != NULL && failed(secret_check(self->keys.passphrase)))
        return RAISE(BAD_REQUEST, "%s", fault_detail());
    return self->server != NULL ? DONE : name_server(self);
}

// --- opening ------------------------------------------------------------------------------------

void member_free(struct member **self)
{
    if (*self == NULL)
        return;
    directory_release(&(*self)->state);
    trust_free(&(*self)->trust);
    anchor_file_free(&(*self)->anchor);
    free(*self);
    *self = NULL;
}

/* Addresses in turn, as the node asks them. */
static fault fetch(struct member *self)
{
    const struct anchor_file *anchor = self->anchor;
    fault f = DONE;
    if (self->options->at != NULL) {
        self->at = self->options->at;
        return directory_fetch(anchor, self->at, &self->trust, &self->state);
    }
    for (size_t i = 0; i < anchor->addresses; i++) {
        self->at = anchor->address[i];
        f = directory_fetch(anchor, self->at, &self->trust, &self->state);
        if (!failed(f))
            return f;
    }
    return f;
}

fault member_open(const struct member_options *options, struct member **out)
{
    OWNED(member) self = owned_new(sizeof *self);
    self->options = options;
    TRY(anchor_file_read(options->anchor, &self->anchor));
    TRY(fetch(self));
    self->server = directory_server(self->state, span_of_text(options->server));
    if (self->server == NULL)
        return RAISE(NOT_FOUND, "%s does not stand in the directory", options->server);
    *out = TAKE(self);
    return DONE;
}

// --- signing ------------------------------------------------------------------------------------

/* The authority's own words for it come too late to be of use. */
static fault check_need(const struct member *self, const Chaski__Act *act)
{
    char words[ACT_APPROVAL_WORDS_ROOM];
    struct act_need need = act_approval_need(self->state, act);
    if (need.member == self->server->member)
        return DONE;
    act_approval_words(&need, words, sizeof words);
    return RAISE(REFUSED, "a member cannot do this by itself; it needs %s: ask the authority",
                 words);
}

fault member_sign(const struct member *self, const struct sha256 *digest,
                  uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *size)
{
    OWNED(secret) passphrase = NULL;
    OWNED(member_key) key = NULL;
    struct key_opener opener = {0};
    const struct keys_options *keys = &self->options->keys;
    if (keys->passphrase != NULL)
        TRY(secret_read(keys->passphrase, "passphrase of the keys", &passphrase));
    opener.passphrase = secret_span(passphrase);
    TRY(member_key_open(keys, keys->folder, &opener, &key));
    return member_key_sign(key, digest->at, out, size);
}

static fault pack(const Chaski__Act *act, char **out)
{
    OWNED(bytes) packed = NULL;
    TRY(bytes_new(chaski__act__get_packed_size(act), &packed));
    chaski__act__pack(act, packed->data);
    size_t room = 4 * ((packed->size + 2) / 3) + 1;
    if (packed->size > MEMBER_ACT_BYTES_MAX)
        return RAISE(BAD_REQUEST, "an act of more than %d bytes", MEMBER_ACT_BYTES_MAX);
    *out = owned_array(room, 1);
    text_base64(bytes_span(packed), *out, room);
    return DONE;
}

// --- sending ------------------------------------------------------------------------------------

static fault take_answer(const struct web_answer *answer, const char *at, uint64_t *epoch)
{
    json_t *json = json_loadb((const char *)answer->body->data, answer->body->size, 0, NULL);
    const char *detail = json_string_value(json_object_get(json, "detail"));
    json_int_t number = json_integer_value(json_object_get(json, "epoch"));
    fault f = DONE;
    if (answer->status == 200 && number > 0)
        *epoch = (uint64_t)number;
    else if (answer->status < 500 && detail != NULL && shown_as_is(span_of_text(detail)))
        f = RAISE(REFUSED, "the registry refuses: %s", detail);
    else
        f = RAISE(PEER_UNREACHABLE, "%s answers %ld and nothing that a registry says", at,
                  answer->status);
    json_decref(json);
    return f;
}

static fault post(const char *at, const char *body, uint64_t *epoch)
{
    char url[URL_BYTES];
    struct web_answer answer = {0};
    if (!text_format(url, sizeof url, "%s/member/v1/acts", at))
        return RAISE(BAD_REQUEST, "the registry's address is too long");
    const struct web_ask ask = {url, body, WEB_ANY, ENROL_ANSWER_BYTES_MAX, NULL};
    fault f = web_ask(&ask, &answer);
    if (!failed(f))
        f = take_answer(&answer, at, epoch);
    bytes_free(&answer.body);
    return f;
}

static fault send_act(const struct member *self, const Chaski__Act *act, uint64_t *epoch)
{
    char *text = NULL;
    TRY(pack(act, &text));
    json_t *root = json_pack("{s:s}", "act", text);
    char *body = json_dumps(root, JSON_COMPACT);
    fault f = DONE;
    for (int i = 0; i < SEND_TIMES; i++) {
        f = post(self->at, body, epoch);
        if (f.code != PEER_UNREACHABLE)
            break;
    }
    free(body);
    json_decref(root);
    free(text);
    return f;
}

static fault write_draft(const char *path, const Chaski__Act *act)
{
    OWNED(bytes) packed = NULL;
    OWNED(bytes) draft = NULL;
    struct span only;
    TRY(bytes_new(chaski__act__get_packed_size(act), &packed));
    chaski__act__pack(act, packed->data);
    only = bytes_span(packed);
    TRY(draft_make(&only, 1, &draft));
    return file_replace(path, bytes_span(draft), 0644);
}

fault member_do(struct member *self, const Chaski__Act *given, uint64_t *epoch)
{
    uint8_t nonce[ACT_NONCE_BYTES], signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    Chaski__Act act = *given;
    Chaski__Intent intent = CHASKI__INTENT__INIT;
    Chaski__Approval approval = CHASKI__APPROVAL__INIT, *approvals[] = {&approval};
    TRY(check_need(self, &act));
    act.context = (char *)(uintptr_t)CONTEXT;
    if (self->options->draft != NULL)
        return write_draft(self->options->draft, &act);
    random_fill(nonce, sizeof nonce);
    intent.proposed_ms = (uint64_t)clock_wall_ms();
    intent.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    act.intent = &intent;
    struct sha256 digest = act_approval_digest(&act, directory_instance(self->state));
    TRY(member_sign(self, &digest, signature, &size));
    approval.who_case = CHASKI__APPROVAL__WHO_SERVER;
    approval.server = (char *)(uintptr_t)self->server->id;
    approval.signature = (ProtobufCBinaryData){size, signature};
    act.n_approval = 1;
    act.approval = approvals;
    return send_act(self, &act, epoch);
}
