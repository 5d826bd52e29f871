// SPDX-License-Identifier: MIT
#include "lib/bus/header.h"

#include "lib/base/text.h"
#include "lib/bus/permit_code.h"

#include "audit.pb-c.h"

#include <stdlib.h>

#define YEAR_2000_MS 946684800000
#define YEAR_2050_MS 2524608000000 /* UTCTime in the CMS ends here */

struct header_read {
    Chaski__Header *message;
    struct header header;
    struct erasure erasure;
    struct keeping keeping;
    struct epoch_closed closed;
    struct epoch_head *head;
    struct header_pruned pruned;
    struct late_receipt late;
    struct header_stamped stamped;
    struct header_card card;
    struct withheld withheld;
    struct header_permit permit;
};

static ProtobufCBinaryData binary(const void *at, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)at};
}

/* Protobuf-c wants text with a closing NUL. */
static char *text_of(struct span from, char *out)
{
    if (from.size > 0)
        memcpy(out, from.at, from.size);
    out[from.size] = '\0';
    return out;
}

struct texts {
    char id[5][ID_TEXT_BYTES_MAX + 1];
    char word[9][POLICY_RULE_ROOM];
    char endpoint[ENDPOINT_ID_BYTES_MAX + 1];
    char permit[2][ID_TEXT_BYTES_MAX + 1];
};

static bool texts_fit(const struct header *self)
{
    const struct span ids[] = {self->sender, self->receiver, self->service, self->sender_server,
                               self->receiver_server};
    const struct span words[] = {self->purpose, self->procedure, self->legal_basis, self->case_ref,
                                 self->rule};
    for (size_t i = 0; i < 5; i++)
        if (ids[i].size > ID_TEXT_BYTES_MAX || words[i].size >= POLICY_RULE_ROOM)
            return false;
    if (self->requirement.size > WORD_BYTES_MAX || self->territory.size > WORD_BYTES_MAX ||
        self->source.size > WORD_BYTES_MAX)
        return false;
    if (self->permit != NULL && (self->permit->code.size > PERMIT_CODE_BYTES ||
                                 self->permit->service.size > ID_TEXT_BYTES_MAX))
        return false;
    return self->subject.size <= SUBJECT_BYTES_MAX && self->sealing.size <= WORD_BYTES_MAX &&
           self->endpoint.size <= ENDPOINT_ID_BYTES_MAX;
}

static void fill_texts(const struct header *self, struct texts *texts, Chaski__Header *message)
{
    message->sender = text_of(self->sender, texts->id[0]);
    message->receiver = text_of(self->receiver, texts->id[1]);
    message->service = text_of(self->service, texts->id[2]);
    message->sender_server = text_of(self->sender_server, texts->id[3]);
    message->receiver_server = text_of(self->receiver_server, texts->id[4]);
    message->purpose = text_of(self->purpose, texts->word[0]);
    message->procedure = text_of(self->procedure, texts->word[1]);
    message->legal_basis = text_of(self->legal_basis, texts->word[2]);
    message->case_ref = text_of(self->case_ref, texts->word[3]);
    message->rule = text_of(self->rule, texts->word[4]);
    message->endpoint = text_of(self->endpoint, texts->endpoint);
    message->sealing = text_of(self->sealing, texts->word[5]);
    message->requirement = text_of(self->requirement, texts->word[6]);
    message->territory = text_of(self->territory, texts->word[7]);
    message->source = text_of(self->source, texts->word[8]);
}

struct acts {
    Chaski__Erasure erasure;
    Chaski__Keeping keeping[KEEPING_RULES_MAX];
    Chaski__Keeping *keepings[KEEPING_RULES_MAX];
    Chaski__Pruned pruned;
    Chaski__Stamped stamped;
    Chaski__KeyCard card;
    Chaski__Permit permit;
    Chaski__EpochClosed closed;
    Chaski__EpochHead head[EPOCH_HEADS_MAX];
    Chaski__EpochHead *heads[EPOCH_HEADS_MAX];
    Chaski__Late late;
    Chaski__Withheld column[DIRECTORY_COLUMNS_MAX];
    Chaski__Withheld *columns[DIRECTORY_COLUMNS_MAX];
};

