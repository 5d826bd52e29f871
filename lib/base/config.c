// SPDX-License-Identifier: MIT
#include "lib/base/config.h"

#include "lib/base/text.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 4096
#define DEPTH_MAX 2 /* a file and its sections */

// --- from our table to libconfuse's -------------------------------------------------------------

static size_t table_length(const struct config_setting *table)
{
    size_t count = 0;
    while (table[count].name != NULL)
        count++;
    return count;
}

/* libconfuse keeps its own copy of defaults; what was really given is asked with cfg_opt_size etc.
 */
static int include(cfg_t *cfg, cfg_opt_t *option, int count, const char **arguments);

static cfg_opt_t *options_of(const struct config_setting *table, unsigned depth)
{
    assert(depth < DEPTH_MAX);
    size_t count = table_length(table), extra = depth == 0 ? 1 : 0;
    cfg_opt_t *options = owned_array(count + extra + 1, sizeof *options);
    for (size_t i = 0; i < count; i++) {
        const char *name = table[i].name;
        switch (table[i].kind) {
        case CONFIG_NUMBER:
        case CONFIG_TEXT:
        case CONFIG_CHOICE: {
            cfg_opt_t text = CFG_STR(name, NULL, CFGF_NODEFAULT);
            options[i] = text;
            break;
        }
        case CONFIG_LIST: {
            cfg_opt_t list = CFG_STR_LIST(name, NULL, CFGF_NODEFAULT);
            options[i] = list;
            break;
        }
        case CONFIG_SECTION: {
            cfg_opt_t section = CFG_SEC(name, options_of(table[i].section, depth + 1),
                                        CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
            options[i] = section;
            break;
        }
        }
    }
    if (extra > 0) {
        cfg_opt_t more = CFG_FUNC("include", include);
        options[count] = more;
    }
    cfg_opt_t end = CFG_END();
    options[count + extra] = end;
    return options;
}

static void free_options(const struct config_setting *table, cfg_opt_t *options)
{
    for (size_t i = 0; i < table_length(table); i++)
        if (table[i].kind == CONFIG_SECTION)
            free_options(table[i].section, options[i].subopts);
    free(options);
}

// --- errors with file and line ------------------------------------------------------------------

/* libconfuse reports through a callback without an argument; one thread reads configuration. */
static _Thread_local char said[320];

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    if (said[0] != '\0')
        return; /* the first is the cause */
    char what[240];
    vsnprintf(what, sizeof what, format, args);
    if (cfg != NULL && cfg->filename != NULL)
        text_format(said, sizeof said, "%s:%d: %s", cfg->filename, cfg->line, what);
    else
        text_format(said, sizeof said, "%s", what);
}

static bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* libconfuse's scanner ends the process when it is given a folder to read. */
static int include(cfg_t *cfg, cfg_opt_t *option, int count, const char **arguments)
{
    if (count > 0 && is_folder(arguments[0])) {
        cfg_error(cfg, "%s is a folder", arguments[0]);
        return -1;
    }
    return cfg_include(cfg, option, count, arguments);
}

// --- values -------------------------------------------------------------------------------------

struct place {
    const char *file;
    const char *section; /* kind and title, or "" */
};

static fault wrong(const struct place *place, const struct config_setting *setting,
                   const char *what)
{
    return RAISE(BAD_CONFIG, "%s: %s%s %s (%s)", place->file, place->section, setting->name, what,
                 setting->sentence);
}

static fault take_number(const struct place *place, const struct config_setting *setting,
                         const char *given, int64_t *out)
{
    char what[200];
    char *end = NULL;
    if (given == NULL) {
        *out = setting->number;
        return DONE;
    }
    errno = 0;
    long long value = strtoll(given, &end, 10);
    bool plain =
        given[given[0] == '-'] >= '0' && given[given[0] == '-'] <= '9'; /* no blank, no + */
    if (errno != 0 || !plain || *end != '\0') {
        text_format(what, sizeof what, "= %.60s is not a whole number", given);
        return wrong(place, setting, what);
    }
    if (value < setting->least || value > setting->most) {
        text_format(what, sizeof what, "= %lld is outside %" PRId64 "..%" PRId64, value,
                    setting->least, setting->most);
        return wrong(place, setting, what);
    }
    *out = value;
    return DONE;
}

