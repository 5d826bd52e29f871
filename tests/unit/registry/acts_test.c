// SPDX-License-Identifier: MIT
#include "tests/unit/registry/authority.h"

#include <unistd.h>

#define DANE "CO/GOV/899999027"
#define MEDELLIN "CO/MUN/890905211"
#define NOON_MS INT64_C(1795262400000) /* 2026-11-21 12:00 UTC */

/* Two members with servers and subsystems, a restricted service. */
static struct place country(void)
{
    struct place place = authority_make();
    OWNED(keypair) first = NULL;
    OWNED(keypair) second = NULL;
    MUST(keypair_make(KEY_P256, &first));
    MUST(keypair_make(KEY_P256, &second));
    MUST(authority_run(&place, "member add " DANE " --name DANE --public"));
    MUST(authority_run(&place, "member add " MEDELLIN " --name 'Alcaldía de Medellín' --public"));
    MUST(authority_enrol(&place, DANE "/SS1", first, 1));
    MUST(authority_enrol(&place, MEDELLIN "/SS1", second, 2));
    MUST(authority_run(&place, "subsystem add " DANE "/DIVIPOLA --name D --server " DANE "/SS1"));
    MUST(authority_run(&place,
                       "subsystem add " MEDELLIN "/TRAMITES --name T --server " MEDELLIN "/SS1"));
    MUST(authority_run(&place, "service add " DANE "/DIVIPOLA/reservado"));
    return place;
}

static const struct directory_server *server_in(struct store *store, const char *id)
{
    const struct directory_server *server = directory_server(store_state(store), span_of_text(id));
    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    return server;
}

static void test_a_service_is_shared_unless_said_otherwise(void)
{
    struct place place = country();
    MUST(authority_run(&place, "service add " DANE "/DIVIPOLA/municipios --title M"));
    MUST_FAIL(REFUSED, authority_run(&place, "service add " DANE "/DIVIPOLA/x --class secret"));
    OWNED(store) store = authority_open(&place);
    const struct directory_service *service =
        directory_service(store_state(store), span_of_text(DANE "/DIVIPOLA/municipios"));
    CU_ASSERT_EQUAL(service->class, SERVICE_SHARED);
}

static void test_a_service_switched_off_stays_so_when_it_is_retitled(void)
{
    struct place place = country();
    static const char id[] = DANE "/DIVIPOLA/reservado";
    MUST(authority_run(&place, "service disable " DANE "/DIVIPOLA/reservado --notice Lunes"));
    MUST(authority_run(&place, "service add " DANE "/DIVIPOLA/reservado --title Nuevo"));
    OWNED(store) store = authority_open(&place);
    const struct directory_service *service =
        directory_service(store_state(store), span_of_text(id));
    CU_ASSERT(service->disabled);
    CU_ASSERT_STRING_EQUAL(service->notice, "Lunes");
    CU_ASSERT_STRING_EQUAL(service->title, "Nuevo");
    MUST(authority_tell(store, "service enable " DANE "/DIVIPOLA/reservado"));
    CU_ASSERT_FALSE(directory_service(store_state(store), span_of_text(id))->disabled);
}

/* What who proposes it is told, beside what becomes of it: "" is nothing. */
static void hear_looks(struct store *store, const char *line, char out[1024])
{
    OWNED(said) said = said_new();
    OWNED(said) looks = said_new();
    MUST(authority_hear(store, line, said));
    said_take_looks(looks, said);
    FILE *into = fmemopen(out, 1024, "w");
    said_print(looks, into);
    fclose(into);
    if (out[0] == '\0')
        return;
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "--subject required"));
    CU_ASSERT_PTR_EQUAL(strchr(out, '\n'), out + strlen(out) - 1); /* one line */
}

#define RESTRICTED DANE "/DIVIPOLA/reservado"

static void test_a_restricted_service_that_names_nobody_is_said_and_not_refused(void)
{
    static const char restrict_it[] =
        "restriction add R-1 --service " RESTRICTED
        " --ground privacy --reason Datos --approver Juridica --until 2027-09-01";
    static const struct {
        const char *line;
        bool said;
    } steps[] = {
        {"service add " RESTRICTED " --title Reservado", false},
        {restrict_it, true},
        {"service add " RESTRICTED " --title Reservado", true},
        {"service add " RESTRICTED " --subject required", false},
        {"service add " RESTRICTED " --title Otro", false}, /* what stands is kept */
        {restrict_it, false},
        {"service add " RESTRICTED " --subject optional", true},
        {"service add " DANE "/DIVIPOLA/otro --class open", false},
        {"restriction add R-2 --service " DANE "/DIVIPOLA/otro --consumer " MEDELLIN
         " --ground misuse --reason Abuso --approver Juridica --until 2027-09-01",
         false}, /* one is shut out, which closes the service to nobody else */
    };
    clock_set_for_test(NOON_MS, 0);
    struct place place = country();
    OWNED(store) store = authority_open(&place);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char looks[1024] = "";
        hear_looks(store, steps[i].line, looks);
        if ((looks[0] != '\0') != steps[i].said)
            fprintf(stderr, "  %zu: %s: \"%s\"\n", i, steps[i].line, looks);
        CU_ASSERT_EQUAL(looks[0] != '\0', steps[i].said);
    }
    clock_set_for_test(0, -1);
}

