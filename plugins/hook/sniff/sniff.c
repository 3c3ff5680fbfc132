/* SPDX-License-Identifier: MIT
 *
 * Takes or refuses files by what their first bytes are.  Guide:
 * sluice-sniff(7).
 *
 * The bytes go to a helper, which libmagic is in: neither is believed more
 * than that it says a type.  One lane, as wide as there are helpers, asks
 * whichever is free, so that a slow one holds up nobody who needn't have it.
 * Nothing is stored that isn't known to be allowed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sluice/plugin.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "filetype.h"
#include "helper.h"
#include "launcher.h"
#include "sniff.h"

/* ---- the end of a look -------------------------------------------------- */

static void look_free(struct look *look) {
  sluice_memory_give(look->sniffer->host, sizeof *look + look->kept_size);
  free(look->kept);
  free(look);
}

static enum sluice_verdict sniff_failed(struct sniffer *sniffer,
                                        struct sluice_request *request,
                                        const char *why) {
  bool passes = sniffer->instance->failure_passes;
  sniff_count(sniffer, SNIFF_FAILED);
  sluice_log(sniffer->host, SLUICE_LOG_ERROR, "request %s: %s: %s",
             sluice_request_id(request), why,
             passes ? "the object is stored unseen (on_failure: pass)"
                    : "the object is refused");
  if (passes)
    return SLUICE_ALLOW;
  sluice_request_refuse(request, SLUICE_EBUSY,
                        "It can't be seen now of which type the file is; try "
                        "again");
  return SLUICE_DENY;
}

/* On the loop, after the lane. */
static void on_looked(void *arg) {
  struct look *look = arg;
  struct sluice_request *request = look->request;
  struct sniffer *sniffer = look->sniffer;
  enum sluice_verdict verdict = SLUICE_DENY;
  uint64_t restarts = look->restarts;
  atomic_fetch_sub(&sniffer->instance->waiting, 1);
  if (restarts > 0)
    sniff_count_restarts(sniffer, restarts);
  if (!look->left) {
    struct sniff_state *state = sluice_request_state(request, sizeof *state);
    state->look = NULL;
    verdict = look->task.found
                  ? sniff_judge(sniffer, request, look->task.type)
                  : sniff_failed(sniffer, request, look->task.why.text);
  }
  look_free(look);
  sluice_request_resume(request, verdict);
}

/* ---- bytes -------------------------------------------------------------- */

/* There are as many as threads that come here, so that one is free. */
static struct post *free_post(struct instance *instance, bool pauses) {
  for (size_t i = 0; i < instance->post_count; i++) {
    struct post *post = &instance->posts[i];
    if ((pauses || !helper_pauses(&post->helper)) &&
        !atomic_exchange(&post->taken, true))
      return post;
  }
  return NULL;
}

static bool all_pause(const struct instance *instance) {
  for (size_t i = 0; i < instance->post_count; i++)
    if (!helper_pauses(&instance->posts[i].helper))
      return false;
  return true;
}

/* One that pauses would fail it at once, and be free for what comes next: it
 * is waited for another one. */
static struct post *take_post(struct instance *instance, uint64_t until_us) {
  const struct timespec step = {.tv_nsec = SNIFF_STEP_MS * 1000000L};
  struct post *post;
  while ((post = free_post(instance, false)) == NULL) {
    bool hopeless = all_pause(instance) || clock_us() >= until_us;
    if (hopeless && (post = free_post(instance, true)) != NULL)
      break;
    nanosleep(&step, NULL);
  }
  return post;
}

/* On a thread of the pool, of which there may be as many here as posts.  It is
 * given one at a time. */
static void run_look(void *arg, void **jobs, size_t count) {
  (void)count;
  struct look *look = jobs[0];
  struct post *post = take_post(arg, look->task.until_us);
  uint64_t before = post->helper.restarts;
  helper_look(&post->helper, &look->task);
  look->restarts = post->helper.restarts - before;
  atomic_store(&post->taken, false);
}

static enum sluice_verdict hand_over(struct look *look) {
  struct sniffer *sniffer = look->sniffer;
  struct instance *instance = sniffer->instance;
  if (atomic_fetch_add(&instance->waiting, 1) >= instance->conf.queue) {
    struct sniff_state *state =
        sluice_request_state(look->request, sizeof *state);
    struct sluice_request *request = look->request;
    atomic_fetch_sub(&instance->waiting, 1);
    state->look = NULL;
    look_free(look);
    return sniff_failed(sniffer, request, "as many objects as may wait do");
  }
  look->waits = true;
  look->task.look_us = (uint64_t)instance->conf.timeout * 1000;
  look->task.until_us = clock_us() + 2 * look->task.look_us;
  sluice_lane_add(instance->lane, sniffer->host, look, on_looked);
  return SLUICE_WAIT;
}

/* NULL: no memory. */
static struct look *look_new(struct sniffer *sniffer,
                             struct sluice_request *request) {
  if (!sluice_memory_take(sniffer->host, sizeof(struct look)))
    return NULL;
  struct look *look = calloc(1, sizeof *look);
  if (look == NULL) {
    sluice_memory_give(sniffer->host, sizeof *look);
    return NULL;
  }
  look->sniffer = sniffer;
  look->request = request;
  return look;
}

static bool look_keep(struct look *look, const struct sluice_chunk *chunk,
                      size_t wanted) {
  if (look->kept == NULL) {
    if (!sluice_memory_take(look->sniffer->host, wanted))
      return false;
    look->kept = malloc(wanted);
    if (look->kept == NULL) {
      sluice_memory_give(look->sniffer->host, wanted);
      return false;
    }
    look->kept_size = wanted;
    look->task.bytes = look->kept;
  }
  size_t room = look->kept_size - look->task.size;
  size_t length = chunk->length < room ? (size_t)chunk->length : room;
  if (length > 0)
    memcpy(look->kept + look->task.size, chunk->data, length);
  look->task.size += length;
  return true;
}

