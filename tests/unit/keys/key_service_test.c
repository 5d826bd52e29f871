// SPDX-License-Identifier: MIT
#include "security-server/keys/key_service.h"

#include "lib/bus/act_approval.h"
#include "lib/bus/renewal.h"
#include "lib/crypto/note.h"
#include "lib/crypto/seal.h"
#include "tests/unit/keys/keyring.h"

#include "directory.pb-c.h"
#include "keys.pb-c.h"

#include <openssl/cms.h>
#include <openssl/evp.h>

#define TIME_MS (FIXTURE_START_MS + 1234)
#define END_MS INT64_C(2524608000000) /* 2050-01-01 */
#define JOBS_MAX (KEYS_JOBS_PER_DATAGRAM + 1)

static char origin[] = "log.example/a";

/* A service on fresh keys. */
struct desk {
    struct keyring *ring;
    struct key_store *store;
    struct key_service service;
};

static struct desk *desk_new(void)
{
    struct desk *self = owned_new(sizeof *self);
    self->ring = keyring_new();
    MUST(key_store_load(self->ring->folder, (struct span){0}, false, &self->store));
    self->service.store = self->store;
    return self;
}

static void desk_free(struct desk **self)
{
    if (*self == NULL)
        return;
    key_store_free(&(*self)->store);
    keyring_free(&(*self)->ring);
    free(*self);
    *self = NULL;
}

/* A job with the memory of its work. */
struct job {
    Chaski__KeysJob message;
    Chaski__SignHeader header;
    Chaski__SignCheckpoint checkpoint;
    Chaski__DeriveSeal seal;
    Chaski__WrapDayKey wrap;
    Chaski__UnwrapDayKey unwrap;
    Chaski__TakeCertificate certificate;
    Chaski__RequestRenewal renewal;
    Chaski__ApproveRenewal approval;
    Chaski__MakeSeal make;
    Chaski__ForgetSeal forget;
};

static ProtobufCBinaryData binary(const void *at, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)at};
}

static struct job job_without_work(void)
{
    struct job job = {.message = CHASKI__KEYS_JOB__INIT,
                      .header = CHASKI__SIGN_HEADER__INIT,
                      .checkpoint = CHASKI__SIGN_CHECKPOINT__INIT,
                      .seal = CHASKI__DERIVE_SEAL__INIT,
                      .wrap = CHASKI__WRAP_DAY_KEY__INIT,
                      .unwrap = CHASKI__UNWRAP_DAY_KEY__INIT,
                      .certificate = CHASKI__TAKE_CERTIFICATE__INIT,
                      .renewal = CHASKI__REQUEST_RENEWAL__INIT,
                      .approval = CHASKI__APPROVE_RENEWAL__INIT,
                      .make = CHASKI__MAKE_SEAL__INIT,
                      .forget = CHASKI__FORGET_SEAL__INIT};
    return job;
}

static struct job job_header(const void *digest, size_t size, uint64_t time_ms)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_SIGN_HEADER;
    job.header.content_sha256 = binary(digest, size);
    job.header.time_ms = time_ms;
    return job;
}

static struct job job_checkpoint(char *name, uint64_t size, const void *root, size_t root_size)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_SIGN_CHECKPOINT;
    job.checkpoint.origin = name;
    job.checkpoint.size = size;
    job.checkpoint.root = binary(root, root_size);
    return job;
}

static struct job job_seal(const void *id, size_t id_size, const void *ephemeral, size_t size)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_DERIVE_SEAL;
    job.seal.seal_key_id = binary(id, id_size);
    job.seal.ephemeral = binary(ephemeral, size);
    return job;
}

static struct job job_wrap(const void *key, size_t size)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_WRAP_DAY_KEY;
    job.wrap.key = binary(key, size);
    return job;
}

static struct job job_unwrap(const void *wrapped, size_t size)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_UNWRAP_DAY_KEY;
    job.unwrap.wrapped = binary(wrapped, size);
    return job;
}

static struct job job_certificate(struct span der)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_TAKE_CERTIFICATE;
    job.certificate.certificate = binary(der.at, der.size);
    return job;
}

