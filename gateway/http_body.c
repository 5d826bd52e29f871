// SPDX-License-Identifier: MIT
#include "gateway/http_body.h"

enum step {
    CHUNK_FIRST_DIGIT,
    CHUNK_DIGITS,
    CHUNK_EXTENSION,
    CHUNK_LINE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_LINE,
    TRAILER_LF,
    FINAL_LF
};

struct http_body http_body_of_request(const struct http_head *head)
{
    if (head->chunked)
        return (struct http_body){.kind = BODY_CHUNKED};
    if (head->has_length && head->length > 0)
        return (struct http_body){.kind = BODY_SIZED, .left = head->length};
    return (struct http_body){.kind = BODY_NONE, .done = true};
}

struct http_body http_body_of_response(const struct http_head *head, bool to_head)
{
    if (to_head || head->status < 200 || head->status == 204 || head->status == 304)
        return (struct http_body){.kind = BODY_NONE, .done = true};
    if (head->chunked || head->has_length)
        return http_body_of_request(head);
    return (struct http_body){.kind = BODY_UNTIL_CLOSE};
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_control(uint8_t c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* More than 8 digits would be a chunk beyond every bound. */
static fault take_size_byte(struct http_body *self, uint8_t c)
{
    int digit = hex_digit(c);
    if (digit >= 0) {
        if (++self->line > 8)
            return RAISE(BAD_REQUEST, "a chunk size with more than 8 digits");
        self->left = self->left << 4 | (uint64_t)digit;
        self->step = CHUNK_DIGITS;
        return DONE;
    }
    if (self->step == CHUNK_DIGITS && c == ';')
        self->step = CHUNK_EXTENSION;
    else if (self->step == CHUNK_DIGITS && c == '\r')
        self->step = CHUNK_LINE_LF;
    else
        return RAISE(BAD_REQUEST, "a chunk size with a byte 0x%02x", c);
    return DONE;
}

static fault take_extension_byte(struct http_body *self, uint8_t c)
{
    if (c == '\r')
        self->step = CHUNK_LINE_LF;
    else if (is_control(c) || c >= 0x80)
        return RAISE(BAD_REQUEST, "a byte 0x%02x in a chunk extension", c);
    else if (++self->line > CHUNK_LINE_BYTES_MAX)
        return RAISE(BAD_REQUEST, "a chunk line of more than %d bytes", CHUNK_LINE_BYTES_MAX);
    return DONE;
}

/* Trailers are lines of "name: value"; llhttp and others refuse what is not, and so do we. */
static fault take_trailer_byte(struct http_body *self, uint8_t c)
{
    if (++self->line > TRAILER_BYTES_MAX)
        return RAISE(BAD_REQUEST, "trailers of more than %d bytes", TRAILER_BYTES_MAX);
    if (self->step == TRAILER_START && c == '\r') {
        self->step = FINAL_LF;
    } else if (self->step == TRAILER_LINE) {
        if (c != '\r' && is_control(c))
            return RAISE(BAD_REQUEST, "a byte 0x%02x in a trailer", c);
        self->step = c == '\r' ? TRAILER_LF : TRAILER_LINE;
    } else if (self->step == TRAILER_NAME && c == ':') {
        self->step = TRAILER_LINE;
    } else {
        if (!http_is_token(span_of(&c, 1)))
            return RAISE(BAD_REQUEST, "a byte 0x%02x in the name of a trailer", c);
        self->step = TRAILER_NAME;
    }
    return DONE;
}

static fault expect(struct http_body *self, uint8_t c, uint8_t wanted, enum step next)
{
    if (c != wanted)
        return RAISE(BAD_REQUEST, "a chunk that does not end where it should");
    self->step = (uint8_t)next;
    return DONE;
}

static fault take_framing_byte(struct http_body *self, uint8_t c)
{
    switch ((enum step)self->step) {
    case CHUNK_FIRST_DIGIT:
    case CHUNK_DIGITS:
        return take_size_byte(self, c);
    case CHUNK_EXTENSION:
        return take_extension_byte(self, c);
    case CHUNK_LINE_LF:
        self->line = 0;
        return expect(self, c, '\n', self->left == 0 ? TRAILER_START : CHUNK_DATA);
    case CHUNK_DATA_CR:
        return expect(self, c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(self, c, '\n', CHUNK_FIRST_DIGIT);
    case TRAILER_START:
    case TRAILER_NAME:
    case TRAILER_LINE:
        return take_trailer_byte(self, c);
    case TRAILER_LF:
        return expect(self, c, '\n', TRAILER_START);
    case FINAL_LF:
        self->done = c == '\n';
        return expect(self, c, '\n', FINAL_LF);
    case CHUNK_DATA:
        break;
    }
    return RAISE(INTERNAL, "a chunk reader without a step");
}

static struct span take_front(struct span *in, uint64_t most)
{
    size_t size = in->size < most ? in->size : (size_t)most;
    struct span front = span_of(in->at, size);
    *in = span_of(in->at + size, in->size - size);
    return front;
}

static fault take_chunked(struct http_body *self, struct span *in, struct span *piece)
{
    while (in->size > 0 && !self->done) {
        if (self->step == CHUNK_DATA) {
            *piece = take_front(in, self->left);
            self->left -= piece->size;
            if (self->left == 0)
                self->step = CHUNK_DATA_CR;
            return DONE;
        }
        TRY(take_framing_byte(self, take_front(in, 1).at[0]));
    }
    return DONE;
}

fault http_body_take(struct http_body *self, struct span *in, struct span *piece)
{
    *piece = (struct span){NULL, 0};
    if (in->size == 0)
        return DONE;
    switch (self->kind) {
    case BODY_NONE:
        self->done = true;
        return DONE;
    case BODY_SIZED:
        *piece = take_front(in, self->left);
        self->left -= piece->size;
        self->done = self->left == 0;
        return DONE;
    case BODY_UNTIL_CLOSE:
        *piece = take_front(in, UINT64_MAX);
        return DONE;
    case BODY_CHUNKED:
        return take_chunked(self, in, piece);
    }
    return RAISE(INTERNAL, "a body without a kind");
}
