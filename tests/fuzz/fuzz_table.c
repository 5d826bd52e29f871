// SPDX-License-Identifier: MIT
/* A CSV file that is taken can be asked everything; the first bytes choose key and question. */
#include "gateway/table_http.h"

#include "lib/base/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct table *table, struct span path, struct span query)
{
    static struct rest_fields none;
    struct table_answer answer;
    struct table_question question = {.method = span_of_text("GET"),
                                      .path = path,
                                      .query = query,
                                      .header = &none,
                                      .service = "CO/GOV/1/S/x",
                                      .title = "",
                                      .body_bytes_max = 100000};
    fault f = table_http_serve(table, &question, &answer);
    assert(f.code == OK || f.code == SERVICE_TOO_LARGE);
    if (!failed(f)) {
        assert(answer.status >= 200 && answer.status < 500);
        assert(answer.body == NULL || answer.body->size <= question.body_bytes_max);
        assert(answer.body == NULL || text_is_utf8(bytes_span(answer.body)));
    }
    table_answer_clear(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(table) table = NULL;
    OWNED(bytes) file = NULL;
    const uint8_t *cut = size == 0 ? NULL : memchr(data, '\n', size);
    if (cut == NULL || size > 65536)
        return 0;
    struct span question = span_of(data, (size_t)(cut - data));
    if (failed(bytes_copy(span_of(cut + 1, size - question.size - 1), &file)))
        return 0;
    bool keyed = question.size > 0 && question.at[0] == 'k';
    if (failed(table_parse(&file, keyed ? "k" : NULL, &table)))
        return 0;
    for (size_t row = 0; row < table->rows; row++)
        for (size_t column = 0; column < table->columns; column++)
            assert(text_is_utf8(table_at(table, row, column)));
    ask(table, span_of_text("/"), question);
    ask(table, span_of_text("/openapi.json"), question);
    if (question.size > 1)
        ask(table, question, span_of_text(""));
    return 0;
}
