/* SPDX-License-Identifier: MIT
 *
 * Limits the bytes and objects that each identity, prefix or backend has.
 * Guide: sluice-quota(7).
 *
 * An object is reserved before its commit, and confirmed before its client is
 * told, both durably, so that no number of uploads at once stores more than
 * fits, and no crash makes it forget what is there.
 */
#include <sluice/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "quantity.h"

enum quota_by { BY_IDENTITY, BY_PREFIX, BY_BACKEND };

struct conf {
  const char *by, *file;
  uint64_t bytes;
  int64_t objects, segments;
};

struct instance {
  struct conf conf;
  enum quota_by by;
  struct account *account;
  struct sluice_lane *lane;
  struct sluice_host *host;
};

struct handle {
  struct instance *instance;
  struct sluice_host *host;
};

struct state { /* of a request */
  int64_t reserved;
  bool waits; /* for a job */
  bool left;  /* its on_log came meanwhile */
  bool copies;
  char source[ACCOUNT_OBJECT_MAX + 1];
};

struct job {
  struct account_task task;
  struct handle *handle;
  struct sluice_request *request; /* NULL: nobody waits */
};

#define OPTION(field) offsetof(struct conf, field)

static const struct sluice_option options[] = {
    {"by", SLUICE_STRING, "identity", OPTION(by),
     "whose objects are counted together: identity, prefix or backend"},
    {"segments", SLUICE_INT, "1", OPTION(segments),
     "of a key, that are its prefix"},
    {"bytes", SLUICE_SIZE, "0", OPTION(bytes),
     "of all objects; 0: any number"},
    {"objects", SLUICE_INT, "0", OPTION(objects), "0: any number"},
    {"file", SLUICE_STRING, NULL, OPTION(file),
     "where the account is kept, by this gateway alone"},
    {0}};

/* ---- whose it is -------------------------------------------------------- */

static const char *backend_of(const struct sluice_request *request) {
  const char *name = sluice_request_backend_name(request);
  return name == NULL ? "" : name;
}

/* The same key in another backend is another object. */
static void name_object(const struct sluice_request *request, const char *key,
                        char object[ACCOUNT_OBJECT_MAX + 1]) {
  snprintf(object, ACCOUNT_OBJECT_MAX + 1, "%.*s\t%.*s", ACCOUNT_NAME_MAX,
           backend_of(request), ACCOUNT_KEY_MAX, key);
}

static void read_owner(const struct instance *instance,
                       const struct sluice_request *request, const char *key,
                       char owner[ACCOUNT_KEY_MAX + 1]) {
  const char *identity = sluice_request_identity(request);
  const char *end = key;
  if (instance->by != BY_PREFIX) {
    const char *whose =
        instance->by == BY_BACKEND ? backend_of(request) : identity;
    snprintf(owner, ACCOUNT_KEY_MAX + 1, "%s", whose == NULL ? "" : whose);
    return;
  }
  for (int64_t i = 0; i < instance->conf.segments; i++) {
    const char *slash = strchr(end, '/');
    if (slash == NULL)
      break; /* fewer: those it has, without its name */
    end = slash + 1;
  }
  snprintf(owner, ACCOUNT_KEY_MAX + 1, "%.*s", (int)(end - key), key);
}

/* ---- jobs --------------------------------------------------------------- */

static void run_batch(void *arg, void **jobs, size_t count) {
  struct instance *instance = arg;
  struct account_task *tasks[SLUICE_LANE_BATCH];
  for (size_t i = 0; i < count; i++)
    tasks[i] = &((struct job *)jobs[i])->task;
  account_run(instance->account, tasks, count);
  if (!tasks[0]->done)
    sluice_log(instance->host, SLUICE_LOG_ERROR, "%s: %s", instance->conf.file,
               account_trouble(instance->account));
}

static void on_done(void *arg);

static bool start_job(struct handle *handle, struct sluice_request *request,
                      const struct account_task *task) {
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL)
    return false;
  *job = (struct job){.task = *task, .handle = handle, .request = request};
  sluice_lane_add(handle->instance->lane, handle->host, job, on_done);
  return true;
}

