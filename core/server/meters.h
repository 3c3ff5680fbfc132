/* SPDX-License-Identifier: MIT
 *
 * The numbers of plugins: each configured one has a meter, which one of the
 * same name goes on with after a reload.  The main thread's.
 */
#ifndef SERVER_METERS_H
#define SERVER_METERS_H

#include "buf.h"
#include "errmsg.h"
#include "meter.h"

struct gateway;
struct generation;
struct instance;

LIST_HEAD(meters, meter);

/* Plugins of one configuration don't declare the same name for two things.
 * True, or why not. */
bool meters_check(const struct generation *, struct errmsg *);
/* Before start(): the instance has a meter, and its host a row.  False: no
 * memory. */
bool meters_take(struct gateway *, struct instance *);
/* After stop(), if there was one. */
void meters_leave(struct instance *);
/* Those of the newest generation, as text. */
void meters_write(const struct gateway *, struct buf *page);

#endif
