// SPDX-License-Identifier: MIT
#include "gateway/refusal_http.h"

#include "gateway/write.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

void receipt_write(struct bytes *head, const struct receipt *receipt)
{
    char hash[129];
    if (receipt == NULL || receipt->leaf_hash.size > 64)
        return;
    for (const char *c = receipt->origin; *c != '\0'; c++)
        if (*c <= 0x20 || *c >= 0x7f)
            return; /* no origin looks like that */
    text_hex(receipt->leaf_hash, hash, sizeof hash);
    write_text(head, "Chaski-Receipt: ");
    write_text(head, receipt->origin);
    write_text(head, " ");
    write_number(head, receipt->index);
    write_text(head, " ");
    write_text(head, hash);
    write_text(head, "\r\n");
}

void refusal_send(struct gateway *gateway, struct http_connection *connection,
                  const struct refusal *refusal, const char *media, const struct receipt *receipt)
{
    enum refusal_style style = (enum refusal_style)gateway->config.fault_style;
    char type[REFUSAL_TYPE_ROOM];
    OWNED(bytes) body = bytes_empty(512);
    unsigned status =
        refusal_status_of(refusal, (enum refusal_status)gateway->config.compat_status);
    refusal_type(refusal, style, type);
    refusal_write(refusal, style, media, body);
    struct bytes *head = http_connection_begin(connection, status);
    write_text(head, "Content-Type: ");
    write_text(head, media == NULL ? "application/json" : media);
    write_text(head, media == NULL ? "\r\n" : ";charset=utf-8\r\n");
    http_field_write_text(head, "X-Road-Error", type);
    if (fault_status(refusal->code) == 503 || fault_status(refusal->code) == 429) {
        write_text(head, "Retry-After: ");
        write_number(head, refusal->retry_s == 0 ? 1 : refusal->retry_s);
        write_text(head, "\r\n");
    }
    receipt_write(head, receipt);
    http_connection_answer(connection, false, bytes_span(body));
}

struct refusal refusal_of(fault f, const char *exchange, char detail[DETAIL_BYTES_MAX])
{
    text_format(detail, DETAIL_BYTES_MAX, "%s", fault_detail());
    return (struct refusal){.code = f.code, .detail = detail, .exchange = exchange};
}

void refusal_note_early(struct gateway *gateway, fault f, const char *exchange, const char *detail)
{
    if (event_rate_allows(&gateway->refused_early))
        EVENT(fault_blame(f.code) == BLAME_CALLER ? INFO : WARN, "ask.refused_early",
              E_TEXT("exchange", exchange), E_TEXT("fault", fault_name(f.code)),
              E_TEXT("detail", detail));
    gateway->metrics.side[METRICS_CALLER].outcome[f.code]++;
}

void refusal_send_early(struct gateway *gateway, struct http_connection *connection, fault f,
                        const char *exchange, const char *media)
{
    char detail[DETAIL_BYTES_MAX];
    struct refusal refusal = refusal_of(f, exchange, detail);
    refusal_note_early(gateway, f, exchange, detail);
    refusal_send(gateway, connection, &refusal, media, NULL);
}
