/* SPDX-License-Identifier: MIT
 *
 * Admits users of an htpasswd file, sluice-auth_basic(7).  A password is
 * checked by the pool, once for a time: what was found is kept below a keyed
 * digest of user, password and hash, so that a new hash is a new question.
 * Nothing that is said or done tells a user who isn't there from a password
 * that is wrong.
 */
#include <sluice/plugin.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "challenge.h"
#include "checks.h"
#include "credential.h"
#include "grants.h"
#include "htpasswd.h"
#include "seen.h"
#include "watch.h"

#define SEEN_MAX 1024           /* of each kind, a loop */
#define FAILURES_TIME_MAX 10000 /* ms */
#define QUESTION_MAX 1024       /* bytes of user, password and hash */
#define DAY_MS INT64_C(86400000)

/* Where there is no user at all.  Of bcrypt, for no password. */
static const char no_hash[] =
    "$2b$05$......................DuZlQ3aRTnkSDxc4ySaLbHl4DyY8ZVe";

struct conf {
  const char *file, *realm;
  const char *const *operations, *const *prefixes;
  int64_t interval, cache_time, queue;
};

struct instance {
  const struct conf *conf; /* lives as long as the gateway */
  struct grants grants;
  struct watch_file file;
  atomic_uint_least64_t told;
  unsigned char secret[DIGEST_SHA256_LEN]; /* of this process */
};

struct handle {
  const struct instance *instance;
  struct sluice_host *host;
  struct watch *watch;
  struct checks *checks;
  struct seen *good, *bad; /* apart, so that guesses displace no user */
};

struct caller { /* what a request keeps */
  struct checks_waiter waiter;
  const struct handle *handle;
  struct sluice_request *request;
  bool known;
  char name[HTPASSWD_NAME_MAX + 1];
  unsigned char entry[DIGEST_SHA256_LEN]; /* of the hash, not the password */
};

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
    {"interval", SLUICE_TIME, "5s", offsetof(struct conf, interval),
     "how often to look whether the file changed; 0: at SIGHUP only"},
    {NULL, 0, NULL, 0, NULL}};

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the question ------------------------------------------------------- */

/* Names and passwords have no NUL, so that the parts can't be shifted. */
static bool make_key(const struct instance *instance,
                     const struct credential_basic *basic, const char *hash,
                     unsigned char key[DIGEST_SHA256_LEN]) {
  char text[QUESTION_MAX];
  int len = snprintf(text, sizeof text, "%s%c%s%c%s", basic->user, '\0',
                     basic->password, '\0', hash);
  bool fits = len > 0 && (size_t)len < sizeof text;
  if (fits)
    digest_hmac_sha256(key, instance->secret, sizeof instance->secret, text,
                       (size_t)len);
  digest_wipe(text, sizeof text);
  return fits;
}

/* A user that isn't there has the hash of one that is, always the same one, so
 * that both take the same time. */
static const char *decoy(const struct instance *instance,
                         const struct htpasswd *users, const char *name) {
  unsigned char sum[DIGEST_SHA256_LEN];
  uint32_t number;
  if (users->count == 0)
    return no_hash;
  digest_hmac_sha256(sum, instance->secret, sizeof instance->secret, name,
                     strlen(name));
  memcpy(&number, sum, sizeof number);
  return users->users[number % users->count].hash;
}

static void hash_entry(const struct htpasswd_user *user,
                       unsigned char sum[DIGEST_SHA256_LEN]) {
  digest_sha256(sum, user->hash, strlen(user->hash));
}

/* ---- the answer --------------------------------------------------------- */

static enum sluice_verdict deny(struct caller *caller) {
  sluice_request_refuse(caller->request, SLUICE_EAUTH,
                        "The user name or the password is wrong");
  return SLUICE_DENY;
}

static enum sluice_verdict judge(struct caller *caller, bool good) {
  const struct grants *grants = &caller->handle->instance->grants;
  const char *operation = sluice_request_operation(caller->request);
  if (!good || !sluice_request_identify(caller->request, caller->name))
    return deny(caller);
  caller->known = true;
  if (grants_allow(grants, operation))
    return SLUICE_ALLOW;
  sluice_request_refuse(caller->request, SLUICE_EDENIED,
                        "Users may not do this");
  return SLUICE_DENY;
}

static void on_done(void *arg, const unsigned char *key, bool good) {
  const struct handle *handle = arg;
  int64_t time = handle->instance->conf->cache_time;
  if (time == 0)
    return;
  if (!good && time > FAILURES_TIME_MAX)
    time = FAILURES_TIME_MAX;
  seen_add(good ? handle->good : handle->bad, key, now_ms() + time);
}

static void on_checked(struct checks_waiter *waiter, bool good) {
  struct caller *caller =
      (struct caller *)((char *)waiter - offsetof(struct caller, waiter));
  sluice_request_resume(caller->request, judge(caller, good));
}

static enum sluice_verdict ask(struct caller *caller,
                               const struct credential_basic *basic) {
  const struct handle *handle = caller->handle;
  const struct htpasswd *users = watch_get(handle->watch);
  const struct htpasswd_user *user = htpasswd_find(users, basic->user);
  struct checks_question question = {
      .hash = user != NULL ? user->hash
                           : decoy(handle->instance, users, basic->user),
      .password = basic->password,
      .decoy = user == NULL};
  if (user != NULL)
    hash_entry(user, caller->entry);
  snprintf(caller->name, sizeof caller->name, "%s", basic->user);
  if (!make_key(handle->instance, basic, question.hash, question.key))
    return deny(caller);
  if (seen_has(handle->good, question.key, now_ms()))
    return judge(caller, true);
  if (seen_has(handle->bad, question.key, now_ms()))
    return judge(caller, false);
  caller->waiter.then = on_checked;
  if (checks_ask(handle->checks, &question, &caller->waiter))
    return SLUICE_WAIT;
  sluice_request_refuse(caller->request, SLUICE_EBUSY,
                        "Too many passwords are being checked; try again");
  return SLUICE_DENY;
}

