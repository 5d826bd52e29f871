// SPDX-License-Identifier: MIT
#include "security-server/exchange/seal_cards.h"

#include "lib/base/clock.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/peers.h"
#include "tests/unit/bus/cards.h"

#include <unistd.h>

#define PEER DANE "/SS1"
#define DIRECTORY_KEY (1 ^ 0x80)

/* What a node has beside its peers' cards. */
struct scene {
    struct card_country *country;
    struct node node;
    struct server_config config;
    char folder[256];
};

static struct scene *scene_new(const char *folder)
{
    struct scene *self = owned_new(sizeof *self);
    self->country = card_country_new();
    snprintf(self->folder, sizeof self->folder, "%s", folder);
    self->config = (struct server_config){.seal_roll_s = 60, .audit_folder = self->folder};
    self->node.config = &self->config;
    self->node.directory = self->country->state;
    self->node.table = exchange_table_new(8);
    MUST(loop_new(&self->node.loop));
    event_rate_begin(&self->node.refused_messages, self->node.loop, "test");
    self->node.peers = peers_new(&self->node, NULL, NULL); /* none answers here */
    MUST(seal_cards_new(&self->node, &self->node.cards));
    return self;
}

static void scene_free(struct scene **owner)
{
    struct scene *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    seal_cards_free(&self->node.cards);
    peers_free(&self->node.peers);
    exchange_table_free(&self->node.table);
    event_rate_end(&self->node.refused_messages);
    loop_free(&self->node.loop);
    card_country_free(&self->country);
    free(self);
}

static int key_now(struct scene *self)
{
    uint8_t key[X25519_PUBLIC_BYTES] = {0};
    const struct directory_server *peer =
        directory_server(self->node.directory, span_of_text(PEER));
    MUST(seal_cards_key(self->node.cards, peer, key));
    return key[0];
}

/* The peer says that the key of this byte is gone, and hands over a card (NULL: none). */
static void gone(struct scene *self, uint8_t key, const struct bytes *card)
{
    uint8_t bytes[X25519_PUBLIC_BYTES], id[SEAL_KEY_ID_BYTES];
    memset(bytes, key, sizeof bytes);
    seal_key_id(bytes, id);
    usleep(CARD_GONE_MS * 1000);
    seal_cards_gone(self->node.cards, PEER, span_of(id, sizeof id), bytes_span(card));
}

static void test_a_letter_is_sealed_to_the_latest_card(void)
{
    OWNED(scene) self = scene_new(unit_folder());
    OWNED(bytes) first = card_of(self->country, 11, clock_wall_ms() - 2000);
    OWNED(bytes) second = card_of(self->country, 12, clock_wall_ms() - 1000);
    CU_ASSERT_EQUAL(key_now(self), DIRECTORY_KEY);
    gone(self, 99, first);
    CU_ASSERT_EQUAL(key_now(self), 11);
    gone(self, 11, second);
    CU_ASSERT_EQUAL(key_now(self), 12);
}

static void test_an_older_card_brings_no_key_back(void)
{
    OWNED(scene) self = scene_new(unit_folder());
    OWNED(bytes) older = card_of(self->country, 11, clock_wall_ms() - 2000);
    OWNED(bytes) newer = card_of(self->country, 12, clock_wall_ms() - 1000);
    gone(self, 99, newer);
    gone(self, 99, older);
    CU_ASSERT_EQUAL(key_now(self), 12);
}

static void test_a_forged_card_changes_nothing(void)
{
    OWNED(scene) self = scene_new(unit_folder());
    OWNED(bytes) sound = card_of(self->country, 11, clock_wall_ms() - 2000);
    OWNED(bytes) forged = card_of(self->country, 12, clock_wall_ms() - 1000);
    OWNED(bytes) garbage = NULL;
    forged->data[forged->size / 2] ^= 1;
    MUST(bytes_copy(span_of("x", 1), &garbage));
    gone(self, 99, sound);
    gone(self, 99, forged);
    gone(self, 99, garbage);
    CU_ASSERT_EQUAL(key_now(self), 11);
}

