/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: numbers of a plugin among the gateway's metrics.  Its
 * descriptor's `metrics` is a table of them, so that each is there from the
 * start, at 0.  A part of <sluice/plugin.h>, which is what a plugin includes.
 */
#ifndef SLUICE_METRICS_H
#define SLUICE_METRICS_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_metric_kind {
  SLUICE_COUNTER,  /* it only grows; its name ends in _total */
  SLUICE_GAUGE,    /* what is so at the moment */
  SLUICE_HISTOGRAM /* of times; its name ends in _seconds */
};

#define SLUICE_METRICS_MAX 64       /* entries of a table */
#define SLUICE_METRIC_NAME_MAX 64   /* bytes of a name or a value */
#define SLUICE_METRIC_VALUES_MAX 32 /* of one label */

/* The table ends with a NULL name; it and its texts live as long as the
 * process.  Every series has the label `backend` or `hook`, with the name of
 * the configuration. */
struct sluice_metric { /* frozen for major 1 */
  const char *name;    /* a-z, 0-9 and _, from a letter on, without the prefix
                          sluice_; it begins with the plugin's name where no
                          other plugin has the same metric */
  int kind;            /* enum sluice_metric_kind */
  const char *help;    /* one line */
  /* Of several series of one name: another label, and its values, up to a
   * NULL.  No `values`: of a layer, the names of the backends that its options
   * name, in their order.  NULL: there is one series. */
  const char *label;
  const char *const *values;
};

/* How the calls name a series: by its place in the table, and by that of the
 * label's value. */
#define SLUICE_SERIES(metric, value) \
  ((uint32_t)(metric) | (uint32_t)(value) << 16)

#pragma GCC visibility push(default)

/* All from any thread, without a lock, with a host that is still valid; none
 * fails.  What the table doesn't declare so isn't counted, and breaks the
 * contract. */

void sluice_count(struct sluice_host *, uint32_t series, uint64_t more);
/* The value as far as this host knows it: what is shown is the sum of those
 * that an instance's hosts, start()'s and each loop's, set last; a loop's is 0
 * again after close(). */
void sluice_gauge(struct sluice_host *, uint32_t series, int64_t value);
/* One more, that took so long. */
void sluice_observe(struct sluice_host *, uint32_t series, uint64_t us);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