static struct bytes *pack(struct job *jobs, size_t count)
{
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    Chaski__KeysJob *pointers[JOBS_MAX];
    struct bytes *datagram = NULL;
    CU_ASSERT_FATAL(count <= JOBS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct job *job = &jobs[i];
        pointers[i] = &job->message;
        job->message.id = 1000 + i;
        if (job->message.work_case == CHASKI__KEYS_JOB__WORK_SIGN_HEADER)
            job->message.sign_header = &job->header;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_SIGN_CHECKPOINT)
            job->message.sign_checkpoint = &job->checkpoint;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_DERIVE_SEAL)
            job->message.derive_seal = &job->seal;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_WRAP_DAY_KEY)
            job->message.wrap_day_key = &job->wrap;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_UNWRAP_DAY_KEY)
            job->message.unwrap_day_key = &job->unwrap;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_TAKE_CERTIFICATE)
            job->message.take_certificate = &job->certificate;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_REQUEST_RENEWAL)
            job->message.request_renewal = &job->renewal;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_APPROVE_RENEWAL)
            job->message.approve_renewal = &job->approval;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_MAKE_SEAL)
            job->message.make_seal = &job->make;
        else if (job->message.work_case == CHASKI__KEYS_JOB__WORK_FORGET_SEAL)
            job->message.forget_seal = &job->forget;
    }
    batch.n_job = count;
    batch.job = pointers;
    MUST(bytes_new(chaski__keys_batch__get_packed_size(&batch), &datagram));
    chaski__keys_batch__pack(&batch, datagram->data);
    return datagram;
}

struct result {
    unsigned fault;
    uint8_t bytes[1024];
    size_t size;
};

static struct span result_span(const struct result *result)
{
    return span_of(result->bytes, result->size);
}

/* Every job gets one answer, in order, under its own number. */
static void ask_many(struct desk *desk, struct job *jobs, size_t count, struct result *out)
{
    OWNED(bytes) datagram = pack(jobs, count);
    OWNED(bytes) answer = NULL;
    MUST(key_service_answer(&desk->service, bytes_span(datagram), &answer));
    CU_ASSERT(answer->size <= KEYS_DATAGRAM_BYTES_MAX);
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, answer->size, answer->data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    CU_ASSERT_EQUAL(batch->n_job, 0);
    CU_ASSERT_EQUAL_FATAL(batch->n_result, count);
    for (size_t i = 0; i < count; i++) {
        const Chaski__KeysResult *result = batch->result[i];
        CU_ASSERT_EQUAL(result->id, 1000 + i);
        CU_ASSERT_FATAL(result->result.len <= sizeof out[i].bytes);
        out[i] = (struct result){.fault = result->fault, .size = result->result.len};
        if (result->result.len > 0)
            memcpy(out[i].bytes, result->result.data, result->result.len);
    }
    chaski__keys_batch__free_unpacked(batch, NULL);
}

static struct result ask(struct desk *desk, struct job job)
{
    struct result result;
    ask_many(desk, &job, 1, &result);
    return result;
}

/* A refused job gives no bytes. */
static bool is_refused(struct desk *desk, struct job job, enum fault_code code)
{
    struct result result = ask(desk, job);
    return result.fault == (unsigned)code && result.size == 0;
}

// --- headers
// ------------------------------------------------------------------------------------

