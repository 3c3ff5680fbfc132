/* SPDX-License-Identifier: MIT
 *
 * Uploads of the layer `fallback`: to the first backend, after a look at those
 * behind it where nothing may be replaced, and never at the same time as a
 * backfill of the key.
 */
#include <event2/event.h>

#include "backfill.h"
#include "fallback.h"
#include "wish.h"

struct upload { /* of a put, its state */
  struct fallback_op common;
  struct sluice_op *op;
  struct fallback_handle *handle;
  struct sluice_ask *put, *head; /* NULL: it isn't in flight */
  struct wish *object;           /* what is to be committed */
  size_t at;                     /* the backend that may have it already */
  enum sluice_status status;
  const char *why;
  bool changes;        /* and keeps the key from being backfilled */
  struct event *timer; /* until a backfill of it has ended; NULL: none */
};

_Static_assert(sizeof(struct upload) <= FALLBACK_STATE, "it has room");

static void upload_end(struct upload *upload) {
  if (upload->changes)
    backfill_change_ends(upload->handle->backfill,
                         upload->object->of.stage.object->key);
  if (upload->timer != NULL)
    event_free(upload->timer);
  wish_free(upload->object, upload->handle->host);
  wish_end(upload->op, upload->status, upload->why);
}

/* The state before is that of the first backend alone. */
static void on_stored_meta(void *arg, const struct sluice_meta *meta) {
  struct upload *upload = arg;
  struct sluice_meta told = SLUICE_META;
  told.length = meta->length;
  told.mtime_ms = meta->mtime_ms;
  told.etag = meta->etag;
  told.type = meta->type;
  told.user = meta->user;
  sluice_meta(upload->op, &told);
}

static void on_stored(void *arg, enum sluice_status status, const char *why) {
  struct upload *upload = arg;
  upload->put = NULL;
  if (upload->status == SLUICE_OK) {
    upload->status = status;
    upload->why = upload->head == NULL ? why : "the first backend ended it";
  }
  if (upload->head != NULL)
    sluice_ask_cancel(upload->head);
  else
    upload_end(upload);
}

static void look_behind(struct upload *upload);

static void on_looked(void *arg, enum sluice_status status, const char *why) {
  struct upload *upload = arg;
  (void)why;
  upload->head = NULL;
  if (upload->put == NULL) {
    upload_end(upload);
    return;
  }
  if (status == SLUICE_ENOENT && !upload->common.canceled) {
    upload->at++;
    look_behind(upload);
    return;
  }
  upload->status = status == SLUICE_OK ? SLUICE_EEXIST : status;
  upload->why = status == SLUICE_OK
                    ? "a backend behind the first one has it"
                    : "a backend behind the first one may have it";
  sluice_ask_cancel(upload->put);
}

static void on_nothing(void *arg, const struct sluice_meta *meta) {
  (void)arg, (void)meta;
}

/* Nobody else writes to those behind, so what isn't there now won't be; that
 * of many at once one succeeds is the first one's part. */
static void look_behind(struct upload *upload) {
  static const struct sluice_heard looks = {SLUICE_HEARD, .meta = on_nothing,
                                            .done = on_looked};
  const struct sluice_object *object = upload->object->of.stage.object;
  if (upload->at == upload->handle->count)
    sluice_ask_commit(upload->put, object);
  else
    upload->head = sluice_ask_head(upload->handle->stores[upload->at],
                                   upload->op, object->key, &looks, upload);
}

static void upload_commit(struct upload *upload) {
  const struct sluice_object *object = upload->object->of.stage.object;
  if (object->exclusive)
    look_behind(upload);
  else
    sluice_ask_commit(upload->put, object);
}

static void on_commit_timer(evutil_socket_t fd, short what, void *arg) {
  struct upload *upload = arg;
  (void)fd, (void)what;
  if (upload->common.canceled)
    return; /* the put is about to end */
  if (backfill_commits(upload->handle->backfill,
                       upload->object->of.stage.object->key))
    backfill_wait_for(upload->timer);
  else
    upload_commit(upload);
}

static void upload_fail(struct upload *upload, const char *why) {
  upload->status = SLUICE_ENOMEM;
  upload->why = why;
  sluice_ask_cancel(upload->put);
}

/* A backfill that is at its commit may take away again what it wrote, which
 * must not be the client's. */
static void upload_commit_alone(struct upload *upload) {
  const char *key = upload->object->of.stage.object->key;
  upload->changes = true;
  backfill_change_begins(upload->handle->backfill, key);
  if (!backfill_commits(upload->handle->backfill, key)) {
    upload_commit(upload);
    return;
  }
  upload->timer =
      evtimer_new(sluice_loop(upload->handle->host), on_commit_timer, upload);
  if (upload->timer == NULL)
    upload_fail(upload, "no memory is left for a timer");
  else
    backfill_wait_for(upload->timer);
}

void fallback_put(void *arg, struct sluice_op *op,
                  const struct sluice_put *put) {
  static const struct sluice_heard stores = {
      SLUICE_HEARD, .meta = on_stored_meta, .done = on_stored};
  struct fallback_handle *handle = arg;
  struct upload *upload = sluice_op_state(op, FALLBACK_STATE);
  *upload = (struct upload){.op = op, .handle = handle, .at = 1};
  upload->put = sluice_ask_put(handle->stores[0], op, put, &stores, upload);
}

void fallback_commit(void *handle, struct sluice_op *op,
                     const struct sluice_object *object) {
  struct upload *upload = sluice_op_state(op, FALLBACK_STATE);
  bool alone = upload->handle->backfill != NULL;
  (void)handle;
  if (!object->exclusive && !alone) {
    sluice_ask_commit(upload->put, object);
    return;
  }
  upload->object =
      wish_keep(&(struct wish){.kind = WISH_STAGE, .of.stage.object = object},
                upload->handle->host);
  if (upload->object == NULL)
    upload_fail(upload, "no memory is left for a key");
  else if (alone)
    upload_commit_alone(upload);
  else
    look_behind(upload);
}
