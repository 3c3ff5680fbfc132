/* SPDX-License-Identifier: MIT
 *
 * A table without a lock: a place is a number of the stage's random id, or 0.
 */
#include "stagebusy.h"

#include <stddef.h>

#include "codec.h"
#include "stagename.h"

static uint64_t number_of(const char *base) {
  unsigned char bytes[8] = {0};
  uint64_t number = 0;
  char hex[17] = {0};
  for (size_t i = 0; i < 16; i++)
    hex[i] = stagename_id(base)[i];
  codec_unhex(bytes, sizeof bytes, hex);
  for (size_t i = 0; i < sizeof bytes; i++)
    number = number << 8 | bytes[i];
  return number == 0 ? 1 : number;
}

static bool exchange(struct stagebusy *busy, uint64_t from, uint64_t to) {
  for (size_t i = 0; i < STAGEBUSY_MAX; i++) {
    uint64_t there = from;
    if (atomic_compare_exchange_strong(&busy->of[i], &there, to))
      return true;
  }
  return false;
}

bool stagebusy_add(struct stagebusy *busy, const char *base) {
  return exchange(busy, 0, number_of(base));
}

void stagebusy_remove(struct stagebusy *busy, const char *base) {
  exchange(busy, number_of(base), 0);
}

bool stagebusy_has(struct stagebusy *busy, const char *base) {
  uint64_t number = number_of(base);
  for (size_t i = 0; i < STAGEBUSY_MAX; i++)
    if (atomic_load(&busy->of[i]) == number)
      return true;
  return false;
}
