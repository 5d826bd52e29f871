// SPDX-License-Identifier: MIT
#include "gateway/health.h"

#include "gateway/once_only.h"
#include "gateway/write.h"
#include "lib/bus/limits.h"

static void answer(struct http_connection *connection, unsigned status, const char *type,
                   struct span body)
{
    struct bytes *head = http_connection_begin(connection, status);
    http_field_write_text(head, "Content-Type", type);
    http_field_write_text(head, "Cache-Control", "no-store");
    http_connection_answer(connection, false, body);
}

static void answer_ready(struct gateway *gateway, struct http_connection *connection)
{
    enum fault_code state = gateway->draining ? DRAINING : front_line_state(gateway->front);
    OWNED(bytes) body = bytes_empty(256);
    if (state == OK)
        write_format(body, "ready\n");
    else
        write_format(body, "not ready: %s: %s\n", fault_name(state), fault_sentence(state));
    uint64_t age_ms = front_line_directory_age_ms(gateway->front);
    if (age_ms >= DIRECTORY_WARN_MS)
        write_format(body, "directory: no fresh word of the authority for %llu s\n",
                     (unsigned long long)(age_ms / 1000));
    answer(connection, state == OK ? 200 : 503, "text/plain; charset=utf-8", bytes_span(body));
}

static void answer_metrics(struct gateway *gateway, struct http_connection *connection)
{
    struct http_server_counts counts = http_server_counts(gateway->http);
    struct metrics_now now = {
        .connections = counts.connections,
        .connections_accepted = counts.accepted,
        .connections_refused = counts.refused,
        .held_bytes = budget_held(&gateway->budget),
        .held_bytes_max = gateway->budget.most,
        .server_up = front_line_up(gateway->front),
        .server_state = front_line_state(gateway->front),
        .directory_age_ms = front_line_directory_age_ms(gateway->front),
        .services = services_count(gateway->services),
    };
    OWNED(bytes) body = bytes_empty(4096);
    metrics_write(&gateway->metrics, &now, body);
    once_only_metrics(gateway->once_only, body);
    answer(connection, 200, "text/plain; version=0.0.4; charset=utf-8", bytes_span(body));
}

bool health_answer(struct gateway *gateway, struct http_connection *connection, struct span method,
                   struct span target)
{
    const uint8_t *mark = memchr(target.at, '?', target.size);
    if (mark != NULL)
        target.size = (size_t)(mark - target.at);
    if (!span_is_text(method, "GET") && !span_is_text(method, "HEAD"))
        return false;
    if (span_is_text(target, "/healthz"))
        answer(connection, 200, "text/plain; charset=utf-8", span_of_text("ok\n"));
    else if (span_is_text(target, "/readyz"))
        answer_ready(gateway, connection);
    else if (span_is_text(target, "/metrics"))
        answer_metrics(gateway, connection);
    else
        return false;
    return true;
}
