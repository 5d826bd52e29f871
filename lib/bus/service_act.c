// SPDX-License-Identifier: MIT
#include "lib/bus/service_act.h"

#include "directory.pb-c.h"

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static Chaski__Endpoint **make_endpoints(struct arena *memory, size_t count)
{
    Chaski__Endpoint **list = arena_make(memory, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = arena_make(memory, sizeof **list);
        chaski__endpoint__init(list[i]);
    }
    return list;
}

static Chaski__Column **make_columns(struct arena *memory, size_t count)
{
    Chaski__Column **list = arena_make(memory, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = arena_make(memory, sizeof **list);
        chaski__column__init(list[i]);
    }
    return list;
}

void service_act_of(struct arena *memory, const struct directory_service *from,
                    Chaski__ServiceSet *out)
{
    chaski__service_set__init(out);
    out->id = lend(from->id);
    out->title = lend(from->title);
    out->class_ = (Chaski__ServiceClass)from->class;
    out->disabled = from->disabled;
    out->notice = lend(from->notice);
    out->rate = from->rate;
    out->burst = from->burst;
    out->subject_required = from->subject_required;
    out->n_endpoint = from->endpoints;
    out->endpoint = make_endpoints(memory, from->endpoints);
    for (size_t i = 0; i < from->endpoints; i++) {
        out->endpoint[i]->id = lend(from->endpoint[i].id);
        out->endpoint[i]->method = lend(from->endpoint[i].method);
        out->endpoint[i]->path = lend(from->endpoint[i].path);
        out->endpoint[i]->class_ = (Chaski__ServiceClass)from->endpoint[i].class;
    }
    out->n_column = from->columns;
    out->column = make_columns(memory, from->columns);
    for (size_t i = 0; i < from->columns; i++) {
        out->column[i]->name = lend(from->column[i].name);
        out->column[i]->class_ = (Chaski__ServiceClass)from->column[i].class;
    }
}

/* Cuts a class off the end, if there is one: a pattern may hold a colon too. */
static Chaski__ServiceClass cut_class(char *word)
{
    char *last = strrchr(word, ':');
    if (last == NULL || (strcmp(last, ":open") != 0 && strcmp(last, ":shared") != 0))
        return CHASKI__SERVICE_CLASS__SHARED;
    *last = '\0';
    return last[1] == 'o' ? CHASKI__SERVICE_CLASS__OPEN : CHASKI__SERVICE_CLASS__SHARED;
}

static char *copy_of(struct arena *memory, const char *word)
{
    size_t size = strlen(word) + 1;
    char *copy = arena_make(memory, size);
    memcpy(copy, word, size);
    return copy;
}

static fault read_endpoint(struct arena *memory, const char *word, Chaski__Endpoint *out)
{
    char *copy = copy_of(memory, word);
    char *method = strchr(copy, ':');
    char *path = method == NULL ? NULL : strchr(method + 1, ':');
    if (path == NULL)
        return RAISE(BAD_REQUEST, "%.200s is not ID:METHOD:PATTERN or ID:METHOD:PATTERN:CLASS",
                     word);
    *method++ = *path++ = '\0';
    out->id = copy;
    out->method = method;
    out->path = path;
    out->class_ = cut_class(path);
    return DONE;
}

static bool is_none(const char *const *word, size_t words)
{
    return words == 1 && strcmp(word[0], "none") == 0;
}

bool service_act_subject(const char *word, Chaski__ServiceSet *out)
{
    bool required = word != NULL && strcmp(word, "required") == 0;
    if (word == NULL)
        return true;
    out->subject_required = required;
    return required || strcmp(word, "optional") == 0;
}

fault service_act_endpoints(struct arena *memory, const char *const *word, size_t words,
                            Chaski__ServiceSet *out)
{
    if (words == 0)
        return DONE;
    out->n_endpoint = is_none(word, words) ? 0 : words;
    out->endpoint = make_endpoints(memory, out->n_endpoint);
    for (size_t i = 0; i < out->n_endpoint; i++)
        TRY(read_endpoint(memory, word[i], out->endpoint[i]));
    return DONE;
}

fault service_act_columns(struct arena *memory, const char *const *word, size_t words,
                          Chaski__ServiceSet *out)
{
    if (words == 0)
        return DONE;
    out->n_column = is_none(word, words) ? 0 : words;
    out->column = make_columns(memory, out->n_column);
    for (size_t i = 0; i < out->n_column; i++) {
        out->column[i]->name = copy_of(memory, word[i]);
        out->column[i]->class_ = cut_class(out->column[i]->name);
    }
    return DONE;
}
