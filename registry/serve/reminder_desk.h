// SPDX-License-Identifier: MIT
/*
 * reminder_desk - the registry's word to its operators, in its events, about what ends and who is
 * late (lib/bus/notice.h): restrictions 60, 30 and 7 days before their end and at it, the arbiter
 * whose time is over, emergencies that wait for their review. Each once: what was said stands in
 * STORE/reminders and is forgotten after RIGHTS_REMINDED_MS.
 */
#ifndef REGISTRY_SERVE_REMINDER_DESK_H
#define REGISTRY_SERVE_REMINDER_DESK_H

#include "lib/base/loop.h"
#include "registry/serve/outlook.h"

struct reminder_desk;

/* Everything lent. IO_FAILED. What lies there and cannot be read is left aside: said again. */
fault reminder_desk_open(struct loop *loop, const char *store, const struct outlook *outlook,
                         struct reminder_desk **out);
void reminder_desk_free(struct reminder_desk **self);

#endif
