// SPDX-License-Identifier: MIT
/*
 * record_flip FOLDER: changes every byte of an exported record, each bit of it, one at a time, and
 * checks as verify.sh does, with our own library instead of openssl's programs: none may pass.
 *
 * Two rounds. In the first one, one file is changed. In the second one, a change of the checkpoint
 * is made in both files that hold it, as a forger would: then the bytes of signature lines of keys
 * that nobody knows are harmless, as the format says, and no others are. All witnesses of the
 * folder's policy must have cosigned.
 */
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/header.h"
#include "lib/bus/letter.h"
#include "lib/bus/record_proof.h"
#include "lib/crypto/cades.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES_MAX (64u << 20)
#define WITNESSES_MAX 32

enum part { LEAF, HEADER, PAYLOAD, PROOF, CHECKPOINT, PARTS };
static const char *const name_of[PARTS] = {"leaf.p7m", "header.bin", "payload.bin",
                                           "record.tlog-proof", "checkpoint"};

struct exported {
    struct bytes *part[PARTS];
    struct certificate *signer;
    struct trust *trust;
    struct note_key log;
    size_t witnesses;
    struct note_key witness[WITNESSES_MAX];
};

static fault read_in(const char *folder, const char *name, struct bytes **out)
{
    char path[512];
    text_format(path, sizeof path, "%s/%s", folder, name);
    return file_read(path, FILE_BYTES_MAX, out);
}

/* The second and third word of "witness NAME VKEY". */
static fault read_policy(struct exported *self, const struct bytes *text)
{
    char line[1024], vkey[512];
    OWNED(bytes) copy = NULL;
    TRY(bytes_copy(bytes_span(text), &copy));
    TRY(bytes_append(copy, span_of("", 1)));
    for (char *at = (char *)copy->data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        text_format(line, sizeof line, "%.*s", (int)(end - at), at);
        if (self->witnesses < WITNESSES_MAX && sscanf(line, "witness %*s %511s", vkey) == 1)
            TRY(note_key_parse(span_of_text(vkey), &self->witness[self->witnesses++]));
    }
    return DONE;
}

static fault read_all(struct exported *self, const char *folder)
{
    char path[512];
    OWNED(bytes) vkey = NULL;
    OWNED(bytes) policy = NULL;
    for (size_t i = 0; i < PARTS; i++)
        TRY(read_in(folder, name_of[i], &self->part[i]));
    text_format(path, sizeof path, "%s/signer.pem", folder);
    TRY(certificate_load(path, &self->signer));
    text_format(path, sizeof path, "%s/trust.pem", folder);
    TRY(trust_load(path, &self->trust));
    TRY(read_in(folder, "log.vkey", &vkey));
    TRY(note_key_parse(span_of(vkey->data, vkey->size - 1), &self->log));
    return failed(read_in(folder, "policy", &policy)) ? DONE : read_policy(self, policy);
}

// --- what verify.sh checks ----------------------------------------------------------------------

static fault check_payload(const struct exported *self, const struct header *header)
{
    struct span blob = bytes_span(self->part[PAYLOAD]);
    struct sha256 commitment = letter_commitment(blob);
    if (!sha256_equal(&commitment, &header->payload_sha256) ||
        blob.size != header->payload_bytes + SALT_BYTES)
        return RAISE(COMMITMENT_BAD, "payload");
    return DONE;
}

static fault check_signature(struct exported *self)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    TRY(cades_verify_leaf(self->signer, bytes_span(self->part[LEAF]), &parts));
    TRY(trust_check(self->trust, self->signer, parts.time_ms));
    if (!span_equal(parts.content, bytes_span(self->part[HEADER])))
        return RAISE(SIGNATURE_BAD, "header.bin");
    TRY(header_decode(parts.content, &read));
    if (header_of(read)->time_ms / 1000 * 1000 != parts.time_ms)
        return RAISE(SIGNATURE_BAD, "time");
    return check_payload(self, header_of(read));
}