static fault grant_until(struct store *store, const char *day)
{
    char line[512];
    snprintf(line, sizeof line,
             "grant add G-1 --service " DANE "/DIVIPOLA/reservado --consumer " MEDELLIN
             " --legal-basis Ley --until %s",
             day);
    return authority_tell(store, line);
}

static void test_a_grant_ends_in_the_future_and_within_24_months(void)
{
    static const struct {
        const char *day;
        bool allowed;
    } days[] = {{"2026-11-20", false}, {"2026-11-21", true},  {"2028-11-21", true},
                {"2028-11-22", false}, {"2027-02-28", true},  {"2027-02-29", false},
                {"2028-02-29", true},  {"2027-13-01", false}, {"2027-1-1", false},
                {"20270101", false},   {"tomorrow", false},   {"2027-01-01x", false}};
    clock_set_for_test(NOON_MS, 0);
    struct place place = country();
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        OWNED(store) store = authority_open(&place);
        fault f = grant_until(store, days[i].day);
        if (failed(f) == days[i].allowed)
            fprintf(stderr, "  %s: %s %s\n", days[i].day, fault_name(f.code), fault_detail());
        CU_ASSERT_EQUAL(f.code, days[i].allowed ? OK : REFUSED);
    }
    OWNED(store) store = authority_open(&place);
    MUST(grant_until(store, "2026-11-30"));
    CU_ASSERT_EQUAL(directory_grant(store_state(store), span_of_text("G-1"))->until_ms,
                    NOON_MS - 12 * 3600000 + 10 * STORE_DAY_MS); /* 1 December 00:00 */
    clock_set_for_test(0, -1);
}

static void test_a_server_gets_its_certificate_and_moves(void)
{
    struct place place = country();
    MUST(authority_run(&place,
                       "server address " DANE "/SS1 --address tcp://a:1 --address tcp://b:2"));
    OWNED(store) store = authority_open(&place);
    const struct directory_server *server = server_in(store, DANE "/SS1");
    CU_ASSERT_EQUAL_FATAL(server->addresses, 2);
    CU_ASSERT_STRING_EQUAL(server->address[1], "tcp://b:2");
    CU_ASSERT_EQUAL_FATAL(server->signers, 1);
    CU_ASSERT(server->signer[0]->trusted);
    const struct certificate_subject *subject = certificate_subject(server->signer[0]->certificate);
    CU_ASSERT_STRING_EQUAL(subject->member, DANE);
    CU_ASSERT_STRING_EQUAL(subject->server, "SS1");
    CU_ASSERT_STRING_EQUAL(subject->organisation, "DANE"); /* not what the request said */
}

static void test_the_same_request_gets_the_same_certificate(void)
{
    struct place place = authority_make();
    OWNED(keypair) key = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(authority_run(&place, "member add " DANE " --name DANE"));
    struct place request = agency_request(DANE "/SS1", key, 1);
    struct place certificate = place;
    char line[700];
    snprintf(line, sizeof line, "server add %s", request.at);
    MUST(authority_run(&place, line));
    snprintf(certificate.at, sizeof certificate.at, "%.200s.crt", request.at);
    OWNED(bytes) first = place_read(&certificate);
    CU_ASSERT_EQUAL(remove(certificate.at), 0); /* lost on its way */
    MUST(authority_run(&place, line));
    OWNED(bytes) second = place_read(&certificate);
    CU_ASSERT(span_equal(bytes_span(first), bytes_span(second)));
}

static void test_a_new_key_leaves_the_old_certificate_behind_it(void)
{
    struct place place = authority_make();
    OWNED(keypair) key = NULL;
    OWNED(keypair) next = NULL;
    OWNED(keypair) last = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_make(KEY_P256, &next));
    MUST(keypair_make(KEY_P256, &last));
    MUST(authority_run(&place, "member add " DANE " --name DANE"));
    MUST(authority_enrol(&place, DANE "/SS1", key, 1));
    MUST(authority_enrol(&place, DANE "/SS1", next, 1));
    OWNED(store) store = authority_open(&place);
    CU_ASSERT_EQUAL(server_in(store, DANE "/SS1")->signers, 2);
    store_free(&store);
    /* what is revoked does not stay */
    MUST(authority_run(&place, "certificate revoke --server " DANE "/SS1 --reason robo"));
    MUST_FAIL(REFUSED,
              authority_run(&place, "certificate revoke --server " DANE "/SS1 --reason robo"));
    MUST(authority_enrol(&place, DANE "/SS1", last, 1));
    store = authority_open(&place);
    CU_ASSERT_EQUAL_FATAL(server_in(store, DANE "/SS1")->signers, 1);
    CU_ASSERT_EQUAL(server_in(store, DANE "/SS1")->signer[0]->revoked_since_ms, 0);
}

