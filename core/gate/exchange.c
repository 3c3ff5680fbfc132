/* SPDX-License-Identifier: MIT
 *
 * A request's way through its states: what happens is looked up in the table
 * and carried out.  An action may itself cause the next event, as its last
 * deed: the exchange may be gone after any of them.
 */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crash.h"
#include "log.h"
#include "must.h"
#include "reply.h"

#define TIMEOUT "limits.backend_timeout"

struct news { /* of a failure, a change, or bytes */
  enum sluice_status status;
  const char *why;
  const struct sluice_object *object;
  const struct sluice_chunk *chunk;
  void (*answer)(struct exchange *);
};

static void exchange_event(struct exchange *ex, enum exchange_event event,
                           const struct news *news);

/* ---- hooks -------------------------------------------------------------- */

static void on_verdict(void *arg, bool admitted) {
  struct exchange *ex = arg;
  if (ex->request.interest != REQUEST_WANTED) {
    exchange_event(ex, EXCHANGE_VAIN, NULL);
    return;
  }
  exchange_unwatch(ex);
  exchange_event(ex, admitted ? EXCHANGE_ADMITTED : EXCHANGE_DENIED, NULL);
}

static void on_change_told(void *arg, bool admitted);

static const struct sluice_object *told_next(struct exchange *ex) {
  return ex->changed_next == NULL ? NULL : ex->changed_next(ex);
}

/* The answer waits for hooks at most for one time-out, however many objects
 * they are told of; without a client each object has its own. */
static void watch_telling(struct exchange *ex, bool first) {
  if (first || exchange_is_left(ex->state))
    exchange_watch(ex);
}

/* Hooks are told of one object after the other.  Those that don't wait call
 * back at once, which must not nest. */
static void tell_on(struct exchange *ex, const struct sluice_object *object,
                    bool first) {
  ex->telling = true;
  for (; object != NULL; first = false) {
    ex->told = false;
    watch_telling(ex, first);
    if (ex->key == NULL || strcmp(ex->key, object->key) != 0)
      exchange_set_key(ex, object->key);
    request_change(&ex->request, object, on_change_told, ex);
    if (!ex->told)
      break; /* a hook waits */
    object = told_next(ex);
  }
  ex->telling = false;
  if (object != NULL)
    return;
  ex->changed_next = NULL;
  exchange_unwatch(ex);
  exchange_event(ex, EXCHANGE_TOLD, NULL);
}

static void on_change_told(void *arg, bool admitted) {
  struct exchange *ex = arg;
  (void)admitted;
  if (ex->telling)
    ex->told = true;
  else if (ex->request.interest != REQUEST_WANTED)
    exchange_event(ex, EXCHANGE_VAIN, NULL);
  else
    tell_on(ex, told_next(ex), false);
}

static void start(struct exchange *ex, const struct news *news) {
  (void)news;
  ex->route->endpoint->start(ex);
}

static void exchange_go_on(struct exchange *ex, const struct news *news) {
  (void)news;
  ex->denied = NULL;
  ex->go_on(ex);
}

/* Asks hooks about what is less than what they forbade; false: nothing is. */
static bool ask_lesser(struct exchange *ex) {
  const enum operation *lesser =
      ex->route == NULL ? NULL : ex->route->endpoint->lesser;
  if (ex->state != EXCHANGE_ADMITTING || lesser == NULL ||
      ex->request.refusal != SLUICE_EDENIED ||
      operation_find(ex->request.operation) == *lesser)
    return false;
  request_again(&ex->request, operation_name(*lesser));
  exchange_admit(ex);
  return true;
}

static void refuse(struct exchange *ex, const struct news *news) {
  enum sluice_status status = ex->request.refusal;
  void (*denied)(struct exchange *, enum sluice_status) = ex->denied;
  (void)news;
  if (ask_lesser(ex))
    return;
  ex->denied = NULL;
  if (denied != NULL) {
    request_set_refusal(&ex->request, SLUICE_OK, "");
    denied(ex, status);
    return;
  }
  if (status != SLUICE_OK)
    ex->refused_by = request_denier(&ex->request)->host.name;
  if (status == SLUICE_OK)
    status = SLUICE_EAUTH; /* no hook allowed it */
  if (ex->request.mistyped)
    reply_mistyped(ex, ex->request.message);
  else
    reply_denial(ex, ENDER_HOOK, status, ex->request.message);
}