static fault take_text(const struct place *place, const struct config_setting *setting,
                       const char *given, char **out)
{
    if (given == NULL)
        given = setting->text;
    if (given == NULL)
        return wrong(place, setting, "is missing");
    size_t most = setting->most > 0 ? (size_t)setting->most : TEXT_BYTES_MAX;
    if (strlen(given) > most)
        return wrong(place, setting, "is too long");
    if (strlen(given) < (size_t)setting->least)
        return wrong(place, setting, "is too short");
    *out = owned_text(given);
    return DONE;
}

static fault take_choice(const struct place *place, const struct config_setting *setting,
                         const char *given, int64_t *out)
{
    if (given == NULL)
        given = setting->text;
    if (given == NULL)
        return wrong(place, setting, "is missing");
    struct span wanted = span_of_text(given);
    const char *at = setting->choices;
    for (int64_t index = 0;; index++) {
        size_t size = strcspn(at, "|");
        if (span_equal(wanted, span_of(at, size))) {
            *out = index;
            return DONE;
        }
        if (at[size] == '\0')
            break;
        at += size + 1;
    }
    char what[240];
    text_format(what, sizeof what, "= %.60s is not one of %s", given, setting->choices);
    return wrong(place, setting, what);
}

static void add_item(struct config_list *list, struct span item)
{
    list->item = owned_grow(list->item, list->count + 1, sizeof *list->item);
    char *copy = owned_array(item.size + 1, 1);
    memcpy(copy, item.at, item.size);
    list->item[list->count++] = copy;
}

static void take_default_list(const char *text, struct config_list *out)
{
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        add_item(out, span_of(text, size));
        text += size + (text[size] == ',');
    }
}

/* An empty list that was given is not the default. */
static fault take_list(const struct place *place, const struct config_setting *setting, cfg_t *cfg,
                       struct config_list *out)
{
    if ((cfg_getopt(cfg, setting->name)->flags & CFGF_MODIFIED) == 0) {
        if (setting->text == NULL)
            return wrong(place, setting, "is missing");
        take_default_list(setting->text, out);
        return DONE;
    }
    for (unsigned i = 0; i < cfg_size(cfg, setting->name); i++)
        add_item(out, span_of_text(cfg_getnstr(cfg, setting->name, i)));
    return DONE;
}

static fault take_settings(const struct place *place, const struct config_setting *table,
                           cfg_t *cfg, void *out);

static fault take_sections(const struct place *place, const struct config_setting *setting,
                           cfg_t *cfg, struct config_sections *out)
{
    for (unsigned i = 0; i < cfg_size(cfg, setting->name); i++) {
        cfg_t *section = cfg_getnsec(cfg, setting->name, i);
        char name[400];
        text_format(name, sizeof name, "%s \"%s\": ", setting->name, cfg_title(section));
        for (size_t k = 0; k < out->count; k++)
            if (strcmp(*(char **)out->section[k], cfg_title(section)) == 0)
                return RAISE(BAD_CONFIG, "%s: %sstands twice", place->file, name);
        void *values = owned_new(setting->section_size);
        out->section = owned_grow(out->section, out->count + 1, sizeof *out->section);
        out->section[out->count++] = values;
        *(char **)values = owned_text(cfg_title(section));
        struct place inside = {place->file, name};
        TRY(take_settings(&inside, setting->section, section, values));
    }
    return DONE;
}