static char *lent(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void fill_closed(const struct epoch_closed *closed, struct acts *acts)
{
    chaski__epoch_closed__init(&acts->closed);
    acts->closed.epoch = closed->epoch;
    acts->closed.size = closed->size;
    acts->closed.root = binary(closed->root.at, SHA256_BYTES);
    acts->closed.asked = closed->asked;
    acts->closed.answered = closed->answered;
    acts->closed.n_head = closed->heads;
    acts->closed.head = acts->heads;
    for (size_t i = 0; i < closed->heads; i++) {
        chaski__epoch_head__init(&acts->head[i]);
        acts->head[i].by = lent(closed->head[i].by);
        acts->head[i].epoch = closed->head[i].epoch;
        acts->head[i].size = closed->head[i].size;
        acts->head[i].root = binary(closed->head[i].root.at, SHA256_BYTES);
        acts->heads[i] = &acts->head[i];
    }
}

static void fill_late(const struct header *self, struct acts *acts, Chaski__Header *message)
{
    chaski__late__init(&acts->late);
    if (self->late == NULL)
        return;
    acts->late.leaf_hash = binary(self->late->leaf_hash.at, SHA256_BYTES);
    acts->late.time_ms = (uint64_t)self->late->time_ms;
    acts->late.kind = (Chaski__Kind)self->late->kind;
    acts->late.own = self->late->own;
    message->late = &acts->late;
}

static void fill_card(const struct header *self, struct acts *acts, Chaski__Header *message)
{
    chaski__key_card__init(&acts->card);
    if (self->card == NULL)
        return;
    acts->card.key = binary(self->card->key, HEADER_CARD_KEY_BYTES);
    acts->card.renew_ms = (uint64_t)self->card->renew_ms;
    acts->card.until_ms = (uint64_t)self->card->until_ms;
    message->card = &acts->card;
}

static void fill_withheld(const struct header *self, struct acts *acts, Chaski__Header *message)
{
    message->n_withheld = self->withheld == NULL ? 0 : self->withheld->count;
    message->withheld = acts->columns;
    for (size_t i = 0; i < message->n_withheld; i++) {
        chaski__withheld__init(&acts->column[i]);
        acts->column[i].column = lent(self->withheld->column[i].name);
        acts->column[i].rule = lent(self->withheld->column[i].rule);
        acts->columns[i] = &acts->column[i];
    }
}

static void fill_permit(const struct header *self, struct texts *texts, struct acts *acts,
                        Chaski__Header *message)
{
    const struct header_permit *permit = self->permit;
    chaski__permit__init(&acts->permit);
    if (permit == NULL)
        return;
    acts->permit.code = text_of(permit->code, texts->permit[0]);
    acts->permit.service = text_of(permit->service, texts->permit[1]);
    acts->permit.reason = (Chaski__PermitReason)permit->reason;
    acts->permit.since_ms = (uint64_t)permit->since_ms;
    acts->permit.until_ms = (uint64_t)permit->until_ms;
    if (permit->has_evidence)
        acts->permit.evidence = binary(permit->evidence.at, SHA256_BYTES);
    acts->permit.evidence_index = permit->evidence_index;
    message->permit = &acts->permit;
}

static void fill_acts(const struct header *self, struct acts *acts, Chaski__Header *message)
{
    chaski__erasure__init(&acts->erasure);
    if (self->erasure != NULL) {
        acts->erasure.first = self->erasure->first;
        acts->erasure.last = self->erasure->last;
        acts->erasure.day = lent(self->erasure->day);
        acts->erasure.of = lent(self->erasure->of);
        acts->erasure.n_except = self->erasure->excepts;
        acts->erasure.except = (char **)(uintptr_t)self->erasure->except;
        acts->erasure.log_epoch = self->erasure->epoch;
        message->erasure = &acts->erasure;
    }
    if (self->pruned != NULL) {
        chaski__pruned__init(&acts->pruned);
        acts->pruned.before = self->pruned->before;
        acts->pruned.root = binary(self->pruned->root.at, SHA256_BYTES);
        message->pruned = &acts->pruned;
    }
    if (self->stamped != NULL) {
        chaski__stamped__init(&acts->stamped);
        acts->stamped.size = self->stamped->size;
        acts->stamped.token_sha256 = binary(self->stamped->token.at, SHA256_BYTES);
        message->stamped = &acts->stamped;
    }
    if (self->closed != NULL) {
        fill_closed(self->closed, acts);
        message->closed = &acts->closed;
    }
    message->n_keeping = self->keeping == NULL ? 0 : self->keeping->count;
    message->keeping = acts->keepings;
    for (size_t i = 0; i < message->n_keeping; i++) {
        chaski__keeping__init(&acts->keeping[i]);
        acts->keeping[i].of = lent(self->keeping->rule[i].of);
        acts->keeping[i].mode = (uint32_t)self->keeping->rule[i].mode;
        acts->keepings[i] = &acts->keeping[i];
    }
}

fault header_encode(const struct header *self, struct bytes **out)
{
    struct texts texts;
    Chaski__Header message = CHASKI__HEADER__INIT;
    if (!texts_fit(self) || (self->closed != NULL && self->closed->heads > EPOCH_HEADS_MAX))
        return RAISE(BAD_REQUEST, "an identifier, word or subject is too long for a header");
    fill_texts(self, &texts, &message);
    struct acts acts;
    fill_acts(self, &acts, &message);
    fill_late(self, &acts, &message);
    fill_card(self, &acts, &message);
    fill_withheld(self, &acts, &message);
    fill_permit(self, &texts, &acts, &message);
    message.version = 1;
    message.exchange_id = binary(self->exchange_id, EXCHANGE_ID_BYTES);
    message.kind = (Chaski__Kind)self->kind;
    message.time_ms = (uint64_t)self->time_ms;
    message.payload_sha256 = binary(self->payload_sha256.at, SHA256_BYTES);
    message.payload_len = self->payload_bytes;
    if (self->has_reply_to)
        message.reply_to = binary(self->reply_to.at, SHA256_BYTES);
    message.log_epoch = self->log_epoch <= 1 ? 0 : self->log_epoch;
    message.log_size = self->log_size;
    message.log_root = binary(self->log_root.at, SHA256_BYTES);
    message.dir_epoch = self->directory_epoch;
    message.deadline_ms = (uint64_t)self->deadline_ms;
    message.subject = binary(self->subject.at, self->subject.size);
    message.subject_year = self->subject_year;
    message.sealed_until_ms = (uint64_t)self->sealed_until_ms;
    message.fault = self->fault;
    message.status = self->status;
    size_t size = chaski__header__get_packed_size(&message);
    if (size > HEADER_BYTES_MAX)
        return RAISE(BAD_REQUEST, "a header of %zu bytes; at most %d", size, HEADER_BYTES_MAX);
    OWNED(bytes) bytes = NULL;
    TRY(bytes_new(size, &bytes));
    chaski__header__pack(&message, bytes->data);
    *out = TAKE(bytes);
    return DONE;
}

// --- reading ------------------------------------------------------------------------------------

static bool kind_known(uint32_t kind)
{
    return (kind >= HEADER_REQUEST && kind <= HEADER_FAULT) ||
           (kind >= HEADER_STARTED && kind < HEADER_KINDS_END);
}

/* An id field: empty, or canonical text with exactly these parts. */
static fault check_id(const char *name, const char *text, unsigned parts, bool may_be_empty)
{
    struct span span = span_of_text(text);
    struct bus_id id;
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (span.size == 0)
        return may_be_empty ? DONE : RAISE(BAD_FRAME, "header without %s", name);
    if (bus_id_is_plain(span, parts))
        return DONE;
    if (failed(bus_id_parse(span, parts, parts, &id)))
        return RAISE(BAD_FRAME, "%s in a header is not an identifier", name);
    size_t length = bus_id_text(&id, parts, canonical, sizeof canonical);
    if (!span_equal(span, span_of(canonical, length)))
        return RAISE(BAD_FRAME, "%s in a header is not in canonical form", name);
    return DONE;
}

static fault check_ids(const Chaski__Header *message)
{
    bool own = (unsigned)message->kind >= HEADER_STARTED; /* about the log itself */
    TRY(check_id("sender", message->sender, own ? ID_MEMBER : ID_SUBSYSTEM, false));
    TRY(check_id("sender_server", message->sender_server, ID_SERVER, false));
    TRY(check_id("receiver", message->receiver, ID_SUBSYSTEM, true));
    TRY(check_id("receiver_server", message->receiver_server, ID_SERVER, true));
    return check_id("service", message->service, ID_SERVICE, true);
}

static fault check_sizes(const Chaski__Header *message)
{
    if (message->exchange_id.len != EXCHANGE_ID_BYTES ||
        message->payload_sha256.len != SHA256_BYTES || message->log_root.len != SHA256_BYTES ||
        (message->reply_to.len != 0 && message->reply_to.len != SHA256_BYTES) ||
        message->subject.len > SUBJECT_BYTES_MAX)
        return RAISE(BAD_FRAME, "a field of a header has the wrong size");
    const char *words[] = {message->purpose,  message->procedure,   message->legal_basis,
                           message->case_ref, message->requirement, message->territory,
                           message->source};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) > WORD_BYTES_MAX || !text_is_plain(span_of_text(words[i])))
            return RAISE(BAD_FRAME, "a word of a header is not plain text of at most %d bytes",
                         WORD_BYTES_MAX);
    if (strlen(message->rule) >= POLICY_RULE_ROOM || !text_is_plain(span_of_text(message->rule)))
        return RAISE(BAD_FRAME, "the rule in a header is too long or not plain text");
    if (strlen(message->endpoint) > ENDPOINT_ID_BYTES_MAX ||
        !text_is_plain(span_of_text(message->endpoint)))
        return RAISE(BAD_FRAME, "the endpoint in a header is too long or not plain text");
    return DONE;
}

