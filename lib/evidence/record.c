// SPDX-License-Identifier: MIT
#include "lib/evidence/record.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/cms.h"
#include "lib/evidence/readme.h"
#include "lib/evidence/record_script.h"
#include "lib/evidence/status_files.h"
#include "lib/evidence/witness_policy.h"

#include <stdlib.h>

#define PATH_BYTES 512
#define FILE_BYTES_MAX (1 << 20) /* certificates, policies */

fault record_new(const struct log_entry *entry, struct record **out)
{
    OWNED(record) self = owned_new(sizeof *self);
    self->index = entry->index;
    self->leaf_hash = entry->leaf_hash;
    TRY(bytes_copy(entry->leaf, &self->leaf));
    TRY(cades_parse(bytes_span(self->leaf), &self->parts));
    TRY(header_decode(self->parts.content, &self->read));
    *out = TAKE(self);
    return DONE;
}

void record_free(struct record **self)
{
    if (*self == NULL)
        return;
    header_read_free(&(*self)->read);
    bytes_free(&(*self)->leaf);
    free(*self);
    *self = NULL;
}

// --- the parts ----------------------------------------------------------------------------------

static fault put_payload(struct record *self, const struct record_source *from, struct files *files,
                         struct readme_facts *facts)
{
    OWNED(bytes) blob = NULL;
    facts->payload_damaged = failed(payload_store_read(
        from->view->payloads, from->keys, self->index, &self->leaf_hash, &facts->payload, &blob));
    self->sealed = !facts->payload_damaged && facts->payload == PAYLOAD_SEALED;
    if (!facts->payload_damaged && blob != NULL)
        files_take(files, facts->payload == PAYLOAD_HELD ? "payload.bin" : "salt.bin", &blob);
    return DONE;
}

static fault put_file(struct files *files, const char *name, const char *path)
{
    OWNED(bytes) bytes = NULL;
    TRY(file_read(path, FILE_BYTES_MAX, &bytes));
    files_take(files, name, &bytes);
    return DONE;
}

static fault find_signer(const struct record *self, const struct record_source *from,
                         struct directory_signer **out)
{
    *out = directory_signer_ever(from->directory, self->parts.ski.at);
    return *out != NULL ? DONE
                        : RAISE(CERTIFICATE_BAD,
                                "the directory knows no certificate of the signer; is there a "
                                "newer one for --directory?");
}

/* The outside authority alone, which vouches; and the way from it to its root, which says who it
 * is.
 */
static fault put_authority(const struct record *self, const struct record_source *from,
                           const struct directory_signer *signer, struct files *files)
{
    OWNED(bytes) alone = NULL;
    OWNED(bytes) chain = NULL;
    TRY(issuer_pem(signer->authority->issuer, false, &alone));
    TRY(issuer_pem(signer->authority->issuer, true, &chain));
    files_take(files, "issuer.pem", &alone);
    files_take(files, "chain.pem", &chain);
    return status_files_export(standing_folder(from->standing), signer,
                               header_of(self->read)->time_ms, files);
}

static fault put_certificates(const struct record *self, const struct record_source *from,
                              const struct directory_signer *signer, struct files *files)
{
    char path[PATH_BYTES];
    OWNED(bytes) pem = NULL;
    OWNED(bytes) chain = NULL;
    TRY(certificate_pem(signer->certificate, &pem));
    files_take(files, "signer.pem", &pem);
    /* without a chain the record is still evidence: of a signature that nobody vouches for */
    if (signer->authority != NULL)
        TRY(put_authority(self, from, signer, files));
    else if (!failed(trust_chain(from->view->trust, signer->certificate,
                                 header_of(self->read)->time_ms, &chain)))
        files_take(files, "chain.pem", &chain);
    TRY(log_view_trust_file(from->view->folder, from->anchors, path, sizeof path));
    TRY(put_file(files, "trust.pem", path));
    if (from->tsa_file != NULL)
        TRY(put_file(files, "tsa.pem", from->tsa_file));
    return DONE;
}

static fault put_keys(const struct record_source *from, struct files *files)
{
    char vkey[400];
    OWNED(bytes) line = bytes_empty(sizeof vkey + 1);
    /* as the directory has it: verify.sh makes that of the epoch from it */
    note_key_text(&from->view->registered, vkey, sizeof vkey);
    TRY(bytes_append_text(line, vkey));
    TRY(bytes_append_text(line, "\n"));
    files_take(files, "log.vkey", &line);
    return DONE;
}

