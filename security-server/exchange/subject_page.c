// SPDX-License-Identifier: MIT
#include "security-server/exchange/subject_page.h"

#include "lib/base/arena.h"
#include "lib/bus/bus_id.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/merkle.h"

#include "subject.pb-c.h"

#include <stdlib.h>

#define CONTEXT "chaski subject page v1"

struct subject_page {
    struct arena memory; /* of all texts and entries */
    Chaski__SubjectPage message;
    Chaski__SubjectEntry *entry[SUBJECT_PAGE_MAX];
};

static char *keep(struct subject_page *self, struct span text)
{
    char *copy = arena_make(&self->memory, text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return copy;
}

struct subject_page *subject_page_new(const char *server, const char *origin, uint64_t log_size)
{
    static char context[] = CONTEXT;
    struct subject_page *self = owned_new(sizeof *self);
    chaski__subject_page__init(&self->message);
    self->message.context = context;
    self->message.server = keep(self, span_of_text(server));
    self->message.origin = keep(self, span_of_text(origin));
    self->message.log_size = log_size;
    self->message.entry = self->entry;
    return self;
}

void subject_page_free(struct subject_page **self)
{
    if (*self == NULL)
        return;
    arena_clear(&(*self)->memory);
    free(*self);
    *self = NULL;
}

void subject_page_miss(struct subject_page *self)
{
    self->message.gone++;
}

static char *member_name(struct subject_page *self, const struct directory *directory,
                         struct span id)
{
    const struct directory_member *member =
        directory_member(directory, bus_id_prefix(id, ID_MEMBER));
    return keep(self, span_of_text(member == NULL ? "" : member->name));
}

static Chaski__SubjectReceipt *receipt(struct subject_page *self, const struct subject_half *half)
{
    Chaski__SubjectReceipt *made = arena_make(&self->memory, sizeof *made);
    uint8_t *hash = arena_make(&self->memory, SHA256_BYTES);
    chaski__subject_receipt__init(made);
    memcpy(hash, half->leaf_hash.at, SHA256_BYTES);
    made->log_epoch = half->epoch;
    made->index = half->index;
    made->leaf_hash = (ProtobufCBinaryData){SHA256_BYTES, hash};
    return made;
}

/* Who asked whom: in an outcome the other way round. */
static void fill_who(struct subject_page *self, const struct directory *directory,
                     const struct header *header, bool is_outcome, Chaski__SubjectEntry *out)
{
    struct span caller = is_outcome ? header->receiver : header->sender;
    struct span provider = bus_id_prefix(header->service, ID_SUBSYSTEM);
    out->caller = keep(self, caller);
    out->caller_name = member_name(self, directory, caller);
    out->provider = keep(self, provider);
    out->provider_name =
        provider.size == 0 ? keep(self, provider) : member_name(self, directory, provider);
    out->caller_server =
        keep(self, is_outcome && header->receiver_server.size > 0 ? header->receiver_server
                                                                  : header->sender_server);
    out->provider_server = keep(self, is_outcome ? header->sender_server : header->receiver_server);
}

static void fill_words(struct subject_page *self, const struct directory *directory,
                       const struct header *header, Chaski__SubjectEntry *out)
{
    const struct directory_purpose *purpose = directory_purpose(directory, header->purpose);
    out->service = keep(self, header->service);
    out->purpose = keep(self, header->purpose);
    out->purpose_title = keep(self, span_of_text(purpose == NULL ? "" : purpose->title));
    out->procedure = keep(self, header->procedure);
    out->legal_basis = keep(self, header->legal_basis);
    out->rule = keep(self, header->rule);
}

/* The ground on which it was kept from the view. */
static void fill_sealing(struct subject_page *self, const struct directory *directory,
                         const struct header *header, Chaski__SubjectEntry *out)
{
    const struct directory_sealing *sealing =
        header->sealing.size == 0 ? NULL : directory_sealing(directory, header->sealing);
    out->sealing = keep(self, header->sealing);
    out->sealing_basis = keep(self, span_of_text(sealing == NULL ? "" : sealing->legal_basis));
}

static void fill_outcome(struct subject_page *self, const struct subject_found *found,
                         Chaski__SubjectEntry *out)
{
    if (found->has_request)
        out->request = receipt(self, &found->request);
    if (!found->has_outcome)
        return;
    out->answer = receipt(self, &found->outcome);
    out->outcome = found->outcome.kind;
    out->status = found->outcome.status;
    if (found->outcome.fault != OK && fault_known(found->outcome.fault))
        out->fault = keep(self, span_of_text(fault_name((enum fault_code)found->outcome.fault)));
}

static bool is_hash_of(const struct sha256 *hash, struct span leaf)
{
    struct sha256 own = merkle_leaf_hash(leaf);
    return sha256_equal(&own, hash);
}

/* The header of the exchange: the entry's own, or that of the leaf that a LATE record received. */
static fault read_exchange(const struct sha256 *hash, struct span leaf, struct span payload,
                           struct header_read **out)
{
    struct span content;
    struct span of_exchange = is_hash_of(hash, leaf) ? leaf : payload;
    if (!is_hash_of(hash, of_exchange))
        return RAISE(INCONSISTENT, "another record than was found, or what came is not held");
    TRY(cades_content(of_exchange, &content));
    return header_decode(content, out);
}

void subject_page_add(struct subject_page *self, const struct directory *directory,
                      const struct subject_found *found, struct span leaf, struct span payload)
{
    OWNED(header_read) read = NULL;
    const struct subject_half *half = found->has_request ? &found->request : &found->outcome;
    if (self->message.n_entry == SUBJECT_PAGE_MAX ||
        failed(read_exchange(&half->leaf_hash, leaf, payload, &read))) {
        subject_page_miss(self);
        return;
    }
    const struct header *header = header_of(read);
    Chaski__SubjectEntry *entry = arena_make(&self->memory, sizeof *entry);
    uint8_t *id = arena_make(&self->memory, EXCHANGE_ID_BYTES);
    chaski__subject_entry__init(entry);
    memcpy(id, found->exchange_id, EXCHANGE_ID_BYTES);
    entry->exchange_id = (ProtobufCBinaryData){EXCHANGE_ID_BYTES, id};
    entry->time_ms = (uint64_t)half->time_ms;
    entry->look = header->kind == HEADER_LOOKED;
    entry->unsealed_ms = (uint64_t)found->sealed_until_ms;
    fill_who(self, directory, header, !found->has_request, entry);
    fill_words(self, directory, header, entry);
    fill_sealing(self, directory, header, entry);
    fill_outcome(self, found, entry);
    self->entry[self->message.n_entry++] = entry;
}

fault subject_page_pack(const struct subject_page *self, uint64_t next, struct bytes **out)
{
    Chaski__SubjectPage message = self->message;
    OWNED(bytes) packed = NULL;
    message.next = next;
    TRY(bytes_new(chaski__subject_page__get_packed_size(&message), &packed));
    chaski__subject_page__pack(&message, packed->data);
    *out = TAKE(packed);
    return DONE;
}
