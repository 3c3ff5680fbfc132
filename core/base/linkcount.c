/* SPDX-License-Identifier: MIT
 *
 * Counts of uses: "USED LAST\n" in decimal digits.
 */
#include "linkcount.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quantity.h"

#define END_DIGITS 10

void linkcount_key(char out[LINKCOUNT_KEY_SIZE], const struct ownlink *link) {
  snprintf(out, LINKCOUNT_KEY_SIZE, LINKCOUNT_FOLDER "%010" PRIx64 "-%s",
           (uint64_t)link->expires_s & UINT64_C(0xffffffffff), link->id);
}

bool linkcount_ends(const char *key, int64_t *expires_s) {
  static const char digits[] = "0123456789abcdef";
  const char *at = key + sizeof LINKCOUNT_FOLDER - 1;
  if (strncmp(key, LINKCOUNT_FOLDER, sizeof LINKCOUNT_FOLDER - 1) != 0 ||
      strspn(at, digits) != END_DIGITS || at[END_DIGITS] != '-')
    return false;
  *expires_s = (int64_t)strtoull(at, NULL, 16);
  return true;
}

void linkcount_print(char out[LINKCOUNT_TEXT_SIZE],
                     const struct linkcount *count) {
  snprintf(out, LINKCOUNT_TEXT_SIZE, "%" PRIu32 " %" PRId64 "\n", count->used,
           count->last_ms);
}

bool linkcount_parse(struct linkcount *count, const char *text) {
  char copy[LINKCOUNT_TEXT_SIZE];
  int64_t used;
  size_t len = strlen(text);
  if (len == 0 || len >= sizeof copy || text[len - 1] != '\n')
    return false;
  memcpy(copy, text, len + 1);
  copy[len - 1] = '\0';
  char *space = strchr(copy, ' ');
  if (space == NULL)
    return false;
  *space = '\0';
  if (!quantity_int(copy, &used) || used < 0 || used > OWNLINK_USES_MAX ||
      !quantity_int(space + 1, &count->last_ms) || count->last_ms < 0)
    return false;
  count->used = (uint32_t)used;
  return true;
}
