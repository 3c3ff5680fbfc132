/* SPDX-License-Identifier: MIT
 *
 * The clock that never goes back: it counts from some moment before the
 * process started, and measures how long things take.  Dates are base/date's.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_us(void);
uint64_t clock_ms(void);

#endif
