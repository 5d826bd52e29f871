// SPDX-License-Identifier: MIT
#include "lib/bus/directory.h"

#include "tests/unit/bus/book.h"

#define NOW_MS(book) ((book)->time_ms)

static void test_a_published_directory_is_loaded_whole(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    const char *folder = unit_folder();
    book_country(book);
    book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", MEDELLIN, "", NOW_MS(book) + BOOK_DAY_MS);
    book_published(book, BOOK_DAY_MS);
    struct checkpoint head = book_publish(book, folder, 0);
    MUST(book_load(book, folder, NULL, NULL, &self));

    struct sha256 root = directory_root(self);
    CU_ASSERT(sha256_equal(&root, &head.root));
    CU_ASSERT_EQUAL(directory_epoch(self), book->count);
    CU_ASSERT_STRING_EQUAL(directory_instance(self), "CO");
    CU_ASSERT_EQUAL(directory_valid_until_ms(self), book->time_ms - 1000 + BOOK_DAY_MS);

    const struct directory_server *server = directory_server(self, span_of_text(DANE "/SS1"));
    const struct directory_subsystem *subsystem =
        directory_subsystem(self, span_of_text(DANE "/DIVIPOLA"));
    const struct directory_service *service =
        directory_service(self, span_of_text(DANE "/DIVIPOLA/reservado"));
    CU_ASSERT_FATAL(server != NULL && subsystem != NULL && service != NULL);
    CU_ASSERT_PTR_EQUAL(server->member, directory_member(self, span_of_text(DANE)));
    CU_ASSERT(directory_server_has(server, subsystem));
    CU_ASSERT_FALSE(
        directory_server_has(directory_server(self, span_of_text(FIRM "/SS1")), subsystem));
    CU_ASSERT_STRING_EQUAL(server->address[0], "tcp://[::1]:5500");
    CU_ASSERT_EQUAL(service->class, SERVICE_SHARED);
    CU_ASSERT_STRING_EQUAL(directory_grant(self, span_of_text("G-1"))->service, service->id);
    CU_ASSERT_STRING_EQUAL(directory_restriction(self, span_of_text("R-1"))->service, service->id);
    CU_ASSERT_EQUAL_FATAL(server->signers, 1);
    CU_ASSERT_PTR_EQUAL(directory_signer(self, server->signer[0]->template.ski), server->signer[0]);
    CU_ASSERT(server->signer[0]->trusted);
    CU_ASSERT_PTR_NULL(directory_server(self, span_of_text(DANE "/SS2")));
}

static void test_a_held_directory_outlives_its_first_holder(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) first = NULL;
    MUST(book_fold(book, &first));
    OWNED(directory) second = directory_hold(first);
    directory_release(&first);
    CU_ASSERT_PTR_NULL(first);
    CU_ASSERT_STRING_EQUAL(directory_instance(second), "CO");
}

static void test_walks_see_everything_once(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    book_country(book);
    MUST(book_fold(book, &self));
    size_t servers = 0, services = 0, members = 0, step = 0;
    while (directory_next_server(self, &step) != NULL)
        servers++;
    for (step = 0; directory_next_service(self, &step) != NULL;)
        services++;
    for (step = 0; directory_next_member(self, &step) != NULL;)
        members++;
    CU_ASSERT_EQUAL(servers, 3);
    CU_ASSERT_EQUAL(services, 3);
    CU_ASSERT_EQUAL(members, 3);
}

// --- what a published folder must be ------------------------------------------------------------

/* Flips one bit of every byte in turn. Trailing text of a PEM file may change without a meaning;
 * then the state must be the same. */
static void flip_each(struct book *book, const char *folder, const char *name, bool may_pass)
{
    char path[512];
    OWNED(bytes) sound = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    MUST(file_read(path, 1 << 20, &sound));
    /* a prime step keeps the signature checks of a few thousand bytes within a second */
    size_t step = sound->size > 4000 ? 7 : 1;
    for (size_t i = 0; i < sound->size; i += step) {
        OWNED(directory) self = NULL;
        sound->data[i] ^= 0x04;
        MUST(file_replace(path, bytes_span(sound), 0644));
        sound->data[i] ^= 0x04;
        fault f = book_load(book, folder, NULL, NULL, &self);
        bool refused = failed(f) && self == NULL;
        if (!refused && !may_pass)
            fprintf(stderr, "  byte %zu of %s: %s\n", i, name, fault_name(f.code));
        CU_ASSERT(refused || (may_pass && directory_epoch(self) == book->count));
    }
    MUST(file_replace(path, bytes_span(sound), 0644));
}

