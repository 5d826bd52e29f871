// SPDX-License-Identifier: MIT
/*
 * authority - a store in a fresh folder, told what to do in words as on the command line.
 */
#ifndef TESTS_REGISTRY_AUTHORITY_H
#define TESTS_REGISTRY_AUTHORITY_H

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "registry/commands.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

struct place {
    char at[256];
};

static inline struct place place_in(const char *folder, const char *name)
{
    struct place place;
    CU_ASSERT_FATAL(text_format(place.at, sizeof place.at, "%s/%s", folder, name));
    return place;
}

static inline struct place authority_make(void)
{
    const struct store_plan plan = {.instance = "CO",
                                    .name = "Autoridad Nacional",
                                    .origin = "chaski/CO/directory",
                                    .valid_days = 30};
    struct place store = place_in(unit_folder(), "store");
    MUST(store_make(store.at, &plan));
    return store;
}

static inline struct store *authority_open(const struct place *place)
{
    struct store *store = NULL;
    MUST(store_open(place->at, &store));
    return store;
}

/* One command, as a line of a batch, and what it says; not committed. */
static inline fault authority_hear(struct store *store, const char *line, struct said *said)
{
    char text[1024], *words[64];
    int count = 0, used = 0;
    struct arguments arguments;
    snprintf(text, sizeof text, "%s", line);
    TRY(arguments_split(text, words, 64, &count));
    const struct command *command = commands_find(count, words, &used);
    CU_ASSERT_FATAL(command != NULL && command->act != NULL);
    TRY(arguments_parse(&command->shape, count - used, words + used, &arguments));
    return command->act(store, &arguments, said);
}

static inline fault authority_tell(struct store *store, const char *line)
{
    OWNED(said) said = said_new();
    return authority_hear(store, line, said);
}

/* Opens, tells, commits and closes, as the program does. */
static inline fault authority_run(const struct place *place, const char *line)
{
    OWNED(store) store = authority_open(place);
    TRY(authority_tell(store, line));
    return store_commit(store);
}

static inline fault authority_publish(const struct place *place, const char *folder)
{
    OWNED(store) store = authority_open(place);
    OWNED(said) said = said_new();
    return publish_to(store, folder, 30, said);
}

static inline struct bytes *place_read(const struct place *place)
{
    struct bytes *bytes = NULL;
    MUST(file_read(place->at, 1 << 22, &bytes));
    return bytes;
}

static inline void place_write(const struct place *place, struct span bytes)
{
    MUST(file_replace(place->at, bytes, 0644));
}

/* An agency's request file; its transport key and log come from `seed`. */
static inline struct place agency_request(const char *server, struct keypair *key, uint8_t seed)
{
    const struct certificate_subject subject = {.country = "CO", .organisation = "Yo mismo"};
    struct place place = place_in(unit_folder(), "request.json");
    OWNED(bytes) request = NULL;
    char base64[4096], hex[65], vkey[400], text[8192];
    uint8_t raw[32];
    struct note_key log;
    memset(raw, seed, sizeof raw);
    MUST(keypair_request(key, &subject, &request));
    text_base64(bytes_span(request), base64, sizeof base64);
    text_hex(span_of(raw, sizeof raw), hex, sizeof hex);
    snprintf(text, sizeof text, "log.example/%u/1", seed);
    MUST(note_key_make(text, NOTE_LOG, raw, &log));
    note_key_text(&log, vkey, sizeof vkey);
    snprintf(text, sizeof text,
             "{\"server\":\"%s\",\"certificate_request\":\"%s\",\"transport_key\":\"%s\","
             "\"seal_keys\":[\"%s\"],\"log_vkey\":\"%s\",\"addresses\":[\"tcp://[::1]:5500\"]}",
             server, base64, hex, hex, vkey);
    place_write(&place, span_of_text(text));
    return place;
}

static inline fault authority_enrol(const struct place *place, const char *server,
                                    struct keypair *key, uint8_t seed)
{
    struct place request = agency_request(server, key, seed);
    char line[600];
    snprintf(line, sizeof line, "server add %s", request.at);
    return authority_run(place, line);
}

#endif
