/* SPDX-License-Identifier: MIT
 *
 * Which operation of which backend a method and a path mean.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "settings.h"

enum route_operation {
  ROUTE_UPLOAD,
  ROUTE_PRESIGN,
  ROUTE_DOWNLOAD,
  ROUTE_LIST,
  ROUTE_DELETE,
  ROUTE_SIGNED, /* a download by a signed link */
  ROUTE_HEALTHZ,
  ROUTE_READYZ
};

struct route {
  char *path;
  const char *method; /* GET serves HEAD too */
  enum route_operation operation;
  size_t backend;
  const void *group;   /* the same for all routes of a mount */
  const size_t *hooks; /* indices into the settings' hooks */
  size_t hook_count;
  const char *download_path; /* where uploads are found; NULL: nowhere */
  const char *signed_path;   /* where links are served; NULL: nowhere */
};

struct route_table {
  struct route *routes; /* by path */
  size_t count;
};

/* Points into the settings.  False: no memory. */
bool route_table_init(struct route_table *, const struct settings *);
void route_table_fini(struct route_table *);

enum route_result { ROUTE_FOUND, ROUTE_UNKNOWN, ROUTE_METHOD };
enum route_result route_find(const struct route_table *, const char *method,
                             const char *path, const struct route **);
/* "GET, HEAD, POST": what a known path allows. */
void route_allow(const struct route_table *, const char *path, char out[64]);
/* "upload", ... */
const char *route_name(enum route_operation);

#endif
