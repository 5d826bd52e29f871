// SPDX-License-Identifier: MIT
/*
 * table_http - a table as a read-only web service. Pure: request in, answer out.
 *
 *   GET /                 rows, all or those that match: ?departamento=Antioquia&tipo=Municipio
 *                         &limit=100&offset=0; JSON, or CSV when Accept prefers text/csv
 *   GET /{key}            one row, when the table has a key
 *   GET /openapi.json     the description of all this
 *
 * Columns that the caller does not see are in no row, head, description or error, and no filter and
 * no key may be of one: to ask for the rows where it has a value would tell the value. The answer
 * says in Chaski-Withheld which they are and by which rule, and a list of rows in "withheld". No
 * ETag then: it is a sum of the whole file.
 *
 * An answer has a bound in bytes besides its bound in rows: rows may be wide.
 */
#ifndef GATEWAY_TABLE_HTTP_H
#define GATEWAY_TABLE_HTTP_H

#include "gateway/rest_message.h"
#include "gateway/table_cover.h"
#include "lib/bus/table.h"

struct table_question {
    struct span method;
    struct span path;  /* below the service, raw */
    struct span query; /* raw */
    const struct rest_fields *header;
    const char *service; /* canonical identifier, for the description */
    const char *title;
    const struct table_cover *cover; /* what this caller does not see; NULL: all is shown */
    size_t body_bytes_max;
};

struct table_answer {
    unsigned status;
    struct rest_fields header; /* values point here and into constants */
    struct bytes *body;        /* owned; NULL: none */
    struct bytes *withheld;    /* owned; of the header */
    char etag[40];
    char total[24];
};

/* Its OpenAPI 3 document, at the end of `out`, of what is not covered. cover: or NULL. service:
 * canonical identifier. */
fault table_http_describe(const struct table *self, const struct table_cover *cover,
                          const char *service, const char *title, struct bytes *out);
/* The paths of that document by number, with * for a parameter; NULL behind the last. GET each. */
const char *table_http_path(const struct table *self, size_t number);

/* `out` is the caller's memory and must not move afterwards; table_answer_clear it, also after a
 * fault. SERVICE_TOO_LARGE: more than body_bytes_max; what to ask for instead stands in the detail.
 */
fault table_http_serve(const struct table *self, const struct table_question *question,
                       struct table_answer *out);
void table_answer_clear(struct table_answer *self);

#endif
