/* SPDX-License-Identifier: MIT
 *
 * Names in options become backends.  What can't be (an unknown name, a circle)
 * is refused with its line, by `sluice -t` already.
 */
#include "layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "generation.h"
#include "options.h"
#include "words.h"

#define CHAIN_SIZE 512 /* of a circle in a message */

/* ---- names -------------------------------------------------------------- */

struct naming { /* an option of a layer that names backends */
  struct generation *generation;
  struct instance *layer;
  const struct settings_plugin *from;
  const struct sluice_option *option;
  const struct config_node *node; /* the value; NULL: the default */
  struct errmsg *err;
};

static bool name_fault(const struct naming *naming, size_t item,
                       const char *what) {
  const struct config_node *node = naming->node;
  unsigned line = node == NULL ? naming->from->node->line
                  : node->kind == CONFIG_SEQUENCE && item < node->count
                      ? node->items[item].line
                      : node->line;
  return config_fault(naming->generation->settings->config, line, naming->err,
                      "backend '%s': '%s' %s", naming->from->name,
                      naming->option->name, what);
}

static bool unknown_name(const struct naming *naming, size_t item,
                         const char *name) {
  const struct settings *settings = naming->generation->settings;
  const char *names[SETTINGS_BACKENDS_MAX + 1] = {NULL};
  char what[512], known[300];
  size_t count = 0;
  for (size_t i = 0; i < settings->backend_count; i++)
    if (strcmp(settings->backends[i].name, naming->from->name) != 0)
      names[count++] = settings->backends[i].name;
  const char *near = words_nearest(name, names);
  words_join(known, sizeof known, names);
  if (near != NULL)
    snprintf(what, sizeof what,
             "names '%.64s', and there is no such backend; did you mean "
             "'%s'?",
             name, near);
  else
    snprintf(what, sizeof what,
             "names '%.64s', and there is no such backend; others are: %s",
             name, count == 0 ? "none" : known);
  return name_fault(naming, item, what);
}

static bool add_name(const struct naming *naming, size_t item,
                     const char *name) {
  const struct settings *settings = naming->generation->settings;
  struct instance *layer = naming->layer;
  size_t at = 0;
  while (at < settings->backend_count &&
         strcmp(settings->backends[at].name, name) != 0)
    at++;
  if (at == settings->backend_count)
    return unknown_name(naming, item, name);
  for (size_t i = 0; i < layer->below_count; i++)
    if (layer->below[i] == at)
      return name_fault(naming, item,
                        "names a backend that is named already; "
                        "name each once");
  if (layer->below_count == LAYER_NAMES_MAX)
    return name_fault(naming, item,
                      "names the 17th backend; a layer stands on at most 16");
  layer->below[layer->below_count++] = at;
  return true;
}

static bool add_option(const struct naming *naming) {
  const struct sluice_option *option = naming->option;
  const void *field = (const char *)naming->layer->conf + option->offset;
  const char *one[2] = {NULL, NULL};
  const char *const *names = one;
  if (options_is_list(option->type))
    memcpy(&names, field, sizeof names);
  else
    memcpy(one, field, sizeof *one);
  bool none = names[0] == NULL || names[0][0] == '\0';
  if (none && option->fallback != NULL)
    return true;
  if (none)
    return name_fault(naming, 0, "names no backend; write the name of one");
  for (size_t i = 0; names[i] != NULL; i++)
    if (!add_name(naming, i, names[i]))
      return false;
  return true;
}

static bool find_names(struct generation *generation, size_t i,
                       struct errmsg *err) {
  struct instance *layer = generation->backends[i];
  const struct settings_plugin *from = &generation->settings->backends[i];
  const struct sluice_option *option = plugin_options(&layer->plugin);
  if (layer_kind(option) == LAYER_NONE)
    return true;
  layer->below = calloc(LAYER_NAMES_MAX, sizeof *layer->below);
  layer->layer = calloc(1, sizeof *layer->layer);
  layer->stores = calloc(LAYER_NAMES_MAX, sizeof *layer->stores);
  if (layer->below == NULL || layer->layer == NULL || layer->stores == NULL)
    return errmsg_set(err, "out of memory");
  for (; option->name != NULL; option++) {
    const struct naming naming = {
        generation, layer, from, option, config_get(from->node, option->name),
        err};
    if (layer_is_name(option->type) && !add_option(&naming))
      return false;
  }
  return true;
}

/* ---- order -------------------------------------------------------------- */

struct walk {
  struct generation *generation;
  struct errmsg *err;
  size_t path[SETTINGS_BACKENDS_MAX], length; /* from the top down */
  unsigned height[SETTINGS_BACKENDS_MAX];     /* 0: not seen; a storage: 1 */
};

