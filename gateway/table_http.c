// SPDX-License-Identifier: MIT
#include "gateway/table_http.h"

#include "gateway/rest_headers.h"
#include "gateway/write.h"
#include "lib/base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define FILTERS_MAX 64
#define FILTERS_TEXT "64"
#define VALUE_BYTES_MAX 4096
#define KEY_NAME_BYTES_MAX 64

/* A question once read: which rows, from where, how many. */
struct selection {
    size_t filters;
    struct table_filter filter[FILTERS_MAX];
    struct bytes *text; /* decoded values, which the filters point into */
    uint64_t limit;
    uint64_t offset;
    const struct table_cover *cover; /* or NULL */
};

static bool is_shown(const struct table_cover *cover, size_t column)
{
    return cover == NULL || cover->rule[column] == NULL;
}

// --- small answers -------------------------------------------------------------------------------

static void set_type(struct table_answer *out, const char *type)
{
    rest_headers_add(&out->header, "Content-Type", span_of_text(type));
}

static void answer_error(struct table_answer *out, unsigned status, const char *error,
                         const char *message)
{
    out->status = status;
    set_type(out, "application/json");
    out->body = bytes_empty(256);
    write_text(out->body, "{\"error\":");
    write_json(out->body, span_of_text(error));
    write_text(out->body, ",\"message\":");
    write_json(out->body, span_of_text(message));
    write_text(out->body, "}\n");
}

static void answer_bad_method(struct table_answer *out)
{
    answer_error(out, 405, "method_not_allowed", "this table can be read with GET and HEAD only");
    rest_headers_add(&out->header, "Allow", span_of_text("GET, HEAD"));
}

/* Names what there is, so that the caller need not look it up. */
static void answer_unknown_column(const struct table *self, const struct table_cover *cover,
                                  struct span name, struct table_answer *out)
{
    out->status = 400;
    set_type(out, "application/json");
    out->body = bytes_empty(1024);
    write_text(out->body, "{\"error\":\"unknown_column\",\"message\":\"this table has no such "
                          "column\",\"column\":");
    write_json(out->body, name);
    write_text(out->body, ",\"columns\":[");
    const char *between = "";
    for (size_t i = 0; i < self->columns; i++) {
        if (!is_shown(cover, i))
            continue;
        write_text(out->body, between);
        write_json(out->body, table_column(self, i));
        between = ",";
    }
    write_text(out->body, "]}\n");
}

/* A row that is found by a value of that column tells the value. */
static void answer_withheld(const struct table *self, const struct table_cover *cover,
                            size_t column, struct table_answer *out)
{
    out->status = 403;
    set_type(out, "application/json");
    out->body = bytes_empty(256);
    write_text(out->body,
               "{\"error\":\"withheld\",\"message\":\"this column is not for this caller, "
               "and rows are not found by it\",\"column\":");
    write_json(out->body, table_column(self, column));
    write_text(out->body, ",\"rule\":");
    write_json(out->body, span_of_text(cover->rule[column]));
    write_text(out->body, "}\n");
}

static void answer_filters(struct table_answer *out)
{
    out->status = 400;
    set_type(out, "application/json");
    out->body = bytes_empty(256);
    write_text(out->body,
               "{\"error\":\"too_many_filters\",\"message\":\"a question to a table has at "
               "most " FILTERS_TEXT " filters: ask for fewer, or for several pages\","
               "\"rule\":\"table/" FILTERS_TEXT "-filters\"}\n");
}

// --- reading the question ------------------------------------------------------------------------

/* Percent-decodes a word of a query, where a plus stands for a blank. False when it is broken. */
static bool decode(struct span from, char *out, size_t room)
{
    char plain[VALUE_BYTES_MAX];
    if (from.size > sizeof plain)
        return false;
    for (size_t i = 0; i < from.size; i++)
        plain[i] = from.at[i] == '+' ? ' ' : (char)from.at[i];
    return !failed(text_percent_decode(span_of(plain, from.size), out, room));
}

static bool take_number(struct span value, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t number;
    if (failed(text_number(value, most, &number)) || number < least)
        return false;
    *out = number;
    return true;
}