static void test_a_byte_flipped_anywhere_is_noticed(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    char bundle[64];
    const char *folder = unit_folder();
    book_member(book, DANE, true);
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 0);
    tiles_path(-1, 0, (unsigned)book->count, bundle, sizeof bundle);
    flip_each(book, folder, "checkpoint", false);
    flip_each(book, folder, bundle, false);
    flip_each(book, folder, "authority.pem", true);
    MUST(book_load(book, folder, NULL, NULL, &self));
}

static void test_an_expired_or_unpublished_directory_is_refused(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    const char *folder = unit_folder();
    book_published(book, 10000);
    book_publish(book, folder, 0);
    MUST(book_load(book, folder, NULL, NULL, &self));
    directory_release(&self);
    book->time_ms += 9000; /* the act was a second earlier */
    MUST_FAIL(DIRECTORY_EXPIRED, book_load(book, folder, NULL, NULL, &self));
    book_member(book, DANE, true);
    book_publish(book, folder, 2);
    MUST_FAIL(DIRECTORY_BAD, book_load(book, folder, NULL, NULL, &self));
    CU_ASSERT_PTR_NULL(self);
}

static void test_missing_files_are_not_taken_for_an_empty_directory(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    char path[512];
    const char *folder = unit_folder();
    MUST_FAIL(NOT_FOUND, book_load(book, folder, NULL, NULL, &self));
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 0);
    snprintf(path, sizeof path, "%s/tile/entries/000.p/2", folder);
    CU_ASSERT_EQUAL(remove(path), 0);
    MUST_FAIL(NOT_FOUND, book_load(book, folder, NULL, NULL, &self));
}

static void test_only_forward_and_only_what_contains_the_past(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) old = NULL;
    OWNED(directory) new = NULL;
    OWNED(directory) self = NULL;
    const char *first = unit_folder(), *second = unit_folder();
    book_published(book, BOOK_DAY_MS);
    struct checkpoint first_head = book_publish(book, first, 0);
    book_member(book, DANE, true);
    book_published(book, BOOK_DAY_MS);
    struct checkpoint second_head = book_publish(book, second, 0);

    MUST(book_load(book, first, NULL, NULL, &old));
    MUST(book_load(book, second, old, &first_head, &new));
    MUST_FAIL(DIRECTORY_OLD, book_load(book, first, new, NULL, &self));
    MUST_FAIL(DIRECTORY_OLD, book_load(book, first, NULL, &second_head, &self));

    /* the same again is no step back */
    MUST(book_load(book, second, new, &second_head, &self));
}

static void test_new_acts_are_verified_on_a_reload_too(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) used = NULL;
    OWNED(directory) self = NULL;
    OWNED(keypair) key = NULL;
    OWNED(certificate) other = book_issue(book, "CO/AUTHORITY/REGISTRY", "registry", &key);
    const char *folder = unit_folder();
    book_published(book, BOOK_DAY_MS);
    book_publish(book, folder, 0);
    MUST(book_load(book, folder, NULL, NULL, &used));
    int64_t time_ms = book->time_ms;
    book_published(book, BOOK_DAY_MS);
    book->leaf[2] = book_sign(key, other, book->act[2], time_ms);
    book_publish(book, folder, 2);
    MUST_FAIL(DIRECTORY_BAD, book_load(book, folder, used, NULL, &self));
    bytes_free(&book->leaf[2]);
    book_publish(book, folder, 2);
    MUST(book_load(book, folder, used, NULL, &self));
}

