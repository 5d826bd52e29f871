// SPDX-License-Identifier: MIT
/*
 * directory_timer - how long a node takes for its directory: for tests/bench/directory.sh.
 *
 *   directory_timer whole|known|snapshot FOLDER TRUST VKEY     loads it, once
 *   directory_timer prove FOLDER TRUST VKEY                    folds what its snapshots are of
 *   directory_timer advance OLD-FOLDER TRUST VKEY NEW-FOLDER   loads the old one, then goes on to
 * the new
 *
 * whole: each act is verified. known: as after a restart, with the node's own head. snapshot: as
 * whole; the folder lacks its beginning. One line: milliseconds, epoch, resident KiB before and
 * after.
 */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/bus/directory.h"
#include "lib/bus/directory_prove.h"
#include "lib/bus/tiles.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct given {
    struct trust *trust;
    struct note_key key;
};

static double now_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static long resident_kib(void)
{
    char line[200];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return kib;
}

static fault read_key(const char *path, struct note_key *out)
{
    OWNED(bytes) text = NULL;
    TRY(file_read(path, 1024, &text));
    struct span line = bytes_span(text);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    return note_key_parse(line, out);
}

static fault read_head(const char *folder, const struct note_key *key, struct checkpoint *out)
{
    char path[512];
    OWNED(bytes) note = NULL;
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    return checkpoint_open(bytes_span(note), key, out);
}

static fault load(const struct given *given, const char *folder, bool known, struct directory **out)
{
    struct checkpoint head;
    TRY(read_head(folder, &given->key, &head));
    return directory_load(folder, given->trust, &given->key, NULL, known ? &head : NULL,
                          clock_wall_ms(), out);
}

static fault go_on(const struct given *given, const char *folder, struct directory *state)
{
    struct checkpoint head;
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    TRY(read_head(folder, &given->key, &head));
    uint64_t from = directory_epoch(state);
    TRY(tiles_read_from(folder, from, head.size, &backing, &leaves));
    fault f =
        directory_advance(state, &head, leaves, head.size - from, given->trust, clock_wall_ms());
    free(leaves);
    return f;
}

/* As a node does it beside the exchanges, without its pauses. */
static fault prove(const struct given *given, const char *folder, uint64_t *epoch)
{
    struct checkpoint head;
    OWNED(directory_prover) prover = NULL;
    bool done = false;
    TRY(read_head(folder, &given->key, &head));
    TRY(directory_prover_new(
        &(struct directory_prove){.folder = folder, .size = head.size, .trust = given->trust},
        &prover));
    while (!done)
        TRY(directory_prover_step(prover, &done));
    *epoch = directory_prover_at(prover);
    return DONE;
}

static fault run(const char *how, char **words, int count, double *took_ms, uint64_t *epoch)
{
    struct given given = {0};
    OWNED(trust) trust = NULL;
    OWNED(directory) state = NULL;
    TRY(trust_load(words[1], &trust));
    given.trust = trust;
    TRY(read_key(words[2], &given.key));
    double start = now_ms();
    if (strcmp(how, "prove") == 0) {
        TRY(prove(&given, words[0], epoch));
        printf("%.2f %" PRIu64 " %ld\n", now_ms() - start, *epoch, resident_kib());
        return DONE;
    }
    TRY(load(&given, words[0], strcmp(how, "known") == 0, &state));
    if (strcmp(how, "advance") == 0 && count == 4) {
        start = now_ms();
        TRY(go_on(&given, words[3], state));
    }
    *took_ms = now_ms() - start;
    *epoch = directory_epoch(state);
    malloc_trim(0);
    printf("%.2f %" PRIu64 " %ld\n", *took_ms, *epoch, resident_kib());
    return DONE;
}

int main(int count, char **words)
{
    double took_ms = 0;
    uint64_t epoch = 0;
    if (count < 5) {
        fputs("usage: directory_timer whole|known|snapshot|prove|advance FOLDER TRUST VKEY [NEW]\n",
              stderr);
        return 2;
    }
    fault f = run(words[1], words + 2, count - 2, &took_ms, &epoch);
    if (failed(f))
        fprintf(stderr, "directory_timer: %s: %s\n", fault_name(f.code), fault_detail());
    return failed(f) ? 1 : 0;
}
