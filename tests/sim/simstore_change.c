/* SPDX-License-Identifier: MIT
 *
 * Changes of the simulation's storage: each is done in one step, and said in
 * another one, or not done, or done and not said, or done later than it said
 * that it failed.
 */
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "simstore.h"

#define DOUBT 15 /* of a thousand changes */
#define LATE 10
#define LATE_US 40000000

/* ---- changes ------------------------------------------------------------ */

static bool matches(const struct call *call, const struct shelf_object *is) {
  return !call->matches ||
         (is != NULL && (strcmp(call->match, "*") == 0 ||
                         strcmp(call->match, is->meta.etag) == 0));
}

static struct shelf_object *copy_of(const struct shelf_object *from,
                                    const char *to) {
  struct shelf_object *copy = shelf_object_new();
  const struct sluice_object as = {.key = to,
                                   .type = from->meta.type,
                                   .md5 = from->meta.etag,
                                   .user = from->meta.user};
  if (copy == NULL ||
      !shelf_object_append(copy, from->data, (size_t)from->meta.length) ||
      !shelf_object_name(copy, &as))
    abort();
  return copy;
}

static enum sluice_status put_now(struct call *call, const char *key) {
  struct shelf_object *is = shelf_get(&simstore_shelf, key);
  bool fits = call->wish == WISH_COPY || matches(call, is);
  call->before = is == NULL ? SLUICE_BEFORE_FREE : SLUICE_BEFORE_THERE;
  shelf_object_drop(is);
  if (!fits)
    return SLUICE_EPRECOND;
  enum sluice_status status =
      shelf_put(&simstore_shelf, call->object, call->exclusive);
  if (status == SLUICE_OK) /* one is the shelf's, one is the call's */
    call->object = shelf_get(&simstore_shelf, key);
  return status;
}

static enum sluice_status change(struct call *call) {
  struct shelf_object *is;
  enum sluice_status status = SLUICE_OK;
  switch (call->wish) {
  case WISH_PUT:
    return put_now(call, call->key);
  case WISH_REMOVE:
    is = shelf_get(&simstore_shelf, call->key);
    if (!matches(call, is))
      status = is == NULL ? SLUICE_ENOENT : SLUICE_EPRECOND;
    shelf_object_drop(is);
    if (status == SLUICE_OK)
      shelf_remove(&simstore_shelf, call->key);
    return status;
  case WISH_COPY:
    is = shelf_get(&simstore_shelf, call->key);
    if (is == NULL)
      return SLUICE_ENOENT;
    if (matches(call, is)) {
      call->object = copy_of(is, call->to);
      status = put_now(call, call->to);
    } else {
      status = SLUICE_EPRECOND;
    }
    shelf_object_drop(is);
    return status;
  }
  return SLUICE_EIO;
}

static void late_end(struct late *late) {
  enum sluice_status status = change(&late->call);
  trace("storage: %s is done late: %d", late->call.key, (int)status);
  TAILQ_REMOVE(&late->handle->lates, late, link);
  shelf_object_drop(late->call.object);
  event_free(late->timer);
  free(late);
}

static void on_late(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  late_end(arg);
}

/* The source is copied as it is now. */
static void read_source(struct call *call) {
  struct shelf_object *is = shelf_get(&simstore_shelf, call->key);
  if (is != NULL && matches(call, is))
    call->object = copy_of(is, call->to);
  shelf_object_drop(is);
  call->matches = false;
  call->wish = WISH_PUT;
  simstore_copy(call->key, sizeof call->key, call->to);
}

static void do_late(struct call *call) {
  if (call->wish == WISH_COPY)
    read_source(call);
  if (call->wish == WISH_PUT && call->object == NULL)
    return;
  struct late *late = calloc(1, sizeof *late);
  struct timeval wait = simstore_time(chance_below(LATE_US));
  if (late == NULL)
    abort();
  late->handle = call->handle;
  late->call = *call;
  call->object = NULL;
  late->timer = evtimer_new(sluice_loop(call->handle->host), on_late, late);
  TAILQ_INSERT_TAIL(&call->handle->lates, late, link);
  evtimer_add(late->timer, &wait);
}

