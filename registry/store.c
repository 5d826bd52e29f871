// SPDX-License-Identifier: MIT
#include "registry/store.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/heartbeat.h"
#include "registry/act_texts.h"
#include "registry/acts_file.h"
#include "registry/acts_keys.h"
#include "registry/ahead.h"
#include "registry/approving.h"
#include "registry/hosting.h"
#include "registry/issuing.h"
#include "registry/log_keys.h"
#include "registry/stamping.h"

#include "directory.pb-c.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define CONTEXT "chaski directory act v1"
#define SNAPSHOT_EVERY 2048
#define CLOCK_BEHIND_MS INT64_C(3600000)
#define CLOCK_SKEW_MS INT64_C(300000) /* a node's clock may stand this much before ours */

struct output {
    char *path;
    struct bytes *bytes;
};

struct store {
    char folder[512];
    int lock;
    bool writes;
    uint64_t cut_bytes;
    unsigned valid_days, snapshot_every;
    struct keypair *ca_key, *act_key; /* act_key NULL: it is not there */
    struct certificate *signer;       /* lent by the state; that act_key and template are of */
    struct log_keys log_keys;
    struct certificate *ca, *authority;
    char issuer[64]; /* "": the first CA issues, else these */
    struct keypair *issuer_key;
    struct certificate *issuer_ca;
    struct cades_template template;
    struct note_key log;
    struct trust *trust;
    struct acts_file *acts;
    struct directory *state;
    struct approving *approving;
    struct output *output;
    size_t outputs;
    bool drafting, trying; /* keeps acts instead of carrying them out; unsigned */
    struct bytes **draft;
    struct span *drafted; /* the same, lent */
    size_t drafts;
};

static void drop_outputs(struct store *self)
{
    for (; self->outputs > 0; self->outputs--) {
        free(self->output[self->outputs - 1].path);
        bytes_free(&self->output[self->outputs - 1].bytes);
    }
}

void store_free(struct store **owner)
{
    struct store *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    drop_outputs(self);
    free(self->output);
    for (size_t i = 0; i < self->drafts; i++)
        bytes_free(&self->draft[i]);
    free(self->draft);
    free(self->drafted);
    directory_release(&self->state);
    approving_free(&self->approving);
    acts_file_free(&self->acts);
    trust_free(&self->trust);
    certificate_free(&self->ca);
    certificate_free(&self->issuer_ca);
    keypair_free(&self->issuer_key);
    certificate_free(&self->authority);
    keypair_free(&self->ca_key);
    keypair_free(&self->act_key);
    log_keys_clear(&self->log_keys);
    if (self->lock >= 0)
        close(self->lock);
    free(self);
}

// --- opening ------------------------------------------------------------------------------------

static void path_of(const struct store *self, const char *name, char out[STORE_PATH_BYTES])
{
    bool fits = text_format(out, STORE_PATH_BYTES, "%s/%s", self->folder, name);
    assert(fits); /* the folder's length was checked */
}

static fault load_settings(struct store *self)
{
    char path[STORE_PATH_BYTES];
    json_error_t error;
    path_of(self, "settings.json", path);
    json_t *settings = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    json_int_t days = json_integer_value(json_object_get(settings, "valid_days"));
    json_t *every = json_object_get(settings, "snapshot_every");
    const char *issuer = json_string_value(json_object_get(settings, "issuer"));
    bool named = text_format(self->issuer, sizeof self->issuer, "%s", issuer == NULL ? "" : issuer);
    json_int_t acts = every == NULL ? SNAPSHOT_EVERY : json_integer_value(every);
    json_decref(settings);
    if (days < 1 || days > 3650)
        return RAISE(BAD_CONFIG, "%s: valid_days must stand there, from 1 to 3650", path);
    if (!named)
        return RAISE(BAD_CONFIG, "%s: the name of the issuer is too long", path);
    if (acts < 1 || acts > DIRECTORY_ENTRIES_MAX)
        return RAISE(BAD_CONFIG, "%s: snapshot_every is from 1 to %d acts", path,
                     DIRECTORY_ENTRIES_MAX);
    self->valid_days = (unsigned)days;
    self->snapshot_every = (unsigned)acts;
    return DONE;
}

