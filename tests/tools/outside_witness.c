// SPDX-License-Identifier: MIT
/*
 * outside_witness - a witness over HTTP, for tests: c2sp.org/tlog-witness written from its text
 * with libmicrohttpd and OpenSSL and none of our code, so that the two can disagree.
 *
 *   outside_witness PORT NAME SEED MODE-FILE LOG-VKEY...     prints its vkey, then serves
 *   SEED: one character; the key is 32 times that byte. MODE-FILE: what it does, read per request:
 *   good, or how it misbehaves (see below). State lives in memory.
 */
#include <microhttpd.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOGS_MAX 8
#define BODY_MAX 65536
#define PROOF_MAX 63

struct log {
    char name[300];
    unsigned char key[32];
    unsigned char id[4];
    unsigned long long size; /* cosigned last */
    unsigned char root[32];
    char note[BODY_MAX + 512]; /* with its cosignature; empty: none */
};

struct request {
    size_t size;
    char body[BODY_MAX + 1];
};

static struct log logs[LOGS_MAX];
static int log_count;
static EVP_PKEY *own_key, *wrong_key;
static const char *own_name, *mode_file;
static unsigned char own_id[4];
static unsigned long long lies; /* how many sizes were made up */

static void sha256(const void *a, size_t a_size, const void *b, size_t b_size,
                   unsigned char out[32])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    EVP_DigestUpdate(ctx, a, a_size);
    EVP_DigestUpdate(ctx, b, b_size);
    EVP_DigestFinal_ex(ctx, out, NULL);
    EVP_MD_CTX_free(ctx);
}

static void node(const unsigned char left[32], const unsigned char right[32], unsigned char out[32])
{
    unsigned char both[65] = {1};
    memcpy(both + 1, left, 32);
    memcpy(both + 33, right, 32);
    sha256(both, sizeof both, "", 0, out);
}

static int unbase64(const char *text, size_t size, unsigned char *out, size_t room)
{
    unsigned char decoded[1024];
    if (size == 0 || size % 4 != 0 || size / 4 * 3 > sizeof decoded)
        return -1;
    int got = EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)size);
    if (got < 0)
        return -1;
    got -= (text[size - 1] == '=') + (text[size - 2] == '=');
    if (got < 0 || (size_t)got > room)
        return -1;
    memcpy(out, decoded, (size_t)got);
    return got;
}

