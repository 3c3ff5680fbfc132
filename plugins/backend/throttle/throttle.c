/* SPDX-License-Identifier: MIT
 *
 * The layer `throttle`: so many operations at once, and so many a second,
 * reach the backend below; others wait for their turn.  sluice-throttle(7).
 *
 * All loops share three numbers.  Each operation draws a ticket, and may begin
 * when fewer than `concurrent` before it haven't ended: so the order is that
 * of all loops.  Who gives up while it waits leaves its ticket in the queue,
 * which counts as ended when its turn comes and not before.  The rate is the
 * generic cell rate algorithm (ITU-T I.371), where each operation reserves its
 * time.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "wish.h"

#define POLL_US 5000 /* for tickets of other loops that ended */
#define RATE_MAX 1000000
#define CONCURRENT_MAX 65536
#define WAITING_MAX 65536
#define WAIT_MAX_MS 600000

struct throttle_conf {
  const char *over;
  int64_t rate, burst, concurrent, waiting, wait_ms;
};

#define AT(field) offsetof(struct throttle_conf, field)

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, AT(over),
     "the backend that is asked less often"},
    {"rate", SLUICE_INT, "0", AT(rate),
     "operations that begin in a second; 0: any number"},
    {"burst", SLUICE_INT, "0", AT(burst),
     "how many of these at once; 0: as many as rate"},
    {"concurrent", SLUICE_INT, "0", AT(concurrent),
     "operations at the same time; 0: any number"},
    {"waiting", SLUICE_INT, "1000", AT(waiting),
     "operations that wait for their turn; one more is refused"},
    {"wait", SLUICE_TIME, "10s", AT(wait_ms),
     "how long one waits before it is refused"},
    {NULL, 0, NULL, 0, NULL}};

enum { THROTTLE_WAITING, THROTTLE_DELAYED, THROTTLE_REFUSED };

static const struct sluice_metric metrics[] = {
    [THROTTLE_WAITING] = {"throttle_waiting", SLUICE_GAUGE,
                          "Operations that wait for their turn.", NULL, NULL},
    [THROTTLE_DELAYED] = {"throttle_delayed_total", SLUICE_COUNTER,
                          "Operations that had to wait for their turn.", NULL,
                          NULL},
    [THROTTLE_REFUSED] = {"throttle_refused_total", SLUICE_COUNTER,
                          "Operations that no turn came for.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

struct throttle { /* of all loops */
  const struct throttle_conf *conf;
  unsigned abilities;
  uint64_t interval_us, burst_us; /* of the rate; 0: there is none */
  _Atomic uint64_t tickets, ended;
  _Atomic uint64_t full_us; /* when all of the burst may begin again */
};

struct place { /* in the queue of a loop */
  struct place *next;
  struct turn *of; /* NULL: it gave up */
  struct wish *wish;
  uint64_t ticket, at_us, deadline_us;
};

struct throttle_handle { /* of one loop */
  struct sluice_host *host;
  struct sluice_store *store;
  struct throttle *shared;
  struct event *timer;
  struct place *first, **end; /* who waits, in the order of tickets */
  int64_t waiting;            /* of them */
};

struct turn { /* of one operation, its state */
  struct sluice_op *op;
  struct throttle_handle *handle;
  struct sluice_ask *ask;
  struct wish wish;    /* what it points to is gone */
  struct place *place; /* while it waits */
};

/* ---- what all loops share ----------------------------------------------- */

/* When it may begin, by the rate; false: too late. */
static bool reserve(struct throttle *shared, uint64_t now, uint64_t *at) {
  const struct throttle_conf *conf = shared->conf;
  *at = now;
  if (shared->interval_us == 0)
    return true;
  uint64_t full = atomic_load(&shared->full_us), next;
  do {
    uint64_t from = full > now ? full : now;
    next = from + shared->interval_us;
    *at = next > now + shared->burst_us ? next - shared->burst_us : now;
    if (*at - now > (uint64_t)conf->wait_ms * 1000 ||
        (*at - now + shared->interval_us - 1) / shared->interval_us >
            (uint64_t)conf->waiting)
      return false;
  } while (!atomic_compare_exchange_weak(&shared->full_us, &full, next));
  return true;
}

static bool draw(struct throttle *shared, uint64_t *ticket) {
  uint64_t most =
      (uint64_t)shared->conf->concurrent + (uint64_t)shared->conf->waiting;
  uint64_t drawn = atomic_load(&shared->tickets);
  do
    if (shared->conf->concurrent > 0 &&
        drawn - atomic_load(&shared->ended) >= most)
      return false;
  while (!atomic_compare_exchange_weak(&shared->tickets, &drawn, drawn + 1));
  *ticket = drawn;
  return true;
}

static bool admits(const struct throttle *shared, uint64_t ticket) {
  uint64_t most = (uint64_t)shared->conf->concurrent;
  return most == 0 || ticket < atomic_load(&shared->ended) + most;
}

/* ---- turns -------------------------------------------------------------- */

static void pump(struct throttle_handle *handle);

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct turn *turn = arg;
  struct throttle_handle *handle = turn->handle;
  wish_answer(&turn->wish, turn->ask, turn->op, status, why);
  atomic_fetch_add(&handle->shared->ended, 1);
  pump(handle);
}

static void run(struct turn *turn, const struct wish *wish) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = on_done};
  turn->ask = wish_ask(wish, turn->handle->store, turn->op, &heard, turn);
}

