/* SPDX-License-Identifier: MIT
 *
 * The tables in which plugins declare what they count (<sluice/metrics.h>):
 * what is wrong with one is said before anything starts.
 */
#ifndef HOST_PLUGIN_METRICS_H
#define HOST_PLUGIN_METRICS_H

#include "plugin.h"

/* NULL: it has none. */
const struct sluice_metric *plugin_metrics(const struct plugin *);
/* A label's values are the names of backends below. */
bool plugin_metrics_of_below(const struct sluice_metric *);
/* Names, kinds, labels, limits, and each name once.  True, or why not. */
bool plugin_metrics_check(const struct plugin *, bool is_layer,
                          struct errmsg *);
/* Two plugins of one configuration have the same names only for the same
 * thing. */
bool plugin_metrics_clash(const struct plugin *, const struct plugin *,
                          struct errmsg *);

#endif
