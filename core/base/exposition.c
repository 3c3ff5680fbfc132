/* SPDX-License-Identifier: MIT
 *
 * Metrics as text: one sample a line.
 */
#include "exposition.h"

#include <inttypes.h>
#include <stdio.h>

#define SECONDS_LEN 32

void exposition_family(struct buf *buf, const char *name, const char *type,
                       const char *help) {
  buf_addf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_value(struct buf *buf, const char *value) {
  for (; *value != '\0'; value++) {
    if (*value == '\n')
      buf_adds(buf, "\\n");
    else if (*value == '"' || *value == '\\')
      buf_addf(buf, "\\%c", *value);
    else
      buf_addc(buf, *value);
  }
}

/* The name with its labels, and one more where `le` isn't NULL. */
static void add_series(struct buf *buf, const char *name, const char *suffix,
                       const struct exposition_label *labels, const char *le) {
  char before = '{';
  buf_adds(buf, name);
  buf_adds(buf, suffix);
  for (; labels != NULL && labels->name != NULL; labels++) {
    buf_addf(buf, "%c%s=\"", before, labels->name);
    add_value(buf, labels->value);
    buf_addc(buf, '"');
    before = ',';
  }
  if (le != NULL)
    buf_addf(buf, "%cle=\"%s\"", before, le);
  buf_adds(buf, before == ',' || le != NULL ? "} " : " ");
}

/* Without zeros at the end: "0.0025", "60". */
static void write_seconds(char text[SECONDS_LEN], uint64_t us) {
  int len = snprintf(text, SECONDS_LEN, "%" PRIu64 ".%06" PRIu64, us / 1000000,
                     us % 1000000);
  while (text[len - 1] == '0')
    len--;
  if (text[len - 1] == '.')
    len--;
  text[len] = '\0';
}

void exposition_number(struct buf *buf, const char *name,
                       const struct exposition_label *labels, uint64_t value) {
  add_series(buf, name, "", labels, NULL);
  buf_addf(buf, "%" PRIu64 "\n", value);
}

void exposition_signed(struct buf *buf, const char *name,
                       const struct exposition_label *labels, int64_t value) {
  add_series(buf, name, "", labels, NULL);
  buf_addf(buf, "%" PRId64 "\n", value);
}

void exposition_seconds(struct buf *buf, const char *name,
                        const struct exposition_label *labels, uint64_t us) {
  char text[SECONDS_LEN];
  write_seconds(text, us);
  add_series(buf, name, "", labels, NULL);
  buf_addf(buf, "%s\n", text);
}

void exposition_histogram(struct buf *buf, const char *name,
                          const struct exposition_label *labels,
                          const uint64_t *bounds_us, size_t bounds,
                          const uint64_t *counts, uint64_t sum_us) {
  uint64_t total = 0;
  char text[SECONDS_LEN];
  for (size_t i = 0; i < bounds; i++) {
    total += counts[i];
    write_seconds(text, bounds_us[i]);
    add_series(buf, name, "_bucket", labels, text);
    buf_addf(buf, "%" PRIu64 "\n", total);
  }
  total += counts[bounds];
  add_series(buf, name, "_bucket", labels, "+Inf");
  buf_addf(buf, "%" PRIu64 "\n", total);
  write_seconds(text, sum_us);
  add_series(buf, name, "_sum", labels, NULL);
  buf_addf(buf, "%s\n", text);
  add_series(buf, name, "_count", labels, NULL);
  buf_addf(buf, "%" PRIu64 "\n", total);
}
