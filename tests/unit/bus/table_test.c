// SPDX-License-Identifier: MIT
#include "lib/bus/table.h"

#include "lib/base/file.h"
#include "tests/unit/unit.h"

#define MUNICIPIOS "../shared/data/divipola_municipios.csv"
#define ENTIDADES "../shared/data/entidades_publicas_sigep.csv"

static fault parse_bytes(struct span text, const char *key, struct table **out)
{
    OWNED(bytes) file = NULL;
    TRY(bytes_copy(text, &file));
    return table_parse(&file, key, out);
}

static fault parse(const char *text, const char *key, struct table **out)
{
    return parse_bytes(span_of_text(text), key, out);
}

static void refused(const char *text, const char *key, const char *where)
{
    OWNED(table) table = NULL;
    fault f = parse(text, key, &table);
    if (f.code != BAD_TABLE || strstr(fault_detail(), where) == NULL)
        fprintf(stderr, "  wanted \"%s\", found %s \"%s\"\n", where, fault_name(f.code),
                fault_detail());
    CU_ASSERT_EQUAL(f.code, BAD_TABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), where));
}

static void cell_is(const struct table *table, size_t row, size_t column, const char *text)
{
    CU_ASSERT(span_is_text(table_at(table, row, column), text));
}

static void test_rows_and_columns_are_read(void)
{
    OWNED(table) table = NULL;
    MUST(parse("cod,nombre\n05001,MEDELLÍN\n08001,BARRANQUILLA\n", "cod", &table));
    CU_ASSERT_EQUAL(table->columns, 2);
    CU_ASSERT_EQUAL(table->rows, 2);
    cell_is(table, 0, 0, "05001");
    cell_is(table, 1, 1, "BARRANQUILLA");
    CU_ASSERT(span_is_text(table_column(table, 1), "nombre"));
    CU_ASSERT_EQUAL(table_find_column(table, span_of_text("nombre")), 1);
    CU_ASSERT_EQUAL(table_find_column(table, span_of_text("Nombre")), SIZE_MAX);
    CU_ASSERT_EQUAL(table_find_key(table, span_of_text("08001")), 1);
    CU_ASSERT_EQUAL(table_find_key(table, span_of_text("5001")), TABLE_NO_ROW);
}

static void test_both_line_ends_and_a_missing_last_one_are_taken(void)
{
    OWNED(table) unix_table = NULL;
    OWNED(table) windows = NULL;
    MUST(parse("a,b\n1,2\n3,4", "a", &unix_table));
    MUST(parse("a,b\r\n1,2\r\n3,4\r\n", "a", &windows));
    for (size_t row = 0; row < 2; row++)
        for (size_t column = 0; column < 2; column++)
            CU_ASSERT(
                span_equal(table_at(unix_table, row, column), table_at(windows, row, column)));
    CU_ASSERT_EQUAL(unix_table->rows, 2);
    CU_ASSERT_EQUAL(windows->rows, 2);
}

static void test_quotes_commas_and_line_breaks_within_fields(void)
{
    OWNED(table) table = NULL;
    MUST(parse("a,\"b \"\"x\"\"\"\n\"BOGOTÁ, D.C.\",\"dijo \"\"no\"\"\"\n\"\",\"dos\nlíneas\"\n,\n",
               NULL, &table));
    CU_ASSERT(span_is_text(table_column(table, 1), "b \"x\""));
    cell_is(table, 0, 0, "BOGOTÁ, D.C.");
    cell_is(table, 0, 1, "dijo \"no\"");
    cell_is(table, 1, 0, "");
    cell_is(table, 1, 1, "dos\nlíneas");
    cell_is(table, 2, 1, "");
    CU_ASSERT_EQUAL(table->rows, 3);
}

static void test_a_byte_order_mark_is_no_part_of_a_name(void)
{
    OWNED(table) table = NULL;
    MUST(parse("\xef\xbb\xbf"
               "a,b\n1,2\n",
               "a", &table));
    CU_ASSERT(span_is_text(table_column(table, 0), "a"));
}

static void test_a_wrong_number_of_fields_is_refused(void)
{
    refused("a,b\n1,2\n3\n", NULL, "row 3, column 2: 1 fields where the header has 2");
    refused("a,b\n1,2,3\n", NULL, "row 2, column 3: 3 fields where the header has 2");
    refused("a,b\n1,2\n\n", NULL, "row 3, column 2");
}

static void test_stray_quotes_are_refused(void)
{
    refused("a,b\n1,x\"y\n", NULL, "row 2, column 2 (b): a quote inside");
    refused("a,b\n1,\"x\"y\n", NULL, "row 2, column 2 (b): text after the closing quote");
    refused("a,b\n1,\"x\n2,3\n", NULL, "row 2, column 2 (b): a quoted field that is never closed");
    refused("a,b\n\"\n", NULL, "row 2, column 1 (a)");
    refused("a,\"b\n", NULL, "row 1, column 2");
}

static void test_text_that_is_not_utf8_is_refused(void)
{
    refused("a,b\n1,\xf1\n", NULL, "row 2, column 2 (b): not UTF-8");
    refused("a,\xf1\n", NULL, "row 1, column 2: not UTF-8");
    refused("a,b\n1,\"x\xc3\"\n", NULL, "row 2, column 2 (b): not UTF-8");
}

static void test_control_bytes_and_bare_returns_are_refused(void)
{
    static const char nul[] = "a,b\n1,x\0y\n";
    OWNED(table) table = NULL;
    refused("a,b\n1,\x01\n", NULL, "row 2, column 2 (b): a control byte");
    refused("a,b\n1,2\r3,4\n", NULL, "row 2, column 2 (b): a carriage return");
    MUST_FAIL(BAD_TABLE, parse_bytes(span_of(nul, sizeof nul - 1), NULL, &table));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "row 2, column 2"));
}

