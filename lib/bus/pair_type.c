// SPDX-License-Identifier: MIT
#include "lib/bus/pair_type.h"

static const struct {
    const char *word, *meaning, *action;
} types[PAIR_TYPES_END] = {
    [PAIR_REQUEST_AT_CONSUMER] = {"request only at consumer",
                                  "It was never delivered, or the provider keeps it back.",
                                  "The provider takes it in as a late receipt, or shows its signed "
                                  "refusal. If it answered the "
                                  "request, it had it, and its own answer convicts it."},
    [PAIR_REQUEST_AT_PROVIDER] = {"request only at provider",
                                  "The consumer has lost or keeps back its own act: it signed "
                                  "this, and writes down before it "
                                  "sends.",
                                  "The consumer's signature convicts it. It takes the record in as "
                                  "a late receipt; ask how it "
                                  "was lost."},
    [PAIR_ANSWER_AT_PROVIDER] =
        {"answer only at provider",
         "It was lost on the way back, or came when the consumer no longer waited.",
         "The consumer takes it in as a late receipt; look whether it asked again with another "
         "exchange "
         "id."},
    [PAIR_ANSWER_AT_CONSUMER] = {"answer only at consumer",
                                 "The provider has lost or keeps back its own act: it signed this, "
                                 "and writes down before it "
                                 "sends.",
                                 "The provider's signature convicts it. It takes the record in as "
                                 "a late receipt; ask how it "
                                 "was lost."},
    [PAIR_TWO_HEADERS] =
        {"two headers under one exchange id",
         "The signer has said two different things under one number, or its software sends again "
         "wrongly.",
         "Keep both records: each is signed by the same server."},
    [PAIR_TWO_SIGNATURES] =
        {"one header with two signatures",
         "The same words, signed or written twice: no node of this kind does so.",
         "Compare both records byte by byte; the fault is on the side whose form is not the strict "
         "one."},
    [PAIR_BAD_LEAF] =
        {"record that proves nothing",
         "One side names a record that it does not show, or whose signature or certificate does "
         "not "
         "hold at its time: made up, or damaged.",
         "It counts for nothing against the one it names. Ask the side that holds it where it came "
         "from."},
    [PAIR_ORDER] = {"record behind a head that is later",
                    "The signer answered a request, or spoke after a record, that did not yet "
                    "stand in its log: "
                    "it was put in afterwards.",
                    "The size of its log that it signed into its own answer convicts it."},
    [PAIR_CLOCK] =
        {"clocks apart", "The times of the two servers differ by more than the limit.",
         "Set the clocks. Witnesses and time stamps around the records bound the true time."},
};

enum pair_type pair_type_of(enum header_kind kind, bool own, bool missing_here)
{
    bool request = kind == HEADER_REQUEST;
    bool consumer_here = request == own; /* who signs requests, or is sent answers */
    bool only_at_consumer = consumer_here != missing_here;
    if (request)
        return only_at_consumer ? PAIR_REQUEST_AT_CONSUMER : PAIR_REQUEST_AT_PROVIDER;
    return only_at_consumer ? PAIR_ANSWER_AT_CONSUMER : PAIR_ANSWER_AT_PROVIDER;
}

static bool is_type(enum pair_type type)
{
    return type >= PAIR_REQUEST_AT_CONSUMER && type < PAIR_TYPES_END;
}

const char *pair_type_word(enum pair_type type)
{
    return is_type(type) ? types[type].word : "";
}

const char *pair_type_meaning(enum pair_type type)
{
    return is_type(type) ? types[type].meaning : "";
}

const char *pair_type_action(enum pair_type type)
{
    return is_type(type) ? types[type].action : "";
}
