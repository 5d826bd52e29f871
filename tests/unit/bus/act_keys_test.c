// SPDX-License-Identifier: MIT
/* The key of the directory's log, changed by acts: what the fold takes, and which heads count. */
#include "lib/bus/act_approval.h"
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/handover.h"

#include "tests/unit/bus/book.h"

#include <unistd.h>

/* The last act is refused, and taken back. */
#define BAD(added)                                         \
    do {                                                   \
        OWNED(directory) none_ = NULL;                     \
        added;                                             \
        MUST_FAIL(DIRECTORY_BAD, book_fold(book, &none_)); \
        bytes_free(&book->act[--book->count]);             \
    } while (0)

/* A key of the log, of before or to come. */
struct log_key {
    struct keypair *key;
    struct note_key public;
};

static struct log_key key_of(struct keypair *key, const char *name)
{
    struct log_key self = {.key = key};
    OWNED(bytes) public = NULL;
    MUST(keypair_public(key, &public));
    MUST(note_key_make(name, NOTE_LOG, public->data, &self.public));
    return self;
}

static void add_change(struct book *book, const struct handover *with)
{
    char before[400], after[400];
    note_key_text(&with->before, before, sizeof before);
    note_key_text(&with->after, after, sizeof after);
    BOOK_ACT(book, AUTHORITY_KEYS_SET, authority_keys_set, CHASKI__AUTHORITY_KEYS_SET__INIT,
             it->log_vkey_before = before, it->log_vkey = after,
             it->signature_before =
                 (ProtobufCBinaryData){64, (uint8_t *)(uintptr_t)with->signature_before},
             it->signature =
                 (ProtobufCBinaryData){64, (uint8_t *)(uintptr_t)with->signature_after});
}

static void change(struct book *book, const struct log_key *before, const struct log_key *after)
{
    struct handover with;
    MUST(handover_make(&before->public, before->key, &after->public, after->key, &with));
    add_change(book, &with);
}

static void sign_as(struct book *book, const struct log_key *by)
{
    book->log = by->public;
    book->log_key = by->key;
}

static bool is_key(const struct note_key *found, const struct log_key *wanted)
{
    return found != NULL && memcmp(found->public_key, wanted->public.public_key, 32) == 0;
}

struct keys {
    struct log_key one, two, three;
    struct keypair *made[2];
};

static struct keys keys_make(const struct book *book)
{
    struct keys self = {.one = key_of(book->log_key, book->log.name)};
    MUST(keypair_make(KEY_ED25519, &self.made[0]));
    MUST(keypair_make(KEY_ED25519, &self.made[1]));
    self.two = key_of(self.made[0], book->log.name);
    self.three = key_of(self.made[1], book->log.name);
    return self;
}

static void keys_end(struct keys *self, struct book *book)
{
    sign_as(book, &self->one); /* the book frees its own */
    keypair_free(&self->made[0]);
    keypair_free(&self->made[1]);
}

static void test_a_change_is_signed_by_both_keys_and_goes_one_way(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) taken = NULL;
    struct handover with;
    struct keys key = keys_make(book);
    struct log_key other = key_of(key.three.key, "chaski/XX/directory");
    MUST_FAIL(DIRECTORY_BAD,
              handover_make(&key.one.public, key.one.key, &other.public, other.key, &with));
    MUST_FAIL(DIRECTORY_BAD,
              handover_make(&key.one.public, key.one.key, &key.one.public, key.one.key, &with));
    MUST_FAIL(DIRECTORY_BAD, /* a thief of nothing */
              handover_make(&key.one.public, key.three.key, &key.two.public, key.two.key, &with));
    MUST(handover_make(&key.one.public, key.one.key, &key.two.public, key.two.key, &with));
    with.signature_after[5] ^= 1;
    BAD(add_change(book, &with));
    change(book, &key.one, &key.two);
    BAD(change(book, &key.one, &key.three)); /* the old one has nothing to give any more */
    BAD(change(book, &key.two, &key.one));   /* and does not come back */
    MUST(book_fold(book, &taken));
    CU_ASSERT(is_key(directory_log_key(taken), &key.two));
    keys_end(&key, book);
}

static void test_it_needs_two_approvers(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct keys key = keys_make(book);
    MUST(book_fold(book, &state));
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__AuthorityKeysSet set = CHASKI__AUTHORITY_KEYS_SET__INIT;
    act.act_case = CHASKI__ACT__ACT_AUTHORITY_KEYS_SET;
    act.authority_keys_set = &set;
    struct act_need need = act_approval_need(state, &act);
    CU_ASSERT_EQUAL(need.operators, 2);
    CU_ASSERT_EQUAL(need.role, ROLE_APPROVE);
    CU_ASSERT_PTR_NULL(need.member);
    keys_end(&key, book);
}

static fault load(struct book *book, const char *folder, const struct log_key *base,
                  struct directory **out)
{
    return directory_load(folder, book->trust, &base->public, NULL, NULL, book->time_ms, out);
}

