/* SPDX-License-Identifier: MIT
 *
 * Numbers of plugins, family by family: one name may be of several plugins,
 * and one plugin of several backends or hooks.
 */
#include "meters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "exposition.h"
#include "gateway.h"
#include "plugin_metrics.h"

#define FAMILY_NAME_MAX (SLUICE_METRIC_NAME_MAX + sizeof "sluice_")

/* ---- all instances of a generation -------------------------------------- */

static size_t count_of(const struct generation *generation) {
  return generation->settings->backend_count +
         generation->settings->hook_count;
}

static struct instance *instance_of(const struct generation *generation,
                                    size_t i) {
  size_t backends = generation->settings->backend_count;
  return i < backends ? generation->backends[i]
                      : generation->hooks[i - backends];
}

bool meters_check(const struct generation *generation, struct errmsg *err) {
  size_t count = count_of(generation);
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < i; k++)
      if (plugin_metrics_clash(&instance_of(generation, k)->plugin,
                               &instance_of(generation, i)->plugin, err))
        return false;
  return true;
}

/* ---- whose they are ----------------------------------------------------- */

static bool counts_by_below(const struct sluice_metric *table) {
  for (; table != NULL && table->name != NULL; table++)
    if (plugin_metrics_of_below(table))
      return true;
  return false;
}

/* Another one with the same series, of a generation before or of this one. */
static struct meter *meters_find(struct gateway *gateway,
                                 const struct meter_form *form) {
  struct meter *meter = LIST_FIRST(&gateway->meters);
  while (meter != NULL && !meter_is(meter, form))
    meter = LIST_NEXT(meter, in_list);
  if (meter != NULL) {
    meter->users++;
    return meter;
  }
  meter = meter_new(form);
  if (meter != NULL)
    LIST_INSERT_HEAD(&gateway->meters, meter, in_list);
  return meter;
}

bool meters_take(struct gateway *gateway, struct instance *instance) {
  const char *below[LAYER_NAMES_MAX + 1] = {NULL};
  const struct sluice_host *host = &instance->host;
  struct meter_form form = {.is_backend =
                                instance->plugin.kind == PLUGIN_BACKEND,
                            .plugin = instance->plugin.name,
                            .name = host->name,
                            .table = plugin_metrics(&instance->plugin)};
  for (size_t i = 0; i < host->store_count; i++)
    below[i] = host->stores[i].name;
  if (counts_by_below(form.table))
    form.below = below;
  instance->meter = meters_find(gateway, &form);
  if (instance->meter != NULL)
    instance->host.row = meter_row_new(instance->meter, instance);
  return instance->host.row != NULL;
}

void meters_leave(struct instance *instance) {
  struct meter *meter = instance->meter;
  meter_row_free(instance->host.row);
  instance->host.row = NULL;
  instance->meter = NULL;
  if (meter == NULL)
    return;
  if (meter->users == 1)
    LIST_REMOVE(meter, in_list);
  meter_leave(meter);
}

/* ---- as text ------------------------------------------------------------ */

/* The first meter of each is the one that is asked. */
struct shown {
  const struct generation *generation;
  struct buf *page;
  uint64_t **sums; /* of the meter of each instance; NULL: it was shown */
};

static void write_series(struct shown *shown, size_t i, size_t metric,
                         const char *name) {
  const struct meter *meter = instance_of(shown->generation, i)->meter;
  const struct meter_form *form = &meter->form;
  const struct sluice_metric *of = &form->table[metric];
  for (size_t k = 0; k < meter_values(form, metric); k++) {
    const uint64_t *numbers = shown->sums[i] + meter_at(meter, metric, k);
    const struct exposition_label labels[] = {
        {form->is_backend ? "backend" : "hook", form->name},
        {of->label, of->label == NULL ? NULL : meter_value(form, metric, k)},
        {NULL, NULL}};
    switch ((enum sluice_metric_kind)of->kind) {
    case SLUICE_COUNTER:
      exposition_number(shown->page, name, labels, numbers[0]);
      break;
    case SLUICE_GAUGE:
      exposition_signed(shown->page, name, labels, (int64_t)numbers[0]);
      break;
    case SLUICE_HISTOGRAM:
      exposition_histogram(shown->page, name, labels, metrics_bounds_us,
                           METRICS_BOUNDS, numbers,
                           numbers[METRICS_BOUNDS + 1]);
      break;
    }
  }
}

/* The name's place in the table of this instance; -1: it has none. */
static int find_metric(const struct shown *shown, size_t i, const char *name) {
  const struct meter *meter = instance_of(shown->generation, i)->meter;
  for (size_t k = 0; shown->sums[i] != NULL && k < meter->metrics; k++)
    if (strcmp(meter->form.table[k].name, name) == 0)
      return (int)k;
  return -1;
}

static void write_family(struct shown *shown, size_t first, size_t metric) {
  static const char *const types[] = {[SLUICE_COUNTER] = "counter",
                                      [SLUICE_GAUGE] = "gauge",
                                      [SLUICE_HISTOGRAM] = "histogram"};
  const struct meter *meter = instance_of(shown->generation, first)->meter;
  const struct sluice_metric *of = &meter->form.table[metric];
  char name[FAMILY_NAME_MAX];
  for (size_t i = 0; i < first; i++)
    if (find_metric(shown, i, of->name) >= 0)
      return; /* it was written with that one */
  snprintf(name, sizeof name, "sluice_%s", of->name);
  exposition_family(shown->page, name, types[of->kind], of->help);
  for (size_t i = first; i < count_of(shown->generation); i++) {
    int at = find_metric(shown, i, of->name);
    if (at >= 0)
      write_series(shown, i, (size_t)at, name);
  }
}

/* Hooks of one name share a meter, which is read once. */
static bool is_shared_before(const struct generation *generation, size_t i) {
  for (size_t k = 0; k < i; k++)
    if (instance_of(generation, k)->meter == instance_of(generation, i)->meter)
      return true;
  return false;
}

/* An instance of a generation before isn't added to the one in its place. */
static bool is_in_use(const void *generation, const void *instance) {
  for (size_t i = 0; i < count_of(generation); i++)
    if (instance_of(generation, i) == instance)
      return true;
  return false;
}

static bool read_meters(struct shown *shown) {
  for (size_t i = 0; i < count_of(shown->generation); i++) {
    struct meter *meter = instance_of(shown->generation, i)->meter;
    if (meter == NULL || meter->count == 0 ||
        is_shared_before(shown->generation, i))
      continue;
    shown->sums[i] = calloc(meter->count, sizeof **shown->sums);
    if (shown->sums[i] == NULL)
      return false;
    meter_read(meter, shown->sums[i], is_in_use, shown->generation);
  }
  return true;
}

void meters_write(const struct gateway *gateway, struct buf *page) {
  size_t count = count_of(gateway->now);
  struct shown shown = {.generation = gateway->now,
                        .page = page,
                        .sums = calloc(count + 1, sizeof *shown.sums)};
  if (shown.sums == NULL || !read_meters(&shown))
    page->overflown = true;
  for (size_t i = 0; i < count && !page->overflown; i++)
    if (shown.sums[i] != NULL)
      for (size_t k = 0; k < instance_of(shown.generation, i)->meter->metrics;
           k++)
        write_family(&shown, i, k);
  for (size_t i = 0; i < count && shown.sums != NULL; i++)
    free(shown.sums[i]);
  free(shown.sums);
}
