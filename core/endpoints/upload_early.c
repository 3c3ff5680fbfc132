/* SPDX-License-Identifier: MIT
 *
 * An upload whose backend is told what its bytes become before they come, so
 * that it may send them on at once (uploads.early_parts).  Hooks are asked
 * about the key then, and again before the commit, as ever.
 */
#include "upload.h"

#include "idempotency.h"
#include "upload_expiry.h"

/* Fewer bytes are there before any storage would begin to send them. */
#define EARLY_MIN ((int64_t)5 << 20)

/* A form may name its prefix behind its file. */
static bool is_key_known(const struct exchange *ex) {
  const struct upload *upload = ex->work;
  return upload->form == NULL || upload->has_prefix || ex->link != NULL;
}

/* Nor is it known then whether a form will say that its object ends. */
static bool may_end_yet(const struct exchange *ex) {
  const struct upload *upload = ex->work;
  return upload_expiry_life(ex, upload->life_s) > 0 ||
         (upload->form != NULL &&
          ex->gate->settings->uploads.expire_max_ms > 0);
}

/* A digest that the object is kept with has to be known when it is told of, as
 * has the moment when it ends, which counts from its commit, a
 * key that was used before may be of an earlier object, and hooks that see its
 * bytes may say what it is by them. */
static bool is_early(struct exchange *ex) {
  const struct upload *upload = ex->work;
  bool keeps = upload->digest != NULL && upload->digest->keeps;
  return ex->gate->settings->uploads.early_parts &&
         exchange_can(ex, SLUICE_CAN_EARLY) && upload->once == NULL &&
         !keeps && !may_end_yet(ex) && is_key_known(ex) &&
         !request_wants_body(&ex->request) &&
         (ex->head.chunked || ex->head.length > EARLY_MIN);
}

static void upload_early_ask(struct exchange *ex) {
  struct upload *upload = ex->work;
  upload->is_bound = true;
  upload_name_object(upload, upload->key);
  upload_ask(ex, &upload->object);
}

static bool ask_early(struct exchange *ex) {
  struct upload *upload = ex->work;
  upload->backend = UPLOAD_ADMITTING;
  if (upload->by_key) { /* they were asked before the body */
    upload_early_ask(ex);
    return true;
  }
  if ((upload->form != NULL && !upload_read_prefix(ex)) ||
      !upload_make_key(ex))
    return false;
  upload_check_key(ex, upload_early_ask);
  return !exchange_is_answered(ex->state);
}

bool upload_open(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (idempotency_replays(upload->once))
    upload->backend = UPLOAD_WANTS;
  else if (is_early(ex))
    return ask_early(ex);
  else
    upload_ask(ex, NULL);
  return true;
}
