// SPDX-License-Identifier: MIT
#include "registry/acts_list.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"
#include "lib/bus/handover.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/merkle.h"
#include "registry/act_said.h"
#include "lib/base/day.h"
#include "registry/store.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define BUNDLE 256 /* acts at once; the width of a tile, so that each file is read once a walk */

struct source {
    struct store *store; /* or NULL: a folder */
    const char *folder;
    struct checkpoint head;
    struct anchor_file *anchor; /* of a folder, as the rest */
    struct trust *trust;
    struct certificate *authority;
    struct directory *state; /* that the acts of the folder fold to */
};

struct wanted {
    const char *by; /* or NULL: all */
    int64_t since_ms;
    bool json;
    bool by_is_known; /* was ever an operator or a server */
};

static void source_clear(struct source *self)
{
    directory_release(&self->state);
    certificate_free(&self->authority);
    trust_free(&self->trust);
    anchor_file_free(&self->anchor);
    store_free(&self->store);
}

static fault path_in(const char *folder, const char *name, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the folder's name is too long");
}

// --- acts, bundle by bundle ---------------------------------------------------------------------

struct bundle {
    struct bytes *backing;
    struct span *own;
    const struct span *leaves;
    uint64_t first;
    size_t count;
};

static void bundle_clear(struct bundle *self)
{
    bytes_free(&self->backing);
    free(self->own);
    *self = (struct bundle){0};
}

static fault bundle_read(const struct source *from, uint64_t first, struct bundle *out)
{
    uint64_t left = from->head.size - first;
    *out = (struct bundle){.first = first, .count = left < BUNDLE ? (size_t)left : BUNDLE};
    if (from->store != NULL) {
        out->leaves = store_leaves(from->store) + first;
        return DONE;
    }
    fault f = tiles_read_from(from->folder, first, first + out->count, &out->backing, &out->own);
    out->leaves = out->own;
    return f.code == BAD_FRAME
               ? RAISE(DIRECTORY_BAD, "an entry bundle is damaged: %s", fault_detail())
               : f;
}

typedef fault each_bundle(void *owner, const struct bundle *bundle);

static fault walk(const struct source *from, each_bundle *each, void *owner)
{
    for (uint64_t first = 0; first < from->head.size; first += BUNDLE) {
        struct bundle bundle;
        fault f = bundle_read(from, first, &bundle);
        if (!failed(f))
            f = each(owner, &bundle);
        bundle_clear(&bundle);
        TRY(f);
    }
    return DONE;
}

static fault act_of(struct span leaf, Chaski__Act **out)
{
    struct cades_parts parts;
    TRY(cades_parse(leaf, &parts));
    *out = chaski__act__unpack(NULL, parts.content.size, parts.content.at);
    return *out != NULL ? DONE : RAISE(DIRECTORY_BAD, "an entry that is no act");
}

// --- checking -----------------------------------------------------------------------------------

static fault fold_bundle(void *owner, const struct bundle *bundle)
{
    struct source *self = owner;
    return self->state == NULL
               ? directory_fold(bundle->leaves, bundle->count, self->trust, self->authority,
                                &self->state)
               : directory_fold_further(self->state, bundle->leaves, bundle->count, self->trust);
}

static fault check_folder(struct source *self)
{
    if (self->head.size == 0 || self->head.size > DIRECTORY_ENTRIES_MAX)
        return RAISE(DIRECTORY_BAD, "a directory of %" PRIu64 " acts", self->head.size);
    TRY(walk(self, fold_bundle, self));
    TRY(directory_check_keys(self->state, &self->anchor->directory));
    struct sha256 root = directory_root(self->state);
    return sha256_equal(&root, &self->head.root)
               ? DONE
               : RAISE(DIRECTORY_BAD, "its acts are not the ones that the checkpoint was signed "
                                      "over");
}

static fault open_folder(struct source *self, const char *anchor)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    OWNED(bytes) pem = NULL;
    struct note_key key;
    if (anchor == NULL)
        return RAISE(BAD_REQUEST, "a published folder is checked by the country's --anchor FILE");
    TRY(anchor_file_read(anchor, &self->anchor)); /* also an old one: it says whose keys they are */
    TRY(anchor_file_pem(self->anchor, &pem));
    TRY(trust_read(bytes_span(pem), &self->trust));
    TRY(path_in(self->folder, "checkpoint", path));
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(handovers_key(self->folder, &self->anchor->directory, &key));
    if (failed(checkpoint_open(bytes_span(note), &key, &self->head)))
        return RAISE(DIRECTORY_BAD, "%s is not signed by the anchor's log key: %s", path,
                     fault_detail());
    TRY(path_in(self->folder, "authority.pem", path));
    TRY(certificate_load(path, &self->authority));
    return check_folder(self);
}

static fault open_store(struct source *self)
{
    TRY(store_look(self->folder, &self->store));
    self->head.size = store_count(self->store);
    self->head.root = store_root(self->store);
    return DONE;
}

static fault source_open(struct source *self, const char *anchor)
{
    char path[STORE_PATH_BYTES];
    TRY(path_in(self->folder, "checkpoint", path));
    if (access(path, F_OK) == 0)
        return open_folder(self, anchor);
    if (anchor != NULL)
        return RAISE(BAD_REQUEST, "--anchor goes with a published folder, and %s has no checkpoint",
                     self->folder);
    return open_store(self);
}

static const struct directory *state_of(const struct source *self)
{
    return self->store != NULL ? store_state(self->store) : self->state;
}

// --- whose approval -----------------------------------------------------------------------------

static bool names(const Chaski__Act *act, const char *who)
{
    return (act->act_case == CHASKI__ACT__ACT_OPERATOR_SET &&
            strcmp(act->operator_set->id, who) == 0) ||
           (act->act_case == CHASKI__ACT__ACT_SERVER_SET && strcmp(act->server_set->id, who) == 0);
}

