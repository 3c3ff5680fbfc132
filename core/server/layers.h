/* SPDX-License-Identifier: MIT
 *
 * Backends that stand on others: their names found, their order known, before
 * anything is started.
 */
#ifndef SERVER_LAYERS_H
#define SERVER_LAYERS_H

#include <stdbool.h>

#include "errmsg.h"
#include "op.h"

struct generation;
struct instance;

/* The plugins are loaded and have their options.  Fills each backend's part
 * and generation->order.  False and why, with the line. */
bool layers_find(struct generation *, struct errmsg *);
void layers_free(struct instance *);

/* Before start() of a layer: the stores that it may ask what they can. */
void layers_start(const struct generation *, struct instance *);
/* Before open(): the layer on a loop, whose backends are an array like the
 * gateway's.  False: no memory. */
bool layers_open(const struct generation *, size_t backend,
                 struct op_backend *const *backends);
void layers_close(struct op_backend *);

#endif
