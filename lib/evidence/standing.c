// SPDX-License-Identifier: MIT
#include "lib/evidence/standing.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/record_proof.h"
#include "lib/bus/directory_partial.h"
#include "lib/bus/tiles.h"
#include "lib/evidence/witness_policy.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 768

struct standing {
    char folder[PATH_BYTES];
    uint64_t epoch;
    struct bytes *backing;
    struct span *leaves;
    struct sha256 *hashes;
    struct bytes *note;    /* the directory's checkpoint */
    struct bytes *policy;  /* who cosigns it; NULL: nobody is asked to */
    struct bytes *quorate; /* an older note with a quorum, when the newest has none; or NULL */
    uint64_t quorate_size;
    struct bytes *certificate; /* authority.pem */
    struct certificate *authority;
    char vkey[400];
};

void standing_free(struct standing **owner)
{
    struct standing *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    bytes_free(&self->backing);
    bytes_free(&self->note);
    bytes_free(&self->policy);
    bytes_free(&self->quorate);
    bytes_free(&self->certificate);
    certificate_free(&self->authority);
    free(self->leaves);
    free(self->hashes);
    free(self);
}

static fault read_file(const char *folder, const char *name, size_t most, struct bytes **out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/%s", folder, name))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    return file_read(path, most, out);
}

static fault read_authority(const char *folder, struct certificate **out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/authority.pem", folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    return certificate_load(path, out);
}

/* What the copy of a node keeps beside its checkpoint. One that does not fit proves nothing, and
 * is left out; an auditor is told of it by verify. */
static fault read_quorate(struct standing *self, const struct directory *directory,
                          const struct note_key *authority)
{
    struct checkpoint head;
    struct merkle tree = {0};
    OWNED(bytes) note = NULL;
    OWNED(bytes) policy = NULL;
    bool met = false;
    if (failed(read_file(self->folder, "cosigned", NOTE_BYTES_MAX, &note)) ||
        failed(checkpoint_open(bytes_span(note), authority, &head)) || head.size > self->epoch)
        return DONE;
    for (uint64_t i = 0; i < head.size; i++)
        merkle_append(&tree, &self->hashes[i]);
    struct sha256 root = merkle_root(&tree);
    TRY(witness_policy_of_directory(directory, bytes_span(note), &policy, &met));
    if (met && sha256_equal(&root, &head.root)) {
        self->quorate = TAKE(note);
        self->quorate_size = head.size;
    }
    return DONE;
}

static fault read_cosigners(struct standing *self, const struct directory *directory,
                            const struct note_key *authority)
{
    bool met = false;
    TRY(witness_policy_of_directory(directory, bytes_span(self->note), &self->policy, &met));
    return met || self->policy == NULL ? DONE : read_quorate(self, directory, authority);
}

fault standing_read(const char *folder, const struct directory *directory,
                    const struct note_key *authority, struct standing **out)
{
    OWNED(standing) self = owned_new(sizeof *self);
    struct checkpoint head;
    struct merkle tree = {0};
    struct sha256 verified = directory_root(directory);
    if (directory_log_key(directory) != NULL) /* acts lead to it from the anchor's */
        authority = directory_log_key(directory);
    self->epoch = directory_epoch(directory);
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    TRY(read_file(folder, "checkpoint", NOTE_BYTES_MAX, &self->note));
    TRY(read_file(folder, "authority.pem", CERTIFICATE_BYTES_MAX * 2, &self->certificate));
    TRY(checkpoint_open(bytes_span(self->note), authority, &head));
    TRY(read_authority(folder, &self->authority));
    TRY(directory_partial_refuse(folder, self->epoch));
    TRY(tiles_read_entries(folder, self->epoch, &self->backing, &self->leaves));
    self->hashes = owned_array(self->epoch, sizeof *self->hashes);
    for (uint64_t i = 0; i < self->epoch; i++) {
        self->hashes[i] = merkle_leaf_hash(self->leaves[i]);
        merkle_append(&tree, &self->hashes[i]);
    }
    struct sha256 root = merkle_root(&tree);
    if (head.size != self->epoch || !sha256_equal(&root, &verified) ||
        !sha256_equal(&head.root, &verified))
        return RAISE(DIRECTORY_BAD, "%s changed while it was read", folder);
    TRY(read_cosigners(self, directory, authority));
    note_key_text(authority, self->vkey, sizeof self->vkey);
    *out = TAKE(self);
    return DONE;
}

const char *standing_folder(const struct standing *self)
{
    return self->folder;
}

uint64_t standing_epoch(const struct standing *self)
{
    return self->epoch;
}

fault standing_then(const struct standing *self, uint64_t epoch, struct trust *trust,
                    struct directory **out)
{
    if (epoch == 0 || epoch > self->epoch)
        return RAISE(DIRECTORY_BAD, "the directory has no epoch %" PRIu64, epoch);
    return directory_fold_again(self->leaves, epoch, trust, self->authority, out);
}

// --- which acts ---------------------------------------------------------------------------------

