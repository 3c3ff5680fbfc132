/* SPDX-License-Identifier: MIT
 *
 * One errand about the record at a time.  The memory outlives the request
 * until it is done.
 */
#include <string.h>

#include "date.h"
#include "idempotency_parts.h"
#include "must.h"
#include "reply.h"

#define LEASE_MS 15000 /* without being renewed, its owner is dead */
#define LEASE_PARTS 3

uint64_t idempotency_now_ms(void) {
  return (uint64_t)date_now_ms();
}

uint64_t idempotency_lease_ms(const struct idempotency *once) {
  int64_t timeout = once->gate->settings->limits.backend_timeout_ms;
  return timeout < LEASE_MS ? (uint64_t)timeout : LEASE_MS;
}

uint64_t idempotency_renewal_ms(const struct idempotency *once) {
  return idempotency_lease_ms(once) / LEASE_PARTS;
}

void idempotency_set_timer(struct idempotency *once, uint64_t ms) {
  const struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
  event_add(&once->timer, &time);
}

void idempotency_fail(struct idempotency *once, enum sluice_status status,
                      const char *why) {
  if (once->ex != NULL)
    reply_failure(once->ex, status, why);
}

void idempotency_go_on(struct idempotency *once) {
  if (once->ex != NULL)
    once->then(once->ex);
}

static void set_out(struct idempotency *once, idempotency_end *end) {
  must(once->end == NULL);
  once->end = end;
  if (once->ex != NULL && !once->quiet)
    exchange_watch(once->ex);
}

void idempotency_get(struct idempotency *once, idempotency_end *end) {
  set_out(once, end);
  ownobject_read(&once->own, once->key);
}

void idempotency_put(struct idempotency *once, bool replaces,
                     idempotency_end *end) {
  struct buf text;
  buf_init(&text, ONCERECORD_MAX);
  must(oncerecord_write(&text, &once->record)); /* its texts are clean */
  memcpy(once->text, text.data, text.len);
  memcpy(once->own.etag, once->etag, sizeof once->etag);
  set_out(once, end);
  ownobject_write(&once->own, once->key, text.len,
                  replaces ? OWNOBJECT_AS_IS : OWNOBJECT_NEW);
  buf_fini(&text);
}

void idempotency_remove(struct idempotency *once, idempotency_end *end) {
  set_out(once, end);
  memcpy(once->own.etag, once->etag, sizeof once->etag);
  ownobject_remove(&once->own, once->key);
}

bool idempotency_is_lost(enum sluice_status status) {
  return status == SLUICE_EPRECOND || status == SLUICE_ENOENT ||
         status == SLUICE_EEXIST;
}

void idempotency_on_own(void *arg, enum sluice_status status,
                        const char *why) {
  struct idempotency *once = arg;
  idempotency_end *end = once->end;
  bool gone = once->ex == NULL; /* else its end may free it */
  once->end = NULL;
  if (status == SLUICE_OK)
    memcpy(once->etag, once->own.etag, sizeof once->etag);
  if (once->ex != NULL && !once->quiet)
    exchange_unwatch(once->ex);
  once->quiet = false;
  end(once, status, why);
  if (gone)
    once->left(once);
}
