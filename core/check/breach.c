/* SPDX-License-Identifier: MIT
 *
 * The gateway itself logs each of these under the plugin's name, or asserts
 * it: that is what is read here.
 */
#include "breach.h"

#include <stdio.h>
#include <string.h>

static const struct {
  const char *name, *rule;
  bool backend, hook;
} rules[BREACH_COUNT] = {
    [BREACH_DONE] = {"done: once, and nothing is said after it",
                     "Every operation ends in exactly one sluice_done(), also "
                     "when it was canceled.  After it the operation must not "
                     "be touched.",
                     true, false},
    [BREACH_TURN] = {"turn: nothing is said out of turn",
                     "sluice_send() and wait for more(), again and again; "
                     "sluice_next() asks for the first chunk",
                     true, false},
    [BREACH_RESUME] = {"resume: once, after WAIT",
                       "After WAIT, once, from any event of the loop.", false,
                       true},
    [BREACH_THREAD] = {"thread: calls come on the loop's own thread",
                       "sluice_* calls are made on the loop's own thread, "
                       "unless they say otherwise.",
                       true, true},
    [BREACH_BLOCK] = {"loop: no call blocks it",
                      "A plugin takes no locks and never blocks", true, true},
};

const char *breach_name(enum breach breach) {
  return rules[breach].name;
}

const char *breach_rule(enum breach breach) {
  return rules[breach].rule;
}

bool breach_is_of(enum breach breach, enum plugin_kind kind) {
  return kind == PLUGIN_BACKEND ? rules[breach].backend : rules[breach].hook;
}

/* The line of the log that has these words, from `from` on. */
static bool find(const struct trial *trial, const char *words,
                 const char *from, char *why, size_t size) {
  const char *at = strstr(trial->log, words);
  if (at == NULL)
    return false;
  const char *line = at;
  while (line > trial->log && line[-1] != '\n')
    line--;
  const char *start = strstr(line, from);
  if (start == NULL)
    start = at;
  snprintf(why, size, "%.*s", (int)strcspn(start, "\n"), start);
  return true;
}

enum breach breach_of(const struct trial *trial, char *why, size_t size) {
  if (find(trial, "loop_is_mine", "sluice_", why, size))
    return BREACH_THREAD;
  if (find(trial, "() after sluice_done()", "sluice_", why, size) ||
      find(trial, "sluice_done() twice", "sluice_", why, size))
    return BREACH_DONE;
  if (find(trial, "breaks the contract: ", "sluice_", why, size))
    return BREACH_TURN;
  if (find(trial, "resumed a request that didn't wait", "a hook", why, size))
    return BREACH_RESUME;
  if (strncmp(trial->breach, "block\t", 6) == 0) {
    snprintf(why, size, "%s", trial->breach + 6);
    return BREACH_BLOCK;
  }
  return BREACH_COUNT;
}