/* Two changes, each with its own published head; what stands in `handovers` too. */
static const char *changed_twice(struct book *book, const struct keys *key)
{
    const char *folder = unit_folder();
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 0);
    size_t size = book->count;
    change(book, &key->one, &key->two);
    change(book, &key->two, &key->three);
    book_published(book, BOOK_DAY_MS);
    sign_as(book, &key->three);
    book_publish(book, folder, size);
    MUST(handovers_add(folder, book->leaves, book->count));
    return folder;
}

static void test_any_key_of_the_chain_leads_to_the_newest(void)
{
    OWNED(book) book = book_new();
    struct keys key = keys_make(book);
    const struct log_key *base[] = {&key.one, &key.two, &key.three};
    const char *folder = changed_twice(book, &key);
    for (size_t i = 0; i < 3; i++) {
        OWNED(directory) state = NULL;
        MUST(load(book, folder, base[i], &state));
        CU_ASSERT(is_key(directory_log_key(state), &key.three));
    }
    struct log_key stranger = key_of(key.one.key, "chaski/XX/directory");
    OWNED(directory) none = NULL;
    MUST_FAIL(DIRECTORY_BAD, load(book, folder, &stranger, &none));
    keys_end(&key, book);
}

static void test_a_key_that_gave_way_signs_nothing_that_is_loaded(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) none = NULL;
    struct keys key = keys_make(book);
    const char *folder = changed_twice(book, &key);
    for (int i = 0; i < DIRECTORY_BOTH_KEYS + 2; i++) {
        char id[20];
        snprintf(id, sizeof id, "P-%d", i);
        book_purpose(book, id);
    }
    size_t size = 0;
    book_published(book, BOOK_DAY_MS);
    sign_as(book, &key.one); /* stolen */
    book_publish(book, folder, size);
    MUST_FAIL(DIRECTORY_BAD, load(book, folder, &key.one, &none));
    char path[300];
    snprintf(path, sizeof path, "%s/handovers", folder);
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST_FAIL(DIRECTORY_BAD, load(book, folder, &key.one, &none)); /* the acts say it too */
    sign_as(book, &key.three);
    book_publish(book, folder, size);
    MUST(handovers_add(folder, book->leaves, book->count));
    MUST(load(book, folder, &key.one, &none));
    keys_end(&key, book);
}

static void test_a_file_without_its_acts_changes_nothing(void)
{
    OWNED(book) book = book_new();
    OWNED(book) other = book_new();
    OWNED(directory) none = NULL;
    struct keys key = keys_make(book);
    const char *folder = unit_folder();
    book_published(book, BOOK_DAY_MS);
    change(other, &key.one, &key.two); /* by an authority of its own, whose log nobody follows */
    OWNED(directory) folded = NULL;
    MUST(book_fold(other, &folded));
    sign_as(book, &key.two);
    book_publish(book, folder, 0);
    MUST(handovers_add(folder, other->leaves, other->count));
    MUST_FAIL(DIRECTORY_BAD, load(book, folder, &key.one, &none));
    keys_end(&key, book);
}

static void test_heads_of_a_key_count_in_its_turn(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct keys key = keys_make(book);
    struct checkpoint head = {.size = 3}, found;
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    char body[CHECKPOINT_BODY_ROOM];
    change(book, &key.one, &key.two); /* entry 1 */
    MUST(book_fold(book, &state));
    snprintf(head.origin, sizeof head.origin, "%s", key.one.public.name);
    const struct {
        uint64_t size;
        const struct log_key *by;
        enum fault_code code;
    } cases[] = {{1, &key.one, OK},
                 {2 + DIRECTORY_BOTH_KEYS, &key.one, OK},
                 {3 + DIRECTORY_BOTH_KEYS, &key.one, DIRECTORY_FORKED},
                 {3 + DIRECTORY_BOTH_KEYS, &key.two, OK},
                 {9, &key.three, SIGNATURE_BAD}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWNED(bytes) note = NULL;
        head.size = cases[i].size;
        size_t size = checkpoint_body(&head, body, sizeof body);
        MUST(keypair_sign_message(cases[i].by->key, span_of(body, size), signature));
        MUST(checkpoint_note(&head, &cases[i].by->public, signature, &note));
        fault f = directory_open_head(state, &key.one.public, bytes_span(note), &found);
        CU_ASSERT_EQUAL(f.code, cases[i].code);
    }
    keys_end(&key, book);
}

static void test_a_snapshot_remembers_the_chain(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) snapshot = NULL;
    struct keys key = keys_make(book);
    change(book, &key.one, &key.two);
    change(book, &key.two, &key.three);
    MUST(book_fold(book, &state));
    MUST(directory_snapshot(state, book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    CU_ASSERT(is_key(directory_log_key(again), &key.three));
    MUST(directory_check_keys(again, &key.one.public));
    MUST(directory_check_keys(again, &key.two.public));
    keys_end(&key, book);
}

SUITE(act_keys, TEST(test_a_change_is_signed_by_both_keys_and_goes_one_way),
      TEST(test_it_needs_two_approvers), TEST(test_any_key_of_the_chain_leads_to_the_newest),
      TEST(test_a_key_that_gave_way_signs_nothing_that_is_loaded),
      TEST(test_a_file_without_its_acts_changes_nothing),
      TEST(test_heads_of_a_key_count_in_its_turn), TEST(test_a_snapshot_remembers_the_chain))
