/* SPDX-License-Identifier: MIT
 *
 * The layer `chaos`: faults of a storage, for tests.  sluice-chaos(7).
 *
 * An operation draws its faults when it begins, from numbers that the seed
 * fixes for each loop: so one loop, asked the same in the same order, fails
 * the same.  A fault that has passed is logged, and so is it, at each start,
 * that there will be any.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "wish.h"

#define TIME_MAX_MS 600000

struct chaos_conf {
  const char *over;
  int64_t seed, fail, cut, lose, delay_ms, slow_ms;
  const char *const *fail_with, *const *operations;
};

#define AT(field) offsetof(struct chaos_conf, field)

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, AT(over),
     "the backend that seems to fail"},
    {"seed", SLUICE_INT, "0", AT(seed),
     "what the faults are drawn by; 0: another one at each start"},
    {"fail", SLUICE_INT, "0", AT(fail),
     "percent of operations that fail without reaching the storage"},
    {"fail_with", SLUICE_LIST, "[upstream]", AT(fail_with),
     "the errors of these: busy, io, upstream, timeout, nospace, denied"},
    {"cut", SLUICE_INT, "0", AT(cut),
     "percent of downloads that break off before their end"},
    {"lose", SLUICE_INT, "0", AT(lose),
     "percent of changes that are made, and whose answer is lost"},
    {"delay", SLUICE_TIME, "0s", AT(delay_ms),
     "how long an operation waits at most before it begins"},
    {"slow", SLUICE_TIME, "0s", AT(slow_ms),
     "how long each chunk of a download waits"},
    {"operations", SLUICE_LIST, "", AT(operations),
     "which ones have faults, as head, get, put, list; none: all"},
    {NULL, 0, NULL, 0, NULL}};

static const struct {
  const char *name;
  enum sluice_status status;
} errors[] = {{"busy", SLUICE_EBUSY},         {"io", SLUICE_EIO},
              {"upstream", SLUICE_EUPSTREAM}, {"timeout", SLUICE_ETIMEOUT},
              {"nospace", SLUICE_ENOSPC},     {"denied", SLUICE_EDENIED}};

#define ERRORS (sizeof errors / sizeof *errors)

struct chaos { /* of all loops */
  const struct chaos_conf *conf;
  uint64_t seed;
  unsigned abilities;
  _Atomic uint64_t loops;
  enum sluice_status fails[ERRORS];
  size_t fail_count;
  bool at[WISH_KINDS]; /* which operations have faults */
};

struct chaos_handle { /* of one loop */
  struct sluice_host *host;
  struct sluice_store *store;
  const struct chaos *shared;
  uint64_t drawn; /* the state of its numbers */
};

enum phase {
  PHASE_DELAYED, /* the storage isn't asked yet */
  PHASE_ASKED,
  PHASE_SLOW, /* a chunk waits */
  PHASE_CUT   /* the last bytes that it gets are lent */
};

struct plan { /* the faults of one operation */
  enum sluice_status fail;
  bool lose, cut;
  uint64_t permille; /* of a download, after which it is cut */
  int64_t delay_ms;
};

struct fault { /* of one operation, its state */
  struct sluice_op *op;
  struct chaos_handle *handle;
  struct sluice_ask *ask;
  struct event *timer; /* NULL: none runs */
  struct wish wish;    /* what it points to is gone */
  struct wish *kept;   /* while it is delayed */
  struct plan plan;
  enum phase phase;
  bool broken, canceled;
  uint64_t length, left; /* of the object; until it is cut */
  struct sluice_chunk chunk;
};

