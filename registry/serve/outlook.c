// SPDX-License-Identifier: MIT
#include "registry/serve/outlook.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/heartbeat.h"
#include "lib/bus/tiles.h"
#include "lib/bus/witness.h"
#include "registry/store.h"

#include "directory.pb-c.h"

#include <stdlib.h>

struct outlook {
    char folder[STORE_PATH_BYTES];
    struct trust *trust;
    struct note_key log;
    struct directory *state;
    struct checkpoint head;
    struct bytes *note;
    int64_t beat_ms;
    struct map epochs; /* act id -> uint64_t * */
};

static void forget_epochs(struct outlook *self)
{
    size_t step = 0;
    for (uint64_t *at; (at = map_next(&self->epochs, &step, NULL)) != NULL;)
        free(at);
    map_clear(&self->epochs);
}

void outlook_free(struct outlook **owner)
{
    struct outlook *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    forget_epochs(self);
    directory_release(&self->state);
    trust_free(&self->trust);
    bytes_free(&self->note);
    free(self);
}

// --- what was carried out -----------------------------------------------------------------------

void outlook_act_id(const struct outlook *self, const struct Chaski__Act *act,
                    char out[ACT_ID_ROOM])
{
    struct sha256 digest = act_approval_digest(act, directory_instance(self->state));
    text_hex(span_of(digest.at, ACT_ID_DIGITS / 2), out, ACT_ID_ROOM);
}

uint64_t outlook_epoch_of(const struct outlook *self, const char *id)
{
    const uint64_t *epoch = map_get(&self->epochs, span_of_text(id));
    return epoch == NULL ? 0 : *epoch;
}

void outlook_note_done(struct outlook *self, const char *id, uint64_t epoch)
{
    uint64_t *kept = owned_new(sizeof *kept);
    *kept = epoch;
    free(map_set(&self->epochs, span_of_text(id), kept));
}

static void note_epoch(struct outlook *self, uint64_t number, struct span content)
{
    char id[ACT_ID_ROOM];
    Chaski__Act *act = chaski__act__unpack(NULL, content.size, content.at);
    if (act != NULL && act->intent != NULL) {
        outlook_act_id(self, act, id);
        outlook_note_done(self, id, number + 1);
    }
    if (act != NULL)
        chaski__act__free_unpacked(act, NULL);
}

// --- reading the folder -------------------------------------------------------------------------

static fault path_of(const struct outlook *self, const char *name, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s", self->folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the folder's name is too long");
}

static fault read_note(struct outlook *self)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    TRY(path_of(self, "checkpoint", path));
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(directory_open_head(self->state, &self->log, bytes_span(note), &self->head));
    bytes_free(&self->note);
    self->note = TAKE(note);
    return DONE;
}

static fault note_epochs(struct outlook *self)
{
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    TRY(tiles_read_entries(self->folder, self->head.size, &backing, &leaves));
    fault f = DONE;
    for (uint64_t i = 0; i < self->head.size && !failed(f); i++) {
        struct span content;
        f = cades_content(leaves[i], &content);
        if (!failed(f))
            note_epoch(self, i, content);
    }
    free(leaves);
    return f;
}

static fault read_beat(struct outlook *self)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct heartbeat beat;
    TRY(path_of(self, "heartbeat", path));
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(heartbeat_open(bytes_span(note), outlook_log(self), &beat));
    self->beat_ms = (int64_t)beat.time_s * 1000;
    return DONE;
}

static fault load(struct outlook *self)
{
    struct directory *fresh = NULL;
    TRY(directory_load(self->folder, self->trust, &self->log, self->state, NULL, clock_wall_ms(),
                       &fresh));
    directory_release(&self->state);
    self->state = fresh;
    self->state->trust = self->trust; /* further acts are folded into it */
    TRY(read_note(self));
    forget_epochs(self);
    TRY(note_epochs(self));
    return read_beat(self);
}

