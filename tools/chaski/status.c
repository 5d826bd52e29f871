// SPDX-License-Identifier: MIT
/* chaski status: how the node on this machine is, from the line that it keeps beside its log,
 * and what contradicts itself there. */
#include "tools/chaski/commands.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/chaski/gateway_settings.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES_MAX 1024

struct state {
    int64_t pid, time_ms;
    char name[64], detail[600];
};

static fault take_word(struct cursor *from, char until, char *out, size_t room)
{
    struct span word;
    TRY(cursor_take_until(from, (uint8_t)until, &word));
    return text_format(out, room, "%.*s", (int)word.size, (const char *)word.at) &&
                   text_is_plain(word)
               ? DONE
               : RAISE(BAD_FRAME, "a word that is too long");
}

static fault take_number(struct cursor *from, int64_t *out)
{
    struct span word;
    uint64_t number = 0;
    TRY(cursor_take_until(from, ' ', &word));
    TRY(text_number(word, INT64_MAX, &number));
    *out = (int64_t)number;
    return DONE;
}

static fault read_state(const char *folder, struct state *out)
{
    char path[PATH_MAX];
    OWNED(bytes) file = NULL;
    if (!text_format(path, sizeof path, "%s/state", folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    fault f = file_read(path, LINE_BYTES_MAX, &file);
    if (f.code == NOT_FOUND)
        return RAISE(SERVER_AWAY, "no node runs here: %s is not there", path);
    TRY(f);
    struct cursor at = cursor_over(bytes_span(file));
    f = take_number(&at, &out->pid);
    if (!failed(f))
        f = take_number(&at, &out->time_ms);
    if (!failed(f))
        f = take_word(&at, ' ', out->name, sizeof out->name);
    if (!failed(f))
        f = take_word(&at, '\n', out->detail, sizeof out->detail);
    return failed(f) ? RAISE(BAD_FRAME, "%s cannot be read", path) : DONE;
}

/* Signed proof that somebody shows two histories stops no exchange, and must not be overlooked. */
static void say_conflicts(const char *audit_folder)
{
    char folder[PATH_MAX];
    size_t notes = 0;
    if (!text_format(folder, sizeof folder, "%s/conflicts", audit_folder))
        return;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        notes += entry->d_name[0] != '.';
    if (dir == NULL && errno != ENOENT)
        printf("conflicts: %s cannot be read: %s\n", folder, strerror(errno));
    if (dir != NULL)
        closedir(dir);
    if (notes > 0)
        printf("conflicts: %zu signed notes of logs that contradict themselves in %s; what to do: "
               "docs/OPERATIONS.md, \"Two histories\"\n",
               notes, folder);
}

/* A node that was killed leaves its line behind. */
static fault check_runs(const struct state *state)
{
    bool gone = state->pid <= 1 || state->pid > INT_MAX ||
                (kill((pid_t)state->pid, 0) != 0 && errno == ESRCH);
    return gone ? RAISE(SERVER_AWAY, "no node runs here: process %lld has gone without a word",
                        (long long)state->pid)
                : DONE;
}

fault status_command(int argc, char **argv)
{
    struct gateway_settings settings;
    struct state state;
    char folder[PATH_MAX], since[32];
    if (argc != 3 || strcmp(argv[1], "--config") != 0)
        return RAISE(BAD_REQUEST, "status needs --config with the server's settings");
    TRY(gateway_settings_read_server(argv[2], &settings));
    fault f = gateway_settings_text(&settings, "audit_folder", folder, sizeof folder);
    gateway_settings_clear(&settings);
    TRY(f);
    TRY(read_state(folder, &state));
    TRY(check_runs(&state));
    clock_text(state.time_ms, since, sizeof since);
    printf("%s since %s%s%s\n", state.name, since, state.detail[0] == '\0' ? "" : ": ",
           state.detail);
    say_conflicts(folder);
    return strcmp(state.name, "ready") == 0
               ? DONE
               : RAISE(REFUSED, "the node runs and takes no exchanges at present");
}