/* Two histories under one key: the same number of acts, and one that has grown. */
static void test_another_history_is_a_fork(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) used = NULL;
    OWNED(directory) self = NULL;
    const char *first = unit_folder(), *second = unit_folder();
    book_member(book, DANE, true);
    book_published(book, BOOK_DAY_MS);
    struct checkpoint head = book_publish(book, first, 0);
    MUST(book_load(book, first, NULL, NULL, &used));

    while (book->count > 1) {
        bytes_free(&book->act[--book->count]);
        bytes_free(&book->leaf[book->count]);
    }
    book_member(book, DANE, false);
    book_published(book, BOOK_DAY_MS);
    book_publish(book, second, 0);
    MUST_FAIL(DIRECTORY_FORKED, book_load(book, second, used, NULL, &self));
    MUST_FAIL(DIRECTORY_FORKED, book_load(book, second, NULL, &head, &self));
    book_member(book, MEDELLIN, true);
    book_published(book, BOOK_DAY_MS);
    book_publish(book, second, 3);
    MUST_FAIL(DIRECTORY_FORKED, book_load(book, second, used, NULL, &self));
    MUST_FAIL(DIRECTORY_FORKED, book_load(book, second, NULL, &head, &self));
    MUST(book_load(book, second, NULL, NULL, &self));
}

// --- who may sign --------------------------------------------------------------------------------

static fault fold_signed(struct book *book, struct directory **out)
{
    book_sign_all(book);
    return directory_fold(book->leaves, book->count, book->trust, book->authority, out);
}

static void test_an_act_signed_by_another_key_is_refused(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    OWNED(keypair) key = NULL;
    OWNED(certificate) other = book_issue(book, "CO/AUTHORITY/REGISTRY", "registry", &key);
    int64_t time_ms = book->time_ms;
    book_member(book, DANE, true);
    MUST(fold_signed(book, &self));
    directory_release(&self);

    bytes_free(&book->leaf[1]);
    book->leaf[1] = book_sign(key, other, book->act[1], time_ms);
    MUST_FAIL(DIRECTORY_BAD, fold_signed(book, &self));
    /* the right name, the wrong key */
    bytes_free(&book->leaf[1]);
    book->leaf[1] = book_sign(key, book->authority, book->act[1], time_ms);
    MUST_FAIL(DIRECTORY_BAD, fold_signed(book, &self));
    /* the right key, another second than the act says */
    bytes_free(&book->leaf[1]);
    book->leaf[1] = book_sign(book->act_key, book->authority, book->act[1], time_ms + 1000);
    MUST_FAIL(DIRECTORY_BAD, fold_signed(book, &self));
}

/* A member's certificate comes from the same anchor; still it makes no directory. */
static void test_a_member_is_no_authority(void)
{
    static const char *const members[] = {DANE, "CO/AUTORITY/REGISTRY", "EC/AUTHORITY/REGISTRY"};
    for (size_t i = 0; i < 3; i++) {
        OWNED(book) book = book_new();
        OWNED(directory) self = NULL;
        certificate_free(&book->authority);
        keypair_free(&book->act_key);
        book->authority = book_issue(book, members[i], "registry", &book->act_key);
        MUST_FAIL(DIRECTORY_BAD, fold_signed(book, &self));
    }
}

static void test_an_authority_of_another_anchor_is_refused(void)
{
    OWNED(book) book = book_new();
    OWNED(book) stranger = book_new();
    OWNED(directory) self = NULL;
    book_sign_all(book);
    MUST_FAIL(DIRECTORY_BAD,
              directory_fold(book->leaves, book->count, stranger->trust, book->authority, &self));
}

static void test_acts_outside_the_authoritys_validity_are_refused(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    book->time_ms += 6 * BOOK_YEAR_MS;
    book_member(book, DANE, true);
    MUST_FAIL(DIRECTORY_BAD, fold_signed(book, &self));
}

static void test_a_signer_of_another_anchor_is_listed_but_not_trusted(void)
{
    OWNED(book) book = book_new();
    OWNED(book) stranger = book_new();
    OWNED(directory) self = NULL;
    OWNED(keypair) key = NULL;
    OWNED(certificate) foreign = book_issue(stranger, DANE, "SS1", &key);
    book_member(book, DANE, true);
    book_server(book, DANE "/SS1", "tcp://dane.example:5500", 1, foreign);
    MUST(book_fold(book, &self));
    struct directory_signer *signer = directory_signer(self, certificate_ski(foreign));
    CU_ASSERT_PTR_NOT_NULL_FATAL(signer);
    CU_ASSERT_FALSE(signer->trusted);
}

// --- acts ----------------------------------------------------------------------------------------

