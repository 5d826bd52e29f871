// SPDX-License-Identifier: MIT
#include "registry/serve/voucher_desk.h"

#include "lib/base/clock.h"
#include "lib/base/shown.h"
#include "registry/serve/vouching.h"

#include <stdlib.h>

static bool is_vouched(const struct requests *requests, const struct request *request)
{
    return vouching_count(request, requests_directory(requests), clock_wall_ms()) > 0;
}

static bool wants_voucher(const struct requests *requests, const struct request *request)
{
    OWNED(enrolment) enrolment = NULL;
    return !failed(enrolment_again(bytes_span(request->text), &enrolment)) &&
           enrolment_wants_voucher(enrolment, requests_directory(requests));
}

bool voucher_desk_stands(const struct requests *requests, const struct request *request)
{
    return request->alone_by[0] != '\0' || is_vouched(requests, request) ||
           !wants_voucher(requests, request);
}

fault voucher_desk_take(struct requests *requests, struct request *request, const char *server,
                        struct span signature)
{
    struct request_voucher before = {0};
    bool fresh = false;
    TRY(requests_check_open(requests, request));
    TRY(vouching_take(request, requests_directory(requests), server, signature, clock_wall_ms(),
                      &before, &fresh));
    if (!fresh)
        return DONE;
    requests_look_again(requests, request);
    fault f = requests_save(requests, request);
    if (!failed(f)) {
        free(before.server);
        return f;
    }
    vouching_undo(request, server, &before);
    requests_look_again(requests, request);
    return f;
}

static fault check_words(const char *alone)
{
    return alone[0] != '\0' && strlen(alone) <= REGISTRY_REASON_BYTES_MAX &&
                   shown_as_is(span_of_text(alone))
               ? DONE
               : RAISE(REFUSED, "why nobody vouches is said in plain text of at most %d bytes",
                       REGISTRY_REASON_BYTES_MAX);
}

fault voucher_desk_check(const struct requests *requests, const struct request *request,
                         const struct enrolment *enrolment, const char *alone)
{
    bool wanted = enrolment_wants_voucher(enrolment, requests_directory(requests));
    bool vouched = is_vouched(requests, request);
    if (alone != NULL && (!wanted || vouched))
        return RAISE(REFUSED, "%s: leave --without-voucher away",
                     wanted ? "a server of the member vouches for this request"
                            : "this request wants no voucher");
    if (alone != NULL)
        return check_words(alone);
    if (!wanted || vouched || request->alone_by[0] != '\0')
        return DONE;
    return RAISE(
        REFUSED,
        "the member of %s has servers, and none of them vouches for this request. At one of "
        "them: chaski enrol vouch %s --config server.conf. Only if you know from the member "
        "itself that it cannot: --without-voucher REASON, which all who approve will read",
        request->server, request->id);
}

json_t *voucher_desk_json(const struct requests *requests, const struct request *request)
{
    const struct directory *state = requests_directory(requests);
    json_t *servers = json_array();
    for (size_t i = 0; i < request->vouchers; i++)
        if (!failed(vouching_check(request, &request->voucher[i], state, clock_wall_ms())))
            json_array_append_new(servers, json_string(request->voucher[i].server));
    bool wanted = wants_voucher(requests, request);
    if (wanted || json_array_size(servers) > 0)
        return json_pack("{s:b,s:o}", "wanted", wanted, "servers", servers);
    json_decref(servers);
    return NULL;
}
