// SPDX-License-Identifier: MIT
#include "registry/serve/proposals.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "registry/act_texts.h"
#include "registry/serve/proposal_file.h"
#include "registry/store.h"

#include "directory.pb-c.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "proposals"

struct proposals {
    char folder[STORE_PATH_BYTES];
    struct outlook *outlook; /* lent */
    struct proposal **at;    /* by number, rising */
    size_t count, room;
    uint64_t last;
};

void proposals_free(struct proposals **owner)
{
    struct proposals *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        proposal_free(&self->at[i]);
    free(self->at);
    free(self);
}

// --- acts ---------------------------------------------------------------------------------------

static fault pack(const Chaski__Act *act, struct bytes **out)
{
    OWNED(bytes) packed = NULL;
    size_t size = chaski__act__get_packed_size(act);
    if (size > REGISTRY_ACT_BYTES_MAX)
        return RAISE(REFUSED, "an act of more than %u bytes", REGISTRY_ACT_BYTES_MAX);
    TRY(bytes_new(size, &packed));
    chaski__act__pack(act, packed->data);
    *out = TAKE(packed);
    return DONE;
}

static fault check_approvals(const struct proposals *self, const Chaski__Act *act, bool *enough)
{
    if (failed(act_approval_check(outlook_state(self->outlook), act, clock_wall_ms(), enough)))
        return RAISE(REFUSED, "%s", fault_detail());
    return DONE;
}

// --- files --------------------------------------------------------------------------------------

static fault path_of(const struct proposals *self, const char *id, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s.json", self->folder, id)
               ? DONE
               : RAISE(BAD_CONFIG, "the store's name is too long");
}

static fault save(const struct proposals *self, const struct proposal *proposal)
{
    char path[STORE_PATH_BYTES];
    TRY(path_of(self, proposal->id, path));
    return proposal_file_write(path, proposal);
}

static void keep(struct proposals *self, struct proposal *proposal)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->at = owned_grow(self->at, self->room, sizeof *self->at);
    }
    self->at[self->count++] = proposal;
    if (proposal->number > self->last)
        self->last = proposal->number;
}

static int by_number(const void *left, const void *right)
{
    const struct proposal *const *a = left, *const *b = right;
    return ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

static void read_name(struct proposals *self, const char *name)
{
    char path[STORE_PATH_BYTES];
    struct proposal *proposal = NULL;
    size_t size = strlen(name);
    if (size != ACT_ID_DIGITS + 5 || strcmp(name + ACT_ID_DIGITS, ".json") != 0)
        return; /* a file that was being written when the machine stopped */
    if (!text_format(path, sizeof path, "%s/%s", self->folder, name) ||
        failed(proposal_file_read(path, self->outlook, &proposal)) ||
        strncmp(proposal->id, name, ACT_ID_DIGITS) != 0) {
        EVENT(ERROR, "proposal.unreadable", E_TEXT("file", name));
        proposal_free(&proposal);
        return;
    }
    keep(self, proposal);
}

fault proposals_open(const char *store, struct outlook *outlook, struct proposals **out)
{
    OWNED(proposals) self = owned_new(sizeof *self);
    self->outlook = outlook;
    if (!text_format(self->folder, sizeof self->folder, "%s/" FOLDER, store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(file_make_folders(self->folder, 0700));
    DIR *folder = opendir(self->folder);
    if (folder == NULL)
        return RAISE(IO_FAILED, "%s: %m", self->folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        read_name(self, entry->d_name);
    closedir(folder);
    if (self->count > 1)
        qsort(self->at, self->count, sizeof *self->at, by_number);
    *out = TAKE(self);
    return DONE;
}

// --- looking ------------------------------------------------------------------------------------

struct proposal *proposals_find(const struct proposals *self, const char *id)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->at[i]->id, id) == 0)
            return self->at[i];
    return NULL;
}

struct proposal *proposals_after(const struct proposals *self, uint64_t number)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->at[middle]->number <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->count ? self->at[low] : NULL;
}

