/* SPDX-License-Identifier: MIT
 *
 * From one generation to the next.
 */
#include "reload.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "counts.h"
#include "gateway.h"
#include "log.h"
#include "notify.h"
#include "words.h"

#define FIXED_SIZE 256 /* of a message's list of keys */

/* ---- those that wait ---------------------------------------------------- */

static void reload_tell(struct gateway *gateway, bool ok, const char *what) {
  struct reload_waiter *waiter = gateway->reload.waiters;
  bool serves = gateway->served == gateway->worker_count;
  gateway->reload.waiters = NULL;
  if (serves && !gateway->stopping)
    notify_say("READY=1"); /* with the new one, or the one before */
  while (waiter != NULL) {
    struct reload_waiter *next = waiter->next;
    waiter->told(waiter->arg, ok, what);
    waiter = next;
  }
}

static void reload_fail(struct gateway *gateway, const struct errmsg *why) {
  log_line(SLUICE_LOG_ERROR, NULL,
           "%s; nothing was changed, and the configuration before stays in "
           "use",
           why->text);
  reload_tell(gateway, false, why->text);
}

void reload_go_on(struct gateway *gateway) {
  if (!gateway->reload.again || handover_goes_on(&gateway->handover))
    return;
  gateway->reload.again = false;
  reload(gateway, "once more");
}

/* ---- what can't change -------------------------------------------------- */

static bool same_list(const char *const *a, const char *const *b) {
  for (; *a != NULL && *b != NULL; a++, b++)
    if (strcmp(*a, *b) != 0)
      return false;
  return *a == *b;
}

/* The keys whose new values wait for the next start; "": none. */
static void name_fixed(const struct settings *was, const struct settings *is,
                       char out[FIXED_SIZE]) {
  const struct settings_server *a = &was->server, *b = &is->server;
  const struct settings_limits *l = &was->limits, *m = &is->limits;
  const struct {
    const char *key;
    bool same;
  } rows[] = {
      {"server.listen", same_list(a->listen, b->listen)},
      {"server.socket_mode", a->socket_mode == b->socket_mode},
      {"server.workers", a->workers == b->workers},
      {"server.core_dumps", a->core_dumps == b->core_dumps},
      {"server.confine",
       strcmp(a->confine.mode_text, b->confine.mode_text) == 0},
      {"server.admin", same_list(a->admin, b->admin)},
      {"server.tls, whether there is one",
       (a->tls.certificate[0] == '\0') == (b->tls.certificate[0] == '\0')},
      {"limits.threads", l->threads == m->threads},
      {"limits.threads_per_plugin",
       l->threads_per_plugin == m->threads_per_plugin},
      {"uploads.spool_directory", strcmp(was->uploads.spool_directory,
                                         is->uploads.spool_directory) == 0}};
  const char *keys[sizeof rows / sizeof *rows + 1] = {NULL};
  size_t count = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!rows[i].same)
      keys[count++] = rows[i].key;
  out[0] = '\0';
  if (count > 0)
    words_join(out, FIXED_SIZE, keys);
}

/* ---- a new one ---------------------------------------------------------- */

/* The first plugin that hasn't started; NULL: all have. */
static const struct instance *failed_one(const struct generation *next) {
  for (size_t k = 0; k < next->ordered; k++)
    if (next->backends[next->order[k]]->started == NULL)
      return next->backends[next->order[k]];
  for (size_t i = 0; i < next->settings->hook_count; i++)
    if (next->hooks[i]->started == NULL)
      return next->hooks[i];
  return NULL;
}

/* Does the plugin run under that name already, with other options? */
static bool has_namesake(const struct generation *now,
                         const struct instance *plugin) {
  bool hook = plugin->plugin.kind == PLUGIN_HOOK;
  struct instance *const *list = hook ? now->hooks : now->backends;
  size_t count =
      hook ? now->settings->hook_count : now->settings->backend_count;
  for (size_t i = 0; i < count; i++)
    if (strcmp(plugin->host.name, list[i]->host.name) == 0)
      return true;
  return false;
}

/* A store, or a file, of one user is still the earlier one's. */
static void say_why(const struct gateway *gateway,
                    const struct generation *next, struct errmsg *why) {
  struct errmsg was = *why;
  const struct instance *failed = failed_one(next);
  if (failed != NULL && has_namesake(gateway->now, failed))
    errmsg_set(why,
               "%s (its options were changed while it is in use with "
               "those before: if it allows one user only, restart the "
               "gateway)",
               was.text);
}

