// SPDX-License-Identifier: MIT
#include "registry/store.h"

#include "lib/base/clock.h"
#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/tiles.h"

#include "directory.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define STORE_BYTES_MAX (1u << 30)
#define FRAME_BYTES 8
#define DAY_MS 86400000LL
#define CA_DAYS 3650
#define CONTEXT "chaski directory act v1"

static void path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    text_format(out, PATH_BYTES, "%s/%s", folder, name);
}

// --- making
// ------------------------------------------------------------------------------------------

static fault save_certificate(const struct certificate *certificate, const char *folder,
                              const char *name)
{
    char path[PATH_BYTES];
    OWNED(bytes) pem = NULL;
    TRY(certificate_pem(certificate, &pem));
    path_in(folder, name, path);
    return file_replace(path, bytes_span(pem), 0644);
}

static fault save_key(const struct keypair *key, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    path_in(folder, name, path);
    return keypair_save(key, path);
}

static struct certificate_subject authority_subject(const char *instance, const char *name,
                                                    const char *server)
{
    struct certificate_subject subject = {.country = ""};
    if (strlen(instance) == 2)
        memcpy(subject.country, instance, 3);
    text_format(subject.organisation, sizeof subject.organisation, "%s", name);
    text_format(subject.member, sizeof subject.member, "%s/%s/REGISTRY", instance,
                DIRECTORY_AUTHORITY_CLASS);
    text_format(subject.server, sizeof subject.server, "%s", server);
    return subject;
}

static fault make_certificates(const char *keys, const char *anchor, const char *instance,
                               const char *name)
{
    OWNED(keypair) ca_key = NULL;
    OWNED(keypair) acts_key = NULL;
    OWNED(certificate) ca = NULL;
    OWNED(certificate) acts = NULL;
    OWNED(bytes) request = NULL;
    int64_t now_ms = clock_wall_ms(), from_ms = now_ms - DAY_MS, to_ms = now_ms + CA_DAYS * DAY_MS;
    struct certificate_subject ca_subject = authority_subject(instance, name, "CA");
    struct certificate_subject acts_subject = authority_subject(instance, name, "ACTS");
    TRY(keypair_make(KEY_P256, &ca_key));
    TRY(keypair_make(KEY_P256, &acts_key));
    TRY(certificate_make_ca(ca_key, &ca_subject, from_ms, to_ms, &ca));
    TRY(keypair_request(acts_key, &acts_subject, &request));
    TRY(certificate_issue(ca_key, ca, bytes_span(request), &acts_subject, from_ms, to_ms, &acts));
    TRY(save_key(ca_key, keys, "ca.key"));
    TRY(save_key(acts_key, keys, "acts.key"));
    TRY(save_certificate(ca, keys, "ca.crt"));
    TRY(save_certificate(acts, keys, "acts.crt"));
    return save_certificate(ca, anchor, "trust.pem");
}

static fault make_log_key(const char *keys, const char *anchor, const char *instance)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    struct note_key vkey;
    char name[NOTE_NAME_BYTES_MAX], path[PATH_BYTES], text[512] = "";
    TRY(keypair_make(KEY_ED25519, &key));
    TRY(keypair_public(key, &public_key));
    text_format(name, sizeof name, "chaski.directory/%s", instance);
    TRY(note_key_make(name, 0x01, public_key->data, &vkey));
    TRY(save_key(key, keys, "directory.key"));
    note_key_text(&vkey, text, sizeof text - 1);
    text[strlen(text) + 1] = '\0';
    text[strlen(text)] = '\n';
    path_in(anchor, "directory.vkey", path);
    return file_replace(path, span_of_text(text), 0644);
}

static fault add_first_act(const char *folder, const char *instance)
{
    OWNED(store) self = NULL;
    TRY(store_open(folder, &self));
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__Opened opened = CHASKI__OPENED__INIT;
    opened.instance = (char *)(uintptr_t)instance;
    act.act_case = CHASKI__ACT__ACT_OPENED;
    act.opened = &opened;
    TRY(store_add(self, &act));
    return store_commit(self, NULL);
}

fault store_make(const char *folder, const char *instance, const char *name)
{
    char keys[PATH_BYTES], anchor[PATH_BYTES], acts[PATH_BYTES];
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(instance), 1, 1, &id)) || failed(bus_id_check_strict(&id)))
        return RAISE(BAD_NAME, "\"%s\" cannot name an instance", instance);
    path_in(folder, "keys", keys);
    path_in(folder, "anchor", anchor);
    path_in(folder, "acts.log", acts);
    if (access(acts, F_OK) == 0)
        return RAISE(REFUSED, "%s holds an authority already", folder);
    TRY(file_make_folders(keys, 0700));
    TRY(file_make_folders(anchor, 0755));
    TRY(make_certificates(keys, anchor, instance, name));
    TRY(make_log_key(keys, anchor, instance));
    TRY(file_replace(acts, (struct span){(const uint8_t *)"", 0}, 0600));
    return add_first_act(folder, instance);
}