static void test_bad_headers_are_refused(void)
{
    refused("", NULL, "row 1, column 1: the file is empty");
    refused("a,,c\n", NULL, "row 1, column 2: a column without a name");
    refused("a,b,a\n", NULL, "row 1, column 3: \"a\" is also the name of column 1");
    refused("a,b\n1,2\n", "c", "no column \"c\"");
}

static void test_a_key_is_unique_and_there(void)
{
    refused("a,b\n1,x\n2,y\n1,z\n", "a", "row 4, column 1 (a): this key also stands in row 2");
    refused("a,b\n1,x\n,y\n", "a", "row 3, column 1 (a): the key is empty");
    OWNED(table) table = NULL;
    MUST(parse("a,b\n1,x\n1,y\n", "", &table)); /* without a key nothing need be unique */
}

static void test_long_fields_are_kept_whole(void)
{
    char text[600] = "a\n", field[301];
    OWNED(table) table = NULL;
    memset(field, 'n', 300);
    field[300] = '\0';
    strcat(text, field);
    MUST(parse(text, NULL, &table));
    cell_is(table, 0, 0, field);
}

static void test_filters_are_anded_without_regard_to_case(void)
{
    OWNED(table) table = NULL;
    MUST(parse("d,t\nNARIÑO,x\nANTIOQUIA,x\nNARIÑO,y\n", NULL, &table));
    struct table_filter filter[] = {{0, span_of_text("Nariño")}, {1, span_of_text("y")}};
    CU_ASSERT_EQUAL(table_next(table, 0, filter, 1), 0);
    CU_ASSERT_EQUAL(table_next(table, 1, filter, 1), 2);
    CU_ASSERT_EQUAL(table_next(table, 0, filter, 2), 2);
    CU_ASSERT_EQUAL(table_next(table, 3, filter, 2), TABLE_NO_ROW);
    filter[0].value = span_of_text("NARINO");
    CU_ASSERT_EQUAL(table_next(table, 0, filter, 1), TABLE_NO_ROW);
    CU_ASSERT_EQUAL(table_next(table, 0, NULL, 0), 0);
}

/* Real files, when they are there. */
static bool load(const char *path, const char *key, struct table **out)
{
    OWNED(bytes) file = NULL;
    if (failed(file_read(path, TABLE_BYTES_MAX, &file)))
        return false;
    MUST(table_parse(&file, key, out));
    return true;
}

static void test_the_municipalities_are_read(void)
{
    OWNED(table) table = NULL;
    if (!load(MUNICIPIOS, "cod_municipio", &table))
        return;
    CU_ASSERT_EQUAL(table->rows, 1121);
    CU_ASSERT_EQUAL(table->columns, 10);
    size_t row = table_find_key(table, span_of_text("05001"));
    CU_ASSERT_NOT_EQUAL_FATAL(row, TABLE_NO_ROW);
    cell_is(table, row, 3, "MEDELLÍN");
    CU_ASSERT_EQUAL(table_find_key(table, span_of_text("5001")), TABLE_NO_ROW);
}

static void test_the_institutions_are_read(void)
{
    OWNED(table) table = NULL;
    size_t longest = 0, quoted = 0;
    if (!load(ENTIDADES, "cod_institucion", &table))
        return;
    CU_ASSERT_EQUAL(table->rows, 6323);
    size_t name = table_find_column(table, span_of_text("nombre"));
    for (size_t row = 0; row < table->rows; row++) {
        struct span text = table_at(table, row, name);
        longest = text.size > longest ? text.size : longest;
        quoted += memchr(text.at, ',', text.size) != NULL;
    }
    CU_ASSERT(longest >= 222);
    CU_ASSERT(quoted > 0);
    /* a NIT names more than one public entity: it cannot be the key */
    OWNED(table) none = NULL;
    OWNED(bytes) file = NULL;
    MUST(file_read(ENTIDADES, TABLE_BYTES_MAX, &file));
    MUST_FAIL(BAD_TABLE, table_parse(&file, "nit", &none));
}

static void test_names_that_mean_something_else_are_refused(void)
{
    OWNED(table) table = NULL;
    refused("a,limit\n1,2\n", "a", "row 1, column 2: a column cannot be named limit");
    refused("offset\n1\n", NULL, "row 1, column 1: a column cannot be named offset");
    refused("a,b\n1,2\nopenapi.json,3\n", "a", "row 3, column 1 (a): a key cannot be openapi.json");
    MUST(parse("a,Limit\n1,openapi.json\n", "a", &table));
}

SUITE(table, TEST(test_names_that_mean_something_else_are_refused),
      TEST(test_rows_and_columns_are_read),
      TEST(test_both_line_ends_and_a_missing_last_one_are_taken),
      TEST(test_quotes_commas_and_line_breaks_within_fields),
      TEST(test_a_byte_order_mark_is_no_part_of_a_name),
      TEST(test_a_wrong_number_of_fields_is_refused), TEST(test_stray_quotes_are_refused),
      TEST(test_text_that_is_not_utf8_is_refused),
      TEST(test_control_bytes_and_bare_returns_are_refused), TEST(test_bad_headers_are_refused),
      TEST(test_a_key_is_unique_and_there), TEST(test_long_fields_are_kept_whole),
      TEST(test_filters_are_anded_without_regard_to_case), TEST(test_the_municipalities_are_read),
      TEST(test_the_institutions_are_read))
