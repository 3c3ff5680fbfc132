/* SPDX-License-Identifier: MIT
 *
 * The table of routes: mounts unfolded, signed links added, sorted by path.
 * Two routes that claim the same method and path are refused, and one that
 * claims a path of the gateway's own.
 */
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unfold {
  struct route_table *table;
  const struct settings *settings;
  const struct endpoint *const *endpoints;
  struct errmsg *err;
};

static const struct endpoint *endpoint_of(const struct unfold *unfold,
                                          enum operation operation) {
  const struct endpoint *const *at = unfold->endpoints;
  while (*at != NULL && (*at)->operation != operation)
    at++;
  return *at;
}

/* Without memory the path is NULL, which route_table_init() looks for. */
static void add(struct unfold *unfold, const struct settings_route *from,
                const char *base, const char *below, const char *method,
                const struct endpoint *endpoint) {
  size_t size = strlen(base) + strlen(below) + 2;
  char *path = malloc(size);
  if (path != NULL)
    snprintf(path, size, "%s%s", base, below);
  if (path != NULL && path[0] == '\0') /* the mount "/" itself */
    memcpy(path, "/", 2);
  unfold->table->routes[unfold->table->count++] =
      (struct route){.path = path,
                     .method = method,
                     .endpoint = endpoint,
                     .from = from,
                     .backend = from == NULL ? 0 : from->backend,
                     .hooks = from == NULL ? NULL : from->hooks,
                     .hook_count = from == NULL ? 0 : from->hook_count};
}

static void add_mount(struct unfold *unfold,
                      const struct settings_route *from) {
  const struct endpoint *const *at = unfold->endpoints;
  for (; *at != NULL; at++)
    if ((*at)->operation != OPERATION_NONE)
      add(unfold, from, from->mount, (*at)->tail, (*at)->method, *at);
}

static void add_single(struct unfold *unfold,
                       const struct settings_route *from) {
  const struct endpoint *endpoint =
      endpoint_of(unfold, operation_find(from->operation));
  const struct endpoint *const *at = unfold->endpoints;
  add(unfold, from, from->path, "", from->method, endpoint);
  for (; endpoint->gives_links && *at != NULL; at++)
    if ((*at)->operation == OPERATION_SIGNED)
      add(unfold, from, from->path, (*at)->tail, (*at)->method, *at);
}

/* Of those that are the gateway's own. */
static bool is_served(const struct unfold *unfold,
                      const struct endpoint *endpoint) {
  return endpoint->operation == OPERATION_NONE &&
         (!endpoint->console || unfold->settings->server.console);
}

static void add_own(struct unfold *unfold) {
  const struct endpoint *const *at = unfold->endpoints;
  for (; *at != NULL; at++)
    if (is_served(unfold, *at))
      add(unfold, NULL, (*at)->tail, "", (*at)->method, *at);
}

static unsigned line_of(const struct route *route) {
  return route->from == NULL ? 0 : route->from->line;
}

static int by_path(const void *a, const void *b) {
  const struct route *left = a, *right = b;
  unsigned from = line_of(left), to = line_of(right);
  int order = strcmp(left->path, right->path);
  if (order == 0)
    order = strcmp(left->method, right->method);
  return order != 0 ? order : (from > to) - (from < to);
}

/* ---- what two routes claim ---------------------------------------------- */

/* The routes of one backend may share the place where links are served. */
static bool is_shared(const struct route *a, const struct route *b) {
  return a->from != NULL && a->from->mount == NULL && b->from->mount == NULL &&
         a->endpoint->operation == OPERATION_SIGNED &&
         b->endpoint->operation == OPERATION_SIGNED &&
         a->backend == b->backend;
}

static bool clash(const struct route *a, const struct route *b) {
  return strcmp(a->path, b->path) == 0 && strcmp(a->method, b->method) == 0 &&
         !is_shared(a, b);
}

static bool is_own(const struct unfold *unfold, const char *path) {
  const struct endpoint *const *at = unfold->endpoints;
  for (; *at != NULL; at++)
    if (is_served(unfold, *at) && strcmp((*at)->tail, path) == 0)
      return true;
  return false;
}