static void test_a_stranger_gets_no_certificate(void)
{
    struct place place = country();
    OWNED(keypair) key = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST_FAIL(REFUSED, authority_enrol(&place, "CO/GOV/1/SS1", key, 9));
    MUST_FAIL(REFUSED, authority_enrol(&place, "CO/AUTHORITY/REGISTRY/SS1", key, 9));
    MUST_FAIL(REFUSED, authority_enrol(&place, DANE, key, 9));
    MUST_FAIL(REFUSED, authority_enrol(&place, DANE "/SS2", key, 1)); /* another's keys */
    struct place request = agency_request(DANE "/SS2", key, 9);
    OWNED(bytes) text = place_read(&request);
    char *at = strstr((char *)text->data, "certificate_request") + 200;
    *at = *at == 'A' ? 'B' : 'A'; /* the proof of possession breaks */
    place_write(&request, bytes_span(text));
    char line[600];
    snprintf(line, sizeof line, "server add %s", request.at);
    MUST_FAIL(REFUSED, authority_run(&place, line));
    snprintf(line, sizeof line, "%s.crt", request.at);
    CU_ASSERT_NOT_EQUAL(access(line, F_OK), 0);
}

static void test_the_directorys_own_log_is_nobody_elses(void)
{
    const struct store_plan plan = {
        .instance = "CO", .name = "A", .origin = "log.example/1/1", .valid_days = 30};
    struct place place = place_in(unit_folder(), "store");
    OWNED(keypair) key = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(store_make(place.at, &plan));
    MUST(authority_run(&place, "member add " DANE " --name DANE"));
    MUST_FAIL(REFUSED, authority_enrol(&place, DANE "/SS1", key, 1));
    MUST(authority_enrol(&place, DANE "/SS1", key, 2));
}

// --- batches and words --------------------------------------------------------------------------

static fault run_batch(const struct place *place, const char *text)
{
    struct place file = place_in(unit_folder(), "acts");
    place_write(&file, span_of_text(text));
    OWNED(store) store = authority_open(place);
    OWNED(said) said = said_new();
    TRY(batch_run(store, file.at, said));
    return store_commit(store);
}

static void test_a_batch_counts_whole_or_not_at_all(void)
{
    struct place place = authority_make();
    MUST_FAIL(REFUSED, run_batch(&place, "member add CO/GOV/1 --name Uno\n"
                                         "member add CO/GOV/2 --name 'Dos\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), ":2: a quote is not closed"));
    MUST_FAIL(REFUSED, run_batch(&place, "member add CO/GOV/1 --name Uno\n\n"
                                         "service add CO/GOV/1/S/x --title X\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), ":3: service CO/GOV/1/S/x"));
    MUST_FAIL(REFUSED, run_batch(&place, "publish --to /tmp/x\n"));
    OWNED(store) store = authority_open(&place);
    CU_ASSERT_EQUAL(store_count(store), 1);
    store_free(&store);
    MUST(run_batch(&place, "# a comment\n\n  member add CO/GOV/1 --name \"Uno y dos\" # more\r\n"
                           "purpose add p --title 'la \"p\"' --legal-basis L"));
    store = authority_open(&place);
    CU_ASSERT_EQUAL(store_count(store), 3);
    CU_ASSERT_STRING_EQUAL(directory_member(store_state(store), span_of_text("CO/GOV/1"))->name,
                           "Uno y dos");
    CU_ASSERT_STRING_EQUAL(directory_purpose(store_state(store), span_of_text("p"))->title,
                           "la \"p\"");
}

static void test_a_line_that_is_not_understood_says_why(void)
{
    static const struct {
        const char *line, *why;
    } lines[] = {{"member add CO/GOV/1", "--name TEXT is missing"},
                 {"member add --name x", "ID is missing"},
                 {"member add CO/GOV/1 CO/GOV/2 --name x", "'CO/GOV/2' is one word too many"},
                 {"member add CO/GOV/1 --name x --name y", "--name is given too often"},
                 {"member add CO/GOV/1 --name x --title y", "--title is no option"},
                 {"member add CO/GOV/1 --name", "--name needs a value"},
                 {"service enable CO/GOV/1/S/x y", "'y' is one word too many"}};
    struct place place = authority_make();
    OWNED(store) store = authority_open(&place);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        MUST_FAIL(BAD_REQUEST, authority_tell(store, lines[i].line));
        CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), lines[i].why));
    }
}

SUITE(acts, TEST(test_a_restricted_service_that_names_nobody_is_said_and_not_refused),
      TEST(test_a_service_is_shared_unless_said_otherwise),
      TEST(test_a_service_switched_off_stays_so_when_it_is_retitled),
      TEST(test_a_grant_ends_in_the_future_and_within_24_months),
      TEST(test_a_server_gets_its_certificate_and_moves),
      TEST(test_the_same_request_gets_the_same_certificate),
      TEST(test_a_new_key_leaves_the_old_certificate_behind_it),
      TEST(test_a_stranger_gets_no_certificate), TEST(test_the_directorys_own_log_is_nobody_elses),
      TEST(test_a_batch_counts_whole_or_not_at_all),
      TEST(test_a_line_that_is_not_understood_says_why))
