// SPDX-License-Identifier: MIT
/* Heads of other logs in the files beside a log, and what a server reports of itself. */
#include "lib/base/clock.h"
#include "tests/unit/tools/forge.h"

#include "audit.pb-c.h"

static struct forge *provider_with_an_exchange(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    return self;
}

/* A head of this log, signed by `signer`'s key, as a file of the folder. */
static void keep_of(const struct forge *self, const char *file, const struct note_key *origin,
                    enum forge_side signer, uint64_t size, struct sha256 root)
{
    struct checkpoint head = {.size = size, .root = root};
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    OWNED(bytes) note = NULL;
    strcpy(head.origin, origin->name);
    size_t length = checkpoint_body(&head, body, sizeof body);
    MUST(keypair_sign_message(self->log_key[signer], span_of(body, length), signature));
    MUST(checkpoint_note(&head, origin, signature, &note));
    forge_file(self, file, bytes_span(note));
}

/* ... of the first epoch of this side's. */
static void keep(const struct forge *self, const char *file, enum forge_side side,
                 enum forge_side signer, uint64_t size, struct sha256 root)
{
    keep_of(self, file, &self->origin[side], signer, size, root);
}

static void keep_epoch_as_witness(const struct forge *self, enum forge_side side, unsigned epoch,
                                  enum forge_side signer, uint64_t size, struct sha256 root)
{
    char file[100] = "witness/", hex[2 * SHA256_BYTES + 1];
    struct note_key origin;
    MUST(log_epoch_key(&self->origin[side], epoch, &origin));
    struct sha256 hash = SHA256_OF(span_of_text(origin.name));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    strcat(file, hex);
    keep_of(self, file, &origin, signer, size, root);
}

static void keep_as_witness(const struct forge *self, enum forge_side side, enum forge_side signer,
                            uint64_t size, struct sha256 root)
{
    keep_epoch_as_witness(self, side, 1, signer, size, root);
}

static void test_a_head_that_the_log_still_fits_is_clean(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep_as_witness(self, PROVIDER, PROVIDER, self->head.size, self->head.root);
    forge_exchange(self);
    forge_finds(self, "", 0, -1);
}

static void test_a_witness_that_knows_of_more_convicts_the_log(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep_as_witness(self, PROVIDER, PROVIDER, 25, (struct sha256){{9}});
    forge_finds(self, "append only", 1, -1);
}

static void test_a_witness_that_knows_something_else_convicts_the_log(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep_as_witness(self, PROVIDER, PROVIDER, 2, (struct sha256){{9}});
    forge_finds(self, "append only", 1, -1);
}

static void test_a_head_in_conflicts_is_looked_at_too(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep(self, "conflicts/1790000000000.checkpoint", PROVIDER, PROVIDER, 2, (struct sha256){{9}});
    forge_finds(self, "append only", 1, -1);
}

static void test_a_head_that_the_log_did_not_sign_convicts_its_holder(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep_as_witness(self, PROVIDER, CALLER, 25, (struct sha256){{9}});
    forge_finds(self, "checkpoint", 1, -1);
}

static void test_a_head_of_a_log_that_is_not_here_is_told(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep_as_witness(self, CALLER, CALLER, 25, (struct sha256){{9}});
    forge_finds(self, "", 0, -1);
    json_t *said = forge_verify(self);
    json_t *log = json_array_get(json_object_get(said, "audited"), 0);
    json_t *head = json_array_get(json_object_get(log, "heads_kept"), 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(head, "origin")),
                           self->origin[CALLER].name);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(head, "size")), 25);
    CU_ASSERT_FALSE(json_is_true(json_object_get(head, "at_hand")));
    json_decref(said);
}

static void test_two_heads_of_one_size_are_a_fork_though_the_log_is_not_here(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep_as_witness(self, CALLER, CALLER, 25, (struct sha256){{9}});
    keep(self, "conflicts/1790000000000.checkpoint", CALLER, CALLER, 25, (struct sha256){{8}});
    forge_finds(self, "one history", 1, -1);
}

static void test_a_head_that_an_entry_contradicts_is_a_fork(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    request.log_size = 25;
    request.log_root = (struct sha256){{8}};
    forge_append(self, CALLER, &request, request.time_ms);
    keep_as_witness(self, CALLER, CALLER, 25, (struct sha256){{9}});
    forge_finds(self, "one history", 1, -1);
}

/* A whole later epoch was removed; its witness still knows of it. */
static void test_a_head_of_an_epoch_that_is_not_here_convicts_the_log(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    keep_epoch_as_witness(self, PROVIDER, 2, PROVIDER, 5, (struct sha256){{9}});
    forge_finds(self, "append only", 1, -1);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "append only", "of epoch 2"), 1);
    json_decref(said);
}

/* As of this moment; the witness answers for an entry of then, and knows of a later epoch. */
static void is_judged_as_of(int64_t later_ms, size_t findings)
{
    OWNED(forge) self = forge_new(PROVIDER);
    char moment[32];
    forge_assign(self, self->time_ms - 60 * FORGE_MINUTE_MS);
    forge_own(self, HEADER_STARTED);
    clock_text(self->time_ms + later_ms, moment, sizeof moment);
    self->as_of = moment;
    forge_own(self, HEADER_INCIDENT);
    forge_cosigned(self, "log/1/cosigned");
    keep_epoch_as_witness(self, PROVIDER, 2, PROVIDER, 5, (struct sha256){{9}});
    forge_finds(self, "append only", findings, -1);
}

static void test_an_epoch_begun_after_the_moment_convicts_no_log_that_reaches_it(void)
{
    is_judged_as_of(0, 0);
    is_judged_as_of(FORGE_MINUTE_MS, 1);
}

static void test_what_a_server_reports_of_itself_is_told_in_its_words(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    OWNED(bytes) packed = NULL;
    Chaski__FaultText text = CHASKI__FAULT_TEXT__INIT;
    text.detail = book_text("three payloads were lost");
    MUST(bytes_new(chaski__fault_text__get_packed_size(&text), &packed));
    chaski__fault_text__pack(&text, packed->data);
    struct header incident = forge_header(self, PROVIDER, HEADER_INCIDENT);
    forge_append_with(self, PROVIDER, &incident, incident.time_ms, bytes_span(packed));
    forge_finds(self, "", 0, -1);
    json_t *said = forge_verify(self), *remark;
    size_t index, told = 0;
    json_array_foreach(json_object_get(said, "remarks"), index, remark) told +=
        strstr(json_string_value(json_object_get(remark, "what")),
               "entry 3, INCIDENT: three payloads were lost") != NULL;
    CU_ASSERT_EQUAL(told, 1);
    json_decref(said);
}

SUITE(verify_held, TEST(test_a_head_that_the_log_still_fits_is_clean),
      TEST(test_a_witness_that_knows_of_more_convicts_the_log),
      TEST(test_a_witness_that_knows_something_else_convicts_the_log),
      TEST(test_a_head_in_conflicts_is_looked_at_too),
      TEST(test_a_head_that_the_log_did_not_sign_convicts_its_holder),
      TEST(test_a_head_of_a_log_that_is_not_here_is_told),
      TEST(test_two_heads_of_one_size_are_a_fork_though_the_log_is_not_here),
      TEST(test_a_head_that_an_entry_contradicts_is_a_fork),
      TEST(test_a_head_of_an_epoch_that_is_not_here_convicts_the_log),
      TEST(test_an_epoch_begun_after_the_moment_convicts_no_log_that_reaches_it),
      TEST(test_what_a_server_reports_of_itself_is_told_in_its_words))
