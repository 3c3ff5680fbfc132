/* SPDX-License-Identifier: MIT
 *
 * Tables of metrics that plugins declare: what is taken, and what is refused
 * in which words.
 */
#include "plugin_metrics.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define X8 "xxxxxxxx"
#define X56 X8 X8 X8 X8 X8 X8 X8

static const char *const values[] = {"one", "two", NULL};
static const char *const twice[] = {"one", "two", "one", NULL};
static const char *const none[] = {NULL};
static const char *const odd[] = {"One", NULL};

static bool accepts(const struct sluice_metric *table, struct errmsg *err) {
  struct plugin plugin = {.kind = PLUGIN_HOOK, .name = "p"};
  plugin.hook.metrics = table;
  return plugin_metrics_check(&plugin, false, err);
}

static void test_tables_of_one(void) {
  static const struct {
    struct sluice_metric metric;
    const char *why; /* a part of it; NULL: it is taken */
  } rows[] = {
      {{"p_total", SLUICE_COUNTER, "H.", NULL, NULL}, NULL},
      {{"p_bytes", SLUICE_GAUGE, "H.", NULL, NULL}, NULL},
      {{"p_x_seconds", SLUICE_HISTOGRAM, "H.", NULL, NULL}, NULL},
      {{"p_total", SLUICE_COUNTER, "H.", "by", values}, NULL},
      {{X56 "xtotal8", SLUICE_COUNTER, "H.", NULL, NULL}, "_total"},
      {{X56 "xx_total", SLUICE_COUNTER, "H.", NULL, NULL}, NULL},
      {{X56 "xxx_total", SLUICE_COUNTER, "H.", NULL, NULL}, "isn't a name"},
      {{"", SLUICE_GAUGE, "H.", NULL, NULL}, "isn't a name"},
      {{"P", SLUICE_GAUGE, "H.", NULL, NULL}, "isn't a name"},
      {{"1p", SLUICE_GAUGE, "H.", NULL, NULL}, "isn't a name"},
      {{"p-q", SLUICE_GAUGE, "H.", NULL, NULL}, "isn't a name"},
      {{"p", SLUICE_COUNTER, "H.", NULL, NULL}, "end in _total"},
      {{"_total", SLUICE_COUNTER, "H.", NULL, NULL}, "isn't a name"},
      {{"p_total", SLUICE_GAUGE, "H.", NULL, NULL}, "not end in _total"},
      {{"p_count", SLUICE_GAUGE, "H.", NULL, NULL}, "not end in _total"},
      {{"p_bucket", SLUICE_GAUGE, "H.", NULL, NULL}, "not end in _total"},
      {{"p_ms", SLUICE_HISTOGRAM, "H.", NULL, NULL}, "end in _seconds"},
      {{"p", 3, "H.", NULL, NULL}, "unknown kind"},
      {{"p", -1, "H.", NULL, NULL}, "unknown kind"},
      {{"p", SLUICE_GAUGE, NULL, NULL, NULL}, "has no help"},
      {{"p", SLUICE_GAUGE, "", NULL, NULL}, "has no help"},
      {{"p", SLUICE_GAUGE, "a\nb", NULL, NULL}, "has no help"},
      {{"p", SLUICE_GAUGE, "a\\b", NULL, NULL}, "has no help"},
      {{"memory_p", SLUICE_GAUGE, "H.", NULL, NULL}, "of the gateway"},
      {{"request_p", SLUICE_GAUGE, "H.", NULL, NULL}, "of the gateway"},
      {{"p", SLUICE_GAUGE, "H.", NULL, values}, "without a label"},
      {{"p", SLUICE_GAUGE, "H.", "by", NULL}, "only a layer"},
      {{"p", SLUICE_GAUGE, "H.", "by", none}, "without values"},
      {{"p", SLUICE_GAUGE, "H.", "by", odd}, "isn't a word"},
      {{"p", SLUICE_GAUGE, "H.", "by", twice}, "twice"},
      {{"p", SLUICE_GAUGE, "H.", "le", values}, "somebody else's"},
      {{"p", SLUICE_GAUGE, "H.", "hook", values}, "somebody else's"},
      {{"p", SLUICE_GAUGE, "H.", "B", values}, "isn't a name"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct sluice_metric table[] = {rows[i].metric, {0}};
    struct errmsg err = {0};
    bool taken = accepts(table, &err);
    if (rows[i].why == NULL ? !taken
                            : taken || strstr(err.text, rows[i].why) == NULL)
      printf("%s: %s\n", rows[i].metric.name, err.text);
    CU_ASSERT_EQUAL(taken, rows[i].why == NULL);
    if (rows[i].why != NULL)
      CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].why));
  }
}

