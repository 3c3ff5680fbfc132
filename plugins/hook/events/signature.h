/* SPDX-License-Identifier: MIT
 *
 * How a receiver knows that an event is ours, and new.
 */
#ifndef EVENTS_SIGNATURE_H
#define EVENTS_SIGNATURE_H

#include <stdint.h>

#include "buf.h"

#define SIGNATURE_MAX 128

/* Adds "t=UNIX,v1=HEX": the HMAC-SHA256 of "UNIX.BODY". */
bool signature_add(struct buf *out, const char *secret, int64_t seconds,
                   const char *body, size_t len);

#endif
