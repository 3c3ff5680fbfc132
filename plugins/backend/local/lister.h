/* SPDX-License-Identifier: MIT
 *
 * Lists: pages of keys in byte order.  A page costs as many seeks as it has
 * entries, however many objects lie below a folded prefix.
 */
#ifndef LOCAL_LISTER_H
#define LOCAL_LISTER_H

#include "errmsg.h"

#include <sluice/plugin.h>
#include <sqlite3.h>

struct local_handle;
struct task;
struct listing; /* one list under way */

struct lister {
  sqlite3 *db;
  struct sluice_lane *lane;
  sqlite3_stmt *begin, *end, *scan;
};

bool lister_open(struct local_handle *, struct errmsg *);
void lister_close(struct local_handle *);
/* An entry of struct sluice_backend. */
void lister_list(void *handle, struct sluice_op *, const struct sluice_list *);
void listing_free(struct listing *); /* NULL: nothing */

#endif