static fault check_place(const struct exported *self)
{
    struct record_proof proof;
    struct checkpoint head, cosigned;
    uint64_t time_s = 0;
    struct sha256 leaf = merkle_leaf_hash(bytes_span(self->part[LEAF]));
    TRY(record_proof_decode(bytes_span(self->part[PROOF]), &proof));
    if (!span_equal(proof.note, bytes_span(self->part[CHECKPOINT])))
        return RAISE(INCONSISTENT, "two checkpoints");
    TRY(record_proof_check(&proof, &leaf, &self->log, &head));
    for (size_t i = 0; i < self->witnesses; i++)
        TRY(cosignature_open(proof.note, &self->witness[i], &cosigned, &time_s));
    return DONE;
}

static bool passes(struct exported *self)
{
    return !failed(check_signature(self)) && !failed(check_place(self));
}

// --- flipping -----------------------------------------------------------------------------------

/* Is this byte of the checkpoint in a signature line of a key that is neither the log's nor a
 * witness's? */
static bool of_unknown_key(const struct exported *self, size_t place)
{
    const struct bytes *note = self->part[CHECKPOINT];
    size_t begin = place, length = 0;
    while (begin > 0 && note->data[begin - 1] != '\n')
        begin--;
    while (begin + length < note->size && note->data[begin + length] != '\n')
        length++;
    struct span line = span_of(note->data + begin, length);
    if (length < 4 || memcmp(line.at, "\xe2\x80\x94 ", 4) != 0 || place == begin + length)
        return false;
    char start[NOTE_NAME_BYTES_MAX + 8];
    for (size_t i = 0; i <= self->witnesses; i++) {
        const struct note_key *key = i == 0 ? &self->log : &self->witness[i - 1];
        text_format(start, sizeof start, "\xe2\x80\x94 %s ", key->name);
        if (length >= strlen(start) && memcmp(line.at, start, strlen(start)) == 0)
            return false;
    }
    return true;
}

static bool flip_each(struct exported *self, enum part part)
{
    struct bytes *bytes = self->part[part];
    size_t accepted = 0;
    for (size_t i = 0; i < bytes->size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes->data[i] ^= (uint8_t)(1u << bit);
            accepted += passes(self);
            bytes->data[i] ^= (uint8_t)(1u << bit);
        }
    printf("%-18s %5zu bytes, %6zu changes, %zu accepted\n", name_of[part], bytes->size,
           8 * bytes->size, accepted);
    return accepted == 0 && bytes->size > 0;
}

static bool flip_both(struct exported *self)
{
    struct bytes *note = self->part[CHECKPOINT], *proof = self->part[PROOF];
    size_t before = proof->size - note->size, accepted = 0, wrong = 0, harmless = 0;
    for (size_t i = 0; i < note->size; i++) {
        bool unknown = of_unknown_key(self, i);
        harmless += unknown;
        for (unsigned bit = 0; bit < 8; bit++) {
            note->data[i] ^= (uint8_t)(1u << bit);
            proof->data[before + i] ^= (uint8_t)(1u << bit);
            bool passed = passes(self);
            accepted += passed;
            wrong += passed && !unknown;
            note->data[i] ^= (uint8_t)(1u << bit);
            proof->data[before + i] ^= (uint8_t)(1u << bit);
        }
    }
    printf("checkpoint in both %5zu bytes, %6zu changes, %zu accepted, all but %zu of them in the "
           "%zu bytes of lines of unknown keys\n",
           note->size, 8 * note->size, accepted, wrong, harmless);
    return wrong == 0;
}

int main(int argc, char **argv)
{
    struct exported self = {0};
    if (argc != 2)
        return 2;
    fault f = read_all(&self, argv[1]);
    if (failed(f) || !passes(&self)) {
        fprintf(stderr, "record_flip: unchanged, it does not pass: %s\n", fault_detail());
        return 2;
    }
    bool good = true;
    for (size_t i = 0; i < PARTS; i++)
        good &= flip_each(&self, (enum part)i);
    good &= flip_both(&self);
    for (size_t i = 0; i < PARTS; i++)
        bytes_free(&self.part[i]);
    certificate_free(&self.signer);
    trust_free(&self.trust);
    return good ? 0 : 1;
}