static enum sluice_verdict on_request(void *arg,
                                      struct sluice_request *request) {
  struct caller *caller = sluice_request_state(request, sizeof *caller);
  struct credential_basic basic;
  const char *header = sluice_request_header(request, "Authorization");
  if (credential_basic(header, &basic) != CREDENTIAL_GOOD)
    return SLUICE_PASS;
  caller->handle = arg;
  caller->request = request;
  enum sluice_verdict verdict = ask(caller, &basic);
  credential_basic_wipe(&basic);
  return verdict;
}

/* Between the phases of an upload the file may have changed. */
static enum sluice_verdict on_key(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  struct caller *caller = sluice_request_state(request, sizeof *caller);
  unsigned char entry[DIGEST_SHA256_LEN];
  if (!caller->known)
    return SLUICE_PASS;
  const struct htpasswd_user *user =
      htpasswd_find(watch_get(handle->watch), caller->name);
  if (user == NULL)
    return deny(caller);
  hash_entry(user, entry);
  if (!digest_equal(entry, caller->entry, sizeof entry))
    return deny(caller);
  if (grants_reach(&handle->instance->grants, caller->name,
                   sluice_request_key(request)))
    return SLUICE_PASS;
  sluice_request_refuse(request, SLUICE_EDENIED,
                        "This key isn't one of the user's");
  return SLUICE_DENY;
}

static void on_response(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  if (sluice_request_status(request) == 401)
    challenge_basic(request, handle->instance->conf->realm);
}

static void reload(void *arg) {
  const struct handle *handle = arg;
  watch_now(handle->watch);
}

/* ---- its life ----------------------------------------------------------- */

static void *parse(const char *data, size_t len, void *arg,
                   struct errmsg *err) {
  const struct instance *instance = arg;
  return htpasswd_parse(instance->conf->file, data, len, err);
}

static void free_users(void *parsed) {
  htpasswd_free(parsed);
}

static bool take_grants(struct instance *instance, struct sluice_host *host) {
  const struct conf *conf = instance->conf;
  for (size_t i = 0; conf->operations[i] != NULL; i++) {
    unsigned bits = grants_operation(conf->operations[i]);
    if (bits == 0) {
      sluice_fail(host,
                  "operations: '%.64s' is none; there are upload, presign, "
                  "download, list, delete, and \"*\" for all",
                  conf->operations[i]);
      return false;
    }
    instance->grants.operations |= bits;
  }
  for (size_t i = 0; conf->prefixes[i] != NULL; i++) {
    const char *fault = grants_prefix_fault(conf->prefixes[i]);
    if (fault == NULL && i < GRANTS_PREFIXES_MAX)
      continue;
    sluice_fail(host, "prefixes: %s",
                fault != NULL ? fault : "there are more than 64");
    return false;
  }
  instance->grants.prefixes = conf->prefixes;
  return true;
}

static bool check(const struct conf *conf, struct sluice_host *host) {
  const char *fault = challenge_realm_fault(conf->realm);
  if (fault != NULL)
    sluice_fail(host, "realm %s", fault);
  else if (conf->interval < 0 || conf->interval > DAY_MS)
    sluice_fail(host, "interval is longer than 24h; shorten it");
  else if (conf->cache_time < 0 || conf->cache_time > DAY_MS)
    sluice_fail(host, "cache_time is longer than 24h; shorten it");
  else if (conf->queue < 1 || conf->queue > 1024)
    sluice_fail(host, "queue is not in 1 to 1024; 32 is usual");
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
  if (watch_exposed(file))
    sluice_log(host, SLUICE_LOG_WARN,
               "%s can be read or written by any user; chmod o= %s", file,
               file);
  return true;
}

static void *start(const void *conf, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) {
    sluice_fail(host, "out of memory");
    return NULL;
  }
  instance->conf = conf;
  instance->file = (struct watch_file){.path = instance->conf->file,
                                       .max = HTPASSWD_FILE_MAX,
                                       .interval_ms = instance->conf->interval,
                                       .parse = parse,
                                       .free = free_users,
                                       .arg = instance,
                                       .told = &instance->told};
  digest_random(instance->secret, sizeof instance->secret);
  if (check(conf, host) && take_grants(instance, host) &&
      read_users(instance, host))
    return instance;
  free(instance);
  return NULL;
}

static void stop(void *arg) {
  struct instance *instance = arg;
  digest_wipe(instance->secret, sizeof instance->secret);
  free(instance);
}

static void close_handle(void *arg) {
  struct handle *handle = arg;
  watch_free(handle->watch);
  checks_free(handle->checks);
  seen_free(handle->good);
  seen_free(handle->bad);
  free(handle);
}

static void *open_handle(void *arg, struct sluice_host *host) {
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
      checks_new(host, (size_t)instance->conf->queue, on_done, handle);
  if (handle->good != NULL && handle->bad != NULL && handle->checks != NULL) {
    void *users = watch_read(&instance->file, &err);
    if (users != NULL)
      handle->watch = watch_new(host, &instance->file, users);
  }
  if (handle->watch != NULL)
    return handle;
  sluice_fail(host, "%s", err.text);
  close_handle(handle);
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
    .start = start,
    .stop = stop,
    .open = open_handle,
    .close = close_handle,
    .on_request = on_request,
    .on_key = on_key,
    .on_response = on_response,
    .reload = reload,
};

SLUICE_HOOK(auth_basic, hook)
