// SPDX-License-Identifier: MIT
/*
 * directory_check - are these acts signed by the authority? With all cores, for that is three
 * quarters of the time that loading 30,000 of them takes, and needs no order.
 */
#ifndef BUS_DIRECTORY_CHECK_H
#define BUS_DIRECTORY_CHECK_H

#include "lib/base/bytes.h"
#include "lib/crypto/certificate.h"

/* False when one is not, or no thread could be had: who wants to know which, looks at each. Waits
 * for all of them: 60 us each, divided by the cores. */
bool directory_check_signed(const struct span *leaves, size_t count,
                            const struct certificate *authority);

#endif