/* One name=value. False: `out` is an error. */
static bool take_word(const struct table *self, struct span word, struct selection *selection,
                      struct table_answer *out)
{
    char name[VALUE_BYTES_MAX], value[VALUE_BYTES_MAX];
    const uint8_t *sign = memchr(word.at, '=', word.size);
    size_t name_size = sign == NULL ? word.size : (size_t)(sign - word.at);
    struct span raw =
        sign == NULL ? (struct span){NULL, 0} : span_of(sign + 1, word.size - name_size - 1);
    if (!decode(span_of(word.at, name_size), name, sizeof name) ||
        !decode(raw, value, sizeof value)) {
        answer_error(out, 400, "bad_query", "the query is not percent-encoded UTF-8");
        return false;
    }
    struct span text = span_of_text(value);
    if (strcmp(name, "limit") == 0 || strcmp(name, "offset") == 0) {
        bool limit = name[0] == 'l';
        if (take_number(text, limit, limit ? TABLE_PAGE_MAX : TABLE_ROWS_MAX,
                        limit ? &selection->limit : &selection->offset))
            return true;
        answer_error(out, 400, "bad_query",
                     limit ? "limit must be a number from 1 to 1000"
                           : "offset must be a number, 0 or more");
        return false;
    }
    size_t column = table_find_column(self, span_of_text(name));
    if (column == SIZE_MAX) {
        answer_unknown_column(self, selection->cover, span_of_text(name), out);
        return false;
    }
    if (!is_shown(selection->cover, column)) {
        answer_withheld(self, selection->cover, column, out);
        return false;
    }
    if (selection->filters == FILTERS_MAX) {
        answer_filters(out);
        return false;
    }
    /* the size now, the place when all are there: the text may move while it grows */
    selection->filter[selection->filters++] =
        (struct table_filter){column, span_of(NULL, text.size)};
    write_span(selection->text, text);
    return true;
}

static void place_filters(struct selection *selection)
{
    size_t at = 0;
    for (size_t i = 0; i < selection->filters; i++) {
        selection->filter[i].value.at = selection->text->data + at;
        at += selection->filter[i].value.size;
    }
}

static bool read_query(const struct table *self, struct span query, struct selection *selection,
                       struct table_answer *out)
{
    size_t start = 0;
    for (size_t i = 0; i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&')
            continue;
        if (i > start && !take_word(self, span_of(query.at + start, i - start), selection, out))
            return false;
        start = i + 1;
    }
    place_filters(selection);
    return true;
}

/* Takes what stands before the mark off the front of `rest`; all of it when there is no mark. */
static struct span take_until(struct span *rest, char mark)
{
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->at, mark, rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->at);
    struct span front = span_of(rest->at, size);
    *rest = end == NULL ? (struct span){NULL, 0} : span_of(end + 1, rest->size - size - 1);
    return http_trimmed(front);
}

/* "0.75" as 750; what is no weight weighs nothing (RFC 9110 section 12.4.2). */
static unsigned thousandths(struct span text)
{
    unsigned value = 0, digits = 0;
    if (text.size == 0 || text.size > 5 || (text.size > 1 && text.at[1] != '.'))
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        if (i == 1)
            continue;
        if (text.at[i] < '0' || text.at[i] > '9')
            return 0;
        value = value * 10 + (unsigned)(text.at[i] - '0');
        digits++;
    }
    for (; digits < 4; digits++)
        value *= 10;
    return value > 1000 ? 0 : value;
}

/* How much this media type is wanted, in thousandths: by the range that names it most closely. */
static unsigned weight_of(struct span accept, const char *media, const char *family)
{
    unsigned weight = 0, closest = 0;
    while (accept.size > 0) {
        struct span parameters = take_until(&accept, ',');
        struct span range = take_until(&parameters, ';');
        unsigned close = text_same_word(range, span_of_text(media))    ? 3
                         : text_same_word(range, span_of_text(family)) ? 2
                         : span_is_text(range, "*/*")                  ? 1
                                                                       : 0;
        if (close <= closest)
            continue;
        closest = close;
        weight = 1000;
        while (parameters.size > 0) {
            struct span parameter = take_until(&parameters, ';');
            if (parameter.size >= 2 && (parameter.at[0] | 0x20) == 'q' && parameter.at[1] == '=')
                weight = thousandths(span_of(parameter.at + 2, parameter.size - 2));
        }
    }
    return weight;
}

/* CSV when it weighs more than JSON, or as much and is named first. */
static bool prefers_csv(struct span accept)
{
    unsigned csv = weight_of(accept, "text/csv", "text/*");
    unsigned json = weight_of(accept, "application/json", "application/*");
    if (csv != json)
        return csv > json;
    while (csv > 0 && accept.size > 0) {
        struct span parameters = take_until(&accept, ',');
        struct span range = take_until(&parameters, ';');
        if (text_same_word(range, span_of_text("text/csv")) ||
            text_same_word(range, span_of_text("text/*")))
            return true;
        if (text_same_word(range, span_of_text("application/json")) ||
            text_same_word(range, span_of_text("application/*")) || span_is_text(range, "*/*"))
            return false;
    }
    return false;
}