static bool is_scope(const char *of)
{
    return strlen(of) <= ID_TEXT_BYTES_MAX && text_is_plain(span_of_text(of));
}

static fault check_erasure(const Chaski__Header *message)
{
    const Chaski__Erasure *erasure = message->erasure;
    uint64_t day;
    if ((erasure != NULL) != ((unsigned)message->kind == HEADER_ERASED))
        return RAISE(BAD_FRAME, "an erasure stands in the header of another kind, or in none");
    if (erasure == NULL)
        return DONE;
    bool good = erasure->base.n_unknown_fields == 0 && erasure->first <= erasure->last &&
                erasure->last < UINT64_MAX && strlen(erasure->day) == 8 &&
                !failed(text_number(span_of_text(erasure->day), 99991231, &day)) &&
                erasure->n_except <= KEEPING_RULES_MAX && is_scope(erasure->of) &&
                (erasure->log_epoch == 0 || erasure->log_epoch < message->log_epoch);
    for (size_t i = 0; good && i < erasure->n_except; i++)
        good = is_scope(erasure->except[i]);
    return good ? DONE : RAISE(BAD_FRAME, "an erasure of no possible entries");
}

static fault check_keeping(const Chaski__Header *message)
{
    bool good = message->n_keeping <= KEEPING_RULES_MAX &&
                (message->n_keeping == 0 || (unsigned)message->kind == HEADER_STARTED);
    for (size_t i = 0; good && i < message->n_keeping; i++)
        good = message->keeping[i]->base.n_unknown_fields == 0 &&
               message->keeping[i]->mode <= KEEP_OFF && is_scope(message->keeping[i]->of);
    return good ? DONE : RAISE(BAD_FRAME, "a header says in no possible way what is kept");
}

