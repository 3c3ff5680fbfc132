/* SPDX-License-Identifier: MIT
 *
 * Rows of numbers, to which any thread adds without a lock; the list of rows
 * has one, for those who begin, end and read them.
 */
#include "meter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "op.h"
#include "violation.h"

struct place { /* of an entry of the table, in a row */
  int kind;
  uint32_t at, values;
};

struct meter_row {
  LIST_ENTRY(meter_row) in_list;
  struct meter *meter;
  const void *owner;
  size_t metrics;
  const struct place *places; /* get */
  _Atomic uint64_t cells[];
};

struct meter_book {
  pthread_mutex_t lock; /* guards all but places */
  LIST_HEAD(meter_rows, meter_row) rows;
  uint64_t *ended; /* what rows that are gone have counted */
  uint64_t broken; /* violations */
  struct place places[];
};

/* ---- its form ----------------------------------------------------------- */

size_t meter_values(const struct meter_form *form, size_t metric) {
  const struct sluice_metric *of = &form->table[metric];
  const char *const *values = of->values != NULL ? of->values : form->below;
  size_t count = 0;
  if (of->label == NULL)
    return 1;
  while (values != NULL && values[count] != NULL)
    count++;
  return count;
}

const char *meter_value(const struct meter_form *form, size_t metric,
                        size_t value) {
  const struct sluice_metric *of = &form->table[metric];
  return of->values != NULL ? of->values[value] : form->below[value];
}

static size_t width_of(const struct sluice_metric *metric) {
  return metric->kind == SLUICE_HISTOGRAM ? METRICS_HISTOGRAM : 1;
}

static bool same_names(const char *const *a, const char *const *b) {
  if (a == NULL || b == NULL)
    return a == b;
  for (; *a != NULL && *b != NULL; a++, b++)
    if (strcmp(*a, *b) != 0)
      return false;
  return *a == *b;
}

bool meter_is(const struct meter *meter, const struct meter_form *form) {
  const struct meter_form *mine = &meter->form;
  return mine->is_backend == form->is_backend && mine->table == form->table &&
         strcmp(mine->plugin, form->plugin) == 0 &&
         strcmp(mine->name, form->name) == 0 &&
         same_names(mine->below, form->below);
}

/* ---- its life ----------------------------------------------------------- */

static void free_names(char **names) {
  for (size_t i = 0; names != NULL && names[i] != NULL; i++)
    free(names[i]);
  free(names);
}

/* The plugin's name, the configured one, and those below. */
static bool copy_names(struct meter *meter, const struct meter_form *form) {
  size_t below = 0;
  while (form->below != NULL && form->below[below] != NULL)
    below++;
  meter->names = calloc(below + 3, sizeof *meter->names);
  if (meter->names == NULL)
    return false;
  for (size_t i = 0; i < below + 2; i++) {
    const char *name = i == 0   ? form->plugin
                       : i == 1 ? form->name
                                : form->below[i - 2];
    if ((meter->names[i] = strdup(name)) == NULL)
      return false;
  }
  meter->form.plugin = meter->names[0];
  meter->form.name = meter->names[1];
  if (form->below != NULL)
    meter->form.below = (const char *const *)meter->names + 2;
  return true;
}

static bool make_book(struct meter *meter, const struct meter_form *form) {
  size_t metrics = 0;
  while (form->table != NULL && form->table[metrics].name != NULL)
    metrics++;
  meter->metrics = metrics;
  struct meter_book *book =
      calloc(1, sizeof *book + metrics * sizeof *book->places);
  meter->book = book;
  if (book == NULL)
    return false;
  pthread_mutex_init(&book->lock, NULL);
  for (size_t i = 0; i < metrics; i++) {
    const struct sluice_metric *of = &form->table[i];
    size_t values = meter_values(form, i);
    book->places[i] = (struct place){.kind = of->kind,
                                     .at = (uint32_t)meter->count,
                                     .values = (uint32_t)values};
    meter->count += values * width_of(of);
  }
  book->ended = calloc(meter->count + 1, sizeof *book->ended);
  return book->ended != NULL;
}

static void meter_free(struct meter *meter) {
  if (meter->book != NULL) {
    pthread_mutex_destroy(&meter->book->lock);
    free(meter->book->ended);
  }
  free(meter->book);
  free_names(meter->names);
  free(meter);
}

struct meter *meter_new(const struct meter_form *form) {
  struct meter *meter = calloc(1, sizeof *meter);
  if (meter == NULL)
    return NULL;
  meter->users = 1;
  meter->form = *form;
  if (copy_names(meter, form) && make_book(meter, form))
    return meter;
  meter_free(meter);
  return NULL;
}

