// SPDX-License-Identifier: MIT
/*
 * asic - records in containers of ETSI EN 319 162-1: zip files that signature software knows.
 *
 *   ASiC-S   one record's header and its signature as it was made: no new key, nothing added
 *            or: one checkpoint and the time stamp over it, META-INF/timestamp.tst
 *   ASiC-E   all files of an export, under META-INF/ASiCManifest001.xml with their digests; when
 *            there is a seal, META-INF/signature001.p7s over that manifest
 *
 * Without a seal the second is a container without a signature of its own: what it holds proves
 * itself, and the manifest only lists it. `mimetype` comes first, stored, without extra fields.
 */
#ifndef EVIDENCE_ASIC_H
#define EVIDENCE_ASIC_H

#include "lib/crypto/cms.h"
#include "lib/evidence/files.h"

#define ASIC_S_TYPE "application/vnd.etsi.asic-s+zip"
#define ASIC_E_TYPE "application/vnd.etsi.asic-e+zip"

/* The whole container, in memory; bytes_free() it. archive_write puts it into a file. */
fault asic_make_simple(struct span header, struct span signature, struct bytes **out);
fault asic_make_stamped(struct span checkpoint, struct span token, struct bytes **out);
/* sealer may be NULL. */
fault asic_make_extended(const struct files *files, struct cms_sealer *sealer, struct bytes **out);

#endif
