/* SPDX-License-Identifier: MIT
 *
 * Two backends of a configuration, with those that they stand on, started and
 * open on one loop, without a socket: for `sluice migrate`.
 */
#ifndef TOOLS_PAIR_OF_STORES_H
#define TOOLS_PAIR_OF_STORES_H

#include "stand.h"

struct pair_of_stores {
  struct gateway *gateway;
  struct stand stand;
  bool stands;
  struct op_backend *from, *to;
};

/* False and why; pair_of_stores_fini() is needed in any case. */
bool pair_of_stores_init(struct pair_of_stores *, const char *file,
                         const char *from, const char *to, struct errmsg *);
void pair_of_stores_fini(struct pair_of_stores *);

#endif
