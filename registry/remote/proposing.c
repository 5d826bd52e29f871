// SPDX-License-Identifier: MIT
#include "registry/remote/proposing.h"

#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "registry/act_said.h"
#include "registry/remote/vouched.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define PATH_BYTES 256
#define ID_DIGITS 16
#define REQUEST_DIGITS 64
#define DIGITS_LEAST 8

static const char *text_in(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return text == NULL ? "" : text;
}

// --- what became of it --------------------------------------------------------------------------

static void say_one(json_t *one, struct said *said)
{
    const char *state = text_in(one, "state");
    const char *problem = text_in(one, "problem");
    json_int_t epoch = json_integer_value(json_object_get(one, "epoch"));
    size_t approvals = json_array_size(json_object_get(one, "approvals"));
    said_add(said, "%s  %s", text_in(one, "id"), text_in(one, "act"));
    if (strcmp(state, "carried_out") == 0)
        said_add(said, "    carried out, epoch %lld%s%s", (long long)epoch,
                 problem[0] == '\0' ? "" : "; ", problem);
    else if (strcmp(state, "refused") == 0)
        said_add(said, "    refused by %s: %s", text_in(one, "refused_by"), text_in(one, "reason"));
    else if (text_in(one, "waits_for")[0] != '\0')
        said_add(said, "    approved; waits for another approval, that of %s in front of it%s%s",
                 text_in(one, "waits_for"), problem[0] == '\0' ? "" : "; until then: ", problem);
    else if (problem[0] != '\0')
        said_add(said, "    approved, and could not be carried out: %s", problem);
    else
        said_add(said, "    waits with %zu approval%s; it needs %s", approvals,
                 approvals == 1 ? "" : "s", text_in(one, "needs"));
}

/* It has its approvals, and is not in force all the same. One that lacks approvals, or stands
 * behind one that does, is as it should be. */
static bool is_stuck(json_t *one)
{
    return text_in(one, "problem")[0] != '\0' && text_in(one, "waits_for")[0] == '\0';
}

static void say_all(json_t *answer, struct said *said)
{
    json_t *list = json_object_get(answer, "proposals");
    for (size_t i = 0; i < json_array_size(list); i++) {
        say_one(json_array_get(list, i), said);
        if (is_stuck(json_array_get(list, i)))
            said_undone(said);
    }
}

// --- sending ------------------------------------------------------------------------------------

static json_t *base64_json(struct span bytes)
{
    size_t room = 4 * ((bytes.size + 2) / 3) + 1;
    char *text = owned_array(room, 1);
    text_base64(bytes, text, room);
    json_t *json = json_string(text);
    free(text);
    return json;
}

fault proposing_send(struct registry_http *http, struct store *store, const char *label,
                     struct said *said)
{
    size_t count = 0;
    const struct span *drafts = store_drafted(store, &count);
    for (size_t at = 0; at < count;) {
        json_t *acts = json_array(), *answer = NULL;
        size_t bytes = 0;
        for (; at < count && json_array_size(acts) < REGISTRY_GROUP_ACTS_MAX &&
               (bytes == 0 || bytes + drafts[at].size < REGISTRY_GROUP_BYTES_MAX);
             at++) {
            bytes += drafts[at].size;
            json_array_append_new(acts, base64_json(drafts[at]));
        }
        TRY(registry_http_post(http, "/admin/v1/proposals",
                               json_pack("{s:s,s:o}", "label", label, "acts", acts), &answer));
        say_all(answer, said);
        json_decref(answer);
    }
    return DONE;
}

// --- reading ------------------------------------------------------------------------------------

/* All pages into one list; json_decref() it. */
static fault read_all(struct registry_http *http, json_t **out)
{
    json_t *all = json_array();
    char path[PATH_BYTES] = "/admin/v1/proposals";
    for (bool more = true; more;) {
        json_t *page = NULL;
        fault f = registry_http_json(http, path, &page);
        if (failed(f)) {
            json_decref(all);
            return f;
        }
        json_t *list = json_object_get(page, "proposals");
        size_t count = json_array_size(list);
        json_array_extend(all, list);
        more = json_is_true(json_object_get(page, "more")) && count > 0;
        if (more)
            text_format(path, sizeof path, "/admin/v1/proposals?after=%lld",
                        (long long)json_integer_value(
                            json_object_get(json_array_get(list, count - 1), "number")));
        json_decref(page);
    }
    *out = all;
    return DONE;
}