static void tell_change(struct call *call) {
  struct sluice_meta meta = SLUICE_META;
  if (call->status == SLUICE_OK && call->wish != WISH_REMOVE) {
    meta = call->object->meta;
    meta.before = (int)call->before;
    sluice_meta(call->op, &meta);
  }
  simstore_finish(call);
}

static void act_change(struct call *call) {
  static const enum sluice_status all[] = {SLUICE_EUPSTREAM, SLUICE_ETIMEOUT,
                                           SLUICE_EIO};
  if (simstore_refuses(call))
    return;
  if (chance_fault(FAULT_STORAGE_LATE, LATE)) {
    call->status = all[chance_below(3)];
    trace("storage: %s fails by %d, and goes on", call->key,
          (int)call->status);
    do_late(call);
    simstore_finish(call);
    return;
  }
  call->status = change(call);
  call->done_it = call->status == SLUICE_OK;
  trace("storage: %s %s is done: %d", call->key, call->to, (int)call->status);
  if (call->done_it && chance_fault(FAULT_STORAGE_DOUBT, DOUBT)) {
    call->status = all[chance_below(3)];
    simstore_finish(call);
    return;
  }
  simstore_later(call, tell_change);
}

static void ask_more(struct call *call) {
  if (!simstore_refuses(call))
    sluice_next(call->op);
}

void simstore_put(void *arg, struct sluice_op *op,
                  const struct sluice_put *wanted) {
  struct call *call = simstore_begin(arg, op, "a put");
  (void)wanted;
  call->object = shelf_object_new();
  if (call->object == NULL)
    abort();
  simstore_later(call, ask_more);
}

/* The bytes are looked at only now: they are lent until the next are asked
 * for. */
static void keep_chunk(struct call *call) {
  if (!shelf_object_append(call->object, call->lent.data,
                           (size_t)call->lent.length))
    abort();
  ask_more(call);
}

void simstore_data(void *arg, struct sluice_op *op,
                   const struct sluice_chunk *chunk) {
  struct call *call = simstore_call(op);
  (void)arg;
  call->lent = *chunk;
  simstore_later(call, keep_chunk);
}

static void expect(struct call *call, bool exclusive, const char *match) {
  call->exclusive = exclusive;
  call->matches = match != NULL;
  if (match != NULL && strlen(match) < sizeof call->match)
    simstore_copy(call->match, sizeof call->match, match);
}

void simstore_commit(void *arg, struct sluice_op *op,
                     const struct sluice_object *as) {
  struct call *call = simstore_call(op);
  (void)arg;
  if (strlen(as->key) > SHELF_KEY_MAX || !shelf_object_name(call->object, as))
    abort();
  if (as->length != call->object->meta.length)
    trace_found("%s: commit() says %llu bytes, and %llu came", as->key,
                (unsigned long long)as->length,
                (unsigned long long)call->object->meta.length);
  simstore_copy(call->key, sizeof call->key, as->key);
  expect(call, as->exclusive, as->if_match);
  call->wish = WISH_PUT;
  simstore_later(call, act_change);
}

void simstore_remove(void *arg, struct sluice_op *op, const char *key) {
  struct call *call = simstore_begin(arg, op, key);
  call->wish = WISH_REMOVE;
  simstore_later(call, act_change);
}

void simstore_remove_if(void *arg, struct sluice_op *op,
                        const struct sluice_removal *removal) {
  struct call *call = simstore_begin(arg, op, removal->key);
  expect(call, false, removal->if_match);
  call->wish = WISH_REMOVE;
  simstore_later(call, act_change);
}

void simstore_copy_object(void *arg, struct sluice_op *op,
                          const struct sluice_copy *wanted) {
  struct call *call = simstore_begin(arg, op, wanted->from);
  simstore_copy(call->to, sizeof call->to, wanted->to);
  expect(call, wanted->exclusive, wanted->if_match);
  call->wish = WISH_COPY;
  simstore_later(call, act_change);
}

void simstore_end_lates(struct handle *handle) {
  while (!TAILQ_EMPTY(&handle->lates))
    late_end(TAILQ_FIRST(&handle->lates));
}
