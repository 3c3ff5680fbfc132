/* SPDX-License-Identifier: MIT
 *
 * Words in messages about configuration.  None may be ambiguous to a reader,
 * so what isn't near is not guessed.
 */
#include "words.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static unsigned words_least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

static bool same(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* How many letters to insert, drop, change or swap with their neighbour: the
 * optimal string alignment distance.  Both are at most WORDS_LEN_MAX
 * long. */
static unsigned distance(const char *a, const char *b) {
  unsigned rows[3][WORDS_LEN_MAX + 1];
  unsigned *before = rows[0], *last = rows[1], *now = rows[2];
  size_t na = strlen(a), nb = strlen(b);
  for (size_t j = 0; j <= nb; j++)
    last[j] = before[j] = (unsigned)j;
  for (size_t i = 1; i <= na; i++) {
    now[0] = (unsigned)i;
    for (size_t j = 1; j <= nb; j++) {
      unsigned edit = words_least(last[j], now[j - 1]) + 1;
      now[j] = words_least(edit, last[j - 1] + !same(a[i - 1], b[j - 1]));
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
          same(a[i - 2], b[j - 1]))
        now[j] = words_least(now[j], before[j - 2] + 1);
    }
    unsigned *oldest = before;
    before = last;
    last = now;
    now = oldest;
  }
  return last[nb];
}

bool words_has(const char *const *words, const char *word) {
  while (*words != NULL && strcmp(*words, word) != 0)
    words++;
  return *words != NULL;
}

const char *words_nearest(const char *word, const char *const *words) {
  const char *nearest = NULL;
  size_t len = strlen(word);
  if (len < 2 || len > WORDS_LEN_MAX)
    return NULL;
  unsigned limit = len < 6 ? 2 : (unsigned)len / 3 + 1;
  if (len < 4)
    limit = 1;
  for (; *words != NULL; words++) {
    if (strlen(*words) > WORDS_LEN_MAX)
      continue;
    unsigned apart = distance(word, *words);
    if (apart > limit || (apart == limit && nearest != NULL))
      continue;
    nearest = *words;
    limit = apart;
  }
  return nearest;
}

void words_join(char *out, size_t size, const char *const *words) {
  size_t used = 0;
  *out = '\0';
  for (; *words != NULL; words++) {
    const char *comma = used > 0 ? ", " : "";
    size_t need = strlen(comma) + strlen(*words);
    /* room for ", ..." and the NUL stays free */
    if (need + 6 > size - used) {
      snprintf(out + used, size - used, "%s...", comma);
      return;
    }
    used += (size_t)snprintf(out + used, size - used, "%s%s", comma, *words);
  }
}
