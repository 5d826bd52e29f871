// SPDX-License-Identifier: MIT
#include "lib/bus/directory.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/tiles.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 768

// --- holding ------------------------------------------------------------------------------------

struct directory *directory_hold(struct directory *self)
{
    self->holders++;
    return self;
}

void directory_release(struct directory **owner)
{
    struct directory *self = *owner;
    *owner = NULL;
    if (self == NULL || --self->holders > 0)
        return;
    struct map *maps[] = {&self->members,  &self->servers,      &self->subsystems,
                          &self->services, &self->purposes,     &self->grants,
                          &self->signers,  &self->signers_ever, &self->transport_ids,
                          &self->origins,  &self->cosigners,    &self->operators,
                          &self->intents};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        map_clear(maps[i]);
    for (size_t i = 0; i < self->certificate_count; i++)
        certificate_free(&self->certificate[i]);
    for (size_t i = 0; i < self->memory_count; i++)
        free(self->memory[i]);
    free(self->certificate);
    free(self->memory);
    free(self);
}

// --- entries ------------------------------------------------------------------------------------

/* The authority's certificate must say so itself: anybody may hold one from the same anchor. */
static fault check_subject(const struct directory *self, const struct certificate *authority)
{
    const struct certificate_subject *subject = certificate_subject(authority);
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(subject->member), ID_MEMBER, ID_MEMBER, &id)) ||
        strcmp(id.part[0], self->instance) != 0 ||
        strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) != 0 || !certificate_may_sign(authority))
        return RAISE(DIRECTORY_BAD, "the acts are signed by %.100s, not by the authority of %.100s",
                     subject->member, self->instance);
    return DONE;
}

/* A chain is sound from one date to another, and acts stand in the order of time: who is trusted at
 * the first and at the last act was so at all between. */
static fault check_authority(const struct directory *self, int64_t first_ms, struct trust *trust,
                             const struct certificate *authority)
{
    TRY(check_subject(self, authority));
    if (failed(trust_check(trust, authority, first_ms)) ||
        failed(trust_check(trust, authority, self->last_ms)))
        return RAISE(DIRECTORY_BAD, "the certificate that signs the acts is not trusted: %s",
                     fault_detail());
    return DONE;
}

static fault take_entry(struct directory *self, uint64_t number, struct span leaf,
                        struct certificate *authority, bool known)
{
    struct cades_parts parts;
    if (failed(known ? cades_parse(leaf, &parts) : cades_verify_leaf(authority, leaf, &parts)))
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " is not signed by the authority: %s", number,
                     fault_detail());
    self->known = known;
    TRY(directory_apply(self, number, parts.content));
    if (self->last_ms / 1000 * 1000 != parts.time_ms)
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " was signed at another time than it says",
                     number);
    return DONE;
}

static struct sha256 root_of(const struct span *leaves, uint64_t size)
{
    struct merkle tree = {0};
    for (uint64_t i = 0; i < size; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(&tree, &hash);
    }
    return merkle_root(&tree);
}

/* known: how many entries, from the first, are the very bytes that were verified before. */
static fault fold(const struct span *leaves, size_t count, const struct sha256 *root,
                  uint64_t known, struct trust *trust, struct certificate *authority,
                  struct directory **out)
{
    OWNED(directory) self = directory_new(trust);
    int64_t first_ms = 0;
    if (count == 0)
        return RAISE(DIRECTORY_BAD, "a directory without entries");
    for (size_t i = 0; i < count; i++) {
        TRY(take_entry(self, i, leaves[i], authority, i < known));
        if (i == 0)
            first_ms = self->last_ms;
    }
    TRY(check_authority(self, first_ms, trust, authority));
    directory_finish(self);
    self->epoch = count;
    self->root = *root;
    self->trust = NULL;
    *out = TAKE(self);
    return DONE;
}

fault directory_fold(const struct span *leaves, size_t count, struct trust *trust,
                     struct certificate *authority, struct directory **out)
{
    struct sha256 root = root_of(leaves, count);
    return fold(leaves, count, &root, 0, trust, authority, out);
}

// --- loading ------------------------------------------------------------------------------------

struct wanted_root {
    uint64_t size;
    struct sha256 root;
    enum fault_code otherwise;
};