static void quota_release(struct handle *handle, int64_t reserved) {
  struct account_task task = {.act = ACCOUNT_RELEASE, .reserved = reserved};
  if (reserved != 0)
    start_job(handle, NULL, &task); /* else it counts until a restart */
}

enum { QUOTA_REFUSED };

static const char *const quota_reasons[] = {"bytes", "objects", "unknown",
                                            NULL};

static const struct sluice_metric metrics[] = {
    [QUOTA_REFUSED] = {"quota_refused_total", SLUICE_COUNTER,
                       "Uploads that were refused, by what there was no room "
                       "for; unknown: the file couldn't be read.",
                       "reason", quota_reasons},
    {NULL, 0, NULL, NULL, NULL}};

static enum sluice_verdict refuse(const struct job *job) {
  struct sluice_host *host = job->handle->host;
  const struct account_task *task = &job->task;
  const struct conf *conf = &job->handle->instance->conf;
  char message[200], used[32], limit[32];
  if (!task->done) {
    sluice_count(host, SLUICE_SERIES(QUOTA_REFUSED, 2), 1);
    sluice_request_refuse(job->request, SLUICE_EBUSY,
                          "The quota isn't known now; try again");
    return SLUICE_DENY;
  }
  quantity_print(used, (uint64_t)task->used_bytes);
  quantity_print(limit, conf->bytes);
  bool counts = conf->objects > 0 && task->used_objects >= conf->objects;
  sluice_count(host, SLUICE_SERIES(QUOTA_REFUSED, counts), 1);
  if (counts)
    snprintf(message, sizeof message,
             "The quota has no room: %lld of %lld objects are there",
             (long long)task->used_objects, (long long)conf->objects);
  else
    snprintf(message, sizeof message,
             "The quota has no room: %s of %s are used", used, limit);
  sluice_request_refuse(job->request, SLUICE_ENOSPC, message);
  return SLUICE_DENY;
}

static void on_done(void *arg) {
  struct job *job = arg;
  struct sluice_request *request = job->request;
  const struct account_task *task = &job->task;
  if (request == NULL) {
    free(job);
    return;
  }
  enum sluice_verdict verdict = SLUICE_PASS;
  bool asked = task->act == ACCOUNT_LOOK || task->act == ACCOUNT_RESERVE;
  struct state *state = sluice_request_state(request, sizeof *state);
  state->waits = false;
  if (task->done)
    state->reserved = task->act == ACCOUNT_RESERVE ? task->reserved : 0;
  if (asked && (!task->done || !task->fits))
    verdict = state->left ? SLUICE_DENY : refuse(job);
  if (state->left)
    quota_release(job->handle, state->reserved);
  free(job);
  sluice_request_resume(request, verdict);
}

static enum sluice_verdict ask(struct handle *handle,
                               struct sluice_request *request,
                               const struct account_task *task) {
  struct state *state = sluice_request_state(request, sizeof *state);
  if (!start_job(handle, request, task)) {
    sluice_request_refuse(request, SLUICE_ENOMEM, "There is no memory");
    return SLUICE_DENY;
  }
  state->waits = true;
  return SLUICE_WAIT;
}

/* ---- phases ------------------------------------------------------------- */

static bool is(const struct sluice_request *request, const char *operation) {
  const char *own = sluice_request_operation(request);
  return own != NULL && strcmp(own, operation) == 0;
}

static bool is_move(const struct sluice_request *request) {
  const char *path = sluice_request_path(request);
  const char *slash = path == NULL ? NULL : strrchr(path, '/');
  return slash != NULL && strcmp(slash, "/move") == 0;
}

static enum sluice_verdict quota_on_key(void *arg,
                                        struct sluice_request *request) {
  struct handle *handle = arg;
  const char *key = sluice_request_key(request);
  struct state *state = sluice_request_state(request, sizeof *state);
  if (is(request, "download")) { /* of a copy it is the source */
    state->copies = true;
    name_object(request, key, state->source);
    return SLUICE_PASS;
  }
  if (!is(request, "upload") && !is(request, "replace"))
    return SLUICE_PASS;
  const struct sluice_upload *object = sluice_request_object(request);
  struct account_task task = {.act = ACCOUNT_LOOK,
                              .reserved = state->reserved};
  if (object == NULL && !state->copies)
    return SLUICE_PASS; /* a link, or it was stored before */
  if (object == NULL) {
    memcpy(task.source, state->source, sizeof task.source);
    task.moves = is_move(request);
  } else if (object->length < 0) {
    return SLUICE_PASS; /* its end tells */
  } else {
    task.bytes = object->length;
  }
  if (object == NULL || object->md5 != NULL)
    task.act = ACCOUNT_RESERVE;
  name_object(request, key, task.object);
  read_owner(handle->instance, request, key, task.owner);
  return ask(handle, request, &task);
}

