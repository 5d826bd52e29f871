// SPDX-License-Identifier: MIT
/* The fields of a header that name parts of a service. */
#include "lib/base/text.h"
#include "lib/bus/header.h"

#include "tests/unit/unit.h"

#include "audit.pb-c.h"

#include <stdlib.h>

static struct header sample(enum header_kind kind)
{
    struct header header = {.kind = kind, .time_ms = 1790000000000};
    header.sender = span_of_text("CO/GOV/899999027/DIVIPOLA");
    header.service = span_of_text("CO/GOV/899999027/DIVIPOLA/municipios");
    header.sender_server = span_of_text("CO/GOV/899999027/SS1");
    return header;
}

static fault encode_and_decode(const struct header *header, struct header_read **out)
{
    OWNED(bytes) bytes = NULL;
    TRY(header_encode(header, &bytes));
    return header_decode(bytes_span(bytes), out);
}

static void test_an_endpoint_is_read_back_within_its_bound(void)
{
    struct header header = sample(HEADER_REQUEST);
    OWNED(header_read) read = NULL;
    OWNED(header_read) none = NULL;
    char id[ENDPOINT_ID_BYTES_MAX + 2];
    memset(id, 'e', sizeof id);
    header.endpoint = span_of(id, ENDPOINT_ID_BYTES_MAX);
    MUST(encode_and_decode(&header, &read));
    CU_ASSERT(span_equal(header_of(read)->endpoint, header.endpoint));
    header.endpoint = span_of(id, ENDPOINT_ID_BYTES_MAX + 1);
    MUST_FAIL(BAD_REQUEST, encode_and_decode(&header, &none));
    header.endpoint = span_of_text("a\nb");
    MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
}

static void test_withheld_columns_are_read_back_in_order(void)
{
    struct header header = sample(HEADER_RESPONSE);
    struct withheld withheld = {.count = DIRECTORY_COLUMNS_MAX};
    OWNED(header_read) read = NULL;
    char name[DIRECTORY_COLUMNS_MAX][16];
    for (size_t i = 0; i < withheld.count; i++) {
        text_format(name[i], sizeof name[i], "columna-%zu", i);
        withheld.column[i] = (struct withheld_column){name[i], "shared/no-purpose"};
    }
    header.withheld = &withheld;
    MUST(encode_and_decode(&header, &read));
    const struct withheld *back = header_of(read)->withheld;
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL(back->count, DIRECTORY_COLUMNS_MAX);
    CU_ASSERT_STRING_EQUAL(back->column[47].name, "columna-47");
    CU_ASSERT_STRING_EQUAL(back->column[47].rule, "shared/no-purpose");
}

static void test_nothing_is_withheld_in_a_request_or_without_a_rule(void)
{
    struct header header = sample(HEADER_REQUEST);
    struct withheld withheld = {.count = 1, .column = {{"salud", "shared/no-purpose"}}};
    OWNED(header_read) none = NULL;
    header.withheld = &withheld;
    MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
    header.kind = HEADER_RESPONSE;
    withheld.column[0].rule = "";
    MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
    withheld.column[0] = (struct withheld_column){"", "shared/no-purpose"};
    MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
    withheld.column[0].name = "una columna con un nombre que es mas largo de lo que se permite";
    MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
}

/* Permits lean on it: it is said of which case and requirement. */
static void test_a_source_stands_in_a_request_of_a_case_alone(void)
{
    struct header header = sample(HEADER_REQUEST);
    OWNED(header_read) read = NULL;
    OWNED(header_read) none = NULL;
    struct span *needed[] = {&header.procedure, &header.requirement, &header.case_ref};
    for (size_t i = 0; i < 3; i++)
        *needed[i] = span_of_text("X-1");
    header.source = span_of_text("S-1");
    MUST(encode_and_decode(&header, &read));
    CU_ASSERT(span_is_text(header_of(read)->source, "S-1"));
    for (size_t i = 0; i < 3; i++) {
        *needed[i] = span_of("", 0);
        MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
        *needed[i] = span_of_text("X-1");
    }
    header.source = span_of_text("S\n1");
    MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
    header.source = span_of_text("S-1");
    header.kind = HEADER_RESPONSE;
    MUST_FAIL(BAD_FRAME, encode_and_decode(&header, &none));
}

SUITE(header_part, TEST(test_a_source_stands_in_a_request_of_a_case_alone),
      TEST(test_an_endpoint_is_read_back_within_its_bound),
      TEST(test_withheld_columns_are_read_back_in_order),
      TEST(test_nothing_is_withheld_in_a_request_or_without_a_rule))
