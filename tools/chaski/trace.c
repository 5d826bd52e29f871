// SPDX-License-Identifier: MIT
/* chaski trace: the walk of one exchange in words, from the events of the security servers it
 * crossed. */
#include "tools/chaski/commands.h"

#include "lib/base/bytes.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct trace {
    const char *exchange;
    json_t *consumer, *provider; /* their closing events */
};

static fault read_events(const char *path, struct trace *self)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return RAISE(IO_FAILED, "%s cannot be read", path);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) >= 0) {
        if (strstr(line, self->exchange) == NULL)
            continue;
        json_t *event = json_loads(line, 0, NULL);
        const char *name = json_string_value(json_object_get(event, "event"));
        const char *id = json_string_value(json_object_get(event, "exchange"));
        const char *role = json_string_value(json_object_get(event, "role"));
        bool closing = name != NULL && id != NULL && role != NULL &&
                       strcmp(id, self->exchange) == 0 && strncmp(name, "exchange.", 9) == 0;
        json_t **slot =
            closing && strcmp(role, "consumer") == 0 ? &self->consumer : &self->provider;
        if (closing) {
            json_decref(*slot);
            *slot = json_incref(event);
        }
        json_decref(event);
    }
    free(line);
    fclose(file);
    return DONE;
}

static const char *text(json_t *event, const char *field)
{
    const char *value = json_string_value(json_object_get(event, field));
    return value == NULL ? "" : value;
}

static int64_t number(json_t *event, const char *field)
{
    json_t *value = json_object_get(event, field);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* One line of the walk; the time only where the step took place. */
static void line(int step, json_t *event, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void line(int step, json_t *event, const char *field, const char *format, ...)
{
    char words[400];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    int64_t us = field == NULL ? -1 : number(event, field);
    if (us >= 0)
        printf("  %2d  %-84s %7.2f ms\n", step, words, (double)us / 1000);
    else
        printf("  %2d  %s\n", step, words);
}

static bool has(json_t *event, const char *field)
{
    return event != NULL && number(event, field) >= 0;
}

static void consumer_side(json_t *event)
{
    line(1, event, NULL, "The gateway took the HTTP request of %s", text(event, "client"));
    line(2, event, "admit_us", "Admitted: well formed, in bounds, known; rule \"%s\"",
         text(event, "rule"));
    if (has(event, "sign_us"))
        line(3, event, "sign_us", "The keys process signed the request's header (CAdES, P-256)");
    if (has(event, "log_us"))
        line(4, event, "log_us", "Written down, durable: entry %" PRId64 " of the caller's log",
             number(event, "request_index"));
    if (has(event, "send_us"))
        line(5, event, "send_us",
             "Sealed for the provider's server, sent, and the answer awaited (5-13)");
}

static void provider_side(json_t *event)
{
    line(7, event, NULL, "The provider's server took the letter and opened it");
    line(8, event, "verify_us", "Verified: certificate, identity, freshness, content, signature");
    if (has(event, "decide_us"))
        line(9, event, "decide_us", "Decided by its own directory: rule \"%s\"",
             text(event, "rule"));
    if (has(event, "log_us"))
        line(10, event, "log_us",
             "Written down, durable: entry %" PRId64 " of the provider's log, same bytes",
             number(event, "request_index"));
    if (has(event, "call_us"))
        line(11, event, "call_us", "Its gateway called %s", text(event, "service"));
    if (has(event, "sign_answer_us"))
        line(12, event, "sign_answer_us", "The provider's keys process signed the answer");
    if (has(event, "sign_refusal_us"))
        line(12, event, "sign_refusal_us", "The refusal was signed: %s", text(event, "outcome"));
    line(13, event, has(event, "log_answer_us") ? "log_answer_us" : "log_refusal_us",
         "Written down, durable: entry %" PRId64 "; then sealed and sent back",
         number(event, "answer_index"));
}

static void consumer_end(json_t *event)
{
    if (has(event, "verify_us"))
        line(14, event, "verify_us", "The caller's server opened and verified the answer");
    if (has(event, "sign_refusal_us"))
        line(14, event, "sign_refusal_us", "The caller's server signed the refusal: %s",
             text(event, "outcome"));
    line(14, event, has(event, "log_answer_us") ? "log_answer_us" : "log_refusal_us",
         "Written down, durable: entry %" PRId64 " of the caller's log; HTTP answer given",
         number(event, "answer_index"));
}

fault trace_command(int argc, char **argv)
{
    struct trace self = {0};
    if (argc < 3)
        return RAISE(BAD_REQUEST, "trace EXCHANGE_ID EVENTS_FILE...");
    self.exchange = argv[1];
    fault f = DONE;
    for (int i = 2; !failed(f) && i < argc; i++)
        f = read_events(argv[i], &self);
    if (!failed(f) && self.consumer == NULL)
        f = RAISE(NOT_FOUND, "no closing event of exchange %s; are events shown from debug on?",
                  self.exchange);
    if (!failed(f)) {
        consumer_side(self.consumer);
        if (self.provider != NULL)
            provider_side(self.provider);
        consumer_end(self.consumer);
        printf("      %-84s %7.2f ms\n", "in all, at the caller's server",
               (double)number(self.consumer, "total_us") / 1000);
    }
    json_decref(self.consumer);
    json_decref(self.provider);
    return f;
}
