/* SPDX-License-Identifier: MIT
 *
 * A backend in memory that keeps every rule but the one that its option names,
 * most of them only for keys that have certain words in them: so that each is
 * found by the check that is for it, and by no other.
 */
#include "broken.h"
#include "broken_change.h"
#include "broken_link.h"
#include "broken_list.h"
#include "broken_stage.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <strings.h>
#include <unistd.h>

#define SLOW_MS 60
#define SLEEP_MS 25

static const struct sluice_option options[] = {
    {"rule", SLUICE_STRING, "none", offsetof(struct conf, rule),
     "the rule to break"},
    {"outage", SLUICE_STRING, "", offsetof(struct conf, outage),
     "a file: while it is there the storage is down"},
    {0}};

/* ---- head, get ---------------------------------------------------------- */

static bool look_up(struct call *call, const char *key) {
  call->box = boxes_find(call->handle->boxes, key);
  if (call->box == NULL) {
    sluice_done(call->op, SLUICE_ENOENT, NULL);
    return false;
  }
  struct sluice_meta meta = told(call->handle, call->box);
  sluice_meta(call->op, &meta);
  return true;
}

static void head(void *arg, struct sluice_op *op, const char *key) {
  struct call *call = call_new(arg, op);
  if (!fails(call, key) && look_up(call, key))
    end(call, SLUICE_OK);
}

static void get(void *arg, struct sluice_op *op,
                const struct sluice_get *get) {
  struct call *call = call_new(arg, op);
  call->hint = *get;
  if (!fails(call, get->key))
    look_up(call, get->key);
}

static void send_piece(struct call *call) {
  struct handle *handle = call->handle;
  uint64_t left = call->end - call->at;
  struct sluice_chunk chunk = {.data = call->box->bytes + call->at,
                               .length = left < PIECE ? left : PIECE,
                               .fd = -1};
  if (breaks_at(handle, "chunk_changes", call->box->key, "/out")) {
    memcpy(handle->shared, chunk.data, chunk.length);
    chunk.data = handle->shared;
  }
  call->at += chunk.length;
  chunk.last = call->at == call->end;
  sluice_send(call->op, &chunk);
}

static void read_range(void *arg, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct call *call = call_of(op);
  struct handle *handle = arg;
  const char *key = call->box->key;
  uint64_t length = call->box->meta.length;
  if (breaks(handle, "keeps_text") &&
      strcmp(call->hint.key, call->box->key) != 0) {
    end(call, SLUICE_ENOENT);
    return;
  }
  if (breaks_at(handle, "trusts_hint", key, "/hints")) {
    first = call->hint.first;
    count = call->hint.count;
  }
  if (first >= length && !breaks_at(handle, "behind", key, "/behind")) {
    end(call, SLUICE_ERANGE);
    return;
  }
  if (first >= length)
    first = length - 1;
  if (breaks_at(handle, "wrong_range", key, "/ranges") && first > 1)
    first--;
  call->at = first;
  call->end = count < length - first ? first + count : length;
  send_piece(call);
  if (breaks_at(handle, "send_twice", key, "/ranges") && call->at < call->end)
    send_piece(call);
}

static void more(void *arg, struct sluice_op *op) {
  struct call *call = call_of(op);
  (void)arg;
  if (call->at < call->end)
    send_piece(call);
  else
    end(call, SLUICE_OK);
}

/* ---- put, remove -------------------------------------------------------- */

static void put(void *arg, struct sluice_op *op,
                const struct sluice_put *put) {
  struct call *call = call_new(arg, op);
  call->box = box_new();
  show_early(call->handle, put);
  if (breaks(call->handle, "visible")) {
    struct box *part = box_new();
    box_name(part, &(struct sluice_object){.key = "part",
                                           .user = &(struct sluice_pair){0}});
    boxes_put(call->handle->boxes, part, false);
  }
  sluice_next(op);
}

static void say_next(evutil_socket_t fd, short what, void *op) {
  (void)fd, (void)what;
  sluice_next(op);
}

/* No rule is broken by a storage that takes its time for each chunk. */
static void next_later(const struct call *call) {
  static const struct timeval moment = {.tv_usec = SLOW_MS * 1000};
  if (event_base_once(sluice_loop(call->handle->host), -1, EV_TIMEOUT,
                      say_next, call->op, &moment) < 0)
    abort();
}

