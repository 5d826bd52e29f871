// SPDX-License-Identifier: MIT
#include "registry/serve/authority.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/limits.h"
#include "registry/ahead.h"
#include "registry/commands.h"
#include "registry/serve/datagram.h"

#include "directory.pb-c.h"
#include "registry.pb-c.h"

#include <stdlib.h>

#define CERTIFICATE_DAYS 365

struct authority {
    struct store *store;
    const char *folder;
    uint64_t published;     /* acts that the folder shows */
    struct bytes *snapshot; /* made with the last Published, and not written yet; or NULL */
    int64_t quiet_until_ms; /* steady: until then nothing is signed that no operator decided */
    bool broken;            /* the store could not be brought back: end */
};

struct answer {
    struct bytes *note, *heartbeat, *certificate;
    uint64_t from;
    size_t revoked;
    bool unpublished; /* durable; the folder did not take it yet */
};

static void answer_clear(struct answer *self)
{
    bytes_free(&self->note);
    bytes_free(&self->heartbeat);
    bytes_free(&self->certificate);
}

/* A snapshot that could not be written with its act is of no use later. */
static fault record(struct authority *self)
{
    bytes_free(&self->snapshot);
    return publish_record(self->store, self->folder, store_valid_days(self->store),
                          &self->snapshot);
}

// --- acting -------------------------------------------------------------------------------------

static bool is_quiet(const struct authority *self)
{
    return clock_steady_ms() < self->quiet_until_ms;
}

static fault be_quiet(const struct authority *self)
{
    return is_quiet(self)
               ? RAISE(RATE_LIMITED, "this registry has just been started, and hears first whether "
                                     "its store is the newest: ask again in two minutes")
               : DONE;
}

static fault check_quiet(const struct authority *self, const Chaski__Act *act)
{
    bool of_member =
        act->n_approval > 0 && act->approval[0]->who_case == CHASKI__APPROVAL__WHO_SERVER;
    return of_member ? be_quiet(self) : DONE;
}

static fault apply(struct authority *self, ProtobufCBinaryData packed)
{
    Chaski__Act *act = chaski__act__unpack(NULL, packed.len, packed.data);
    if (act == NULL)
        return RAISE(REFUSED, "that is no act");
    char *sent = act->context; /* store_act lends its own */
    fault f = check_quiet(self, act);
    if (!failed(f))
        f = store_act(self->store, act);
    act->context = sent;
    chaski__act__free_unpacked(act, NULL);
    return f;
}

static fault apply_all(struct authority *self, const Chaski__CarryOut *ask)
{
    for (size_t i = 0; i < ask->n_act; i++)
        TRY(apply(self, ask->act[i]));
    return record(self);
}

/* The reason survives the rewinding. */
static fault refuse(struct authority *self, fault why)
{
    char detail[400];
    text_format(detail, sizeof detail, "%s", fault_detail());
    self->broken = failed(store_rewind(self->store));
    if (self->broken)
        EVENT(ERROR, "authority.store_broken", E_TEXT("detail", fault_detail()));
    return RAISE(why.code, "%s", detail);
}

static fault write_out(struct authority *self, struct answer *out)
{
    out->from = self->published;
    TRY(publish_write(self->store, self->folder, self->published, self->snapshot, &out->note));
    bytes_free(&self->snapshot);
    self->published = store_count(self->store);
    return DONE;
}

/* What is durable was done, whatever the folder says: it must not be told as a failure, or somebody
 * decides otherwise and the next beat publishes it all the same. */
static fault write_out_now_or_later(struct authority *self, uint64_t first, struct answer *out)
{
    fault f = write_out(self, out);
    if (!failed(f))
        return DONE;
    EVENT(ERROR, "directory.publish_failed",
          E_NUMBER("acts", store_count(self->store) - self->published), E_FAULT(f));
    out->from = first;
    out->unpublished = true;
    return DONE;
}

static fault carry_out(struct authority *self, const Chaski__CarryOut *ask, struct answer *out)
{
    uint64_t first = store_count(self->store);
    if (ask->n_act == 0 || ask->n_act > REGISTRY_GROUP_ACTS_MAX)
        return RAISE(REFUSED, "%zu acts at once", ask->n_act);
    fault f = apply_all(self, ask);
    return failed(f) ? refuse(self, f) : write_out_now_or_later(self, first, out);
}

// --- certificates -------------------------------------------------------------------------------