enum proposal_state proposals_state(const struct proposals *self, const struct proposal *proposal)
{
    if (outlook_epoch_of(self->outlook, proposal->id) != 0)
        return PROPOSAL_CARRIED_OUT;
    return proposal->refused_by[0] != '\0' ? PROPOSAL_REFUSED : PROPOSAL_WAITING;
}

const char *proposals_state_word(enum proposal_state state)
{
    static const char *const words[] = {"waiting", "carried_out", "refused"};
    return words[state];
}

size_t proposals_waiting(const struct proposals *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += proposals_state(self, self->at[i]) == PROPOSAL_WAITING;
    return count;
}

bool proposals_suffices(const struct proposals *self, const struct proposal *proposal, char *why)
{
    PROPOSAL_ACT act = NULL;
    bool enough = false;
    why[0] = '\0';
    if (failed(proposal_act_read(bytes_span(proposal->act), &act)))
        return false;
    struct act_need need = act_approval_need(outlook_state(self->outlook), act);
    act_approval_words(&need, why, ACT_APPROVAL_WORDS_ROOM);
    return !failed(check_approvals(self, act, &enough)) && enough;
}

// --- changing -----------------------------------------------------------------------------------

static fault check_open(const struct proposals *self, const struct proposal *proposal)
{
    enum proposal_state state = proposals_state(self, proposal);
    if (state == PROPOSAL_CARRIED_OUT)
        return RAISE(REFUSED, "proposal %s was carried out, epoch %llu", proposal->id,
                     (unsigned long long)outlook_epoch_of(self->outlook, proposal->id));
    if (state == PROPOSAL_REFUSED)
        return RAISE(REFUSED, "proposal %s was refused: %s", proposal->id, proposal->reason);
    return DONE;
}

static bool is_there(const Chaski__Act *act, const Chaski__Approval *approval)
{
    for (size_t i = 0; i < act->n_approval; i++)
        if (act->approval[i]->who_case == approval->who_case &&
            strcmp(act->approval[i]->operator_, approval->operator_) == 0)
            return true; /* operator and server are both texts of the union */
    return false;
}

/* Adds each approval that is not there yet; the act stays as it was when one is not good. */
static fault merge(struct proposals *self, struct proposal *proposal, Chaski__Approval *const *more,
                   size_t count)
{
    PROPOSAL_ACT act = NULL;
    OWNED(bytes) packed = NULL;
    Chaski__Approval *all[DIRECTORY_APPROVALS_MAX];
    bool enough = false;
    TRY(proposal_act_read(bytes_span(proposal->act), &act));
    size_t own = act->n_approval;
    Chaski__Approval **before = act->approval;
    fault f = DONE;
    for (size_t i = 0; i < own; i++)
        all[i] = before[i];
    act->approval = all;
    for (size_t i = 0; i < count && !failed(f); i++) {
        if (is_there(act, more[i]))
            continue;
        if (act->n_approval == DIRECTORY_APPROVALS_MAX)
            f = RAISE(REFUSED, "an act has at most %d approvals", DIRECTORY_APPROVALS_MAX);
        else
            all[act->n_approval++] = more[i];
    }
    if (!failed(f))
        f = check_approvals(self, act, &enough);
    if (!failed(f))
        f = pack(act, &packed);
    bool changed = act->n_approval > own;
    act->approval = before; /* what the act owns, for its end */
    act->n_approval = own;
    TRY(f);
    if (!changed)
        return DONE;
    struct bytes *old = proposal->act;
    proposal->act = packed;
    f = save(self, proposal);
    if (failed(f)) {
        proposal->act = old;
        return f;
    }
    packed = old;
    return DONE;
}

