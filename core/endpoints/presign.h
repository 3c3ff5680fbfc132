/* SPDX-License-Identifier: MIT
 *
 * Asks a backend for a link to an object.
 */
#ifndef ENDPOINTS_PRESIGN_H
#define ENDPOINTS_PRESIGN_H

#include "exchange.h"

/* Starts it as ex->op; the events' done() finds the URL as its first text.
 * `filename`: what the link saves under; NULL: as the storage has it. */
void presign_link(struct exchange *, const char *key, const char *filename,
                  uint32_t seconds, const struct op_events *);

/* How long the link of an operation that is done is good, at most `wanted`. */
uint32_t presign_seconds(const struct sluice_op *, uint32_t wanted);

/* The metadata "original-filename"; NULL: there is none. */
const char *presign_filename(const struct sluice_meta *);

#endif