/* RFC 9162, 2.1.4.2 */
static int is_consistent(unsigned long long first, const unsigned char first_root[32],
                         unsigned long long second, const unsigned char second_root[32],
                         unsigned char proof[][32], int length)
{
    unsigned char fr[32], sr[32];
    int at = 0;
    if (first == 0 || first == second)
        return length == 0 && (first == 0 || memcmp(first_root, second_root, 32) == 0);
    if (length == 0)
        return 0;
    unsigned long long fn = first - 1, sn = second - 1;
    if ((first & (first - 1)) == 0) {
        memcpy(fr, first_root, 32);
    } else {
        memcpy(fr, proof[at++], 32);
    }
    memcpy(sr, fr, 32);
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    for (; at < length; at++) {
        if (sn == 0)
            return 0;
        if ((fn & 1) || fn == sn) {
            node(proof[at], fr, fr);
            node(proof[at], sr, sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            node(sr, proof[at], sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(fr, first_root, 32) == 0 && memcmp(sr, second_root, 32) == 0;
}

// --- answers -------------------------------------------------------------------------------------

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              const void *body, size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(size_t)body, MHD_RESPMEM_MUST_COPY);
    if (type != NULL)
        MHD_add_response_header(response, "Content-Type", type);
    if (status == 302)
        MHD_add_response_header(response, "Location", "/elsewhere/add-checkpoint");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_size(struct MHD_Connection *connection, unsigned long long size,
                                   const char *type)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%llu\n", size);
    return answer(connection, 409, type, text, (size_t)length);
}

static int cosign(EVP_PKEY *key, const char *text, size_t size, char *out, size_t room)
{
    unsigned char signature[4 + 8 + 64], message[2048];
    char base64[200];
    size_t signature_size = 64;
    unsigned long long now = (unsigned long long)time(NULL);
    int length = snprintf((char *)message, sizeof message, "cosignature/v1\ntime %llu\n%.*s", now,
                          (int)size, text);
    memcpy(signature, own_id, 4);
    for (int i = 0; i < 8; i++)
        signature[4 + i] = (unsigned char)(now >> (56 - 8 * i));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key);
    EVP_DigestSign(ctx, signature + 12, &signature_size, message, (size_t)length);
    EVP_MD_CTX_free(ctx);
    EVP_EncodeBlock((unsigned char *)base64, signature, sizeof signature);
    return snprintf(out, room, "\xe2\x80\x94 %s %s\n", own_name, base64);
}

/* FIPS 204: a signature of ML-DSA-87 is 4,627 bytes. */
static enum MHD_Result answer_two(struct MHD_Connection *connection, const char *line, size_t size)
{
    static unsigned char signature[4 + 8 + 4627];
    static char text[8192];
    memset(signature, 0x5a, sizeof signature);
    int length = snprintf(text, sizeof text, "\xe2\x80\x94 %s ", own_name);
    length += EVP_EncodeBlock((unsigned char *)text + length, signature, sizeof signature);
    length += snprintf(text + length, sizeof text - (size_t)length, "\n%.*s", (int)size, line);
    return answer(connection, 200, "text/plain", text, (size_t)length);
}

/* Sends a byte now and then, without end. */
static ssize_t drip(void *owner, uint64_t position, char *out, size_t room)
{
    (void)owner;
    (void)position;
    if (room == 0)
        return 0;
    usleep(200000);
    *out = 'x';
    return 1;
}

static ssize_t flood(void *owner, uint64_t position, char *out, size_t room)
{
    (void)owner;
    memset(out, '\n', room);
    return position > (64u << 20) ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)room;
}

static enum MHD_Result answer_endless(struct MHD_Connection *connection,
                                      MHD_ContentReaderCallback reader)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, reader, NULL, NULL);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

// --- the judgement -------------------------------------------------------------------------------

static int verifies(const struct log *log, const char *text, size_t size, const char *lines)
{
    char start[320];
    snprintf(start, sizeof start, "\xe2\x80\x94 %s ", log->name);
    for (const char *line = lines; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        unsigned char signature[68];
        if (end == NULL)
            return 0;
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        line += strlen(start);
        if (unbase64(line, (size_t)(end - line), signature, sizeof signature) != 68 ||
            memcmp(signature, log->id, 4) != 0)
            continue;
        EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, log->key, 32);
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        int good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                   EVP_DigestVerify(ctx, signature + 4, 64, (const unsigned char *)text, size) == 1;
        EVP_MD_CTX_free(ctx);
        EVP_PKEY_free(key);
        return good;
    }
    return 0;
}

static struct log *find(const char *origin, size_t size)
{
    for (int i = 0; i < log_count; i++)
        if (strlen(logs[i].name) == size && memcmp(logs[i].name, origin, size) == 0)
            return &logs[i];
    return NULL;
}