/* The acts so far are sound; the last one is not. It is taken away again. */
static void must_be_bad(struct book *book, int line)
{
    OWNED(directory) self = NULL;
    fault f = book_fold(book, &self);
    if (f.code != DIRECTORY_BAD)
        fprintf(stderr, "  %s:%d: %s\n", __FILE__, line, fault_name(f.code));
    CU_ASSERT_EQUAL(f.code, DIRECTORY_BAD);
    bytes_free(&book->act[--book->count]);
}

#define BAD(call)                    \
    do {                             \
        call;                        \
        must_be_bad(book, __LINE__); \
    } while (0)

static void test_identifiers_are_strict_and_canonical(void)
{
    OWNED(book) book = book_new();
    BAD(book_member(book, "CO/GOV", true));
    BAD(book_member(book, "CO/GOV/1/2", true));
    BAD(book_member(book, "CO/GOV/", true));
    BAD(book_member(book, "EC/GOV/1", true));
    BAD(book_member(book, "co/GOV/1", true));
    BAD(book_member(book, "CO/GOV/a%2Fb", true));
    BAD(book_member(book, "CO/GOV/a b", true));
    BAD(book_member(book, "CO/GOV/%41", true));
    BAD(book_member(book, "CO/GOV/%c3%b1", true)); /* lower-case escape */
    BAD(book_member(book, "CO/AUTHORITY/OTHER", true));
    book_member(book, "CO/GOV/%C3%B1", true);
    OWNED(directory) self = NULL;
    MUST(book_fold(book, &self));
}