static fault take_setting(const struct place *place, const struct config_setting *setting,
                          cfg_t *cfg, void *at)
{
    const char *given = NULL;
    if (setting->kind != CONFIG_LIST && setting->kind != CONFIG_SECTION)
        given = cfg_getstr(cfg, setting->name);
    switch (setting->kind) {
    case CONFIG_NUMBER:
        return take_number(place, setting, given, at);
    case CONFIG_TEXT:
        return take_text(place, setting, given, at);
    case CONFIG_CHOICE:
        return take_choice(place, setting, given, at);
    case CONFIG_LIST:
        return take_list(place, setting, cfg, at);
    case CONFIG_SECTION:
        return take_sections(place, setting, cfg, at);
    }
    return DONE;
}

static void *value_at(const struct config_setting *setting, void *values)
{
    return (char *)values + setting->offset;
}

static fault take_settings(const struct place *place, const struct config_setting *table,
                           cfg_t *cfg, void *out)
{
    for (; table->name != NULL; table++)
        TRY(take_setting(place, table, cfg, value_at(table, out)));
    return DONE;
}

// --- files --------------------------------------------------------------------------------------

static fault parse(const char *path, const struct config_setting *table, bool sections_only,
                   void *out)
{
    if (access(path, R_OK) != 0)
        return RAISE(BAD_CONFIG, "%s: %s", path, strerror(errno));
    if (is_folder(path))
        return RAISE(BAD_CONFIG, "%s is a folder", path);
    cfg_opt_t *options = options_of(table, 0);
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    said[0] = '\0';
    cfg_set_error_function(cfg, on_error);
    struct place place = {path, ""};
    fault f = DONE;
    if (cfg_parse(cfg, path) != CFG_SUCCESS)
        f = RAISE(BAD_CONFIG, "%s", said[0] != '\0' ? said : path);
    for (const struct config_setting *at = table; !failed(f) && at->name != NULL; at++) {
        if (at->kind == CONFIG_SECTION || !sections_only)
            f = take_setting(&place, at, cfg, value_at(at, out));
        else if ((cfg_getopt(cfg, at->name)->flags & CFGF_MODIFIED) != 0)
            f = wrong(&place, at, "does not belong into this file, only sections do");
    }
    cfg_free(cfg);
    free_options(table, options);
    return f;
}

static fault parse_more(const char *pattern, const struct config_setting *table, void *out)
{
    glob_t found;
    int result = glob(pattern, 0, NULL, &found);
    if (result == GLOB_NOMATCH)
        return DONE;
    if (result != 0)
        return RAISE(BAD_CONFIG, "%s cannot be listed", pattern);
    fault f = DONE;
    for (size_t i = 0; !failed(f) && i < found.gl_pathc; i++)
        f = parse(found.gl_pathv[i], table, true, out);
    globfree(&found);
    return f;
}

fault config_read(const char *path, const char *pattern, const struct config_setting *table,
                  void *out)
{
    fault f = parse(path, table, false, out);
    if (!failed(f) && pattern != NULL)
        f = parse_more(pattern, table, out);
    if (failed(f))
        config_clear(table, out);
    return f;
}

static void clear_list(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i]);
    free(list->item);
    *list = (struct config_list){0};
}

static void clear_sections(const struct config_setting *setting, struct config_sections *sections)
{
    for (size_t i = 0; i < sections->count; i++) {
        config_clear(setting->section, sections->section[i]);
        free(*(char **)sections->section[i]);
        free(sections->section[i]);
    }
    free(sections->section);
    *sections = (struct config_sections){0};
}

void config_clear(const struct config_setting *table, void *out)
{
    for (; table->name != NULL; table++) {
        void *at = value_at(table, out);
        if (table->kind == CONFIG_TEXT) {
            free(*(char **)at);
            *(char **)at = NULL;
        } else if (table->kind == CONFIG_LIST) {
            clear_list(at);
        } else if (table->kind == CONFIG_SECTION) {
            clear_sections(table, at);
        }
    }
}

// --- showing ------------------------------------------------------------------------------------

