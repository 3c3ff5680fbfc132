/* SPDX-License-Identifier: MIT
 *
 * The gateway itself sees most of these, and logs them under the plugin's
 * name (core/runtime/breach.h): here they become words of the check.
 */
#include "misdeed.h"

#include <stdio.h>
#include <string.h>

#include "breach.h"

static const struct {
  const char *word, *name, *rule;
  bool backend, hook;
} rules[MISDEED_COUNT] = {
    [MISDEED_DONE] = {"done", "done: once, and nothing is said after it",
                      "Every operation ends in exactly one sluice_done(), "
                      "also when it was canceled.  After it the operation "
                      "must not be touched.",
                      true, false},
    [MISDEED_TURN] = {"turn", "turn: nothing is said out of turn",
                      "What each of a plugin's functions may say is beside "
                      "it: \"sluice_send() and wait for more()\", \"valid "
                      "until the request's on_log returns\"",
                      true, true},
    [MISDEED_RESUME] = {"resume", "resume: once, after WAIT",
                        "After WAIT, once, from any event of the loop.", false,
                        true},
    [MISDEED_THREAD] = {"thread",
                        "thread: calls come on the loop's own thread",
                        "sluice_* calls are made on the loop's own thread, "
                        "unless they say otherwise.",
                        true, true},
    [MISDEED_BLOCK] = {"block", "loop: no call blocks it",
                       "A plugin takes no locks and never blocks", true, true},
};

const char *misdeed_name(enum misdeed misdeed) {
  return rules[misdeed].name;
}

const char *misdeed_rule(enum misdeed misdeed) {
  return rules[misdeed].rule;
}

bool misdeed_is_of(enum misdeed misdeed, enum plugin_kind kind) {
  return kind == PLUGIN_BACKEND ? rules[misdeed].backend : rules[misdeed].hook;
}

static enum misdeed kind_of(const char *call, const char *what) {
  if (strcmp(what, BREACH_THREAD) == 0)
    return MISDEED_THREAD;
  if (strcmp(what, BREACH_AFTER_DONE) == 0 ||
      (call != NULL && strcmp(call, "sluice_done") == 0 &&
       strcmp(what, BREACH_TWICE) == 0))
    return MISDEED_DONE;
  if (strcmp(what, BREACH_RESUMED) == 0)
    return MISDEED_RESUME;
  return MISDEED_TURN;
}

static void on_breach(void *arg, const char *call, const char *what) {
  lab_breach(arg, rules[kind_of(call, what)].word, "%s%s%s",
             call == NULL ? "" : call, call == NULL ? "" : "() ", what);
}

void misdeed_watch(struct lab *lab) {
  lab->watch = (struct breach_watch){on_breach, lab};
  lab->host.watch = &lab->watch;
}

enum misdeed misdeed_of(const struct trial *trial, char *why, size_t size) {
  enum misdeed misdeed = 0;
  size_t len = strcspn(trial->breach, "\t");
  while (misdeed < MISDEED_COUNT &&
         (strlen(rules[misdeed].word) != len ||
          strncmp(rules[misdeed].word, trial->breach, len) != 0))
    misdeed++;
  if (misdeed < MISDEED_COUNT)
    snprintf(why, size, "%s", trial->breach + len + 1);
  return misdeed;
}
