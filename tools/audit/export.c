// SPDX-License-Identifier: MIT
/* chaski-audit export: records as files, or as a container, that stock tools can check. */
#include "tools/audit/commands.h"

#include "lib/base/text.h"
#include "lib/evidence/archive.h"
#include "lib/evidence/asic.h"
#include "tools/audit/exchange_prefix.h"
#include "tools/audit/history.h"
#include "lib/evidence/printable.h"
#include "lib/evidence/record.h"
#include "tools/audit/store_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define RECORDS_MAX \
    64 /* of one exchange in one log: two, or a few more in a log that is not sound */

struct export
{
    const struct audit_arguments *arguments;
    struct log_view *view;
    struct directory *given; /* of --directory, when it judges; or NULL */
    struct standing *standing;
    struct covers *covers;
    struct store_keys *keys;    /* to payloads */
    bool by_index, by_exchange; /* as what ID was given; both until the log was read */
    uint64_t index;
    struct exchange_prefix exchange;
    size_t count;
    struct record *record[RECORDS_MAX];
    struct sha256 *leaf_hashes;
    uint64_t leaf_count, leaf_room;
};

static void export_clear(struct export *self)
{
    for (size_t i = 0; i < self->count; i++)
        record_free(&self->record[i]);
    free(self->leaf_hashes);
    covers_free(&self->covers);
    store_keys_free(&self->keys);
    standing_free(&self->standing);
    directory_free(&self->given);
    log_view_free(&self->view);
}

// --- what is asked for --------------------------------------------------------------------------

/* Digits alone can be either: what the log holds decides. */
static fault read_id(struct export *self, const char *text)
{
    self->by_index = !failed(text_number(span_of_text(text), INT64_MAX, &self->index));
    fault f = exchange_prefix_read(text, &self->exchange);
    self->by_exchange = !failed(f);
    if (self->by_index || self->by_exchange)
        return DONE;
    return RAISE(BAD_REQUEST,
                 "\"%.60s\" is neither the index of an entry nor an exchange: its id, or at least "
                 "the first %d digits of it",
                 text, EXCHANGE_DIGITS_LEAST);
}

static fault check_arguments(struct export *self)
{
    const struct audit_arguments *arguments = self->arguments;
    if (arguments->count != 2 || (arguments->to == NULL && arguments->asice == NULL &&
                                  arguments->asics == NULL && arguments->stamped == NULL))
        return RAISE(BAD_REQUEST, "export DIR ID with --to FOLDER, --asice FILE, --asics FILE or "
                                  "--asics-checkpoint FILE");
    if ((arguments->seal_key == NULL) != (arguments->seal_certificate == NULL) ||
        (arguments->seal_key != NULL && arguments->asice == NULL))
        return RAISE(BAD_REQUEST, "a seal is --seal-key and --seal-cert, and goes with --asice");
    const char *source = arguments->positional[0], *id = arguments->positional[1];
    TRY(read_id(self, id));
    if (arguments->to != NULL)
        TRY(files_check_folder(arguments->to, source));
    if (arguments->asice != NULL)
        TRY(files_check_file(arguments->asice, source));
    if (arguments->asics != NULL)
        TRY(files_check_file(arguments->asics, source));
    if (arguments->stamped != NULL)
        TRY(files_check_file(arguments->stamped, source));
    return DONE;
}

// --- what it rests on ---------------------------------------------------------------------------

