// SPDX-License-Identifier: MIT
/*
 * listener - a listening socket from IP:PORT.
 */
#ifndef REGISTRY_SERVE_LISTENER_H
#define REGISTRY_SERVE_LISTENER_H

#include "lib/base/fault.h"

#define LISTENER_ADDRESS_BYTES 64

/* text: "127.0.0.1:8080" or "[::1]:8080"; port 0 takes a free one. address: the same with the real
 * port. BAD_CONFIG when it is none, IO_FAILED. */
fault listener_open(const char *text, int *out_fd, char address[LISTENER_ADDRESS_BYTES]);

#endif
