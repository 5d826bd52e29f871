// SPDX-License-Identifier: MIT
/*
 * verification - verificationconf.zip: what somebody with a container needs besides it. X-Road has
 * instance-identifier and one folder for each instance in it; so have we.
 *
 *   verificationconf/instance-identifier
 *   verificationconf/<INSTANCE>/trust.pem directory.vkey log.vkey policy
 *   verificationconf/<INSTANCE>/directory/...      the directory in use: signed acts, checkpoint
 *   verificationconf/verify.sh README.txt
 */
#ifndef CLERK_VERIFICATION_H
#define CLERK_VERIFICATION_H

#include "security-server/clerk/view_cache.h"

fault verification_make(const struct view_cache *view, struct bytes **out);

#endif