/* The given directory judges when it is the folder's own, grown. */
static fault choose_directory(struct export *self, char folder[PATH_BYTES])
{
    const struct directory *own = self->view->directory;
    OWNED(history) history = NULL;
    struct sha256 expected, root = directory_root(own);
    if (!text_format(folder, PATH_BYTES, "%s/directory", self->view->folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    if (self->arguments->directory == NULL)
        return DONE;
    TRY(directory_load(self->arguments->directory, self->view->trust, &self->view->authority, NULL,
                       NULL, 0, &self->given));
    TRY(history_read(self->arguments->directory, self->given, &history));
    if (!history_root(history, directory_epoch(own), &expected) || !sha256_equal(&expected, &root))
        return RAISE(DIRECTORY_FORKED, "--directory does not contain the log's own directory");
    if (!text_format(folder, PATH_BYTES, "%s", self->arguments->directory))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    return DONE;
}

static fault open_source(struct export *self)
{
    char folder[PATH_BYTES];
    TRY(log_view_open(self->arguments->positional[0], self->arguments->epoch,
                      &self->arguments->anchors, &self->view));
    TRY(choose_directory(self, folder));
    TRY(standing_read(folder, self->given != NULL ? self->given : self->view->directory,
                      &self->view->authority, &self->standing));
    return covers_read(self->view, &self->covers);
}

// --- the walk -----------------------------------------------------------------------------------

static bool is_of_exchange(const struct export *self, const struct log_entry *entry)
{
    return self->by_exchange && entry->header != NULL && entry->header->kind < HEADER_STARTED &&
           exchange_prefix_fits(&self->exchange, entry->header->exchange_id);
}

/* One exchange, or one entry; not what only looks like what was meant. */
static fault check_one(const struct export *self, const struct log_entry *entry)
{
    const struct record *first = self->count == 0 ? NULL : self->record[0];
    const uint8_t *id = first == NULL ? NULL : header_of(first->read)->exchange_id;
    char one[37], other[37];
    if (first == NULL || entry->header == NULL)
        return DONE;
    log_view_id_text(id, one);
    log_view_id_text(entry->header->exchange_id, other);
    if (self->by_index && (first->index == self->index || entry->index == self->index))
        return RAISE(BAD_REQUEST,
                     "%" PRIu64 " is the index of an entry, and the exchange %s begins so: name "
                     "that with a dash behind its digits, or the entry by its exchange",
                     self->index, first->index == self->index ? other : one);
    if (memcmp(id, entry->header->exchange_id, EXCHANGE_ID_BYTES) != 0)
        return RAISE(BAD_REQUEST, "two exchanges begin so, %s and %s: give more digits", one,
                     other);
    return DONE;
}

static fault take_entry(void *owner, const struct log_entry *entry)
{
    struct export *self = owner;
    if (self->leaf_count == self->leaf_room) {
        self->leaf_room = self->leaf_room == 0 ? 4096 : 2 * self->leaf_room;
        self->leaf_hashes =
            owned_grow(self->leaf_hashes, self->leaf_room, sizeof *self->leaf_hashes);
    }
    self->leaf_hashes[self->leaf_count++] = entry->leaf_hash;
    if (!(self->by_index && entry->index == self->index) && !is_of_exchange(self, entry))
        return DONE;
    if (entry->header == NULL)
        return RAISE(LOG_BROKEN, "the entry cannot be read: %s", entry->damage);
    if (self->count == RECORDS_MAX)
        return RAISE(REFUSED, "more than %d entries of one exchange: export them by index",
                     RECORDS_MAX);
    TRY(check_one(self, entry));
    return record_new(entry, &self->record[self->count++]);
}

static fault find_records(struct export *self)
{
    struct wal_end end;
    uint64_t first = self->view->pruned.first;
    if (first > 0) {
        TRY(log_view_pruned_hashes(self->view, &self->leaf_hashes));
        self->leaf_count = self->leaf_room = first;
    }
    TRY(log_view_walk(self->view, take_entry, self, &end));
    if (self->count > 0 && self->record[0]->index != self->index)
        self->by_index = false;
    if (self->count == 0 && self->by_index && self->index < first)
        return RAISE(NOT_FOUND, "the entries before %" PRIu64 " were pruned, by entry %" PRIu64,
                     first, self->view->pruned.act);
    if (self->count == 0 && self->by_index)
        return RAISE(NOT_FOUND, "the log has %" PRIu64 " entries", end.size);
    if (self->count == 0)
        return RAISE(NOT_FOUND, "no entry of this exchange is among the %" PRIu64 " of the log",
                     end.size);
    return DONE;
}

// --- the files ----------------------------------------------------------------------------------

/* An exchange's records stand in folders by what they are; a second one of a kind shows its index,
 * and so do all that come after it. */
static void name_folder(const struct export *self, size_t which, char *out, size_t room)
{
    const char *word = "request";
    enum header_kind kind = header_of(self->record[which]->read)->kind;
    bool again = false;
    out[0] = '\0';
    if (self->by_index)
        return;
    if (kind == HEADER_RESPONSE)
        word = "answer";
    else if (kind == HEADER_FAULT)
        word = "refusal";
    for (size_t i = 0; i < which; i++)
        again |= header_of(self->record[i]->read)->kind == kind;
    if (again)
        text_format(out, room, "%s-%" PRIu64 "/", word, self->record[which]->index);
    else
        text_format(out, room, "%s/", word);
}

static fault make_files(struct export *self, const struct record_source *from, bool detached,
                        struct files *files)
{
    for (size_t i = 0; i < self->count; i++) {
        char below[64];
        name_folder(self, i, below, sizeof below);
        files_go_below(files, below);
        TRY(record_export(self->record[i], from, files));
        if (!detached)
            continue;
        OWNED(bytes) signature = NULL;
        TRY(record_detached(self->record[i], from, &signature));
        files_take(files, "message-signature.p7s", &signature);
    }
    return DONE;
}

static fault write_folder(struct export *self, const struct record_source *from)
{
    OWNED(files) files = owned_new(sizeof *files);
    if (self->arguments->to == NULL)
        return DONE;
    TRY(make_files(self, from, false, files));
    return files_write(files, self->arguments->to);
}

static fault write_extended(struct export *self, const struct record_source *from)
{
    OWNED(files) files = owned_new(sizeof *files);
    OWNED(cms_sealer) sealer = NULL;
    OWNED(bytes) container = NULL;
    if (self->arguments->asice == NULL)
        return DONE;
    if (self->arguments->seal_key != NULL)
        TRY(cms_sealer_load(self->arguments->seal_key, self->arguments->seal_certificate, &sealer));
    TRY(make_files(self, from, true, files));
    TRY(asic_make_extended(files, sealer, &container));
    return archive_write(self->arguments->asice, bytes_span(container));
}

static fault write_simple(struct export *self, const struct record_source *from)
{
    OWNED(bytes) signature = NULL;
    OWNED(bytes) container = NULL;
    if (self->arguments->asics == NULL)
        return DONE;
    if (self->count != 1)
        return RAISE(BAD_REQUEST,
                     "an ASiC-S container holds one record, and the exchange has %zu: "
                     "name one by its index",
                     self->count);
    if (self->record[0]->parts.place.size > 0)
        return RAISE(BAD_REQUEST,
                     "entry %" PRIu64 " was signed in a batch, so that no signature is over its "
                     "header alone, as ASiC-S wants: take --asice",
                     self->record[0]->index);
    TRY(record_detached(self->record[0], from, &signature));
    TRY(asic_make_simple(self->record[0]->parts.content, bytes_span(signature), &container));
    return archive_write(self->arguments->asics, bytes_span(container));
}

/* The head that covers the record, with the time stamp over it: one for all records of a minute. */
static fault write_stamped(struct export *self)
{
    OWNED(cover) cover = NULL;
    OWNED(bytes) container = NULL;
    if (self->arguments->stamped == NULL)
        return DONE;
    TRY(covers_first(self->covers, self->record[0]->index, &cover));
    if (cover == NULL || cover->token == NULL)
        return RAISE(REFUSED,
                     "no time stamp covers entry %" PRIu64 " yet: try again after the next one",
                     self->record[0]->index);
    TRY(asic_make_stamped(bytes_span(cover->note), bytes_span(cover->token), &container));
    return archive_write(self->arguments->stamped, bytes_span(container));
}

// --- the command --------------------------------------------------------------------------------

static void tell(const struct export *self)
{
    const char *places[] = {self->arguments->to, self->arguments->asice, self->arguments->asics};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (places[i] != NULL) {
            OWNED(printable) shown = printable_of(span_of_text(places[i]));
            printf("%zu %s in %s\n", self->count, self->count == 1 ? "record is" : "records are",
                   shown->text);
        }
    for (size_t i = 0; i < self->count; i++)
        if (!self->record[i]->covered &&
            (self->arguments->to != NULL || self->arguments->asice != NULL))
            printf("entry %" PRIu64 " is not yet under a checkpoint: its place in the log is not "
                   "proved; export it again after the next one\n",
                   self->record[i]->index);
    if (self->arguments->stamped != NULL) {
        OWNED(printable) shown = printable_of(span_of_text(self->arguments->stamped));
        printf("the stamped checkpoint over entry %" PRIu64 " is in %s\n", self->record[0]->index,
               shown->text);
    }
    for (size_t i = 0; i < self->count; i++)
        if (self->record[i]->sealed)
            printf("entry %" PRIu64 ": its payload is sealed and not in the export, only the "
                   "commitment to it; with the node's store key (--store-key FILE) it is\n",
                   self->record[i]->index);
    if (self->arguments->to != NULL)
        puts("README.txt there says what each file proves; bash verify.sh checks them");
}

static fault run(struct export *self)
{
    TRY(check_arguments(self));
    TRY(store_keys_open(self->arguments, &self->keys));
    TRY(open_source(self));
    TRY(find_records(self));
    struct record_source from = {.view = self->view,
                                 .keys = store_keys_ring(self->keys),
                                 .anchors = &self->arguments->anchors,
                                 .directory =
                                     self->given != NULL ? self->given : self->view->directory,
                                 .standing = self->standing,
                                 .covers = self->covers,
                                 .leaf_hashes = self->leaf_hashes,
                                 .leaf_count = self->leaf_count,
                                 .policy_file = self->arguments->policy,
                                 .tsa_file = self->arguments->tsa};
    TRY(write_folder(self, &from));
    TRY(write_extended(self, &from));
    TRY(write_simple(self, &from));
    TRY(write_stamped(self));
    tell(self);
    return DONE;
}

fault export_command(const struct audit_arguments *arguments)
{
    struct export self = {.arguments = arguments};
    fault f = run(&self);
    export_clear(&self);
    return f;
}