static void test_nothing_refers_to_what_is_not_there(void)
{
    OWNED(book) book = book_new();
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = book_issue(book, "CO/GOV/5", "SS1", &key);
    book_country(book);
    BAD(book_server(book, "CO/GOV/5/SS1", "tcp://a:1", 9, certificate));
    BAD(book_subsystem(book, "CO/GOV/5/X", DANE "/SS1"));
    BAD(book_subsystem(book, DANE "/X", DANE "/SS9"));
    BAD(book_subsystem(book, DANE "/X", MEDELLIN "/SS1"));
    BAD(book_service(book, DANE "/X/y", SERVICE_OPEN));
    BAD(book_service(book, DANE "/DIVIPOLA/y", 0));
    BAD(book_service(book, DANE "/DIVIPOLA/y", 3));
    const int64_t end = book->time_ms + BOOK_DAY_MS;
    BAD(book_grant(book, "G-1", DANE "/DIVIPOLA/y", MEDELLIN, "", end));
    BAD(book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", "CO/MUN/1", "", end));
    BAD(book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", MEDELLIN, "no-such", end));
    BAD(book_grant(book, "G 1", DANE "/DIVIPOLA/reservado", MEDELLIN, "", end));
    BAD(book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", MEDELLIN, "", book->time_ms));
    BAD(book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", MEDELLIN, "",
                   book->time_ms + 733 * BOOK_DAY_MS));
    BAD(book_purpose(book, "tr\xc3\xa1mite"));
    BAD(BOOK_ACT(book, OPENED, opened, CHASKI__OPENED__INIT, it->instance = book_text("CO")));
    BAD(BOOK_ACT(book, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
                 it->valid_until_ms = (uint64_t)book->time_ms));
    BAD(book_act(book, &(Chaski__Act)CHASKI__ACT__INIT));
}

static void test_addresses_are_plain_tcp(void)
{
    static const char *const bad[] = {
        "ipc:///tmp/x",    "tcp://*:80",    "tcp://a:0",    "tcp://a:65536",
        "tcp://a",         "tcp://:80",     "tcp://a;b:80", "tcp://[::1]",
        "tcp://[::1]x:80", "tcp://[]:80",   "tcp://a:80/",  "tcp://a b:80",
        "tcp://::1:80",    "tcp://[::1:80", "tcp://a:-1",   "",
        "tcp://u@host:80"};
    OWNED(book) book = book_new();
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = book_issue(book, DANE, "SS1", &key);
    book_member(book, DANE, true);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        BAD(book_server(book, DANE "/SS1", bad[i], 1, certificate));
    book_server(book, DANE "/SS1", "tcp://[2001:db8::1]:5500", 1, certificate);
    book_server(book, DANE "/SS1", "tcp://bus.dane.gov.co:5500", 1, certificate);
    OWNED(directory) self = NULL;
    MUST(book_fold(book, &self));
}

static void test_keys_belong_to_one_server(void)
{
    OWNED(book) book = book_new();
    OWNED(keypair) key = NULL;
    OWNED(keypair) other_key = NULL;
    OWNED(keypair) wrong_key = NULL;
    book_country(book);
    OWNED(certificate) first = book_issue(book, DANE, "SS1", &key);
    OWNED(certificate) other = book_issue(book, DANE, "SS2", &other_key);
    OWNED(certificate) wrong = book_issue(book, MEDELLIN, "SS2", &wrong_key);
    BAD(book_server(book, DANE "/SS2", "tcp://a:1", 9, wrong)); /* another member's */
    BAD(book_server(book, DANE "/SS2", "tcp://a:1", 9, first)); /* another server's */
    BAD(book_server(book, DANE "/SS2", "tcp://a:1", 1, other)); /* MEDELLIN's transport key */
    book_server(book, DANE "/SS2", "tcp://a:1", 9, other);
    book_server(book, DANE "/SS2", "tcp://b:1", 9, other); /* the same again: a new address */
    OWNED(directory) self = NULL;
    MUST(book_fold(book, &self));
}

static void test_a_new_certificate_needs_a_new_key(void)
{
    OWNED(book) book = book_new();
    OWNED(keypair) key = NULL;
    OWNED(bytes) request = NULL;
    OWNED(certificate) again = NULL;
    book_member(book, DANE, true);
    OWNED(certificate) first = book_issue(book, DANE, "SS1", &key);
    const struct certificate_subject *subject = certificate_subject(first);
    MUST(keypair_request(key, subject, &request));
    MUST(certificate_issue(book->ca_key, book->ca, bytes_span(request), subject, BOOK_START_MS,
                           BOOK_START_MS + BOOK_YEAR_MS, &again));
    book_server(book, DANE "/SS1", "tcp://a:1", 1, first);
    BAD(book_server(book, DANE "/SS1", "tcp://a:1", 1, again));
}

static void revoke(struct book *book, const struct certificate *certificate, int64_t since_ms)
{
    struct sha256 hash = certificate_hash(certificate);
    BOOK_ACT(book, CERTIFICATE_REVOKED, certificate_revoked, CHASKI__CERTIFICATE_REVOKED__INIT,
             it->certificate_sha256 = (ProtobufCBinaryData){sizeof hash.at, hash.at},
             it->since_ms = (uint64_t)since_ms, it->reason = book_text("llave robada"));
}

static void test_a_revocation_is_seen_and_stays(void)
{
    OWNED(book) book = book_new();
    OWNED(keypair) key = NULL;
    OWNED(keypair) new_key = NULL;
    OWNED(keypair) never_key = NULL;
    OWNED(directory) self = NULL;
    book_member(book, DANE, true);
    OWNED(certificate) stolen = book_issue(book, DANE, "SS1", &key);
    OWNED(certificate) fresh = book_issue(book, DANE, "SS1", &new_key);
    OWNED(certificate) never = book_issue(book, DANE, "SS1", &never_key);
    book_server(book, DANE "/SS1", "tcp://a:1", 1, stolen);
    const int64_t since_ms = book->time_ms - 500;
    revoke(book, stolen, since_ms);
    revoke(book, stolen, book->time_ms);                    /* cannot be made later */
    book_server(book, DANE "/SS1", "tcp://a:1", 1, stolen); /* nor undone by listing it again */
    BAD(revoke(book, never, 0));
    BAD(revoke(book, stolen, book->time_ms + 1));
    MUST(book_fold(book, &self));
    struct directory_signer *signer = directory_signer(self, certificate_ski(stolen));
    CU_ASSERT_PTR_NOT_NULL_FATAL(signer);
    CU_ASSERT_EQUAL(signer->revoked_since_ms, since_ms);
    directory_release(&self);

    /* replaced: no longer in force, still known to auditors, still revoked */
    book_server(book, DANE "/SS1", "tcp://a:1", 1, fresh);
    MUST(book_fold(book, &self));
    CU_ASSERT_PTR_NULL(directory_signer(self, certificate_ski(stolen)));
    CU_ASSERT_EQUAL(directory_signer_ever(self, certificate_ski(stolen))->revoked_since_ms,
                    since_ms);
    CU_ASSERT_EQUAL(directory_signer(self, certificate_ski(fresh))->revoked_since_ms, 0);
}

static void remove_thing(struct book *book, Chaski__Removed__WhatCase what, const char *id)
{
    BOOK_ACT(book, REMOVED, removed, CHASKI__REMOVED__INIT, it->what_case = what,
             it->member = book_text(id), it->reason = book_text("fusionada"));
}

static void test_what_is_used_is_not_removed(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    book_country(book);
    book_grant(book, "G-1", DANE "/DIVIPOLA/reservado", MEDELLIN "/TRAMITES", "tramite-licencia",
               book->time_ms + BOOK_DAY_MS);
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_MEMBER, DANE));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_SERVER, DANE "/SS1"));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_SUBSYSTEM, DANE "/DIVIPOLA"));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_SERVICE, DANE "/DIVIPOLA/reservado"));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_SUBSYSTEM, MEDELLIN "/TRAMITES"));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_PURPOSE, "tramite-licencia"));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_GRANT, "G-2"));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_RESTRICTION, "R-2"));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT__NOT_SET, ""));
    remove_thing(book, CHASKI__REMOVED__WHAT_GRANT, "G-1");
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_SERVICE, DANE "/DIVIPOLA/reservado"));
    remove_thing(book, CHASKI__REMOVED__WHAT_RESTRICTION, "R-1");
    remove_thing(book, CHASKI__REMOVED__WHAT_SERVICE, DANE "/DIVIPOLA/reservado");
    remove_thing(book, CHASKI__REMOVED__WHAT_SUBSYSTEM, MEDELLIN "/TRAMITES");
    remove_thing(book, CHASKI__REMOVED__WHAT_SERVER, MEDELLIN "/SS1");
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_MEMBER, MEDELLIN));
    BAD(remove_thing(book, CHASKI__REMOVED__WHAT_PURPOSE, "tramite-licencia"));
    remove_thing(book, CHASKI__REMOVED__WHAT_COMPETENCE, "C-1");
    remove_thing(book, CHASKI__REMOVED__WHAT_PURPOSE, "tramite-licencia");
    remove_thing(book, CHASKI__REMOVED__WHAT_MEMBER, MEDELLIN);
    MUST(book_fold(book, &self));
    CU_ASSERT_PTR_NULL(directory_member(self, span_of_text(MEDELLIN)));
    CU_ASSERT_PTR_NULL(directory_server(self, span_of_text(MEDELLIN "/SS1")));
    CU_ASSERT_PTR_NOT_NULL(directory_member(self, span_of_text(DANE)));
}