/* ---- numbers ------------------------------------------------------------ */

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, 2014). */
static uint64_t draw(struct chaos_handle *handle) {
  uint64_t z = handle->drawn += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static bool happens(struct chaos_handle *handle, int64_t percent) {
  return draw(handle) % 100 < (uint64_t)percent;
}

/* So many numbers for each operation, whatever is switched on. */
static struct plan plan_of(struct chaos_handle *handle, enum wish_kind kind) {
  const struct chaos *shared = handle->shared;
  const struct chaos_conf *conf = shared->conf;
  bool fails = happens(handle, conf->fail);
  size_t which = (size_t)(draw(handle) % shared->fail_count);
  struct plan plan = {.fail = fails ? shared->fails[which] : SLUICE_OK,
                      .lose = happens(handle, conf->lose),
                      .cut = happens(handle, conf->cut),
                      .permille = draw(handle) % 1000};
  plan.delay_ms = (int64_t)(draw(handle) % (uint64_t)(conf->delay_ms + 1));
  return shared->at[kind] ? plan : (struct plan){.fail = SLUICE_OK};
}

/* ---- the end ------------------------------------------------------------ */

static void tell(const struct fault *fault, const char *what) {
  sluice_log(fault->handle->host, SLUICE_LOG_INFO, "a fault of a %s: %s",
             wish_names[fault->wish.kind], what);
}

static void fault_end_timer(struct fault *fault) {
  if (fault->timer != NULL)
    event_free(fault->timer);
  fault->timer = NULL;
}

static void fault_free_kept(struct fault *fault) {
  fault_end_timer(fault);
  wish_free(fault->kept, fault->handle->host);
  fault->kept = NULL;
}

static bool changes(const struct fault *fault) {
  static const bool kinds[WISH_KINDS] = {
      [WISH_PUT] = true,         [WISH_REMOVE] = true, [WISH_REMOVE_IF] = true,
      [WISH_REMOVE_MANY] = true, [WISH_COPY] = true,   [WISH_STAGE] = true,
      [WISH_STAGE_REMOVE] = true};
  return kinds[fault->wish.kind];
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct fault *fault = arg;
  fault_end_timer(fault);
  if (fault->broken && !fault->canceled) {
    tell(fault, "the download breaks off");
    wish_end(fault->op, SLUICE_EUPSTREAM, "chaos: it breaks off");
  } else if (status == SLUICE_OK && fault->plan.lose && changes(fault) &&
             !fault->canceled) {
    tell(fault, "it is done, and its answer is lost");
    wish_end(fault->op, SLUICE_EUPSTREAM, "chaos: the answer is lost");
  } else {
    wish_answer(&fault->wish, fault->ask, fault->op, status, why);
  }
}

/* ---- downloads ---------------------------------------------------------- */

static void break_off(struct fault *fault) {
  fault->broken = true;
  sluice_ask_cancel(fault->ask);
}

static void send_chunk(struct fault *fault) {
  struct sluice_chunk chunk = fault->chunk;
  fault->phase = PHASE_ASKED;
  if (fault->plan.cut && chunk.length >= fault->left) {
    if (fault->left == 0) {
      break_off(fault);
      return;
    }
    chunk.length = fault->left;
    chunk.last = false;
    fault->phase = PHASE_CUT;
  }
  fault->left -= fault->plan.cut ? chunk.length : 0;
  sluice_send(fault->op, &chunk);
}

static void on_timer(evutil_socket_t fd, short what, void *arg);

/* False: there is no memory for a timer. */
static bool wait_ms(struct fault *fault, int64_t ms) {
  const struct timeval pause = {.tv_sec = ms / 1000,
                                .tv_usec = ms % 1000 * 1000};
  fault->timer =
      evtimer_new(sluice_loop(fault->handle->host), on_timer, fault);
  return fault->timer != NULL && evtimer_add(fault->timer, &pause) == 0;
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct fault *fault = arg;
  int64_t slow = fault->handle->shared->conf->slow_ms;
  fault->chunk = *chunk;
  fault->phase = PHASE_SLOW;
  if (slow == 0 || !fault->handle->shared->at[fault->wish.kind] ||
      !wait_ms(fault, slow))
    send_chunk(fault);
}

static void chaos_read(void *handle, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct fault *fault = sluice_op_state(op, sizeof *fault);
  (void)handle;
  uint64_t rest = fault->length > first ? fault->length - first : 0;
  uint64_t most = count < rest ? count : rest;
  fault->left = most / 1000 * fault->plan.permille +
                most % 1000 * fault->plan.permille / 1000;
  sluice_ask_read(fault->ask, first, count);
}

static void chaos_more(void *handle, struct sluice_op *op) {
  struct fault *fault = sluice_op_state(op, sizeof *fault);
  (void)handle;
  if (fault->phase == PHASE_CUT)
    break_off(fault);
  else
    sluice_ask_more(fault->ask);
}

/* ---- starts ------------------------------------------------------------- */

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct fault *fault = arg;
  fault->length = meta->length;
  sluice_meta(fault->op, meta);
}

static void run(struct fault *fault, const struct wish *wish) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = on_done};
  static const struct sluice_heard reads = {
      SLUICE_HEARD, .meta = on_meta, .chunk = on_chunk, .done = on_done};
  bool gets = wish->kind == WISH_GET || wish->kind == WISH_STAGE_GET;
  fault->phase = PHASE_ASKED;
  if (fault->plan.fail != SLUICE_OK) {
    tell(fault, "it fails");
    wish_end(fault->op, fault->plan.fail, "chaos: it fails");
    return;
  }
  fault->ask = wish_ask(wish, fault->handle->store, fault->op,
                        gets ? &reads : &heard, fault);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  struct fault *fault = arg;
  (void)fd, (void)what;
  fault_end_timer(fault);
  if (fault->phase == PHASE_SLOW) {
    send_chunk(fault);
    return;
  }
  run(fault, fault->kept);
  fault_free_kept(fault);
}

static void begin(void *arg, struct sluice_op *op, const struct wish *wish) {
  struct chaos_handle *handle = arg;
  struct fault *fault = sluice_op_state(op, sizeof *fault);
  *fault = (struct fault){.op = op,
                          .handle = handle,
                          .wish = *wish,
                          .plan = plan_of(handle, wish->kind)};
  if (fault->plan.delay_ms == 0) {
    run(fault, wish);
    return;
  }
  fault->kept = wish_keep(wish, handle->host);
  if (fault->kept != NULL && wait_ms(fault, fault->plan.delay_ms))
    return;
  fault_free_kept(fault);
  sluice_done(op, SLUICE_ENOMEM, "no memory is left for a delay");
}