/* What OpenSSL's own CMS says of the leaf. */
static bool is_sound_cms(const struct certificate *signer, struct span leaf)
{
    struct span der = certificate_der(signer);
    const unsigned char *at = der.at;
    BIO *in = BIO_new_mem_buf(leaf.at, (int)leaf.size);
    CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
    X509 *certificate = d2i_X509(NULL, &at, (long)der.size);
    STACK_OF(X509) *certificates = sk_X509_new_null();
    sk_X509_push(certificates, certificate);
    bool sound = cms != NULL && CMS_verify(cms, certificates, NULL, NULL, NULL,
                                           CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
    sk_X509_free(certificates);
    X509_free(certificate);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return sound;
}

static bool makes_a_leaf(const struct desk *desk, struct span content, int64_t time_ms,
                         struct span signature)
{
    OWNED(bytes) leaf = NULL;
    MUST(cades_leaf(&desk->store->template, content, time_ms, signature, &leaf));
    return is_sound_cms(desk->ring->country->member, bytes_span(leaf));
}

static void test_a_signed_header_verifies_with_stock_openssl(void)
{
    OWNED(desk) desk = desk_new();
    struct span content = span_of_text("a header");
    struct sha256 hash = SHA256_OF(content);
    struct result result = ask(desk, job_header(hash.at, sizeof hash.at, TIME_MS));
    CU_ASSERT_EQUAL(result.fault, OK);
    CU_ASSERT(makes_a_leaf(desk, content, TIME_MS, result_span(&result)));
    CU_ASSERT(!makes_a_leaf(desk, span_of_text("another"), TIME_MS, result_span(&result)));
    CU_ASSERT(!makes_a_leaf(desk, content, TIME_MS + 1000, result_span(&result)));
}

static void test_a_digest_that_is_none_is_not_signed(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t bytes[64] = {1};
    static const size_t sizes[] = {0, 20, 31, 33, 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        CU_ASSERT(is_refused(desk, job_header(bytes, sizes[i], TIME_MS), BAD_FRAME));
}

static void test_a_time_that_a_header_cannot_have_is_not_signed(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t digest[32] = {1};
    static const uint64_t times[] = {(uint64_t)END_MS, (uint64_t)INT64_MAX, UINT64_C(1) << 63,
                                     UINT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        CU_ASSERT(is_refused(desk, job_header(digest, sizeof digest, times[i]), BAD_FRAME));
    CU_ASSERT_EQUAL(ask(desk, job_header(digest, sizeof digest, 0)).fault, OK);
    CU_ASSERT_EQUAL(ask(desk, job_header(digest, sizeof digest, END_MS - 1)).fault, OK);
}

// --- checkpoints
// --------------------------------------------------------------------------------

static const uint8_t root[SHA256_BYTES]; /* in base64: 43 times A and = */
#define ROOT_TEXT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static bool is_ed25519(const uint8_t public_key[32], const char *text, struct span signature)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = key != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature.at, signature.size, (const uint8_t *)text,
                                 strlen(text)) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

static struct job grown_to(uint64_t size)
{
    return job_checkpoint(origin, size, root, sizeof root);
}

static void test_a_signed_checkpoint_verifies_with_stock_openssl(void)
{
    OWNED(desk) desk = desk_new();
    struct result result = ask(desk, grown_to(5));
    CU_ASSERT_EQUAL(result.fault, OK);
    CU_ASSERT(
        is_ed25519(desk->ring->log, "log.example/a\n5\n" ROOT_TEXT "\n", result_span(&result)));
    CU_ASSERT(
        !is_ed25519(desk->ring->log, "log.example/a\n6\n" ROOT_TEXT "\n", result_span(&result)));
}

static void test_a_smaller_log_than_was_signed_before_is_refused(void)
{
    OWNED(desk) desk = desk_new();
    CU_ASSERT_EQUAL(ask(desk, grown_to(100)).fault, OK);
    CU_ASSERT(is_refused(desk, grown_to(99), REFUSED));
    CU_ASSERT(is_refused(desk, grown_to(0), REFUSED));
    CU_ASSERT_EQUAL(ask(desk, grown_to(100)).fault, OK); /* the same again */
    CU_ASSERT_EQUAL(ask(desk, grown_to(UINT64_C(1) << 40)).fault, OK);
    CU_ASSERT(is_refused(desk, grown_to(101), REFUSED));
}

static void test_a_smaller_log_in_the_same_batch_is_refused_too(void)
{
    OWNED(desk) desk = desk_new();
    struct job jobs[] = {grown_to(7), grown_to(6), grown_to(8)};
    struct result results[3];
    ask_many(desk, jobs, 3, results);
    CU_ASSERT_EQUAL(results[0].fault, OK);
    CU_ASSERT_EQUAL(results[1].fault, REFUSED);
    CU_ASSERT_EQUAL(results[1].size, 0);
    CU_ASSERT_EQUAL(results[2].fault, OK);
}

static void test_a_refused_checkpoint_does_not_count_as_signed(void)
{
    OWNED(desk) desk = desk_new();
    CU_ASSERT(is_refused(desk, job_checkpoint(origin, 1000, root, 31), BAD_FRAME));
    CU_ASSERT_EQUAL(ask(desk, grown_to(5)).fault, OK);
}

static void test_a_log_of_the_same_size_with_other_entries_is_refused(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t other[SHA256_BYTES] = {1};
    CU_ASSERT_EQUAL(ask(desk, grown_to(5)).fault, OK);
    CU_ASSERT(is_refused(desk, job_checkpoint(origin, 5, other, sizeof other), REFUSED));
    CU_ASSERT_EQUAL(ask(desk, grown_to(5)).fault, OK);
    CU_ASSERT_EQUAL(ask(desk, job_checkpoint(origin, 6, other, sizeof other)).fault, OK);
    CU_ASSERT(is_refused(desk, grown_to(6), REFUSED));
}

static void test_a_checkpoint_that_is_none_is_not_signed(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t bytes[64];
    static const size_t sizes[] = {0, 31, 33, 64};
    char long_name[NOTE_NAME_BYTES_MAX + 1];
    char empty[] = "";
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        CU_ASSERT(is_refused(desk, job_checkpoint(origin, 5, bytes, sizes[i]), BAD_FRAME));
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    CU_ASSERT(is_refused(desk, job_checkpoint(long_name, 5, root, sizeof root), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_checkpoint(empty, 5, root, sizeof root), BAD_FRAME));
}

/* The lines that follow a checkpoint's three are nobody's business: with an
 * origin of several lines the signed text would be a checkpoint of whatever
 * size they say. */
static void test_an_origin_cannot_bring_a_size_of_its_own(void)
{
    OWNED(desk) desk = desk_new();
    char lines[] = "log.example/a\n3\n" ROOT_TEXT "\nx";
    char end[] = "log.example/a\n";
    char space[] = "log.example/a b";
    CU_ASSERT_EQUAL(ask(desk, grown_to(100)).fault, OK);
    CU_ASSERT(is_refused(desk, job_checkpoint(lines, 100, root, sizeof root), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_checkpoint(end, 100, root, sizeof root), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_checkpoint(space, 100, root, sizeof root), BAD_FRAME));
}

// --- sealing keys
// -------------------------------------------------------------------------------

/* What was sealed for this public key opens with the key that the service
 * derives. */
static void check_derive(struct desk *desk, const uint8_t public_key[X25519_PUBLIC_BYTES])
{
    static const char text[] = "for your eyes only";
    struct span nothing = {0};
    uint8_t id[SEAL_KEY_ID_BYTES], ephemeral[X25519_PUBLIC_BYTES];
    uint8_t sealed[sizeof text + SEAL_TAG_BYTES], opened[sizeof text] = {0};
    OWNED(seal_key) sender = NULL;
    OWNED(seal_key) receiver = NULL;
    MUST(seal_start(public_key, ephemeral, &sender));
    MUST(seal_encrypt(sender, 1, nothing, span_of(text, sizeof text), sealed));
    seal_key_id(public_key, id);
    struct result result = ask(desk, job_seal(id, sizeof id, ephemeral, sizeof ephemeral));
    CU_ASSERT_EQUAL(result.fault, OK);
    CU_ASSERT_EQUAL_FATAL(result.size, SEAL_KEY_BYTES);
    MUST(seal_key_make(result.bytes, &receiver));
    MUST(seal_decrypt(receiver, 1, nothing, span_of(sealed, sizeof sealed), opened));
    CU_ASSERT_EQUAL(memcmp(opened, text, sizeof text), 0);
}

static void test_sealing_keys_are_derived_for_each_of_our_keys(void)
{
    OWNED(desk) desk = desk_new();
    check_derive(desk, desk->ring->seal);
    OWNED(bytes)
    older = keyring_put(desk->ring->folder, "seal.1.key", KEY_X25519);
    key_store_free(&desk->store);
    MUST(key_store_load(desk->ring->folder, (struct span){0}, false, &desk->store));
    desk->service.store = desk->store;
    check_derive(desk, desk->ring->seal);
    check_derive(desk, older->data);
}

static struct job job_make(void)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_MAKE_SEAL;
    return job;
}

static struct job job_forget(const void *id, size_t size)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_FORGET_SEAL;
    job.forget.seal_key_id = binary(id, size);
    return job;
}

