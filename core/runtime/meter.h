/* SPDX-License-Identifier: MIT
 *
 * A meter is what one plugin of the configuration counts
 * (<sluice/metrics.h>).  Each of its hosts has a row of numbers of its own, so
 * that loops share no cache line; a row that ends leaves what it has counted,
 * and takes its gauges with it.  A plugin that a reload starts anew goes on
 * with the same meter, while its series stay the same.
 */
#ifndef RUNTIME_METER_H
#define RUNTIME_METER_H

#include <sluice/plugin.h>
#include <sys/queue.h>

#include "metrics.h"

struct meter_row;
struct meter_book;

/* Of whom, and what: all of it is copied, but for the table. */
struct meter_form {
  bool is_backend;
  const char *plugin, *name;         /* name: of the configuration */
  const struct sluice_metric *table; /* which was checked; NULL: none */
  const char *const *below;          /* names, of a layer; NULL at the end */
};

struct meter {
  LIST_ENTRY(meter) in_list; /* of who keeps them */
  size_t users;
  struct meter_form form;
  char **names;          /* of `form`: its texts */
  size_t metrics, count; /* of the table; numbers of a row */
  struct meter_book *book;
};

/* One user; NULL: no memory. */
struct meter *meter_new(const struct meter_form *);
bool meter_is(const struct meter *, const struct meter_form *);
/* One user fewer, true: it was the last one, and the meter is gone. */
bool meter_leave(struct meter *);

/* From any thread.  `owner` is whose host it is.  NULL: no memory, then its
 * host counts nothing. */
struct meter_row *meter_row_new(struct meter *, const void *owner);
void meter_row_free(struct meter_row *); /* NULL is fine */

/* The values of the label of an entry: how many, 1 where it has no label; and
 * the name of one. */
size_t meter_values(const struct meter_form *, size_t metric);
const char *meter_value(const struct meter_form *, size_t metric,
                        size_t value);
/* Sums of all rows, `count` of them; from any thread.  Gauges are of the rows
 * that shows(arg, owner); NULL: of all. */
void meter_read(struct meter *, uint64_t *sums,
                bool (*shows)(const void *arg, const void *owner),
                const void *arg);
/* The numbers of a series begin there: METRICS_HISTOGRAM of a histogram, else
 * one. */
size_t meter_at(const struct meter *, size_t metric, size_t value);

#endif