static void test_cards_outlive_a_restart_and_older_ones_stay_out(void)
{
    char folder[256];
    OWNED(scene) self = scene_new(unit_folder());
    snprintf(folder, sizeof folder, "%s", self->folder);
    OWNED(bytes) older = card_of(self->country, 11, clock_wall_ms() - 2000);
    OWNED(bytes) newer = card_of(self->country, 12, clock_wall_ms() - 1000);
    gone(self, 99, newer);
    seal_cards_free(&self->node.cards);
    MUST(seal_cards_new(&self->node, &self->node.cards));
    CU_ASSERT_EQUAL(key_now(self), 12);
    gone(self, 99, older);
    CU_ASSERT_EQUAL(key_now(self), 12);
}

/* Its clock was set back: what it has is no later card, and it has no other key than the
 * directory's that we would seal to. */
static void test_a_card_whose_key_is_gone_is_used_no_more(void)
{
    OWNED(scene) self = scene_new(unit_folder());
    OWNED(bytes) newer = card_of(self->country, 12, clock_wall_ms() - 1000);
    OWNED(bytes) older = card_of(self->country, 13, clock_wall_ms() - 2000);
    OWNED(bytes) newest = card_of(self->country, 14, clock_wall_ms());
    gone(self, 99, newer);
    gone(self, 12, older);
    CU_ASSERT_EQUAL(key_now(self), DIRECTORY_KEY);
    gone(self, DIRECTORY_KEY, newest);
    CU_ASSERT_EQUAL(key_now(self), 14);
}

static void test_a_card_of_who_was_revoked_is_dropped(void)
{
    OWNED(scene) self = scene_new(unit_folder());
    OWNED(bytes) card = card_of(self->country, 11, clock_wall_ms() - 1000);
    struct sha256 hash = certificate_hash(self->country->certificate);
    gone(self, 99, card);
    BOOK_ACT(self->country->book, CERTIFICATE_REVOKED, certificate_revoked,
             CHASKI__CERTIFICATE_REVOKED__INIT,
             it->certificate_sha256 = (ProtobufCBinaryData){SHA256_BYTES, hash.at},
             it->reason = book_text("robada"));
    card_country_fold(self->country);
    self->node.directory = self->country->state;
    seal_cards_refresh(self->node.cards);
    CU_ASSERT_EQUAL(key_now(self), DIRECTORY_KEY);
    gone(self, 99, card);
    CU_ASSERT_EQUAL(key_now(self), DIRECTORY_KEY);
}

/* Each such word makes work: a signature to check, and all that waits to be looked through. */
static void test_a_peer_that_says_so_too_often_is_not_heard(void)
{
    OWNED(scene) self = scene_new(unit_folder());
    OWNED(bytes) first = card_of(self->country, 11, clock_wall_ms() - 2000);
    OWNED(bytes) second = card_of(self->country, 12, clock_wall_ms() - 1000);
    uint8_t id[SEAL_KEY_ID_BYTES] = {0};
    gone(self, 99, first);
    seal_cards_gone(self->node.cards, PEER, span_of(id, sizeof id), bytes_span(second));
    CU_ASSERT_EQUAL(key_now(self), 11);
    gone(self, 99, second);
    CU_ASSERT_EQUAL(key_now(self), 12);
}

static void test_without_changing_keys_no_card_counts(void)
{
    OWNED(scene) self = scene_new(unit_folder());
    OWNED(bytes) card = card_of(self->country, 11, clock_wall_ms() - 1000);
    const struct directory_server *peer =
        directory_server(self->node.directory, span_of_text(PEER));
    self->config.seal_roll_s = 0;
    gone(self, 99, card);
    CU_ASSERT_EQUAL(key_now(self), DIRECTORY_KEY);
    CU_ASSERT(seal_cards_ready(self->node.cards, peer));
}

SUITE(seal_cards, TEST(test_a_letter_is_sealed_to_the_latest_card),
      TEST(test_an_older_card_brings_no_key_back), TEST(test_a_forged_card_changes_nothing),
      TEST(test_cards_outlive_a_restart_and_older_ones_stay_out),
      TEST(test_a_card_whose_key_is_gone_is_used_no_more),
      TEST(test_a_card_of_who_was_revoked_is_dropped),
      TEST(test_a_peer_that_says_so_too_often_is_not_heard),
      TEST(test_without_changing_keys_no_card_counts))
