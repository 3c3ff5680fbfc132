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

struct gateway;
struct gateway_plugin;

/* The plugins are loaded and have their options.  Fills each backend's part
 * and gateway->order.  False and why, with the line. */
bool layers_find(struct gateway *, struct errmsg *);
void layers_free(struct gateway_plugin *);

/* Before start() of a layer: the stores that it may ask what they can. */
void layers_start(struct gateway *, struct gateway_plugin *);
/* Before open(): the layer on a loop, whose backends are an array like the
 * gateway's.  False: no memory. */
bool layers_open(const struct gateway *, size_t backend,
                 struct op_backend *backends);
void layers_close(struct op_backend *);

#endif
