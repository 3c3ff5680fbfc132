/* SPDX-License-Identifier: MIT
 *
 * The endpoint and the backend that a method and a path mean.
 */
#ifndef HOST_ROUTE_H
#define HOST_ROUTE_H

#include "endpoint.h"
#include "settings.h"

#define ROUTE_ABOVE_MAX 1024 /* bytes of a path above its last segment */

struct route {
  char *path;
  const char *method; /* GET serves HEAD too */
  const struct endpoint *endpoint;
  size_t backend;
  const struct settings_route *from; /* NULL: it is the gateway's own */
  const size_t *hooks;               /* indices into the settings' hooks */
  size_t hook_count;
  const char *download_path; /* where uploads are found; NULL: nowhere */
  const char *object_path;   /* where one is by its name; NULL: nowhere */
  const char *signed_path;   /* where links are served; NULL: nowhere */
};

struct route_table {
  struct route *routes; /* by path */
  size_t count;
};

/* Unfolds the settings' routes, which it points into, by the NULL-ended list
 * of endpoints.  False and why: two routes claim the same, or there is no
 * memory. */
bool route_table_init(struct route_table *, const struct settings *,
                      const struct endpoint *const *endpoints,
                      struct errmsg *);
void route_table_fini(struct route_table *);

enum route_result { ROUTE_FOUND, ROUTE_UNKNOWN, ROUTE_METHOD };
enum route_result route_find(const struct route_table *, const char *method,
                             const char *path, const struct route **);
/* "GET, HEAD, POST": what a known path allows. */
void route_allow(const struct route_table *, const char *path, char out[64]);

#endif