static bool is_member(const char *id, struct span of)
{
    return span_equal(span_of_text(id), bus_id_prefix(of, ID_MEMBER));
}

static bool is(const char *id, struct span of)
{
    return span_is_text(of, id);
}

static bool revokes(const Chaski__CertificateRevoked *act, struct span certificate)
{
    struct sha256 hash = SHA256_OF(certificate);
    return span_equal(span_of(act->certificate_sha256.data, act->certificate_sha256.len),
                      sha256_span(&hash));
}

static bool removes(const Chaski__Removed *act, const struct standing_of *of)
{
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_MEMBER:
        return is_member(act->member, of->sender_server);
    case CHASKI__REMOVED__WHAT_SERVER:
        return is(act->server, of->sender_server);
    case CHASKI__REMOVED__WHAT_CERTIFICATE_AUTHORITY:
        return of->authority != NULL && strcmp(act->certificate_authority, of->authority) == 0;
    case CHASKI__REMOVED__WHAT_SUBSYSTEM:
        return is(act->subsystem, of->sender);
    default:
        return false;
    }
}

static bool concerns(const Chaski__Act *act, const struct standing_of *of)
{
    switch (act->act_case) {
    case CHASKI__ACT__ACT_MEMBER_SET:
        return is_member(act->member_set->id, of->sender_server);
    case CHASKI__ACT__ACT_SERVER_SET:
        return is(act->server_set->id, of->sender_server) ||
               strcmp(act->server_set->id, of->log_server) == 0;
    case CHASKI__ACT__ACT_SUBSYSTEM_SET:
        return is(act->subsystem_set->id, of->sender);
    case CHASKI__ACT__ACT_CERTIFICATE_REVOKED:
        return revokes(act->certificate_revoked, of->certificate);
    case CHASKI__ACT__ACT_CERTIFICATE_AUTHORITY_SET:
        return of->authority != NULL &&
               strcmp(act->certificate_authority_set->name, of->authority) == 0;
    case CHASKI__ACT__ACT_DIRECTORY_WITNESSES_SET:
    case CHASKI__ACT__ACT_ACTS_KEY_SET: /* who signed the other ones */
        return true;
    case CHASKI__ACT__ACT_REMOVED:
        return removes(act->removed, of);
    default:
        return false;
    }
}

static fault is_wanted(struct span leaf, const struct standing_of *of, bool *out)
{
    struct cades_parts parts;
    TRY(cades_parse(leaf, &parts));
    Chaski__Act *act = chaski__act__unpack(NULL, parts.content.size, parts.content.at);
    if (act == NULL)
        return RAISE(DIRECTORY_BAD, "an entry of the directory holds no act");
    *out = concerns(act, of);
    chaski__act__free_unpacked(act, NULL);
    return DONE;
}

/* A head of the directory under which acts are proved. */
struct head {
    struct span note;
    uint64_t size;
};

static fault export_act(const struct standing *self, const struct head *head, uint64_t number,
                        struct files *files)
{
    char name[64];
    struct record_proof proof = {.index = number, .note = head->note};
    OWNED(bytes) text = NULL;
    text_format(name, sizeof name, "directory/%" PRIu64 ".p7m", number);
    TRY(files_copy(files, name, self->leaves[number]));
    proof.length = record_proof_path(self->hashes, head->size, number, proof.path);
    TRY(record_proof_encode(&proof, &text));
    text_format(name, sizeof name, "directory/%" PRIu64 ".tlog-proof", number);
    files_take(files, name, &text);
    return DONE;
}

/* wanted: a flag for each act. */
static fault export_acts(const struct standing *self, const bool *wanted, struct files *files)
{
    struct head head = {bytes_span(self->note), self->epoch};
    uint64_t end = self->epoch;
    while (end > 0 && !wanted[end - 1])
        end--;
    if (self->quorate != NULL && end <= self->quorate_size)
        head = (struct head){bytes_span(self->quorate), self->quorate_size};
    for (uint64_t i = 0; i < end; i++)
        if (wanted[i])
            TRY(export_act(self, &head, i, files));
    return DONE;
}

static fault find_acts(const struct standing *self, const struct standing_of *of, bool *wanted)
{
    for (uint64_t i = 0; i < self->epoch; i++)
        TRY(is_wanted(self->leaves[i], of, &wanted[i]));
    return DONE;
}

fault standing_export(const struct standing *self, const struct standing_of *of,
                      struct files *files)
{
    OWNED(bytes) vkey = bytes_empty(sizeof self->vkey + 1);
    bool *wanted = owned_array(self->epoch, sizeof *wanted);
    fault f = find_acts(self, of, wanted);
    if (!failed(f))
        f = export_acts(self, wanted, files);
    free(wanted);
    TRY(f);
    TRY(bytes_append_text(vkey, self->vkey));
    TRY(bytes_append_text(vkey, "\n"));
    files_take(files, "directory/directory.vkey", &vkey);
    if (self->policy != NULL)
        TRY(files_copy(files, "directory/policy", bytes_span(self->policy)));
    return files_copy(files, "directory/authority.pem", bytes_span(self->certificate));
}