static fault certify(struct authority *self, const Chaski__Certify *ask, struct answer *out)
{
    struct certificate_subject subject = *certificate_subject(store_ca(self->store));
    struct span id = span_of_text(ask->server);
    struct span member = bus_id_prefix(id, ID_MEMBER);
    OWNED(certificate) certificate = NULL;
    if (bus_id_count(id) != ID_SERVER)
        return RAISE(REFUSED, "a server is INSTANCE/CLASS/MEMBER/SERVERCODE");
    if (!text_format(subject.organisation, sizeof subject.organisation, "%s", ask->organisation) ||
        !text_format(subject.member, sizeof subject.member, "%.*s", (int)member.size,
                     (const char *)member.at) ||
        !text_format(subject.server, sizeof subject.server, "%s", ask->server + member.size + 1))
        return RAISE(REFUSED, "the names are too long for a certificate");
    if (failed(store_issue(self->store, span_of(ask->request.data, ask->request.len), &subject,
                           CERTIFICATE_DAYS, &certificate)))
        return RAISE(REFUSED, "the certificate: %s", fault_detail());
    return bytes_copy(certificate_der(certificate), &out->certificate);
}

// --- what outside authorities revoked -----------------------------------------------------------

static fault revoke_outside(struct authority *self, size_t *count)
{
    OWNED(said) said = said_new(); /* the directory says it */
    TRY(outside_revocations(self->store, said, count));
    return *count == 0 ? DONE : record(self);
}

static fault act_on_statuses(struct authority *self, struct answer *out)
{
    uint64_t first = store_count(self->store);
    TRY(be_quiet(self)); /* the next round finds them again */
    fault f = revoke_outside(self, &out->revoked);
    if (failed(f))
        return refuse(self, f);
    return out->revoked == 0 ? DONE : write_out_now_or_later(self, first, out);
}

// --- the beat -----------------------------------------------------------------------------------

/* Silence is no proof: nobody may have been reached. */
static void say_quiet_is_over(struct authority *self)
{
    if (self->quiet_until_ms == 0 || is_quiet(self))
        return;
    self->quiet_until_ms = 0;
    EVENT(
        WARN, "registry.nobody_objected", E_NUMBER("acts", (int64_t)store_count(self->store)),
        E_TEXT("detail",
               "nobody who follows showed an act that this store lacks, and members' acts are "
               "taken from here on"),
        E_TEXT("remedy",
               "if the store was brought back from a copy: ask two members for their size (second "
               "line of AUDIT_FOLDER/directory/checkpoint) before you approve anything; if one is "
               "larger, stop serve and put back a newer copy"));
}

/* A validity of which half is over is given anew, so that a quiet directory never ends. */
static bool wants_publishing(const struct authority *self)
{
    int64_t left_ms = directory_valid_until_ms(store_state(self->store)) - clock_wall_ms();
    return left_ms < store_valid_days(self->store) * STORE_DAY_MS / 2 && !is_quiet(self);
}

/* Whether its head is the newest it cannot say while somebody may hold more; what the folder does
 * not show yet it could be publishing at places that are taken. */
static fault look_ahead(const struct authority *self, bool *silent, bool *held)
{
    struct ahead ahead;
    TRY(ahead_of_store(self->store, &ahead));
    *silent = ahead.state == AHEAD_ASKING || ahead.state == AHEAD_OLD_COPY;
    *held = ahead.state != AHEAD_NOT;
    return DONE;
}

static fault write_beat(struct authority *self, struct answer *out)
{
    out->from = self->published;
    if (self->published < store_count(self->store))
        TRY(write_out(self, out));
    return publish_beat(self->store, self->folder, &out->heartbeat);
}

static fault beat(struct authority *self, struct answer *out)
{
    bool silent = false, held = false;
    TRY(look_ahead(self, &silent, &held));
    if (!held)
        say_quiet_is_over(self);
    if (silent)
        return DONE;
    if (!held && wants_publishing(self)) {
        fault f = record(self);
        if (failed(f))
            return refuse(self, f);
    }
    return write_beat(self, out);
}

// --- the line -----------------------------------------------------------------------------------

static ProtobufCBinaryData binary(struct span bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.at};
}

static fault send_answer(int fd, Chaski__AuthorityAnswer *answer)
{
    OWNED(bytes) packed = NULL;
    answer->answered = true;
    TRY(bytes_new(chaski__authority_answer__get_packed_size(answer), &packed));
    chaski__authority_answer__pack(answer, packed->data);
    if (packed->size > REGISTRY_DATAGRAM_BYTES_MAX)
        return RAISE(BODY_TOO_LARGE, "an answer of %zu bytes", packed->size);
    return datagram_send(fd, bytes_span(packed));
}

static fault send_fault(int fd, fault f)
{
    Chaski__AuthorityAnswer answer = CHASKI__AUTHORITY_ANSWER__INIT;
    char detail[400];
    text_format(detail, sizeof detail, "%s", fault_detail());
    answer.fault = (uint32_t)f.code;
    answer.detail = detail;
    return send_answer(fd, &answer);
}

