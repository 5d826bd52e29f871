// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_quorum.h"

#include "lib/base/clock.h"
#include "tests/unit/bus/book.h"

#define WITNESSES 3
#define ALARM_MS 900000

static const char *const server_id[WITNESSES] = {MEDELLIN "/W1", DANE "/W1", FIRM "/W1"};
static struct keypair *signer[WITNESSES];
static struct note_key witness[WITNESSES];

/* A server that is a witness; everything else of it is made up. */
static void add_witness(struct book *book, size_t which, const char *member)
{
    uint8_t transport[32], seal[32], log[32];
    char name[64], log_vkey[400], vkey[400];
    struct note_key log_key;
    OWNED(keypair) key = NULL;
    OWNED(bytes) public = NULL;
    OWNED(certificate) certificate = book_issue(book, member, "W1", &key);
    memset(transport, (int)which + 40, sizeof transport);
    memset(seal, (int)which + 50, sizeof seal);
    memset(log, (int)which + 60, sizeof log);
    snprintf(name, sizeof name, "log.example/w%zu/1", which);
    MUST(note_key_make(name, NOTE_LOG, log, &log_key));
    note_key_text(&log_key, log_vkey, sizeof log_vkey);
    keypair_free(&signer[which]);
    MUST(keypair_make(KEY_ED25519, &signer[which]));
    MUST(keypair_public(signer[which], &public));
    snprintf(name, sizeof name, "wit.example/%zu", which);
    MUST(note_key_make(name, NOTE_WITNESS, public->data, &witness[which]));
    note_key_text(&witness[which], vkey, sizeof vkey);
    struct span der = certificate_der(certificate);
    ProtobufCBinaryData certificates[] = {{der.size, (uint8_t *)(uintptr_t)der.at}};
    ProtobufCBinaryData seals[] = {{sizeof seal, seal}};
    char *addresses[] = {book_text("tcp://[::1]:5600")};
    BOOK_ACT(book, SERVER_SET, server_set, CHASKI__SERVER_SET__INIT,
             it->id = book_text(server_id[which]), it->n_address = 1, it->address = addresses,
             it->transport_key = (ProtobufCBinaryData){sizeof transport, transport},
             it->n_seal_key = 1, it->seal_key = seals, it->log_vkey = log_vkey,
             it->n_certificate = 1, it->certificate = certificates, it->witness_vkey = vkey);
}

static struct book *begin(unsigned quorum)
{
    static const char *const member[WITNESSES] = {MEDELLIN, DANE, FIRM};
    struct book *book = book_new();
    char *servers[WITNESSES];
    book_country(book);
    for (size_t i = 0; i < WITNESSES; i++) {
        add_witness(book, i, member[i]);
        servers[i] = book_text(server_id[i]);
    }
    BOOK_ACT(book, DIRECTORY_WITNESSES_SET, directory_witnesses_set,
             CHASKI__DIRECTORY_WITNESSES_SET__INIT, it->n_server = quorum == 0 ? 0 : WITNESSES,
             it->server = servers, it->quorum = quorum);
    return book;
}

static struct directory *fold(struct book *book)
{
    struct directory *state = NULL;
    book_sign_all(book);
    MUST(directory_fold(book->leaves, book->count, book->trust, book->authority, &state));
    return state;
}

static struct checkpoint head_of(const struct book *book, const struct directory *state)
{
    struct checkpoint head = {.size = directory_epoch(state), .root = directory_root(state)};
    snprintf(head.origin, sizeof head.origin, "%s", book->log.name);
    return head;
}

/* A note with the lines of these witnesses (bits), made one after the other from time_s on. */
static struct bytes *note_of(const struct book *book, const struct checkpoint *head, unsigned by,
                             uint64_t time_s)
{
    struct bytes *note = NULL;
    char body[CHECKPOINT_BODY_ROOM + 64];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    size_t size = checkpoint_body(head, body, sizeof body);
    MUST(keypair_sign_message(book->log_key, span_of(body, size), signature));
    MUST(checkpoint_note(head, &book->log, signature, &note));
    for (size_t i = 0; i < WITNESSES; i++) {
        if ((by >> i & 1) == 0)
            continue;
        size = cosignature_body(head, time_s + i, body, sizeof body);
        MUST(keypair_sign_message(signer[i], span_of(body, size), signature));
        MUST(cosignature_append(note, &witness[i], time_s + i, signature));
    }
    return note;
}

