// SPDX-License-Identifier: MIT
/*
 * hot_steps - what an exchange does most, step by step over the real code, for valgrind's callgrind
 * to count: for tests/bench/instructions.sh.
 *
 *   hot_steps FOLDER     FOLDER: empty; a log is made in it. Prints `STEP TIMES` lines; each step's
 *                        counts go to a part of callgrind's output that is named after it
 *
 * Without valgrind it runs and counts nothing.
 */
#include "gateway/http_head.h"
#include "gateway/rest_headers.h"
#include "gateway/rest_message.h"
#include "gateway/rest_target.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/header.h"
#include "lib/bus/letter.h"
#include "lib/bus/policy.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/merkle.h"
#include "tests/unit/bus/book.h"
#include "tests/unit/bus/store_keys.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <valgrind/callgrind.h>

#define WARM 3
#define TIMES 50
#define GROUP 16
#define NOW_MS (BOOK_START_MS + 30 * BOOK_DAY_MS)

static struct {
    const char *folder;
    struct book *book;
    struct directory *directory;
    struct keypair *key;
    struct certificate *certificate;
    struct cades_template template;
    struct seal_key *seal;
    struct bytes *header, *blob, *sealed, *leaf, *packed;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t signature_size;
    struct sha256 hash;
    uint8_t envelope[MESH_ENVELOPE_BYTES_MAX];
    size_t envelope_size;
    struct audit_log *log;
    struct keypair *log_signer;
    struct note_key log_key;
} self;

const char *unit_folder(void)
{
    return self.folder;
}

static void need(fault f)
{
    if (!failed(f))
        return;
    fprintf(stderr, "hot_steps: %s: %s\n", fault_name(f.code), fault_detail());
    exit(1);
}

// --- steps ---

static struct header an_answer(void)
{
    struct header header = {.kind = HEADER_RESPONSE, .time_ms = NOW_MS, .status = 200};
    memset(header.exchange_id, 7, sizeof header.exchange_id);
    header.sender = span_of_text(DANE "/DIVIPOLA");
    header.receiver = span_of_text(MEDELLIN "/TRAMITES");
    header.service = span_of_text(DANE "/DIVIPOLA/municipios");
    header.sender_server = span_of_text(DANE "/SS1");
    header.receiver_server = span_of_text(MEDELLIN "/SS1");
    header.deadline_ms = header.time_ms + 60000;
    header.purpose = span_of_text("tramite-licencia");
    header.rule = span_of_text("shared/competence C-1");
    header.has_reply_to = true;
    header.log_size = 300000;
    header.directory_epoch = 4000;
    header.payload_bytes = 300;
    return header;
}

static void encode_header(void)
{
    struct header header = an_answer();
    bytes_free(&self.header);
    need(header_encode(&header, &self.header));
}

static void decode_header(void)
{
    OWNED(header_read) read = NULL;
    need(header_decode(bytes_span(self.header), &read));
}

static void decide(void)
{
    struct policy_question question = {.client = span_of_text(MEDELLIN "/TRAMITES"),
                                       .service = span_of_text(DANE "/DIVIPOLA/municipios"),
                                       .purpose = span_of_text("tramite-licencia"),
                                       .at_ms = NOW_MS};
    static struct policy_verdict verdict;
    policy_decide(self.directory, &question, &verdict);
    if (verdict.fault != OK)
        need(RAISE(BAD_REQUEST, "the decision is %s", verdict.rule));
}

static void refuse(void)
{
    struct policy_question question = {.client = span_of_text(FIRM "/APP"),
                                       .service = span_of_text(DANE "/DIVIPOLA/reservado"),
                                       .purpose = span_of_text("tramite-licencia"),
                                       .at_ms = NOW_MS};
    static struct policy_verdict verdict;
    policy_decide(self.directory, &question, &verdict);
    if (verdict.fault != ACCESS_DENIED)
        need(RAISE(BAD_REQUEST, "the decision is %s", verdict.rule));
}

static struct sha256 digest_now(void)
{
    struct span piece = bytes_span(self.header);
    struct sha256 content = digest_sha256(&piece, 1);
    return cades_signed_digest(&self.template, &content, NOW_MS);
}

static void sign(void)
{
    struct sha256 digest = digest_now();
    need(keypair_sign_digest(self.key, digest.at, self.signature, &self.signature_size));
}

static void verify(void)
{
    need(cades_verify(self.certificate, &self.template, bytes_span(self.header), NOW_MS,
                      span_of(self.signature, self.signature_size)));
}

static void make_leaf(void)
{
    bytes_free(&self.leaf);
    need(cades_leaf(&self.template, bytes_span(self.header), NOW_MS,
                    span_of(self.signature, self.signature_size), &self.leaf));
    self.hash = merkle_leaf_hash(bytes_span(self.leaf));
}

static void pack_envelope(void)
{
    struct envelope envelope = {.counter = 123456, .direction = LETTER_ANSWER};
    self.envelope_size = envelope_encode(&envelope, self.envelope);
}

static void parse_envelope(void)
{
    struct envelope envelope;
    need(envelope_decode(span_of(self.envelope, self.envelope_size), &envelope));
}

static void seal_letter(void)
{
    uint8_t ski[SKI_BYTES] = {1};
    struct letter letter = {.header = bytes_span(self.header),
                            .ski = span_of(ski, sizeof ski),
                            .signature = span_of(self.signature, self.signature_size),
                            .blob = bytes_span(self.blob)};
    bytes_free(&self.sealed);
    need(letter_seal(&letter, self.seal, 3, span_of(self.envelope, self.envelope_size),
                     &self.sealed));
}