static fault load_anchor(struct store *self)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) vkey = NULL;
    path_of(self, "anchor/trust.pem", path);
    TRY(trust_load(path, &self->trust));
    path_of(self, "ca.pem", path);
    TRY(certificate_load(path, &self->ca));
    path_of(self, "authority.pem", path);
    TRY(certificate_load(path, &self->authority));
    path_of(self, "anchor/directory.vkey", path);
    TRY(file_read(path, 1024, &vkey));
    struct span text = bytes_span(vkey);
    if (text.size > 0 && text.at[text.size - 1] == '\n')
        text.size--;
    return note_key_parse(text, &self->log);
}

static fault load_key(struct store *self, const char *name, enum key_kind kind,
                      struct keypair **out)
{
    char path[STORE_PATH_BYTES];
    path_of(self, name, path);
    return keypair_load(path, kind, out);
}

static fault load_issuer(struct store *self)
{
    if (self->issuer[0] == '\0')
        return DONE;
    TRY(issuing_certificate(self->folder, self->issuer, &self->issuer_ca));
    return issuing_key(self->folder, self->issuer, &self->issuer_key);
}

static fault load_keys(struct store *self)
{
    TRY(load_issuer(self));
    TRY(load_key(self, "keys/ca.key", KEY_P256, &self->ca_key));
    return log_keys_load(self->folder, self->log.name, &self->log_keys);
}

/* The one that the acts name must be there to sign. */
static fault check_log_key(const struct store *self)
{
    char vkey[400];
    if (log_keys_find(&self->log_keys, store_log_key(self)) != NULL)
        return DONE;
    note_key_text(store_log_key(self), vkey, sizeof vkey);
    return RAISE(BAD_KEY, "%s/keys does not hold the log key %s", self->folder, vkey);
}

/* The one that the acts name. Without it the store opens still, or a lost one could not be changed;
 * nothing but that is signed then. */
static fault load_signer(struct store *self)
{
    struct certificate *signer = directory_acts_signer(self->state, self->authority);
    self->signer = signer;
    cades_template_make(signer, &self->template);
    keypair_free(&self->act_key);
    fault f = acts_keys_load(self->folder, signer, signer == self->authority, &self->act_key);
    if (f.code == NOT_FOUND)
        EVENT(ERROR, "store.acts_key_missing", E_FAULT(f));
    return f.code == NOT_FOUND ? DONE : f;
}

static fault check_leaf(struct store *self, size_t number, const struct cades_parts *parts)
{
    struct certificate *signer = directory_acts_signer(self->state, self->authority);
    struct sha256 hash = certificate_hash(signer);
    bool named = span_equal(parts->certificate_sha256, sha256_span(&hash));
    return named && !failed(cades_verify_parts(signer, parts, NULL))
               ? DONE
               : RAISE(LOG_BROKEN, "act %zu is not signed by this authority: %s", number,
                       named ? fault_detail() : "it names another certificate");
}

/* known: the leaves are those that were verified before. An act is folded before it is looked at
 * who signed it: it may name who does. */
static fault fold(struct store *self, bool known)
{
    const struct span *leaves = acts_file_leaves(self->acts);
    self->state = directory_new(self->trust);
    self->state->known = known;
    for (size_t i = 0; i < acts_file_count(self->acts); i++) {
        struct cades_parts parts;
        if (failed(cades_parse(leaves[i], &parts)))
            return RAISE(LOG_BROKEN, "act %zu is none: %s", i, fault_detail());
        TRY(directory_apply(self->state, i, parts.content));
        if (!known)
            TRY(check_leaf(self, i, &parts));
    }
    self->state->known = false;
    TRY(directory_check_first_signer(self->state, self->authority));
    return self->writes ? load_signer(self) : DONE;
}

