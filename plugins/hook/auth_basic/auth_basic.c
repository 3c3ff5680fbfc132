/* SPDX-License-Identifier: MIT
 *
 * Admits users of an htpasswd file, sluice-auth_basic(7): the hook's options
 * and its life.  Callers are asked in caller.c.
 */
#include "auth_basic.h"

#include <stddef.h>
#include <stdlib.h>

#include "challenge.h"
#include "exposure_tell.h"
#include "htpasswd.h"

#define SEEN_MAX 1024 /* of each kind, a loop */
#define DAY_MS INT64_C(86400000)

static const struct sluice_option options[] = {
    {"file", SLUICE_STRING, NULL, offsetof(struct conf, file),
     "the users: a file as htpasswd -B writes it"},
    {"prefixes", SLUICE_LIST, NULL, offsetof(struct conf, prefixes),
     "what their keys begin with; {user} is the name"},
    {"operations", SLUICE_LIST, "[*]", offsetof(struct conf, operations),
     "what they may do: upload, presign, download, list, delete; * for all"},
    {"realm", SLUICE_STRING, "Sluice", offsetof(struct conf, realm),
     "what the password is for: browsers show it"},
    {"cache_time", SLUICE_TIME, "5m", offsetof(struct conf, cache_time),
     "how long a password that was right isn't checked again"},
    {"queue", SLUICE_INT, "32", offsetof(struct conf, queue),
     "passwords that may be checked or wait for it, on each loop"},
    {"failures", SLUICE_INT, "10", offsetof(struct conf, failures),
     "wrong passwords of one client before it has to wait; 0: any number"},
    {"failure_time", SLUICE_TIME, "1m", offsetof(struct conf, failure_time),
     "the time in which a client may have as many again"},
    {"interval", SLUICE_TIME, "5s", offsetof(struct conf, interval),
     "how often to look whether the file changed; 0: at SIGHUP only"},
    {NULL, 0, NULL, 0, NULL}};

static void auth_basic_on_response(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  int status = sluice_request_status(request);
  unsigned wait = caller_wait(request);
  if (status == 401)
    challenge_basic(request, handle->instance->conf->realm);
  if (status == 429 && wait > 0)
    challenge_later(request, wait);
}

static void auth_basic_reload(void *arg) {
  const struct handle *handle = arg;
  watch_now(handle->watch);
}

/* ---- its life ----------------------------------------------------------- */

static void *auth_basic_parse(const char *data, size_t len, void *arg,
                              struct errmsg *err) {
  const struct instance *instance = arg;
  return htpasswd_parse(instance->conf->file, data, len, err);
}

static void free_users(void *parsed) {
  htpasswd_free(parsed);
}

static bool take_grants(struct instance *instance, struct sluice_host *host) {
  const struct conf *conf = instance->conf;
  struct errmsg err;
  bool good =
      grants_take_operations(&instance->grants, conf->operations, &err) &&
      grants_take_prefixes(&instance->grants, conf->prefixes, &err);
  if (!good)
    sluice_fail(host, "%s", err.text);
  return good;
}

static bool auth_basic_check(const struct conf *conf,
                             struct sluice_host *host) {
  const char *fault = challenge_realm_fault(conf->realm);
  if (fault != NULL)
    sluice_fail(host, "realm %s", fault);
  else if (conf->interval < 0 || conf->interval > DAY_MS)
    sluice_fail(host, "interval is longer than 24h; shorten it");
  else if (conf->cache_time < 0 || conf->cache_time > DAY_MS)
    sluice_fail(host, "cache_time is longer than 24h; shorten it");
  else if (conf->queue < 1 || conf->queue > 1024)
    sluice_fail(host, "queue is not in 1 to 1024; 32 is usual");
  else if (conf->failures < 0 || conf->failures > FAILURES_MAX)
    sluice_fail(host, "failures is not in 0 to %d; 10 is usual", FAILURES_MAX);
  else if (conf->failure_time < 1000 || conf->failure_time > DAY_MS)
    sluice_fail(host, "failure_time is not in 1s to 24h; 1m is usual");
  else
    return true;
  return false;
}

static bool read_users(struct instance *instance, struct sluice_host *host) {
  const char *file = instance->conf->file;
  struct errmsg err = {""};
  struct htpasswd *users = watch_read(&instance->file, &err);
  if (users == NULL) {
    sluice_fail(host, "%s", err.text);
    return false;
  }
  if (users->count == 0)
    sluice_log(host, SLUICE_LOG_WARN, "%s has no user: nobody is admitted",
               file);
  htpasswd_free(users);
  exposure_tell(host, file, EXPOSURE_SECRET);
  return true;
}

static bool count_failures(struct instance *instance,
                           struct sluice_host *host) {
  const struct conf *conf = instance->conf;
  instance->failures = failures_new((uint64_t)conf->failures,
                                    (uint64_t)conf->failure_time * 1000);
  if (instance->failures == NULL)
    sluice_fail(host, "out of memory");
  return instance->failures != NULL;
}

static void auth_basic_stop(void *arg) {
  struct instance *instance = arg;
  digest_key_free(instance->secret);
  failures_free(instance->failures);
  free(instance);
}

static void *auth_basic_start(const void *conf, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) {
    sluice_fail(host, "out of memory");
    return NULL;
  }
  instance->conf = conf;
  instance->file = (struct watch_file){.path = instance->conf->file,
                                       .max = HTPASSWD_FILE_MAX,
                                       .interval_ms = instance->conf->interval,
                                       .parse = auth_basic_parse,
                                       .free = free_users,
                                       .arg = instance,
                                       .told = &instance->told};
  instance->secret = digest_key_random();
  if (auth_basic_check(conf, host) && take_grants(instance, host) &&
      read_users(instance, host) && count_failures(instance, host))
    return instance;
  auth_basic_stop(instance);
  return NULL;
}

static void auth_basic_close(void *arg) {
  struct handle *handle = arg;
  watch_free(handle->watch);
  checks_free(handle->checks);
  seen_free(handle->good);
  seen_free(handle->bad);
  free(handle);
}

static void *auth_basic_open(void *arg, struct sluice_host *host) {
  const struct instance *instance = arg;
  struct errmsg err = {"out of memory"};
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "%s", err.text);
    return NULL;
  }
  *handle = (struct handle){.instance = instance, .host = host};
  handle->good = seen_new(SEEN_MAX);
  handle->bad = seen_new(SEEN_MAX);
  handle->checks =
      checks_new(host, (size_t)instance->conf->queue, &caller_calls, handle);
  if (handle->good != NULL && handle->bad != NULL && handle->checks != NULL) {
    void *users = watch_read(&instance->file, &err);
    if (users != NULL)
      handle->watch = watch_new(host, &instance->file, users);
  }
  if (handle->watch != NULL)
    return handle;
  sluice_fail(host, "%s", err.text);
  auth_basic_close(handle);
  return NULL;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "auth_basic",
    .version = SLUICE_VERSION,
    .summary = "admits the users of an htpasswd file",
    .options = options,
    .conf_size = sizeof(struct conf),
    .guards = true,
    .start = auth_basic_start,
    .stop = auth_basic_stop,
    .open = auth_basic_open,
    .close = auth_basic_close,
    .on_request = caller_on_request,
    .on_key = caller_on_key,
    .on_response = auth_basic_on_response,
    .reload = auth_basic_reload,
};

SLUICE_REACH({"file", SLUICE_REACH_READ, NULL})
SLUICE_HOOK(auth_basic, hook)
