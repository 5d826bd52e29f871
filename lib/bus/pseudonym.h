// SPDX-License-Identifier: MIT
/*
 * pseudonym - a person in evidence: HMAC-SHA-256 of the space and the number of a document, under a
 * key of the country that changes each year. Without the key nobody tells whose it is, nor tries
 * numbers; with it both sides of an exchange, and who looks for a person, make the same one.
 *
 *   pseudonym = HMAC-SHA-256(key of the year, "chaski subject v1\n" || SPACE || " " || NUMBER)
 *
 * Reasons, and who can break it: docs/decisions/0038.
 */
#ifndef BUS_PSEUDONYM_H
#define BUS_PSEUDONYM_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"
#include "lib/crypto/digest.h"

#define PSEUDONYM_BYTES SHA256_BYTES
#define PSEUDONYM_KEY_BYTES 32
#define PSEUDONYM_TEXT_ROOM (4 + 1 + SUBJECT_NUMBER_BYTES_MAX + 1) /* with the closing NUL */

/*
 * "ti 1.020.304.050" -> "CC 1020304050": the space of numbers to which the type belongs
 * (document_type.h), a blank, the number without blanks and dots; of numbers that have digits only,
 * without leading zeros. What it makes it takes, and makes the same of it.
 *
 * Types: CC CE CD DE NIT NUIP PA PE PEP PPT PT RC SC TI. Letters are in CD, DE, PA, PPT, PT and SC
 * only. Of a NIT the check digit may stand behind a hyphen; it is checked and left out.
 *
 * SUBJECT_BAD says what is wrong, and never the number. What was read is wiped by who lent it.
 */
fault pseudonym_normalise(struct span text, char out[PSEUDONYM_TEXT_ROOM]);
/* The same with the type that was given in place of the space: what a source is asked with. Of what
 * this makes pseudonym_normalise() makes what it makes of the original. */
fault pseudonym_tidy(struct span text, char out[PSEUDONYM_TEXT_ROOM]);

/* Does that word hold the number of that person, normalised, also as people write it: with blanks
 * and dots between? Of a number shorter than SUBJECT_NUMBER_TOLD_FROM nobody can tell: false. */
bool pseudonym_is_told_by(const char *word, const char *person);

/* normalised: as above. */
struct sha256 pseudonym_make(const uint8_t key[PSEUDONYM_KEY_BYTES], const char *normalised);

/* By which the directory names a key, so that each server knows that it holds the right one:
 * SHA-256 of its 32 random bytes. */
struct sha256 pseudonym_commitment(const uint8_t key[PSEUDONYM_KEY_BYTES]);

/* The year of a moment, UTC. */
unsigned pseudonym_year(int64_t time_ms);
/* Is it in the days after new year in which the key of the year before still serves? */
bool pseudonym_overlaps(int64_t time_ms);
/* May a request of that moment bear a pseudonym of that year? */
bool pseudonym_year_fits(unsigned year, int64_t time_ms);

#endif
