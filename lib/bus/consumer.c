// SPDX-License-Identifier: MIT
#include "lib/bus/consumer.h"

#include "lib/bus/bus_id.h"
#include "lib/bus/directory_private.h"

#define GROUP "group:"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static void add_groups(const struct directory *directory, struct span id,
                       struct consumer_names *out)
{
    const struct right_list *groups = rights_of(&directory->groups_of, id, span_of("", 0));
    for (size_t i = 0; i < groups->count; i++) {
        const struct directory_group *group = groups->right[i].rule;
        out->name[out->count++] = span_of_text(group->word);
    }
}

void consumer_names_of(const struct directory *directory, struct span client,
                       struct consumer_names *out)
{
    struct span member = bus_id_prefix(client, ID_MEMBER);
    out->count = 0;
    out->name[out->count++] = client;
    out->name[out->count++] = member;
    add_groups(directory, client, out);
    add_groups(directory, member, out);
    out->name[out->count++] = bus_id_prefix(client, ID_CLASS);
}

static fault check_class(const struct directory *directory, const char *what, const char *word)
{
    struct bus_id id;
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (failed(bus_id_parse(span_of_text(word), ID_CLASS, ID_CLASS, &id)) ||
        failed(bus_id_check_strict(&id)) || strcmp(id.part[0], directory->instance) != 0)
        return BAD("%s %.200s is no class of members here", what, word);
    bus_id_text(&id, ID_CLASS, canonical, sizeof canonical);
    if (strcmp(canonical, word) != 0)
        return BAD("%s %.200s is not in canonical form", what, word);
    return DONE;
}

fault consumer_check(const struct directory *directory, const char *what, const char *word)
{
    struct span text = span_of_text(word);
    bool is_there = false;
    if (strncmp(word, GROUP, strlen(GROUP)) == 0)
        is_there = directory_group(directory, span_of_text(word + strlen(GROUP))) != NULL;
    else if (bus_id_count(text) == ID_CLASS)
        return check_class(directory, what, word);
    else
        is_there = directory_member(directory, text) != NULL ||
                   directory_subsystem(directory, text) != NULL;
    return is_there ? DONE : BAD("%s %.200s is not registered", what, word);
}
