// SPDX-License-Identifier: MIT
/*
 * renewal_files - at a start, before anybody reads them: the signing key that took over in the last
 * run takes its name. sign.next.crt is written when sign.next.key signs, and not before.
 */
#ifndef SERVER_RENEWAL_FILES_H
#define SERVER_RENEWAL_FILES_H

#include "lib/base/fault.h"

/* sign.next.key becomes sign.key, or with `token` sign.next.object sign.object, then sign.next.crt
 * sign.crt; done again after a stop in between. IO_FAILED, BAD_CONFIG. */
fault renewal_files_take(const char *keys_folder, bool token);

#endif
