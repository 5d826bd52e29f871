// SPDX-License-Identifier: MIT
/*
 * cms - CMS signatures for exported files, off the hot path: a leaf without its content, as
 * containers want it, and the seal of whoever exports.
 */
#ifndef CRYPTO_CMS_H
#define CRYPTO_CMS_H

#include "lib/base/bytes.h"
#include "lib/crypto/certificate.h"

#define CMS_PEM_BYTES_MAX (1 << 20)

/* The signature of a leaf as a file of its own: content taken out, the signer's certificate put in,
 * which is not signed; the signature stays byte for byte. bytes_free() it. BAD_FRAME. */
fault cms_detach(struct span leaf, const struct certificate *signer, struct bytes **out);

/* A seal: who may sign, and what goes with the signature. */
struct cms_sealer;

/* key_path: an unencrypted private key in PEM; certificate_path: its certificate in PEM, further
 * ones of its chain behind. BAD_KEY, CERTIFICATE_BAD, IO_FAILED; BAD_KEY too when the two do not
 * belong together. */
fault cms_sealer_load(const char *key_path, const char *certificate_path, struct cms_sealer **out);
void cms_sealer_free(struct cms_sealer **self);
/* Detached CAdES-B over the content, SHA-256, certificates inside. bytes_free() it. CRYPTO_FAILED
 * when OpenSSL cannot sign CMS with this kind of key (Ed25519 in 3.0). */
fault cms_sealer_sign(struct cms_sealer *self, struct span content, struct bytes **out);

#endif
