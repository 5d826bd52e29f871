// SPDX-License-Identifier: MIT
/* Headers of once only: the requirement of a request, and permits. */
#include "lib/bus/header.h"
#include "lib/bus/permit_code.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1790000000000)
#define SERVICE "CO/GOV/899999027/DIVIPOLA/municipios"

struct sample {
    struct header header;
    struct header_permit permit;
    char code[PERMIT_CODE_ROOM];
};

static void sample_make(struct sample *self, enum permit_reason reason)
{
    bool borne = permit_reason_needs_evidence(reason);
    *self = (struct sample){0};
    permit_code_make(4711, self->code);
    self->permit = (struct header_permit){
        .code = span_of_text(self->code),
        .reason = reason,
        .since_ms = reason == PERMIT_SOURCE_DOWN ? NOW - 1000 : 0,
        .until_ms = NOW + 1000,
        .has_evidence = borne,
        .evidence = {{1, 2}},
        .evidence_index = borne ? 7 : 0,
        .service = span_of_text(borne ? SERVICE : ""),
    };
    self->header = (struct header){.kind = HEADER_PERMIT, .time_ms = NOW, .log_size = 9};
    self->header.sender = span_of_text("CO/MUN/890905211");
    self->header.sender_server = span_of_text("CO/MUN/890905211/SS1");
    self->header.receiver = span_of_text("CO/MUN/890905211/TRAMITES");
    self->header.procedure = span_of_text("T-1");
    self->header.requirement = span_of_text("R-1");
    self->header.territory = span_of_text("05001");
    self->header.permit = &self->permit;
}

static fault decoded(const struct header *header, struct header_read **out)
{
    OWNED(bytes) bytes = NULL;
    TRY(header_encode(header, &bytes));
    return header_decode(bytes_span(bytes), out);
}

static void refused(const struct header *header)
{
    OWNED(header_read) none = NULL;
    MUST_FAIL(BAD_FRAME, decoded(header, &none));
}

static void test_a_permit_of_each_reason_is_read_back(void)
{
    for (enum permit_reason reason = 1; reason < PERMIT_REASONS_END; reason++) {
        struct sample sample;
        OWNED(header_read) read = NULL;
        sample_make(&sample, reason);
        MUST(decoded(&sample.header, &read));
        const struct header *header = header_of(read);
        CU_ASSERT_PTR_NOT_NULL_FATAL(header->permit);
        CU_ASSERT(span_is_text(header->permit->code, sample.code));
        CU_ASSERT_EQUAL(header->permit->reason, reason);
        CU_ASSERT_EQUAL(header->permit->until_ms, NOW + 1000);
        CU_ASSERT_EQUAL(header->permit->has_evidence, sample.permit.has_evidence);
        CU_ASSERT_EQUAL(header->permit->evidence_index, sample.permit.evidence_index);
        CU_ASSERT(span_is_text(header->requirement, "R-1"));
        CU_ASSERT(span_is_text(header->territory, "05001"));
        CU_ASSERT_EQUAL(permit_reason_of(permit_reason_word(reason)), reason);
    }
}

static void test_a_permit_stands_in_its_record_alone(void)
{
    struct sample sample;
    sample_make(&sample, PERMIT_NO_SOURCE);
    sample.header.permit = NULL;
    refused(&sample.header);
    sample_make(&sample, PERMIT_NO_SOURCE);
    sample.header.kind = HEADER_PERMIT_DENIED;
    refused(&sample.header);
    sample.header.permit = NULL;
    OWNED(header_read) denied = NULL;
    MUST(decoded(&sample.header, &denied));
    sample.header.kind = HEADER_STARTED; /* a territory in another record */
    refused(&sample.header);
}

static void test_a_permit_that_cannot_be_is_refused(void)
{
    struct sample sample;
    sample_make(&sample, PERMIT_NO_SOURCE);
    sample.code[9] = sample.code[9] == 'Z' ? 'Y' : 'Z'; /* the check is wrong */
    refused(&sample.header);
    sample_make(&sample, PERMIT_NO_SOURCE);
    sample.permit.until_ms = NOW;
    refused(&sample.header);
    sample_make(&sample, PERMIT_NO_SOURCE);
    sample.permit.reason = PERMIT_REASONS_END;
    refused(&sample.header);
    sample_make(&sample, PERMIT_NO_SOURCE);
    sample.permit.since_ms = NOW;
    refused(&sample.header);
    sample_make(&sample, PERMIT_SOURCE_DOWN);
    sample.permit.since_ms = 0;
    refused(&sample.header);
    sample_make(&sample, PERMIT_SOURCE_DOWN);
    sample.permit.has_evidence = false;
    refused(&sample.header);
    sample_make(&sample, PERMIT_SOURCE_DOWN);
    sample.permit.service = span_of_text("");
    refused(&sample.header);
    sample_make(&sample, PERMIT_CITIZEN_PREFERS);
    sample.permit.has_evidence = true;
    refused(&sample.header);
}

SUITE(header_permit, TEST(test_a_permit_of_each_reason_is_read_back),
      TEST(test_a_permit_stands_in_its_record_alone), TEST(test_a_permit_that_cannot_be_is_refused))
