/* SPDX-License-Identifier: MIT
 *
 * All metrics of the gateway as text.  The main thread's.
 */
#ifndef SERVER_SCRAPE_H
#define SERVER_SCRAPE_H

#include "buf.h"

#define SCRAPE_MAX (16u << 20) /* bytes of a page */

struct gateway;

/* Overflown: it has no room, or there is no memory. */
void scrape(struct gateway *, struct buf *page);

#endif
