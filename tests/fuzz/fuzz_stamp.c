// SPDX-License-Identifier: MIT
/*
 * Time stamps, both sides. First byte of the input: 0 a response to take, 1 a token to check, 2 a
 * request to answer; the rest is it. The corpus is stamped by an authority of which only the anchor
 * is kept, so that what is changed in it comes as far as signature and chain.
 */
#include "lib/base/cursor.h"
#include "lib/crypto/stamp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NONCE UINT64_C(0x8a1374819638ba0c)
#define AT_MS INT64_C(1790000000123)
#define END_MS INT64_C(4000000000000)

static const char anchor[] = "-----BEGIN CERTIFICATE-----\n"
                             "MIICBzCCAa6gAwIBAgIQQTRF6vKfuKp8/Blbd+OfzDAKBggqhkjOPQQDAjBSMQsw\n"
                             "CQYDVQQGEwJDTzEcMBoGA1UECgwTQXV0b3JpZGFkIGRlIHBydWViYTEYMBYGA1UE\n"
                             "BRMPQ08vQVVUSE9SSVRZL0NBMQswCQYDVQQDDAJjYTAeFw0yNjA5MjAxNDEzMjBa\n"
                             "Fw0zNjA5MTgxNDEzMjBaMFIxCzAJBgNVBAYTAkNPMRwwGgYDVQQKDBNBdXRvcmlk\n"
                             "YWQgZGUgcHJ1ZWJhMRgwFgYDVQQFEw9DTy9BVVRIT1JJVFkvQ0ExCzAJBgNVBAMM\n"
                             "AmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjOxrT3bhvhpm7wOcGR3oc0J/\n"
                             "U0b/3a6wuZuGwEAkM7InrGubvZdVl5emmQbkycTke+ML4bRQd0zneYxDo8fejqNm\n"
                             "MGQwHQYDVR0OBBYEFJ1gGXu7QZgljaS+O1eFawPJRO+0MB8GA1UdIwQYMBaAFJ1g\n"
                             "GXu7QZgljaS+O1eFawPJRO+0MBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/\n"
                             "BAQDAgEGMAoGCCqGSM49BAMCA0cAMEQCIB0LCfcNyUrTWtRODyFuTNa7EK1MTr7q\n"
                             "aOzoWgYg0Li5AiBl5Qucmfa3kMwZhllr45rnQ2tbXiu0+GWY3EQqePP4CA==\n"
                             "-----END CERTIFICATE-----\n";

static struct world {
    struct keypair *ca_key, *key;
    struct certificate *ca, *certificate;
    struct stamper *stamper;
    struct trust *trust;
    struct sha256 digest;
} world;

static void must(fault f)
{
    if (failed(f)) {
        fprintf(stderr, "%s\n", fault_detail());
        abort();
    }
}

/* Both anchors: of the corpus, and of the stamper that answers here. */
static void load_trust(void)
{
    char path[] = "/tmp/chaski-fuzz-XXXXXX";
    OWNED(bytes) pem = NULL;
    int fd = mkstemp(path);
    must(certificate_pem(world.ca, &pem));
    must(bytes_append_text(pem, anchor));
    assert(fd >= 0 && write(fd, pem->data, pem->size) == (ssize_t)pem->size);
    close(fd);
    must(trust_load(path, &world.trust));
    unlink(path);
}

static void make_world(void)
{
    static const struct certificate_subject subject = {
        .country = "CO", .organisation = "Prueba", .member = "CO/AUTHORITY/TSA", .server = "tsa"};
    OWNED(bytes) request = NULL;
    memset(world.digest.at, 0x5a, sizeof world.digest.at);
    must(keypair_make(KEY_P256, &world.ca_key));
    must(keypair_make(KEY_P256, &world.key));
    must(certificate_make_ca(world.ca_key, &subject, 0, END_MS, &world.ca));
    must(keypair_request(world.key, &subject, &request));
    must(certificate_issue_stamper(world.ca_key, world.ca, bytes_span(request), &subject, 0, END_MS,
                                   &world.certificate));
    must(stamper_new(world.key, world.certificate, &world.stamper));
    load_trust();
}

/* What is handed out must pass on its own, and say the same. */
static void take(struct span response)
{
    OWNED(bytes) token = NULL;
    int64_t taken_ms = 0, checked_ms = 0;
    if (failed(stamp_take(response, &world.digest, NONCE, world.trust, &token, &taken_ms)))
        return;
    must(stamp_check(bytes_span(token), &world.digest, world.trust, END_MS, &checked_ms));
    assert(taken_ms == AT_MS && checked_ms == AT_MS);
}

/* Nobody but the authority of the corpus could say another time. */
static void check(struct span token)
{
    int64_t time_ms = 0;
    if (!failed(stamp_check(token, &world.digest, world.trust, END_MS, &time_ms)))
        assert(time_ms == AT_MS);
}

static void answer(struct span request)
{
    enum stamp_verdict verdict = STAMP_GARBAGE;
    OWNED(bytes) response = NULL;
    must(stamper_answer(world.stamper, request, AT_MS, 1, &verdict, &response));
    assert(response->size > 0 && response->size <= STAMP_RESPONSE_BYTES_MAX);
    take(bytes_span(response));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor left = cursor_over(span_of(data, size));
    uint8_t kind = 0;
    if (world.trust == NULL)
        make_world();
    if (failed(cursor_take_u8(&left, &kind)))
        return 0;
    if (kind == 0)
        take(left.left);
    else if (kind == 1)
        check(left.left);
    else
        answer(left.left);
    return 0;
}