static bool see(struct directory_quorum *self, const struct book *book,
                const struct directory *state, const struct checkpoint *head, unsigned by)
{
    OWNED(bytes) note = note_of(book, head, by, 1000);
    return directory_quorum_see(self, state, bytes_span(note));
}

static void test_a_quorum_confirms_and_less_does_not(void)
{
    OWNED(book) book = begin(2);
    OWNED(directory) state = fold(book);
    struct checkpoint head = head_of(book, state);
    struct directory_quorum self = {0};
    CU_ASSERT_FALSE(see(&self, book, state, &head, 0));
    CU_ASSERT_EQUAL(self.quorum, 2);
    CU_ASSERT(self.waiting_ms != 0);
    CU_ASSERT(see(&self, book, state, &head, 1)); /* better than none */
    CU_ASSERT_FALSE(see(&self, book, state, &head, 4));
    CU_ASSERT_EQUAL(self.confirmed, 0);
    CU_ASSERT(see(&self, book, state, &head, 5));
    CU_ASSERT_EQUAL(self.confirmed, head.size);
    CU_ASSERT_EQUAL(self.time_s, 1000); /* the older of the two that make it */
    CU_ASSERT_EQUAL(self.waiting_ms, 0);
    CU_ASSERT(see(&self, book, state, &head, 7));
    CU_ASSERT_EQUAL(self.time_s, 1001);
    CU_ASSERT_FALSE(see(&self, book, state, &head, 1)); /* a worse one changes nothing */
    CU_ASSERT_EQUAL(self.confirmed, head.size);
}

static void test_cosignatures_of_another_head_do_not_count(void)
{
    OWNED(book) book = begin(2);
    OWNED(directory) state = fold(book);
    struct checkpoint other = head_of(book, state);
    struct directory_quorum self = {0};
    other.root.at[0] ^= 1;
    CU_ASSERT_FALSE(see(&self, book, state, &other, 7));
    other.root.at[0] ^= 1;
    other.size--;
    CU_ASSERT_FALSE(see(&self, book, state, &other, 7));
    CU_ASSERT_EQUAL(self.have, 0);
    CU_ASSERT_EQUAL(self.confirmed, 0);
}

static void test_who_waits_too_long_is_told_of_once_in_a_while(void)
{
    OWNED(book) book = begin(2);
    OWNED(directory) state = fold(book);
    struct checkpoint head = head_of(book, state);
    struct directory_quorum self = {0};
    clock_set_for_test(BOOK_START_MS, 1000000);
    see(&self, book, state, &head, 1);
    clock_advance_for_test(ALARM_MS - 1);
    directory_quorum_watch(&self, ALARM_MS);
    CU_ASSERT_EQUAL(self.said_ms, 0);
    clock_advance_for_test(2);
    directory_quorum_watch(&self, ALARM_MS);
    int64_t said_ms = self.said_ms;
    CU_ASSERT(said_ms > 0);
    clock_advance_for_test(1000);
    directory_quorum_watch(&self, ALARM_MS);
    CU_ASSERT_EQUAL(self.said_ms, said_ms);
    clock_advance_for_test(ALARM_MS);
    directory_quorum_watch(&self, ALARM_MS);
    CU_ASSERT(self.said_ms > said_ms);
    see(&self, book, state, &head, 3);
    said_ms = self.said_ms;
    clock_advance_for_test(2 * ALARM_MS);
    directory_quorum_watch(&self, ALARM_MS);
    CU_ASSERT_EQUAL(self.said_ms, said_ms);
    clock_set_for_test(0, -1);
}

static void test_without_witnesses_nobody_is_waited_for(void)
{
    OWNED(book) book = begin(0);
    OWNED(directory) state = fold(book);
    struct checkpoint head = head_of(book, state);
    struct directory_quorum self = {0};
    CU_ASSERT_FALSE(see(&self, book, state, &head, 7));
    CU_ASSERT_EQUAL(self.quorum, 0);
    CU_ASSERT_EQUAL(self.waiting_ms, 0);
    for (size_t i = 0; i < WITNESSES; i++)
        keypair_free(&signer[i]);
}

SUITE(directory_quorum, TEST(test_a_quorum_confirms_and_less_does_not),
      TEST(test_cosignatures_of_another_head_do_not_count),
      TEST(test_who_waits_too_long_is_told_of_once_in_a_while),
      TEST(test_without_witnesses_nobody_is_waited_for))