static void print_quoted(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (strchr("\"\\$", *text) != NULL) /* "${NAME}" would be looked up in the environment */
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_choice(const char *choices, int64_t index, FILE *out)
{
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    fprintf(out, "%.*s", (int)strcspn(choices, "|"), choices);
}

static void print_settings(const struct config_setting *table, const void *values,
                           const char *indent, FILE *out)
{
    for (; table->name != NULL; table++) {
        const void *at = (const char *)values + table->offset;
        const struct config_list *list = at;
        const struct config_sections *sections = at;
        if (table->kind != CONFIG_SECTION)
            fprintf(out, "%s%s = ", indent, table->name);
        switch (table->kind) {
        case CONFIG_NUMBER:
            fprintf(out, "%" PRId64, *(const int64_t *)at);
            break;
        case CONFIG_TEXT:
            print_quoted(*(char *const *)at, out);
            break;
        case CONFIG_CHOICE:
            print_choice(table->choices, *(const int64_t *)at, out);
            break;
        case CONFIG_LIST:
            fputc('{', out);
            for (size_t i = 0; i < list->count; i++) {
                fputs(i > 0 ? ", " : "", out);
                print_quoted(list->item[i], out);
            }
            fputc('}', out);
            break;
        case CONFIG_SECTION:
            for (size_t i = 0; i < sections->count; i++) {
                fprintf(out, "%s%s ", indent, table->name);
                print_quoted(*(char *const *)sections->section[i], out);
                fputs(" {\n", out);
                print_settings(table->section, sections->section[i], "    ", out);
                fputs("}\n", out);
            }
            continue;
        }
        fputc('\n', out);
    }
}

void config_print(const struct config_setting *table, const void *values, FILE *out)
{
    print_settings(table, values, "", out);
}

static void document_default(const struct config_setting *setting, FILE *out)
{
    if (setting->kind == CONFIG_NUMBER)
        fprintf(out, "%" PRId64, setting->number);
    else if (setting->text == NULL)
        fputs("*must be given*", out);
    else if (setting->text[0] == '\0')
        fputs("empty", out);
    else
        fprintf(out, "`%s`", setting->text);
}

/* "red|green" as `red`, `green`: a bar would end the table's cell. */
static void document_choices(const char *choices, FILE *out)
{
    for (const char *at = choices; *at != '\0'; at += strspn(at, "|")) {
        fprintf(out, "%s`%.*s`", at == choices ? "" : ", ", (int)strcspn(at, "|"), at);
        at += strcspn(at, "|");
    }
}

static void document_bounds(const struct config_setting *setting, FILE *out)
{
    int64_t longest = setting->most > 0 ? setting->most : TEXT_BYTES_MAX;
    if (setting->kind == CONFIG_NUMBER)
        fprintf(out, "%" PRId64 "..%" PRId64, setting->least, setting->most);
    else if (setting->kind == CONFIG_CHOICE)
        document_choices(setting->choices, out);
    else if (setting->kind == CONFIG_LIST)
        fputs("list", out);
    else if (setting->least > 0)
        fprintf(out, "%" PRId64 "..%" PRId64 " bytes", setting->least, longest);
    else
        fprintf(out, "at most %" PRId64 " bytes", longest);
}

static void document_row(const struct config_setting *setting, FILE *out)
{
    fprintf(out, "| `%s` | ", setting->name);
    document_default(setting, out);
    fputs(" | ", out);
    document_bounds(setting, out);
    fprintf(out, " | %s |\n", setting->sentence);
}

static void document_table(const struct config_setting *table, FILE *out)
{
    fputs("| setting | default | bounds | meaning |\n| --- | --- | --- | --- |\n", out);
    for (const struct config_setting *at = table; at->name != NULL; at++)
        if (at->kind != CONFIG_SECTION)
            document_row(at, out);
    fputc('\n', out);
}

void config_document(const char *program, const struct config_setting *table, FILE *out)
{
    fprintf(out, "## %s\n\n", program);
    document_table(table, out);
    for (; table->name != NULL; table++) {
        if (table->kind != CONFIG_SECTION)
            continue;
        fprintf(out, "### `%s \"...\" { }`\n\n%s\n\n", table->name, table->sentence);
        document_table(table->section, out);
    }
}