static enum sluice_verdict no_memory(struct sluice_request *request) {
  sluice_request_refuse(request, SLUICE_ENOMEM,
                        "There is no memory to see of which type the file "
                        "is; try again");
  return SLUICE_DENY;
}

static enum sluice_verdict sniff_on_body(void *arg,
                                         struct sluice_request *request,
                                         const struct sluice_chunk *chunk) {
  struct sniffer *sniffer = arg;
  struct sniff_state *state = sluice_request_state(request, sizeof *state);
  size_t wanted = (size_t)sniffer->instance->conf.bytes;
  bool first = state->look == NULL;
  if (first)
    state->look = look_new(sniffer, request);
  struct look *look = state->look;
  if (look == NULL)
    return no_memory(request);
  if (first && (chunk->last || chunk->length >= wanted)) { /* lent */
    look->task.bytes = chunk->data;
    look->task.size = chunk->length < wanted ? (size_t)chunk->length : wanted;
    return hand_over(look);
  }
  if (!look_keep(look, chunk, wanted)) {
    state->look = NULL;
    look_free(look);
    return no_memory(request);
  }
  if (!chunk->last && look->task.size < wanted)
    return SLUICE_PASS;
  return hand_over(look);
}

/* A lane may have it: then it is resumed when that is done. */
static void sniff_on_log(void *arg, struct sluice_request *request,
                         const struct sluice_record *record) {
  struct sniff_state *state = sluice_request_state(request, sizeof *state);
  struct look *look = state->look;
  (void)arg, (void)record;
  if (look == NULL)
    return;
  state->look = NULL;
  if (look->waits)
    look->left = true;
  else
    look_free(look);
}

/* ---- life --------------------------------------------------------------- */

static void sniff_stop(void *arg) {
  struct instance *instance = arg;
  sluice_lane_free(instance->lane);
  for (size_t i = 0; i < instance->post_count; i++)
    helper_fini(&instance->posts[i].helper);
  if (instance->database >= 0)
    close(instance->database);
  if (instance->joined)
    launcher_leave();
  free(instance);
}

static bool open_database(struct instance *instance, struct errmsg *err) {
  static const char *const places[] = {
      "/usr/share/misc/magic.mgc", "/usr/lib/file/magic.mgc",
      "/usr/share/file/magic.mgc", "/usr/local/share/misc/magic.mgc"};
  const char *path = instance->conf.database;
  if (*path != '\0') {
    instance->database = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return instance->database >= 0 ||
           errmsg_set(err, "database: %.200s: %s", path, strerror(errno));
  }
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    instance->database = open(places[i], O_RDONLY | O_CLOEXEC);
    if (instance->database >= 0)
      return true;
  }
  return errmsg_set(err,
                    "database: this system has none where it is looked "
                    "for, as in %s; install it (Debian: libmagic-mgc), "
                    "or say where it is",
                    places[0]);
}

static bool make_posts(struct instance *instance, struct sluice_host *host,
                       struct errmsg *err) {
  instance->post_count = (size_t)instance->conf.processes;
  for (size_t i = 0; i < instance->post_count; i++)
    helper_init(&instance->posts[i].helper, host, instance->database);
  instance->lane = sluice_lane_new_wide(host, run_look, instance,
                                        (unsigned)instance->post_count);
  return instance->lane != NULL || errmsg_set(err, "there is no memory");
}

/* The first one; the others start when they have something to look at. */
static bool try_first(struct instance *instance, struct errmsg *err) {
  struct errmsg why;
  const char *path = instance->conf.database;
  if (helper_begin(&instance->posts[0].helper, clock_us() + SNIFF_START_US,
                   &why))
    return true;
  if (strncmp(why.text, "it ", 3) == 0) /* its own words */
    return errmsg_set(err, "database: %.200s %.200s",
                      *path == '\0' ? "libmagic's own" : path, why.text + 3);
  return errmsg_set(err, "no helper can be started: %.600s", why.text);
}

static void *sniff_start(const void *conf, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  struct errmsg err;
  if (instance == NULL) {
    sluice_fail(host, "there is no memory");
    return NULL;
  }
  instance->conf = *(const struct sniff_conf *)conf;
  instance->database = -1;
  if (sniff_read_conf(instance, &err) && open_database(instance, &err) &&
      (instance->joined = launcher_join(&err)) &&
      make_posts(instance, host, &err) && try_first(instance, &err))
    return instance;
  sluice_fail(host, "%s", err.text);
  sniff_stop(instance);
  return NULL;
}

static void *sniff_open(void *instance, struct sluice_host *host) {
  struct sniffer *sniffer = calloc(1, sizeof *sniffer);
  if (sniffer == NULL)
    sluice_fail(host, "there is no memory");
  else
    *sniffer = (struct sniffer){.instance = instance, .host = host};
  return sniffer;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "sniff",
    .version = SLUICE_VERSION,
    .summary = "takes or refuses files by what their first bytes are",
    .options = sniff_options,
    .conf_size = sizeof(struct sniff_conf),
    .start = sniff_start,
    .stop = sniff_stop,
    .open = sniff_open,
    .close = free,
    .on_log = sniff_on_log,
    .on_body = sniff_on_body,
    .metrics = sniff_metrics,
    .tried = true,
};

SLUICE_REACH({"database", SLUICE_REACH_READ, NULL})
SLUICE_HOOK(sniff, hook)
