/* SPDX-License-Identifier: MIT
 *
 * The report of `sluice doctor`, line by line or as one JSON object.
 */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "must.h"

static const char *const words[] = {[FINDING_OK] = "ok",
                                    [FINDING_SKIP] = "skip",
                                    [FINDING_WARN] = "warn",
                                    [FINDING_FAIL] = "fail"};

void findings_init(struct findings *all, bool json) {
  *all = (struct findings){.backends = json_array(), .json = json};
  must_have(all->backends);
}

void findings_backend(struct findings *all, const char *name,
                      const char *plugin) {
  all->steps = json_array();
  json_t *backend = json_pack("{s:s, s:s, s:o}", "name", name, "plugin",
                              plugin, "checks", all->steps);
  must_have(backend != NULL &&
            json_array_append_new(all->backends, backend) == 0);
  if (!all->json)
    printf("backend '%s' (%s)\n", name, plugin);
}

void finding_add(struct findings *all, enum finding outcome, const char *step,
                 const char *advice, const char *fmt, ...) {
  char text[2048];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  all->count[outcome]++;
  if (outcome < FINDING_WARN)
    advice = NULL;
  if (!all->json) {
    printf("  %-5s %-12s %s\n", words[outcome], step, text);
    if (advice != NULL)
      printf("  %18s -> %s\n", "", advice);
    fflush(stdout);
  }
  json_t *made = json_pack("{s:s, s:s, s:s, s:s?}", "check", step, "result",
                           words[outcome], "text", text, "advice", advice);
  must_have(made != NULL && json_array_append_new(all->steps, made) == 0);
}

int findings_end(struct findings *all) {
  bool ok = all->count[FINDING_FAIL] == 0;
  if (all->json) {
    json_t *root =
        json_pack("{s:b, s:O}", "ok", ok, "backends", all->backends);
    must_have(root);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
  } else {
    printf("%u ok, %u skipped, %u to look at, %u failed\n",
           all->count[FINDING_OK], all->count[FINDING_SKIP],
           all->count[FINDING_WARN], all->count[FINDING_FAIL]);
  }
  json_decref(all->backends);
  return ok ? 0 : 1;
}