static fault open_store(const char *folder, bool writes, struct store **out)
{
    OWNED(store) self = owned_new(sizeof *self);
    char path[STORE_PATH_BYTES];
    self->lock = -1;
    self->approving = approving_new();
    self->writes = writes;
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    path_of(self, "acts.head", path);
    if (writes && access(path, F_OK) == 0) { /* else the next step says that there is no store */
        path_of(self, "lock", path);
        fault f = file_lock(path, &self->lock);
        if (f.code == REFUSED)
            return RAISE(REFUSED, "another command is at work on %s; try again when it is done",
                         folder);
        TRY(f);
    }
    TRY(acts_file_open(folder, writes, &self->cut_bytes, &self->acts));
    TRY(load_settings(self));
    TRY(load_anchor(self));
    if (writes)
        TRY(load_keys(self));
    TRY(fold(self, false));
    if (writes)
        TRY(check_log_key(self));
    *out = TAKE(self);
    return DONE;
}

fault store_open(const char *folder, struct store **out)
{
    return open_store(folder, true, out);
}

fault store_look(const char *folder, struct store **out)
{
    return open_store(folder, false, out);
}

fault store_try(const char *folder, struct store **out)
{
    TRY(store_look(folder, out));
    (*out)->drafting = (*out)->trying = true;
    return DONE;
}

fault store_drafts(struct directory **state, struct trust **trust, const struct note_key *log,
                   struct store **out)
{
    struct store *self = owned_new(sizeof *self);
    self->lock = -1;
    self->drafting = true;
    self->approving = approving_new();
    self->state = TAKE(*state);
    self->trust = TAKE(*trust);
    self->state->trust = self->trust;
    self->log = *log;
    *out = self;
    return DONE;
}

// --- asking -------------------------------------------------------------------------------------

uint64_t store_cut_bytes(const struct store *self)
{
    return self->cut_bytes;
}

const struct span *store_drafted(const struct store *self, size_t *count)
{
    *count = self->drafts;
    return self->drafted;
}

bool store_is_drafting(const struct store *self)
{
    return self->drafting;
}

const char *store_folder(const struct store *self)
{
    return self->folder;
}

unsigned store_valid_days(const struct store *self)
{
    return self->valid_days;
}

unsigned store_snapshot_every(const struct store *self)
{
    return self->snapshot_every;
}

const struct directory *store_state(const struct store *self)
{
    return self->state;
}

size_t store_count(const struct store *self)
{
    return acts_file_count(self->acts);
}

struct sha256 store_root(const struct store *self)
{
    return acts_file_root(self->acts);
}

const struct span *store_leaves(const struct store *self)
{
    return acts_file_leaves(self->acts);
}

const struct note_key *store_log_key(const struct store *self)
{
    const struct note_key *changed = directory_log_key(self->state);
    return changed == NULL ? &self->log : changed;
}

fault store_open_head(const struct store *self, struct span note, struct checkpoint *out)
{
    return directory_open_head(self->state, &self->log, note, out);
}

struct trust *store_trust(struct store *self)
{
    return self->trust;
}

struct certificate *store_authority(struct store *self)
{
    return self->authority;
}

struct certificate *store_signer(struct store *self)
{
    return directory_acts_signer(self->state, self->authority);
}

const struct certificate *store_ca(const struct store *self)
{
    return self->ca;
}

bool store_trusts(struct store *self, const struct certificate *certificate, int64_t at_ms)
{
    const struct directory_authority *const *authority = NULL;
    size_t count = directory_authorities(self->state, &authority);
    bool trusted = !failed(trust_check(self->trust, certificate, at_ms));
    for (size_t i = 0; !trusted && i < count; i++)
        trusted = !failed(issuer_check(authority[i]->issuer, certificate, at_ms));
    return trusted;
}

// --- acting -------------------------------------------------------------------------------------

int64_t store_time(const struct store *self)
{
    int64_t now_ms = clock_wall_ms();
    int64_t last_ms = self->state->last_ms;
    return now_ms > last_ms ? now_ms : last_ms;
}

/* A clock that was ahead once must not keep a country from revoking until its time has come. Which
 * of the two is wrong cannot be known here: people are told. */