static fault check_withheld(const Chaski__Header *message)
{
    bool good = message->n_withheld <= DIRECTORY_COLUMNS_MAX &&
                (message->n_withheld == 0 || (unsigned)message->kind == HEADER_RESPONSE);
    for (size_t i = 0; good && i < message->n_withheld; i++) {
        const Chaski__Withheld *at = message->withheld[i];
        good = at->base.n_unknown_fields == 0 && at->column[0] != '\0' && at->rule[0] != '\0' &&
               strlen(at->column) <= COLUMN_NAME_BYTES_MAX &&
               text_is_plain(span_of_text(at->column)) && strlen(at->rule) < POLICY_RULE_ROOM &&
               text_is_plain(span_of_text(at->rule));
    }
    return good ? DONE : RAISE(BAD_FRAME, "a header says in no possible way what is withheld");
}

static fault check_pruned(const Chaski__Header *message)
{
    const Chaski__Pruned *pruned = message->pruned;
    if ((pruned != NULL) != ((unsigned)message->kind == HEADER_PRUNED))
        return RAISE(BAD_FRAME, "a prune stands in the header of another kind, or in none");
    if (pruned != NULL && (pruned->base.n_unknown_fields > 0 || pruned->before == 0 ||
                           pruned->before > message->log_size || pruned->root.len != SHA256_BYTES))
        return RAISE(BAD_FRAME, "a prune of no possible entries");
    return DONE;
}