bool meter_leave(struct meter *meter) {
  if (--meter->users > 0)
    return false;
  meter_free(meter);
  return true;
}

/* ---- its rows ----------------------------------------------------------- */

struct meter_row *meter_row_new(struct meter *meter, const void *owner) {
  struct meter_row *row =
      calloc(1, sizeof *row + meter->count * sizeof *row->cells);
  if (row == NULL)
    return NULL;
  row->meter = meter;
  row->owner = owner;
  row->metrics = meter->metrics;
  row->places = meter->book->places;
  pthread_mutex_lock(&meter->book->lock);
  LIST_INSERT_HEAD(&meter->book->rows, row, in_list);
  pthread_mutex_unlock(&meter->book->lock);
  return row;
}

static void add_row(uint64_t *sums, const struct meter_row *row,
                    bool with_gauges) {
  const struct meter *meter = row->meter;
  for (size_t i = 0; i < meter->metrics; i++) {
    const struct place *place = &row->places[i];
    size_t end = place->at + place->values * width_of(&meter->form.table[i]);
    if (place->kind == SLUICE_GAUGE && !with_gauges)
      continue;
    for (size_t at = place->at; at < end; at++)
      sums[at] += atomic_load_explicit(&row->cells[at], memory_order_relaxed);
  }
}

void meter_row_free(struct meter_row *row) {
  if (row == NULL)
    return;
  struct meter_book *book = row->meter->book;
  pthread_mutex_lock(&book->lock);
  LIST_REMOVE(row, in_list);
  add_row(book->ended, row, false);
  pthread_mutex_unlock(&book->lock);
  free(row);
}

void meter_read(struct meter *meter, uint64_t *sums,
                bool (*shows)(const void *arg, const void *owner),
                const void *arg) {
  struct meter_book *book = meter->book;
  const struct meter_row *row;
  pthread_mutex_lock(&book->lock);
  memcpy(sums, book->ended, meter->count * sizeof *sums);
  for (row = LIST_FIRST(&book->rows); row != NULL;
       row = LIST_NEXT(row, in_list))
    add_row(sums, row, shows == NULL || shows(arg, row->owner));
  pthread_mutex_unlock(&book->lock);
}

size_t meter_at(const struct meter *meter, size_t metric, size_t value) {
  return meter->book->places[metric].at +
         value * width_of(&meter->form.table[metric]);
}

/* ---- the plugin's side -------------------------------------------------- */

static void meter_violated(const struct sluice_host *host, const char *call) {
  struct meter *meter = host->row->meter;
  pthread_mutex_lock(&meter->book->lock);
  violation_note(&meter->book->broken, host, meter->form.plugin, call,
                 VIOLATION_METRIC);
  pthread_mutex_unlock(&meter->book->lock);
}

/* NULL: there is none of that kind. */
static _Atomic uint64_t *series_of(const struct sluice_host *host,
                                   uint32_t series,
                                   enum sluice_metric_kind kind,
                                   const char *call) {
  struct meter_row *row = host->row;
  size_t metric = series & 0xffff, value = series >> 16;
  if (row == NULL)
    return NULL;
  if (metric < row->metrics) {
    const struct place *place = &row->places[metric];
    size_t width = kind == SLUICE_HISTOGRAM ? METRICS_HISTOGRAM : 1;
    if (place->kind == (int)kind && value < place->values)
      return &row->cells[place->at + value * width];
  }
  meter_violated(host, call);
  return NULL;
}

static void meter_add(_Atomic uint64_t *cell, uint64_t n) {
  atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void sluice_count(struct sluice_host *host, uint32_t series, uint64_t more) {
  _Atomic uint64_t *cell =
      series_of(host, series, SLUICE_COUNTER, "sluice_count");
  if (cell != NULL)
    meter_add(cell, more);
}

void sluice_gauge(struct sluice_host *host, uint32_t series, int64_t value) {
  _Atomic uint64_t *cell =
      series_of(host, series, SLUICE_GAUGE, "sluice_gauge");
  if (cell != NULL)
    atomic_store_explicit(cell, (uint64_t)value, memory_order_relaxed);
}

void sluice_observe(struct sluice_host *host, uint32_t series, uint64_t us) {
  size_t at = 0;
  _Atomic uint64_t *cells =
      series_of(host, series, SLUICE_HISTOGRAM, "sluice_observe");
  if (cells == NULL)
    return;
  while (at < METRICS_BOUNDS && us > metrics_bounds_us[at])
    at++;
  meter_add(&cells[at], 1);
  meter_add(&cells[METRICS_BOUNDS + 1], us);
}