static void test_text_names_plugin_and_metric(void) {
  static const struct sluice_metric table[] = {
      {"p_total", SLUICE_COUNTER, "H.", NULL, NULL},
      {"p_total", SLUICE_COUNTER, "H.", NULL, NULL},
      {0}};
  struct errmsg err;
  CU_ASSERT_FALSE(accepts(table, &err));
  CU_ASSERT_STRING_EQUAL(
      err.text,
      "plugin 'p': its metric 'p_total' is declared twice; drop one");
}

static void test_64_are_taken_and_65_are_not(void) {
  static char names[SLUICE_METRICS_MAX + 1][8];
  struct sluice_metric table[SLUICE_METRICS_MAX + 2] = {0};
  struct errmsg err;
  for (size_t i = 0; i < SLUICE_METRICS_MAX; i++) {
    snprintf(names[i], sizeof names[i], "p_%zu", i);
    table[i] =
        (struct sluice_metric){names[i], SLUICE_GAUGE, "H.", NULL, NULL};
  }
  CU_ASSERT_TRUE(accepts(table, &err));
  table[SLUICE_METRICS_MAX] =
      (struct sluice_metric){"p_more", SLUICE_GAUGE, "H.", NULL, NULL};
  CU_ASSERT_FALSE(accepts(table, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the 65th"));
}

static void test_32_values_are_taken_and_33_are_not(void) {
  static char texts[SLUICE_METRIC_VALUES_MAX + 1][8];
  const char *many[SLUICE_METRIC_VALUES_MAX + 2] = {NULL};
  const struct sluice_metric table[] = {{"p", SLUICE_GAUGE, "H.", "by", many},
                                        {0}};
  struct errmsg err;
  for (size_t i = 0; i <= SLUICE_METRIC_VALUES_MAX; i++) {
    snprintf(texts[i], sizeof texts[i], "v%zu", i);
    many[i] = texts[i];
    CU_ASSERT_EQUAL(accepts(table, &err), i < SLUICE_METRIC_VALUES_MAX);
  }
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "more than 32"));
}

static void test_of_two_plugins_one_name_is_one_thing(void) {
  static const struct {
    struct sluice_metric metric;
    bool clashes;
  } rows[] = {
      {{"p_total", SLUICE_COUNTER, "H.", NULL, NULL}, false},
      {{"q_total", SLUICE_COUNTER, "Other.", NULL, NULL}, false},
      {{"p_total", SLUICE_COUNTER, "Other.", NULL, NULL}, true},
      {{"p_total", SLUICE_GAUGE, "H.", NULL, NULL}, true},
      {{"p_total", SLUICE_COUNTER, "H.", "by", values}, true},
  };
  static const struct sluice_metric first[] = {
      {"p_total", SLUICE_COUNTER, "H.", NULL, NULL}, {0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct sluice_metric table[] = {rows[i].metric, {0}};
    struct plugin a = {.kind = PLUGIN_HOOK, .name = "a"}, b = a;
    struct errmsg err;
    a.hook.metrics = first;
    b.hook.metrics = table;
    CU_ASSERT_EQUAL(plugin_metrics_clash(&a, &b, &err), rows[i].clashes);
    b.kind = PLUGIN_BACKEND;
    b.backend.metrics = table;
    bool other = strcmp(rows[i].metric.name, "q_total") == 0;
    CU_ASSERT_EQUAL(plugin_metrics_clash(&a, &b, &err), !other);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_tables_of_one),
      UNIT(test_text_names_plugin_and_metric),
      UNIT(test_64_are_taken_and_65_are_not),
      UNIT(test_32_values_are_taken_and_33_are_not),
      UNIT(test_of_two_plugins_one_name_is_one_thing),
      {NULL, NULL}};
  return unit_main("plugin_metrics", tests);
}