static void say_alive(evutil_socket_t fd, short what, void *arg) {
  static const struct timeval moment = {.tv_usec = SLOW_MS * 1000};
  struct call *call = arg;
  (void)fd, (void)what;
  sluice_alive(call->op);
  if (event_base_once(sluice_loop(call->handle->host), -1, EV_TIMEOUT,
                      say_alive, call, &moment) < 0)
    abort();
}

static void data(void *arg, struct sluice_op *op,
                 const struct sluice_chunk *chunk) {
  struct call *call = call_of(op);
  (void)arg;
  box_add(call->box, chunk->data, (size_t)chunk->length);
  if (call->count < KEPT)
    call->kept[call->count++] = *chunk;
  if (breaks(call->handle, "slow"))
    next_later(call);
  else
    sluice_next(op);
}

static void use_kept(struct call *call) {
  size_t at = 0;
  for (size_t i = 0; i < call->count; i++) {
    memcpy(call->box->bytes + at, call->kept[i].data, call->kept[i].length);
    at += call->kept[i].length;
  }
}

/* Readers of the old object see the new bytes in it. */
static bool overwrite(struct call *call, const char *key) {
  struct box *old = boxes_find(call->handle->boxes, key);
  if (old == NULL || old->meta.length != call->box->meta.length) {
    box_drop(call->handle->boxes, old);
    return false;
  }
  memcpy(old->bytes, call->box->bytes, old->meta.length);
  box_drop(call->handle->boxes, old);
  return true;
}

static void commit(void *arg, struct sluice_op *op,
                   const struct sluice_object *object) {
  struct call *call = call_of(op);
  struct handle *handle = arg;
  if (breaks(handle, "visible"))
    boxes_remove(handle->boxes, "part");
  if (fails(call, object->key))
    return;
  if (breaks_at(handle, "keeps_chunk", object->key, "/in"))
    use_kept(call);
  if (object->length == 0 &&
      breaks_at(handle, "crash_on_empty", object->key, "/empty"))
    raise(SIGSEGV);
  if (breaks(handle, "short_keys") && strlen(object->key) > 255) {
    end(call, SLUICE_EINVAL);
    return;
  }
  if (breaks_at(handle, "false_commit", object->key, "/brief"))
    return;
  if (breaks_at(handle, "not_atomic", object->key, "/race") &&
      overwrite(call, object->key)) {
    end(call, SLUICE_OK);
    return;
  }
  bool exclusive =
      object->exclusive &&
      !breaks_at(handle, "not_exclusive", object->key, "/refused") &&
      !breaks_at(handle, "creates_twice", object->key, "/creates");
  bool any = breaks_at(handle, "replaces_any", object->key, "/replaces");
  box_name(call->box, object);
  store(call, exclusive, any ? NULL : object->if_match);
}

/* Readers of the object see other bytes in it. */
static void spoil(struct handle *handle, const char *key) {
  struct box *box = boxes_find(handle->boxes, key);
  if (box != NULL)
    memset(box->bytes, 0, (size_t)box->meta.length);
  box_drop(handle->boxes, box);
}

static void remove_key(void *arg, struct sluice_op *op, const char *key) {
  struct call *call = call_new(arg, op);
  struct handle *handle = arg;
  if (fails(call, key) || breaks_at(handle, "never_done", key, "/never"))
    return;
  if (breaks_at(handle, "only_alive", key, "/never")) {
    say_alive(-1, 0, call);
    return;
  }
  if (breaks_at(handle, "remove_spoils", key, "/reading"))
    spoil(handle, key);
  if (breaks_at(handle, "never_returns", key, "/never"))
    for (;;)
      pause();
  if (breaks_at(handle, "false_remove", key, "/leaving"))
    return;
  if (!breaks_at(handle, "remains", key, "/removed"))
    boxes_remove(handle->boxes, key);
  end(call, SLUICE_OK);
}

static void cancel(void *arg, struct sluice_op *op) {
  struct call *call = call_of(op);
  struct handle *handle = arg;
  if (breaks(handle, "visible"))
    boxes_remove(handle->boxes, "part");
  if (call->shelf != NULL && breaks(handle, "stage_counts_all"))
    shelf_store(call);
  if (call->box != NULL && call->box->key != NULL &&
      breaks_at(handle, "deaf", call->box->key, "/get"))
    return;
  bool claims =
      breaks(handle, "false_commit") || breaks(handle, "false_remove");
  end(call, claims ? SLUICE_OK : SLUICE_ECANCELED);
}