static void set_stamper(struct book *book, const char *name, const char *url, unsigned order)
{
    BOOK_ACT(book, STAMP_AUTHORITY_SET, stamp_authority_set, CHASKI__STAMP_AUTHORITY_SET__INIT,
             it->name = book_text(name), it->url = book_text(url), it->order = order);
}

static void remove_stamper(struct book *book, const char *name)
{
    BOOK_ACT(book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_STAMP_AUTHORITY,
             it->stamp_authority = book_text(name));
}

static void test_time_stamp_authorities_stand_in_their_order(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) self = NULL;
    const struct directory_stamper *stamper = NULL;
    MUST(book_fold(book, &self));
    CU_ASSERT_EQUAL(directory_stampers(self, &stamper), 0);
    directory_release(&self);
    set_stamper(book, "TSA-C", "http://c/tsa", 5);
    set_stamper(book, "TSA-A", "http://a/tsa", 5);
    set_stamper(book, "TSA-B", "https://b:8443/", 1);
    set_stamper(book, "TSA-X", "http://x", 2);
    set_stamper(book, "TSA-B", "http://[::1]:8080/tsa", 7); /* replaced */
    remove_stamper(book, "TSA-X");
    BAD(remove_stamper(book, "TSA-X"));
    MUST(book_fold(book, &self));
    CU_ASSERT_EQUAL_FATAL(directory_stampers(self, &stamper), 3);
    CU_ASSERT_STRING_EQUAL(stamper[0].name, "TSA-A");
    CU_ASSERT_STRING_EQUAL(stamper[1].name, "TSA-C");
    CU_ASSERT_STRING_EQUAL(stamper[2].name, "TSA-B");
    CU_ASSERT_STRING_EQUAL(stamper[2].url, "http://[::1]:8080/tsa");
    CU_ASSERT_EQUAL(stamper[2].order, 7);
}