// --- opening
// -----------------------------------------------------------------------------------------

static fault load_key(const char *keys, const char *name, enum key_kind kind, struct keypair **out)
{
    char path[PATH_BYTES];
    path_in(keys, name, path);
    return keypair_load(path, kind, out);
}

static fault load_vkey(struct store *self)
{
    char path[PATH_BYTES];
    OWNED(bytes) text = NULL;
    path_in(self->folder, "anchor/directory.vkey", path);
    TRY(file_read(path, 1024, &text));
    struct span line = bytes_span(text);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    return note_key_parse(line, &self->vkey);
}

static fault load_keys(struct store *self)
{
    char keys[PATH_BYTES], path[PATH_BYTES];
    path_in(self->folder, "keys", keys);
    TRY(load_key(keys, "ca.key", KEY_P256, &self->ca_key));
    TRY(load_key(keys, "acts.key", KEY_P256, &self->acts_key));
    TRY(load_key(keys, "directory.key", KEY_ED25519, &self->directory_key));
    path_in(keys, "ca.crt", path);
    TRY(certificate_load(path, &self->ca));
    path_in(keys, "acts.crt", path);
    TRY(certificate_load(path, &self->acts));
    cades_template_make(self->acts, &self->template);
    path_in(self->folder, "anchor/trust.pem", path);
    TRY(trust_load(path, &self->trust));
    return load_vkey(self);
}

static void push(struct store *self, struct bytes *leaf)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->leaf = owned_grow(self->leaf, self->room, sizeof(struct bytes *));
    }
    self->leaf[self->count++] = leaf;
}

static fault take_frame(struct store *self, struct cursor *at)
{
    struct cursor ahead = *at;
    uint32_t size = 0, crc = 0;
    struct span body;
    OWNED(bytes) leaf = NULL;
    TRY(cursor_take_u32(&ahead, &size));
    TRY(cursor_take_u32(&ahead, &crc));
    TRY(cursor_take(&ahead, size, &body));
    if (size == 0 || crc != crc32c(0, body))
        return RAISE(BAD_FRAME, "checksum");
    TRY(bytes_copy(body, &leaf));
    push(self, TAKE(leaf));
    *at = ahead;
    return DONE;
}

/* A crash while writing leaves a torn last frame, which no command ever said was done: it is cut.
 * Anything else that does not fit is damage. */