/* One walk over the entries for up to three sizes: they are hashed once. */
static fault check_roots(const struct span *leaves, const struct checkpoint *head,
                         const struct wanted_root *wanted, size_t count)
{
    struct merkle tree = {0};
    for (uint64_t size = 0;; size++) {
        for (size_t i = 0; i < count; i++) {
            if (wanted[i].size != size)
                continue;
            struct sha256 root = merkle_root(&tree);
            if (!sha256_equal(&root, &wanted[i].root))
                return RAISE(wanted[i].otherwise, "its first %" PRIu64 " entries are not %s", size,
                             wanted[i].otherwise == DIRECTORY_FORKED
                                 ? "the ones that were used before"
                                 : "the ones that the checkpoint was signed over");
        }
        if (size == head->size)
            return DONE;
        struct sha256 hash = merkle_leaf_hash(leaves[size]);
        merkle_append(&tree, &hash);
    }
}

static fault check_forward(const struct checkpoint *head, const struct directory *previous,
                           const struct checkpoint *seen)
{
    uint64_t used = seen == NULL ? 0 : seen->size;
    if (previous != NULL && previous->epoch > used)
        used = previous->epoch;
    if (head->size < used)
        return RAISE(DIRECTORY_OLD, "epoch %" PRIu64 " was used already; this one is %" PRIu64,
                     used, head->size);
    return DONE;
}

static fault check_entries(const struct span *leaves, const struct checkpoint *head,
                           const struct directory *previous, const struct checkpoint *seen)
{
    struct wanted_root wanted[3] = {{head->size, head->root, DIRECTORY_BAD}};
    size_t count = 1;
    if (seen != NULL)
        wanted[count++] = (struct wanted_root){seen->size, seen->root, DIRECTORY_FORKED};
    if (previous != NULL)
        wanted[count++] = (struct wanted_root){previous->epoch, previous->root, DIRECTORY_FORKED};
    return check_roots(leaves, head, wanted, count);
}

