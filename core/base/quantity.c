/* SPDX-License-Identifier: MIT
 *
 * Sizes and times as people write them.  Called with the configuration's
 * values: a number without its unit is refused, never guessed.
 */
#include "quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
  const char *name;
  uint64_t worth;
};

static const struct unit size_units[] = {
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {NULL, 0},
};

static const struct unit time_units[] = {
    {"ms", 1},          {"s", 1000},         {"m", 60 * 1000},
    {"h", 3600 * 1000}, {"d", 86400 * 1000}, {NULL, 0},
};

/* The largest first, by the names of the contract's texts. */
static const struct unit printed_units[] = {
    {"GB", UINT64_C(1) << 30},
    {"MB", UINT64_C(1) << 20},
    {"KB", UINT64_C(1) << 10},
};

/* Digits, at least one, moves past them. */
static bool scan_digits(const char **at, uint64_t *value) {
  const char *from = *at;

  *value = 0;
  for (; **at >= '0' && **at <= '9'; (*at)++)
    if (__builtin_mul_overflow(*value, 10, value) ||
        __builtin_add_overflow(*value, (unsigned)(**at - '0'), value))
      return false;
  return *at > from;
}

static bool quantity_scan(const char *text, const struct unit *units,
                          uint64_t *value) {
  *value = 0;
  if (strcmp(text, "0") == 0)
    return true;
  if (!scan_digits(&text, value))
    return false;
  for (; units->name; units++)
    if (strcmp(text, units->name) == 0)
      return !__builtin_mul_overflow(*value, units->worth, value);
  return false;
}

bool quantity_size(const char *text, uint64_t *bytes) {
  return quantity_scan(text, size_units, bytes);
}

bool quantity_time(const char *text, int64_t *milliseconds) {
  uint64_t value;

  if (!quantity_scan(text, time_units, &value) || value > INT64_MAX)
    return false;
  *milliseconds = (int64_t)value;
  return true;
}

bool quantity_int(const char *text, int64_t *value) {
  bool minus = *text == '-';
  uint64_t size;

  text += minus;
  if (!scan_digits(&text, &size) || *text)
    return false;
  if (size > (uint64_t)INT64_MAX + minus)
    return false;
  *value = minus ? (int64_t)(0 - size) : (int64_t)size;
  return true;
}

void quantity_print(char out[32], uint64_t bytes) {
  const size_t count = sizeof printed_units / sizeof *printed_units;

  for (size_t i = 0; bytes && i < count; i++) {
    const struct unit *unit = &printed_units[i];
    if (bytes % unit->worth)
      continue;
    snprintf(out, 32, "%" PRIu64 " %s", bytes / unit->worth, unit->name);
    return;
  }
  snprintf(out, 32, "%" PRIu64 " %s", bytes, bytes == 1 ? "byte" : "bytes");
}
