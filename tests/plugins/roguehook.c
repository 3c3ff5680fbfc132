/* SPDX-License-Identifier: MIT
 *
 * A hook for tests that breaks one rule of the contract, which its option
 * `how` names.  It doesn't guard, and has no opinion otherwise.
 */
#include <event2/event.h>
#include <sluice/plugin.h>
#include <string.h>
#include <unistd.h>

enum how {
  WELL,
  NEVER,       /* waits, and never resumes */
  LATE,        /* resumes after `delay` */
  TWICE,       /* resumes, and resumes again at once */
  TWICE_LATER, /* the second one after `delay` */
  NO_WAIT,     /* resumes without having waited */
  WAIT_AGAIN,  /* resumes with SLUICE_WAIT */
  BAD_VERDICT, /* answers with 77 */
  BAD_RESUME,  /* resumes with 77 */
  BAD_REFUSAL, /* refuses with status 99 */
  BAD_HEADER,
  BAD_IDENTITY,
  HUGE_STATE,   /* 5000 bytes */
  OTHER_STATE,  /* of another size each time */
  WRONG_THREAD, /* resumes from a thread of the pool */
  CHANGE_NEVER, /* waits in on_change, and never resumes */
  CHANGE_LATE,  /* resumes after `delay` */
  CHANGE_JUST,  /* blocks the loop until `delay` is over, then resumes */
  CHANGE_TELLS, /* logs what it is told of */
  WITNESS       /* logs all that it is asked and told, each with its name */
};

static const char *const names[] = {[WELL] = "well",
                                    [NEVER] = "never",
                                    [LATE] = "late",
                                    [TWICE] = "twice",
                                    [TWICE_LATER] = "twice_later",
                                    [NO_WAIT] = "no_wait",
                                    [WAIT_AGAIN] = "wait_again",
                                    [BAD_VERDICT] = "bad_verdict",
                                    [BAD_RESUME] = "bad_resume",
                                    [BAD_REFUSAL] = "bad_refusal",
                                    [BAD_HEADER] = "bad_header",
                                    [BAD_IDENTITY] = "bad_identity",
                                    [HUGE_STATE] = "huge_state",
                                    [OTHER_STATE] = "other_state",
                                    [WRONG_THREAD] = "wrong_thread",
                                    [CHANGE_NEVER] = "change_never",
                                    [CHANGE_LATE] = "change_late",
                                    [CHANGE_JUST] = "change_just",
                                    [CHANGE_TELLS] = "change_tells",
                                    [WITNESS] = "witness"};

struct rogue_conf {
  const char *how;
  int64_t delay;
};

struct rogue { /* one loop's: use one worker */
  const struct rogue_conf *conf;
  enum how how;
  struct sluice_host *host;
};

struct later {
  struct sluice_request *request;
  struct rogue *rogue;
  enum sluice_verdict verdict;
};

static const struct sluice_option options[] = {
    {"how", SLUICE_STRING, NULL, offsetof(struct rogue_conf, how),
     "the rule that is broken"},
    {"delay", SLUICE_TIME, "600ms", offsetof(struct rogue_conf, delay),
     "how late the late ones are"},
    {NULL, 0, NULL, 0, NULL}};

static struct rogue rogues[32];
static struct later laters[1024]; /* they may outlive their requests */
static unsigned rogue_count, later_count;

static void *start(const void *conf, struct sluice_host *host) {
  const struct rogue_conf *mine = conf;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], mine->how) == 0)
      return (void *)(uintptr_t)conf;
  sluice_fail(host, "how: '%s' is no rule; see roguehook.c", mine->how);
  return NULL;
}

static void stop(void *instance) {
  (void)instance;
}

static void *open_rogue(void *instance, struct sluice_host *host) {
  struct rogue *rogue = &rogues[rogue_count++ % 32];
  *rogue = (struct rogue){.conf = instance, .host = host};
  while (strcmp(names[rogue->how], rogue->conf->how) != 0)
    rogue->how++;
  return rogue;
}

static void resume(void *arg) {
  const struct later *later = arg;
  sluice_request_resume(later->request, later->verdict);
}

static void nothing(void *arg) {
  (void)arg;
}

static struct later *later(struct rogue *rogue, struct sluice_request *request,
                           enum sluice_verdict verdict) {
  struct later *later = &laters[later_count++ % 1024];
  *later = (struct later){request, rogue, verdict};
  return later;
}

static void on_time(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  resume(arg);
}

static void on_time_twice(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  resume(arg);
  resume(arg);
}

static void sometime(const struct later *later, int64_t ms,
                     event_callback_fn then) {
  const struct timeval delay = {ms / 1000, ms % 1000 * 1000};
  event_base_once(sluice_loop(later->rogue->host), -1, EV_TIMEOUT, then,
                  (void *)(uintptr_t)later, &delay);
}

static void more_words(struct sluice_request *request) {
  char text[300];
  memset(text, 'x', sizeof text);
  text[257] = '\0';
  if (sluice_request_identify(request, "a\r\nb") ||
      sluice_request_identify(request, "") ||
      sluice_request_identify(request, "\xff") ||
      sluice_request_identify(request, text))
    sluice_request_refuse(request, SLUICE_EIO, "It was taken");
}