static fault load_acts(struct store *self)
{
    char path[PATH_BYTES];
    OWNED(bytes) all = NULL;
    path_in(self->folder, "acts.log", path);
    TRY(file_read(path, STORE_BYTES_MAX, &all));
    struct cursor at = cursor_over(bytes_span(all));
    while (!cursor_at_end(&at) && !failed(take_frame(self, &at)))
        ;
    self->durable = self->count;
    self->cut_bytes = at.left.size;
    struct cades_parts last;
    if (self->count > 0 && !failed(cades_parse(bytes_span(self->leaf[self->count - 1]), &last)))
        self->last_ms = last.time_ms + 999; /* the leaf says whole seconds */
    if (at.left.size == 0)
        return DONE;
    if (at.left.size > FRAME_BYTES + LEAF_BYTES_MAX)
        return RAISE(LOG_BROKEN, "%s is damaged after act %zu", path, self->count);
    if (truncate(path, (off_t)(all->size - at.left.size)) != 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    return DONE;
}

fault store_open(const char *folder, struct store **out)
{
    OWNED(store) self = owned_new(sizeof *self);
    char path[PATH_BYTES];
    self->lock_fd = -1;
    if (strlen(folder) >= sizeof self->folder)
        return RAISE(BAD_CONFIG, "the store's name is too long");
    strcpy(self->folder, folder);
    path_in(folder, "acts.log", path);
    if (access(path, F_OK) != 0)
        return RAISE(NOT_FOUND, "%s holds no authority; make one with: chaski-registry init %s ...",
                     folder, folder);
    path_in(folder, "lock", path);
    TRY(file_lock(path, &self->lock_fd));
    TRY(load_keys(self));
    TRY(load_acts(self));
    *out = TAKE(self);
    return DONE;
}

void store_free(struct store **owner)
{
    struct store *self = *owner;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        bytes_free(&self->leaf[i]);
    free(self->leaf);
    keypair_free(&self->ca_key);
    keypair_free(&self->acts_key);
    keypair_free(&self->directory_key);
    certificate_free(&self->ca);
    certificate_free(&self->acts);
    trust_free(&self->trust);
    if (self->lock_fd >= 0)
        close(self->lock_fd);
    free(self);
    *owner = NULL;
}

// --- acts
// --------------------------------------------------------------------------------------------

fault store_add(struct store *self, Chaski__Act *act)
{
    OWNED(bytes) content = NULL;
    OWNED(bytes) leaf = NULL;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    int64_t now_ms = clock_wall_ms();
    /* acts do not go back in time, even when this machine's clock does */
    self->last_ms = now_ms > self->last_ms ? now_ms : self->last_ms;
    act->context = (char *)(uintptr_t)CONTEXT;
    act->number = self->count;
    act->time_ms = (uint64_t)self->last_ms;
    TRY(bytes_new(chaski__act__get_packed_size(act), &content));
    chaski__act__pack(act, content->data);
    if (content->size > CADES_CONTENT_BYTES_MAX)
        return RAISE(REFUSED, "an act of %zu bytes", content->size);
    struct sha256 hash = SHA256_OF(bytes_span(content));
    struct sha256 digest = cades_signed_digest(&self->template, &hash, self->last_ms);
    TRY(keypair_sign_digest(self->acts_key, digest.at, signature, &size));
    TRY(cades_leaf(&self->template, bytes_span(content), self->last_ms, span_of(signature, size),
                   &leaf));
    push(self, TAKE(leaf));
    return DONE;
}

static struct span *spans_of(const struct store *self)
{
    struct span *spans = owned_array(self->count, sizeof *spans);
    for (size_t i = 0; i < self->count; i++)
        spans[i] = bytes_span(self->leaf[i]);
    return spans;
}

fault store_state(struct store *self, struct directory **out)
{
    struct span *spans = spans_of(self);
    fault f = directory_fold(spans, self->count, self->trust, self->acts, out);
    free(spans);
    return f;
}

static fault frames_of(const struct store *self, struct bytes *out)
{
    for (size_t i = self->durable; i < self->count; i++) {
        uint8_t head[FRAME_BYTES];
        put_u32(head, (uint32_t)self->leaf[i]->size);
        put_u32(head + 4, crc32c(0, bytes_span(self->leaf[i])));
        TRY(bytes_append(out, span_of(head, sizeof head)));
        TRY(bytes_append(out, bytes_span(self->leaf[i])));
    }
    return DONE;
}

static fault append_durably(const char *path, struct span frames)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            close(fd);
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    }
    fault f = file_write_at(fd, frames, st.st_size);
    if (!failed(f) && fdatasync(fd) != 0)
        f = RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    if (failed(f) && ftruncate(fd, st.st_size) != 0)
        f = RAISE(IO_FAILED, "%s: half an act may stand at its end", path);
    close(fd);
    return f;
}

fault store_commit(struct store *self, struct directory **state)
{
    char path[PATH_BYTES];
    OWNED(directory) folded = NULL;
    OWNED(bytes) frames = bytes_empty(4096);
    TRY(store_state(self, &folded));
    TRY(frames_of(self, frames));
    path_in(self->folder, "acts.log", path);
    if (frames->size > 0)
        TRY(append_durably(path, bytes_span(frames)));
    self->durable = self->count;
    if (state != NULL)
        *state = TAKE(folded);
    return DONE;
}

// --- publishing
// --------------------------------------------------------------------------------------

static fault sign_checkpoint(struct store *self, const struct checkpoint *checkpoint,
                             struct bytes **out)
{
    char body[600];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    size_t size = checkpoint_body(checkpoint, body, sizeof body);
    TRY(keypair_sign_message(self->directory_key, span_of(body, size), signature));
    return checkpoint_note(checkpoint, &self->vkey, signature, out);
}

static fault add_published(struct store *self, int64_t valid_until_ms)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__Published published = CHASKI__PUBLISHED__INIT;
    published.valid_until_ms = (uint64_t)valid_until_ms;
    act.act_case = CHASKI__ACT__ACT_PUBLISHED;
    act.published = &published;
    return store_add(self, &act);
}

fault store_publish(struct store *self, const char *folder, int64_t valid_days,
                    struct checkpoint *out, int64_t *valid_until_ms)
{
    OWNED(directory) state = NULL;
    OWNED(bytes) note = NULL;
    *valid_until_ms = clock_wall_ms() + valid_days * DAY_MS;
    TRY(add_published(self, *valid_until_ms));
    TRY(store_commit(self, &state));
    text_format(out->origin, sizeof out->origin, "%s", self->vkey.name);
    out->size = directory_epoch(state);
    out->root = directory_root(state);
    TRY(sign_checkpoint(self, out, &note));
    TRY(file_make_folders(folder, 0755));
    TRY(save_certificate(self->acts, folder, "authority.pem"));
    struct span *spans = spans_of(self);
    fault f = tiles_publish(folder, spans, 0, self->count, bytes_span(note));
    free(spans);
    return f;
}
