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
/* While a thread of the pool reads for it, it ends when that is over. */
void send_free(struct send *);
/* Sends the chunk, then calls sent(): not from inside this call. */
void send_chunk(struct send *, const struct sluice_chunk *,
                void (*sent)(struct exchange *));

#endif