static void exchange_ask(struct exchange *ex, const struct news *news) {
  (void)news;
  exchange_watch(ex);
  request_admit(&ex->request, REQUEST_ON_KEY, on_verdict, ex);
}

static void show(struct exchange *ex, const struct news *news) {
  exchange_watch(ex);
  request_show(&ex->request, news->chunk, on_verdict, ex);
}

static void tell(struct exchange *ex, const struct news *news) {
  if (ex->status != 0 && ex->status != EXCHANGE_CLIENT_GONE)
    log_line(SLUICE_LOG_WARN, exchange_backend(ex)->host.name,
             "request %s: the %s took place, after its client was told that "
             "it took too long",
             ex->request.id, ex->request.operation);
  tell_on(ex, news->object, true);
}

/* ---- failures ----------------------------------------------------------- */

static void fail(struct exchange *ex, const struct news *news) {
  if (news->answer != NULL) {
    reply_log_failure(ex, news->status, news->why);
    news->answer(ex);
    return;
  }
  reply_failure(ex, news->status, news->why);
}

static void log_failure(struct exchange *ex, const struct news *news) {
  if (news->status != SLUICE_ECANCELED)
    reply_log_failure(ex, news->status, news->why);
}

/* `what` is a literal. */
static void log_silence(const struct exchange *ex, const char *name,
                        struct repeats *repeats, const char *what,
                        uint64_t *count) {
  ++*count;
  repeat_line(repeats, ex->gate->loop, SLUICE_LOG_ERROR, name, what,
              "request %s: %s (%llu times on this loop)", ex->request.id, what,
              (unsigned long long)*count);
}

static void late_hook(struct exchange *ex, const struct news *news) {
  struct request_hook *hook = request_hook(&ex->request);
  (void)news;
  log_silence(ex, hook->host.name, &hook->repeats,
              "the hook didn't answer in time", &hook->silent);
  ex->refused_by = TIMEOUT;
  reply_denial(ex, ENDER_TIME, SLUICE_ETIMEOUT, "");
}

static void late_backend(struct exchange *ex, const struct news *news) {
  struct op_backend *backend = exchange_backend(ex);
  (void)news;
  log_silence(ex, backend->host.name, &backend->repeats,
              "the backend didn't answer in time", &backend->silent);
  ex->refused_by = TIMEOUT;
  reply_denial(ex, ENDER_TIME, SLUICE_ETIMEOUT, "");
}

static void pass_by(struct exchange *ex, const struct news *news) {
  struct request_hook *hook = request_hook(&ex->request);
  (void)news;
  log_silence(ex, hook->host.name, &hook->repeats,
              "the hook didn't let the answer go in time", &hook->silent);
  if (ex->changed_next != NULL && ex->state == EXCHANGE_TELLING) {
    ex->go_on(ex); /* there may be more to tell, once the hook resumes */
    return;
  }
  request_abandon(&ex->request);
  exchange_event(ex, EXCHANGE_TOLD, NULL);
}

/* Nobody waits, and the backend says nothing.  If it never ends, others shall
 * not have less memory for it. */
static void cancel(struct exchange *ex, const struct news *news) {
  struct op_backend *backend = exchange_backend(ex);
  (void)news;
  log_silence(ex, backend->host.name, &backend->repeats,
              "the backend doesn't end what nobody waits for; it is canceled",
              &backend->silent);
  if (ex->op != NULL)
    op_cancel(ex->op);
  budget_give(ex->gate->memory, ex->cost);
  ex->cost = 0;
}

static void cut_answer(struct exchange *ex, const struct news *news) {
  struct op_backend *backend = exchange_backend(ex);
  (void)news;
  log_silence(ex, backend->host.name, &backend->repeats,
              "the backend stalled in the middle of an object",
              &backend->silent);
  ex->refused_by = TIMEOUT;
  reply_abort(ex, ENDER_TIME, SLUICE_ETIMEOUT);
}

static void watch(struct exchange *ex, const struct news *news) {
  (void)news;
  exchange_watch(ex);
}

