/* SPDX-License-Identifier: MIT
 *
 * Loaded and started as the gateway does, bottom first.  They are taken to be
 * sound: what they do wrong is in the log.
 */
#include "floors.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64 /* in the text of one */

/* ---- the plan ----------------------------------------------------------- */

static bool read_floor(struct floors_plan *plan, char *text,
                       struct errmsg *err) {
  const char *words[WORDS_MAX + 1] = {NULL};
  char *rest = NULL;
  size_t count = 0;
  for (char *word = strtok_r(text, " ", &rest); word != NULL;
       word = strtok_r(NULL, " ", &rest)) {
    if (count == WORDS_MAX)
      return errmsg_set(err, "--over: more than %d words", WORDS_MAX);
    words[count++] = word;
  }
  struct subject *subject = &plan->subjects[plan->count];
  if (count == 0)
    return errmsg_set(err, "--over: write the path of a plugin, and then its "
                           "options as key=value");
  if (!subject_load(subject, words[0], err))
    return false;
  if (subject->plugin.kind != PLUGIN_BACKEND)
    return errmsg_set(err, "--over: '%s' is a hook; name a backend",
                      subject->name);
  plan->count++;
  return subject_configure(subject, NULL, words + 1, err);
}

bool floors_add(struct floors_plan *plan, const char *text,
                struct errmsg *err) {
  if (plan->count == FLOORS_MAX)
    return errmsg_set(err, "more than %d of --over; drop some", FLOORS_MAX);
  char *copy = strdup(text);
  bool ok = copy != NULL ? read_floor(plan, copy, err)
                         : errmsg_set(err, "out of memory");
  free(copy);
  return ok;
}

static bool floors_is_layer(const struct subject *subject) {
  return subject->plugin.kind == PLUGIN_BACKEND &&
         layer_kind(plugin_options(&subject->plugin)) != LAYER_NONE;
}

static const struct sluice_backend *offers_of(const struct floors_plan *plan,
                                              size_t i) {
  if (i >= plan->count)
    return NULL;
  return floors_is_layer(&plan->subjects[i])
             ? &plan->layers[i].offers
             : &plan->subjects[i].plugin.backend;
}

static bool unfold(struct floors_plan *plan, const struct subject *subject,
                   struct layer *layer, size_t below, struct errmsg *err) {
  bool one = layer_kind(plugin_options(&subject->plugin)) == LAYER_ONE;
  if (floors_is_layer(subject) && below == plan->count)
    return errmsg_set(err,
                      "'%s' is a layer: give the plugin that it stands on by "
                      "--over 'PATH.so key=value ...'",
                      subject->name);
  if (!floors_is_layer(subject) && below < plan->count)
    return errmsg_set(err,
                      "'%s' is no layer, and stands on nothing: --over "
                      "'%s' has no use",
                      subject->name, plan->subjects[below].name);
  if (floors_is_layer(subject))
    layer_unfold(layer, &subject->plugin.backend,
                 one ? offers_of(plan, below) : NULL);
  return true;
}

bool floors_unfold(struct floors_plan *plan, struct subject *subject,
                   struct errmsg *err) {
  for (size_t i = plan->count; i-- > 0;)
    if (!unfold(plan, &plan->subjects[i], &plan->layers[i], i + 1, err))
      return false;
  return unfold(plan, subject, &plan->top, 0, err);
}

/* ---- life --------------------------------------------------------------- */

void floors_name(struct sluice_store *store, struct sluice_host *host,
                 struct floor *below, struct op_backend *layer) {
  *store =
      (struct sluice_store){.name = FLOORS_NAME,
                            .abilities = below->abilities,
                            .host = host,
                            .layer = layer,
                            .below = layer == NULL ? NULL : &below->handle};
  host->stores = store;
  host->store_count = 1;
}

static unsigned floor_can(const struct floor *floor,
                          const struct floor *below) {
  const struct sluice_backend *plugin = &floor->subject->plugin.backend;
  unsigned said = plugin->can != NULL ? plugin->can(floor->instance)
                  : below != NULL && floor->layer != NULL
                      ? layer_inherits(plugin, below->abilities)
                      : 0;
  return layer_can(floor->offers, said);
}

const char *floors_start(const struct floors_plan *plan, struct floor *floors,
                         const struct sluice_host *host) {
  for (size_t i = plan->count; i-- > 0;) {
    struct floor *floor = &floors[i];
    struct floor *below = i + 1 < plan->count ? &floors[i + 1] : NULL;
    *floor = (struct floor){.subject = &plan->subjects[i],
                            .offers = offers_of(plan, i),
                            .host = *host};
    floor->host.name = floor->subject->name;
    floor->host.watch = NULL;
    floor->host.row = NULL;
    if (below != NULL) {
      floor->layer = &plan->layers[i];
      floors_name(&floor->start_store, &floor->host, below, NULL);
    }
    floor->instance = floor->subject->plugin.backend.start(
        floor->subject->conf, &floor->host);
    if (floor->instance == NULL)
      return floor->host.failure;
    floor->abilities = floor_can(floor, below);
  }
  return NULL;
}

const char *floors_open(struct floor *floors, size_t count,
                        struct loop *loop) {
  for (size_t i = count; i-- > 0;) {
    struct floor *floor = &floors[i];
    struct op_backend *handle = &floor->handle;
    *handle = (struct op_backend){.plugin = floor->offers,
                                  .host = floor->host,
                                  .abilities = floor->abilities};
    handle->host.loop = loop;
    if (floor->layer != NULL) {
      floor->on_loop = (struct op_layer){.calls = &floor->layer->calls,
                                         .below = &floors[i + 1].handle};
      handle->layer = &floor->on_loop;
      floors_name(&floor->store, &handle->host, &floors[i + 1], handle);
    }
    handle->handle =
        floor->subject->plugin.backend.open(floor->instance, &handle->host);
    if (handle->handle == NULL)
      return handle->host.failure;
  }
  return NULL;
}

void floors_close(struct floor *floors, size_t count) {
  for (size_t i = 0; i < count; i++)
    floors[i].subject->plugin.backend.close(floors[i].handle.handle);
}

void floors_stop(struct floor *floors, size_t count) {
  for (size_t i = 0; i < count; i++)
    floors[i].subject->plugin.backend.stop(floors[i].instance);
}
