/* SPDX-License-Identifier: MIT
 *
 * When a delivery that failed is tried again.
 */
#ifndef EVENTS_BACKOFF_H
#define EVENTS_BACKOFF_H

#include <stdint.h>

#define BACKOFF_AFTER_MAX_MS INT64_C(86400000) /* of a Retry-After */

/* Milliseconds after so many attempts, at least one: doubled each time from
 * `min_ms` to `max_ms`, of which `random` takes up to a half. */
int64_t backoff_ms(int64_t attempts, int64_t min_ms, int64_t max_ms,
                   uint32_t random);

/* The wait that a Retry-After (RFC 9110, section 10.2.3) asks for, in seconds
 * or as a date; 0 for NULL, for a date in the past and for nonsense. */
int64_t backoff_after_ms(const char *retry_after, int64_t now_ms);

#endif
