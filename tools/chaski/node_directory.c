// SPDX-License-Identifier: MIT
#include "tools/chaski/node_directory.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"
#include "tools/chaski/gateway_settings.h"

#define TRIES 3 /* the node may just be replacing the copy's checkpoint */

struct places {
    char anchor[PATH_MAX], trust[PATH_MAX], authority[PATH_MAX];
};

static fault read_places(const char *config, struct places *out, char audit[PATH_MAX])
{
    struct gateway_settings settings;
    TRY(gateway_settings_read_server(config, &settings));
    fault f = gateway_settings_text(&settings, "audit_folder", audit, PATH_MAX);
    if (!failed(f))
        f = gateway_settings_text(&settings, "anchor_file", out->anchor, PATH_MAX);
    if (!failed(f))
        f = gateway_settings_text(&settings, "trust_file", out->trust, PATH_MAX);
    if (!failed(f))
        f = gateway_settings_text(&settings, "authority_file", out->authority, PATH_MAX);
    gateway_settings_clear(&settings);
    return f;
}

static fault read_authority(const char *path, struct note_key *out)
{
    OWNED(bytes) file = NULL;
    TRY(file_read(path, NOTE_BYTES_MAX, &file));
    struct span vkey = bytes_span(file);
    while (vkey.size > 0 && vkey.at[vkey.size - 1] == '\n')
        vkey.size--;
    return note_key_parse(vkey, out);
}

static fault read_anchors(const struct places *places, struct trust **trust, struct note_key *key)
{
    OWNED(anchor_file) anchor = NULL;
    OWNED(bytes) pem = NULL;
    if (places->anchor[0] == '\0') {
        TRY(trust_load(places->trust, trust));
        return read_authority(places->authority, key);
    }
    TRY(anchor_file_read(places->anchor, &anchor));
    *key = anchor->directory;
    TRY(anchor_file_pem(anchor, &pem));
    return trust_read(bytes_span(pem), trust);
}

fault node_directory_read(const char *config, struct node_directory *out)
{
    struct places places;
    struct note_key key;
    char folder[PATH_MAX];
    fault f = DONE;
    *out = (struct node_directory){.audit_folder = ""};
    TRY(read_places(config, &places, out->audit_folder));
    TRY(read_anchors(&places, &out->trust, &key));
    if (!text_format(folder, sizeof folder, "%s/directory", out->audit_folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    for (int i = 0; i < TRIES; i++) {
        f = directory_load(folder, out->trust, &key, NULL, NULL, clock_wall_ms(), &out->state);
        if (!failed(f) || f.code == NOT_FOUND || f.code == DIRECTORY_EXPIRED)
            break;
    }
    return f;
}

void node_directory_clear(struct node_directory *self)
{
    directory_release(&self->state);
    trust_free(&self->trust);
}
