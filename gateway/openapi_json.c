// SPDX-License-Identifier: MIT
/* jansson says that it is JSON; it does not say where things stand, so what is known to be JSON is
 * walked once more, by the few marks that structure it. */
#include "gateway/openapi_walk.h"

#include <assert.h>
#include <jansson.h>

struct text {
    struct span document;
    size_t at;
};

static fault check(struct span document)
{
    json_error_t error;
    /* numbers of any length: nobody here reads them */
    json_t *root = json_loadb((const char *)document.at, document.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (root == NULL)
        return RAISE(BAD_DESCRIPTION, "line %d: %.150s", error.line, error.text);
    json_decref(root);
    return DONE;
}

/* What stands here is one of these; no NUL does, for it is JSON. */
static bool is_here(const struct text *self, const char *bytes)
{
    return self->at < self->document.size && self->document.at[self->at] != 0 &&
           strchr(bytes, self->document.at[self->at]) != NULL;
}

static uint8_t skip_blanks(struct text *self)
{
    while (is_here(self, " \t\r\n"))
        self->at++;
    return self->at < self->document.size ? self->document.at[self->at] : 0;
}

/* With its quotes. */
static struct span take_string(struct text *self)
{
    size_t from = self->at++;
    while (self->at < self->document.size && self->document.at[self->at] != '"')
        self->at += self->document.at[self->at] == '\\' ? 2 : 1;
    self->at++;
    assert(self->at <= self->document.size);
    return span_of(self->document.at + from, self->at - from);
}

/* The text that a string with its quotes stands for; json_decref() *holder. */
static struct span decoded(struct span string, json_t **holder)
{
    *holder = json_loadb((const char *)string.at, string.size, JSON_DECODE_ANY, NULL);
    assert(*holder != NULL);
    return span_of(json_string_value(*holder), json_string_length(*holder));
}

static fault take_key(struct text *self, struct openapi_walk *walk)
{
    json_t *holder;
    fault f = openapi_walk_key(walk, decoded(take_string(self), &holder));
    json_decref(holder);
    (void)skip_blanks(self);
    self->at++; /* the colon */
    return f;
}

static fault take_text(struct text *self, struct openapi_walk *walk)
{
    json_t *holder;
    size_t at = self->at;
    struct span string = take_string(self);
    struct openapi_scalar scalar = {at, string.size, decoded(string, &holder), true};
    fault f = openapi_walk_scalar(walk, &scalar);
    json_decref(holder);
    return f;
}

static fault take_number_or_word(struct text *self, struct openapi_walk *walk)
{
    size_t from = self->at;
    while (self->at < self->document.size && !is_here(self, " \t\r\n,]}"))
        self->at++;
    struct span value = span_of(self->document.at + from, self->at - from);
    return openapi_walk_scalar(walk, &(struct openapi_scalar){from, value.size, value, false});
}

fault openapi_json_walk(struct span document, struct openapi_walk *walk)
{
    struct text self = {document, 0};
    bool wants_key = false;
    TRY(check(document));
    for (uint8_t c; (c = skip_blanks(&self)) != 0;) {
        bool in_map = walk->depth > 0 && !walk->level[walk->depth - 1].list;
        if (c == '{' || c == '[') {
            TRY(openapi_walk_open(walk, c == '['));
            wants_key = c == '{';
            self.at++;
        } else if (c == '}' || c == ']') {
            openapi_walk_close(walk);
            wants_key = false;
            self.at++;
        } else if (c == ',') {
            wants_key = in_map;
            self.at++;
        } else if (c == '"' && wants_key) {
            TRY(take_key(&self, walk));
            wants_key = false;
        } else {
            TRY(c == '"' ? take_text(&self, walk) : take_number_or_word(&self, walk));
        }
    }
    return DONE;
}