static void open_letter(void)
{
    OWNED(bytes) memory = NULL;
    struct letter letter;
    need(letter_open(bytes_span(self.sealed), self.seal, 3,
                     span_of(self.envelope, self.envelope_size), &memory, &letter));
}

/* As under load: a group of records in one commit. */
static void append_group(void)
{
    struct audit_record records[GROUP] = {0};
    for (size_t i = 0; i < GROUP; i++) {
        records[i].leaf = bytes_span(self.leaf);
        records[i].blob = bytes_span(self.blob);
    }
    need(audit_log_append(self.log, records, GROUP, NOW_MS));
}

#define REQUEST_HEAD                                                                          \
    "GET /r1/CO/GOV/899999027/DIVIPOLA/municipios/05001?campo=nombre HTTP/1.1\r\n"            \
    "Host: bus.medellin.gov.co:8080\r\nX-Road-Client: CO/MUN/890905211/TRAMITES\r\n"          \
    "X-Road-Id: 3f2d1c0b-9a88-4776-a655-443322110000\r\nChaski-Purpose: tramite-licencia\r\n" \
    "Accept: application/json\r\nUser-Agent: sistema-de-tramites/2.4\r\n\r\n"

static void read_request(void)
{
    static struct http_head head;
    static struct rest_fields fields;
    static struct rest_want want;
    struct rest_target target;
    struct span bytes = span_of_text(REQUEST_HEAD);
    size_t seen = 0, size = 0;
    need(http_head_measure(bytes, &seen, &size));
    need(http_head_parse(HTTP_IS_REQUEST, span_of(bytes.at, size), &head));
    rest_headers_of_request(&head, &fields);
    need(rest_headers_check(&fields));
    need(rest_headers_read_want(&fields, 10000, &want));
    need(rest_target_parse(rest_target_origin(head.target), &target));
    bytes_free(&self.packed);
    self.packed = bytes_empty(512);
    rest_request_write(head.method, head.target, &fields, self.packed);
}

static void read_packed(void)
{
    static struct rest_request request;
    need(rest_request_read(bytes_span(self.packed), &request));
}

#define ANSWER_HEAD                                                                       \
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n"         \
    "Content-Type: application/json\r\nContent-Length: 200\r\nConnection: keep-alive\r\n" \
    "Last-Modified: Sat, 21 Nov 2026 11:00:00 GMT\r\nETag: \"6b02228e-c8\"\r\n\r\n"

static void read_answer(void)
{
    static struct http_head head;
    static struct rest_fields fields;
    struct span bytes = span_of_text(ANSWER_HEAD);
    size_t seen = 0, size = 0;
    need(http_head_measure(bytes, &seen, &size));
    need(http_head_parse(HTTP_IS_RESPONSE, span_of(bytes.at, size), &head));
    rest_headers_of_response(head.field, head.fields, &fields);
}

/* In this order: later ones use what earlier ones made. */
static const struct {
    const char *name;
    void (*run)(void);
} steps[] = {
    {"header-encode", encode_header},
    {"header-decode", decode_header},
    {"decide-allowed", decide},
    {"decide-refused", refuse},
    {"sign", sign},
    {"verify", verify},
    {"leaf-make", make_leaf},
    {"envelope-pack", pack_envelope},
    {"envelope-parse", parse_envelope},
    {"letter-seal", seal_letter},
    {"letter-open", open_letter},
    {"log-append-16", append_group},
    {"http-request", read_request},
    {"rest-message-read", read_packed},
    {"http-answer", read_answer},
};

// --- around them ---

static void make_country(void)
{
    self.book = book_new();
    book_country(self.book);
    need(book_fold(self.book, &self.directory));
    self.certificate = book_issue(self.book, DANE, "SS1", &self.key);
    cades_template_make(self.certificate, &self.template);
}

static void make_log(void)
{
    OWNED(bytes) public_key = NULL;
    need(keypair_make(KEY_ED25519, &self.log_signer));
    need(keypair_public(self.log_signer, &public_key));
    need(note_key_make("log.example/a", NOTE_LOG, public_key->data, &self.log_key));
    struct audit_log_options options = {.folder = self.folder,
                                        .epoch = 1,
                                        .segment_bytes = 1 << 20,
                                        .key = &self.log_key,
                                        .holder = *a_holder()};
    struct audit_recovery recovery;
    need(audit_log_open(&options, NULL, NULL, &self.log, &recovery));
}

static void count(size_t step)
{
    for (unsigned i = 0; i < WARM; i++)
        steps[step].run();
    CALLGRIND_START_INSTRUMENTATION;
    for (unsigned i = 0; i < TIMES; i++)
        steps[step].run();
    CALLGRIND_STOP_INSTRUMENTATION;
    CALLGRIND_DUMP_STATS_AT(steps[step].name);
    printf("%s %u\n", steps[step].name, TIMES);
}

/* The book asserts, and so needs a test around it. */
static void run_all(void)
{
    static const uint8_t raw[SEAL_KEY_BYTES] = {5};
    static const uint8_t payload[300];
    make_country();
    make_log();
    need(seal_key_make(raw, &self.seal));
    need(letter_blob(span_of(payload, sizeof payload), &self.blob));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        count(i);
    audit_log_free(&self.log);
}

int main(int words, char **word)
{
    if (words != 2)
        return 2;
    self.folder = word[1];
    CU_initialize_registry();
    CU_add_test(CU_add_suite("hot_steps", NULL, NULL), "all", run_all);
    CU_basic_set_mode(CU_BRM_SILENT);
    CU_basic_run_tests();
    return CU_get_number_of_failures() > 0;
}