static void test_time_stamp_authorities_are_bounded(void)
{
    OWNED(book) book = book_new();
    char name[16];
    for (unsigned i = 0; i < DIRECTORY_STAMPERS_MAX; i++) {
        snprintf(name, sizeof name, "TSA-%u", i);
        set_stamper(book, name, "http://a/tsa", 1);
    }
    BAD(set_stamper(book, "TSA-MORE", "http://a/tsa", 1));
    set_stamper(book, "TSA-3", "http://b/tsa", 9);
    BAD(set_stamper(book, "TSA-3", "http://b/tsa", 0));
    BAD(set_stamper(book, "TSA-3", "http://b/tsa", DIRECTORY_STAMPER_ORDER_MAX + 1));
    BAD(set_stamper(book, "", "http://b/tsa", 1));
    BAD(set_stamper(book, "TSA 3", "http://b/tsa", 1));
}

static void test_addresses_of_time_stamp_authorities_are_plain_http(void)
{
    static const char *const good[] = {"http://a",           "http://a/",
                                       "http://a.b-c:1/d.e", "https://tsa.gov.co/v1/~x/tsa",
                                       "http://1.2.3.4:80/", "http://[2001:db8::1]:8080/tsa"};
    static const char *const bad[] = {"",
                                      "a",
                                      "http:/a/b",
                                      "http:///tsa",
                                      "ftp://a/",
                                      "HTTP://a/",
                                      "file:///etc/passwd",
                                      "http://u@a/",
                                      "http://a:b/",
                                      "http://a:0/",
                                      "http://a:65536/",
                                      "http://[::1]/",
                                      "http://[::1:80/",
                                      "http://a/?x",
                                      "http://a/#x",
                                      "http://a/%41",
                                      "http://a/../b",
                                      "http://a/b/.c",
                                      "http://a b/",
                                      "http://a/b\r\nX: y",
                                      "http://\xc3\xb1/"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        OWNED(book) book = book_new();
        OWNED(directory) self = NULL;
        set_stamper(book, "TSA", good[i], 1);
        MUST(book_fold(book, &self));
    }
    OWNED(book) book = book_new();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        BAD(set_stamper(book, "TSA", bad[i], 1));
}

static void test_texts_hold_no_control_characters(void)
{
    OWNED(book) book = book_new();
    book_country(book);
    BAD(BOOK_ACT(book, MEMBER_SET, member_set, CHASKI__MEMBER_SET__INIT, it->id = book_text(DANE),
                 it->name = book_text("DANE\r\nX: y")));
    BAD(BOOK_ACT(book, MEMBER_SET, member_set, CHASKI__MEMBER_SET__INIT, it->id = book_text(DANE),
                 it->name = book_text("DAN\xc9")));
    BAD(BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
                 it->id = book_text(DANE "/DIVIPOLA/x"), it->class_ = CHASKI__SERVICE_CLASS__OPEN,
                 it->notice = book_text("a\nb")));
}

static void test_no_service_has_a_code_that_x_road_keeps(void)
{
    OWNED(book) book = book_new();
    book_country(book);
    BAD(book_service(book, DANE "/DIVIPOLA/listMethods", SERVICE_OPEN));
    BAD(book_service(book, DANE "/DIVIPOLA/getWsdl", SERVICE_OPEN));
}

// --- order and form ------------------------------------------------------------------------------

static fault apply_text(struct directory *state, uint64_t number, Chaski__Act *act)
{
    uint8_t packed[512];
    size_t size = chaski__act__get_packed_size(act);
    CU_ASSERT_FATAL(size <= sizeof packed);
    chaski__act__pack(act, packed);
    return directory_apply(state, number, span_of(packed, size));
}

