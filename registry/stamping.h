// SPDX-License-Identifier: MIT
/*
 * stamping - the time stamp authority's folder, STORE/stamp.
 *
 *   stamp.key    P-256, PKCS#8 PEM, mode 0600; signs time stamps and, by its certificate, nothing
 *                else
 *   stamp.pem    its certificate, from the authority's CA
 *   serial       the first serial number that no stamp can have yet
 *   lock         held by the one `serve`
 *
 * It holds all that `serve` needs. An authority that keeps its store offline moves this folder, and
 * only it, to the machine that serves; it is never copied: two copies give the same serials twice.
 */
#ifndef REGISTRY_STAMPING_H
#define REGISTRY_STAMPING_H

#include "lib/crypto/certificate.h"
#include "lib/crypto/stamp.h"

#define STAMPING_FOLDER "stamp"
#define STAMPING_KEY "stamp.key"
#define STAMPING_CERTIFICATE "stamp.pem"
#define STAMPING_SERIAL "serial"
#define STAMPING_LOCK "lock"

/* Makes the folder, all of it or nothing. REFUSED when there is one. Waits for the disk. */
fault stamping_make(const char *store, struct keypair *ca_key, const struct certificate *ca,
                    const char *instance, int64_t now_ms);

/* Takes the lock, for the life of the process. REFUSED when another has it; NOT_FOUND when there is
 * no such folder, with what to do. */
fault stamping_lock(const char *store);

/* Key and certificate, ready to stamp. BAD_KEY, CERTIFICATE_BAD, IO_FAILED. */
fault stamping_load(const char *store, struct stamper **out);

/* Serial numbers: each is given once, ever, and each is greater than the one before. */
struct serials;

#define SERIALS_AT_ONCE \
    256 /* reserved on disk at a time; what is left of them at the end is lost */

/* LOG_BROKEN when the file does not hold a number; never made up anew. */
fault serials_open(const char *store, struct serials **out);
void serials_free(struct serials **self);
/* Durable: no later run gives this number again. Waits for the disk once in SERIALS_AT_ONCE. */
fault serials_next(struct serials *self, uint64_t *out);

#endif