/* Records of before this field are without it. A stamp covers what stands before its record. */
static fault check_stamped(const Chaski__Header *message)
{
    const Chaski__Stamped *stamped = message->stamped;
    if (stamped == NULL)
        return DONE;
    bool good = (unsigned)message->kind == HEADER_STAMPED && stamped->base.n_unknown_fields == 0 &&
                stamped->size > 0 && stamped->size <= message->log_size &&
                stamped->token_sha256.len == SHA256_BYTES;
    return good ? DONE : RAISE(BAD_FRAME, "a header names in no possible way a time stamp");
}

/* A server, or a witness that is none: by the name of its key. */
static bool is_holder(const char *by)
{
    static const uint8_t any[ED25519_PUBLIC_BYTES] = {0};
    struct note_key key;
    return !failed(check_id("a holder of a head", by, ID_SERVER, false)) ||
           !failed(note_key_make(by, NOTE_WITNESS, any, &key));
}

static bool is_head(const Chaski__EpochHead *head)
{
    return head->base.n_unknown_fields == 0 && head->epoch >= 1 && head->epoch <= LOG_EPOCHS_MAX &&
           head->root.len == SHA256_BYTES && is_holder(head->by);
}

/* An epoch number is written only when it is not 1; an epoch that ends is one before this one. */
static fault check_epoch(const Chaski__Header *message)
{
    const Chaski__EpochClosed *closed = message->closed;
    if (message->log_epoch == 1 || message->log_epoch > LOG_EPOCHS_MAX)
        return RAISE(BAD_FRAME, "a log's epoch of number %u in a header", message->log_epoch);
    if (closed == NULL)
        return DONE;
    bool good = (unsigned)message->kind == HEADER_INCIDENT && closed->base.n_unknown_fields == 0 &&
                closed->epoch >= 1 && closed->epoch + 1 == message->log_epoch &&
                message->log_size == 0 && closed->root.len == SHA256_BYTES &&
                closed->n_head <= EPOCH_HEADS_MAX;
    for (size_t i = 0; good && i < closed->n_head; i++)
        good = is_head(closed->head[i]);
    return good ? DONE : RAISE(BAD_FRAME, "a header closes an epoch in no possible way");
}

static bool time_fits(uint64_t time_ms)
{
    return time_ms >= YEAR_2000_MS && time_ms < YEAR_2050_MS;
}

static fault check_late(const Chaski__Header *message)
{
    const Chaski__Late *late = message->late;
    if ((late != NULL) != ((unsigned)message->kind == HEADER_LATE))
        return RAISE(BAD_FRAME, "a late receipt stands in the header of another kind, or in none");
    if (late == NULL)
        return DONE;
    bool good = late->base.n_unknown_fields == 0 && late->leaf_hash.len == SHA256_BYTES &&
                time_fits(late->time_ms) && late->kind >= CHASKI__KIND__REQUEST &&
                late->kind <= CHASKI__KIND__FAULT && message->receiver_server[0] != '\0';
    return good ? DONE : RAISE(BAD_FRAME, "a late receipt of no possible leaf");
}

/* All zero bytes are no key to which anything could be sealed. */
static fault check_card(const Chaski__Header *message)
{
    static const uint8_t none[HEADER_CARD_KEY_BYTES];
    const Chaski__KeyCard *card = message->card;
    if ((card != NULL) != ((unsigned)message->kind == HEADER_KEY_CARD))
        return RAISE(BAD_FRAME, "a key card stands in the header of another kind, or in none");
    if (card == NULL)
        return DONE;
    bool good = card->base.n_unknown_fields == 0 && card->key.len == sizeof none &&
                memcmp(card->key.data, none, sizeof none) != 0 && time_fits(card->renew_ms) &&
                time_fits(card->until_ms) && message->time_ms < card->renew_ms &&
                card->renew_ms <= card->until_ms;
    return good ? DONE : RAISE(BAD_FRAME, "a key card of no possible key or times");
}

/* In itself, or as a receipt that tells of one. */
static bool is_of_exchange(const Chaski__Header *message)
{
    return (unsigned)message->kind <= HEADER_FAULT || (unsigned)message->kind == HEADER_LATE;
}

