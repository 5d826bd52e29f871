// SPDX-License-Identifier: MIT
#include "registry/serve/vouching.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/voucher.h"

#include <assert.h>
#include <stdlib.h>

static fault check(const struct request *request, const struct directory *state, const char *server,
                   struct span signature, int64_t now_ms)
{
    struct sha256 id;
    TRY(text_unhex(span_of_text(request->id), id.at, sizeof id.at));
    return voucher_check(state, server, request->server, &id, signature, now_ms);
}

fault vouching_check(const struct request *request, const struct request_voucher *voucher,
                     const struct directory *state, int64_t now_ms)
{
    return check(request, state, voucher->server, span_of(voucher->signature, voucher->size),
                 now_ms);
}

size_t vouching_count(const struct request *request, const struct directory *state, int64_t now_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < request->vouchers; i++)
        count += !failed(vouching_check(request, &request->voucher[i], state, now_ms));
    return count;
}

static struct request_voucher *find(struct request *request, const char *server)
{
    for (size_t i = 0; i < request->vouchers; i++)
        if (strcmp(request->voucher[i].server, server) == 0)
            return &request->voucher[i];
    return NULL;
}

/* Its own place, a dead one's, or a new one. */
static struct request_voucher *place_for(struct request *request, const struct directory *state,
                                         const char *server, int64_t now_ms)
{
    struct request_voucher *own = find(request, server);
    if (own != NULL)
        return own;
    if (request->vouchers < ENROLMENT_VOUCHERS_MAX)
        return &request->voucher[request->vouchers];
    for (size_t i = 0; i < request->vouchers; i++)
        if (failed(vouching_check(request, &request->voucher[i], state, now_ms)))
            return &request->voucher[i];
    return NULL;
}

fault vouching_take(struct request *request, const struct directory *state, const char *server,
                    struct span signature, int64_t now_ms, struct request_voucher *before,
                    bool *fresh)
{
    TRY(check(request, state, server, signature, now_ms));
    const struct request_voucher *own = find(request, server);
    *fresh = own == NULL || failed(vouching_check(request, own, state, now_ms));
    if (!*fresh)
        return DONE;
    struct request_voucher *place = place_for(request, state, server, now_ms);
    if (place == NULL)
        return RAISE(REFUSED, "%d servers vouch for this request already", ENROLMENT_VOUCHERS_MAX);
    *before = *place;
    if (place == &request->voucher[request->vouchers])
        request->vouchers++;
    *place = (struct request_voucher){
        .server = owned_text(server), .at_ms = now_ms, .size = signature.size};
    memcpy(place->signature, signature.at, signature.size); /* a good one: it fits */
    return DONE;
}

void vouching_undo(struct request *request, const char *server,
                   const struct request_voucher *before)
{
    struct request_voucher *place = find(request, server);
    assert(place != NULL);
    free(place->server);
    *place = *before;
    if (before->server == NULL) /* it was the last one */
        request->vouchers--;
}

static json_t *one_json(const struct request *request, const struct request_voucher *voucher,
                        const struct directory *state)
{
    char at[32], base64[2 * REQUEST_SIGNATURE_MAX];
    clock_text(voucher->at_ms, at, sizeof at);
    text_base64(span_of(voucher->signature, voucher->size), base64, sizeof base64);
    bool counts = !failed(vouching_check(request, voucher, state, clock_wall_ms()));
    json_t *json = json_pack("{s:s,s:s,s:s,s:b}", "server", voucher->server, "at", at, "signature",
                             base64, "counts", counts);
    if (!counts)
        json_object_set_new(json, "problem", json_string(fault_detail()));
    return json;
}

json_t *vouching_json(const struct request *request, const struct directory *state)
{
    json_t *list = json_array();
    for (size_t i = 0; i < request->vouchers; i++)
        json_array_append_new(list, one_json(request, &request->voucher[i], state));
    return list;
}