static void testify(const struct rogue *rogue, struct sluice_request *request,
                    const char *phase, const char *key) {
  const char *operation = sluice_request_operation(request);
  if (rogue->how == WITNESS)
    sluice_log(rogue->host, SLUICE_LOG_INFO, "%s %s: %s %s",
               sluice_request_id(request), phase,
               operation == NULL ? "-" : operation, key == NULL ? "-" : key);
}

static enum sluice_verdict on_request(void *handle,
                                      struct sluice_request *request) {
  struct rogue *rogue = handle;
  testify(rogue, request, "request", NULL);
  switch (rogue->how) {
  case NEVER:
    return SLUICE_WAIT;
  case LATE:
    sometime(later(rogue, request, SLUICE_PASS), rogue->conf->delay, on_time);
    return SLUICE_WAIT;
  case TWICE:
    sometime(later(rogue, request, SLUICE_PASS), 0, on_time_twice);
    return SLUICE_WAIT;
  case TWICE_LATER:
    sometime(later(rogue, request, SLUICE_PASS), 0, on_time);
    sometime(later(rogue, request, SLUICE_PASS), rogue->conf->delay, on_time);
    return SLUICE_WAIT;
  case NO_WAIT:
    sluice_request_resume(request, SLUICE_ALLOW);
    return SLUICE_PASS;
  case WAIT_AGAIN:
    sometime(later(rogue, request, SLUICE_WAIT), 0, on_time);
    return SLUICE_WAIT;
  case BAD_VERDICT:
    return (enum sluice_verdict)77;
  case BAD_RESUME:
    sometime(later(rogue, request, (enum sluice_verdict)77), 0, on_time);
    return SLUICE_WAIT;
  case BAD_REFUSAL:
    sluice_request_refuse(request, (enum sluice_status)99, "No");
    return SLUICE_DENY;
  case BAD_IDENTITY:
    more_words(request);
    return SLUICE_PASS;
  case HUGE_STATE:
    return sluice_request_state(request, 5000) == NULL ? SLUICE_PASS
                                                       : SLUICE_DENY;
  case OTHER_STATE:
    return sluice_request_state(request, 8) != NULL &&
                   sluice_request_state(request, 9) == NULL
               ? SLUICE_PASS
               : SLUICE_DENY;
  case WRONG_THREAD:
    sluice_work(rogue->host, resume, nothing,
                later(rogue, request, SLUICE_PASS));
    return SLUICE_WAIT;
  case WELL:
  case BAD_HEADER:
  case CHANGE_NEVER:
  case CHANGE_LATE:
  case CHANGE_JUST:
  case CHANGE_TELLS:
  case WITNESS:
    break;
  }
  return SLUICE_PASS;
}

static enum sluice_verdict on_key(void *handle,
                                  struct sluice_request *request) {
  testify(handle, request, "key", sluice_request_key(request));
  return SLUICE_PASS;
}

static void on_log(void *handle, struct sluice_request *request,
                   const struct sluice_record *record) {
  (void)record;
  testify(handle, request, "log", NULL);
}

static void block(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what, (void)arg;
  usleep(200000);
}

static enum sluice_verdict on_change(void *handle,
                                     struct sluice_request *request,
                                     const struct sluice_object *object) {
  struct rogue *rogue = handle;
  int64_t delay = rogue->conf->delay;
  testify(rogue, request, "change", object->key);
  switch (rogue->how) {
  case CHANGE_NEVER:
    return SLUICE_WAIT;
  case CHANGE_LATE:
    sometime(later(rogue, request, SLUICE_PASS), delay, on_time);
    return SLUICE_WAIT;
  case CHANGE_JUST:
    sometime(later(rogue, request, SLUICE_PASS), delay - 100, block);
    sometime(later(rogue, request, SLUICE_PASS), delay, on_time);
    return SLUICE_WAIT;
  case CHANGE_TELLS:
    sluice_log(rogue->host, SLUICE_LOG_INFO, "told of %s", object->key);
    return SLUICE_PASS;
  default:
    return SLUICE_PASS;
  }
}

static void on_response(void *handle, struct sluice_request *request) {
  const struct rogue *rogue = handle;
  if (rogue->how != BAD_HEADER)
    return;
  sluice_request_answer(request, "X-A", "1\r\nX-Evil: 1");
  sluice_request_answer(request, "X-Evil: 1\r\nX-B", "1");
  sluice_request_answer(request, "Content-Length", "1");
  sluice_request_answer(request, "", "1");
  for (int i = 0; i < 100; i++)
    sluice_request_answer(request, "X-Many", "1");
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook), .name = "roguehook",
    .version = "1.0",         .summary = "breaks the contract, for tests",
    .options = options,       .conf_size = sizeof(struct rogue_conf),
    .start = start,           .stop = stop,
    .open = open_rogue,       .close = stop,
    .on_request = on_request, .on_key = on_key,
    .on_change = on_change,   .on_response = on_response,
    .on_log = on_log,
};
SLUICE_HOOK(roguehook, hook)
