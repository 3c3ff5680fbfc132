/* SPDX-License-Identifier: MIT
 *
 * A template for backends: objects in memory, gone when the gateway stops.
 * Copy it, name file, symbol and descriptor alike, and put your storage where
 * shelf_*() is called.  sluice-plugin(3) has the whole contract.
 *
 * All loops share one shelf and a plugin takes no locks, so what touches the
 * shelf is a job of one lane (call.h).  What doesn't is done on the loop.
 */
#include "call.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is counted ---------------------------------------------------- */

enum { STORED };

static const struct sluice_metric metrics[] = {
    [STORED] = {"skeleton_stored_total", SLUICE_COUNTER,
                "Objects that were stored.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

/* ---- head, get ---------------------------------------------------------- */

static void look_up(struct shelf *shelf, struct call *call) {
  call->object = shelf_get(shelf, call->key);
  call->status = call->object ? SLUICE_OK : SLUICE_ENOENT;
}

static void tell_head(struct call *call) {
  sluice_meta(call->op, &call->object->meta);
  call_end(call);
}

/* Then read() or cancel() comes: the gateway first decides on conditions and
 * ranges, for which it needs the meta. */
static void tell_get(struct call *call) {
  sluice_meta(call->op, &call->object->meta);
}

static void head(void *handle, struct sluice_op *op, const char *key) {
  struct call *call = call_start(handle, op);
  call_keep(call, call->key, key);
  call_submit(call, look_up, tell_head);
}

static void get(void *handle, struct sluice_op *op,
                const struct sluice_get *get) {
  struct call *call = call_start(handle, op);
  call_keep(call, call->key, get->key);
  call_submit(call, look_up, tell_get);
}

/* LENT: the bytes stay until more() or cancel(), as the call is a user of the
 * object, which may be removed meanwhile.  Who reads from afar sends many
 * chunks, a next one at each more(), and sets `last` on the last. */
static void read_range(void *handle, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct call *call = call_of(op);
  uint64_t length = call->object->meta.length;
  (void)handle;
  if (first >= length) {
    call_fail(call, SLUICE_ERANGE);
    return;
  }
  uint64_t left = length - first;
  sluice_send(op, &(struct sluice_chunk){.data = call->object->data + first,
                                         .length = count < left ? count : left,
                                         .fd = -1,
                                         .last = true});
}

static void more(void *handle, struct sluice_op *op) {
  (void)handle;
  call_end(call_of(op));
}

/* ---- put, remove -------------------------------------------------------- */

static void put(void *handle, struct sluice_op *op,
                const struct sluice_put *put) {
  struct call *call = call_start(handle, op);
  (void)put; /* its length is a hint; memory is taken as bytes come */
  call->object = shelf_object_new();
  if (call->object)
    sluice_next(op); /* asks for the first chunk */
  else
    call_fail(call, SLUICE_ENOMEM);
}

static void data(void *handle, struct sluice_op *op,
                 const struct sluice_chunk *chunk) {
  struct call *call = call_of(op);
  uint64_t room =
      call->handle->instance->max_bytes - call->object->meta.length;
  (void)handle;
  if (chunk->length > room)
    call_fail(call, SLUICE_ETOOBIG);
  else if (!shelf_object_append(call->object, chunk->data,
                                (size_t)chunk->length))
    call_fail(call, SLUICE_ENOMEM);
  else
    sluice_next(op); /* returns the chunk; after the last comes commit() */
}

/* Only now is there a key, and only now may anybody see the object.  Counting
 * is one of the calls for any thread. */
static void store(struct shelf *shelf, struct call *call) {
  call->status = shelf_put(shelf, call->object, call->exclusive);
  if (call->status != SLUICE_OK)
    return;
  call->object = NULL; /* the shelf has it */
  sluice_count(call->handle->host, STORED, 1);
}

static void commit(void *handle, struct sluice_op *op,
                   const struct sluice_object *object) {
  struct call *call = call_of(op);
  (void)handle;
  call->exclusive = object->exclusive;
  if (!shelf_object_name(call->object, object))
    call->status = SLUICE_EINVAL;
  call_submit(call, store, call_end);
}

static void take_away(struct shelf *shelf, struct call *call) {
  shelf_remove(shelf, call->key);
}

static void remove_key(void *handle, struct sluice_op *op, const char *key) {
  struct call *call = call_start(handle, op);
  call_keep(call, call->key, key);
  call_submit(call, take_away, call_end);
}

/* ---- list --------------------------------------------------------------- */

static void scan(struct shelf *shelf, struct call *call) {
  shelf_scan(shelf, &call->page);
}

/* The token is the last name told: with prefix and delimiter, which are the
 * same next time, it says where to go on. */
static void tell_page(struct call *call) {
  const struct shelf_page *page = &call->page;
  char name[SHELF_KEY_MAX + 1] = "";
  for (uint32_t i = 0; i < page->count; i++) {
    const char *key = page->found[i]->key;
    size_t fold = shelf_fold(page, key), len = fold ? fold : strlen(key);
    memcpy(name, key, len);
    name[len] = '\0';
    if (fold)
      sluice_prefix(call->op, name);
    else
      sluice_entry(call->op, key, &page->found[i]->meta);
  }
  if (page->more)
    sluice_truncated(call->op, name);
  call_end(call);
}

static void list(void *handle, struct sluice_op *op,
                 const struct sluice_list *list) {
  struct call *call = call_start(handle, op);
  call_keep(call, call->page.prefix, list->prefix);
  call_keep(call, call->page.delimiter, list->delimiter);
  call_keep(call, call->page.token, list->token);
  call->page.max = list->max < SHELF_PAGE_MAX ? list->max : SHELF_PAGE_MAX;
  call_submit(call, scan, tell_page);
}

/* ---- cancel, ping ------------------------------------------------------- */

static void cancel(void *handle, struct sluice_op *op) {
  (void)handle;
  call_cancel(call_of(op));
}

static void ping(void *handle, struct sluice_op *op) {
  (void)handle;
  sluice_done(op, SLUICE_OK, NULL);
}

/* ---- life --------------------------------------------------------------- */

struct conf { /* filled from YAML, by the table */
  uint64_t max_bytes;
};

static const struct sluice_option options[] = {
    {"max_bytes", SLUICE_SIZE, "64MiB", offsetof(struct conf, max_bytes),
     "the largest object that is taken"},
    {NULL, 0, NULL, 0, NULL}};

static void *skeleton_start(const void *arg, struct sluice_host *host) {
  const struct conf *conf = arg;
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance)
    instance->lane = sluice_lane_new(host, call_lane_run, instance);
  if (!instance || !instance->lane) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    free(instance);
    return NULL;
  }
  instance->max_bytes = conf->max_bytes;
  sluice_log(host, SLUICE_LOG_WARN, "objects are kept in memory only");
  return instance;
}

static void skeleton_stop(void *arg) {
  struct instance *instance = arg;
  sluice_lane_free(instance->lane);
  shelf_clear(&instance->shelf);
  free(instance);
}

static void *skeleton_open_handle(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle)
    *handle = (struct handle){.instance = instance, .host = host};
  else
    sluice_fail(host, "there is no memory; lower limits.memory");
  return handle;
}

static void skeleton_close_handle(void *handle) {
  free(handle);
}

/* presign and verify are left out: NULL means "not offered". */
static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "skeleton",
    .version = "1.0.0",
    .summary = "objects in memory, a template for backends",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = skeleton_start,
    .stop = skeleton_stop,
    .open = skeleton_open_handle,
    .close = skeleton_close_handle,
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
    .metrics = metrics,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(skeleton, backend)
