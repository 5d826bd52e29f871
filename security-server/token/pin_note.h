// SPDX-License-Identifier: MIT
/*
 * pin_note - which PIN a token has refused: a token counts wrong ones and locks itself, so the same
 * one is never tried twice, not even after a restart.
 *
 * keys_folder/pin.refused holds the marks of the PIN's file (device, inode, size, time of its last
 * change), not the PIN; whoever changes the file has the new one tried once.
 */
#ifndef TOKEN_PIN_NOTE_H
#define TOKEN_PIN_NOTE_H

#include "lib/base/fault.h"

/* TOKEN_REFUSED when the file at `path` is the one that was refused. */
fault pin_note_check(const char *keys_folder, const char *path);
/* The PIN in this file was refused. IO_FAILED. */
fault pin_note_keep(const char *keys_folder, const char *path);
/* The token took it. */
void pin_note_drop(const char *keys_folder);

#endif