static enum MHD_Result judge(struct MHD_Connection *connection, char *body, const char *mode)
{
    unsigned char proof[PROOF_MAX][32], root[32];
    unsigned long long old = 0, size = 0;
    char line[512], root_text[64];
    int length = 0, used = 0;
    char *at = body;
    if (sscanf(at, "old %llu%n", &old, &used) != 1 || at[used] != '\n')
        return answer(connection, 400, NULL, "", 0);
    for (at += used + 1; *at != '\n'; at = strchr(at, '\n') + 1) {
        char *end = strchr(at, '\n');
        if (end == NULL || length == PROOF_MAX ||
            unbase64(at, (size_t)(end - at), proof[length++], 32) != 32)
            return answer(connection, 400, NULL, "", 0);
    }
    char *text = at + 1, *signatures = strstr(text, "\n\n");
    if (signatures == NULL || sscanf(text, "%*[^\n]\n%llu\n%63[^\n]", &size, root_text) != 2 ||
        unbase64(root_text, strlen(root_text), root, 32) != 32)
        return answer(connection, 400, NULL, "", 0);
    size_t text_size = (size_t)(signatures + 1 - text);
    struct log *log = find(text, (size_t)(strchr(text, '\n') - text));
    if (log == NULL)
        return answer(connection, 404, NULL, "", 0);
    if (!verifies(log, text, text_size, signatures + 2))
        return answer(connection, 403, NULL, "", 0);
    if (old > size)
        return answer(connection, 400, NULL, "", 0);
    if (old != log->size)
        return answer_size(connection, log->size, "text/x.tlog.size");
    if (!is_consistent(log->size, log->root, size, root, proof, length))
        return answer(connection, 422, NULL, "", 0);
    log->size = size;
    memcpy(log->root, root, 32);
    int written = cosign(strcmp(mode, "wrongkey") == 0 ? wrong_key : own_key, text, text_size, line,
                         sizeof line);
    if (strcmp(mode, "twokeys") ==
        0) /* a line of another kind of key before it, of ML-DSA-87's size */
        return answer_two(connection, line, (size_t)written);
    snprintf(log->note, sizeof log->note, "%s%.*s", text, written, line);
    fprintf(stderr, "cosigned %llu from %llu with %d hashes\n", size, old, length);
    return answer(connection, 200, "text/plain", line, (size_t)written);
}

/* A head of that log, as if it had a million entries, signed by another key. */
static enum MHD_Result show_forged(struct MHD_Connection *connection, const struct log *log)
{
    unsigned char root[32] = {0}, signature[68];
    char text[400], line[1000], base64[100];
    size_t size = 64;
    EVP_EncodeBlock((unsigned char *)base64, root, sizeof root);
    int length = snprintf(text, sizeof text, "%s\n1000000\n%s\n", log->name, base64);
    memcpy(signature, log->id, sizeof log->id);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestSignInit(ctx, NULL, NULL, NULL, wrong_key);
    EVP_DigestSign(ctx, signature + 4, &size, (const unsigned char *)text, (size_t)length);
    EVP_MD_CTX_free(ctx);
    EVP_EncodeBlock((unsigned char *)base64, signature, sizeof signature);
    length = snprintf(line, sizeof line, "%s\n\xe2\x80\x94 %s %s\n", text, log->name, base64);
    return answer(connection, 200, "text/plain", line, (size_t)length);
}

/* GET /w/<hex of SHA-256 of the origin>/checkpoint */
static enum MHD_Result show(struct MHD_Connection *connection, const char *url, const char *mode)
{
    char path[100] = "/w/";
    for (int i = 0; i < log_count; i++) {
        unsigned char hash[32];
        sha256(logs[i].name, strlen(logs[i].name), "", 0, hash);
        for (int at = 0; at < 32; at++)
            snprintf(path + 3 + 2 * at, 3, "%02x", hash[at]);
        strcpy(path + 67, "/checkpoint");
        if (strcmp(url, path) == 0 && strcmp(mode, "forged") == 0)
            return show_forged(connection, &logs[i]);
        if (strcmp(url, path) == 0 && logs[i].note[0] != '\0')
            return answer(connection, 200, "text/plain", logs[i].note, strlen(logs[i].note));
    }
    return answer(connection, 404, NULL, "", 0);
}

// --- serving -------------------------------------------------------------------------------------

static void read_mode(char out[32])
{
    FILE *file = fopen(mode_file, "re");
    if (file == NULL || fscanf(file, "%31s", out) != 1)
        strcpy(out, "good");
    if (file != NULL)
        fclose(file);
}

static const char garbage[] = "\xe2\x80\x94 a b\n\xff\xfe\0nonsense\n";