/* More leaves than fit are left out: who needs them finds them in the folder. */
static fault send_done(const struct authority *self, int fd, const struct answer *done)
{
    Chaski__AuthorityAnswer answer = CHASKI__AUTHORITY_ANSWER__INIT;
    size_t count = done->note == NULL ? 0 : store_count(self->store) - done->from;
    ProtobufCBinaryData *leaf = owned_array(count + 1, sizeof *leaf);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        leaf[i] = binary(store_leaves(self->store)[done->from + i]);
        size += leaf[i].len + 8;
    }
    answer.note = binary(bytes_span(done->note));
    answer.heartbeat = binary(bytes_span(done->heartbeat));
    answer.certificate = binary(bytes_span(done->certificate));
    answer.from = done->from;
    answer.revoked = (uint32_t)done->revoked;
    answer.unpublished = done->unpublished;
    answer.quiet = is_quiet(self);
    answer.n_leaf = size < REGISTRY_DATAGRAM_BYTES_MAX - 4096 ? count : 0;
    answer.leaf = leaf;
    fault f = send_answer(fd, &answer);
    free(leaf);
    return f;
}

static fault work(struct authority *self, const Chaski__AuthorityAsk *ask, struct answer *out)
{
    switch (ask->ask_case) {
    case CHASKI__AUTHORITY_ASK__ASK_CARRY_OUT:
        return carry_out(self, ask->carry_out, out);
    case CHASKI__AUTHORITY_ASK__ASK_CERTIFY:
        return certify(self, ask->certify, out);
    case CHASKI__AUTHORITY_ASK__ASK_BEAT:
        return beat(self, out);
    case CHASKI__AUTHORITY_ASK__ASK_ACT_ON_STATUSES:
        return act_on_statuses(self, out);
    default:
        return RAISE(REFUSED, "a question that is not known here");
    }
}

static fault answer_one(struct authority *self, int fd, struct span question)
{
    struct answer done = {0};
    Chaski__AuthorityAsk *ask = chaski__authority_ask__unpack(NULL, question.size, question.at);
    if (ask == NULL)
        return RAISE(INTERNAL, "a question in another language");
    fault f = work(self, ask, &done);
    chaski__authority_ask__free_unpacked(ask, NULL);
    f = failed(f) ? send_fault(fd, f) : send_done(self, fd, &done);
    answer_clear(&done);
    return f;
}

static fault serve_line(struct authority *self, int fd)
{
    static uint8_t question[REGISTRY_DATAGRAM_BYTES_MAX];
    TRY(send_done(self, fd, &(struct answer){0}));
    while (!self->broken) {
        struct span received;
        TRY(datagram_receive(fd, question, sizeof question, &received));
        if (received.size == 0)
            return DONE;
        TRY(answer_one(self, fd, received));
    }
    return RAISE(INTERNAL, "the store could not be read again");
}

/* What was published before is shown again as it was, not with a new act: should the store be an
 * old copy, no second history is begun before somebody who knows more can say so. */
static fault begin_publishing(struct authority *self)
{
    if (!directory_is_published(store_state(self->store)))
        return self->published < store_count(self->store) ? record(self) : DONE;
    if (self->published > 0)
        return DONE;
    if (directory_valid_until_ms(store_state(self->store)) <= clock_wall_ms())
        return RAISE(REFUSED,
                     "what this store published last is not valid any more, and %s shows nothing: "
                     "it may be an old copy. Give it the folder that was published, or if you know "
                     "that it is the newest: chaski-registry publish STORE --to %s",
                     self->folder, self->folder);
    self->quiet_until_ms = clock_steady_ms() + REGISTRY_QUIET_MS;
    EVENT(WARN, "registry.nobody_asked", E_TEXT("folder", self->folder),
          E_TEXT("detail",
                 "the folder shows nothing of before: that this store is the newest is not known "
                 "but by what --mirror showed. Who follows will tell; if it was brought back from "
                 "a copy, act only when they had two minutes"));
    return DONE;
}

/* Also proves, before anything is promised, that the keys sign and the disk takes it; and what
 * OpenSSL loads when it is first used is there when the jail closes. */
static fault open_all(struct authority *self, const struct authority_plan *plan)
{
    struct answer first = {0};
    bool silent = false, held = false;
    self->folder = plan->folder;
    TRY(store_open(plan->store, &self->store));
    if (store_cut_bytes(self->store) > 0)
        EVENT(WARN, "authority.store_mended", E_NUMBER("bytes", store_cut_bytes(self->store)));
    TRY(publish_look(self->store, plan->folder, &self->published));
    TRY(begin_publishing(self));
    TRY(jail_enter(JAIL_AUTHORITY));
    TRY(look_ahead(self, &silent, &held));
    fault f = held ? write_beat(self, &first) /* shows again what was shown before */
                   : beat(self, &first);
    if (f.code == IO_FAILED &&
        self->published > 0) { /* the next beat finds room, or says it again */
        EVENT(ERROR, "directory.publish_failed",
              E_NUMBER("acts", store_count(self->store) - self->published), E_FAULT(f));
        f = DONE;
    }
    answer_clear(&first);
    return f;
}

fault authority_run(void *owner, int fd)
{
    struct authority self = {0};
    fault f = open_all(&self, owner);
    f = failed(f) ? send_fault(fd, f) : serve_line(&self, fd);
    bytes_free(&self.snapshot);
    store_free(&self.store);
    return f;
}