static void tell_clock_behind(const struct store *self)
{
    int64_t now_ms = clock_wall_ms();
    char last[32], now[32];
    if (self->state->last_ms <= now_ms + CLOCK_BEHIND_MS)
        return;
    clock_text(self->state->last_ms, last, sizeof last);
    clock_text(now_ms, now, sizeof now);
    EVENT(ERROR, "store.clock_behind", E_TEXT("last_act", last), E_TEXT("clock", now),
          E_TEXT("detail", "this machine's clock is before the last act, which dates this one too: "
                           "set the clock, if it is the clock that is wrong"));
}

/* Certificates are good from the clock's time on and not from that of an act dated ahead. Before
 * the first of the authority's own certificates no clock can be right. */
static fault issuing_time(const struct store *self, int64_t *out_ms)
{
    char now[32], begin[32];
    *out_ms = clock_wall_ms();
    if (*out_ms >= certificate_not_before_ms(self->ca))
        return DONE;
    clock_text(*out_ms, now, sizeof now);
    clock_text(certificate_not_before_ms(self->ca), begin, sizeof begin);
    return RAISE(REFUSED, "this machine's clock shows %s, and the authority began at %s: set it",
                 now, begin);
}

static fault sign(struct store *self, struct span content, int64_t time_ms, struct bytes **out)
{
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 hash = SHA256_OF(content);
    if (self->act_key == NULL)
        return RAISE(BAD_KEY,
                     "the key that signs acts is not in %s/keys: put it back, or, if it is lost, "
                     "`acts-key make` (docs/OPERATIONS.md, Another key for the acts)",
                     self->folder);
    struct sha256 digest = cades_signed_digest(&self->template, &hash, time_ms);
    TRY(keypair_sign_digest(self->act_key, digest.at, signature, &size));
    return cades_leaf(&self->template, content, time_ms, span_of(signature, size), out);
}

fault store_approve_as(struct store *self, struct keypair *key)
{
    return approving_add_key(self->approving, key);
}

fault store_sign(struct store *self, Chaski__Act *act)
{
    return approving_sign(self->approving, self->state, clock_wall_ms(), act);
}

/* What the authority does by itself is nobody's to approve. */
static fault approve(struct store *self, int64_t time_ms, Chaski__Act *act)
{
    if (approving_keys(self->approving) == 0 || act_approval_need(self->state, act).operators == 0)
        return DONE;
    return approving_sign(self->approving, self->state, time_ms, act);
}

static fault pack(const Chaski__Act *act, struct bytes **out)
{
    TRY(bytes_new(chaski__act__get_packed_size(act), out));
    chaski__act__pack(act, (*out)->data);
    return DONE;
}

/* What could not be carried out is seen here already, but for approvals that are still missing. */
static fault try_out(struct store *self, Chaski__Act *act, int64_t time_ms)
{
    OWNED(bytes) trial = NULL;
    bool governed = self->state->governed;
    uint64_t before = self->trying ? acts_file_count(self->acts) : directory_epoch(self->state);
    act->number = before + self->drafts;
    act->time_ms = (uint64_t)time_ms;
    TRY(pack(act, &trial));
    act->number = act->time_ms = 0;
    self->state->governed = false;
    fault f = directory_apply(self->state, before + self->drafts, bytes_span(trial));
    self->state->governed |= governed;
    return failed(f) ? RAISE(REFUSED, "%s", fault_detail()) : DONE;
}

static fault draft(struct store *self, Chaski__Act *act)
{
    char context[] = CONTEXT;
    int64_t time_ms = store_time(self);
    OWNED(bytes) packed = NULL;
    act->context = context;
    if (!self->trying && approving_keys(self->approving) == 0)
        return RAISE(REFUSED, "an act that is proposed needs an operator: --as KEYFILE");
    if (!self->trying)
        TRY(approving_sign(self->approving, self->state, time_ms, act));
    TRY(pack(act, &packed));
    TRY(try_out(self, act, time_ms));
    self->draft = owned_grow(self->draft, self->drafts + 1, sizeof *self->draft);
    self->drafted = owned_grow(self->drafted, self->drafts + 1, sizeof *self->drafted);
    self->drafted[self->drafts] = bytes_span(packed);
    self->draft[self->drafts++] = TAKE(packed);
    return DONE;
}