static void ignore(struct exchange *ex, const struct news *news) {
  (void)ex, (void)news;
}

/* ---- the end ------------------------------------------------------------ */

static void exchange_count(struct exchange *ex) {
  const struct settings *settings = ex->gate->settings;
  const struct settings_route *from =
      ex->route == NULL ? NULL : ex->route->from;
  struct metrics_request request = {
      .route = from == NULL ? settings->route_count
                            : (size_t)(from - settings->routes),
      .operation = ex->asked,
      .status = ex->status,
      .ended_by = ex->ended_by,
      .bytes_in = ex->bytes_in,
      .bytes_out = ex->bytes_out};
  memcpy(request.us, ex->waited_us, sizeof request.us);
  metrics_add_request(ex->gate->metrics, &request);
}

static void exchange_free(struct exchange *ex) {
  request_fini(&ex->request);
  head_fini(&ex->head);
  free(ex->key);
  if (ex->link != NULL)
    ownlink_fini(ex->link);
  free(ex->link);
  exchange_unwatch(ex);
  quarantine_give(ex->gate->spent, ex);
}

static void free_pending(struct exchange *ex, const struct news *news) {
  struct gate *gate = ex->gate;
  struct exchange **at = &gate->pending;
  (void)news;
  while (*at != ex)
    at = &(*at)->next_pending;
  *at = ex->next_pending;
  exchange_free(ex);
  gate->ended(gate->arg);
}

void exchange_free_pending(struct gate *gate) {
  while (gate->pending != NULL)
    free_pending(gate->pending, NULL);
}

static void end(struct exchange *ex, const struct news *news) {
  struct gate *gate = ex->gate;
  (void)news;
  exchange_drop(ex);
  exchange_count_times(ex);
  ex->request.operation = operation_name(ex->asked);
  struct sluice_record record = {.size = sizeof record,
                                 .status = ex->status,
                                 .bytes_in = ex->bytes_in,
                                 .bytes_out = ex->bytes_out,
                                 .usec = ex->waited_us[METRICS_WHOLE],
                                 .hooks_us = ex->waited_us[METRICS_HOOKS],
                                 .backend_us = ex->waited_us[METRICS_BACKEND],
                                 .client_us = ex->waited_us[METRICS_CLIENT],
                                 .code = ex->code,
                                 .ended_by = ender_word(ex->ended_by)};
  const struct sluice_effort effort = {.size = sizeof effort,
                                       .hash_us = ex->waited_us[METRICS_HASH],
                                       .attempts = ex->request.about.attempts,
                                       .refused_by = ex->refused_by};
  ex->request.effort = &effort;
  request_log(&ex->request, &record);
  ex->request.effort = NULL;
  exchange_count(ex);
  budget_give(gate->memory, ex->cost);
  tally_leave(&ex->counted);
  TAILQ_REMOVE(&gate->all, ex, in_gate);
  metrics_set(gate->metrics, METRICS_OPEN_REQUESTS, --gate->exchanges);
  if (request_leave(&ex->request)) { /* a hook that waits points to it */
    ex->next_pending = gate->pending;
    gate->pending = ex;
  } else {
    exchange_free(ex);
  }
  gate->ended(gate->arg);
}

static void end_failed(struct exchange *ex, const struct news *news) {
  log_failure(ex, news);
  end(ex, news);
}

/* ---- events ------------------------------------------------------------- */

static void (*const actions[])(struct exchange *, const struct news *) = {
    [EXCHANGE_IGNORE] = ignore,
    [EXCHANGE_START] = start,
    [EXCHANGE_GO_ON] = exchange_go_on,
    [EXCHANGE_REFUSE] = refuse,
    [EXCHANGE_ASK] = exchange_ask,
    [EXCHANGE_SHOW] = show,
    [EXCHANGE_TELL] = tell,
    [EXCHANGE_WATCH] = watch,
    [EXCHANGE_FAIL] = fail,
    [EXCHANGE_LOG_FAILURE] = log_failure,
    [EXCHANGE_LATE_HOOK] = late_hook,
    [EXCHANGE_LATE_BACKEND] = late_backend,
    [EXCHANGE_PASS_BY] = pass_by,
    [EXCHANGE_CANCEL] = cancel,
    [EXCHANGE_ABORT] = cut_answer,
    [EXCHANGE_STAY] = watch,
    [EXCHANGE_END] = end,
    [EXCHANGE_END_FAILED] = end_failed,
    [EXCHANGE_FREE] = free_pending};

