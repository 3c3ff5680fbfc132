/* SPDX-License-Identifier: MIT
 *
 * A hook for tests that chooses the backend which a request's X-Backend names,
 * keeps its X-Note as an attribute for hooks behind it, and says in the log
 * and in the answer's X-Noted what it finds there.  By its options it waits
 * before it chooses, refuses what it can't choose itself, and beats.
 */
#include <event2/event.h>
#include <sluice/plugin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEAT_US 60000 /* that a beat takes */

struct conf {
  int64_t wait, beat;
  bool notes, refuses, keeps;
};

struct instance {
  const struct conf *conf;
  struct sluice_host *host;
  struct sluice_timer *timer;
  atomic_int beats, running, overlaps;
};

struct handle {
  struct instance *instance;
  struct sluice_host *host;
};

struct later {
  struct handle *handle;
  struct sluice_request *request;
};

#define OPTION(field) offsetof(struct conf, field)

static const struct sluice_option options[] = {
    {"wait", SLUICE_TIME, "0ms", OPTION(wait), "before it chooses"},
    {"beat", SLUICE_TIME, "0ms", OPTION(beat), "the period of its timer"},
    {"notes", SLUICE_BOOL, "true", OPTION(notes), "keeps X-Note"},
    {"refuses", SLUICE_BOOL, "false", OPTION(refuses), "what isn't there"},
    {"keeps", SLUICE_BOOL, "false", OPTION(keeps), "its timer after stop()"},
    {NULL, 0, NULL, 0, NULL}};

static void beat(void *arg) {
  struct instance *instance = arg;
  if (atomic_fetch_add(&instance->running, 1) > 0)
    atomic_fetch_add(&instance->overlaps, 1);
  usleep(BEAT_US);
  atomic_fetch_sub(&instance->running, 1);
  sluice_log(instance->host, SLUICE_LOG_INFO, "beat %d, %d overlaps",
             atomic_fetch_add(&instance->beats, 1) + 1,
             atomic_load(&instance->overlaps));
}

/* A timer that outlives stop() works with this, so that nothing is lost. */
static struct instance kept;

static void instance_free(struct instance *instance) {
  if (instance != &kept)
    free(instance);
}

static void *start(const void *conf, struct sluice_host *host) {
  bool keeps = ((const struct conf *)conf)->keeps;
  struct instance *instance = keeps ? &kept : calloc(1, sizeof *instance);
  if (instance == NULL)
    return NULL;
  instance->conf = conf;
  instance->host = host;
  if (instance->conf->beat == 0)
    return instance;
  instance->timer =
      sluice_timer_new(host, instance->conf->beat, beat, instance);
  if (instance->timer != NULL)
    return instance;
  sluice_fail_text(host, "beat: no timer; 100% of them are out of range");
  instance_free(instance);
  return NULL;
}

static void stop(void *arg) {
  struct instance *instance = arg;
  if (instance->conf->keeps)
    return;
  sluice_timer_free(instance->timer);
  instance_free(instance);
}

static void *open_hook(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle != NULL)
    *handle = (struct handle){.instance = instance, .host = host};
  return handle;
}

static void close_hook(void *handle) {
  free(handle);
}

/* ---- choosing ----------------------------------------------------------- */

static enum sluice_verdict choose(struct handle *handle,
                                  struct sluice_request *request) {
  const char *name = sluice_request_header(request, "X-Backend");
  bool chosen = name == NULL || sluice_request_backend(request, name);
  const char *other = sluice_request_header(request, "X-Or-Else");
  if (!chosen && other != NULL)
    chosen = sluice_request_backend(request, other);
  if (chosen || !handle->instance->conf->refuses)
    return SLUICE_ALLOW;
  sluice_request_refuse(request, SLUICE_ENOENT, "There is no such tenant");
  return SLUICE_DENY;
}

static void on_time(evutil_socket_t fd, short what, void *arg) {
  struct later *later = arg;
  (void)fd, (void)what;
  sluice_request_resume(later->request, choose(later->handle, later->request));
  free(later);
}

static enum sluice_verdict on_request(void *arg,
                                      struct sluice_request *request) {
  struct handle *handle = arg;
  const struct conf *conf = handle->instance->conf;
  const char *note = sluice_request_header(request, "X-Note");
  const struct timeval delay = {conf->wait / 1000, conf->wait % 1000 * 1000};
  if (conf->notes && note != NULL)
    sluice_log(handle->host, SLUICE_LOG_INFO, "set: %d",
               sluice_request_set_attribute(request, "choice.note", note));
  if (conf->wait == 0)
    return choose(handle, request);
  struct later *later = calloc(1, sizeof *later);
  if (later == NULL)
    abort();
  *later = (struct later){.handle = handle, .request = request};
  event_base_once(sluice_loop(handle->host), -1, EV_TIMEOUT, on_time, later,
                  &delay);
  return SLUICE_WAIT;
}

static enum sluice_verdict on_key(void *arg, struct sluice_request *request) {
  struct handle *handle = arg;
  const char *name = sluice_request_header(request, "X-Late");
  if (name != NULL)
    sluice_log_text(handle->host, SLUICE_LOG_INFO,
                    sluice_request_backend(request, name)
                        ? "late: chosen"
                        : "late: 100% refused");
  return SLUICE_PASS;
}

static void on_response(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  const char *note = sluice_request_attribute(request, "choice.note");
  if (note != NULL && !handle->instance->conf->notes)
    sluice_request_answer(request, "X-Noted", note);
}

static void on_log(void *arg, struct sluice_request *request,
                   const struct sluice_record *record) {
  const struct handle *handle = arg;
  const char *note = sluice_request_attribute(request, "choice.note");
  (void)record;
  if (note != NULL)
    sluice_log(handle->host, SLUICE_LOG_INFO, "noted: %s", note);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "choicehook",
    .version = "1.0",
    .summary = "chooses backends, for tests",
    .options = options,
    .conf_size = sizeof(struct conf),
    .guards = false,
    .start = start,
    .stop = stop,
    .open = open_hook,
    .close = close_hook,
    .on_request = on_request,
    .on_key = on_key,
    .on_response = on_response,
    .on_log = on_log,
};
SLUICE_HOOK(choicehook, hook)