static bool check_claims(const struct unfold *unfold) {
  const struct route_table *table = unfold->table;
  const struct config *config = unfold->settings->config;
  for (size_t i = 0; i < table->count; i++) {
    const struct route *route = &table->routes[i];
    if (route->from != NULL && is_own(unfold, route->path))
      return config_fault(config, line_of(route), unfold->err,
                          "%s is the gateway's own; choose another path",
                          route->path);
    if (i > 0 && route->from != NULL && clash(route - 1, route))
      return config_fault(config, line_of(route), unfold->err,
                          "%s %.200s is also the route of line %u; change one "
                          "of them",
                          route->method, route->path, line_of(route - 1));
  }
  return true;
}

/* ---- the table ---------------------------------------------------------- */

/* The route of this operation in the same mount, or else the one whose path is
 * nearest. */
static const char *path_of(const struct route_table *table,
                           const struct route *to, enum operation operation) {
  const char *best = NULL;
  size_t best_shared = 0;
  for (size_t i = 0; i < table->count; i++) {
    const struct route *route = &table->routes[i];
    if (route->endpoint->operation != operation ||
        route->backend != to->backend)
      continue;
    if (route->from == to->from)
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

static void find_paths(struct route_table *table) {
  for (size_t i = 0; i < table->count; i++) {
    struct route *route = &table->routes[i];
    route->download_path = path_of(table, route, OPERATION_DOWNLOAD);
    route->object_path = path_of(table, route, OPERATION_REPLACE);
    route->signed_path = path_of(table, route, OPERATION_SIGNED);
  }
}

static bool has_paths(const struct route_table *table) {
  for (size_t i = 0; i < table->count; i++)
    if (table->routes[i].path == NULL)
      return false;
  return true;
}

bool route_table_init(struct route_table *table,
                      const struct settings *settings,
                      const struct endpoint *const *endpoints,
                      struct errmsg *err) {
  struct unfold unfold = {table, settings, endpoints, err};
  size_t count = 0;
  while (endpoints[count] != NULL)
    count++;
  *table = (struct route_table){
      .routes = calloc((settings->route_count + 1) * count + 1,
                       sizeof(struct route))};
  if (table->routes == NULL)
    return errmsg_set(err, "out of memory");
  add_own(&unfold);
  for (size_t i = 0; i < settings->route_count; i++)
    if (settings->routes[i].mount != NULL)
      add_mount(&unfold, &settings->routes[i]);
    else
      add_single(&unfold, &settings->routes[i]);
  bool ok = has_paths(table) || errmsg_set(err, "out of memory");
  if (ok) {
    qsort(table->routes, table->count, sizeof(struct route), by_path);
    find_paths(table);
    ok = check_claims(&unfold);
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

/* The same for a path whose last segment is any text, as "/files/uploads/x" is
 * one of "/files/uploads/" ROUTE_ANY. */
static const struct route *first_above(const struct route_table *table,
                                       const char *path) {
  const char *slash = strrchr(path, '/');
  char above[ROUTE_ABOVE_MAX];
  if (slash == NULL || slash[1] == '\0' ||
      (size_t)(slash - path) > sizeof above - sizeof "/" ROUTE_ANY)
    return NULL;
  snprintf(above, sizeof above, "%.*s/" ROUTE_ANY, (int)(slash - path), path);
  return first_of(table, above);
}

static const struct route *first_for(const struct route_table *table,
                                     const char *path) {
  const struct route *route = first_of(table, path);
  return route != NULL ? route : first_above(table, path);
}

static bool of_path(const struct route_table *table, const struct route *route,
                    const struct route *first) {
  return route < table->routes + table->count &&
         strcmp(route->path, first->path) == 0;
}

enum route_result route_find(const struct route_table *table,
                             const char *method, const char *path,
                             const struct route **found) {
  const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
  const struct route *first = first_for(table, path);
  if (first == NULL)
    return ROUTE_UNKNOWN;
  for (const struct route *route = first; of_path(table, route, first);
       route++)
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
  const struct route *first = first_for(table, path), *route = first;
  for (; route != NULL && of_path(table, route, first) && n < 64; route++) {
    if (route->endpoint->unlisted)
      continue;
    bool get = strcmp(route->method, "GET") == 0;
    n += (size_t)snprintf(out + n, 64 - n, "%s%s%s", n > 0 ? ", " : "",
                          route->method, get ? ", HEAD" : "");
  }
}