static struct generation *make(struct gateway *gateway, struct errmsg *why) {
  if (gateway->earlier_count >= GENERATIONS_MAX) {
    errmsg_set(why,
               "requests of %d earlier configurations haven't ended; wait for "
               "them, or restart the gateway",
               GENERATIONS_MAX);
    return NULL;
  }
  struct generation *next = generation_new(gateway, why);
  if (next != NULL &&
      !confine_allows(&gateway->confine, next, gateway->file, why)) {
    generation_free(next);
    return NULL;
  }
  return next;
}

static bool start(struct gateway *gateway, struct generation *next,
                  struct errmsg *why) {
  generation_inherit(next, gateway->now);
  watchdog_hold(&gateway->watchdog);
  bool started = generation_start(next, gateway, why);
  watchdog_release(&gateway->watchdog);
  if (started)
    return true;
  say_why(gateway, next, why);
  return false;
}

static void reload_open_all(struct gateway *gateway, struct generation *next) {
  struct reload *reload = &gateway->reload;
  next->number = gateway->now->number + 1;
  next->connections_max =
      gateway_connections(next->settings, (unsigned)gateway->worker_count);
  *reload = (struct reload){.next = next, .waiters = reload->waiters};
  for (size_t i = 0; i < gateway->worker_count; i++)
    gateway->workers[i].fresh = next;
  gateway_post(gateway, offsetof(struct worker, open));
}

/* Files of hooks and the certificate may have changed all the same. */
static void read_files(struct gateway *gateway, const char *why) {
  log_line(SLUICE_LOG_INFO, NULL, "%s: hooks reload", why);
  for (size_t i = 0; i < gateway->worker_count; i++)
    worker_reload(&gateway->workers[i]);
  certificate_reload(&gateway->certificate);
  reload_tell(gateway, true,
              "the configuration is the same; files were read again");
}

void reload(struct gateway *gateway, const char *why) {
  struct errmsg errmsg = {0};
  if (gateway->reload.next != NULL) {
    gateway->reload.again = true;
    return;
  }
  /* Before all handles are there, nothing is old yet. */
  if (gateway->served < gateway->worker_count || gateway->stopping) {
    if (gateway->stopping)
      log_line(SLUICE_LOG_INFO, NULL,
               "%s: nothing is read again, as the gateway stops", why);
    reload_tell(gateway, false, "the gateway starts, or stops");
    return;
  }
  /* The other one was given what is of the configuration in use. */
  if (handover_goes_on(&gateway->handover)) {
    log_line(SLUICE_LOG_WARN, NULL,
             "%s: another process is taking over; %s is read again if it "
             "doesn't",
             why, gateway->file);
    gateway->reload.again = true;
    return;
  }
  notify_reloading();
  struct generation *next = make(gateway, &errmsg);
  if (next != NULL && generation_same(next, gateway->now)) {
    generation_free(next);
    read_files(gateway, why);
  } else if (next != NULL && start(gateway, next, &errmsg)) {
    log_line(SLUICE_LOG_INFO, NULL, "%s: %s was read again", why,
             gateway->file);
    reload_open_all(gateway, next);
  } else {
    generation_free(next);
    reload_fail(gateway, &errmsg);
  }
}

void reload_ask(struct gateway *gateway, const char *why,
                struct reload_waiter *waiter) {
  if (handover_goes_on(&gateway->handover)) {
    waiter->told(waiter->arg, false,
                 "another process is taking over; try again when it has, or "
                 "has failed");
    return;
  }
  waiter->next = gateway->reload.waiters;
  gateway->reload.waiters = waiter;
  reload(gateway, why);
}

void reload_leave(struct gateway *gateway, struct reload_waiter *waiter) {
  struct reload_waiter **at = &gateway->reload.waiters;
  for (; *at != NULL; at = &(*at)->next)
    if (*at == waiter) {
      *at = waiter->next;
      return;
    }
}

/* ---- opened, or not ----------------------------------------------------- */

static void end_next(struct gateway *gateway) {
  struct errmsg why = gateway->reload.why;
  generation_free(gateway->reload.next);
  gateway->reload.next = NULL;
  reload_fail(gateway, &why);
  reload_go_on(gateway);
}