static void test_acts_stand_in_order_under_their_context(void)
{
    Chaski__Opened opened = CHASKI__OPENED__INIT;
    Chaski__MemberSet member = CHASKI__MEMBER_SET__INIT;
    Chaski__Act first = CHASKI__ACT__INIT, second = CHASKI__ACT__INIT;
    opened.instance = book_text("CO");
    member.id = book_text(DANE);
    member.name = book_text("DANE");
    first.context = second.context = book_text("chaski directory act v1");
    first.time_ms = second.time_ms = BOOK_START_MS;
    first.act_case = CHASKI__ACT__ACT_OPENED;
    first.opened = &opened;
    second.act_case = CHASKI__ACT__ACT_MEMBER_SET;
    second.member_set = &member;

    OWNED(directory) self = directory_new(NULL);
    MUST_FAIL(DIRECTORY_BAD, apply_text(self, 0, &second)); /* not opened */
    MUST_FAIL(DIRECTORY_BAD, apply_text(self, 1, &first));  /* number */
    first.context = book_text("chaski directory act v2");
    MUST_FAIL(DIRECTORY_BAD, apply_text(self, 0, &first));
    first.context = book_text("chaski directory act v1");
    first.time_ms = 0;
    MUST_FAIL(DIRECTORY_BAD, apply_text(self, 0, &first));
    first.time_ms = BOOK_START_MS;
    MUST(apply_text(self, 0, &first));
    second.number = 2;
    MUST_FAIL(DIRECTORY_BAD, apply_text(self, 1, &second));
    second.number = 1;
    second.time_ms = BOOK_START_MS - 1;
    MUST_FAIL(DIRECTORY_BAD, apply_text(self, 1, &second));
    second.time_ms = BOOK_START_MS;
    MUST(apply_text(self, 1, &second));
}

/* The same meaning in other bytes: a field nobody knows, a NUL inside a text, a default written. */
static void test_only_the_one_encoding_is_an_act(void)
{
    static const uint8_t context[] = "\x0a\x17"
                                     "chaski directory act v1";
    static const uint8_t time[] = {0x19, 0xf4, 0x1d, 0x44, 0xc4, 0xa0, 0x01, 0x00, 0x00};
    static const struct {
        const char *tail;
        size_t size;
        bool sound;
    } tails[] = {{"\x52\x04\x0a\x02"
                  "CO",
                  6, true},
                 {"\x52\x04\x0a\x02"
                  "CO"
                  "\xa0\x06\x01",
                  9, false},
                 {"\x52\x07\x0a\x02"
                  "CO"
                  "\x18\x01\x00",
                  9, false},
                 {"\x52\x06\x0a\x04"
                  "CO\0x",
                  8, false},
                 {"\x52\x04\x0a\x02"
                  "CO"
                  "\x10\x00",
                  8, false}};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        OWNED(directory) self = directory_new(NULL);
        OWNED(bytes) act = bytes_empty(64);
        MUST(bytes_append(act, span_of(context, sizeof context - 1)));
        MUST(bytes_append(act, span_of(time, sizeof time)));
        MUST(bytes_append(act, span_of(tails[i].tail, tails[i].size)));
        fault f = directory_apply(self, 0, bytes_span(act));
        CU_ASSERT_EQUAL(failed(f), !tails[i].sound);
    }
}

SUITE(directory, TEST(test_a_published_directory_is_loaded_whole),
      TEST(test_a_held_directory_outlives_its_first_holder), TEST(test_walks_see_everything_once),
      TEST(test_a_byte_flipped_anywhere_is_noticed),
      TEST(test_an_expired_or_unpublished_directory_is_refused),
      TEST(test_missing_files_are_not_taken_for_an_empty_directory),
      TEST(test_only_forward_and_only_what_contains_the_past),
      TEST(test_new_acts_are_verified_on_a_reload_too), TEST(test_another_history_is_a_fork),
      TEST(test_an_act_signed_by_another_key_is_refused), TEST(test_a_member_is_no_authority),
      TEST(test_an_authority_of_another_anchor_is_refused),
      TEST(test_acts_outside_the_authoritys_validity_are_refused),
      TEST(test_a_signer_of_another_anchor_is_listed_but_not_trusted),
      TEST(test_identifiers_are_strict_and_canonical),
      TEST(test_nothing_refers_to_what_is_not_there), TEST(test_addresses_are_plain_tcp),
      TEST(test_keys_belong_to_one_server), TEST(test_a_new_certificate_needs_a_new_key),
      TEST(test_a_revocation_is_seen_and_stays), TEST(test_what_is_used_is_not_removed),
      TEST(test_time_stamp_authorities_stand_in_their_order),
      TEST(test_time_stamp_authorities_are_bounded),
      TEST(test_addresses_of_time_stamp_authorities_are_plain_http),
      TEST(test_texts_hold_no_control_characters),
      TEST(test_no_service_has_a_code_that_x_road_keeps),
      TEST(test_acts_stand_in_order_under_their_context),
      TEST(test_only_the_one_encoding_is_an_act))
