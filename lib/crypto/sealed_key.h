// SPDX-License-Identifier: MIT
/*
 * sealed_key - the content of a key file under a passphrase.
 *
 * EncryptedPrivateKeyInfo (RFC 5958) as PEM: PBES2 (RFC 8018) with scrypt (RFC 7914), N = 16384,
 * r = 8, p = 5 (16 MiB and about 0.2 s for each try), and AES-256-CBC. For a PKCS#8 key that is
 * "ENCRYPTED PRIVATE KEY", which stock openssl opens; for a key that is a line of text (store.key,
 * transport.key) it is "CHASKI ENCRYPTED KEY", the same structure around that line. There is no
 * check of integrity beside the form of what comes out: a changed byte makes a key that its
 * certificate, or the directory, does not know.
 */
#ifndef CRYPTO_SEALED_KEY_H
#define CRYPTO_SEALED_KEY_H

#include "lib/base/secret.h"

/* Passphrases of people are to be long; those that machines keep are 32 random bytes anyway. */
#define PASSPHRASE_BYTES_LEAST 12

/* Does this content of a key file begin as a sealed one? */
bool sealed_key_is(struct span content);
/* `plain`: content of an unsealed key file. BAD_PASSPHRASE when it is shorter than
 * PASSPHRASE_BYTES_LEAST; BAD_KEY for what is no key file or sealed already. bytes_free() it. */
fault sealed_key_make(struct span plain, struct span passphrase, struct bytes **out);
/* Back to the content. BAD_PASSPHRASE: another passphrase, or damaged, which cannot be told apart;
 * BAD_KEY: sealed in a way that is none of the above. */
fault sealed_key_open(struct span sealed, struct span passphrase, struct secret **out);

#endif