static enum MHD_Result behave(struct MHD_Connection *connection, const char *url,
                              struct request *request, const char *mode)
{
    if (strcmp(mode, "loop") == 0) /* another size each time */
        return answer_size(connection, ++lies % 3, "text/x.tlog.size");
    if (strcmp(mode, "ahead") == 0)
        return answer_size(connection, 1000000, "text/x.tlog.size");
    if (strcmp(mode, "untyped") == 0)
        return answer_size(connection, 1, "text/plain");
    if (strcmp(mode, "garbage") == 0)
        return answer(connection, 200, "text/plain", garbage, sizeof garbage - 1);
    if (strcmp(mode, "empty") == 0)
        return answer(connection, 200, "text/plain", "", 0);
    if (strcmp(mode, "redirect") == 0)
        return answer(connection, 302, NULL, "", 0);
    if (strcmp(mode, "drip") == 0)
        return answer_endless(connection, drip);
    if (strcmp(mode, "huge") == 0)
        return answer_endless(connection, flood);
    if (strcmp(mode, "down") == 0)
        return answer(connection, 500, NULL, "", 0);
    return strcmp(url, "/w/add-checkpoint") == 0 ? judge(connection, request->body, mode)
                                                 : show(connection, url, mode);
}

static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)owner;
    (void)version;
    struct request *request = *state;
    char mode[32];
    if (request == NULL) {
        *state = calloc(1, sizeof(struct request));
        return *state == NULL ? MHD_NO : MHD_YES;
    }
    if (*upload_size > 0) {
        if (*upload_size > BODY_MAX - request->size)
            return MHD_NO;
        memcpy(request->body + request->size, upload, *upload_size);
        request->size += *upload_size;
        *upload_size = 0;
        return MHD_YES;
    }
    if (strncmp(url, "/elsewhere", 10) == 0)
        fprintf(stderr, "followed a redirect\n");
    int post = strcmp(method, "POST") == 0;
    if (strncmp(url, "/w/", 3) != 0 || post != (strcmp(url, "/w/add-checkpoint") == 0))
        return answer(connection, 404, NULL, "", 0);
    read_mode(mode);
    if (post)
        fprintf(stderr, "asked %.*s, %s\n", (int)strcspn(request->body, "\n"), request->body, mode);
    else
        fprintf(stderr, "looked at, %s\n", mode);
    return behave(connection, url, request, mode);
}

static void completed(void *owner, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    (void)owner;
    (void)connection;
    (void)code;
    free(*state);
}

static void read_log(const char *vkey)
{
    struct log *log = &logs[log_count];
    unsigned char key[33], id[4];
    unsigned n[4];
    if (log_count == LOGS_MAX ||
        sscanf(vkey, "%299[^+]+%2x%2x%2x%2x+", log->name, n, n + 1, n + 2, n + 3) != 5)
        return;
    const char *text = strrchr(vkey, '+') == NULL ? "" : vkey + strlen(log->name) + 10;
    size_t size = strcspn(text, "\n");
    if (unbase64(text, size, key, sizeof key) != 33 || key[0] != 1)
        return;
    for (int i = 0; i < 4; i++)
        id[i] = (unsigned char)n[i];
    memcpy(log->key, key + 1, 32);
    memcpy(log->id, id, 4);
    log_count++;
}

static void make_keys(char seed)
{
    unsigned char secret[32], public[33] = {4}, hash[32];
    char name[300], base64[64];
    size_t size = 32;
    memset(secret, seed, sizeof secret);
    own_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    memset(secret, seed + 1, sizeof secret);
    wrong_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    EVP_PKEY_get_raw_public_key(own_key, public + 1, &size);
    int length = snprintf(name, sizeof name, "%s\n", own_name);
    sha256(name, (size_t)length, public, sizeof public, hash);
    memcpy(own_id, hash, 4);
    EVP_EncodeBlock((unsigned char *)base64, public, sizeof public);
    printf("%s+%02x%02x%02x%02x+%s\n", own_name, hash[0], hash[1], hash[2], hash[3], base64);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "outside_witness PORT NAME SEED MODE-FILE LOG-VKEY...\n");
        return 2;
    }
    own_name = argv[2];
    mode_file = argv[4];
    for (int i = 5; i < argc; i++)
        read_log(argv[i]);
    make_keys(argv[3][0]);
    if (argc == 5 || strcmp(argv[1], "0") == 0)
        return 0; /* only the key was wanted */
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD,
                         (unsigned short)strtoul(argv[1], NULL, 10), NULL, NULL, handle, NULL,
                         MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "outside_witness: port %s cannot be had\n", argv[1]);
        return 1;
    }
    for (;;)
        pause();
}
