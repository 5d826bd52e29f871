// SPDX-License-Identifier: MIT
/*
 * cards - key cards as servers sign them, and as they should not be, for tests.
 */
#ifndef TESTS_BUS_CARDS_H
#define TESTS_BUS_CARDS_H

#include "lib/bus/key_card.h"
#include "tests/unit/bus/book.h"

#define CARD_HOUR_MS INT64_C(3600000)

/* A country with two servers whose signing keys are at hand. */
struct card_country {
    struct book *book;
    struct keypair *sign, *other_sign;
    struct certificate *certificate, *other;
    struct directory *state;
};

static inline void card_country_free(struct card_country **owner)
{
    struct card_country *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    directory_release(&self->state);
    keypair_free(&self->sign);
    keypair_free(&self->other_sign);
    certificate_free(&self->certificate);
    certificate_free(&self->other);
    book_free(&self->book);
    free(self);
}

static inline void card_country_fold(struct card_country *self)
{
    directory_release(&self->state);
    MUST(book_fold(self->book, &self->state));
}

static inline struct card_country *card_country_new(void)
{
    struct card_country *self = owned_new(sizeof *self);
    self->book = book_new();
    self->certificate = book_issue(self->book, DANE, "SS1", &self->sign);
    self->other = book_issue(self->book, MEDELLIN, "SS1", &self->other_sign);
    book_member(self->book, DANE, true);
    book_member(self->book, MEDELLIN, true);
    book_server(self->book, DANE "/SS1", "tcp://[::1]:5500", 1, self->certificate);
    book_server(self->book, MEDELLIN "/SS1", "tcp://[::1]:5501", 2, self->other);
    card_country_fold(self);
    return self;
}

static inline struct header card_header(const struct header_card *card, int64_t made_ms)
{
    struct header header = {.kind = HEADER_KEY_CARD, .time_ms = made_ms, .card = card};
    header.sender = span_of_text(DANE);
    header.sender_server = span_of_text(DANE "/SS1");
    return header;
}

/* bytes_free() it. */
static inline struct bytes *card_sign(const struct header *header, struct keypair *key,
                                      const struct certificate *certificate)
{
    OWNED(bytes) content = NULL;
    MUST(header_encode(header, &content));
    return book_sign(key, certificate, content, header->time_ms);
}

/* A sound one of DANE's server with a key of this byte, good for two hours. */
static inline struct bytes *card_of(const struct card_country *self, uint8_t key, int64_t made_ms)
{
    struct header_card card = {.renew_ms = made_ms + CARD_HOUR_MS,
                               .until_ms = made_ms + 2 * CARD_HOUR_MS};
    memset(card.key, key, sizeof card.key);
    struct header header = card_header(&card, made_ms);
    return card_sign(&header, self->sign, self->certificate);
}

#endif