void reload_on_dropped(struct loop_task *task) {
  struct worker *worker =
      (void *)((char *)task - offsetof(struct worker, dropped));
  struct gateway *gateway = worker->gateway;
  if (++gateway->reload.dropped == gateway->worker_count)
    end_next(gateway);
}

/* Whatever belongs to the process, and not to a loop. */
static void apply(struct gateway *gateway, const struct settings *was,
                  struct generation *now) {
  const struct settings *is = now->settings;
  budget_resize(&gateway->memory,
                (int64_t)is->limits.memory - (int64_t)was->limits.memory);
  if (strcmp(was->server.log_level, is->server.log_level) != 0)
    log_set_level_word(is->server.log_level);
  gateway_tell_exposed(is);
  if (gateway->certificate.tls != NULL)
    certificate_use(&gateway->certificate, now->settings, &now->certificate);
}

/* From now on requests begin in the new one. */
static void reload_use(struct gateway *gateway) {
  struct generation *before = gateway->now, *now = gateway->reload.next;
  char fixed[FIXED_SIZE], what[2 * FIXED_SIZE];
  before->seats = gateway->worker_count;
  LIST_INSERT_HEAD(&gateway->earlier, before, in_list);
  gateway->earlier_count++;
  gateway->now = now;
  gateway->reload.next = NULL;
  gateway_post(gateway, offsetof(struct worker, use));
  apply(gateway, before->settings, now);
  name_fixed(gateway->fixed, now->settings, fixed);
  if (fixed[0] != '\0')
    log_line(SLUICE_LOG_WARN, NULL,
             "these change with the next start only: %s", fixed);
  log_line(SLUICE_LOG_INFO, NULL,
           "configuration %llu is in use for new requests",
           (unsigned long long)now->number);
  snprintf(what, sizeof what, "the new configuration is in use%s%s",
           fixed[0] == '\0' ? "" : "; these change with the next start only: ",
           fixed);
  reload_tell(gateway, true, what);
  reload_go_on(gateway);
}

static void drop(struct gateway *gateway) {
  gateway_post(gateway, offsetof(struct worker, drop));
}

static bool translate(struct gateway *gateway) {
  struct metrics retired = {0};
  if (!counts_translate(gateway, gateway->reload.next, &retired)) {
    metrics_fini(&retired);
    return false;
  }
  metrics_fini(&gateway->retired);
  gateway->retired = retired;
  return true;
}

void reload_opened(struct worker *worker) {
  struct gateway *gateway = worker->gateway;
  struct reload *reload = &gateway->reload;
  if (worker->failure[0] != '\0' && !reload->failed) {
    reload->failed = true;
    errmsg_set(&reload->why, "%s", worker->failure);
  }
  if (++reload->opened < gateway->worker_count)
    return;
  if (!reload->failed && gateway->stopping) {
    reload->failed = true;
    errmsg_set(&reload->why, "the gateway stops");
  } else if (!reload->failed && !translate(gateway)) {
    reload->failed = true;
    errmsg_set(&reload->why, "out of memory");
  }
  if (reload->failed)
    drop(gateway);
  else
    reload_use(gateway);
}

/* ---- the end of earlier ones -------------------------------------------- */

static void end_earlier(struct gateway *gateway,
                        struct generation *generation) {
  LIST_REMOVE(generation, in_list);
  gateway->earlier_count--;
  counts_retire(gateway, generation);
  log_line(SLUICE_LOG_DEBUG, NULL, "configuration %llu has ended",
           (unsigned long long)generation->number);
  generation_free(generation);
}

void reload_on_gone(struct loop_task *task) {
  struct seat *seat = (void *)((char *)task - offsetof(struct seat, gone));
  struct generation *generation = seat->generation;
  struct gateway *gateway = seat->worker->gateway;
  seat_free(seat);
  if (--generation->seats == 0)
    end_earlier(gateway, generation);
}

void reload_end(struct gateway *gateway) {
  struct reload *reload = &gateway->reload;
  reload_tell(gateway, false, "the gateway stops");
  generation_free(reload->next);
  reload->next = NULL;
  while (!LIST_EMPTY(&gateway->earlier)) {
    struct generation *generation = LIST_FIRST(&gateway->earlier);
    LIST_REMOVE(generation, in_list);
    generation_free(generation);
  }
}
