// SPDX-License-Identifier: MIT
/*
 * colombian_holidays - the days on which Colombia rests: Ley 51 de 1983, by which most of them move
 * to the next Monday, and those that follow Easter. To be confirmed by counsel for each year: a new
 * law makes a new day.
 */
#ifndef REGISTRY_COLOMBIAN_HOLIDAYS_H
#define REGISTRY_COLOMBIAN_HOLIDAYS_H

#include <stddef.h>
#include <stdint.h>

#define COLOMBIAN_HOLIDAYS 18 /* a year, at most: two may fall on one day */
#define COLOMBIA_OFFSET_MINUTES (-300)

/* Those of one year from 1984 on, as YYYYMMDD, rising, each once. How many. */
size_t colombian_holidays(unsigned year, uint32_t out[COLOMBIAN_HOLIDAYS]);

#endif
