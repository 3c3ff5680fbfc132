/* SPDX-License-Identifier: MIT
 *
 * Routes as configured: a mount, or one path and method, and its backend and
 * hooks.  route.c unfolds them.
 */
#include "operation.h"
#include "options.h"
#include "settings_parts.h"
#include "settings_tables.h"
#include <string.h>

#define ROUTE_PATH_MAX 1024
#define EXPIRE_MAX_MS (INT64_C(3650) * 24 * 3600 * 1000)

struct route_conf {
  const char *mount, *path, *method, *operation, *backend;
  int64_t expire_after_ms;
};

#define ROUTE(f) offsetof(struct route_conf, f)

static const struct sluice_option route_table[] = {
    {"mount", SLUICE_STRING, "", ROUTE(mount),
     "the documented endpoints below this path"},
    {"path", SLUICE_STRING, "", ROUTE(path), "or one of them: its path"},
    {"method", SLUICE_STRING, "", ROUTE(method), "its method"},
    {"operation", SLUICE_STRING, "", ROUTE(operation), "what it does"},
    {"backend", SLUICE_STRING, NULL, ROUTE(backend), "name of a backend"},
    {"expire_after", SLUICE_TIME, "0", ROUTE(expire_after_ms),
     "what is uploaded by it ends then, or sooner; 0: when its upload says"},
    {0}};
static const char *const route_others[] = {"hooks", NULL};
static const char *const methods[] = {"GET",    "POST",  "PUT",
                                      "DELETE", "PATCH", NULL};

/* ---- one route --------------------------------------------------------- */

/* The reason why a path is refused, or NULL. */
static const char *path_fault(const char *path, bool mount) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "-._~!$&'()*+,;=:@/";
  size_t len = strlen(path);
  if (*path != '/')
    return "it doesn't begin with /; write /files";
  if (len > ROUTE_PATH_MAX)
    return "it is longer than 1024 bytes; shorten it";
  if (path[strcspn(path, "?#")] != '\0')
    return "a query or fragment is no part of a path; drop it";
  if (path[strspn(path, letters)] != '\0')
    return "only letters, digits and -._~!$&'()*+,;=:@/ are taken; drop the "
           "others";
  if (strstr(path, "//") != NULL || strstr(path, "/./") != NULL ||
      strstr(path, "/../") != NULL ||
      (len >= 2 && strcmp(path + len - 2, "/.") == 0) ||
      (len >= 3 && strcmp(path + len - 3, "/..") == 0))
    return "a segment of it is empty, . or ..; drop it";
  if (mount && len > 1 && path[len - 1] == '/')
    return "it ends in /; leave the last / out";
  return NULL;
}

static bool check_path(const struct settings *s,
                       const struct config_node *node, const char *key,
                       const char *path, struct errmsg *err) {
  const char *why = path_fault(path, strcmp(key, "mount") == 0);
  return why == NULL || config_fault(s->config, settings_line(node, key), err,
                                     "'%s': '%.64s': %s", key, path, why);
}

static bool read_mount(const struct settings *s,
                       const struct config_node *node,
                       const struct route_conf *conf,
                       struct settings_route *route, struct errmsg *err) {
  if (*conf->path != '\0' || *conf->method != '\0' || *conf->operation != '\0')
    return config_fault(s->config, node->line, err,
                        "a route has either 'mount', or 'path', 'method' and "
                        "'operation'; remove one or the others");
  if (!check_path(s, node, "mount", conf->mount, err))
    return false;
  route->mount = strcmp(conf->mount, "/") == 0 ? "" : conf->mount;
  return true;
}

static bool read_single(const struct settings *s,
                        const struct config_node *node,
                        const struct route_conf *conf,
                        struct settings_route *route, struct errmsg *err) {
  const char *operations[OPERATION_WORDS];
  if (*conf->path == '\0' || *conf->method == '\0' || *conf->operation == '\0')
    return config_fault(s->config, node->line, err,
                        "a route needs either 'mount', or 'path', 'method' "
                        "and 'operation'; write {mount: /files, backend: "
                        "NAME}");
  if (!check_path(s, node, "path", conf->path, err))
    return false;
  if (!words_has(methods, conf->method))
    return settings_not_one_of(s, settings_line(node, "method"), "method",
                               conf->method, methods, err);
  operation_words(operations, NULL);
  if (!words_has(operations, conf->operation))
    return settings_not_one_of(s, settings_line(node, "operation"),
                               "operation", conf->operation, operations, err);
  route->path = conf->path;
  route->method = conf->method;
  route->operation = conf->operation;
  return true;
}

