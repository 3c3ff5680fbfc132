/* SPDX-License-Identifier: MIT
 *
 * Tables of metrics, checked as promtool(1) would check what comes of them.
 */
#include "plugin_metrics.h"

#include <string.h>

/* Names of the gateway's own begin so, without "sluice_"; a plugin's don't, or
 * two families had one name. */
static const char *const own[] = {"backend_operation",
                                  "backend_attempts_total",
                                  "backend_retries_total",
                                  "build_info",
                                  "certificate_",
                                  "connections",
                                  "draining",
                                  "memory_",
                                  "pool_",
                                  "refusals_total",
                                  "request_",
                                  "requests_",
                                  NULL};

/* Of a histogram's samples, and of counters: no gauge is named so. */
static const char *const endings[] = {"_total", "_count", "_sum", "_bucket",
                                      NULL};

const struct sluice_metric *plugin_metrics(const struct plugin *plugin) {
  return plugin->kind == PLUGIN_BACKEND ? plugin->backend.metrics
                                        : plugin->hook.metrics;
}

bool plugin_metrics_of_below(const struct sluice_metric *metric) {
  return metric->label != NULL && metric->values == NULL;
}

static bool ends(const char *text, const char *end) {
  size_t len = strlen(text), tail = strlen(end);
  return len > tail && strcmp(text + len - tail, end) == 0;
}

static bool is_word(const char *text) {
  size_t len = strlen(text);
  if (len > SLUICE_METRIC_NAME_MAX || text[0] < 'a' || text[0] > 'z')
    return false;
  return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static const char *metrics_name_fault(const struct sluice_metric *metric) {
  if (!is_word(metric->name))
    return "isn't a name; write 1 to 64 of a-z, 0-9 and _, a letter first";
  for (size_t i = 0; own[i] != NULL; i++)
    if (strncmp(metric->name, own[i], strlen(own[i])) == 0)
      return "begins as metrics of the gateway do; begin it with the "
             "plugin's name";
  switch ((enum sluice_metric_kind)metric->kind) {
  case SLUICE_COUNTER:
    return ends(metric->name, "_total")
               ? NULL
               : "is a counter; let its name end in _total";
  case SLUICE_HISTOGRAM:
    return ends(metric->name, "_seconds")
               ? NULL
               : "is a histogram; let its name end in _seconds";
  case SLUICE_GAUGE:
    for (size_t i = 0; endings[i] != NULL; i++)
      if (ends(metric->name, endings[i]))
        return "is a gauge; let its name not end in _total, _count, _sum "
               "or _bucket";
    return NULL;
  }
  return "has an unknown kind; write one of enum sluice_metric_kind";
}

static const char *values_fault(const char *const *values) {
  size_t count = 0;
  for (; values[count] != NULL; count++) {
    if (count == SLUICE_METRIC_VALUES_MAX)
      return "has more than 32 values of its label; drop some";
    if (!is_word(values[count]))
      return "has a value that isn't a word; write 1 to 64 of a-z, 0-9 and "
             "_, a letter first";
    for (size_t i = 0; i < count; i++)
      if (strcmp(values[i], values[count]) == 0)
        return "has a value of its label twice; drop one";
  }
  return count == 0 ? "has a label without values; list them" : NULL;
}

static const char *label_fault(const struct sluice_metric *metric,
                               bool is_layer) {
  static const char *const taken[] = {"backend",  "hook", "le",
                                      "instance", "job",  NULL};
  if (metric->label == NULL)
    return metric->values == NULL ? NULL
                                  : "has values without a label; name it";
  if (!is_word(metric->label) || strncmp(metric->label, "__", 2) == 0)
    return "has a label that isn't a name; write 1 to 64 of a-z, 0-9 and _, "
           "a letter first";
  for (size_t i = 0; taken[i] != NULL; i++)
    if (strcmp(metric->label, taken[i]) == 0)
      return "has a label that is somebody else's (backend, hook, le, "
             "instance, job); choose another one";
  if (metric->values != NULL)
    return values_fault(metric->values);
  return is_layer
             ? NULL
             : "has a label without values, which only a layer may; list them";
}

static const char *help_fault(const struct sluice_metric *metric) {
  return metric->help == NULL || metric->help[0] == '\0' ||
                 strpbrk(metric->help, "\n\\") != NULL
             ? "has no help; write one line, without backslashes"
             : NULL;
}

static const char *entry_fault(const struct sluice_metric *table, size_t i,
                               bool is_layer) {
  const char *fault = metrics_name_fault(&table[i]);
  for (size_t k = 0; fault == NULL && k < i; k++)
    if (strcmp(table[k].name, table[i].name) == 0)
      fault = "is declared twice; drop one";
  if (fault == NULL)
    fault = label_fault(&table[i], is_layer);
  return fault == NULL ? help_fault(&table[i]) : fault;
}

bool plugin_metrics_check(const struct plugin *plugin, bool is_layer,
                          struct errmsg *err) {
  const struct sluice_metric *table = plugin_metrics(plugin);
  for (size_t i = 0; table != NULL && table[i].name != NULL; i++) {
    const char *fault = i == SLUICE_METRICS_MAX
                            ? "is the 65th of its table; drop some"
                            : entry_fault(table, i, is_layer);
    if (fault != NULL)
      return errmsg_set(err, "plugin '%s': its metric '%.64s' %s",
                        plugin->name, table[i].name, fault);
  }
  return true;
}

/* ---- of two plugins ----------------------------------------------------- */

static bool same_text(const char *a, const char *b) {
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* One family, whoever counts. */
static bool is_alike(const struct sluice_metric *a,
                     const struct sluice_metric *b) {
  return a->kind == b->kind && same_text(a->help, b->help) &&
         same_text(a->label, b->label);
}

bool plugin_metrics_clash(const struct plugin *a, const struct plugin *b,
                          struct errmsg *err) {
  const struct sluice_metric *mine = plugin_metrics(a);
  const struct sluice_metric *others = plugin_metrics(b);
  if (mine == NULL || others == NULL || mine == others)
    return false;
  for (; mine->name != NULL; mine++)
    for (const struct sluice_metric *at = others; at->name != NULL; at++)
      if (strcmp(mine->name, at->name) == 0 &&
          (a->kind != b->kind || !is_alike(mine, at)))
        return !errmsg_set(
            err,
            "plugins '%s' and '%s': both declare the metric '%.64s', and "
            "not as the same thing; let each name begin with its plugin's",
            a->name, b->name, mine->name);
  return false;
}
