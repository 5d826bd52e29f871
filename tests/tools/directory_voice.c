// SPDX-License-Identifier: MIT
/*
 * directory_voice - speaks as the directory's log does: its heartbeat as a file, and its pushes.
 * For tests.
 *
 *   directory_voice heartbeat STORE FOLDER OFFSET_S [EVERY_MS]
 *       FOLDER/heartbeat: the head of FOLDER/checkpoint is the newest one, OFFSET_S from now; again
 *       every EVERY_MS until it is killed
 *   directory_voice push ADDRESS KEY_FILE FOLDER [BYTES_MAX]
 *       publishes each new head of FOLDER with the acts since the one before, until it is killed
 */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_push.h"
#include "lib/bus/heartbeat.h"
#include "lib/bus/tiles.h"
#include "lib/net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define LOOK_MS 100

/* --- heartbeat --- */

static fault read_key(const char *store, struct keypair **signer, struct note_key *key)
{
    char path[PATH_BYTES];
    OWNED(bytes) vkey = NULL;
    text_format(path, sizeof path, "%s/keys/log.key", store);
    TRY(keypair_load(path, KEY_ED25519, signer));
    text_format(path, sizeof path, "%s/anchor/directory.vkey", store);
    TRY(file_read(path, 1024, &vkey));
    struct span line = bytes_span(vkey);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    return note_key_parse(line, key);
}

static fault beat(struct keypair *signer, const struct note_key *key, const char *folder,
                  long offset_s)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    OWNED(bytes) made = NULL;
    struct heartbeat self = {.time_s = (uint64_t)(clock_wall_ms() / 1000 + offset_s)};
    text_format(path, sizeof path, "%s/checkpoint", folder);
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(checkpoint_open(bytes_span(note), key, &self.head));
    TRY(heartbeat_make(&self, key, signer, &made));
    text_format(path, sizeof path, "%s/heartbeat", folder);
    return file_replace(path, bytes_span(made), 0644);
}

static fault run_heartbeat(const char *store, const char *folder, long offset_s, long every_ms)
{
    OWNED(keypair) signer = NULL;
    struct note_key key;
    TRY(read_key(store, &signer, &key));
    do {
        fault f = beat(signer, &key, folder, offset_s);
        if (failed(f) && every_ms == 0)
            return f; /* else the folder is being swapped just now */
        usleep((useconds_t)every_ms * 1000);
    } while (every_ms > 0);
    return DONE;
}

/* --- push --- */

struct pusher {
    struct loop *loop;
    struct socket *socket;
    struct loop_timer timer;
    const char *folder;
    size_t bytes_max;
    uint64_t sent;
};

/* Whose signature it is, the followers see. */
static fault size_of(struct span note, uint64_t *out)
{
    const uint8_t *line = memchr(note.at, '\n', note.size);
    const uint8_t *end =
        line == NULL ? NULL : memchr(line + 1, '\n', note.size - (size_t)(line + 1 - note.at));
    return end == NULL ? RAISE(BAD_FRAME, "no note")
                       : text_number(span_of(line + 1, (size_t)(end - line - 1)), UINT64_MAX, out);
}

static fault push(struct pusher *self)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    OWNED(bytes) backing = NULL;
    OWNED(bytes) frame = NULL;
    struct span *leaves = NULL;
    uint64_t size = 0;
    text_format(path, sizeof path, "%s/checkpoint", self->folder);
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(size_of(bytes_span(note), &size));
    if (size == self->sent)
        return DONE;
    TRY(tiles_read_entries(self->folder, size, &backing, &leaves));
    fault f = directory_push_write(leaves, self->sent, size, self->bytes_max, &frame);
    free(leaves);
    TRY(f);
    const struct span frames[] = {bytes_span(note), bytes_span(frame)};
    if (self->sent > 0)
        f = socket_send(self->socket, span_of(NULL, 0), frames, 2);
    self->sent = size;
    return f;
}

static void on_timer(struct loop_timer *timer)
{
    struct pusher *self = timer->owner;
    fault f = push(self);
    if (failed(f))
        fprintf(stderr, "directory_voice: %s\n", fault_detail());
    loop_set_timer(self->loop, &self->timer, LOOK_MS);
}

static fault run_push(const char *address, const char *key_file, const char *folder,
                      size_t bytes_max)
{
    struct net *net = NULL;
    struct curve_keys keys;
    struct pusher self = {.folder = folder, .bytes_max = bytes_max};
    TRY(curve_load(key_file, &keys));
    struct socket_options options = {
        .kind = SOCKET_PUBLISHER, .queue_messages = 100, .message_bytes_max = 4096, .own = &keys};
    TRY(loop_new(&self.loop));
    TRY(net_new(self.loop, &net));
    TRY(socket_open(net, &options, NULL, NULL, &self.socket));
    TRY(socket_bind(self.socket, address));
    self.timer = (struct loop_timer){.fire = on_timer, .owner = &self};
    loop_set_timer(self.loop, &self.timer, 0);
    return loop_run(self.loop);
}

int main(int argc, char **argv)
{
    fault f = RAISE(BAD_REQUEST, "see the head of this tool's source");
    if (argc >= 5 && strcmp(argv[1], "heartbeat") == 0)
        f = run_heartbeat(argv[2], argv[3], strtol(argv[4], NULL, 10),
                          argc > 5 ? strtol(argv[5], NULL, 10) : 0);
    else if (argc >= 5 && strcmp(argv[1], "push") == 0)
        f = run_push(argv[2], argv[3], argv[4],
                     argc > 5 ? (size_t)strtol(argv[5], NULL, 10) : 65536);
    if (failed(f))
        fprintf(stderr, "directory_voice: %s: %s\n", fault_name(f.code), fault_detail());
    return failed(f);
}