static bool find_backend(const struct settings *s,
                         const struct config_node *node, const char *name,
                         struct settings_route *route, struct errmsg *err) {
  const char *names[SETTINGS_BACKENDS_MAX + 1] = {NULL};
  for (size_t i = 0; i < s->backend_count; i++) {
    names[i] = s->backends[i].name;
    if (strcmp(names[i], name) == 0) {
      route->backend = i;
      return true;
    }
  }
  return settings_not_one_of(s, settings_line(node, "backend"), "backend",
                             name, names, err);
}

/* A route's own hooks, or the common ones. */
static bool read_hooks(struct settings *s, const struct config_node *node,
                       struct settings_route *route, struct errmsg *err) {
  const struct config_node *own = config_get(node, "hooks");
  size_t first = own == NULL ? 0 : s->hook_count;
  if (own != NULL && !settings_add_hooks(s, own, "a route's hooks", err))
    return false;
  size_t end = own == NULL ? s->common_hooks : s->hook_count;
  route->hook_count = end - first;
  route->hooks =
      config_alloc(s->config, (route->hook_count + 1) * sizeof(size_t));
  if (route->hooks == NULL)
    return settings_no_memory(s, err);
  for (size_t i = first; i < end; i++)
    route->hooks[i - first] = i;
  return true;
}

/* Whole seconds, as moments are. */
static bool read_expiry(const struct settings *s,
                        const struct config_node *node,
                        const struct route_conf *conf,
                        struct settings_route *route, struct errmsg *err) {
  int64_t ms = conf->expire_after_ms;
  route->expire_after_ms = ms;
  return ms == 0 || (ms >= 1000 && ms <= EXPIRE_MAX_MS && ms % 1000 == 0) ||
         config_fault(s->config, settings_line(node, "expire_after"), err,
                      "'expire_after': %.64s is out of range; write whole "
                      "seconds, 1s to 3650d, or 0",
                      config_get(node, "expire_after")->text);
}

static bool read_route(struct settings *s, const struct config_node *node,
                       struct settings_route *route, struct errmsg *err) {
  struct route_conf conf = {0};
  route->line = node->line;
  if (!options_fill(route_table, route_others, s->config, node, "a route",
                    &conf, err))
    return false;
  bool ok = *conf.mount != '\0' ? read_mount(s, node, &conf, route, err)
                                : read_single(s, node, &conf, route, err);
  return ok && read_expiry(s, node, &conf, route, err) &&
         find_backend(s, node, conf.backend, route, err) &&
         read_hooks(s, node, route, err);
}

/* ---- all of them ------------------------------------------------------- */

bool settings_read_routes(struct settings *s, struct errmsg *err) {
  const struct config_node *root = s->config->root;
  const struct config_node *list = config_get(root, "routes");
  if (list == NULL || list->kind != CONFIG_SEQUENCE || list->count == 0)
    return config_fault(s->config, settings_line(root, "routes"), err,
                        "no route; write routes: [{mount: /files, backend: "
                        "NAME}]");
  if (list->count > SETTINGS_ROUTES_MAX)
    return config_fault(s->config, list->items[SETTINGS_ROUTES_MAX].line, err,
                        "more than %d routes; drop some", SETTINGS_ROUTES_MAX);
  s->routes = config_alloc(s->config, list->count * sizeof *s->routes);
  if (s->routes == NULL)
    return settings_no_memory(s, err);
  for (size_t i = 0; i < list->count; i++, s->route_count++)
    if (!read_route(s, &list->items[i], &s->routes[i], err))
      return false;
  return true;
}

const struct settings_table settings_tables_routes[] = {
    {"routes", route_table}, {NULL, NULL}};
