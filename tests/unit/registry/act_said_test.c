// SPDX-License-Identifier: MIT
#include "tests/unit/unit.h"

#include "registry/act_said.h"
#include "tests/unit/registry/authority.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define UNKNOWN "does not know"

/* An act of each kind that the directory has, with nothing in it. */
static void test_every_kind_of_act_has_words(void)
{
    size_t kinds = 0;
    for (unsigned i = 0; i < chaski__act__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &chaski__act__descriptor.fields[i];
        char words[2000];
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
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

static bool says(const char *words, const char *what)
{
    if (strstr(words, what) == NULL)
        fprintf(stderr, "  not said: %s\n  but: %s\n", what, words);
    return strstr(words, what) != NULL;
}

/* The server as it stands there, for acts that change some of it. */
static Chaski__Act server_as_it_is(const struct directory_server *now, Chaski__ServerSet *set,
                                   char **address, ProtobufCBinaryData *blobs, char vkey[400])
{
    Chaski__Act act = CHASKI__ACT__INIT;
    struct span der = certificate_der(now->signer[0]->certificate);
    chaski__server_set__init(set);
    note_key_text(&now->log_key, vkey, 400);
    *address = (char *)(uintptr_t)now->address[0];
    blobs[0] = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)now->seal_key[0]};
    blobs[1] = (ProtobufCBinaryData){der.size, (uint8_t *)(uintptr_t)der.at};
    set->id = (char *)(uintptr_t)now->id;
    set->n_address = set->n_seal_key = set->n_certificate = 1;
    set->address = address;
    set->transport_key = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)now->transport_key};
    set->seal_key = &blobs[0];
    set->certificate = &blobs[1];
    set->log_vkey = vkey;
    act.act_case = CHASKI__ACT__ACT_SERVER_SET;
    act.server_set = set;
    return act;
}

static void test_what_a_server_loses_is_said_with_what_it_gets(void)
{
    struct place place = authority_make();
    OWNED(keypair) key = NULL;
    OWNED(store) store = NULL;
    Chaski__ServerSet set;
    char *address, vkey[400], words[ACT_SAID_ROOM], elsewhere[] = "tcp://ladron.example:1";
    char other_log[] = "log.example/ladron/1+00000000+x", witness[] = "w+00000000+x";
    ProtobufCBinaryData blobs[2];
    uint8_t mine[32] = {9};
    MUST(keypair_make(KEY_P256, &key));
    MUST(authority_run(&place, "member add CO/GOV/1 --name Uno"));
    MUST(authority_enrol(&place, "CO/GOV/1/SS1", key, 7));
    store = authority_open(&place);
    const struct directory *state = store_state(store);
    const struct directory_server *now = directory_server(state, span_of_text("CO/GOV/1/SS1"));
    Chaski__Act act = server_as_it_is(now, &set, &address, blobs, vkey);

    act_said(&act, state, words, sizeof words);
    CU_ASSERT(says(words, "server CO/GOV/1/SS1 (nothing changes), at tcp://[::1]:5500"));
    CU_ASSERT_PTR_NULL(strstr(words, "until now"));

    address = elsewhere;
    act_said(&act, state, words, sizeof words);
    CU_ASSERT(says(words, "(changed: addresses), at tcp://ladron.example:1"));
    CU_ASSERT(says(words, "; until now, at tcp://[::1]:5500"));

    set.transport_key.data = mine;
    blobs[0].data = mine;
    blobs[1] = (ProtobufCBinaryData){sizeof mine, mine};
    set.log_vkey = other_log;
    set.witness_vkey = witness;
    act_said(&act, state, words, sizeof words);
    CU_ASSERT(says(words, "(changed: addresses, transport key, sealing keys, log, witness, "
                          "certificates)"));
    const char *before = strstr(words, "; until now, at tcp://[::1]:5500, transport key ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(before);
    CU_ASSERT(says(before, ", sealing key "));
    CU_ASSERT(says(before, vkey));
    CU_ASSERT(says(before, ", no witness"));
    CU_ASSERT(says(before, ", certificate "));

    act_said(&act, NULL, words, sizeof words); /* of the past */
    CU_ASSERT(says(words, "server CO/GOV/1/SS1, at "));
}

SUITE(act_said, TEST(test_every_kind_of_act_has_words), TEST(test_every_removal_names_what_goes),
      TEST(test_what_a_server_loses_is_said_with_what_it_gets))