static fault add_new(struct proposals *self, const char *id, const Chaski__Act *act,
                     const char *label, const char *by, struct proposal **out)
{
    OWNED(proposal) proposal = owned_new(sizeof *proposal);
    bool enough = false;
    if (proposals_waiting(self) >= REGISTRY_WAITING_MAX)
        return RAISE(OVERLOADED, "%d proposals wait already", REGISTRY_WAITING_MAX);
    TRY(proposal_act_check_time(act, directory_last_ms(outlook_state(self->outlook)),
                                DIRECTORY_INTENT_AHEAD_MS));
    TRY(check_approvals(self, act, &enough));
    text_format(proposal->id, sizeof proposal->id, "%s", id);
    proposal->number = self->last + 1;
    proposal->made_ms = clock_wall_ms();
    proposal->label = owned_text(label);
    proposal->by = owned_text(by);
    proposal->refused_by = owned_text("");
    proposal->reason = owned_text("");
    TRY(pack(act, &proposal->act));
    TRY(save(self, proposal));
    *out = proposal;
    keep(self, TAKE(proposal));
    return DONE;
}

fault proposals_add(struct proposals *self, struct span packed, const char *label, const char *by,
                    struct proposal **out)
{
    PROPOSAL_ACT act = NULL;
    char id[ACT_ID_ROOM];
    TRY(proposal_act_read(packed, &act));
    TRY(proposal_act_check(act));
    TRY(act_texts_check(act));
    if (!shown_as_is(span_of_text(label)) || strlen(label) > REGISTRY_REASON_BYTES_MAX)
        return RAISE(REFUSED, "a label is plain text of at most %d bytes",
                     REGISTRY_REASON_BYTES_MAX);
    outlook_act_id(self->outlook, act, id);
    struct proposal *there = proposals_find(self, id);
    if (there == NULL)
        return add_new(self, id, act, label, by, out);
    if (proposals_state(self, there) == PROPOSAL_WAITING)
        TRY(merge(self, there, act->approval, act->n_approval));
    *out = there;
    return DONE;
}

fault proposals_approve(struct proposals *self, struct proposal *proposal, const char *operator,
                        struct span signature)
{
    Chaski__Approval approval = CHASKI__APPROVAL__INIT;
    Chaski__Approval *one[] = {&approval};
    TRY(check_open(self, proposal));
    approval.who_case = CHASKI__APPROVAL__WHO_OPERATOR;
    approval.operator_ = (char *)(uintptr_t) operator;
    approval.signature = (ProtobufCBinaryData){signature.size, (uint8_t *)(uintptr_t)signature.at};
    return merge(self, proposal, one, 1);
}

/* What nobody must approve is for nobody in particular. */
fault proposals_may_refuse(const struct proposals *self, const struct proposal *proposal,
                           const struct directory_operator *person)
{
    PROPOSAL_ACT act = NULL;
    if (strcmp(proposal->by, person->id) == 0)
        return DONE;
    TRY(proposal_act_read(bytes_span(proposal->act), &act));
    struct act_need need = act_approval_need(outlook_state(self->outlook), act);
    return need.operators == 0 || (person->roles >> need.role & 1) != 0
               ? DONE
               : RAISE(ACCESS_DENIED,
                       "proposal %s is refused by who could approve it, an operator with the role "
                       "%s, or by %.100s, who proposed it",
                       proposal->id, directory_role_word(need.role), proposal->by);
}

fault proposals_refuse(struct proposals *self, struct proposal *proposal, const char *by,
                       const char *reason)
{
    TRY(check_open(self, proposal));
    if (reason[0] == '\0' || strlen(reason) > REGISTRY_REASON_BYTES_MAX ||
        !shown_as_is(span_of_text(reason)))
        return RAISE(REFUSED, "a refusal has a reason, plain text of at most %d bytes",
                     REGISTRY_REASON_BYTES_MAX);
    free(proposal->refused_by);
    free(proposal->reason);
    proposal->refused_by = owned_text(by);
    proposal->reason = owned_text(reason);
    return save(self, proposal);
}

void proposals_forget(struct proposals *self, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        char path[STORE_PATH_BYTES];
        struct proposal *at = self->at[i];
        if (now_ms - at->made_ms <= REGISTRY_WAITING_MS) {
            self->at[kept++] = at;
            continue;
        }
        if (!failed(path_of(self, at->id, path)))
            unlink(path);
        proposal_free(&at);
    }
    self->count = kept;
}
