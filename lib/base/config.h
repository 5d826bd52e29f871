// SPDX-License-Identifier: MIT
/*
 * config - settings of a program from one table: parser, check, print and docs/CONFIG.md all come
 * from it. The file format is libconfuse's: `name = value`, lists `{"a", "b"}`, titled sections
 * `service "X" { ... }`, `include("file")`, comments with #.
 *
 * Read once into a plain struct, then constant; a reload builds a new struct.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "lib/base/bytes.h"

#include <stdio.h>

enum config_kind {
    CONFIG_NUMBER, /* int64_t, within least..most */
    CONFIG_TEXT,   /* char *, owned; most = longest, 0 = 4096; least = shortest */
    CONFIG_CHOICE, /* int64_t: index into the words of `choices`, separated by '|' */
    CONFIG_LIST,   /* struct config_list */
    CONFIG_SECTION /* struct config_sections; `section` tells the settings inside */
};

struct config_list {
    size_t count;
    char **item;
};

struct config_sections {
    size_t count;
    void **section; /* each `section_size` bytes, first member char *title */
};

struct config_setting {
    const char *name;
    enum config_kind kind;
    size_t offset;    /* where in the struct */
    const char *text; /* default of TEXT, CHOICE (word) and LIST ("a,b"); NULL = must be given */
    int64_t number;   /* default of NUMBER */
    int64_t least, most;
    const char *choices;
    const struct config_setting *section; /* ends with name == NULL */
    size_t section_size;
    const char *sentence; /* what it does, with unit; for people */
};

/* Reads `path` into `out` (zeroed by the caller). BAD_CONFIG with "file:line: what" for an unknown
 * name, a value out of bounds, a missing setting or a broken file. Free with config_clear.
 * A glob `services_glob` (or NULL) names further files that are read as if included at the end. */
fault config_read(const char *path, const char *glob, const struct config_setting *table,
                  void *out);
void config_clear(const struct config_setting *table, void *out);
/* Writes the settings in effect, in the file format. */
void config_print(const struct config_setting *table, const void *values, FILE *out);
/* Writes the table as Markdown. */
void config_document(const char *program, const struct config_setting *table, FILE *out);

#endif
