// SPDX-License-Identifier: MIT
/* chaski once-only plan: what a case of a procedure needs, and from whom. */
#include "tools/chaski/once_only.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "tools/chaski/gateway_settings.h"
#include "tools/chaski/web.h"

#include <curl/curl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_BYTES_MAX (4u << 20)
#define URL_BYTES 16384

struct asked {
    const char *gateway, *config, *procedure, *territory, *requirement;
    size_t selectors;
    const char *selector[PLAN_ANSWERS_MAX]; /* NAME=VALUE */
    bool json;
};

static fault take_word(int code, struct asked *out)
{
    switch (code) {
    case 'g':
        out->gateway = optarg;
        return DONE;
    case 'f':
        out->config = optarg;
        return DONE;
    case 'p':
        out->procedure = optarg;
        return DONE;
    case 't':
        out->territory = optarg;
        return DONE;
    case 'r':
        out->requirement = optarg;
        return DONE;
    case 'j':
        out->json = true;
        return DONE;
    case 's':
        if (out->selectors < PLAN_ANSWERS_MAX && strchr(optarg, '=') != NULL) {
            out->selector[out->selectors++] = optarg;
            return DONE;
        }
        return RAISE(BAD_REQUEST, "--selector NAME=VALUE, at most %d of them", PLAN_ANSWERS_MAX);
    default:
        return RAISE(BAD_REQUEST, "an option that is not known, or lacks its value");
    }
}

static fault read_words(int argc, char **argv, struct asked *out)
{
    static const struct option options[] = {{"gateway", required_argument, NULL, 'g'},
                                            {"gateway-config", required_argument, NULL, 'f'},
                                            {"procedure", required_argument, NULL, 'p'},
                                            {"territory", required_argument, NULL, 't'},
                                            {"requirement", required_argument, NULL, 'r'},
                                            {"selector", required_argument, NULL, 's'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    opterr = 0;
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, ":", options, NULL)) != -1;)
        TRY(take_word(code, out));
    if (optind < argc)
        return RAISE(BAD_REQUEST, "'%s' is one word too many", argv[optind]);
    if (out->procedure == NULL || (out->gateway == NULL) == (out->config == NULL))
        return RAISE(BAD_REQUEST, "--procedure, and --gateway URL or --gateway-config FILE");
    return DONE;
}

/* Name and value, escaped, behind what stands there. */
static fault add(char *url, const char *name, size_t name_size, const char *value)
{
    size_t used = strlen(url);
    if (value == NULL)
        return DONE;
    char *left = curl_easy_escape(NULL, name, (int)name_size);
    char *right = curl_easy_escape(NULL, value, 0);
    bool fits = left != NULL && right != NULL &&
                text_format(url + used, URL_BYTES - used, "%s%s=%s",
                            url[used - 1] == '?' ? "" : "&", left, right);
    curl_free(left);
    curl_free(right);
    return fits ? DONE : RAISE(BAD_REQUEST, "the question is too long");
}

static fault make_url(const struct asked *asked, char url[URL_BYTES])
{
    char gateway[512];
    TRY(gateway_settings_url(asked->gateway, asked->config, gateway, sizeof gateway));
    text_format(url, URL_BYTES, "%s/once-only/v1/plan?", gateway);
    TRY(add(url, "procedure", 9, asked->procedure));
    TRY(add(url, "territory", 9, asked->territory));
    TRY(add(url, "requirement", 11, asked->requirement));
    for (size_t i = 0; i < asked->selectors; i++) {
        const char *equals = strchr(asked->selector[i], '=');
        TRY(add(url, asked->selector[i], (size_t)(equals - asked->selector[i]), equals + 1));
    }
    return DONE;
}

// --- telling ------------------------------------------------------------------------------------

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static void print_leaf(const json_t *leaf, const char *before)
{
    const json_t *request = json_object_get(leaf, "request"), *need = json_object_get(leaf, "need");
    printf("    %-4s%-10s %s (%s)", before, text_at(leaf, "state"), text_at(leaf, "title"),
           text_at(leaf, "evidence_type"));
    if (request != NULL)
        printf("\n        %s %s\n", text_at(request, "method"), text_at(request, "target"));
    else if (need != NULL)
        printf("\n        %s  --selector %s=…%s%s\n", text_at(need, "question"),
               text_at(need, "selector"), text_at(need, "codes")[0] == '\0' ? "" : "  from ",
               text_at(need, "codes"));
    else
        printf(": %s%s%s\n", text_at(leaf, "reason"),
               text_at(leaf, "until")[0] == '\0' ? "" : ", until ", text_at(leaf, "until"));
}

static void print_requirement(const json_t *requirement)
{
    json_t *way = NULL, *leaf = NULL;
    size_t number = 0, place = 0;
    printf("%-10s %s: %s%s\n", text_at(requirement, "state"), text_at(requirement, "id"),
           text_at(requirement, "name"),
           json_is_true(json_object_get(requirement, "asked_of_citizen"))
               ? "  (the form asks the citizen)"
               : "");
    json_array_foreach(json_object_get(requirement, "any_of"), number, way)
        json_array_foreach(json_object_get(way, "all_of"), place, leaf)
            print_leaf(leaf, place > 0    ? "and"
                             : number > 0 ? "or"
                                          : "");
}

static void print_plan(const json_t *plan)
{
    json_t *requirement = NULL;
    size_t number = 0;
    printf("%s%s%s: %s, in %s\n", text_at(plan, "procedure"),
           text_at(plan, "number")[0] == '\0' ? "" : ", number ", text_at(plan, "number"),
           text_at(plan, "title"), text_at(plan, "territory"));
    json_array_foreach(json_object_get(plan, "requirements"), number, requirement)
        print_requirement(requirement);
}

static bool is_ready(const json_t *plan)
{
    json_t *requirement = NULL;
    size_t number = 0;
    json_array_foreach(json_object_get(plan, "requirements"), number,
                       requirement) if (strcmp(text_at(requirement, "state"), "READY") !=
                                        0) return false;
    return true;
}

static fault tell(const struct asked *asked, long status, struct span body)
{
    json_t *plan = json_loadb((const char *)body.at, body.size, JSON_REJECT_DUPLICATES, NULL);
    fault f = DONE;
    if (status != 200 || !json_is_array(json_object_get(plan, "requirements")))
        f = RAISE(REFUSED, "the gateway answers %ld: %s", status,
                  text_at(plan, "message")[0] != '\0' ? text_at(plan, "message")
                                                      : "nothing that can be read");
    else if (asked->json)
        printf("%.*s\n", (int)body.size, (const char *)body.at);
    else
        print_plan(plan);
    if (!failed(f) && !is_ready(plan))
        f = RAISE(PLAN_NEEDS, "not all of it can be fetched as it is");
    json_decref(plan);
    return f;
}

fault once_only_plan(int argc, char **argv)
{
    struct asked asked = {0};
    static char url[URL_BYTES];
    struct web_answer answer;
    TRY(read_words(argc, argv, &asked));
    TRY(make_url(&asked, url));
    TRY(web_ask(&(struct web_ask){.url = url, .most = ANSWER_BYTES_MAX}, &answer));
    fault f = tell(&asked, answer.status, bytes_span(answer.body));
    bytes_free(&answer.body);
    return f;
}
