// SPDX-License-Identifier: MIT
#include "tests/unit/unit.h"

#include "registry/act_said.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define UNKNOWN "does not know"

static bool is_approved(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
           field->id != CHASKI__ACT__ACT_OPENED && field->id != CHASKI__ACT__ACT_PUBLISHED;
}

/* An act of each kind that the directory has, with nothing in it. */
static void test_every_kind_of_act_has_words(void)
{
    size_t kinds = 0;
    for (unsigned i = 0; i < chaski__act__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &chaski__act__descriptor.fields[i];
        char words[2000];
        if (!is_approved(field))
            continue;
        const ProtobufCMessageDescriptor *kind = field->descriptor;
        ProtobufCMessage *body = owned_new(kind->sizeof_message);
        Chaski__Act act = CHASKI__ACT__INIT;
        kind->message_init(body);
        act.act_case = (Chaski__Act__ActCase)field->id;
        *(void **)((char *)&act + field->offset) = body;
        act_said(&act, NULL, words, sizeof words);
        if (strstr(words, UNKNOWN) != NULL)
            fprintf(stderr, "no words for %s\n", field->name);
        CU_ASSERT_PTR_NULL(strstr(words, UNKNOWN));
        free(body);
        kinds++;
    }
    CU_ASSERT(kinds >= 13);
}

static void test_every_removal_names_what_goes(void)
{
    for (unsigned i = 0; i < chaski__removed__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &chaski__removed__descriptor.fields[i];
        Chaski__Removed removed = CHASKI__REMOVED__INIT;
        Chaski__Act act = CHASKI__ACT__INIT;
        char words[2000], thing[] = "COSA-1", reason[] = "motivo";
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
            continue;
        removed.what_case = (Chaski__Removed__WhatCase)field->id;
        removed.member = thing; /* all texts of one union */
        removed.reason = reason;
        act.act_case = CHASKI__ACT__ACT_REMOVED;
        act.removed = &removed;
        act_said(&act, NULL, words, sizeof words);
        if (strstr(words, "COSA-1: REMOVED, motivo") == NULL)
            fprintf(stderr, "no words for the removal of %s: %s\n", field->name, words);
        CU_ASSERT_PTR_NOT_NULL(strstr(words, "COSA-1: REMOVED, motivo"));
    }
}

SUITE(act_said, TEST(test_every_kind_of_act_has_words), TEST(test_every_removal_names_what_goes))