/* ---- ping: what needs no key -------------------------------------------- */

static void work(void *arg) {
  struct call *call = arg;
  if (breaks(call->handle, "other_thread"))
    sluice_done(call->op, SLUICE_OK, NULL);
}

/* The operation's state is gone by then, so it knows the operation alone. */
static void work_late(void *arg) {
  (void)arg;
}

static void speak_late(void *op) {
  sluice_alive(op);
}

static void after(void *arg) {
  (void)arg;
}

static void *sleep_on(void *arg) {
  for (;;)
    pause();
  return arg;
}

static void ping(void *arg, struct sluice_op *op) {
  struct handle *handle = arg;
  struct call *call = call_new(arg, op);
  pthread_t thread;
  if (fails(call, ""))
    return;
  if (breaks(handle, "sleeps"))
    usleep(SLEEP_MS * 1000);
  if (breaks(handle, "other_thread")) {
    sluice_work(handle->host, work, after, call);
    return;
  }
  if (breaks(handle, "word_after_done"))
    sluice_work(handle->host, work_late, speak_late, op);
  if (breaks(handle, "leaks_file") && open("/dev/null", O_RDONLY) < 0)
    abort();
  if (breaks(handle, "leaks_memory") && strdup("32 bytes that nobody frees "
                                               "again") == NULL)
    abort();
  if (breaks(handle, "leaks_thread") &&
      pthread_create(&thread, NULL, sleep_on, NULL) != 0)
    abort();
  if (breaks(handle, "blocks") && !handle->blocked)
    usleep(400000);
  handle->blocked = true;
  sluice_done(op, SLUICE_OK, NULL);
  if (breaks(handle, "done_twice"))
    sluice_done(op, SLUICE_OK, NULL);
}

/* ---- life --------------------------------------------------------------- */

static int same_case(const char *a, const char *b) {
  return strcasestr(a, "/name") != NULL ? strcasecmp(a, b) : strcmp(a, b);
}

static void *start(const void *conf, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  instance->conf = conf;
  const char *rule = instance->conf->rule;
  if (strcmp(rule, "start_crashes") == 0)
    raise(SIGSEGV);
  if (strcmp(rule, "start_ends") == 0)
    exit(3);
  if (strcmp(rule, "start_refuses") == 0)
    sluice_fail(host, "there is no storage; make one");
  if (strncmp(rule, "start_", 6) == 0)
    return NULL;
  pthread_mutex_init(&instance->boxes.lock, NULL);
  instance->boxes.compare =
      strcmp(instance->conf->rule, "no_case") == 0 ? same_case : strcmp;
  if (strcmp(instance->conf->rule, "keeps_file") == 0 &&
      open("/dev/null", O_RDONLY) < 0)
    abort();
  return instance;
}

static void stop(void *arg) {
  struct instance *instance = arg;
  boxes_clear(&instance->boxes);
  shelves_clear(instance);
  free(instance);
}

static void *open_handle(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  handle->instance = instance;
  handle->host = host;
  if (breaks(handle, "open_silent"))
    return NULL;
  handle->own = (struct boxes){.compare = strcmp};
  pthread_mutex_init(&handle->own.lock, NULL);
  handle->boxes =
      breaks(handle, "own_objects") ? &handle->own : &handle->instance->boxes;
  return handle;
}

static void close_handle(void *arg) {
  struct handle *handle = arg;
  boxes_clear(&handle->own);
  free(handle);
}

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "broken",
    .version = "1.0.0",
    .summary = "breaks one rule, for the tests of sluice-plugin-check",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = start,
    .stop = stop,
    .open = open_handle,
    .close = close_handle,
    .head = head,
    .get = get,
    .read = read_range,
    .more = more,
    .put = put,
    .data = data,
    .commit = commit,
    .list = list,
    .remove = remove_key,
    .cancel = cancel,
    .ping = ping,
    .presign = presign,
    .verify = verify,
    .can = can,
    .remove_if = remove_if,
    .copy = copy,
    .remove_many = remove_many,
    .stage = stage,
    .save = save,
    .stage_commit = stage_commit,
    .stage_get = stage_get,
    .stage_remove = stage_remove,
    .stage_sweep = stage_sweep,
};
SLUICE_BACKEND(broken, backend)