static void exchange_event(struct exchange *ex, enum exchange_event event,
                           const struct news *news) {
  struct exchange_step step = exchange_step(ex->state, event);
  must(step.action != EXCHANGE_NEVER);
  bool was_left = exchange_is_left(ex->state);
  bool is_left = exchange_is_left(step.next);
  if (was_left && !is_left)
    TAILQ_REMOVE(&ex->gate->left, ex, in_left);
  else if (!was_left && is_left)
    TAILQ_INSERT_TAIL(&ex->gate->left, ex, in_left);
  ex->state = step.next;
  struct about *before = crash_about(&ex->request.about);
  actions[step.action](ex, news);
  crash_about(before);
}

void exchange_admit(struct exchange *ex) {
  exchange_watch(ex);
  request_admit(&ex->request, REQUEST_ON_REQUEST, on_verdict, ex);
}

void exchange_start(struct exchange *ex) {
  exchange_event(ex, EXCHANGE_ADMITTED, NULL);
}

void exchange_check_key(struct exchange *ex, const char *key,
                        void (*then)(struct exchange *)) {
  exchange_set_key(ex, key);
  ex->go_on = then;
  exchange_event(ex, EXCHANGE_KEY, NULL);
}

void exchange_try_key(struct exchange *ex, const char *key,
                      void (*then)(struct exchange *),
                      void (*denied)(struct exchange *, enum sluice_status)) {
  ex->denied = denied;
  exchange_check_key(ex, key, then);
}

void exchange_check_as(struct exchange *ex, enum operation operation,
                       const char *key, void (*then)(struct exchange *)) {
  ex->request.operation = operation_name(operation);
  exchange_check_key(ex, key, then);
}

void exchange_check_body(struct exchange *ex, const struct sluice_chunk *chunk,
                         void (*then)(struct exchange *)) {
  ex->go_on = then;
  exchange_event(ex, EXCHANGE_BODY, &(struct news){.chunk = chunk});
}

void exchange_change(struct exchange *ex) {
  exchange_event(ex, EXCHANGE_CHANGE, NULL);
}

void exchange_changed(struct exchange *ex, const struct sluice_object *object,
                      void (*then)(struct exchange *)) {
  ex->go_on = then;
  exchange_event(ex, EXCHANGE_CHANGED, &(struct news){.object = object});
}

void exchange_changed_all(
    struct exchange *ex,
    const struct sluice_object *(*next)(struct exchange *),
    void (*then)(struct exchange *)) {
  ex->changed_next = next;
  exchange_changed(ex, next(ex), then);
}

void exchange_failed(struct exchange *ex, enum sluice_status status,
                     const char *why) {
  exchange_failed_as(ex, status, why, NULL);
}

void exchange_failed_as(struct exchange *ex, enum sluice_status status,
                        const char *why, void (*answer)(struct exchange *)) {
  exchange_event(
      ex, EXCHANGE_FAILED,
      &(struct news){.status = status, .why = why, .answer = answer});
}

void exchange_alive(void *ex) {
  exchange_event(ex, EXCHANGE_ALIVE, NULL);
}

void exchange_on_silence(evutil_socket_t fd, short what, void *arg) {
  struct exchange *ex = arg;
  (void)fd, (void)what;
  if (ex->request.turn == REQUEST_RESUMING &&
      ex->request.interest == REQUEST_WANTED)
    exchange_watch(ex); /* its hook has answered, in this very turn */
  else
    exchange_event(ex, EXCHANGE_SILENCE, NULL);
}

void exchange_leave(struct exchange *ex) {
  ex->conn = NULL;
  exchange_event(ex, EXCHANGE_LEAVE, NULL);
}

void exchange_break_off(struct gate *gate) {
  while (!TAILQ_EMPTY(&gate->left))
    exchange_event(TAILQ_FIRST(&gate->left), EXCHANGE_BREAK_OFF, NULL);
}