static bool is_hex(const char *text, size_t size)
{
    return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

/* By which of its names it begins with these digits: its own, or that of the request that it is
 * of; NULL: by none. What does not wait any more is found by all of its digits only. */
static const char *name_beginning(json_t *one, const char *digits)
{
    const char *id = text_in(one, "id"), *label = text_in(one, "label");
    size_t size = strlen(digits);
    if (strcmp(text_in(one, "state"), "waiting") != 0)
        return NULL;
    if (is_hex(label, REQUEST_DIGITS) && strncmp(label, digits, size) == 0)
        return label;
    return strncmp(id, digits, size) == 0 ? id : NULL;
}

/* As lists show one to another: the first digits of an id of a proposal or of a request, when they
 * can mean one thing only. *name: all of it. */
static fault complete(json_t *all, const char **name)
{
    const char *digits = *name, *found = NULL;
    json_t *one = NULL;
    size_t size = strlen(digits), i = 0;
    if (size < DIGITS_LEAST || !is_hex(digits, size))
        return DONE;
    json_array_foreach(all, i, one)
    {
        const char *at = name_beginning(one, digits);
        if (at != NULL && found != NULL && strcmp(at, found) != 0)
            return RAISE(REFUSED,
                         "more than one that waits begins with %s, such as %s and %s: "
                         "give more digits",
                         digits, found, at);
        found = at == NULL ? found : at;
    }
    *name = found == NULL ? digits : found;
    return DONE;
}

static void pick(json_t *all, const char *name, json_t *found)
{
    json_t *one = NULL;
    size_t i = 0;
    json_array_foreach(all, i, one)
    {
        bool waits = strcmp(text_in(one, "state"), "waiting") == 0;
        if (strcmp(text_in(one, "id"), name) == 0 ||
            (waits && strcmp(text_in(one, "label"), name) == 0))
            json_array_append(found, one);
    }
}

/* The one with this id, or all that wait under this label; an exact name before the beginning of
 * another. */
static fault read_named(struct registry_http *http, const char *name, json_t **out)
{
    json_t *all = NULL, *found = json_array();
    const char *whole = name;
    fault f = read_all(http, &all);
    if (!failed(f))
        pick(all, name, found);
    if (!failed(f) && json_array_size(found) == 0)
        f = complete(all, &whole);
    if (!failed(f) && whole != name)
        pick(all, whole, found);
    json_decref(all);
    if (!failed(f) && json_array_size(found) == 0)
        f = RAISE(NOT_FOUND,
                  "no proposal is called, or labelled, %.100s; of an ID at least the first %d "
                  "digits",
                  name, DIGITS_LEAST);
    if (failed(f)) {
        json_decref(found);
        return f;
    }
    *out = found;
    return DONE;
}

fault proposing_list(struct registry_http *http, const struct arguments *arguments,
                     struct said *said)
{
    json_t *all = NULL, *one = NULL;
    size_t i = 0;
    TRY(read_all(http, &all));
    if (arguments_text(arguments, ARGUMENT_JSON) != NULL) {
        char *text = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);
        said_add_page(said, text == NULL ? "[]" : text);
        free(text);
    } else {
        json_array_foreach(all, i, one) say_one(one, said);
    }
    json_decref(all);
    return DONE;
}

// --- approving ----------------------------------------------------------------------------------

struct draft {
    Chaski__Act *act;
    char id[ID_DIGITS + 1];
};

static void draft_free(struct draft **self)
{
    if (*self == NULL)
        return;
    if ((*self)->act != NULL)
        chaski__act__free_unpacked((*self)->act, NULL);
    free(*self);
    *self = NULL;
}

/* The act itself, and that it is the one that the registry calls by this id. */
static fault read_draft(json_t *one, const char *instance, struct draft **out)
{
    OWNED(draft) self = owned_new(sizeof *self);
    OWNED(bytes) packed = NULL;
    if (failed(text_unbase64(span_of_text(text_in(one, "draft")), &packed)) ||
        (self->act = chaski__act__unpack(NULL, packed->size, packed->data)) == NULL)
        return RAISE(REFUSED, "the registry shows something that is no act");
    struct sha256 digest = act_approval_digest(self->act, instance);
    text_hex(span_of(digest.at, ID_DIGITS / 2), self->id, sizeof self->id);
    if (strcmp(self->id, text_in(one, "id")) != 0)
        return RAISE(REFUSED, "the registry shows another act than it calls %.32s",
                     text_in(one, "id"));
    *out = TAKE(self);
    return DONE;
}