static enum sluice_verdict quota_on_change(void *arg,
                                           struct sluice_request *request,
                                           const struct sluice_object *it) {
  struct handle *handle = arg;
  const struct state *state = sluice_request_state(request, sizeof *state);
  bool gone = is(request, "delete");
  struct account_task task = {.act = gone ? ACCOUNT_REMOVE : ACCOUNT_CONFIRM,
                              .bytes = (int64_t)it->length,
                              .reserved = gone ? 0 : state->reserved};
  name_object(request, it->key, task.object);
  read_owner(handle->instance, request, it->key, task.owner);
  return ask(handle, request, &task);
}

/* Nothing was stored for what is still reserved. */
static void quota_on_log(void *arg, struct sluice_request *request,
                         const struct sluice_record *record) {
  struct state *state = sluice_request_state(request, sizeof *state);
  (void)record;
  state->left = true;
  if (!state->waits)
    quota_release(arg, state->reserved);
}

/* ---- life --------------------------------------------------------------- */

static bool read_by(struct instance *instance, const char *word) {
  static const char *const words[] = {[BY_IDENTITY] = "identity",
                                      [BY_PREFIX] = "prefix",
                                      [BY_BACKEND] = "backend"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i], word) == 0) {
      instance->by = (enum quota_by)i;
      return true;
    }
  return false;
}

static bool read_conf(struct instance *instance, struct errmsg *err) {
  const struct conf *conf = &instance->conf;
  if (!read_by(instance, conf->by))
    return errmsg_set(err,
                      "by: '%.50s' is neither identity nor prefix nor "
                      "backend",
                      conf->by);
  if (conf->segments < 1 || conf->segments > 16)
    return errmsg_set(err, "segments: 1 to 16");
  if (conf->bytes > INT64_MAX / 2 || conf->objects < 0)
    return errmsg_set(err, "bytes: at most 4EiB; objects: none below 0");
  if (conf->bytes == 0 && conf->objects == 0)
    return errmsg_set(err, "it limits nothing; set bytes or objects");
  instance->account =
      account_open(conf->file, (int64_t)conf->bytes, conf->objects, err);
  return instance->account != NULL;
}

static void quota_stop(void *arg) {
  struct instance *instance = arg;
  sluice_lane_free(instance->lane);
  if (instance->account != NULL)
    account_close(instance->account);
  free(instance);
}

static void *quota_start(const void *arg, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  struct errmsg err;
  if (instance == NULL) {
    sluice_fail(host, "there is no memory");
    return NULL;
  }
  instance->conf = *(const struct conf *)arg;
  instance->host = host;
  if (read_conf(instance, &err)) {
    instance->lane = sluice_lane_new(host, run_batch, instance);
    if (instance->lane != NULL)
      return instance;
    errmsg_set(&err, "there is no memory");
  }
  sluice_fail(host, "%s", err.text);
  quota_stop(instance);
  return NULL;
}

static void *quota_open(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL)
    sluice_fail(host, "there is no memory");
  else
    *handle = (struct handle){.instance = instance, .host = host};
  return handle;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "quota",
    .version = SLUICE_VERSION,
    .summary = "limits the bytes and objects that each identity, prefix or "
               "backend has",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = quota_start,
    .stop = quota_stop,
    .open = quota_open,
    .close = free,
    .on_key = quota_on_key,
    .on_log = quota_on_log,
    .on_change = quota_on_change,
    .metrics = metrics,
};

SLUICE_REACH({"file", SLUICE_REACH_WRITE, NULL})
SLUICE_HOOK(quota, hook)