fault store_act(struct store *self, Chaski__Act *act)
{
    char context[] = CONTEXT;
    OWNED(bytes) content = NULL;
    OWNED(bytes) leaf = NULL;
    int64_t time_ms = store_time(self);
    TRY(act_texts_check(act));
    if (self->drafting)
        return draft(self, act);
    assert(self->writes);
    TRY(ahead_check_act(self, act));
    tell_clock_behind(self);
    act->context = context;
    act->number = acts_file_count(self->acts);
    act->time_ms = (uint64_t)time_ms;
    TRY(approve(self, time_ms, act));
    TRY(pack(act, &content));
    if (failed(directory_apply(self->state, act->number, bytes_span(content))))
        return RAISE(REFUSED, "%s", fault_detail());
    if (act->act_case == CHASKI__ACT__ACT_AUTHORITY_KEYS_SET &&
        (failed(directory_check_keys(self->state, &self->log)) || failed(check_log_key(self))))
        return RAISE(REFUSED, "%s", fault_detail());
    if (act->act_case == CHASKI__ACT__ACT_ACTS_KEY_SET &&
        (failed(directory_check_first_signer(self->state, self->authority)) ||
         failed(load_signer(self))))
        return RAISE(REFUSED, "%s", fault_detail());
    TRY(sign(self, bytes_span(content), time_ms, &leaf));
    acts_file_add(self->acts, &leaf);
    return DONE;
}

fault store_carry_out(void *store, Chaski__Act *act)
{
    return store_act(store, act);
}

void store_then_write(struct store *self, const char *path, struct bytes **bytes)
{
    self->output = owned_grow(self->output, self->outputs + 1, sizeof *self->output);
    self->output[self->outputs++] = (struct output){owned_text(path), *bytes};
    *bytes = NULL;
}

fault store_commit(struct store *self)
{
    if (!self->drafting)
        TRY(acts_file_commit(self->acts));
    for (size_t i = 0; i < self->outputs; i++)
        TRY(file_replace(self->output[i].path, bytes_span(self->output[i].bytes), 0644));
    drop_outputs(self);
    return DONE;
}

fault store_rewind(struct store *self)
{
    drop_outputs(self);
    acts_file_rewind(self->acts);
    directory_release(&self->state);
    return fold(self, true);
}

static fault sign_head(struct store *self, const struct checkpoint *head,
                       const struct note_key *key, struct bytes **note)
{
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    size_t size = checkpoint_body(head, body, sizeof body);
    struct keypair *signer = log_keys_find(&self->log_keys, key);
    if (signer == NULL)
        return RAISE(BAD_KEY, "the log key that the directory names is not in %s/keys",
                     self->folder);
    TRY(keypair_sign_message(signer, span_of(body, size), signature));
    return checkpoint_note(head, key, signature, note);
}

/* Who follows knows the key that gave way, and takes from its head the act that names the next. */
static fault sign_as_before(struct store *self, const struct checkpoint *head, struct bytes *note)
{
    OWNED(bytes) again = NULL;
    if (self->state->keys_count == 0)
        return DONE;
    const struct directory_keys *last = &self->state->keys[self->state->keys_count - 1];
    if (head->size > handover_last_size(last->number) ||
        log_keys_find(&self->log_keys, &last->handover.before) == NULL)
        return DONE;
    TRY(sign_head(self, head, &last->handover.before, &again));
    struct span line = bytes_span(again);
    assert(line.at != NULL && line.size > 0);
    size_t end = line.size - 1; /* the signature is the last line */
    while (end > 0 && line.at[end - 1] != '\n')
        end--;
    return bytes_append(note, span_of(line.at + end, line.size - end));
}

fault store_sign_checkpoint(struct store *self, const struct checkpoint *head, struct bytes **note)
{
    assert(self->writes);
    TRY(sign_head(self, head, store_log_key(self), note));
    return sign_as_before(self, head, *note);
}

