/* SPDX-License-Identifier: MIT
 *
 * Sends one chunk of an object to the client, as fast as it takes it and with
 * no more in memory than a segment.
 */
#ifndef ENDPOINTS_SEND_H
#define ENDPOINTS_SEND_H

#include "exchange.h"

struct send; /* the sending of one answer's body */

struct send *send_new(struct exchange *);
/* Before the first chunk: all of them make up an object of `length` bytes that
 * has this MD5, 32 hex digits.  What is read from their file here is compared
 * before the last of it goes; the kernel's own sending isn't. */
void send_verify(struct send *, const char *md5, uint64_t length);
/* While a thread of the pool reads for it, it ends when that is over. */
void send_free(struct send *);
/* Sends the chunk, then calls sent(): not from inside this call. */
void send_chunk(struct send *, const struct sluice_chunk *,
                void (*sent)(struct exchange *));

#endif