/* A seal hides an exchange from the person whom it is about: there must be one. */
static fault check_subject(const Chaski__Header *message)
{
    bool sealed = message->sealed_until_ms != 0;
    if (message->subject_year != 0 &&
        (message->subject.len != SHA256_BYTES || message->subject_year < SUBJECT_YEAR_FIRST ||
         message->subject_year > SUBJECT_YEAR_LAST))
        return RAISE(BAD_FRAME, "a header names the year of a pseudonym in no possible way");
    if (sealed != (message->sealing[0] != '\0') || strlen(message->sealing) > WORD_BYTES_MAX ||
        !text_is_plain(span_of_text(message->sealing)) ||
        (sealed && (message->subject_year == 0 || !is_of_exchange(message) ||
                    !time_fits(message->sealed_until_ms))))
        return RAISE(BAD_FRAME, "a header is sealed in no possible way");
    if ((unsigned)message->kind == HEADER_LOOKED && message->subject_year == 0)
        return RAISE(BAD_FRAME, "a record of a look that names nobody's pseudonym");
    return DONE;
}

/* Permits lean on what a source answered: it is said of which case. */
static fault check_source(const Chaski__Header *message)
{
    bool good = message->source[0] == '\0' ||
                ((unsigned)message->kind == HEADER_REQUEST && message->procedure[0] != '\0' &&
                 message->requirement[0] != '\0' && message->case_ref[0] != '\0');
    return good ? DONE
                : RAISE(BAD_FRAME, "a header names a source, and is no request of a requirement of "
                                   "a procedure in a case");
}

/* What others read of a permit must be all that was decided. */
static fault check_permit(const Chaski__Header *message)
{
    const Chaski__Permit *permit = message->permit;
    bool is_permit = (unsigned)message->kind == HEADER_PERMIT;
    if ((permit != NULL) != is_permit)
        return RAISE(BAD_FRAME, "a permit stands in the header of another kind, or in none");
    if (message->territory[0] != '\0' && !is_permit &&
        (unsigned)message->kind != HEADER_PERMIT_DENIED)
        return RAISE(BAD_FRAME, "a territory stands in the header of another kind than permits");
    if (permit == NULL)
        return DONE;
    bool borne = permit_reason_needs_evidence((enum permit_reason)permit->reason);
    bool down = permit->reason == CHASKI__PERMIT_REASON__SOURCE_DOWN;
    bool good = permit->base.n_unknown_fields == 0 &&
                permit_reason_word((enum permit_reason)permit->reason)[0] != '\0' &&
                permit_code_fits(permit->code) && time_fits(permit->until_ms) &&
                permit->until_ms > message->time_ms &&
                (down ? time_fits(permit->since_ms) : permit->since_ms == 0) &&
                permit->evidence.len == (borne ? SHA256_BYTES : 0) &&
                (borne || permit->evidence_index == 0);
    if (!good)
        return RAISE(BAD_FRAME, "a permit of no possible code, reason or times");
    return check_id("the service of a permit", permit->service, ID_SERVICE, !borne);
}

static fault check_message(const Chaski__Header *message)
{
    if (message->version != 1)
        return RAISE(BAD_FRAME, "header version %u; this server reads 1", message->version);
    if (!kind_known(message->kind))
        return RAISE(BAD_FRAME, "header of unknown kind %u", (unsigned)message->kind);
    if (!time_fits(message->time_ms) || message->deadline_ms >= YEAR_2050_MS)
        return RAISE(BAD_FRAME, "a time in a header is not between 2000 and 2049");
    TRY(check_sizes(message));
    TRY(check_erasure(message));
    TRY(check_keeping(message));
    TRY(check_epoch(message));
    TRY(check_pruned(message));
    TRY(check_stamped(message));
    TRY(check_late(message));
    TRY(check_card(message));
    TRY(check_withheld(message));
    TRY(check_subject(message));
    TRY(check_permit(message));
    TRY(check_source(message));
    return check_ids(message);
}

static struct sha256 hash_of(ProtobufCBinaryData data)
{
    struct sha256 hash = {{0}};
    if (data.len == SHA256_BYTES)
        memcpy(hash.at, data.data, SHA256_BYTES);
    return hash;
}