static fault read_anchor(struct outlook *self, const char *store)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) vkey = NULL;
    if (!text_format(path, sizeof path, "%s/anchor/trust.pem", store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(trust_load(path, &self->trust));
    if (!text_format(path, sizeof path, "%s/anchor/directory.vkey", store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(file_read(path, 1024, &vkey));
    struct span text = bytes_span(vkey);
    if (text.size > 0 && text.at[text.size - 1] == '\n')
        text.size--;
    return note_key_parse(text, &self->log);
}

fault outlook_open(const char *store, const char *folder, struct outlook **out)
{
    OWNED(outlook) self = owned_new(sizeof *self);
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(read_anchor(self, store));
    TRY(load(self));
    *out = TAKE(self);
    return DONE;
}

// --- asking -------------------------------------------------------------------------------------

const struct directory *outlook_state(const struct outlook *self)
{
    return self->state;
}

const struct checkpoint *outlook_head(const struct outlook *self)
{
    return &self->head;
}

struct span outlook_note(const struct outlook *self)
{
    return bytes_span(self->note);
}

const struct note_key *outlook_log(const struct outlook *self)
{
    const struct note_key *changed = directory_log_key(self->state);
    return changed == NULL ? &self->log : changed;
}

struct certificate *outlook_authority(const struct outlook *self)
{
    return directory_acts_signer(self->state, self->state->authority);
}

fault outlook_open_head(const struct outlook *self, struct span note, struct checkpoint *out)
{
    return checkpoint_open(note, outlook_log(self), out);
}

uint64_t outlook_shown(const struct outlook *self)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint shown;
    if (failed(path_of(self, "checkpoint", path)) ||
        failed(file_read(path, NOTE_BYTES_MAX, &note)) ||
        failed(outlook_open_head(self, bytes_span(note), &shown)) || shown.size < self->head.size)
        return self->head.size;
    return shown.size;
}

int64_t outlook_beat_ms(const struct outlook *self)
{
    return self->beat_ms;
}

// --- news ---------------------------------------------------------------------------------------

static fault apply(struct outlook *self, const struct authority_news *news)
{
    for (size_t i = 0; i < news->leaves; i++) {
        struct span content;
        TRY(cades_content(news->leaf[i], &content));
        self->state->known = true; /* by the authority's process, a moment ago */
        TRY(directory_apply(self->state, news->from + i, content));
        self->state->known = false;
        note_epoch(self, news->from + i, content);
    }
    return DONE;
}

static fault take_head(struct outlook *self, struct span note)
{
    struct checkpoint head;
    OWNED(bytes) copy = NULL;
    TRY(directory_open_head(self->state, &self->log, note, &head));
    TRY(bytes_copy(note, &copy));
    self->state->epoch = head.size;
    self->state->root = head.root;
    self->head = head;
    bytes_free(&self->note);
    self->note = TAKE(copy);
    return DONE;
}

static fault take_beat(struct outlook *self, struct span note)
{
    struct heartbeat beat;
    TRY(heartbeat_open(note, outlook_log(self), &beat));
    self->beat_ms = (int64_t)beat.time_s * 1000;
    return DONE;
}

static fault take_news(struct outlook *self, const struct authority_news *news)
{
    self->beat_ms = clock_wall_ms();
    if (news->from == self->head.size && news->leaves > 0 && !failed(apply(self, news)))
        return take_head(self, bytes_span(news->note));
    self->state->known = false;
    directory_release(&self->state); /* half of the news may stand in it */
    return load(self);
}

/* The acts before the heartbeat: they may name the key that signs it. */
fault outlook_take(struct outlook *self, const struct authority_news *news)
{
    if (news->note != NULL)
        TRY(take_news(self, news));
    return news->heartbeat == NULL ? DONE : take_beat(self, bytes_span(news->heartbeat));
}

// --- cosignatures -------------------------------------------------------------------------------

static bool has_cosigned(struct span note, const struct note_key *witness)
{
    struct checkpoint head;
    uint64_t time_s = 0;
    return !failed(cosignature_open(note, witness, &head, &time_s));
}

/* The note with the log's own line alone, which stands first: what is sent must be good by itself.
 */
static fault bare_note(const struct outlook *self, struct bytes **out)
{
    struct span note = outlook_note(self);
    struct cursor from = cursor_over(note);
    struct span line;
    do
        TRY(cursor_take_until(&from, '\n', &line));
    while (line.size > 0);
    TRY(cursor_take_until(&from, '\n', &line));
    return bytes_copy(span_of(note.at, note.size - from.left.size), out);
}

/* Adds what is new; *count: how many stand there. */
static fault gather(const struct outlook *self, struct span lines, struct bytes **note,
                    size_t *count, bool *good)
{
    const struct directory_server *witness[DIRECTORY_WITNESSES_MAX];
    unsigned quorum = 0;
    size_t witnesses = directory_witnesses(self->state, witness, &quorum);
    *count = 0;
    for (size_t i = 0; i < witnesses; i++) {
        const struct note_key *key = &witness[i]->witness_key;
        OWNED(bytes) alone = NULL;
        bool there = has_cosigned(bytes_span(*note), key);
        TRY(bare_note(self, &alone));
        bool sent = witness[i]->is_witness && !failed(witness_line_take(&alone, lines, key));
        if (sent && !there)
            TRY(witness_line_take(note, lines, key));
        *good = *good || sent;
        *count += there || sent;
    }
    return DONE;
}

fault outlook_cosign(struct outlook *self, struct span lines, size_t *count)
{
    OWNED(bytes) note = NULL;
    char path[STORE_PATH_BYTES];
    bool good = false;
    size_t found = 0;
    TRY(path_of(self, "checkpoint", path));
    TRY(bytes_copy(outlook_note(self), &note));
    TRY(gather(self, lines, &note, &found, &good));
    if (!good)
        return RAISE(REFUSED, "no good cosignature of a witness of the directory over its newest "
                              "head");
    if (note->size > self->note->size) {
        TRY(file_replace(path, bytes_span(note), 0644));
        bytes_free(&self->note);
        self->note = TAKE(note);
    }
    *count = found;
    return DONE;
}