// --- writing rows --------------------------------------------------------------------------------

static void write_row_json(const struct table *self, const struct table_cover *cover, size_t row,
                           struct bytes *out)
{
    const char *between = "";
    write_text(out, "{");
    for (size_t i = 0; i < self->columns; i++) {
        if (!is_shown(cover, i))
            continue;
        write_text(out, between);
        write_json(out, table_column(self, i));
        write_text(out, ":");
        write_json(out, table_at(self, row, i));
        between = ",";
    }
    write_text(out, "}");
}

static void write_csv_field(struct span text, struct bytes *out)
{
    static const char special[] = {',', '"', '\r', '\n'};
    bool plain = true;
    for (size_t i = 0; i < text.size && plain; i++)
        plain = memchr(special, text.at[i], sizeof special) == NULL;
    if (plain) {
        write_span(out, text);
        return;
    }
    write_text(out, "\"");
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '"')
            write_text(out, "\"");
        write_span(out, span_of(text.at + i, 1));
    }
    write_text(out, "\"");
}

/* row == TABLE_NO_ROW: the header. */
static void write_row_csv(const struct table *self, const struct table_cover *cover, size_t row,
                          struct bytes *out)
{
    const char *between = "";
    for (size_t i = 0; i < self->columns; i++) {
        if (!is_shown(cover, i))
            continue;
        write_text(out, between);
        write_csv_field(row == TABLE_NO_ROW ? table_column(self, i) : table_at(self, row, i), out);
        between = ",";
    }
    write_text(out, "\r\n");
}

static fault check_page(const struct bytes *page, uint64_t rows, size_t bytes_max)
{
    if (page->size <= bytes_max)
        return DONE;
    return RAISE(SERVICE_TOO_LARGE,
                 "%llu rows are more than the %zu bytes allowed; ask for fewer with limit= and go "
                 "on with offset=",
                 (unsigned long long)rows, bytes_max);
}

/* Writes the page; `total` is how many rows match in all. */
static fault write_page(const struct table *self, const struct selection *selection, bool csv,
                        size_t bytes_max, struct bytes *out, uint64_t *total)
{
    uint64_t written = 0;
    *total = 0;
    for (size_t row = 0;; row++) {
        row = table_next(self, row, selection->filter, selection->filters);
        if (row == TABLE_NO_ROW)
            return DONE;
        if ((*total)++ < selection->offset || written == selection->limit)
            continue;
        if (csv)
            write_row_csv(self, selection->cover, row, out);
        else {
            write_text(out, written == 0 ? "" : ",");
            write_row_json(self, selection->cover, row, out);
        }
        written++;
        TRY(check_page(out, written, bytes_max));
    }
}

static fault write_selection(const struct table *self, const struct selection *selection, bool csv,
                             size_t bytes_max, struct table_answer *out)
{
    OWNED(bytes) page = bytes_empty(4096);
    uint64_t total;
    if (csv)
        write_row_csv(self, selection->cover, TABLE_NO_ROW, page);
    TRY(write_page(self, selection, csv, bytes_max, page, &total));
    text_format(out->total, sizeof out->total, "%llu", (unsigned long long)total);
    rest_headers_add(&out->header, "Chaski-Total", span_of_text(out->total));
    if (csv) {
        out->body = TAKE(page);
        return DONE;
    }
    out->body = bytes_empty(page->size + 128);
    write_format(out->body, "{\"total\":%llu,\"offset\":%llu,\"limit\":%llu,\"items\":[",
                 (unsigned long long)total, (unsigned long long)selection->offset,
                 (unsigned long long)selection->limit);
    write_span(out->body, bytes_span(page));
    write_text(out->body, "]");
    if (selection->cover != NULL && selection->cover->hidden > 0) {
        write_text(out->body, ",\"withheld\":");
        table_cover_write_json(self, selection->cover, out->body);
    }
    write_text(out->body, "}\n");
    return DONE;
}

static fault answer_list(const struct table *self, const struct table_question *question, bool csv,
                         struct table_answer *out)
{
    struct selection selection = {.limit = TABLE_PAGE_DEFAULT, .cover = question->cover};
    OWNED(bytes) text = bytes_empty(64);
    selection.text = text;
    if (!read_query(self, question->query, &selection, out))
        return DONE;
    out->status = 200;
    set_type(out, csv ? "text/csv; charset=utf-8" : "application/json");
    return write_selection(self, &selection, csv, question->body_bytes_max, out);
}

