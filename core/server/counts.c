/* SPDX-License-Identifier: MIT
 *
 * Routes and backends are told apart by their labels.
 */
#include "counts.h"

#include <string.h>

#include "gateway.h"
#include "metrics.h"

struct map { /* from a configuration's routes and backends to another's */
  size_t routes[SETTINGS_ROUTES_MAX + 1];
  size_t backends[SETTINGS_BACKENDS_MAX];
};

static bool same_word(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static size_t find_route(const struct settings *in,
                         const struct settings_route *route) {
  for (size_t i = 0; i < in->route_count; i++)
    if (same_word(in->routes[i].mount, route->mount) &&
        same_word(in->routes[i].path, route->path) &&
        same_word(in->routes[i].method, route->method) &&
        same_word(in->routes[i].operation, route->operation))
      return i;
  return METRICS_NOWHERE;
}

static size_t find_backend(const struct settings *in, const char *name) {
  for (size_t i = 0; i < in->backend_count; i++)
    if (strcmp(in->backends[i].name, name) == 0)
      return i;
  return METRICS_NOWHERE;
}

static void make_map(struct map *map, const struct settings *from,
                     const struct settings *to) {
  for (size_t i = 0; i < from->route_count; i++)
    map->routes[i] = find_route(to, &from->routes[i]);
  map->routes[from->route_count] = to->route_count; /* those of no route */
  for (size_t i = 0; i < from->backend_count; i++)
    map->backends[i] = find_backend(to, from->backends[i].name);
}

static bool counts_begin(struct metrics *out, const struct settings *of) {
  return metrics_init(out, of->route_count + 1, of->backend_count);
}

static void add_requests(struct metrics *out,
                         const struct generation *generation,
                         const struct settings *as) {
  struct map map;
  make_map(&map, generation->settings, as);
  for (size_t i = 0; i < generation->loops; i++)
    metrics_sum_as(out, &generation->counts[i], map.routes, map.backends);
}

static void add_calls(struct metrics *out, const struct instance *backend,
                      const struct settings *as) {
  size_t at = find_backend(as, backend->host.name);
  for (size_t i = 0; i < backend->loops; i++)
    metrics_sum_as(out, &backend->calls[i], NULL, &at);
}

/* Does a generation that comes later in this order have it, too? */
static bool comes_again(const struct generation *generation,
                        const struct instance *backend) {
  for (; generation != NULL; generation = LIST_NEXT(generation, in_list))
    for (size_t i = 0; i < generation->settings->backend_count; i++)
      if (generation->backends[i] == backend)
        return true;
  return false;
}

static void add_generation(struct metrics *out,
                           const struct generation *generation,
                           const struct generation *rest,
                           const struct settings *as) {
  add_requests(out, generation, as);
  for (size_t i = 0; i < generation->settings->backend_count; i++)
    if (!comes_again(rest, generation->backends[i]))
      add_calls(out, generation->backends[i], as);
}

bool counts_sum(const struct gateway *gateway, struct metrics *out) {
  const struct settings *as = gateway->now->settings;
  if (!counts_begin(out, as))
    return false;
  const struct generation *generation = LIST_FIRST(&gateway->earlier);
  metrics_sum(out, &gateway->retired);
  add_generation(out, gateway->now, generation, as);
  for (; generation != NULL; generation = LIST_NEXT(generation, in_list))
    add_generation(out, generation, LIST_NEXT(generation, in_list), as);
  for (size_t i = 0; i < gateway->worker_count; i++)
    metrics_sum_as(out, &gateway->workers[i].metrics, NULL, NULL);
  return true;
}

bool counts_translate(const struct gateway *gateway,
                      const struct generation *generation,
                      struct metrics *out) {
  struct map map;
  if (!counts_begin(out, generation->settings))
    return false;
  make_map(&map, gateway->now->settings, generation->settings);
  metrics_sum_as(out, &gateway->retired, map.routes, map.backends);
  return true;
}

void counts_retire(struct gateway *gateway,
                   const struct generation *generation) {
  const struct settings *as = gateway->now->settings;
  add_requests(&gateway->retired, generation, as);
  for (size_t i = 0; i < generation->settings->backend_count; i++)
    if (generation->backends[i]->users == 1)
      add_calls(&gateway->retired, generation->backends[i], as);
}