fault store_sign_heartbeat(struct store *self, const struct checkpoint *head, int64_t now_ms,
                           struct bytes **note)
{
    const struct heartbeat beat = {.head = *head, .time_s = (uint64_t)(now_ms / 1000)};
    assert(self->writes);
    const struct note_key *key = store_log_key(self);
    struct keypair *signer = log_keys_find(&self->log_keys, key);
    return signer == NULL ? RAISE(BAD_KEY, "the log key that the directory names is not there")
                          : heartbeat_make(&beat, key, signer, note);
}

fault store_issue(struct store *self, struct span request,
                  const struct certificate_subject *subject, int64_t days, struct certificate **out)
{
    int64_t now_ms = 0;
    assert(self->writes);
    TRY(issuing_time(self, &now_ms));
    const struct certificate *ca = self->issuer_ca != NULL ? self->issuer_ca : self->ca;
    struct keypair *key = self->issuer_ca != NULL ? self->issuer_key : self->ca_key;
    int64_t end_ms = now_ms + days * STORE_DAY_MS;
    if (end_ms > certificate_not_after_ms(ca))
        end_ms = certificate_not_after_ms(ca);
    return certificate_issue(key, ca, request, subject, now_ms - CLOCK_SKEW_MS, end_ms, out);
}

fault store_make_issuer(struct store *self, const char *name)
{
    int64_t now_ms = 0;
    assert(self->writes);
    TRY(issuing_time(self, &now_ms));
    return issuing_make(self->folder, name, self->ca, directory_instance(self->state), now_ms);
}

fault store_make_log_key(struct store *self, char *path, size_t room)
{
    const struct note_key *now = store_log_key(self);
    assert(self->writes);
    if (self->log_keys.count == LOG_KEYS_MAX)
        return RAISE(REFUSED,
                     "%s/keys holds %d keys of the log, and no more may be there: move those away "
                     "that gave way, or that no act names",
                     self->folder, LOG_KEYS_MAX);
    return log_keys_make(self->folder, now, log_keys_find(&self->log_keys, now), path, room);
}

fault store_make_acts_key(struct store *self, char *path, size_t room)
{
    int64_t now_ms = 0;
    assert(self->writes);
    TRY(issuing_time(self, &now_ms));
    const struct acts_key_plan plan = {self->folder, self->signer, self->act_key,
                                       self->ca,     self->ca_key, now_ms};
    return acts_keys_make(&plan, path, room);
}

static fault check_issuer(const struct store *self, const char *name)
{
    const struct directory_authority *const *authority = NULL;
    size_t count = directory_authorities(self->state, &authority);
    OWNED(certificate) certificate = NULL;
    TRY(issuing_certificate(self->folder, name, &certificate));
    for (size_t i = 0; i < count; i++)
        if (span_equal(issuer_der(authority[i]->issuer), certificate_der(certificate)))
            return DONE;
    return RAISE(REFUSED,
                 "nobody trusts %s yet: `certificate-authority add %s --certificate %s/ca-%s.pem` "
                 "comes first, and nodes must have heard of it",
                 name, name, self->folder, name);
}

fault store_use_issuer(struct store *self, const char *name)
{
    assert(self->writes);
    if (strcmp(name, "first") == 0)
        return issuing_use(self->folder, "");
    TRY(check_issuer(self, name));
    return issuing_use(self->folder, name);
}

fault store_add_stamping(struct store *self)
{
    int64_t now_ms = 0;
    assert(self->writes);
    TRY(issuing_time(self, &now_ms));
    return stamping_make(self->folder, self->ca_key, self->ca, directory_instance(self->state),
                         now_ms);
}

fault store_make_hosting(struct store *self, const char *const *hosts, size_t count)
{
    int64_t now_ms = 0;
    assert(self->writes);
    TRY(issuing_time(self, &now_ms));
    return hosting_make(self->folder, self->ca_key, self->ca, directory_instance(self->state),
                        hosts, count, now_ms);
}
