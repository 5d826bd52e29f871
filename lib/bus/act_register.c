// SPDX-License-Identifier: MIT
/* What rights are made of: groups of consumers, legal bases, purposes. */
#include "lib/bus/directory_acts.h"

#include "lib/base/text.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

// --- groups -------------------------------------------------------------------------------------

static fault check_group_member(const struct directory *self, const Chaski__GroupSet *act, size_t i)
{
    const char *id = act->member[i];
    if (directory_find(&self->members, id) == NULL && directory_find(&self->subsystems, id) == NULL)
        return BAD("group %s with %.200s, which is not registered", act->id, id);
    if (i > 0 && strcmp(act->member[i - 1], id) >= 0)
        return BAD("group %s does not name its members in rising order, each once", act->id);
    const struct right_list *others = rights_of(&self->groups_of, span_of_text(id), span_of("", 0));
    if (others->count >= DIRECTORY_GROUPS_OF_ONE_MAX)
        return BAD("%.200s would be in more than %d groups", id, DIRECTORY_GROUPS_OF_ONE_MAX);
    return DONE;
}

static void leave(struct directory *self, const struct directory_group *group)
{
    for (size_t i = 0; i < group->members; i++)
        rights_take(&self->groups_of, span_of_text(group->member[i]), span_of("", 0), group->id);
}

fault act_group_apply(struct directory *self, const Chaski__GroupSet *act)
{
    TRY(act_code("a group", act->id));
    TRY(act_word("the group's title", act->title));
    if (act->n_member > DIRECTORY_GROUP_MEMBERS_MAX)
        return BAD("group %s with more than %d members", act->id, DIRECTORY_GROUP_MEMBERS_MAX);
    act_group_drop(self, act->id); /* what it was until now counts no longer */
    for (size_t i = 0; i < act->n_member; i++)
        TRY(check_group_member(self, act, i));
    struct directory_group *group = directory_make(self, sizeof *group);
    char word[WORD_BYTES_MAX + 10];
    text_format(word, sizeof word, "group:%s", act->id);
    group->id = directory_keep_text(self, act->id);
    group->word = directory_keep_text(self, word);
    group->title = directory_keep_text(self, act->title);
    group->members = act->n_member;
    group->member = directory_keep_texts(self, act->member, act->n_member);
    map_set(&self->groups, span_of_text(group->id), group);
    for (size_t i = 0; i < group->members; i++)
        rights_put(&self->groups_of, span_of_text(group->member[i]), span_of("", 0),
                   (struct right){group->id, INT64_MAX, group});
    act_group_changes(self, group);
    return DONE;
}

bool act_group_drop(struct directory *self, const char *id)
{
    const struct directory_group *group = map_remove(&self->groups, span_of_text(id));
    if (group != NULL)
        leave(self, group);
    return group != NULL;
}

// --- legal bases and purposes -------------------------------------------------------------------

fault act_legal_basis_apply(struct directory *self, const Chaski__LegalBasisSet *act)
{
    TRY(act_code("a legal basis", act->id));
    TRY(act_word("the norm", act->norm));
    TRY(act_text("the article", act->article));
    TRY(act_text("the norm's text", act->text));
    if (act->n_topic > DIRECTORY_TOPICS_MAX)
        return BAD("legal basis %s with more than %d topics", act->id, DIRECTORY_TOPICS_MAX);
    for (size_t i = 0; i < act->n_topic; i++)
        TRY(act_code("a topic", act->topic[i]));
    struct directory_legal_basis *basis = directory_make(self, sizeof *basis);
    basis->id = directory_keep_text(self, act->id);
    basis->norm = directory_keep_text(self, act->norm);
    basis->article = directory_keep_text(self, act->article);
    basis->text = directory_keep_text(self, act->text);
    basis->topics = act->n_topic;
    basis->topic = directory_keep_texts(self, act->topic, act->n_topic);
    map_set(&self->legal_bases, span_of_text(basis->id), basis);
    return DONE;
}

fault act_purpose_apply(struct directory *self, const Chaski__PurposeSet *act)
{
    TRY(act_code("a purpose", act->id));
    TRY(act_text("the purpose's title", act->title));
    TRY(act_text("the purpose's legal basis", act->legal_basis));
    TRY(act_text("the purpose's procedure", act->procedure));
    TRY(act_text("the purpose's function", act->function));
    if (act->procedure[0] != '\0' && act->function[0] != '\0')
        return BAD("purpose %s is a procedure and a function: one of them", act->id);
    if (act->n_legal_basis_id > DIRECTORY_LEGAL_BASES_MAX)
        return BAD("purpose %s with more than %d legal bases", act->id, DIRECTORY_LEGAL_BASES_MAX);
    for (size_t i = 0; i < act->n_legal_basis_id; i++)
        if (directory_find(&self->legal_bases, act->legal_basis_id[i]) == NULL)
            return BAD("purpose %s leans on the legal basis %.100s, which is not registered",
                       act->id, act->legal_basis_id[i]);
    struct directory_purpose *purpose = directory_make(self, sizeof *purpose);
    purpose->id = directory_keep_text(self, act->id);
    purpose->title = directory_keep_text(self, act->title);
    purpose->legal_basis = directory_keep_text(self, act->legal_basis);
    purpose->legal_bases = act->n_legal_basis_id;
    purpose->legal_basis_id =
        directory_keep_texts(self, act->legal_basis_id, act->n_legal_basis_id);
    purpose->procedure = directory_keep_text(self, act->procedure);
    purpose->function = directory_keep_text(self, act->function);
    map_set(&self->purposes, span_of_text(purpose->id), purpose);
    return DONE;
}
