// SPDX-License-Identifier: MIT
/* chaski can-i: would this be let through, and if not, what is missing and who can supply it. */
#include "tools/chaski/commands.h"
#include "tools/chaski/gateway_settings.h"
#include "tools/chaski/web.h"

#include "lib/base/options.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_BYTES_MAX 65536
#define URL_BYTES 8192

struct asked {
    const char *gateway, *config, *client, *service, *purpose, *method, *path, *on;
    bool json;
};

static fault read_words(int argc, char **argv, struct asked *out)
{
    const struct option_place known[] = {
        OPTION_TEXT("gateway", &out->gateway), OPTION_TEXT("gateway-config", &out->config),
        OPTION_MUST("client", &out->client),   OPTION_MUST("service", &out->service),
        OPTION_TEXT("purpose", &out->purpose), OPTION_TEXT("method", &out->method),
        OPTION_TEXT("path", &out->path),       OPTION_TEXT("on", &out->on),
        OPTION_FLAG("json", &out->json),       {0},
    };
    TRY(options_take("can-i", argc, argv, known, NULL));
    return (out->gateway == NULL) != (out->config == NULL)
               ? DONE
               : RAISE(BAD_REQUEST, "can-i needs --gateway URL or --gateway-config FILE");
}

static bool add_word(char url[URL_BYTES], const char *name, const char *value)
{
    size_t size = strlen(url);
    char *escaped = value == NULL ? NULL : curl_easy_escape(NULL, value, 0);
    bool fits = value == NULL || text_format(url + size, URL_BYTES - size, "&%s=%s", name, escaped);
    curl_free(escaped);
    return fits;
}

/* The service stays as it is: it is percent-encoded already, and a slash parts it. */
static fault make_url(const struct asked *asked, char out[URL_BYTES])
{
    char gateway[512];
    TRY(gateway_settings_url(asked->gateway, asked->config, gateway, sizeof gateway));
    bool fits = text_format(out, URL_BYTES, "%s/can-i?service=%s", gateway, asked->service) &&
                add_word(out, "purpose", asked->purpose) &&
                add_word(out, "method", asked->method) && add_word(out, "path", asked->path) &&
                add_word(out, "on", asked->on);
    return fits ? DONE : RAISE(BAD_REQUEST, "the question is too long");
}

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static void print_answer(const json_t *answer)
{
    const json_t *missing = json_object_get(answer, "missing");
    json_t *step = NULL;
    size_t number = 0;
    bool allowed = json_is_true(json_object_get(answer, "allowed"));
    printf("%-9s %s\n", allowed ? "allowed" : "refused", text_at(answer, "rule"));
    json_array_foreach(json_object_get(answer, "trace"), number, step) printf(
        "  %-12s %-4s %s\n", text_at(step, "look"),
        json_is_true(json_object_get(step, "holds")) ? "yes" : "NO", text_at(step, "detail"));
    json_array_foreach(json_object_get(answer, "withheld"), number, step)
        printf("withheld  %s (%s)\n", text_at(step, "column"), text_at(step, "rule"));
    if (allowed)
        return;
    printf("reason    %s\n", text_at(answer, "reason"));
    if (missing != NULL)
        printf("missing   %s; %s can supply it\ncommand   %s\n", text_at(missing, "what"),
               text_at(missing, "from"), text_at(missing, "command"));
    else
        printf("remedy    %s\n", text_at(answer, "remedy"));
}

/* What is no answer to the question: the gateway's refusal. */
static fault refused(long status, const json_t *answer)
{
    const char *message = text_at(answer, "message");
    return RAISE(REFUSED, "the gateway answers %ld: %s", status,
                 message[0] != '\0' ? message : "nothing that can be read");
}

static fault tell(const struct asked *asked, long status, struct span body)
{
    json_t *answer = json_loadb((const char *)body.at, body.size, JSON_REJECT_DUPLICATES, NULL);
    fault f = DONE;
    if (status != 200 || !json_is_boolean(json_object_get(answer, "allowed")))
        f = refused(status, answer);
    else if (asked->json)
        printf("%.*s\n", (int)body.size, (const char *)body.at);
    else
        print_answer(answer);
    if (!failed(f) && !json_is_true(json_object_get(answer, "allowed")))
        f = RAISE(ACCESS_DENIED, "%s", text_at(answer, "rule"));
    json_decref(answer);
    return f;
}

fault can_i_command(int argc, char **argv)
{
    struct asked asked = {0};
    char url[URL_BYTES], client[2048];
    struct web_answer answer;
    TRY(read_words(argc, argv, &asked));
    TRY(make_url(&asked, url));
    if (!text_format(client, sizeof client, "X-Road-Client: %s", asked.client))
        return RAISE(BAD_REQUEST, "the client's identifier is too long");
    TRY(web_ask(&(struct web_ask){.url = url, .field = client, .most = ANSWER_BYTES_MAX}, &answer));
    fault f = tell(&asked, answer.status, bytes_span(answer.body));
    bytes_free(&answer.body);
    return f;
}
