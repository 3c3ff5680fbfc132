/* SPDX-License-Identifier: MIT
 *
 * The content is compared by its size and digests, so it is read to its end
 * also where nothing is stored.
 */
#include "upload_once.h"

#include <stdio.h>
#include <string.h>

#include "idempotency.h"
#include "reply.h"
#include "upload_expiry.h"
#include "upload_hooks.h"

static void upload_once_describe(const struct exchange *ex,
                                 struct oncerecord *object) {
  const struct upload *upload = ex->work;
  *object = (struct oncerecord){.state = ONCERECORD_CLAIMED,
                                .size = upload->size,
                                .keeps = upload->digest->keeps};
  memcpy(object->key, upload->key, sizeof object->key);
  snprintf(object->prefix, sizeof object->prefix, "%s",
           upload_hooks_said_prefix(upload));
  memcpy(object->filename, upload->filename, sizeof object->filename);
  snprintf(object->type, sizeof object->type, "%s",
           upload_hooks_said_type(upload));
  memcpy(object->md5, upload->md5_hex, sizeof object->md5);
  memcpy(object->sha256, upload->digest->sha256, sizeof object->sha256);
}

bool upload_once_read(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (ex->link != NULL) /* it counts its uses itself */
    return true;
  if (!idempotency_read(ex, &upload->once, upload->uploader))
    return false;
  if (upload->once == NULL)
    return true;
  if (updigest_need(ex, &upload->digest) == NULL)
    return false;
  sums_make(&upload->digest->file, SHA2_256);
  return true;
}

void upload_once_claim(struct exchange *ex, void (*then)(struct exchange *)) {
  const struct upload *upload = ex->work;
  if (upload->once == NULL)
    then(ex);
  else
    idempotency_claim(ex, upload->once, then);
}

/* ---- it was made before ------------------------------------------------- */

static void say_replay(struct exchange *ex) {
  reply_header(ex, "Idempotency-Replayed", "true");
  upload_answer(ex);
}

static void on_ending(void *arg, const struct sluice_meta *meta) {
  upload_expiry_keep(((struct exchange *)arg)->work, op_expires(meta));
}

static void on_ending_looked(void *arg, enum sluice_status status,
                             const char *why) {
  struct exchange *ex = arg;
  (void)status, (void)why; /* it may be gone, and is answered as it was */
  ex->op = NULL;
  exchange_unwatch(ex);
  say_replay(ex);
}

/* The answer says when the object ends, which the record doesn't, whatever the
 * request says this time. */
static void tell_ending(struct exchange *ex) {
  static const struct op_events events = {.sees_expired = true,
                                          .meta = on_ending,
                                          .alive = exchange_alive,
                                          .done = on_ending_looked};
  if (!upload_expiry_is_on(ex)) {
    say_replay(ex);
    return;
  }
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}

void upload_once_replay(struct exchange *ex) {
  struct upload *upload = ex->work;
  const struct oncerecord *was = idempotency_record(upload->once);
  struct oncerecord object;
  upload_once_describe(ex, &object);
  if (!idempotency_fits(upload->once, &object)) {
    idempotency_refuse_other(ex);
    return;
  }
  upload->digest->keeps = was->keeps == 1;
  exchange_check_key(ex, was->key, tell_ending);
}

/* ---- it is made --------------------------------------------------------- */

void upload_once_fix(struct exchange *ex, void (*then)(struct exchange *)) {
  const struct upload *upload = ex->work;
  struct oncerecord object;
  upload_once_describe(ex, &object);
  idempotency_fix(ex, upload->once, &object, then);
}

void upload_once_done(struct exchange *ex) {
  const struct upload *upload = ex->work;
  idempotency_done(ex, upload->once, upload_answer);
}

/* ---- an owner that was taken over from has stored it, after all --------- */

bool upload_once_shares_key(const struct exchange *ex) {
  const struct upload *upload = ex->work;
  const char *earlier = idempotency_earlier(
      upload->once, upload_hooks_said_prefix(upload), upload->filename);
  return earlier != NULL && strcmp(earlier, upload->key) == 0;
}

static const char *upload_once_md5_of(const struct sluice_meta *meta) {
  const struct sluice_pair *pair = meta->user;
  for (; pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, "md5") == 0)
      return pair->value;
  return "";
}

/* The record says it as it is: that one's, which may be the same. */
static void upload_once_on_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  struct upload *upload = ex->work;
  struct oncerecord found, *was = &found;
  const char *sha256 = updigest_kept(meta->user);
  upload_once_describe(ex, was);
  was->size = meta->length;
  was->keeps = sha256 != NULL;
  snprintf(was->md5, sizeof was->md5, "%s", upload_once_md5_of(meta));
  snprintf(was->sha256, sizeof was->sha256, "%s", sha256 ? sha256 : "");
  snprintf(was->type, sizeof was->type, "%s", meta->type ? meta->type : "");
  idempotency_found(upload->once, was);
}

static void upload_once_on_looked(void *arg, enum sluice_status status,
                                  const char *why) {
  struct exchange *ex = arg;
  const struct upload *upload = ex->work;
  ex->op = NULL;
  if (status == SLUICE_OK)
    idempotency_done(ex, upload->once, upload_once_replay);
  else
    reply_failure(ex, status, why);
}

void upload_once_look(struct exchange *ex) {
  static const struct op_events events = {.meta = upload_once_on_meta,
                                          .alive = exchange_alive,
                                          .done = upload_once_on_looked};
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}
