/* SPDX-License-Identifier: MIT
 *
 * Messages that the parts of the configuration share.
 */
#include "settings_parts.h"

#include "words.h"

#define WORDS_SIZE 200 /* of a list of words in a message */

unsigned settings_line(const struct config_node *section, const char *key) {
  const struct config_node *node = config_get(section, key);
  if (node != NULL)
    return node->line;
  return section == NULL ? 0 : section->line;
}

bool settings_not_one_of(const struct settings *s, unsigned line,
                         const char *key, const char *word,
                         const char *const *words, struct errmsg *err) {
  char known[WORDS_SIZE];
  const char *nearest = words_nearest(word, words);
  if (nearest != NULL)
    return config_fault(s->config, line, err,
                        "'%s': '%.64s' is not known; did you mean '%s'?", key,
                        word, nearest);
  words_join(known, sizeof known, words);
  return config_fault(s->config, line, err,
                      "'%s': '%.64s' is not known; write one of %s", key, word,
                      known);
}

bool settings_no_memory(const struct settings *s, struct errmsg *err) {
  return config_fault(s->config, 0, err, "out of memory");
}
