/* SPDX-License-Identifier: MIT
 *
 * Counts of uses: "USED LAST NONCE\n", the first two in decimal digits, the
 * last in 16 hexadecimal ones.
 */
#include "linkcount.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "quantity.h"

#define END_DIGITS 10

void linkcount_key(char out[LINKCOUNT_KEY_SIZE], const struct ownlink *link) {
  snprintf(out, LINKCOUNT_KEY_SIZE, LINKCOUNT_FOLDER "%010" PRIx64 "-%s",
           (uint64_t)link->expires_s & UINT64_C(0xffffffffff), link->id);
}

bool linkcount_is_over(const char *key, int64_t now_s) {
  static const char digits[] = "0123456789abcdef";
  const char *at = key + sizeof LINKCOUNT_FOLDER - 1;
  if (strncmp(key, LINKCOUNT_FOLDER, sizeof LINKCOUNT_FOLDER - 1) != 0 ||
      strspn(at, digits) != END_DIGITS || at[END_DIGITS] != '-')
    return false;
  return (int64_t)strtoull(at, NULL, 16) + LINKCOUNT_SLACK_S < now_s;
}

void linkcount_print(char out[LINKCOUNT_TEXT_SIZE],
                     const struct linkcount *count) {
  snprintf(out, LINKCOUNT_TEXT_SIZE,
           "%" PRIu32 " %" PRId64 " %016" PRIx64 "\n", count->used,
           count->last_ms, count->nonce);
}

/* Cuts the word off that *at begins with; NULL: none that `end` follows. */
static char *cut(char **at, char end) {
  char *word = *at, *stop = strchr(word, end);
  if (stop == NULL)
    return NULL;
  *stop = '\0';
  *at = stop + 1;
  return word;
}

bool linkcount_parse(struct linkcount *count, const char *text) {
  char copy[LINKCOUNT_TEXT_SIZE], *at = copy;
  size_t len = strlen(text);
  int64_t number;
  if (len >= sizeof copy)
    return false;
  memcpy(copy, text, len + 1);
  const char *used = cut(&at, ' ');
  const char *last = used == NULL ? NULL : cut(&at, ' ');
  const char *nonce = last == NULL ? NULL : cut(&at, '\n');
  unsigned char bytes[sizeof count->nonce];
  if (nonce == NULL || *at != '\0' || !quantity_int(used, &number) ||
      number < 0 || number > OWNLINK_USES_MAX ||
      !quantity_int(last, &count->last_ms) || count->last_ms < 0 ||
      !codec_unhex(bytes, sizeof bytes, nonce))
    return false;
  count->used = (uint32_t)number;
  count->nonce = 0;
  for (size_t i = 0; i < sizeof bytes; i++)
    count->nonce = count->nonce << 8 | bytes[i];
  return true;
}
