/* SPDX-License-Identifier: MIT
 *
 * A hook that admits who knows a token, asks a thread about everybody with
 * "Authorization: Basic", and keeps every rule but the one that its option
 * names.
 */
#include <sluice/plugin.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLEEP_MS 25

struct conf {
  const char *rule, *outage;
};

struct handle {
  const struct conf *conf;
  struct sluice_host *host;
  bool reloaded;
  bool was_down;
};

struct question { /* of one request that waits */
  struct handle *handle;
  struct sluice_request *request;
};

static const struct sluice_option options[] = {
    {"rule", SLUICE_STRING, "none", offsetof(struct conf, rule),
     "the rule to break"},
    {"outage", SLUICE_STRING, "", offsetof(struct conf, outage),
     "a file: while it is there nobody can be asked about"},
    {0}};

static bool breaks(const struct handle *handle, const char *rule) {
  return strcmp(handle->conf->rule, rule) == 0;
}

static bool begins(const char *text, const char *with) {
  return text != NULL && strncmp(text, with, strlen(with)) == 0;
}

/* ---- asking ------------------------------------------------------------- */

static void work(void *arg) {
  struct question *question = arg;
  if (breaks(question->handle, "other_thread"))
    sluice_request_resume(question->request, SLUICE_DENY);
}

static void answer(void *arg) {
  struct question *question = arg;
  bool *logged = sluice_request_state(question->request, sizeof *logged);
  bool silent = *logged && breaks(question->handle, "gone_unanswered");
  if (!silent)
    sluice_request_resume(question->request, SLUICE_DENY);
  if (breaks(question->handle, "resumes_twice"))
    sluice_request_resume(question->request, SLUICE_DENY);
  free(question);
}

static enum sluice_verdict ask(struct handle *handle,
                               struct sluice_request *request) {
  struct question *question = calloc(1, sizeof *question);
  question->handle = handle;
  question->request = request;
  sluice_work(handle->host, work, answer, question);
  return SLUICE_WAIT;
}

/* ---- phases ------------------------------------------------------------- */

static bool is_bare(const struct sluice_request *request) {
  static const char *const names[] = {
      "Authorization",   "X-Token",          "X-Api-Key", "X-User-Id",
      "X-Forwarded-For", "X-Forwarded-User", "Cookie",    "Origin"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (sluice_request_header(request, names[i]) != NULL)
      return false;
  return true;
}

static void misbehave(const struct handle *handle,
                      const struct sluice_request *request) {
  const char *word = sluice_request_header(request, "Authorization");
  bool odd = sluice_request_header(request, "X-5") != NULL;
  if (breaks(handle, "leaks_file") && open("/dev/null", O_RDONLY) < 0)
    abort();
  if (breaks(handle, "leaks_memory") && strdup("32 bytes that nobody frees "
                                               "again") == NULL)
    abort();
  if (breaks(handle, "crashes") && word != NULL && strlen(word) > 10000)
    raise(SIGSEGV);
  if (breaks(handle, "miscounts"))
    sluice_count(handle->host, 0, 1);
  if (breaks(handle, "blocks") && odd)
    usleep(300000);
  if (breaks(handle, "sleeps"))
    usleep(SLEEP_MS * 1000);
}

static bool is_down(struct handle *handle) {
  const char *file = handle->conf->outage;
  bool down = *file != '\0' && access(file, F_OK) == 0;
  handle->was_down = handle->was_down || down;
  return down || (handle->was_down && breaks(handle, "stays_down"));
}

static enum sluice_verdict on_request(void *arg,
                                      struct sluice_request *request) {
  struct handle *handle = arg;
  const char *token = sluice_request_header(request, "X-Token");
  const char *word = sluice_request_header(request, "Authorization");
  bool odd = sluice_request_header(request, "X-5") != NULL;
  misbehave(handle, request);
  if (is_down(handle))
    return breaks(handle, "down_allows") ? SLUICE_ALLOW : SLUICE_DENY;
  if (breaks(handle, "no_verdict") && odd)
    return (enum sluice_verdict)7;
  if (breaks(handle, "never_resumes") && odd)
    return SLUICE_WAIT;
  if (breaks(handle, "allows_nobody") && is_bare(request))
    return SLUICE_ALLOW;
  if (breaks(handle, "allows_liars") && begins(word, "Bearer"))
    return SLUICE_ALLOW;
  if (breaks(handle, "forgets") && handle->reloaded)
    return SLUICE_ALLOW;
  if (begins(word, "Basic"))
    return ask(handle, request);
  return token != NULL && strcmp(token, "known") == 0 ? SLUICE_ALLOW
                                                      : SLUICE_PASS;
}

static enum sluice_verdict on_key(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  if (breaks(handle, "late_backend"))
    sluice_request_backend(request, "main");
  if (breaks(handle, "long_key") &&
      strlen(sluice_request_key(request)) == 1024)
    raise(SIGSEGV);
  return SLUICE_PASS;
}

static void on_log(void *arg, struct sluice_request *request,
                   const struct sluice_record *record) {
  const struct handle *handle = arg;
  bool *logged = sluice_request_state(request, sizeof *logged);
  (void)record;
  *logged = true;
  if (breaks(handle, "no_operation") &&
      strlen(sluice_request_operation(request)) > 100)
    abort();
}

static void reload(void *arg) {
  struct handle *handle = arg;
  handle->reloaded = true;
}

/* ---- life --------------------------------------------------------------- */

static void beat(void *arg) {
  (void)arg;
}

static void *start(const void *conf, struct sluice_host *host) {
  if (strcmp(((const struct conf *)conf)->rule, "keeps_timer") == 0)
    sluice_timer_new(host, SLUICE_TIMER_MIN_MS, beat, NULL);
  return (void *)conf;
}

static void stop(void *instance) {
  (void)instance;
}

static void *open_handle(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  handle->conf = instance;
  handle->host = host;
  return handle;
}

static void close_handle(void *handle) {
  free(handle);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "broken_hook",
    .version = "1.0.0",
    .summary = "breaks one rule, for the tests of sluice-plugin-check",
    .options = options,
    .conf_size = sizeof(struct conf),
    .guards = true,
    .start = start,
    .stop = stop,
    .open = open_handle,
    .close = close_handle,
    .on_request = on_request,
    .on_key = on_key,
    .on_log = on_log,
    .reload = reload,
};
SLUICE_HOOK(broken_hook, hook)