/* Its ticket stays where it is. */
static void give_up(struct place *place, struct sluice_host *host) {
  struct throttle_handle *handle = place->of->handle;
  sluice_gauge(host, THROTTLE_WAITING, --handle->waiting);
  place->of->place = NULL;
  place->of = NULL;
  wish_free(place->wish, host);
  place->wish = NULL;
}

static void place_free(struct place *place, struct sluice_host *host) {
  if (place == NULL)
    return;
  wish_free(place->wish, host);
  sluice_memory_give(host, sizeof *place);
  free(place);
}

/* NULL: no memory. */
static struct place *place_new(struct turn *turn, const struct wish *wish) {
  struct sluice_host *host = turn->handle->host;
  if (!sluice_memory_take(host, sizeof(struct place)))
    return NULL;
  struct place *place = calloc(1, sizeof *place);
  if (place == NULL) {
    sluice_memory_give(host, sizeof *place);
    return NULL;
  }
  place->of = turn;
  place->wish = wish_keep(wish, host);
  if (place->wish != NULL)
    return place;
  place_free(place, host);
  return NULL;
}

static void leave_queue(struct throttle_handle *handle) {
  struct place *place = handle->first;
  handle->first = place->next;
  if (handle->first == NULL)
    handle->end = &handle->first;
  place_free(place, handle->host);
}

static void refuse(const struct throttle_handle *handle,
                   struct sluice_op *op) {
  const struct throttle_conf *conf = handle->shared->conf;
  sluice_count(handle->host, THROTTLE_REFUSED, 1);
  sluice_done(op, SLUICE_EBUSY,
              "no turn came within %" PRId64 " ms, or %" PRId64
              " operations wait already; the layer's options are wait, "
              "waiting, rate and concurrent",
              conf->wait_ms, conf->waiting);
}

static void expire(struct throttle_handle *handle, uint64_t now) {
  struct place *place = handle->first;
  for (; place != NULL && place->deadline_us <= now; place = place->next) {
    if (place->of == NULL || (place == handle->first && place->at_us <= now &&
                              admits(handle->shared, place->ticket)))
      continue;
    struct sluice_op *op = place->of->op;
    give_up(place, handle->host);
    refuse(handle, op);
  }
}

/* True: the first one's turn came, or went by. */
static bool advance(struct throttle_handle *handle, uint64_t now) {
  struct place *place = handle->first;
  if (place == NULL || !admits(handle->shared, place->ticket))
    return false;
  struct turn *turn = place->of;
  if (turn != NULL && place->at_us > now)
    return false;
  if (turn == NULL) {
    atomic_fetch_add(&handle->shared->ended, 1);
  } else {
    turn->place = NULL;
    sluice_gauge(handle->host, THROTTLE_WAITING, --handle->waiting);
    run(turn, place->wish);
  }
  leave_queue(handle);
  return true;
}

static void pump(struct throttle_handle *handle) {
  uint64_t now = clock_us();
  expire(handle, now);
  while (advance(handle, now))
    ;
  if (handle->first == NULL)
    return;
  struct timeval pause = {.tv_usec = POLL_US};
  evtimer_add(handle->timer, &pause);
}

static void on_timer(evutil_socket_t fd, short what, void *handle) {
  (void)fd, (void)what;
  pump(handle);
}

/* The last in the queue, with its ticket. */
static void wait_for(struct turn *turn, struct place *place) {
  struct throttle_handle *handle = turn->handle;
  turn->place = place;
  *handle->end = place;
  handle->end = &place->next;
  sluice_count(handle->host, THROTTLE_DELAYED, 1);
  sluice_gauge(handle->host, THROTTLE_WAITING, ++handle->waiting);
  pump(handle);
}

/* A ticket that was drawn has to end, so memory is looked for before; where
 * another loop drew one in between and there is none, it begins at once. */
