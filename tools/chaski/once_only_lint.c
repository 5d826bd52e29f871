// SPDX-License-Identifier: MIT
/* chaski once-only lint: procedures of the directory, and of a table of SUIT, against the sources.
 */
#include "tools/chaski/once_only.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/once_only_lint.h"
#include "tools/chaski/node_directory.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)

struct asked {
    const char *config, *csv;
    bool json, all;
};

static fault read_words(int argc, char **argv, struct asked *out)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"csv", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"all", no_argument, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    opterr = 0;
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, ":", options, NULL)) != -1;)
        if (code == 'c')
            out->config = optarg;
        else if (code == 't')
            out->csv = optarg;
        else if (code == 'j')
            out->json = true;
        else if (code == 'a')
            out->all = true;
        else
            return RAISE(BAD_REQUEST,
                         "%s is no option of chaski once-only lint, or lacks its value",
                         argv[optind - 1]);
    if (optind < argc)
        return RAISE(BAD_REQUEST, "'%s' is one word too many", argv[optind]);
    return out->config != NULL || out->csv != NULL
               ? DONE
               : RAISE(BAD_REQUEST, "--config SERVER_CONF, --csv FILE, or both");
}

// --- telling ------------------------------------------------------------------------------------

static int64_t age_days(const struct lint_finding *finding, int64_t now_ms)
{
    return finding->since_ms == 0 || finding->since_ms > now_ms
               ? -1
               : (now_ms - finding->since_ms) / DAY_MS;
}

static void print_finding(const struct lint_finding *finding, int64_t now_ms)
{
    int64_t days = age_days(finding, now_ms);
    printf("%-16s ", lint_kind_word(finding->kind));
    if (finding->row > 0)
        printf("row %zu, ", finding->row);
    printf("%s of %s", finding->id[0] == '\0' ? "without a number," : finding->id, finding->owner);
    if (days >= 0)
        printf(", for %" PRId64 " days", days);
    printf("\n                 %s\n", finding->text);
}

/* What is in no register is most of a table at first: it is counted, and listed when asked for. */
static bool is_listed(const struct asked *asked, const struct lint_finding *finding)
{
    return asked->all || finding->kind != LINT_NOT_REGISTERED;
}

static void print_text(const struct asked *asked, const struct lint *lint, int64_t now_ms)
{
    for (size_t i = 0; i < lint->count; i++)
        if (is_listed(asked, &lint->finding[i]))
            print_finding(&lint->finding[i], now_ms);
    printf("%zu procedures and %zu rows:", lint->procedures, lint->rows);
    for (enum lint_kind kind = 1; kind < LINT_KINDS_END; kind++)
        printf("%s %zu %s", kind == 1 ? "" : ",", lint->of_kind[kind], lint_kind_word(kind));
    putchar('\n');
}

static json_t *finding_json(const struct lint_finding *finding, int64_t now_ms)
{
    int64_t days = age_days(finding, now_ms);
    json_t *object =
        json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", lint_kind_word(finding->kind), "id", finding->id,
                  "title", finding->title, "owner", finding->owner, "text", finding->text);
    if (finding->requirement[0] != '\0')
        json_object_set_new(object, "requirement", json_string(finding->requirement));
    if (finding->source[0] != '\0')
        json_object_set_new(object, "source", json_string(finding->source));
    if (finding->row > 0)
        json_object_set_new(object, "row", json_integer((json_int_t)finding->row));
    if (days >= 0)
        json_object_set_new(object, "age_days", json_integer(days));
    return object;
}

static void print_json(const struct lint *lint, int64_t now_ms)
{
    json_t *findings = json_array(), *counts = json_object();
    for (size_t i = 0; i < lint->count; i++)
        json_array_append_new(findings, finding_json(&lint->finding[i], now_ms));
    for (enum lint_kind kind = 1; kind < LINT_KINDS_END; kind++)
        json_object_set_new(counts, lint_kind_word(kind),
                            json_integer((json_int_t)lint->of_kind[kind]));
    json_t *root =
        json_pack("{s:I,s:I,s:o,s:o}", "procedures", (json_int_t)lint->procedures, "rows",
                  (json_int_t)lint->rows, "counts", counts, "findings", findings);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    puts(text == NULL ? "{}" : text);
    free(text);
    json_decref(root);
}

// --- looking ------------------------------------------------------------------------------------

static fault read_table(const char *path, struct table **out)
{
    OWNED(bytes) file = NULL;
    if (path == NULL)
        return DONE;
    TRY(file_read(path, TABLE_BYTES_MAX, &file));
    return table_parse(&file, NULL, out);
}

static fault look(const struct asked *asked, const struct directory *state)
{
    OWNED(table) table = NULL;
    struct lint lint = {0};
    int64_t now_ms = clock_wall_ms();
    TRY(read_table(asked->csv, &table));
    fault f = lint_look(state, table, now_ms, &lint);
    size_t wrong = lint.count - lint.of_kind[LINT_NOT_REGISTERED];
    if (!failed(f) && asked->json)
        print_json(&lint, now_ms);
    else if (!failed(f))
        print_text(asked, &lint, now_ms);
    if (!failed(f) && wrong > 0)
        f = RAISE(NOT_ONCE_ONLY, "%zu findings, %zu of them debts", wrong, lint.of_kind[LINT_DEBT]);
    lint_clear(&lint);
    return f;
}

fault once_only_lint(int argc, char **argv)
{
    struct asked asked = {0};
    struct node_directory node = {.audit_folder = ""};
    TRY(read_words(argc, argv, &asked));
    fault f = asked.config == NULL ? DONE : node_directory_read(asked.config, &node);
    if (!failed(f))
        f = look(&asked, node.state);
    if (asked.config != NULL)
        node_directory_clear(&node);
    return f;
}
