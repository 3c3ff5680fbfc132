/* SPDX-License-Identifier: MIT
 *
 * The table of routes: mounts unfolded, signed links added, sorted by path.
 */
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_MOUNT 6 /* at most, of one entry in the settings */

static const char *const names[] = {
    [ROUTE_UPLOAD] = "upload",     [ROUTE_PRESIGN] = "presign",
    [ROUTE_DOWNLOAD] = "download", [ROUTE_LIST] = "list",
    [ROUTE_DELETE] = "delete",     [ROUTE_SIGNED] = "signed",
    [ROUTE_HEALTHZ] = "healthz",   [ROUTE_READYZ] = "readyz"};

const char *route_name(enum route_operation operation) {
  return names[operation];
}

static bool add(struct route_table *table, const struct settings_route *from,
                const char *method, const char *base, const char *below,
                enum route_operation operation) {
  size_t size = strlen(base) + strlen(below) + 1;
  char *path = malloc(size);
  if (path == NULL)
    return false;
  snprintf(path, size, "%s%s", base, below);
  if (path[0] == '\0') { /* the mount "/" itself */
    free(path);
    path = strdup("/");
    if (path == NULL)
      return false;
  }
  table->routes[table->count++] =
      (struct route){.path = path,
                     .method = method,
                     .operation = operation,
                     .group = from,
                     .backend = from == NULL ? 0 : from->backend,
                     .hooks = from == NULL ? NULL : from->hooks,
                     .hook_count = from == NULL ? 0 : from->hook_count};
  return true;
}

static bool add_mount(struct route_table *table,
                      const struct settings_route *from) {
  const char *base = from->mount;
  return add(table, from, "POST", base, "", ROUTE_UPLOAD) &&
         add(table, from, "GET", base, "", ROUTE_LIST) &&
         add(table, from, "DELETE", base, "", ROUTE_DELETE) &&
         add(table, from, "POST", base, "/presign", ROUTE_PRESIGN) &&
         add(table, from, "GET", base, "/download", ROUTE_DOWNLOAD) &&
         add(table, from, "GET", base, "/signed", ROUTE_SIGNED);
}

static bool add_single(struct route_table *table,
                       const struct settings_route *from) {
  enum route_operation operation = ROUTE_UPLOAD;
  while (strcmp(names[operation], from->operation) != 0)
    operation++;
  if (!add(table, from, from->method, from->path, "", operation))
    return false;
  bool links = operation == ROUTE_UPLOAD || operation == ROUTE_PRESIGN;
  return !links ||
         add(table, from, "GET", from->path, "/signed", ROUTE_SIGNED);
}

static int by_path(const void *a, const void *b) {
  const struct route *left = a, *right = b;
  return strcmp(left->path, right->path);
}

/* The route of this operation in the same mount, or else the one whose path is
 * nearest. */
static const char *path_of(const struct route_table *table,
                           const struct route *to,
                           enum route_operation operation) {
  const char *best = NULL;
  size_t best_shared = 0;
  for (size_t i = 0; i < table->count; i++) {
    const struct route *route = &table->routes[i];
    if (route->operation != operation || route->backend != to->backend)
      continue;
    if (route->group == to->group)
      return route->path;
    size_t shared = 0;
    while (to->path[shared] != '\0' && to->path[shared] == route->path[shared])
      shared++;
    if (best == NULL || shared > best_shared) {
      best = route->path;
      best_shared = shared;
    }
  }
  return best;
}

bool route_table_init(struct route_table *table,
                      const struct settings *settings) {
  size_t max = settings->route_count * PER_MOUNT + 2;
  *table = (struct route_table){.routes = calloc(max, sizeof(struct route))};
  if (table->routes == NULL)
    return false;
  bool ok = add(table, NULL, "GET", "/healthz", "", ROUTE_HEALTHZ) &&
            add(table, NULL, "GET", "/readyz", "", ROUTE_READYZ);
  for (size_t i = 0; ok && i < settings->route_count; i++)
    ok = settings->routes[i].mount != NULL
             ? add_mount(table, &settings->routes[i])
             : add_single(table, &settings->routes[i]);
  qsort(table->routes, table->count, sizeof(struct route), by_path);
  for (size_t i = 0; i < table->count; i++) {
    struct route *route = &table->routes[i];
    route->download_path = path_of(table, route, ROUTE_DOWNLOAD);
    route->signed_path = path_of(table, route, ROUTE_SIGNED);
  }
  if (!ok)
    route_table_fini(table);
  return ok;
}

void route_table_fini(struct route_table *table) {
  for (size_t i = 0; i < table->count; i++)
    free(table->routes[i].path);
  free(table->routes);
  *table = (struct route_table){0};
}

/* The first route of a path; the others follow it. */
static const struct route *first_of(const struct route_table *table,
                                    const char *path) {
  size_t low = 0, high = table->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (strcmp(table->routes[middle].path, path) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  bool found =
      low < table->count && strcmp(table->routes[low].path, path) == 0;
  return found ? &table->routes[low] : NULL;
}

static bool of_path(const struct route_table *table, const struct route *route,
                    const char *path) {
  return route < table->routes + table->count &&
         strcmp(route->path, path) == 0;
}

enum route_result route_find(const struct route_table *table,
                             const char *method, const char *path,
                             const struct route **found) {
  const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
  const struct route *route = first_of(table, path);
  if (route == NULL)
    return ROUTE_UNKNOWN;
  for (; of_path(table, route, path); route++)
    if (strcmp(route->method, wanted) == 0) {
      *found = route;
      return ROUTE_FOUND;
    }
  return ROUTE_METHOD;
}

void route_allow(const struct route_table *table, const char *path,
                 char out[64]) {
  size_t n = 0;
  out[0] = '\0';
  const struct route *route = first_of(table, path);
  for (; route != NULL && of_path(table, route, path) && n < 64; route++) {
    bool get = strcmp(route->method, "GET") == 0;
    n += (size_t)snprintf(out + n, 64 - n, "%s%s%s", n > 0 ? ", " : "",
                          route->method, get ? ", HEAD" : "");
  }
}