WISH_ENTRIES(begin)

static void chaos_cancel(void *handle, struct sluice_op *op) {
  struct fault *fault = sluice_op_state(op, sizeof *fault);
  (void)handle;
  fault->canceled = true;
  if (fault->ask != NULL) {
    fault_end_timer(fault);
    sluice_ask_cancel(fault->ask);
    return;
  }
  fault_free_kept(fault);
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

/* ---- life --------------------------------------------------------------- */

static bool is_percent(int64_t number) {
  return number >= 0 && number <= 100;
}

static bool read_errors(struct chaos *shared, struct sluice_host *host) {
  const char *const *name = shared->conf->fail_with;
  for (; *name != NULL; name++) {
    size_t i = 0;
    while (i < ERRORS && strcmp(errors[i].name, *name) != 0)
      i++;
    if (i == ERRORS || shared->fail_count == ERRORS) {
      sluice_fail(host,
                  "fail_with: '%.32s' is no error, or one too many; write "
                  "busy, io, upstream, timeout, nospace, denied or some of "
                  "them",
                  *name);
      return false;
    }
    shared->fails[shared->fail_count++] = errors[i].status;
  }
  if (shared->fail_count == 0)
    sluice_fail(host, "fail_with: names no error; write one, as [upstream]");
  return shared->fail_count > 0;
}

static bool read_operations(struct chaos *shared, struct sluice_host *host) {
  const char *const *name = shared->conf->operations;
  for (size_t i = 0; i < WISH_KINDS; i++)
    shared->at[i] = *name == NULL;
  for (; *name != NULL; name++) {
    size_t i = 0;
    while (i < WISH_KINDS && strcmp(wish_names[i], *name) != 0)
      i++;
    if (i == WISH_KINDS) {
      sluice_fail(host,
                  "operations: '%.32s' is none; write head, get, put, list, "
                  "remove, remove_if, remove_many, copy, stage, stage_get, "
                  "stage_remove or some of them",
                  *name);
      return false;
    }
    shared->at[i] = true;
  }
  return true;
}

static const char *conf_fault(const struct chaos_conf *conf) {
  if (!is_percent(conf->fail) || !is_percent(conf->cut) ||
      !is_percent(conf->lose))
    return "fail, cut and lose are percent: write 0 to 100";
  if (conf->delay_ms < 0 || conf->delay_ms > TIME_MAX_MS ||
      conf->slow_ms < 0 || conf->slow_ms > TIME_MAX_MS)
    return "delay and slow: write 0s to 10m";
  if (conf->seed < 0)
    return "seed: write 0, for any, or a positive number";
  if (conf->fail + conf->cut + conf->lose == 0 && conf->delay_ms == 0 &&
      conf->slow_ms == 0)
    return "no fault is switched on; write fail, cut, lose, delay or slow, "
           "or take the layer away";
  return NULL;
}

static void *chaos_start(const void *arg, struct sluice_host *host) {
  const struct chaos_conf *conf = arg;
  const char *fault = conf_fault(conf);
  if (fault != NULL) {
    sluice_fail(host, "%s", fault);
    return NULL;
  }
  struct chaos *shared = calloc(1, sizeof *shared);
  if (shared == NULL) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  shared->conf = conf;
  shared->abilities = sluice_store_can(sluice_store(host, NULL));
  shared->seed =
      conf->seed > 0 ? (uint64_t)conf->seed : clock_us() % 1000000000 + 1;
  if (!read_errors(shared, host) || !read_operations(shared, host)) {
    free(shared);
    return NULL;
  }
  sluice_log(host, SLUICE_LOG_WARN,
             "faults are on, for tests only: seed %" PRIu64 ", %" PRId64
             " %% fail, %" PRId64 " %% of downloads are cut, %" PRId64
             " %% of answers are lost, up to %" PRId64 " ms of delay, %" PRId64
             " ms a chunk",
             shared->seed, conf->fail, conf->cut, conf->lose, conf->delay_ms,
             conf->slow_ms);
  return shared;
}

static unsigned chaos_can(void *instance) {
  return ((const struct chaos *)instance)->abilities;
}

static void *chaos_open(void *instance, struct sluice_host *host) {
  struct chaos *shared = instance;
  struct chaos_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  handle->host = host;
  handle->store = sluice_store(host, NULL);
  handle->shared = shared;
  handle->drawn = shared->seed + (atomic_fetch_add(&shared->loops, 1) << 32);
  return handle;
}

static const struct sluice_backend chaos = {
    SLUICE_HEAD(sluice_backend),
    .name = "chaos",
    .version = SLUICE_VERSION,
    .summary = "makes another backend fail, for tests",
    .options = options,
    .conf_size = sizeof(struct chaos_conf),
    .start = chaos_start,
    .stop = free,
    .open = chaos_open,
    .close = free,
    .read = chaos_read,
    .more = chaos_more,
    .cancel = chaos_cancel,
    .can = chaos_can,
    WISH_DESCRIBED,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(chaos, chaos)