static void begin(void *arg, struct sluice_op *op, const struct wish *wish) {
  struct throttle_handle *handle = arg;
  struct throttle *shared = handle->shared;
  uint64_t now = clock_us(), at, ticket;
  struct turn *turn = sluice_op_state(op, sizeof *turn);
  *turn = (struct turn){.op = op, .handle = handle, .wish = *wish};
  if (!reserve(shared, now, &at)) {
    refuse(handle, op);
    return;
  }
  bool waits = at > now || !admits(shared, atomic_load(&shared->tickets));
  struct place *place = waits ? place_new(turn, wish) : NULL;
  if (waits && place == NULL) {
    sluice_done(op, SLUICE_ENOMEM, "no memory is left to wait in");
    return;
  }
  if (!draw(shared, &ticket)) {
    place_free(place, handle->host);
    refuse(handle, op);
    return;
  }
  if (place == NULL && !admits(shared, ticket))
    place = place_new(turn, wish);
  if (place == NULL) {
    run(turn, wish);
    return;
  }
  place->ticket = ticket;
  place->at_us = at;
  place->deadline_us = now + (uint64_t)shared->conf->wait_ms * 1000;
  wait_for(turn, place);
}

WISH_ENTRIES(begin)

static void throttle_cancel(void *arg, struct sluice_op *op) {
  struct throttle_handle *handle = arg;
  struct turn *turn = sluice_op_state(op, sizeof *turn);
  if (turn->place == NULL) {
    sluice_ask_cancel(turn->ask);
    return;
  }
  give_up(turn->place, handle->host);
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

/* ---- life --------------------------------------------------------------- */

static const char *conf_fault(const struct throttle_conf *conf) {
  if (conf->rate < 0 || conf->rate > RATE_MAX || conf->burst < 0 ||
      conf->burst > RATE_MAX)
    return "rate and burst: write 0 to 1000000";
  if (conf->concurrent < 0 || conf->concurrent > CONCURRENT_MAX)
    return "concurrent: write 0 to 65536";
  if (conf->waiting < 0 || conf->waiting > WAITING_MAX)
    return "waiting: write 0 to 65536";
  if (conf->wait_ms < 1 || conf->wait_ms > WAIT_MAX_MS)
    return "wait: write 1ms to 10m";
  if (conf->rate == 0 && conf->concurrent == 0)
    return "nothing is limited; write rate, concurrent or both";
  if (conf->burst > 0 && conf->rate == 0)
    return "burst: is that of a rate; write rate, too";
  return NULL;
}

static void *throttle_start(const void *arg, struct sluice_host *host) {
  const struct throttle_conf *conf = arg;
  const char *fault = conf_fault(conf);
  struct throttle *shared = fault == NULL ? calloc(1, sizeof *shared) : NULL;
  if (shared == NULL) {
    sluice_fail(host, "%s", fault == NULL ? "no memory is left" : fault);
    return NULL;
  }
  shared->conf = conf;
  shared->abilities = sluice_store_can(sluice_store(host, NULL));
  if (conf->rate > 0) {
    int64_t burst = conf->burst == 0 ? conf->rate : conf->burst;
    shared->interval_us = 1000000 / (uint64_t)conf->rate;
    shared->burst_us = shared->interval_us * (uint64_t)burst;
  }
  return shared;
}

static unsigned throttle_can(void *instance) {
  return ((const struct throttle *)instance)->abilities;
}

static void throttle_close(void *arg) {
  struct throttle_handle *handle = arg;
  while (handle->first != NULL) { /* tickets of those who gave up */
    atomic_fetch_add(&handle->shared->ended, 1);
    leave_queue(handle);
  }
  event_free(handle->timer);
  free(handle);
}

static void *throttle_open(void *instance, struct sluice_host *host) {
  struct throttle_handle *handle = calloc(1, sizeof *handle);
  struct event *timer =
      handle == NULL ? NULL : evtimer_new(sluice_loop(host), on_timer, handle);
  if (timer == NULL) {
    sluice_fail(host, "no memory is left");
    free(handle);
    return NULL;
  }
  *handle = (struct throttle_handle){.host = host,
                                     .store = sluice_store(host, NULL),
                                     .shared = instance,
                                     .timer = timer};
  handle->end = &handle->first;
  return handle;
}

static const struct sluice_backend throttle = {
    SLUICE_HEAD(sluice_backend),
    .name = "throttle",
    .version = SLUICE_VERSION,
    .summary = "asks another backend less often",
    .options = options,
    .conf_size = sizeof(struct throttle_conf),
    .start = throttle_start,
    .stop = free,
    .open = throttle_open,
    .close = throttle_close,
    .cancel = throttle_cancel,
    .can = throttle_can,
    WISH_DESCRIBED,
    .metrics = metrics,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(throttle, throttle)
