// SPDX-License-Identifier: MIT
/*
 * asic - records in containers of ETSI EN 319 162-1: zip files that signature software knows.
 *
 *   ASiC-S   one record's header and its signature as it was made: no new key, nothing added
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

/* Makes the file, readable by nobody else; it must not be there yet. IO_FAILED. */
fault asic_write_simple(const char *path, struct span header, struct span signature);
/* sealer may be NULL. */
fault asic_write_extended(const char *path, const struct files *files, struct cms_sealer *sealer);

#endif