static fault read_checkpoint(const char *folder, const struct note_key *authority,
                             struct checkpoint *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    if (!text_format(path, sizeof path, "%s/checkpoint", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    if (failed(checkpoint_open(bytes_span(note), authority, out)))
        return RAISE(DIRECTORY_BAD, "%.150s is not signed by the authority's log key: %s", path,
                     fault_detail());
    return DONE;
}

static fault read_authority(const char *folder, struct certificate **out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/authority.pem", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    fault f = certificate_load(path, out);
    return f.code == CERTIFICATE_BAD ? RAISE(DIRECTORY_BAD, "%s", fault_detail()) : f;
}

static fault read_entries(const char *folder, uint64_t count, struct bytes **backing,
                          struct span **leaves)
{
    fault f = tiles_read_entries(folder, count, backing, leaves);
    return f.code == BAD_FRAME
               ? RAISE(DIRECTORY_BAD, "an entry bundle is damaged: %s", fault_detail())
               : f;
}

static fault check_validity(const struct directory *self, int64_t now_ms)
{
    if (!self->published)
        return RAISE(DIRECTORY_BAD, "its last act does not publish it");
    if (self->valid_until_ms > now_ms)
        return DONE;
    char until[32];
    clock_text(self->valid_until_ms, until, sizeof until);
    return RAISE(DIRECTORY_EXPIRED, "epoch %" PRIu64 " was valid until %s", self->epoch, until);
}

fault directory_load(const char *folder, struct trust *trust, const struct note_key *authority,
                     const struct directory *previous, const struct checkpoint *seen,
                     int64_t now_ms, struct directory **out)
{
    struct checkpoint head;
    OWNED(bytes) backing = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(directory) self = NULL;
    struct span *leaves = NULL;
    TRY(read_checkpoint(folder, authority, &head));
    TRY(check_forward(&head, previous, seen));
    TRY(read_authority(folder, &certificate));
    TRY(read_entries(folder, head.size, &backing, &leaves));
    fault f = check_entries(leaves, &head, previous, seen);
    /* the root of the state in use is the same: its signatures were verified when it was loaded */
    uint64_t known = previous == NULL ? 0 : previous->epoch;
    if (!failed(f))
        f = fold(leaves, head.size, &head.root, known, trust, certificate, &self);
    free(leaves);
    TRY(f);
    TRY(check_validity(self, now_ms));
    *out = TAKE(self);
    return DONE;
}

// --- looking up ---------------------------------------------------------------------------------

const char *directory_instance(const struct directory *self)
{
    return self->instance;
}

uint64_t directory_epoch(const struct directory *self)
{
    return self->epoch;
}

struct sha256 directory_root(const struct directory *self)
{
    return self->root;
}

int64_t directory_valid_until_ms(const struct directory *self)
{
    return self->valid_until_ms;
}

const struct directory_member *directory_member(const struct directory *self, struct span id)
{
    return map_get(&self->members, id);
}

const struct directory_server *directory_server(const struct directory *self, struct span id)
{
    return map_get(&self->servers, id);
}

const struct directory_subsystem *directory_subsystem(const struct directory *self, struct span id)
{
    return map_get(&self->subsystems, id);
}

const struct directory_service *directory_service(const struct directory *self, struct span id)
{
    return map_get(&self->services, id);
}

const struct directory_purpose *directory_purpose(const struct directory *self, struct span id)
{
    return map_get(&self->purposes, id);
}

const struct directory_grant *directory_grant(const struct directory *self, struct span id)
{
    return map_get(&self->grants, id);
}

const struct directory_operator *directory_operator(const struct directory *self, struct span id)
{
    return map_get(&self->operators, id);
}

bool directory_is_governed(const struct directory *self)
{
    return self->governed;
}

size_t directory_witnesses(const struct directory *self, const struct directory_server **out,
                           unsigned *quorum)
{
    for (size_t i = 0; i < self->witnesses; i++)
        out[i] = self->witness[i];
    *quorum = self->quorum;
    return self->witnesses;
}

const char *directory_role_word(enum directory_role role)
{
    static const char *const words[ROLES_END] = {[ROLE_ENROL] = "enrol",
                                                 [ROLE_APPROVE] = "approve",
                                                 [ROLE_PUBLISH] = "publish",
                                                 [ROLE_REVOKE] = "revoke",
                                                 [ROLE_AUDIT] = "audit"};
    return role > 0 && role < ROLES_END ? words[role] : "none";
}

size_t directory_stampers(const struct directory *self, const struct directory_stamper **out)
{
    *out = self->stamper;
    return self->stampers;
}

struct directory_signer *directory_signer(const struct directory *self, const uint8_t *ski)
{
    return map_get(&self->signers, span_of(ski, SKI_BYTES));
}

struct directory_signer *directory_signer_ever(const struct directory *self, const uint8_t *ski)
{
    return map_get(&self->signers_ever, span_of(ski, SKI_BYTES));
}

const struct directory_server *directory_server_of_log(const struct directory *self,
                                                       struct span origin)
{
    return map_get(&self->origins, log_epoch_base(origin));
}

const struct note_key *directory_witness_key(const struct directory *self,
                                             const struct directory_witness *witness)
{
    if (witness->server == NULL)
        return &witness->key;
    const struct directory_server *server = directory_server(self, span_of_text(witness->server));
    return server != NULL && server->is_witness ? &server->witness_key : NULL;
}

bool directory_server_has(const struct directory_server *server,
                          const struct directory_subsystem *subsystem)
{
    for (size_t i = 0; server != NULL && i < subsystem->servers; i++)
        if (subsystem->server[i] == server)
            return true;
    return false;
}

const struct directory_server *directory_next_server(const struct directory *self, size_t *step)
{
    return map_next(&self->servers, step, NULL);
}

const struct directory_service *directory_next_service(const struct directory *self, size_t *step)
{
    return map_next(&self->services, step, NULL);
}

const struct directory_member *directory_next_member(const struct directory *self, size_t *step)
{
    return map_next(&self->members, step, NULL);
}

const struct directory_subsystem *directory_next_subsystem(const struct directory *self,
                                                           size_t *step)
{
    return map_next(&self->subsystems, step, NULL);
}

const struct directory_purpose *directory_next_purpose(const struct directory *self, size_t *step)
{
    return map_next(&self->purposes, step, NULL);
}

const struct directory_operator *directory_next_operator(const struct directory *self, size_t *step)
{
    return map_next(&self->operators, step, NULL);
}
