// SPDX-License-Identifier: MIT
#include "gateway/openapi.h"

#include "gateway/openapi_walk.h"
#include "gateway/write.h"
#include "lib/base/text.h"

#include <assert.h>
#include <stdlib.h>

// --- places --------------------------------------------------------------------------------------

static const char *method_of(struct span key)
{
    static const char *const methods[][2] = {
        {"get", "GET"},         {"put", "PUT"},   {"post", "POST"},   {"delete", "DELETE"},
        {"options", "OPTIONS"}, {"head", "HEAD"}, {"patch", "PATCH"}, {"trace", "TRACE"}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (span_is_text(key, methods[i][0]))
            return methods[i][1];
    return NULL;
}

static enum openapi_place below_root(struct span key)
{
    return span_is_text(key, "openapi")      ? OPENAPI_VERSION
           : span_is_text(key, "servers")    ? OPENAPI_SERVERS
           : span_is_text(key, "paths")      ? OPENAPI_PATHS
           : span_is_text(key, "components") ? OPENAPI_COMPONENTS
                                             : OPENAPI_ELSEWHERE;
}

/* Of the value behind this key. */
static enum openapi_place place_below(enum openapi_place place, struct span key)
{
    switch (place) {
    case OPENAPI_ROOT:
        return below_root(key);
    case OPENAPI_COMPONENTS:
        return span_is_text(key, "pathItems") ? OPENAPI_PATHS : OPENAPI_ELSEWHERE;
    case OPENAPI_PATHS:
        return OPENAPI_PATH_ITEM;
    case OPENAPI_PATH_ITEM:
        return method_of(key) != NULL         ? OPENAPI_OPERATION
               : span_is_text(key, "servers") ? OPENAPI_SERVERS
                                              : OPENAPI_ELSEWHERE;
    case OPENAPI_OPERATION:
        return span_is_text(key, "servers") ? OPENAPI_SERVERS : OPENAPI_ELSEWHERE;
    case OPENAPI_SERVER:
        return span_is_text(key, "url") ? OPENAPI_URL : OPENAPI_ELSEWHERE;
    default:
        return OPENAPI_ELSEWHERE;
    }
}

/* Of the value that comes now. */
static enum openapi_place place_now(const struct openapi_walk *self)
{
    if (self->depth == 0)
        return OPENAPI_ROOT;
    const struct openapi_level *level = &self->level[self->depth - 1];
    if (!level->list)
        return level->next;
    return level->place == OPENAPI_SERVERS ? OPENAPI_SERVER : OPENAPI_ELSEWHERE;
}

// --- addresses -----------------------------------------------------------------------------------

struct span openapi_path_of(struct span url)
{
    size_t start = 0, end;
    const uint8_t *colon = url.size == 0 ? NULL : memchr(url.at, ':', url.size);
    const uint8_t *slash = url.size == 0 ? NULL : memchr(url.at, '/', url.size);
    if (colon != NULL && (slash == NULL || colon < slash))
        start = (size_t)(colon - url.at) + 1; /* behind the scheme, or what looks like one */
    bool has_authority = url.size >= start + 2 && url.at[start] == '/' && url.at[start + 1] == '/';
    if (has_authority || start > 0)
        for (start += has_authority ? 2 : 0; start < url.size && url.at[start] != '/' &&
                                             url.at[start] != '?' && url.at[start] != '#';)
            start++;
    while (url.size >= start + 2 && url.at[start] == '/' && url.at[start + 1] == '/')
        start++; /* two slashes at the beginning would be read as a host */
    for (end = start; end < url.size && url.at[end] != '?' && url.at[end] != '#';)
        end++;
    return end == start ? span_of_text("/") : span_of(url.at + start, end - start);
}

static fault take_url(struct openapi_walk *self, const struct openapi_scalar *scalar)
{
    struct openapi *made = self->made;
    struct span path = openapi_path_of(scalar->value);
    if (scalar->value.size == 0 || memchr(scalar->value.at, '{', scalar->value.size) != NULL ||
        span_equal(path, scalar->value))
        return DONE; /* nothing to hide; with variables it is left alone, as in X-Road */
    if (!scalar->replaceable)
        return RAISE(BAD_DESCRIPTION, "the url of a server has an anchor, a tag or several lines: "
                                      "write it as one quoted text");
    if (made->edits == OPENAPI_ENDPOINTS_MAX)
        return RAISE(BAD_DESCRIPTION, "more than %d servers", OPENAPI_ENDPOINTS_MAX);
    made->edit = owned_grow(made->edit, made->edits + 1, sizeof *made->edit);
    struct openapi_edit *edit = &made->edit[made->edits++];
    *edit = (struct openapi_edit){scalar->at, scalar->size, bytes_empty(path.size + 16)};
    write_json(edit->text, path); /* also YAML */
    return DONE;
}

// --- operations ----------------------------------------------------------------------------------

/* Each {parameter} of a path becomes a star. */
static char *with_stars(const char *path)
{
    char *out = owned_new(strlen(path) + 1);
    size_t size = 0;
    while (*path != '\0') {
        const char *end = *path == '{' ? strchr(path, '}') : NULL;
        out[size++] = end == NULL ? *path : '*';
        path = end == NULL ? path + 1 : end + 1;
    }
    return out;
}

static fault add_endpoint(struct openapi_walk *self, const char *method)
{
    struct openapi *made = self->made;
    if (made->endpoints == OPENAPI_ENDPOINTS_MAX)
        return RAISE(BAD_DESCRIPTION, "more than %d operations", OPENAPI_ENDPOINTS_MAX);
    made->endpoint = owned_grow(made->endpoint, made->endpoints + 1, sizeof *made->endpoint);
    made->endpoint[made->endpoints++] = (struct openapi_endpoint){method, with_stars(self->path)};
    return DONE;
}

// --- walking -------------------------------------------------------------------------------------

fault openapi_walk_key(struct openapi_walk *self, struct span key)
{
    assert(self->depth > 0);
    struct openapi_level *level = &self->level[self->depth - 1];
    if (level->place != OPENAPI_ELSEWHERE && span_is_text(key, "<<"))
        return RAISE(BAD_DESCRIPTION, "a merge key (<<) where servers or operations stand: write "
                                      "them out");
    level->next = place_below(level->place, key);
    if (level->next == OPENAPI_PATH_ITEM) {
        if (key.size > OPENAPI_PATH_BYTES_MAX || memchr(key.at, 0, key.size) != NULL)
            return RAISE(BAD_DESCRIPTION, "a path of more than %d bytes", OPENAPI_PATH_BYTES_MAX);
        text_format(self->path, sizeof self->path, "%.*s", (int)key.size, (const char *)key.at);
    }
    /* what does not begin with a slash is an extension, or has a name in components */
    return level->next == OPENAPI_OPERATION && level->own_paths && self->path[0] == '/'
               ? add_endpoint(self, method_of(key))
               : DONE;
}

fault openapi_walk_scalar(struct openapi_walk *self, const struct openapi_scalar *scalar)
{
    enum openapi_place place = place_now(self);
    if (place == OPENAPI_URL)
        return take_url(self, scalar);
    if (place != OPENAPI_VERSION)
        return DONE;
    if (scalar->value.size < 2 || memcmp(scalar->value.at, "3.", 2) != 0)
        return RAISE(BAD_DESCRIPTION, "it is of another version than 3");
    self->has_version = true;
    return DONE;
}

fault openapi_walk_alias(struct openapi_walk *self)
{
    if (place_now(self) == OPENAPI_ELSEWHERE)
        return DONE;
    return RAISE(BAD_DESCRIPTION, "an alias (*) where servers or operations stand: write them out");
}

fault openapi_walk_open(struct openapi_walk *self, bool list)
{
    enum openapi_place place = place_now(self);
    bool own = self->depth > 0 && (self->level[self->depth - 1].own_paths ||
                                   (place == OPENAPI_PATHS && self->depth == 1));
    if (self->depth == OPENAPI_DEPTH_MAX)
        return RAISE(BAD_DESCRIPTION, "it is deeper than %d", OPENAPI_DEPTH_MAX);
    if (list != (place == OPENAPI_SERVERS)) /* of all that matters, they alone are a list */
        place = OPENAPI_ELSEWHERE;
    self->level[self->depth++] =
        (struct openapi_level){.list = list, .own_paths = own, .place = place};
    return DONE;
}

void openapi_walk_close(struct openapi_walk *self)
{
    assert(self->depth > 0);
    self->depth--;
}

// --- a document ----------------------------------------------------------------------------------

void openapi_free(struct openapi **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->endpoints; i++)
        free((*self)->endpoint[i].path);
    for (size_t i = 0; i < (*self)->edits; i++)
        bytes_free(&(*self)->edit[i].text);
    free((*self)->endpoint);
    free((*self)->edit);
    free(*self);
    *self = NULL;
}

