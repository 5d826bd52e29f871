// SPDX-License-Identifier: MIT
/* What is registered, for people and as JSON. */
#include "registry/commands.h"

#include "lib/base/clock.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

static const char *class_word(enum service_class class)
{
    return class == SERVICE_OPEN ? "open" : class == SERVICE_SHARED ? "shared" : "restricted";
}

struct row {
    char *key;  /* sorts the list */
    char *text; /* for people */
    json_t *json;
};

struct rows {
    size_t count;
    struct row *row;
};

static void add_row(struct rows *rows, const char *key, json_t *json, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add_row(struct rows *rows, const char *key, json_t *json, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    rows->row = owned_grow(rows->row, rows->count + 1, sizeof *rows->row);
    rows->row[rows->count++] = (struct row){owned_text(key), text, json};
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

/* Prints or collects, and empties the list. */
static void finish_rows(struct rows *rows, const char *title, json_t *root)
{
    if (rows->count > 0)
        qsort(rows->row, rows->count, sizeof *rows->row, by_key);
    json_t *list = json_array();
    if (root == NULL)
        printf("\n%s (%zu)\n", title, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        if (root == NULL)
            printf("  %s\n", rows->row[i].text);
        json_array_append_new(list, rows->row[i].json);
        free(rows->row[i].key);
        free(rows->row[i].text);
    }
    if (root != NULL)
        json_object_set(root, title, list);
    json_decref(list);
    free(rows->row);
    *rows = (struct rows){0};
}

static void members(const struct directory *state, struct rows *rows)
{
    size_t step = 0;
    for (const struct directory_member *at; (at = directory_next_member(state, &step)) != NULL;)
        add_row(rows, at->id,
                json_pack("{s:s, s:s, s:b}", "id", at->id, "name", at->name, "public_agency",
                          at->public_agency),
                "%-32s %-14s %s", at->id, at->public_agency ? "public agency" : "", at->name);
}

static void servers(const struct directory *state, struct rows *rows)
{
    size_t step = 0;
    for (const struct directory_server *at; (at = directory_next_server(state, &step)) != NULL;) {
        bool revoked = at->signer[0]->revoked_since_ms != 0;
        char until[32];
        clock_text(certificate_not_after_ms(at->signer[0]->certificate), until, sizeof until);
        add_row(rows, at->id,
                json_pack("{s:s, s:s, s:s, s:s, s:b}", "id", at->id, "address",
                          at->addresses > 0 ? at->address[0] : "", "origin", at->log_key.name,
                          "certificate_until", until, "revoked", revoked),
                "%-36s %-28s certificate %s %.10s", at->id,
                at->addresses > 0 ? at->address[0] : "-", revoked ? "REVOKED" : "until",
                revoked ? "" : until);
    }
}

static void subsystems(const struct directory *state, struct rows *rows)
{
    size_t step = 0;
    for (const struct directory_subsystem *at;
         (at = directory_next_subsystem(state, &step)) != NULL;)
        add_row(rows, at->id, json_pack("{s:s, s:s}", "id", at->id, "name", at->name),
                "%-40s on %zu server%s  %s", at->id, at->servers, at->servers == 1 ? "" : "s",
                at->name);
}

static void services(const struct directory *state, struct rows *rows)
{
    size_t step = 0;
    for (const struct directory_service *at; (at = directory_next_service(state, &step)) != NULL;)
        add_row(rows, at->id,
                json_pack("{s:s, s:s, s:s, s:b, s:i}", "id", at->id, "title", at->title, "class",
                          class_word(at->class), "disabled", at->disabled, "grants",
                          (int)at->grants),
                "%-48s %-10s %s%s", at->id, class_word(at->class), at->disabled ? "(off) " : "",
                at->title);
}

static void purposes(const struct directory *state, struct rows *rows)
{
    size_t step = 0;
    for (const struct directory_purpose *at; (at = directory_next_purpose(state, &step)) != NULL;)
        add_row(rows, at->id,
                json_pack("{s:s, s:s, s:s}", "id", at->id, "title", at->title, "legal_basis",
                          at->legal_basis),
                "%-24s %s (%s)", at->id, at->title, at->legal_basis);
}

fault show_run(struct store *store, const struct arguments *arguments)
{
    OWNED(directory) state = NULL;
    TRY(store_state(store, &state));
    static const struct {
        const char *title;
        void (*fill)(const struct directory *state, struct rows *rows);
    } lists[] = {{"members", members},
                 {"servers", servers},
                 {"subsystems", subsystems},
                 {"services", services},
                 {"purposes", purposes}};
    json_t *root = arguments->json ? json_object() : NULL;
    if (root == NULL)
        printf("instance %s, %llu acts\n", directory_instance(state),
               (unsigned long long)directory_epoch(state));
    else
        json_object_set_new(root, "instance", json_string(directory_instance(state)));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct rows rows = {0};
        lists[i].fill(state, &rows);
        finish_rows(&rows, lists[i].title, root);
    }
    if (root != NULL) {
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
    }
    return DONE;
}
