// SPDX-License-Identifier: MIT
/*
 * desk_fixture - a desk of a member whose key is in memory, and datagrams as the exchange sends.
 */
#ifndef TESTS_TOKEN_DESK_FIXTURE_H
#define TESTS_TOKEN_DESK_FIXTURE_H

#include "security-server/token/token_desk.h"
#include "tests/unit/crypto/fixture.h"

#include "keys.pb-c.h"

#define DESK_TIME_MS (FIXTURE_START_MS + 1234)

struct member_desk {
    struct country *country;
    struct token_desk desk;
};

static inline struct member_desk *member_desk_new(void)
{
    struct member_desk *self = owned_new(sizeof *self);
    const char *folder = unit_folder();
    self->country = fixture_country();
    fixture_write_pem(folder, "sign.crt", self->country->member);
    MUST(token_desk_open(folder, &self->desk));
    return self;
}

static inline void member_desk_free(struct member_desk **self)
{
    if (*self == NULL)
        return;
    token_desk_close(&(*self)->desk);
    country_free(&(*self)->country);
    free(*self);
    *self = NULL;
}

/* One job: sign a header of this content, under the certificate of this hash. */
static inline struct bytes *desk_job_under(uint64_t id, const struct sha256 *content, size_t size,
                                           struct span certificate)
{
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    Chaski__KeysJob job = CHASKI__KEYS_JOB__INIT, *jobs[1] = {&job};
    Chaski__SignHeader header = CHASKI__SIGN_HEADER__INIT;
    struct bytes *out = NULL;
    header.content_sha256 = (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)content->at};
    header.time_ms = DESK_TIME_MS;
    header.certificate_sha256 =
        (ProtobufCBinaryData){certificate.size, (uint8_t *)(uintptr_t)certificate.at};
    job.id = id;
    job.work_case = CHASKI__KEYS_JOB__WORK_SIGN_HEADER;
    job.sign_header = &header;
    batch.n_job = 1;
    batch.job = jobs;
    MUST(bytes_new(chaski__keys_batch__get_packed_size(&batch), &out));
    chaski__keys_batch__pack(&batch, out->data);
    return out;
}

static inline struct bytes *desk_job(uint64_t id, const struct sha256 *content, size_t size)
{
    return desk_job_under(id, content, size, (struct span){0});
}

static inline Chaski__KeysBatch *desk_read(const struct bytes *datagram)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(datagram);
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, datagram->size, datagram->data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    return batch;
}

#endif