static void answer_row(const struct table *self, const struct table_cover *cover,
                       struct span raw_key, bool csv, struct table_answer *out)
{
    char key[VALUE_BYTES_MAX];
    size_t row = TABLE_NO_ROW;
    if (self->key == self->columns) {
        answer_error(out, 404, "not_found", "this table has no key column; ask for / with filters");
        return;
    }
    if (!is_shown(cover, self->key)) {
        answer_withheld(self, cover, self->key, out);
        return;
    }
    if (!failed(text_percent_decode(raw_key, key, sizeof key)))
        row = table_find_key(self, span_of_text(key));
    if (row == TABLE_NO_ROW) {
        answer_error(out, 404, "not_found", "no row has this key");
        return;
    }
    out->status = 200;
    set_type(out, csv ? "text/csv; charset=utf-8" : "application/json");
    out->body = bytes_empty(1024);
    if (csv) {
        write_row_csv(self, cover, TABLE_NO_ROW, out->body);
        write_row_csv(self, cover, row, out->body);
        return;
    }
    write_row_json(self, cover, row, out->body);
    write_text(out->body, "\n");
}

// --- description (OpenAPI 3) ---------------------------------------------------------------------

static json_t *parameter(const char *where, struct span name, const char *about, json_t *schema)
{
    return json_pack("{s:s%, s:s, s:b, s:s, s:o}", "name", (const char *)name.at, name.size, "in",
                     where, "required", strcmp(where, "path") == 0, "description", about, "schema",
                     schema);
}

static json_t *number_schema(json_int_t least, json_int_t most, json_int_t otherwise)
{
    return json_pack("{s:s, s:I, s:I, s:I}", "type", "integer", "minimum", least, "maximum", most,
                     "default", otherwise);
}

static json_t *text_schema(void)
{
    return json_pack("{s:s}", "type", "string");
}

static json_t *row_schema(const struct table *self, const struct table_cover *cover)
{
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < self->columns; i++) {
        struct span name = table_column(self, i);
        if (!is_shown(cover, i))
            continue;
        json_object_setn_new(properties, (const char *)name.at, name.size, text_schema());
        json_array_append_new(required, json_stringn((const char *)name.at, name.size));
    }
    return json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required",
                     required);
}

static json_t *list_operation(const struct table *self, const struct table_cover *cover)
{
    json_t *parameters = json_array();
    for (size_t i = 0; i < self->columns; i++)
        if (is_shown(cover, i))
            json_array_append_new(parameters, parameter("query", table_column(self, i),
                                                        "rows with this value, in capitals or not",
                                                        text_schema()));
    json_array_append_new(parameters,
                          parameter("query", span_of_text("limit"), "rows per page",
                                    number_schema(1, TABLE_PAGE_MAX, TABLE_PAGE_DEFAULT)));
    json_array_append_new(parameters, parameter("query", span_of_text("offset"), "rows passed over",
                                                number_schema(0, TABLE_ROWS_MAX, 0)));
    json_t *page = json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:{s:s}}}}", "type",
                             "object", "properties", "total", "type", "integer", "offset", "type",
                             "integer", "limit", "type", "integer", "items", "type", "array",
                             "items", "$ref", "#/components/schemas/row");
    return json_pack("{s:s, s:s, s:o, s:{s:{s:s, s:{s:{s:o}, s:{s:{s:s}}}}, s:{s:s}}}",
                     "operationId", "list", "summary", "Rows, all or those that match",
                     "parameters", parameters, "responses", "200", "description", "one page",
                     "content", "application/json", "schema", page, "text/csv", "schema", "type",
                     "string", "400", "description", "no such column, or a bad page");
}

/* The key's place in a path has the column's name, unless that would not be a name there. */
static struct span key_name(const struct table *self)
{
    struct span name = table_column(self, self->key);
    for (size_t i = 0; i < name.size; i++)
        if (strchr("{}/?#", name.at[i]) != NULL || name.at[i] <= 0x20 || name.at[i] >= 0x7f)
            return span_of_text("key");
    return name.size > KEY_NAME_BYTES_MAX ? span_of_text("key") : name;
}

static json_t *row_operation(const struct table *self)
{
    char what[400];
    struct span column = table_column(self, self->key);
    text_format(what, sizeof what, "a value of the column %.*s",
                (int)(column.size < 255 ? column.size : 255), (const char *)column.at);
    json_t *parameters = json_array();
    json_array_append_new(parameters, parameter("path", key_name(self), what, text_schema()));
    return json_pack("{s:s, s:s, s:o, s:{s:{s:s, s:{s:{s:{s:s}}, s:{s:{s:s}}}}, s:{s:s}}}",
                     "operationId", "row", "summary", "One row by its key", "parameters",
                     parameters, "responses", "200", "description", "the row", "content",
                     "application/json", "schema", "$ref", "#/components/schemas/row", "text/csv",
                     "schema", "type", "string", "404", "description", "no such key");
}

