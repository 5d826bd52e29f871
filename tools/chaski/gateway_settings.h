// SPDX-License-Identifier: MIT
/*
 * gateway_settings - what a gateway's settings are, asked of the gateway itself: it knows its
 * defaults and its services folder.
 */
#ifndef TOOLS_CHASKI_GATEWAY_SETTINGS_H
#define TOOLS_CHASKI_GATEWAY_SETTINGS_H

#include "lib/base/bytes.h"
#include "lib/bus/bus_id.h"

struct gateway_settings {
    const char *path; /* borrowed */
    struct bytes *printed;
};

/* BAD_CONFIG: no such file, or not a gateway's settings. */
fault gateway_settings_read(const char *path, struct gateway_settings *out);
/* The same of a security server's settings: gateway_settings_text works on them, too. */
fault gateway_settings_read_server(const char *path, struct gateway_settings *out);
void gateway_settings_clear(struct gateway_settings *self);

/* The value of a text setting, "" when it is not there. BAD_CONFIG: longer than there is room. */
fault gateway_settings_text(const struct gateway_settings *self, const char *name, char *out,
                            size_t room);
/* The one subsystem that its services and clients belong to. BAD_REQUEST: none or several. */
fault gateway_settings_subsystem(const struct gateway_settings *self,
                                 char out[ID_TEXT_BYTES_MAX + 1]);

/* `given`, or where the gateway of these settings listens, when it is NULL. BAD_REQUEST: too long;
 * BAD_CONFIG. */
fault gateway_settings_url(const char *given, const char *path, char *out, size_t room);

/* Would the gateway take its settings as they stand now? BAD_CONFIG; it says why itself. */
fault gateway_settings_check(const char *path);

#endif
