// SPDX-License-Identifier: MIT
#include "registry/remote/vouched.h"

#include "lib/base/clock.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "lib/bus/voucher.h"
#include "registry/serve/enrolment.h"

#include "directory.pb-c.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 128
#define ID_DIGITS 64
#define LINE_BYTES 2048

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    shown_plainly(line); /* one line, whatever words are in it */
    puts(line);
}

// --- the request --------------------------------------------------------------------------------

static bool is_id(const char *label)
{
    return strlen(label) == ID_DIGITS && strspn(label, "0123456789abcdef") == ID_DIGITS;
}

/* Read as the registry reads it; its id is made anew from what is shown. */
static fault read_request(json_t *answer, const char *id, struct enrolment **out)
{
    OWNED(enrolment) self = NULL;
    char hex[ID_DIGITS + 1];
    char *text = json_dumps(json_object_get(answer, "request"), JSON_COMPACT);
    fault f = enrolment_again(span_of_text(text == NULL ? "" : text), &self);
    free(text);
    TRY(f);
    text_hex(sha256_span(&self->id), hex, sizeof hex);
    if (strcmp(hex, id) != 0)
        return RAISE(REFUSED, "the registry shows another request than the one called %.16s", id);
    *out = TAKE(self);
    return DONE;
}

static bool same(ProtobufCBinaryData data, const uint8_t *bytes, size_t size)
{
    return span_equal(span_of(data.data, data.len), span_of(bytes, size));
}

static bool has_its_key(const struct enrolment *request, const Chaski__ServerSet *act)
{
    uint8_t point[P256_POINT_BYTES];
    return act->n_certificate > 0 &&
           !failed(p256_of_certificate(span_of(act->certificate[0].data, act->certificate[0].len),
                                       point)) &&
           memcmp(point, request->point, sizeof point) == 0;
}

/* All that callers will rely on: what was vouched for is what is signed. */
static bool is_of_request(const struct enrolment *request, const Chaski__ServerSet *act)
{
    bool of = strcmp(act->id, request->server) == 0 && act->n_address == request->addresses &&
              act->n_seal_key == request->seal_keys && has_its_key(request, act) &&
              same(act->transport_key, request->transport_key, sizeof request->transport_key) &&
              strcmp(act->log_vkey, request->log_vkey) == 0 &&
              strcmp(act->witness_vkey, request->witness_vkey) == 0;
    for (size_t i = 0; of && i < request->addresses; i++)
        of = strcmp(act->address[i], request->address[i]) == 0;
    for (size_t i = 0; of && i < request->seal_keys; i++)
        of = same(act->seal_key[i], request->seal_key[i], sizeof request->seal_key[i]);
    return of;
}

static fault check_act(const struct enrolment *request, json_t *proposal)
{
    OWNED(bytes) packed = NULL;
    if (failed(text_unbase64(span_of_text(text_in(proposal, "draft")), &packed)))
        return RAISE(REFUSED, "the registry shows something that is no act");
    Chaski__Act *act = chaski__act__unpack(NULL, packed->size, packed->data);
    bool of = act != NULL && (act->act_case != CHASKI__ACT__ACT_SERVER_SET ||
                              is_of_request(request, act->server_set));
    if (act != NULL)
        chaski__act__free_unpacked(act, NULL);
    return of ? DONE
              : RAISE(REFUSED,
                      "%.16s is not the server that the request asks for: do not approve it",
                      text_in(proposal, "id"));
}

// --- who vouches --------------------------------------------------------------------------------

static size_t say_vouchers(const struct enrolment *request, const struct directory *state,
                           json_t *answer)
{
    json_t *one = NULL;
    size_t i = 0, good = 0;
    json_array_foreach(json_object_get(answer, "vouchers"), i, one)
    {
        OWNED(bytes) signature = NULL;
        fault f = text_unbase64(span_of_text(text_in(one, "signature")), &signature);
        if (!failed(f))
            f = voucher_check(state, text_in(one, "server"), request->server, &request->id,
                              bytes_span(signature), clock_wall_ms());
        good += !failed(f);
        if (failed(f))
            say("LOOK: %s vouched for it, which counts for nothing now: %s", text_in(one, "server"),
                fault_detail());
        else
            say("vouched for by %s", text_in(one, "server"));
    }
    return good;
}

static fault show_one(const struct directory *state, json_t *proposal, json_t *answer, bool first)
{
    OWNED(enrolment) request = NULL;
    json_t *alone = json_object_get(answer, "without_voucher");
    TRY(read_request(answer, text_in(proposal, "label"), &request));
    TRY(check_act(request, proposal));
    if (!first ||
        (say_vouchers(request, state, answer) > 0 || !enrolment_wants_voucher(request, state)))
        return DONE;
    if (alone != NULL)
        say("LOOK: no server of this member vouches for it. %s says why: %s", text_in(alone, "by"),
            text_in(alone, "reason"));
    else
        say("LOOK: no server of this member vouches for it: it is not carried out before one does");
    return DONE;
}

/* A label that only looks like a request's id is any other label. */
static fault ask(struct registry_http *http, const char *id, json_t **out)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "/admin/v1/requests/%s", id);
    fault f = registry_http_json(http, path, out);
    return f.code == NOT_FOUND ? DONE : f;
}

fault vouched_show(struct registry_http *http, const struct directory *state, json_t *list)
{
    json_t *one = NULL, *answer = NULL;
    const char *label = "";
    fault f = DONE;
    for (size_t i = 0; !failed(f) && (one = json_array_get(list, i)) != NULL; i++) {
        bool first = strcmp(label, text_in(one, "label")) != 0;
        label = text_in(one, "label");
        if (!is_id(label))
            continue;
        if (first) {
            json_decref(answer);
            answer = NULL;
            f = ask(http, label, &answer);
        }
        if (!failed(f) && answer != NULL)
            f = show_one(state, one, answer, first);
    }
    json_decref(answer);
    return f;
}