const char *table_http_path(const struct table *self, size_t number)
{
    bool has_key = self->key < self->columns;
    return number == 0 ? "/" : number == 1 && has_key ? "/*" : NULL;
}

static json_t *paths_of(const struct table *self, const struct table_cover *cover)
{
    json_t *paths = json_object();
    json_object_set_new(paths, "/", json_pack("{s:o}", "get", list_operation(self, cover)));
    if (self->key < self->columns && is_shown(cover, self->key)) {
        char path[KEY_NAME_BYTES_MAX + 8];
        struct span name = key_name(self);
        text_format(path, sizeof path, "/{%.*s}", (int)name.size, (const char *)name.at);
        json_object_set_new(paths, path, json_pack("{s:o}", "get", row_operation(self)));
    }
    return paths;
}

fault table_http_describe(const struct table *self, const struct table_cover *cover,
                          const char *service, const char *title, struct bytes *out)
{
    json_t *root = json_pack(
        "{s:s, s:{s:s, s:s}, s:[{s:s+}], s:o, s:{s:{s:o}}}", "openapi", "3.0.3", "info", "title",
        title[0] == '\0' ? service : title, "version", "1", "servers", "url", "/r1/", service,
        "paths", paths_of(self, cover), "components", "schemas", "row", row_schema(self, cover));
    char *text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(root);
    if (text == NULL)
        return RAISE(INTERNAL, "the description could not be made");
    write_text(out, text);
    free(text);
    return DONE;
}

static void answer_description(const struct table *self, const struct table_question *question,
                               struct table_answer *out)
{
    OWNED(bytes) text = bytes_empty(4096);
    if (failed(
            table_http_describe(self, question->cover, question->service, question->title, text))) {
        answer_error(out, 500, "internal", "the description could not be made");
        return;
    }
    out->status = 200;
    set_type(out, "application/json");
    out->body = TAKE(text);
}

// --- the service ---------------------------------------------------------------------------------

/* Strong: the same bytes for the same URL, file and form. True when the caller has them already. */
static bool set_etag(const struct table *self, const struct table_question *question, bool csv,
                     struct table_answer *out)
{
    text_format(out->etag, sizeof out->etag, "\"%zx-%08x%s\"", self->file->size, self->sum,
                csv ? "-csv" : "");
    rest_headers_add(&out->header, "ETag", span_of_text(out->etag));
    rest_headers_add(&out->header, "Vary", span_of_text("Accept"));
    struct span have = rest_headers_last(question->header, "If-None-Match");
    return span_is_text(have, out->etag) || span_is_text(have, "*");
}

static void say_withheld(const struct table *self, const struct table_cover *cover,
                         struct table_answer *out)
{
    out->withheld = bytes_empty(256);
    table_cover_write_field(self, cover, out->withheld);
    rest_headers_add(&out->header, "Chaski-Withheld", bytes_span(out->withheld));
}

fault table_http_serve(const struct table *self, const struct table_question *question,
                       struct table_answer *out)
{
    memset(out, 0, sizeof *out);
    struct span path = question->path;
    bool csv = prefers_csv(rest_headers_last(question->header, "Accept"));
    if (!span_is_text(question->method, "GET") && !span_is_text(question->method, "HEAD")) {
        answer_bad_method(out);
        return DONE;
    }
    if (path.size > 0)
        path = span_of(path.at + 1, path.size - 1);
    if (span_is_text(path, "openapi.json"))
        answer_description(self, question, out);
    else if (path.size == 0)
        TRY(answer_list(self, question, csv, out));
    else
        answer_row(self, question->cover, path, csv, out);
    bool covered = question->cover != NULL && question->cover->hidden > 0;
    if (covered)
        say_withheld(self, question->cover, out);
    if (out->status == 200 && !covered && set_etag(self, question, csv, out)) {
        out->status = 304;
        bytes_free(&out->body);
    }
    if (span_is_text(question->method, "HEAD"))
        bytes_free(&out->body);
    if (out->body != NULL && out->body->size > question->body_bytes_max)
        return RAISE(SERVICE_TOO_LARGE, "%zu bytes where %zu are allowed", out->body->size,
                     question->body_bytes_max);
    return DONE;
}

void table_answer_clear(struct table_answer *self)
{
    bytes_free(&self->body);
    bytes_free(&self->withheld);
}