static void fill_header(const Chaski__Header *message, struct header *out)
{
    out->kind = (enum header_kind)message->kind;
    memcpy(out->exchange_id, message->exchange_id.data, EXCHANGE_ID_BYTES);
    out->sender = span_of_text(message->sender);
    out->receiver = span_of_text(message->receiver);
    out->service = span_of_text(message->service);
    out->sender_server = span_of_text(message->sender_server);
    out->receiver_server = span_of_text(message->receiver_server);
    out->time_ms = (int64_t)message->time_ms;
    out->deadline_ms = (int64_t)message->deadline_ms;
    out->payload_sha256 = hash_of(message->payload_sha256);
    out->payload_bytes = message->payload_len;
    out->has_reply_to = message->reply_to.len == SHA256_BYTES;
    out->reply_to = hash_of(message->reply_to);
    out->log_epoch = message->log_epoch == 0 ? 1 : message->log_epoch;
    out->log_size = message->log_size;
    out->log_root = hash_of(message->log_root);
    out->directory_epoch = message->dir_epoch;
    out->purpose = span_of_text(message->purpose);
    out->procedure = span_of_text(message->procedure);
    out->legal_basis = span_of_text(message->legal_basis);
    out->case_ref = span_of_text(message->case_ref);
    out->subject = span_of(message->subject.data, message->subject.len);
    out->subject_year = message->subject_year;
    out->sealed_until_ms = (int64_t)message->sealed_until_ms;
    out->sealing = span_of_text(message->sealing);
    out->rule = span_of_text(message->rule);
    out->endpoint = span_of_text(message->endpoint);
    out->requirement = span_of_text(message->requirement);
    out->territory = span_of_text(message->territory);
    out->source = span_of_text(message->source);
    out->fault = message->fault;
    out->status = message->status;
}

static void fill_read_closed(struct header_read *self, const Chaski__EpochClosed *closed)
{
    self->head = owned_array(closed->n_head + 1, sizeof *self->head);
    for (size_t i = 0; i < closed->n_head; i++)
        self->head[i] = (struct epoch_head){closed->head[i]->by, closed->head[i]->epoch,
                                            closed->head[i]->size, hash_of(closed->head[i]->root)};
    self->closed = (struct epoch_closed){closed->epoch, closed->size,     hash_of(closed->root),
                                         closed->asked, closed->answered, closed->n_head,
                                         self->head};
    self->header.closed = &self->closed;
}

static void fill_read_card(struct header_read *self, const Chaski__KeyCard *card)
{
    memcpy(self->card.key, card->key.data, HEADER_CARD_KEY_BYTES);
    self->card.renew_ms = (int64_t)card->renew_ms;
    self->card.until_ms = (int64_t)card->until_ms;
    self->header.card = &self->card;
}

static void fill_read_permit(struct header_read *self, const Chaski__Permit *permit)
{
    self->permit = (struct header_permit){
        span_of_text(permit->code), (enum permit_reason)permit->reason,   (int64_t)permit->since_ms,
        (int64_t)permit->until_ms,  permit->evidence.len == SHA256_BYTES, hash_of(permit->evidence),
        permit->evidence_index,     span_of_text(permit->service)};
    self->header.permit = &self->permit;
}

/* What few headers have; texts are the message's. */
static void fill_read_acts(struct header_read *self)
{
    const Chaski__Header *message = self->message;
    if (message->erasure != NULL) {
        self->erasure = (struct erasure){
            message->erasure->first,    message->erasure->last,
            message->erasure->day,      message->erasure->of,
            message->erasure->n_except, (const char *const *)message->erasure->except,
            message->erasure->log_epoch};
        self->header.erasure = &self->erasure;
    }
    if (message->pruned != NULL) {
        self->pruned =
            (struct header_pruned){message->pruned->before, hash_of(message->pruned->root)};
        self->header.pruned = &self->pruned;
    }
    if (message->stamped != NULL) {
        self->stamped = (struct header_stamped){message->stamped->size,
                                                hash_of(message->stamped->token_sha256)};
        self->header.stamped = &self->stamped;
    }
    if (message->card != NULL)
        fill_read_card(self, message->card);
    if (message->permit != NULL)
        fill_read_permit(self, message->permit);
    if (message->closed != NULL)
        fill_read_closed(self, message->closed);
    for (size_t i = 0; i < message->n_withheld; i++)
        self->withheld.column[self->withheld.count++] =
            (struct withheld_column){message->withheld[i]->column, message->withheld[i]->rule};
    if (message->n_withheld > 0)
        self->header.withheld = &self->withheld;
    if (message->late != NULL) {
        self->late = (struct late_receipt){
            hash_of(message->late->leaf_hash), (int64_t)message->late->time_ms,
            (enum header_kind)message->late->kind, message->late->own != 0};
        self->header.late = &self->late;
    }
    if (message->n_keeping == 0)
        return;
    self->keeping.rule = owned_array(message->n_keeping, sizeof *self->keeping.rule);
    for (size_t i = 0; i < message->n_keeping; i++)
        self->keeping.rule[self->keeping.count++] = (struct keeping_rule){
            message->keeping[i]->of, (enum keep_mode)message->keeping[i]->mode};
    self->header.keeping = &self->keeping;
}