/* Whose cosignatures count: by the newest directory, or, when they are not under this checkpoint,
 * by the one of the record's own time; witnesses change, and checkpoints do not. */
static fault make_policy(const struct record *self, const struct record_source *from,
                         struct span note, struct bytes **out)
{
    bool met = false;
    OWNED(directory) then = NULL;
    OWNED(bytes) older = NULL;
    const struct note_key *log = &from->view->log_key;
    TRY(witness_policy(from->directory, log, note, out, &met));
    if (met || failed(standing_then(from->standing, header_of(self->read)->directory_epoch,
                                    from->view->trust, &then)))
        return DONE;
    TRY(witness_policy(then, log, note, &older, &met));
    if (met && older != NULL) {
        bytes_free(out);
        *out = TAKE(older);
    }
    return DONE;
}

static fault put_policy(const struct record *self, const struct record_source *from,
                        const struct cover *cover, const char *name, struct files *files,
                        bool *is_there)
{
    OWNED(bytes) policy = NULL;
    if (from->policy_file != NULL) {
        *is_there = true;
        return put_file(files, name, from->policy_file);
    }
    TRY(make_policy(self, from, bytes_span(cover->note), &policy));
    *is_there = policy != NULL;
    if (policy != NULL)
        files_take(files, name, &policy);
    return DONE;
}

static fault put_cover(const struct record *self, const struct record_source *from,
                       struct cover *cover, const char *below, struct files *files,
                       bool *has_policy)
{
    char name[64];
    OWNED(bytes) proof = NULL;
    TRY(cover_prove(from->view, cover, self->index, &self->leaf_hash, from->leaf_hashes,
                    from->leaf_count, &proof));
    text_format(name, sizeof name, "%srecord.tlog-proof", below);
    files_take(files, name, &proof);
    text_format(name, sizeof name, "%scheckpoint", below);
    TRY(files_copy(files, name, bytes_span(cover->note)));
    text_format(name, sizeof name, "%spolicy", below);
    TRY(put_policy(self, from, cover, name, files, has_policy));
    text_format(name, sizeof name, "%scheckpoint.tst", below);
    return cover->token == NULL ? DONE : files_copy(files, name, bytes_span(cover->token));
}

static fault put_covers(struct record *self, const struct record_source *from, struct files *files,
                        struct readme_facts *facts, struct cover **first)
{
    OWNED(cover) later = NULL;
    bool later_policy = false;
    TRY(covers_first(from->covers, self->index, first));
    self->covered = *first != NULL;
    if (!self->covered)
        return DONE;
    facts->stamped = (*first)->token != NULL;
    TRY(put_cover(self, from, *first, "", files, &facts->policy));
    TRY(covers_newest_stamped(from->covers, *first, &later));
    facts->later = later != NULL;
    return later == NULL ? DONE : put_cover(self, from, later, "later/", files, &later_policy);
}

// --- all of it ----------------------------------------------------------------------------------

fault record_export(struct record *self, const struct record_source *from, struct files *files)
{
    struct readme_facts facts = {0};
    struct directory_signer *signer = NULL;
    OWNED(cover) cover = NULL;
    OWNED(bytes) readme = NULL;
    const struct header *header = header_of(self->read);
    TRY(find_signer(self, from, &signer));
    TRY(files_copy(files, "leaf.p7m", bytes_span(self->leaf)));
    TRY(files_copy(files, "header.bin", self->parts.content));
    if (self->parts.place.size > 0) {
        TRY(files_copy(files, "batch.head", self->parts.head));
        TRY(files_copy(files, "batch.place", self->parts.place));
    }
    TRY(put_payload(self, from, files, &facts));
    TRY(put_certificates(self, from, signer, files));
    TRY(put_keys(from, files));
    TRY(put_covers(self, from, files, &facts, &cover));
    struct standing_of of = {.sender = header->sender,
                             .sender_server = header->sender_server,
                             .certificate = certificate_der(signer->certificate),
                             .authority =
                                 signer->authority == NULL ? NULL : signer->authority->name,
                             .log_server = from->view->server};
    TRY(standing_export(from->standing, &of, files));
    facts.cover = cover;
    facts.signer = signer;
    TRY(readme_write(self, from, &facts, &readme));
    files_take(files, "README.txt", &readme);
    return files_copy(files, "verify.sh", record_script());
}

fault record_detached(const struct record *self, const struct record_source *from,
                      struct bytes **out)
{
    struct directory_signer *signer = NULL;
    TRY(find_signer(self, from, &signer));
    return cms_detach(bytes_span(self->leaf), signer->certificate, out);
}