static void test_a_sealing_key_that_was_made_opens_until_it_is_forgotten(void)
{
    OWNED(desk) desk = desk_new();
    uint8_t id[SEAL_KEY_ID_BYTES], other_id[SEAL_KEY_ID_BYTES];
    uint8_t ephemeral[X25519_PUBLIC_BYTES] = {9};
    struct result made = ask(desk, job_make()), other = ask(desk, job_make());
    CU_ASSERT_EQUAL_FATAL(made.fault, OK);
    CU_ASSERT_EQUAL_FATAL(made.size, X25519_PUBLIC_BYTES);
    CU_ASSERT(memcmp(made.bytes, other.bytes, X25519_PUBLIC_BYTES) != 0);
    seal_key_id(made.bytes, id);
    seal_key_id(other.bytes, other_id);
    check_derive(desk, made.bytes);
    check_derive(desk, other.bytes);
    CU_ASSERT(is_refused(desk, job_forget(id, 7), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_forget(id, sizeof id), OK));
    CU_ASSERT(is_refused(desk, job_seal(id, sizeof id, ephemeral, sizeof ephemeral), KEY_UNKNOWN));
    CU_ASSERT(is_refused(desk, job_forget(id, sizeof id), OK)); /* none is no fault */
    check_derive(desk, other.bytes);
    key_service_clear(&desk->service);
    CU_ASSERT(
        is_refused(desk, job_seal(other_id, sizeof id, ephemeral, sizeof ephemeral), KEY_UNKNOWN));
    check_derive(desk, desk->ring->seal); /* of a file */
}