/* One meaning, one encoding: what we read must be all that another reader of the signed bytes can
 * see in them. No fields of a later version, no NUL inside a text, no second way to write a field.
 */
static fault check_canonical(const Chaski__Header *message, struct span bytes)
{
    uint8_t again[HEADER_BYTES_MAX];
    if (message->base.n_unknown_fields > 0)
        return RAISE(BAD_FRAME, "a header with fields that version 1 does not have");
    if (chaski__header__get_packed_size(message) != bytes.size ||
        !span_equal(span_of(again, chaski__header__pack(message, again)), bytes))
        return RAISE(BAD_FRAME, "a header that is not in canonical form");
    return DONE;
}

fault header_decode(struct span bytes, struct header_read **out)
{
    if (bytes.size > HEADER_BYTES_MAX)
        return RAISE(BAD_FRAME, "a header of %zu bytes", bytes.size);
    OWNED(header_read) self = owned_new(sizeof *self);
    self->message = chaski__header__unpack(NULL, bytes.size, bytes.at);
    if (self->message == NULL)
        return RAISE(BAD_FRAME, "not a header");
    TRY(check_canonical(self->message, bytes));
    TRY(check_message(self->message));
    fill_header(self->message, &self->header);
    fill_read_acts(self);
    *out = TAKE(self);
    return DONE;
}

void header_read_free(struct header_read **self)
{
    if (*self == NULL)
        return;
    if ((*self)->message != NULL)
        chaski__header__free_unpacked((*self)->message, NULL);
    free((*self)->keeping.rule);
    free((*self)->head);
    free(*self);
    *self = NULL;
}

const struct header *header_of(const struct header_read *self)
{
    return &self->header;
}

const char *header_kind_word(enum header_kind kind)
{
    switch (kind) {
    case HEADER_REQUEST:
        return "request";
    case HEADER_RESPONSE:
        return "response";
    case HEADER_FAULT:
        return "fault";
    case HEADER_STARTED:
        return "started";
    case HEADER_STOPPED:
        return "stopped";
    case HEADER_INCIDENT:
        return "incident";
    case HEADER_STAMPED:
        return "stamped";
    case HEADER_ERASED:
        return "erased";
    case HEADER_PRUNED:
        return "pruned";
    case HEADER_LATE:
        return "late";
    case HEADER_KEY_CARD:
        return "card";
    case HEADER_NOTICE:
        return "notice";
    case HEADER_LOOKED:
        return "looked";
    case HEADER_PERMIT:
        return "permit";
    case HEADER_PERMIT_DENIED:
        return "permit-denied";
    }
    return "unknown";
}

static const char *const reason_words[PERMIT_REASONS_END] = {
    [PERMIT_NO_SOURCE] = "NO_SOURCE",
    [PERMIT_SOURCE_DOWN] = "SOURCE_DOWN",
    [PERMIT_NO_UNIQUE_MATCH] = "NO_UNIQUE_MATCH",
    [PERMIT_CITIZEN_PREFERS] = "CITIZEN_PREFERS",
    [PERMIT_STALE] = "STALE"};

const char *permit_reason_word(enum permit_reason reason)
{
    return reason > 0 && reason < PERMIT_REASONS_END ? reason_words[reason] : "";
}

enum permit_reason permit_reason_of(const char *word)
{
    for (enum permit_reason reason = 1; reason < PERMIT_REASONS_END; reason++)
        if (strcmp(word, reason_words[reason]) == 0)
            return reason;
    return 0;
}

bool permit_reason_needs_evidence(enum permit_reason reason)
{
    return reason == PERMIT_SOURCE_DOWN || reason == PERMIT_NO_UNIQUE_MATCH ||
           reason == PERMIT_STALE;
}
