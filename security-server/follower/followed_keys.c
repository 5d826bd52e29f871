// SPDX-License-Identifier: MIT
/* Which key signs the heads: the anchor's, or one to which acts of the log lead from it. */
#include "security-server/follower/followed_private.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/authority_file.h"

fault followed_open_head(const struct followed *self, struct span note, struct checkpoint *out)
{
    return handovers_open(&self->keys, note, out);
}

static void tell(const struct followed *self)
{
    char vkey[400];
    note_key_text(&self->keys.key, vkey, sizeof vkey);
    EVENT(INFO, "follow.key_taken", E_TEXT("key", vkey));
}

static fault read_again(struct followed *self)
{
    size_t former = self->keys.former;
    TRY(handovers_read(self->folder, &self->anchor, &self->keys));
    if (self->keys.former > former)
        tell(self);
    return DONE;
}

fault followed_note_keys(struct followed *self, const struct span *leaves, size_t count)
{
    TRY(handovers_add(self->folder, leaves, count));
    return read_again(self);
}

static fault keep(struct followed *self, struct span file)
{
    char path[FOLLOWED_PATH_BYTES];
    TRY(file_make_folders(self->folder, 0755));
    if (!text_format(path, sizeof path, "%s/%s", self->folder, HANDOVERS_FILE))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_replace(path, file, 0644));
    return read_again(self);
}

fault followed_learn_from_exchange(struct followed *self)
{
    char path[FOLLOWED_PATH_BYTES];
    struct handovers theirs;
    OWNED(bytes) file = NULL;
    if (!text_format(path, sizeof path, "%s/%s", self->exchange, HANDOVERS_FILE))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    fault f = file_read(path, HANDOVERS_BYTES_MAX, &file);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    TRY(handovers_follow(bytes_span(file), &self->anchor, (struct span){0}, &theirs));
    return theirs.former > self->keys.former ? keep(self, bytes_span(file)) : DONE;
}

fault followed_learn(struct followed *self, struct span file, struct span pem, bool *more)
{
    struct handovers theirs;
    *more = false;
    if (failed(authority_file_check(pem, self->trust)))
        return RAISE(INCONSISTENT, "%s", fault_detail());
    TRY(handovers_follow(file, &self->anchor, pem, &theirs));
    if (theirs.former <= self->keys.former)
        return DONE;
    TRY(keep(self, file));
    *more = true;
    return DONE;
}
