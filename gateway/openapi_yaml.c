// SPDX-License-Identifier: MIT
#include "gateway/openapi_walk.h"

#include <yaml.h>

/* Aliases are never followed: a document is walked in the time of its length. libyaml counts
 * characters, and pieces are replaced by bytes. */
struct reader {
    struct span document;
    struct openapi_walk *walk;
    bool key[OPENAPI_DEPTH_MAX]; /* at each level: is the next thing a key? */
    unsigned documents;
    size_t characters, bytes; /* how far the count has come */
};

static size_t bytes_until(struct reader *self, size_t characters)
{
    while (self->characters < characters && self->bytes < self->document.size) {
        uint8_t first = self->document.at[self->bytes];
        self->bytes += first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        self->characters++;
    }
    return self->bytes < self->document.size ? self->bytes : self->document.size;
}

static bool at_key(const struct reader *self)
{
    const struct openapi_walk *walk = self->walk;
    return walk->depth > 0 && !walk->level[walk->depth - 1].list && self->key[walk->depth - 1];
}

/* Something is over: in a map, key and value take turns. */
static void turn(struct reader *self)
{
    if (self->walk->depth > 0)
        self->key[self->walk->depth - 1] = !self->key[self->walk->depth - 1];
}

static fault take_scalar(struct reader *self, const yaml_event_t *event)
{
    yaml_scalar_style_t style = event->data.scalar.style;
    struct span value = span_of(event->data.scalar.value, event->data.scalar.length);
    fault f;
    if (at_key(self)) {
        f = openapi_walk_key(self->walk, value);
    } else {
        size_t from = bytes_until(self, event->start_mark.index);
        size_t to = bytes_until(self, event->end_mark.index);
        struct openapi_scalar scalar = {
            from, to - from, value,
            event->data.scalar.anchor == NULL && event->data.scalar.tag == NULL &&
                style != YAML_LITERAL_SCALAR_STYLE && style != YAML_FOLDED_SCALAR_STYLE};
        f = openapi_walk_scalar(self->walk, &scalar);
    }
    turn(self);
    return f;
}

static fault take_open(struct reader *self, bool list)
{
    if (at_key(self))
        return RAISE(BAD_DESCRIPTION, "a key that is no text");
    TRY(openapi_walk_open(self->walk, list));
    self->key[self->walk->depth - 1] = true;
    return DONE;
}

static fault take_alias(struct reader *self)
{
    if (at_key(self))
        return RAISE(BAD_DESCRIPTION, "a key that is an alias");
    TRY(openapi_walk_alias(self->walk));
    turn(self);
    return DONE;
}

static fault take_event(struct reader *self, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return self->documents++ == 0 ? DONE : RAISE(BAD_DESCRIPTION, "it holds several documents");
    case YAML_SCALAR_EVENT:
        return take_scalar(self, event);
    case YAML_ALIAS_EVENT:
        return take_alias(self);
    case YAML_MAPPING_START_EVENT:
        return take_open(self, false);
    case YAML_SEQUENCE_START_EVENT:
        return take_open(self, true);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        openapi_walk_close(self->walk);
        turn(self);
        return DONE;
    default:
        return DONE;
    }
}

static fault read_events(struct reader *self, yaml_parser_t *parser)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return RAISE(BAD_DESCRIPTION, "line %zu: %.150s", parser->problem_mark.line + 1,
                         parser->problem == NULL ? "no YAML" : parser->problem);
        fault f = take_event(self, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        TRY(f);
    }
    return DONE;
}

fault openapi_yaml_walk(struct span document, struct openapi_walk *walk)
{
    struct reader self = {.document = document, .walk = walk};
    yaml_parser_t parser;
    if (document.size >= 3 && memcmp(document.at, "\xef\xbb\xbf", 3) == 0)
        self.bytes = 3; /* a byte order mark would count as a column */
    if (!yaml_parser_initialize(&parser))
        return RAISE(NO_MEMORY, "for reading YAML");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, document.at + self.bytes, document.size - self.bytes);
    fault f = read_events(&self, &parser);
    yaml_parser_delete(&parser);
    return f;
}