static void test_a_sealing_key_that_is_not_ours_is_unknown(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t ephemeral[X25519_PUBLIC_BYTES] = {9};
    uint8_t id[SEAL_KEY_ID_BYTES];
    seal_key_id(desk->ring->seal, id);
    id[SEAL_KEY_ID_BYTES - 1] ^= 1;
    CU_ASSERT(is_refused(desk, job_seal(id, sizeof id, ephemeral, sizeof ephemeral), KEY_UNKNOWN));
}

static void test_a_point_that_gives_its_secret_away_is_refused(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t points[][X25519_PUBLIC_BYTES] = {{0}, {1}};
    uint8_t id[SEAL_KEY_ID_BYTES];
    seal_key_id(desk->ring->seal, id);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT(
            is_refused(desk, job_seal(id, sizeof id, points[i], X25519_PUBLIC_BYTES), SEAL_BROKEN));
}

static void test_a_derivation_that_is_none_is_refused(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t point[64] = {9};
    uint8_t id[SEAL_KEY_ID_BYTES];
    seal_key_id(desk->ring->seal, id);
    CU_ASSERT(is_refused(desk, job_seal(id, 7, point, 32), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_seal(id, 0, point, 32), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_seal(id, sizeof id, point, 31), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_seal(id, sizeof id, point, 33), BAD_FRAME));
    CU_ASSERT(is_refused(desk, job_seal(id, sizeof id, point, 0), BAD_FRAME));
}

// --- batches
// ------------------------------------------------------------------------------------

static void test_a_bad_job_does_not_spoil_the_others(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t digest[32] = {1};
    struct job jobs[] = {job_header(digest, 32, TIME_MS), job_without_work(),
                         job_header(digest, 5, TIME_MS), grown_to(1),
                         job_header(digest, 32, TIME_MS)};
    static const unsigned faults[] = {OK, BAD_FRAME, BAD_FRAME, OK, OK};
    struct result results[5];
    ask_many(desk, jobs, 5, results);
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(results[i].fault, faults[i]);
        CU_ASSERT_EQUAL(results[i].size > 0, faults[i] == OK);
    }
}

static void test_a_full_batch_is_answered_and_a_fuller_one_is_none(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t digest[32] = {1};
    struct job jobs[JOBS_MAX];
    struct result results[JOBS_MAX];
    for (size_t i = 0; i < JOBS_MAX; i++)
        jobs[i] = job_header(digest, sizeof digest, TIME_MS);
    ask_many(desk, jobs, KEYS_JOBS_PER_DATAGRAM, results);
    for (size_t i = 0; i < KEYS_JOBS_PER_DATAGRAM; i++)
        CU_ASSERT_EQUAL(results[i].fault, OK);
    OWNED(bytes) datagram = pack(jobs, JOBS_MAX);
    OWNED(bytes) answer = NULL;
    MUST_FAIL(BAD_FRAME, key_service_answer(&desk->service, bytes_span(datagram), &answer));
    CU_ASSERT_PTR_NULL(answer);
}

