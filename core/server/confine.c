/* SPDX-License-Identifier: MIT
 *
 * The two steps, and what comes of them where the kernel has one or none.
 */
#include "confine.h"

#include <stdio.h>
#include <string.h>

#include "landlock.h"
#include "log.h"
#include "reaches.h"
#include "sanitized.h"
#include "syscalls.h"

static bool lacks(struct confine *confine, const struct settings *settings,
                  const struct errmsg *why, struct errmsg *errmsg) {
  if (!settings->server.confine.required) {
    if (confine->missing[0] == '\0')
      snprintf(confine->missing, sizeof confine->missing, "%.127s", why->text);
    return true;
  }
  return errmsg_set(errmsg,
                    "server.confine is required, and not possible: %s; run "
                    "it on a kernel that can, or set server.confine: on",
                    why->text);
}

bool confine_wanted(const struct settings *settings) {
  return !settings->server.confine.off &&
         (!INSTRUMENTED || settings->server.confine.required);
}

bool confine_begin(struct confine *confine,
                   const struct generation *generation, const char *file,
                   struct errmsg *errmsg) {
  struct errmsg why;
  const struct settings *settings = generation->settings;
  *confine = (struct confine){.off = !confine_wanted(settings)};
  if (confine->off)
    return true;
  if (INSTRUMENTED) {
    errmsg_set(&why, "a build with sanitizers does what no list knows");
    return lacks(confine, settings, &why, errmsg);
  }
  int version = landlock_version();
  if (version == 0) {
    errmsg_set(&why, "this kernel has no landlock, or it is off");
    return lacks(confine, settings, &why, errmsg);
  }
  if (version < 2) {
    errmsg_set(&why, "this kernel's landlock lets no file be moved between "
                     "folders");
    return lacks(confine, settings, &why, errmsg);
  }
  reaches_make_folders(generation);
  struct reach *reach = reaches_of(generation, file, true);
  if (reach == NULL || reach->failed) {
    reach_free(reach);
    return errmsg_set(errmsg, "out of memory");
  }
  if (!landlock_apply(version, reach, &why)) {
    reach_free(reach);
    return lacks(confine, settings, &why, errmsg);
  }
  confine->reach = reach;
  confine->version = version;
  return true;
}

static void tell_believed(const struct confine *confine, const char *path) {
  if (confine->reach != NULL && reach_writes(confine->reach, path))
    log_line(SLUICE_LOG_WARN, NULL,
             "%s is below a folder that the gateway writes, so what confines "
             "it can be changed from inside, for the next start: keep it "
             "elsewhere, or the store, the spool or the log",
             path);
}

bool confine_finish(struct confine *confine, const struct settings *settings,
                    const char *file, struct errmsg *errmsg) {
  char text[64];
  struct errmsg why;
  if (!confine->off && !INSTRUMENTED) {
    confine->calls = syscalls_apply(&why);
    if (!confine->calls && !lacks(confine, settings, &why, errmsg))
      return false;
  }
  confine_describe(confine, text);
  log_line(
      SLUICE_LOG_INFO, NULL, "confined by: %s%s%s", text,
      confine->missing[0] == '\0' ? "" : "; not by all: ", confine->missing);
  if (file != NULL)
    tell_believed(confine, file);
  for (const char *const *at = settings->plugin_path; *at != NULL; at++)
    tell_believed(confine, *at);
  return true;
}

bool confine_allows(const struct confine *confine,
                    const struct generation *generation, const char *file,
                    struct errmsg *errmsg) {
  struct errmsg what;
  if (confine->reach == NULL)
    return true;
  struct reach *wanted = reaches_of(generation, file, false);
  if (wanted == NULL)
    return errmsg_set(errmsg, "out of memory");
  bool ok = reach_covers(confine->reach, wanted, &what);
  reach_free(wanted);
  return ok || errmsg_set(errmsg,
                          "this process has confined itself, and can't %s any "
                          "more, which the new configuration wants; restart "
                          "the gateway, or have `sluice ctl upgrade` start "
                          "another one (server.confine)",
                          what.text);
}

bool confine_holds(const struct confine *confine) {
  return confine->version != 0 || confine->calls;
}

void confine_describe(const struct confine *confine, char out[64]) {
  if (confine->version == 0)
    snprintf(out, 64, "%s", confine->calls ? "seccomp" : "nothing");
  else
    snprintf(out, 64, "landlock %d%s", confine->version,
             confine->calls ? ", seccomp" : "");
}

void confine_end(struct confine *confine) {
  reach_free(confine->reach);
  confine->reach = NULL;
}