static fault sign(struct store *store, struct draft *draft, json_t *approvals)
{
    const Chaski__Approval *made = NULL;
    Chaski__Act *act = draft->act;
    Chaski__Approval **before = act->approval;
    size_t count = act->n_approval;
    act->n_approval = 0; /* those of others are not sent again */
    fault f = store_sign(store, act);
    made = failed(f) || act->n_approval == 0 ? NULL : act->approval[0];
    if (made != NULL)
        json_array_append_new(
            approvals, json_pack("{s:s,s:o}", "id", draft->id, "signature",
                                 base64_json(span_of(made->signature.data, made->signature.len))));
    act->approval = before;
    act->n_approval = count;
    return f;
}

static fault show_and_sign(struct store *store, json_t *list, bool sign_now, json_t *approvals)
{
    const char *instance = directory_instance(store_state(store));
    json_t *one = NULL;
    size_t i = 0;
    json_array_foreach(list, i, one)
    {
        OWNED(draft) draft = NULL;
        char words[ACT_SAID_ROOM];
        TRY(read_draft(one, instance, &draft));
        if (sign_now) {
            TRY(sign(store, draft, approvals));
            continue;
        }
        act_said(draft->act, store_state(store), words, sizeof words);
        printf("%s  %s\n", draft->id, words);
    }
    return DONE;
}

static fault confirm(const struct arguments *arguments, size_t count)
{
    char line[16] = "";
    if (arguments_text(arguments, ARGUMENT_YES) != NULL)
        return DONE;
    printf("Approve %s? Write yes: ", count == 1 ? "this" : "all of these");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL || strcmp(line, "yes\n") != 0)
        return RAISE(REFUSED, "nothing was approved");
    return DONE;
}

static fault send_approvals(struct registry_http *http, json_t *approvals, struct said *said)
{
    for (size_t at = 0; at < json_array_size(approvals);) {
        json_t *group = json_array(), *answer = NULL;
        for (; at < json_array_size(approvals) && json_array_size(group) < REGISTRY_GROUP_ACTS_MAX;
             at++)
            json_array_append(group, json_array_get(approvals, at));
        TRY(registry_http_post(http, "/admin/v1/approvals", json_pack("{s:o}", "approvals", group),
                               &answer));
        say_all(answer, said);
        json_decref(answer);
    }
    return DONE;
}

fault proposing_approve(struct registry_http *http, struct store *store,
                        const struct arguments *arguments, struct said *said)
{
    json_t *list = NULL, *approvals = json_array();
    fault f = arguments->count[ARGUMENT_AS] == 1
                  ? read_named(http, arguments->operand, &list)
                  : RAISE(BAD_REQUEST, "one operator approves at a time: one --as");
    if (!failed(f))
        f = show_and_sign(store, list, false, approvals);
    if (!failed(f))
        f = vouched_show(http, store_state(store), list);
    if (!failed(f))
        f = confirm(arguments, json_array_size(list));
    if (!failed(f))
        f = show_and_sign(store, list, true, approvals);
    if (!failed(f))
        f = send_approvals(http, approvals, said);
    json_decref(list);
    json_decref(approvals);
    return f;
}

fault proposing_refuse(struct registry_http *http, const struct arguments *arguments,
                       struct said *said)
{
    json_t *list = NULL, *one = NULL;
    size_t i = 0;
    fault f = DONE;
    TRY(read_named(http, arguments->operand, &list));
    json_array_foreach(list, i, one)
    {
        char path[PATH_BYTES];
        json_t *answer = NULL;
        text_format(path, sizeof path, "/admin/v1/proposals/%.16s/refusal", text_in(one, "id"));
        if (!failed(f))
            f = registry_http_post(
                http, path,
                json_pack("{s:s}", "reason", arguments_text(arguments, ARGUMENT_REASON)), &answer);
        say_all(answer, said);
        json_decref(answer);
    }
    json_decref(list);
    return f;
}