static const char *approver(const Chaski__Approval *approval)
{
    return approval->who_case == CHASKI__APPROVAL__WHO_SERVER ? approval->server
                                                              : approval->operator_;
}

static bool is_approved_by(const Chaski__Act *act, const char *who)
{
    for (size_t i = 0; i < act->n_approval; i++)
        if (strcmp(approver(act->approval[i]), who) == 0)
            return true;
    return false;
}

static fault look_for_name(void *owner, const struct bundle *bundle)
{
    struct wanted *wanted = owner;
    for (size_t i = 0; i < bundle->count && !wanted->by_is_known; i++) {
        Chaski__Act *act = NULL;
        TRY(act_of(bundle->leaves[i], &act));
        wanted->by_is_known = names(act, wanted->by);
        chaski__act__free_unpacked(act, NULL);
    }
    return DONE;
}

/* A slip of the pen must not read as "approved nothing". */
static fault check_name(const struct source *source, struct wanted *wanted)
{
    if (wanted->by == NULL)
        return DONE;
    TRY(walk(source, look_for_name, wanted));
    return wanted->by_is_known
               ? DONE
               : RAISE(REFUSED, "%.200s is and was neither an operator nor a server here",
                       wanted->by);
}

// --- saying -------------------------------------------------------------------------------------

struct printer {
    const struct wanted *wanted;
    FILE *out;
    struct merkle tree; /* of what was read for printing */
    uint64_t shown;
};

static void print_words(const Chaski__Act *act, const char *time, const char *words, FILE *out)
{
    fprintf(out, "%7" PRIu64 "  %s  ", act->number, time);
    for (size_t i = 0; i < act->n_approval; i++)
        fprintf(out, "%s%s", i == 0 ? "approved by " : ", ", approver(act->approval[i]));
    fprintf(out, "%s\n         %s\n", act->n_approval == 0 ? "no approval" : "", words);
}

static void print_json(const Chaski__Act *act, const char *time, const char *words, bool first,
                       FILE *out)
{
    json_t *approvals = json_array();
    for (size_t i = 0; i < act->n_approval; i++) {
        bool server = act->approval[i]->who_case == CHASKI__APPROVAL__WHO_SERVER;
        json_array_append_new(approvals, json_pack("{s:s}", server ? "server" : "operator",
                                                   approver(act->approval[i])));
    }
    json_t *json = json_pack("{s:I,s:s,s:s,s:o}", "number", (json_int_t)act->number, "time", time,
                             "act", words, "approved_by", approvals);
    fputs(first ? "" : ",\n", out);
    json_dumpf(json, out, JSON_COMPACT);
    json_decref(json);
}

static void print_act(struct printer *self, const Chaski__Act *act)
{
    char words[ACT_SAID_ROOM], time[32];
    if ((int64_t)act->time_ms < self->wanted->since_ms ||
        (self->wanted->by != NULL && !is_approved_by(act, self->wanted->by)))
        return;
    act_said(act, NULL, words, sizeof words);
    clock_text((int64_t)act->time_ms, time, sizeof time);
    if (self->wanted->json)
        print_json(act, time, words, self->shown == 0, self->out);
    else
        print_words(act, time, words, self->out);
    self->shown++;
}

static fault print_bundle(void *owner, const struct bundle *bundle)
{
    struct printer *self = owner;
    for (size_t i = 0; i < bundle->count; i++) {
        Chaski__Act *act = NULL;
        struct sha256 hash = merkle_leaf_hash(bundle->leaves[i]);
        merkle_append(&self->tree, &hash);
        TRY(act_of(bundle->leaves[i], &act));
        print_act(self, act);
        chaski__act__free_unpacked(act, NULL);
    }
    return DONE;
}

static fault print_all(const struct source *source, const struct wanted *wanted, FILE *out)
{
    struct printer printer = {.wanted = wanted, .out = out};
    const char *instance = directory_instance(state_of(source));
    if (wanted->json)
        fputs("[", out);
    else
        fprintf(out, "ACTS OF %s (%" PRIu64 "), all signatures and approvals checked\n", instance,
                source->head.size);
    TRY(walk(source, print_bundle, &printer));
    struct sha256 root = merkle_root(&printer.tree);
    if (!sha256_equal(&root, &source->head.root))
        return RAISE(REFUSED, "%s changed while it was read: believe nothing of this list",
                     source->folder);
    if (wanted->json)
        fputs("]\n", out);
    else
        fprintf(out, "%" PRIu64 " shown\n", printer.shown);
    return fflush(out) == 0 && !ferror(out) ? DONE : RAISE(IO_FAILED, "writing the list: %m");
}

static fault read_wanted(const struct arguments *arguments, struct wanted *out)
{
    const char *since = arguments_text(arguments, ARGUMENT_SINCE);
    int year = 0, month = 0, day = 0;
    *out = (struct wanted){.by = arguments_text(arguments, ARGUMENT_BY),
                           .json = arguments_text(arguments, ARGUMENT_JSON) != NULL};
    if (since == NULL)
        return DONE;
    TRY(day_read(since, &year, &month, &day));
    out->since_ms = day_midnight_ms(year, month, day);
    return DONE;
}

fault acts_list(const char *folder, const struct arguments *arguments, FILE *out)
{
    struct source source = {.folder = folder};
    struct wanted wanted;
    TRY(read_wanted(arguments, &wanted));
    fault f = source_open(&source, arguments_text(arguments, ARGUMENT_ANCHOR));
    if (!failed(f))
        f = check_name(&source, &wanted);
    if (!failed(f))
        f = print_all(&source, &wanted, out);
    source_clear(&source);
    return f;
}