static void test_bytes_that_are_no_batch_are_refused(void)
{
    OWNED(desk) desk = desk_new();
    static const uint8_t digest[32] = {1};
    struct job job = job_header(digest, sizeof digest, TIME_MS);
    OWNED(bytes) datagram = pack(&job, 1);
    OWNED(bytes) answer = NULL;
    MUST_FAIL(BAD_FRAME, key_service_answer(&desk->service, span_of_text("no batch"), &answer));
    for (size_t size = 1; size < datagram->size; size++)
        MUST_FAIL(BAD_FRAME,
                  key_service_answer(&desk->service, span_of(datagram->data, size), &answer));
    CU_ASSERT_PTR_NULL(answer);
}

static void test_a_day_key_is_wrapped_and_comes_back(void)
{
    OWNED(desk) desk = desk_new();
    uint8_t key[KEY_WRAP_BYTES];
    memset(key, 0x5a, sizeof key);
    struct job wrap = job_wrap(key, sizeof key);
    struct result wrapped, back;
    ask_many(desk, &wrap, 1, &wrapped);
    CU_ASSERT_EQUAL(wrapped.fault, OK);
    CU_ASSERT_EQUAL_FATAL(wrapped.size, KEY_WRAPPED_BYTES);
    struct job unwrap = job_unwrap(wrapped.bytes, wrapped.size);
    ask_many(desk, &unwrap, 1, &back);
    CU_ASSERT_EQUAL(back.fault, OK);
    CU_ASSERT(span_equal(result_span(&back), span_of(key, sizeof key)));
}

static void test_what_no_store_key_of_ours_has_wrapped_does_not_come_out(void)
{
    OWNED(desk) desk = desk_new();
    OWNED(desk) other = desk_new();
    uint8_t key[KEY_WRAP_BYTES] = {1};
    struct job wrap = job_wrap(key, sizeof key);
    struct result wrapped, back;
    ask_many(other, &wrap, 1, &wrapped);
    struct job unwrap = job_unwrap(wrapped.bytes, wrapped.size);
    ask_many(desk, &unwrap, 1, &back);
    CU_ASSERT_EQUAL(back.fault, SEAL_BROKEN);
    CU_ASSERT_EQUAL(back.size, 0);
    unwrap = job_unwrap(wrapped.bytes, wrapped.size - 1);
    ask_many(desk, &unwrap, 1, &back);
    CU_ASSERT_EQUAL(back.fault, BAD_FRAME);
    wrap = job_wrap(key, sizeof key - 1);
    ask_many(desk, &wrap, 1, &back);
    CU_ASSERT_EQUAL(back.fault, BAD_FRAME);
}

static void test_no_header_is_signed_before_there_is_a_certificate(void)
{
    OWNED(desk) desk = desk_new();
    const struct sha256 digest = SHA256_OF(span_of_text("content"));
    const struct job header = job_header(digest.at, sizeof digest.at, TIME_MS);
    const struct job take = job_certificate(certificate_der(desk->ring->country->member));
    CU_ASSERT(is_refused(desk, take, REFUSED)); /* it has one */
    desk->store->certified = false;
    CU_ASSERT(is_refused(desk, header, KEY_UNKNOWN));
    CU_ASSERT(is_refused(desk, job_certificate(span_of_text("none")), CERTIFICATE_BAD));
    CU_ASSERT(is_refused(desk, header, KEY_UNKNOWN));
    CU_ASSERT_EQUAL(ask(desk, take).fault, OK);
    CU_ASSERT_EQUAL(ask(desk, header).fault, OK);
}

// --- the next signing key
// ------------------------------------------------------------------------

#define SERVER "CO/GOV/899999027/SS1"

static struct job job_renewal(void)
{
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_REQUEST_RENEWAL;
    return job;
}

static struct job job_approval(struct span act)
{
    static char instance[] = "CO";
    struct job job = job_without_work();
    job.message.work_case = CHASKI__KEYS_JOB__WORK_APPROVE_RENEWAL;
    job.approval.instance = instance;
    job.approval.act = binary(act.at, act.size);
    return job;
}

/* A desk with a next key, and what it wants: its certificate, and an act that brings it in. */
struct heir {
    struct desk *desk;
    struct certificate *certificate;
    ProtobufCBinaryData certificates[2], seal;
    Chaski__ServerSet server;
    Chaski__Act act;
};

static void heir_free(struct heir **self)
{
    desk_free(&(*self)->desk);
    certificate_free(&(*self)->certificate);
    free(*self);
    *self = NULL;
}