static bool looks_like_json(struct span document)
{
    size_t at = 0;
    while (at < document.size && document.at[at] != 0 && strchr(" \t\r\n", document.at[at]) != NULL)
        at++;
    return at < document.size && document.at[at] == '{';
}

fault openapi_read(struct span document, struct openapi **out)
{
    OWNED(openapi) self = owned_new(sizeof *self);
    struct openapi_walk walk = {.made = self};
    if (document.size > OPENAPI_BYTES_MAX)
        return RAISE(BAD_DESCRIPTION, "%zu bytes where %d are allowed", document.size,
                     OPENAPI_BYTES_MAX);
    if (!text_is_utf8(document))
        return RAISE(BAD_DESCRIPTION, "it is not UTF-8");
    TRY(looks_like_json(document) ? openapi_json_walk(document, &walk)
                                  : openapi_yaml_walk(document, &walk));
    if (!walk.has_version)
        return RAISE(BAD_DESCRIPTION, "it does not say openapi: 3...");
    *out = TAKE(self);
    return DONE;
}

fault openapi_write(const struct openapi *self, struct span document, struct bytes *out)
{
    size_t at = 0;
    for (size_t i = 0; i < self->edits; i++) {
        const struct openapi_edit *edit = &self->edit[i];
        assert(edit->at >= at && edit->size <= document.size &&
               edit->at <= document.size - edit->size);
        TRY(bytes_append(out, span_of(document.at + at, edit->at - at)));
        TRY(bytes_append(out, bytes_span(edit->text)));
        at = edit->at + edit->size;
    }
    return bytes_append(out, span_of(document.at + at, document.size - at));
}