static bool circle(struct walk *walk, size_t again) {
  const struct settings *settings = walk->generation->settings;
  char chain[CHAIN_SIZE];
  size_t len = 0, from = 0;
  while (walk->path[from] != again)
    from++;
  for (size_t i = from; i < walk->length && len < sizeof chain; i++)
    len += (size_t)snprintf(chain + len, sizeof chain - len, "%.64s over ",
                            settings->backends[walk->path[i]].name);
  return config_fault(
      settings->config, settings->backends[again].node->line, walk->err,
      "backend '%s' stands on itself: %s%s; name another "
      "backend",
      settings->backends[again].name, chain, settings->backends[again].name);
}

static bool visit(struct walk *walk, size_t at) {
  struct generation *generation = walk->generation;
  const struct settings *settings = generation->settings;
  const struct instance *layer = generation->backends[at];
  unsigned height = 0;
  for (size_t i = 0; i < walk->length; i++)
    if (walk->path[i] == at)
      return circle(walk, at);
  if (walk->height[at] > 0)
    return true;
  walk->path[walk->length++] = at;
  for (size_t i = 0; i < layer->below_count; i++) {
    if (!visit(walk, layer->below[i]))
      return false;
    if (walk->height[layer->below[i]] > height)
      height = walk->height[layer->below[i]];
  }
  walk->length--;
  if (height > LAYER_DEPTH_MAX)
    return config_fault(settings->config, settings->backends[at].node->line,
                        walk->err,
                        "backend '%s' is the 17th layer of a stack; there "
                        "are at most 16 on each other",
                        settings->backends[at].name);
  walk->height[at] = height + 1;
  generation->order[generation->ordered++] = at;
  return true;
}

static void unfold(struct generation *generation, struct instance *backend) {
  const struct instance *below = NULL;
  if (backend->layer == NULL)
    return;
  if (layer_kind(plugin_options(&backend->plugin)) == LAYER_ONE)
    below = generation->backends[backend->below[0]];
  layer_unfold(backend->layer, &backend->plugin.backend,
               below == NULL ? NULL : instance_offers(below));
}

bool layers_find(struct generation *generation, struct errmsg *err) {
  size_t count = generation->settings->backend_count;
  struct walk walk = {.generation = generation, .err = err};
  generation->order = calloc(count + 1, sizeof *generation->order);
  if (generation->order == NULL)
    return errmsg_set(err, "out of memory");
  for (size_t i = 0; i < count; i++)
    if (!find_names(generation, i, err))
      return false;
  for (size_t i = 0; i < count; i++)
    if (!visit(&walk, i))
      return false;
  for (size_t i = 0; i < count; i++)
    unfold(generation, generation->backends[generation->order[i]]);
  return true;
}

void layers_free(struct instance *backend) {
  free(backend->below);
  free(backend->layer);
  free(backend->stores);
}

/* ---- life --------------------------------------------------------------- */

static void name_stores(const struct generation *generation,
                        const struct instance *layer,
                        struct sluice_store *stores,
                        struct sluice_host *host) {
  for (size_t i = 0; i < layer->below_count; i++) {
    const struct instance *below = generation->backends[layer->below[i]];
    stores[i] = (struct sluice_store){
        .name = below->host.name, .abilities = below->abilities, .host = host};
  }
  host->stores = stores;
  host->store_count = layer->below_count;
}

void layers_start(const struct generation *generation,
                  struct instance *layer) {
  name_stores(generation, layer, layer->stores, &layer->host);
}

bool layers_open(const struct generation *generation, size_t at,
                 struct op_backend *const *backends) {
  const struct instance *from = generation->backends[at];
  struct op_backend *layer = backends[at];
  struct op_layer *before = layer->layer; /* of one that has ended */
  if (from->layer == NULL)
    return true;
  struct sluice_store *stores = calloc(LAYER_NAMES_MAX, sizeof *stores);
  layer->layer = before != NULL ? before : calloc(1, sizeof *layer->layer);
  if (stores == NULL || layer->layer == NULL) {
    free(stores);
    return false;
  }
  name_stores(generation, from, stores, &layer->host);
  for (size_t i = 0; i < from->below_count; i++) {
    stores[i].layer = layer;
    stores[i].below = backends[from->below[i]];
  }
  layer->layer->calls = &from->layer->calls;
  if (layer_kind(plugin_options(&from->plugin)) == LAYER_ONE)
    layer->layer->below = stores[0].below;
  return true;
}

void layers_close(struct op_backend *layer) {
  free(layer->host.stores);
  layer->host.stores = NULL;
  layer->host.store_count = 0;
}