static struct heir *heir_new(void)
{
    static char id[] = SERVER;
    struct heir *self = owned_new(sizeof *self);
    self->desk = desk_new();
    struct key_store *store = self->desk->store;
    MUST(key_store_prepare(store, self->desk->ring->folder, (struct span){0}, SERVER));
    fixture_issue(self->desk->ring->country, store->next, &self->certificate);
    struct span next = certificate_der(self->certificate);
    struct span now = certificate_der(self->desk->ring->country->member);
    self->certificates[0] = binary(next.at, next.size);
    self->certificates[1] = binary(now.at, now.size);
    self->seal = binary(self->desk->ring->seal, sizeof self->desk->ring->seal);
    chaski__server_set__init(&self->server);
    self->server.id = id;
    self->server.n_certificate = 2;
    self->server.certificate = self->certificates;
    self->server.n_seal_key = 1;
    self->server.seal_key = &self->seal;
    chaski__act__init(&self->act);
    self->act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    self->act.server_set = &self->server;
    return self;
}

static struct result approve(struct heir *self)
{
    OWNED(bytes) packed = NULL;
    MUST(bytes_new(chaski__act__get_packed_size(&self->act), &packed));
    chaski__act__pack(&self->act, packed->data);
    return ask(self->desk, job_approval(bytes_span(packed)));
}

static void test_the_present_key_asks_for_the_next_ones_certificate(void)
{
    OWNED(heir) heir = heir_new();
    struct result result = ask(heir->desk, job_renewal());
    struct sha256 digest;
    uint8_t point[P256_POINT_BYTES], wanted[P256_POINT_BYTES];
    CU_ASSERT_EQUAL_FATAL(result.fault, OK);
    size_t size = result.bytes[0];
    struct span request = span_of(result.bytes + 1 + size, result.size - 1 - size);
    MUST(p256_of_request(request, point));
    MUST(p256_of_certificate(certificate_der(heir->certificate), wanted));
    CU_ASSERT_EQUAL(memcmp(point, wanted, sizeof point), 0);
    MUST(renewal_digest(SERVER, request, &digest));
    MUST(certificate_verify_digest(heir->desk->ring->country->member, digest.at,
                                   span_of(result.bytes + 1, size)));
    MUST(renewal_digest("CO/GOV/899999027/SS2", request, &digest));
    MUST_FAIL(SIGNATURE_BAD, certificate_verify_digest(heir->desk->ring->country->member, digest.at,
                                                       span_of(result.bytes + 1, size)));
}

static void test_an_act_that_brings_the_next_key_in_is_approved(void)
{
    OWNED(heir) heir = heir_new();
    struct result result = approve(heir);
    struct sha256 digest = act_approval_digest(&heir->act, "CO");
    CU_ASSERT_EQUAL_FATAL(result.fault, OK);
    MUST(certificate_verify_digest(heir->desk->ring->country->member, digest.at,
                                   result_span(&result)));
    heir->server.n_certificate = 1;
    CU_ASSERT_EQUAL(approve(heir).fault, OK);
}

static void test_an_act_with_somebody_elses_keys_is_not_approved(void)
{
    OWNED(heir) heir = heir_new();
    OWNED(keypair) other = NULL;
    OWNED(certificate) theirs = NULL;
    uint8_t seal[X25519_PUBLIC_BYTES] = {9};
    const ProtobufCBinaryData next = heir->certificates[0], now = heir->certificates[1];
    const ProtobufCBinaryData own = heir->seal;
    MUST(keypair_make(KEY_P256, &other));
    fixture_issue(heir->desk->ring->country, other, &theirs);
    heir->certificates[1] = binary(certificate_der(theirs).at, certificate_der(theirs).size);
    CU_ASSERT_EQUAL(approve(heir).fault, REFUSED);
    heir->certificates[1] = now;
    heir->certificates[0] = binary(certificate_der(theirs).at, certificate_der(theirs).size);
    CU_ASSERT_EQUAL(approve(heir).fault, REFUSED);
    heir->certificates[0] = now; /* the old one alone, or first */
    CU_ASSERT_EQUAL(approve(heir).fault, REFUSED);
    heir->certificates[0] = next;
    heir->seal = binary(seal, sizeof seal);
    CU_ASSERT_EQUAL(approve(heir).fault, REFUSED);
    heir->seal = own;
    heir->server.n_seal_key = 0;
    CU_ASSERT_EQUAL(approve(heir).fault, REFUSED);
    heir->server.n_seal_key = 1;
    CU_ASSERT_EQUAL(approve(heir).fault, OK);
}

