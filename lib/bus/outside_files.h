// SPDX-License-Identifier: MIT
/*
 * outside_files - where the exchange process and the scribe meet at a start: one asks what the
 * outside witnesses hold of our log, the other speaks HTTP. Contents: proto/outside.proto.
 *
 *   <audit_folder>/start/question   written by the exchange process, removed when it has decided
 *   <audit_folder>/start/heard      written by the scribe, likewise removed
 */
#ifndef BUS_OUTSIDE_FILES_H
#define BUS_OUTSIDE_FILES_H

#include "lib/bus/limits.h"
#include "lib/crypto/note.h"

#define OUTSIDE_START_FOLDER "start"
#define OUTSIDE_QUESTION_FILE "start/question"
#define OUTSIDE_HEARD_FILE "start/heard"
/* The epoch that is written, the one that an order closes, and one that may have been lost. */
#define OUTSIDE_EPOCHS_MAX 3
#define OUTSIDE_QUESTION_BYTES_MAX 256
#define OUTSIDE_HEARD_BYTES_MAX \
    (DIRECTORY_WITNESSES_MAX * OUTSIDE_EPOCHS_MAX * (NOTE_BYTES_MAX + 512))

#endif
