// SPDX-License-Identifier: MIT
#include "lib/bus/directory.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/tiles.h"

#include "directory.pb-c.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 768

// --- holding -----------------------------------------------------------------------------------------

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
    struct map *maps[] = {&self->members,  &self->servers, &self->subsystems,    &self->services,
                          &self->purposes, &self->grants,  &self->signers,       &self->transport_ids,
                          &self->origins,  &self->signers_ever, &self->revoked};
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

// --- entries -----------------------------------------------------------------------------------------

/* The authority's certificate must say so itself: anybody may hold one from the same anchor. */
static fault check_authority(const struct directory *self, struct trust *trust,
                             const struct certificate *authority)
{
    const struct certificate_subject *subject = certificate_subject(authority);
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(subject->member), ID_MEMBER, ID_MEMBER, &id)) ||
        strcmp(id.part[0], self->instance) != 0 ||
        strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) != 0)
        return RAISE(DIRECTORY_BAD, "authority.pem is a certificate of %s, not of the authority of %s",
                     subject->member, self->instance);
    if (!certificate_may_sign(authority) || failed(trust_check(trust, authority, self->last_ms)))
        return RAISE(DIRECTORY_BAD, "authority.pem leads to no trusted authority: %s", fault_detail());
    return DONE;
}

static fault act_time(struct span content, int64_t *time_ms)
{
    Chaski__Act *act = chaski__act__unpack(NULL, content.size, content.at);
    if (act == NULL)
        return RAISE(DIRECTORY_BAD, "an entry holds no act");
    *time_ms = (int64_t)act->time_ms;
    chaski__act__free_unpacked(act, NULL);
    return DONE;
}

static fault take_entry(struct directory *self, uint64_t number, struct span leaf,
                        struct certificate *authority, const struct cades_template *template)
{
    struct cades_parts parts;
    int64_t time_ms = 0;
    if (failed(cades_parse(leaf, &parts)))
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " is no leaf", number);
    TRY(act_time(parts.content, &time_ms));
    if (time_ms / 1000 * 1000 != parts.time_ms)
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " was signed at another time than it says", number);
    if (memcmp(parts.ski.at, template->ski, SKI_BYTES) != 0 ||
        failed(cades_verify(authority, template, parts.content, parts.time_ms, parts.signature)))
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " is not signed by the authority", number);
    return directory_apply(self, number, parts.content);
}

fault directory_fold(const struct span *leaves, size_t count, struct trust *trust,
                     struct certificate *authority, struct directory **out)
{
    OWNED(directory) self = directory_new(trust);
    struct cades_template template;
    struct merkle tree = {0};
    if (count == 0)
        return RAISE(DIRECTORY_BAD, "a directory without entries");
    cades_template_make(authority, &template);
    for (size_t i = 0; i < count; i++) {
        TRY(take_entry(self, i, leaves[i], authority, &template));
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(&tree, &hash);
    }
    TRY(check_authority(self, trust, authority));
    TRY(directory_finish(self));
    self->epoch = count;
    self->root = merkle_root(&tree);
    self->trust = NULL;
    *out = TAKE(self);
    return DONE;
}

// --- loading -----------------------------------------------------------------------------------------

static struct sha256 root_at(const struct span *leaves, uint64_t size)
{
    struct merkle tree = {0};
    for (uint64_t i = 0; i < size; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(&tree, &hash);
    }
    return merkle_root(&tree);
}

/* The new state must contain an older head unchanged. */
static fault check_contains(const struct span *leaves, uint64_t count, uint64_t size,
                            const struct sha256 *root)
{
    if (count < size)
        return RAISE(DIRECTORY_OLD, "epoch %" PRIu64 " was used already; this one is %" PRIu64, size,
                     count);
    struct sha256 found = root_at(leaves, size);
    if (!sha256_equal(&found, root))
        return RAISE(DIRECTORY_FORKED, "its first %" PRIu64 " acts are not the ones used before", size);
    return DONE;
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
        return RAISE(DIRECTORY_BAD, "%s is not signed by the authority's log key: %s", path,
                     fault_detail());
    return DONE;
}

static fault check_head(const struct span *leaves, const struct checkpoint *head,
                        const struct directory *previous, const struct checkpoint *seen)
{
    struct sha256 root = root_at(leaves, head->size);
    if (!sha256_equal(&root, &head->root))
        return RAISE(DIRECTORY_BAD, "the entries are not the ones that the checkpoint was signed over");
    if (seen != NULL)
        TRY(check_contains(leaves, head->size, seen->size, &seen->root));
    if (previous != NULL)
        TRY(check_contains(leaves, head->size, previous->epoch, &previous->root));
    return DONE;
}

static fault load_certificate(const char *folder, struct certificate **out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/authority.pem", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    return certificate_load(path, out);
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
    if (seen != NULL && head.size < seen->size)
        return RAISE(DIRECTORY_OLD, "epoch %" PRIu64 " was used already; this one is %" PRIu64,
                     seen->size, head.size);
    TRY(load_certificate(folder, &certificate));
    fault f = tiles_read_entries(folder, head.size, &backing, &leaves);
    if (f.code == BAD_FRAME)
        return RAISE(DIRECTORY_BAD, "an entry bundle is damaged: %s", fault_detail());
    TRY(f);
    f = check_head(leaves, &head, previous, seen);
    if (!failed(f))
        f = directory_fold(leaves, head.size, trust, certificate, &self);
    free(leaves);
    TRY(f);
    if (!self->published)
        return RAISE(DIRECTORY_BAD, "its last act does not publish it");
    if (self->valid_until_ms <= now_ms)
        return RAISE(DIRECTORY_EXPIRED, "epoch %" PRIu64 " was valid until earlier", self->epoch);
    *out = TAKE(self);
    return DONE;
}

// --- looking up --------------------------------------------------------------------------------------

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

struct directory_signer *directory_signer(const struct directory *self, const uint8_t *ski)
{
    return map_get(&self->signers, span_of(ski, SKI_BYTES));
}

struct directory_signer *directory_signer_ever(const struct directory *self, const uint8_t *ski)
{
    return map_get(&self->signers_ever, span_of(ski, SKI_BYTES));
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
