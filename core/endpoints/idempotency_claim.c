/* SPDX-License-Identifier: MIT
 *
 * The way to an upload that is this request's, or was made before: a claim is
 * put; where there is one, its owner is waited for a little, and taken over
 * from when it is dead.
 */
#include <string.h>

#include "idempotency_parts.h"
#include "reply.h"

#define WAIT_FIRST_MS 50
#define WAITS_MAX 4 /* each as long as all before, and one more */
#define TRIES_MAX 8 /* of looking, where others are faster each time */

static idempotency_end claimed, looked, marked;

static void make_claim(struct idempotency *once) {
  once->earlier[0] = '\0';
  once->record = (struct oncerecord){.state = ONCERECORD_CLAIMED};
  once->record.at_ms = idempotency_now_ms();
  memcpy(once->record.owner, once->owner, sizeof once->owner);
  once->record.until_ms = idempotency_now_ms() + idempotency_lease_ms(once);
}

void idempotency_start(struct idempotency *once) {
  make_claim(once);
  idempotency_put(once, false, claimed);
}

void idempotency_refuse_flight(struct exchange *ex) {
  reply_header(ex, "Retry-After", "1");
  reply_error(ex, 409, "idempotency_in_flight",
              "An upload with this 'Idempotency-Key' is under way; try again "
              "when it is over");
}

void idempotency_look(struct idempotency *once) {
  if (once->tries++ == TRIES_MAX) {
    if (once->ex != NULL)
      idempotency_refuse_flight(once->ex);
    return;
  }
  idempotency_get(once, looked);
}

/* The new claim knows of an owner before that may still store its object. */
static void take_over(struct idempotency *once) {
  struct oncerecord before = once->record;
  make_claim(once);
  if (before.state != ONCERECORD_DONE) {
    memcpy(once->earlier, before.key, sizeof before.key);
    memcpy(once->record.key, before.key, sizeof before.key);
    memcpy(once->record.prefix, before.prefix, sizeof before.prefix);
    memcpy(once->record.filename, before.filename, sizeof before.filename);
  }
  idempotency_put(once, true, claimed);
}

static void own(struct idempotency *once) {
  once->turn = IDEMPOTENCY_OWNS;
  if (once->ex != NULL)
    idempotency_set_timer(once, idempotency_renewal_ms(once));
  idempotency_go_on(once);
}

static void wait(struct idempotency *once) {
  if (once->waits == WAITS_MAX)
    idempotency_refuse_flight(once->ex);
  else
    idempotency_set_timer(once, (uint64_t)WAIT_FIRST_MS << once->waits++);
}

static void replay(struct idempotency *once) {
  once->turn = IDEMPOTENCY_REPLAYS;
  idempotency_go_on(once);
}

/* ---- another one's record ----------------------------------------------- */

static void is_alive_or_take_over(struct idempotency *once) {
  if (once->record.until_ms > idempotency_now_ms())
    wait(once);
  else
    take_over(once);
}

static void idempotency_claim_on_head_meta(void *arg,
                                           const struct sluice_meta *meta) {
  (void)meta;
  ((struct idempotency *)arg)->is_there = true;
}

static void idempotency_claim_on_alive(void *arg) {
  exchange_alive(((struct idempotency *)arg)->ex);
}

static void idempotency_claim_on_head(void *arg, enum sluice_status status,
                                      const char *why) {
  struct idempotency *once = arg;
  once->head = NULL;
  exchange_unwatch(once->ex);
  if (status == SLUICE_OK && once->is_there) {
    once->record.state = ONCERECORD_DONE;
    once->record.at_ms = idempotency_now_ms();
    idempotency_put(once, true, marked);
  } else if (status == SLUICE_ENOENT) {
    is_alive_or_take_over(once);
  } else {
    idempotency_fail(once, status == SLUICE_OK ? SLUICE_EUPSTREAM : status,
                     why);
  }
}

static void look_for_object(struct idempotency *once) {
  static const struct op_events events = {.meta =
                                              idempotency_claim_on_head_meta,
                                          .alive = idempotency_claim_on_alive,
                                          .done = idempotency_claim_on_head};
  exchange_watch(once->ex);
  once->is_there = false;
  once->head = op_head(once->own.backend, once->record.key, &events, once);
}

static void judge(struct idempotency *once) {
  int64_t expires_ms = once->gate->settings->uploads.once_expires_ms;
  memcpy(once->etag, once->own.etag, sizeof once->etag);
  if (!oncerecord_read(&once->record, once->text, once->own.length)) {
    idempotency_fail(
        once, SLUICE_EUPSTREAM,
        "an object below .sluice/once/ isn't what was put there; remove it");
    return;
  }
  switch (once->record.state) {
  case ONCERECORD_CLAIMED:
    is_alive_or_take_over(once);
    break;
  case ONCERECORD_COMMITTING:
    look_for_object(once);
    break;
  case ONCERECORD_DONE:
    if (once->record.at_ms + (uint64_t)expires_ms > idempotency_now_ms())
      replay(once);
    else
      take_over(once);
    break;
  }
}

/* ---- the ends of errands ------------------------------------------------ */

static void claimed(struct idempotency *once, enum sluice_status status,
                    const char *why) {
  if (status == SLUICE_OK)
    own(once);
  else if (once->ex != NULL && idempotency_is_lost(status))
    idempotency_look(once);
  else
    idempotency_fail(once, status, why);
}

static void looked(struct idempotency *once, enum sluice_status status,
                   const char *why) {
  if (once->ex == NULL)
    return;
  if (status == SLUICE_ENOENT)
    idempotency_start(once);
  else if (status == SLUICE_OK)
    judge(once);
  else
    idempotency_fail(once, status, why);
}

static void marked(struct idempotency *once, enum sluice_status status,
                   const char *why) {
  if (status == SLUICE_OK)
    replay(once);
  else if (once->ex != NULL && idempotency_is_lost(status))
    idempotency_look(once);
  else
    idempotency_fail(once, status, why);
}