static void test_no_other_act_is_approved(void)
{
    static char other[] = "CO/GOV/899999027/SS2", id[] = "CO/GOV/899999027/X";
    OWNED(heir) heir = heir_new();
    Chaski__SubsystemSet subsystem = CHASKI__SUBSYSTEM_SET__INIT;
    char *mine = heir->server.id;
    heir->server.id = other;
    CU_ASSERT_EQUAL(approve(heir).fault, REFUSED);
    heir->server.id = mine;
    subsystem.id = id;
    heir->act.act_case = CHASKI__ACT__ACT_SUBSYSTEM_SET;
    heir->act.subsystem_set = &subsystem;
    CU_ASSERT_EQUAL(approve(heir).fault, REFUSED);
    CU_ASSERT(is_refused(heir->desk, job_approval(span_of_text("\xff")), BAD_FRAME));
}

static void test_the_next_key_takes_over_and_is_not_there_twice(void)
{
    OWNED(heir) heir = heir_new();
    const struct sha256 digest = SHA256_OF(span_of_text("content"));
    const struct job take = job_certificate(certificate_der(heir->certificate));
    struct cades_template template;
    CU_ASSERT_EQUAL(ask(heir->desk, take).fault, OK);
    cades_template_make(heir->certificate, &template);
    struct result result = ask(heir->desk, job_header(digest.at, sizeof digest.at, TIME_MS));
    struct sha256 signed_digest = cades_signed_digest(&template, &digest, TIME_MS);
    MUST(certificate_verify_digest(heir->certificate, signed_digest.at, result_span(&result)));
    CU_ASSERT(is_refused(heir->desk, take, REFUSED));
    CU_ASSERT(is_refused(heir->desk, job_renewal(), KEY_UNKNOWN));
    CU_ASSERT_EQUAL(approve(heir).fault, KEY_UNKNOWN);
}

static void test_without_a_next_key_none_is_asked_for(void)
{
    OWNED(desk) desk = desk_new();
    CU_ASSERT(is_refused(desk, job_renewal(), KEY_UNKNOWN));
}

SUITE(key_service, TEST(test_a_sealing_key_that_was_made_opens_until_it_is_forgotten),
      TEST(test_the_present_key_asks_for_the_next_ones_certificate),
      TEST(test_an_act_that_brings_the_next_key_in_is_approved),
      TEST(test_an_act_with_somebody_elses_keys_is_not_approved),
      TEST(test_no_other_act_is_approved),
      TEST(test_the_next_key_takes_over_and_is_not_there_twice),
      TEST(test_without_a_next_key_none_is_asked_for),
      TEST(test_no_header_is_signed_before_there_is_a_certificate),
      TEST(test_a_day_key_is_wrapped_and_comes_back),
      TEST(test_what_no_store_key_of_ours_has_wrapped_does_not_come_out),
      TEST(test_a_signed_header_verifies_with_stock_openssl),
      TEST(test_a_digest_that_is_none_is_not_signed),
      TEST(test_a_time_that_a_header_cannot_have_is_not_signed),
      TEST(test_a_signed_checkpoint_verifies_with_stock_openssl),
      TEST(test_a_smaller_log_than_was_signed_before_is_refused),
      TEST(test_a_smaller_log_in_the_same_batch_is_refused_too),
      TEST(test_a_refused_checkpoint_does_not_count_as_signed),
      TEST(test_a_log_of_the_same_size_with_other_entries_is_refused),
      TEST(test_a_checkpoint_that_is_none_is_not_signed),
      TEST(test_an_origin_cannot_bring_a_size_of_its_own),
      TEST(test_sealing_keys_are_derived_for_each_of_our_keys),
      TEST(test_a_sealing_key_that_is_not_ours_is_unknown),
      TEST(test_a_point_that_gives_its_secret_away_is_refused),
      TEST(test_a_derivation_that_is_none_is_refused),
      TEST(test_a_bad_job_does_not_spoil_the_others),
      TEST(test_a_full_batch_is_answered_and_a_fuller_one_is_none),
      TEST(test_bytes_that_are_no_batch_are_refused))
