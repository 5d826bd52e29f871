// SPDX-License-Identifier: MIT
#include "tools/chaski/gateway_settings.h"

#include "lib/base/text.h"
#include "tools/chaski/program.h"

#include <errno.h>
#include <unistd.h>

static char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

static fault read_printed(const char *program, const char *path, struct bytes **out)
{
    char *argv[] = {word(program), word("--config"), word(path), word("--print-config"), NULL};
    OWNED(bytes) printed = bytes_empty(4096);
    TRY(program_run(argv, printed));
    *out = TAKE(printed);
    return DONE;
}

fault gateway_settings_read(const char *path, struct gateway_settings *out)
{
    if (access(path, R_OK) != 0)
        return RAISE(BAD_CONFIG,
                     "%s: %s; name the gateway's settings with --gateway-config FILE or in "
                     "CHASKI_GATEWAY_CONFIG",
                     path, strerror(errno));
    struct bytes *printed = NULL;
    if (failed(read_printed("chaski-gateway", path, &printed)))
        return RAISE(BAD_CONFIG, "%s is not a gateway's settings", path);
    *out = (struct gateway_settings){path, printed};
    return DONE;
}

fault gateway_settings_read_server(const char *path, struct gateway_settings *out)
{
    struct bytes *printed = NULL;
    if (access(path, R_OK) != 0)
        return RAISE(BAD_CONFIG, "%s: %s", path, strerror(errno));
    if (failed(read_printed("chaski-security-server", path, &printed)))
        return RAISE(BAD_CONFIG, "%s is not a security server's settings", path);
    *out = (struct gateway_settings){path, printed};
    return DONE;
}

void gateway_settings_clear(struct gateway_settings *self)
{
    bytes_free(&self->printed);
}

fault gateway_settings_check(const char *path)
{
    char *argv[] = {word("chaski-gateway"), word("--config"), word(path), word("--check-config"),
                    NULL};
    if (failed(program_run(argv, NULL)))
        return RAISE(BAD_CONFIG, "the gateway would not take it");
    return DONE;
}

// --- what was printed: one setting a line, its text quoted
// ----------------------------------------

static struct span take_line(struct span *rest)
{
    const uint8_t *end = memchr(rest->at, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->at);
    struct span line = span_of(rest->at, size);
    *rest = span_of(rest->at + size + (end != NULL), rest->size - size - (end != NULL));
    return line;
}

static bool begins(struct span line, const char *with)
{
    size_t size = strlen(with);
    return line.size >= size && memcmp(line.at, with, size) == 0;
}

/* The text of a line that begins so and goes on with a quote. */
static bool unquote(struct span line, const char *before, char *out, size_t room)
{
    size_t at = strlen(before), size = 0;
    if (!begins(line, before) || at >= line.size || line.at[at++] != '"')
        return false;
    for (; at < line.size && line.at[at] != '"'; at++) {
        if (line.at[at] == '\\' && at + 1 < line.size)
            at++;
        if (size + 1 >= room)
            return false;
        out[size++] = (char)line.at[at];
    }
    out[size] = '\0';
    return at < line.size;
}

fault gateway_settings_text(const struct gateway_settings *self, const char *name, char *out,
                            size_t room)
{
    struct span rest = bytes_span(self->printed);
    out[0] = '\0';
    while (rest.size > 0) {
        struct span line = take_line(&rest);
        size_t size = strlen(name);
        if (!begins(line, name) || line.size < size + 3 || memcmp(line.at + size, " = ", 3) != 0)
            continue;
        if (!unquote(span_of(line.at + size, line.size - size), " = ", out, room))
            return RAISE(BAD_CONFIG, "%s: %s is too long", self->path, name);
    }
    return DONE;
}

fault gateway_settings_subsystem(const struct gateway_settings *self,
                                 char out[ID_TEXT_BYTES_MAX + 1])
{
    struct span rest = bytes_span(self->printed);
    char title[ID_TEXT_BYTES_MAX + 1];
    bool several = false;
    out[0] = '\0';
    while (rest.size > 0 && !several) {
        struct span line = take_line(&rest);
        if (!unquote(line, "service ", title, sizeof title) &&
            !unquote(line, "client ", title, sizeof title))
            continue;
        struct span subsystem = bus_id_prefix(span_of_text(title), ID_SUBSYSTEM);
        several = out[0] != '\0' && !span_is_text(subsystem, out);
        memcpy(out, subsystem.at, subsystem.size);
        out[subsystem.size] = '\0';
    }
    if (several || out[0] == '\0')
        return RAISE(BAD_REQUEST, "%s names %s", self->path,
                     several ? "several subsystems of ours" : "no subsystem of ours yet");
    return DONE;
}

fault gateway_settings_url(const char *given, const char *path, char *out, size_t room)
{
    struct gateway_settings settings;
    char listen[256];
    if (given != NULL)
        return text_format(out, room, "%s", given)
                   ? DONE
                   : RAISE(BAD_REQUEST, "the gateway's URL is too long");
    TRY(gateway_settings_read(path, &settings));
    fault f = gateway_settings_text(&settings, "listen", listen, sizeof listen);
    gateway_settings_clear(&settings);
    TRY(f);
    return text_format(out, room, "http://%s", listen)
               ? DONE
               : RAISE(BAD_CONFIG, "the gateway's address is too long");
}
