/* SPDX-License-Identifier: MIT
 *
 * Two backends of a configuration, with those that they stand on, started and
 * open on one loop, without a socket: for `sluice migrate`.
 */
#ifndef TOOLS_PAIR_OF_STORES_H
#define TOOLS_PAIR_OF_STORES_H

#include "gateway.h"
#include "op.h"

struct pair_of_stores {
  struct gateway *gateway;
  struct loop *loop;
  bool *needed;               /* as many as backends */
  struct op_backend *handles; /* so, too */
  size_t from, to;
};

/* False and why; pair_of_stores_fini() is needed in any case. */
bool pair_of_stores_init(struct pair_of_stores *, const char *file,
                         const char *from, const char *to, struct errmsg *);
void pair_of_stores_fini(struct pair_of_stores *);

#endif
