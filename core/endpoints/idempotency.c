/* SPDX-License-Identifier: MIT
 *
 * The life of an upload that is made once, from its request's head to the
 * record's last word.
 */
#include "idempotency.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "idempotency_parts.h"
#include "idempotencykey.h"
#include "log.h"
#include "must.h"
#include "reply.h"

#define PUTS_MAX 4 /* of one record, where they fail */
#define PAUSE_MS 1000

static idempotency_end renewed, fixed, done, released;

/* ---- answers ------------------------------------------------------------ */

void idempotency_refuse_other(struct exchange *ex) {
  reply_error(ex, 422, "idempotency_mismatch",
              "This 'Idempotency-Key' was used for an upload of another name, "
              "prefix, type or content; take a new one");
}

/* ---- an owner's --------------------------------------------------------- */

/* Somebody waits for an errand from now on. */
static void hear(struct idempotency *once) {
  if (once->quiet && once->ex != NULL)
    exchange_watch(once->ex);
  once->quiet = false;
}

/* Where another errand is under way, then after that. */
static void idempotency_first(struct idempotency *once, idempotency_end *end) {
  if (once->end != NULL) {
    once->next = end;
    hear(once);
    return;
  }
  if (once->turn == IDEMPOTENCY_OVER) { /* lost, when it was renewed */
    end(once, SLUICE_EPRECOND, NULL);
    return;
  }
  if (end != done)
    once->record.until_ms = idempotency_now_ms() + idempotency_lease_ms(once);
  idempotency_put(once, true, end);
}

static void renew(struct idempotency *once) {
  idempotency_set_timer(once, idempotency_renewal_ms(once));
  if (once->end != NULL)
    return;
  once->quiet = true;
  idempotency_first(once, renewed);
}

static void idempotency_on_time(evutil_socket_t fd, short what, void *arg) {
  struct idempotency *once = arg;
  (void)fd, (void)what;
  idempotency_end *again = once->again;
  once->again = NULL;
  if (once->ex != NULL && again != NULL && once->end == NULL) {
    idempotency_first(once, again);
  } else if (once->ex == NULL && once->own.op != NULL) {
    op_cancel(once->own.op); /* the backend doesn't end it */
  } else if (once->ex != NULL && once->turn == IDEMPOTENCY_LOOKS) {
    once->tries = 0;
    idempotency_look(once);
  } else if (once->turn == IDEMPOTENCY_OWNS ||
             once->turn == IDEMPOTENCY_COMMITS) {
    renew(once);
  }
}

/* A storage may take one write a second of a key: it is tried again after a
 * pause, where somebody waits. */
static bool is_tried_again(struct idempotency *once, enum sluice_status status,
                           idempotency_end *end) {
  bool failed = status != SLUICE_OK && !idempotency_is_lost(status);
  if (!failed)
    once->failures = 0;
  if (!failed || once->ex == NULL || ++once->failures == PUTS_MAX)
    return false;
  once->again = end;
  idempotency_set_timer(once, PAUSE_MS);
  return true;
}

static void renewed(struct idempotency *once, enum sluice_status status,
                    const char *why) {
  idempotency_end *next = once->next;
  (void)why; /* it is tried again */
  once->next = NULL;
  if (idempotency_is_lost(status) && once->turn == IDEMPOTENCY_OWNS)
    once->turn = IDEMPOTENCY_OVER;
  if (next != NULL)
    idempotency_first(once, next);
}

static void fixed(struct idempotency *once, enum sluice_status status,
                  const char *why) {
  if (is_tried_again(once, status, fixed))
    return;
  if (status == SLUICE_OK) {
    idempotency_set_timer(once, idempotency_renewal_ms(once));
    idempotency_go_on(once);
  } else if (idempotency_is_lost(status)) {
    once->turn = IDEMPOTENCY_OVER;
    if (once->ex != NULL)
      idempotency_refuse_flight(once->ex);
  } else {
    idempotency_fail(once, status, why);
  }
}

/* Whoever found the object before has said so, too. */
static void done(struct idempotency *once, enum sluice_status status,
                 const char *why) {
  if (is_tried_again(once, status, done))
    return;
  once->turn = IDEMPOTENCY_OVER;
  if (status != SLUICE_OK && !idempotency_is_lost(status))
    log_line(SLUICE_LOG_WARN, once->own.backend->host.name,
             "an upload with an Idempotency-Key was stored, which its record "
             "doesn't say: %s",
             why == NULL ? "no reason given" : why);
  idempotency_go_on(once);
}

static void released(struct idempotency *once, enum sluice_status status,
                     const char *why) {
  (void)status, (void)why; /* it isn't renewed any more */
  once->turn = IDEMPOTENCY_OVER;
}

const char *idempotency_earlier(const struct idempotency *once,
                                const char *prefix, const char *filename) {
  bool same = once != NULL && once->earlier[0] != '\0' &&
              strcmp(once->record.prefix, prefix) == 0 &&
              strcmp(once->record.filename, filename) == 0;
  return same ? once->earlier : NULL;
}

/* Takes over what the record says of the object. */
static void idempotency_describe(struct idempotency *once,
                                 const struct oncerecord *object) {
  struct oncerecord before = once->record;
  once->record = *object;
  once->record.at_ms = before.at_ms;
  once->record.until_ms = before.until_ms;
  memcpy(once->record.owner, before.owner, sizeof before.owner);
}

void idempotency_fix(struct exchange *ex, struct idempotency *once,
                     const struct oncerecord *object,
                     void (*then)(struct exchange *)) {
  must(once->ex == ex);
  once->then = then;
  idempotency_describe(once, object);
  once->record.state = ONCERECORD_COMMITTING;
  idempotency_first(once, fixed);
}

void idempotency_commits(struct idempotency *once) {
  if (once != NULL && once->turn == IDEMPOTENCY_OWNS)
    once->turn = IDEMPOTENCY_COMMITS;
}

void idempotency_stored(struct idempotency *once) {
  if (once == NULL)
    return;
  once->turn = IDEMPOTENCY_STORED;
  once->record.state = ONCERECORD_DONE;
  once->record.at_ms = idempotency_now_ms();
}

void idempotency_done(struct exchange *ex, struct idempotency *once,
                      void (*then)(struct exchange *)) {
  must(once->ex == ex);
  once->then = then;
  idempotency_first(once, done);
}

void idempotency_found(struct idempotency *once,
                       const struct oncerecord *object) {
  idempotency_describe(once, object);
  idempotency_stored(once);
}

/* ---- one that was made before ------------------------------------------- */

bool idempotency_replays(const struct idempotency *once) {
  return once != NULL && once->turn == IDEMPOTENCY_REPLAYS;
}

const struct oncerecord *idempotency_record(const struct idempotency *once) {
  return &once->record;
}

bool idempotency_fits(const struct idempotency *once,
                      const struct oncerecord *object) {
  const struct oncerecord *was = &once->record;
  bool summed = was->sha256[0] != '\0';
  return was->size == object->size && strcmp(was->md5, object->md5) == 0 &&
         (!summed || strcmp(was->sha256, object->sha256) == 0) &&
         strcmp(was->type, object->type) == 0 &&
         strcmp(was->prefix, object->prefix) == 0 &&
         strcmp(was->filename, object->filename) == 0;
}

/* ---- the end ------------------------------------------------------------ */

static void once_free(struct idempotency *once) {
  struct gate *gate = once->gate;
  event_del(&once->timer);
  budget_give(gate->memory, sizeof *once);
  free(once);
  gate_release(gate);
}

/* Those without conditional removes can't tell another one's claim from this
 * one, which is this one's as long as it lasts. */
static bool may_remove(const struct idempotency *once) {
  return once->earlier[0] == '\0' &&
         ((once->own.backend->abilities & SLUICE_CAN_REMOVE) != 0 ||
          once->record.until_ms > idempotency_now_ms());
}

/* Whoever comes next takes over at once. */
static void expire(struct idempotency *once) {
  once->record.until_ms = 0;
  idempotency_put(once, true, released);
}

static void limit_errand(struct idempotency *once) {
  idempotency_set_timer(
      once, (uint64_t)once->gate->settings->limits.backend_timeout_ms);
}

/* The request is gone, and no errand is under way. */
static void on_left(struct idempotency *once) {
  limit_errand(once);
  switch (once->turn) {
  case IDEMPOTENCY_OWNS:
    if (may_remove(once)) {
      idempotency_remove(once, released);
      break;
    }
    once->record.state = ONCERECORD_CLAIMED;
    expire(once);
    break;
  case IDEMPOTENCY_COMMITS: /* and looks what became of it */
    expire(once);
    break;
  case IDEMPOTENCY_STORED:
    idempotency_put(once, true, done);
    break;
  case IDEMPOTENCY_LOOKS:
  case IDEMPOTENCY_REPLAYS:
  case IDEMPOTENCY_OVER:
    once_free(once);
    break;
  }
}

void idempotency_leave(struct idempotency *once) {
  if (once == NULL)
    return;
  once->ex = NULL;
  once->next = NULL;
  if (once->head != NULL)
    op_leave(once->head, NULL, NULL);
  once->head = NULL;
  limit_errand(once);
  if (once->end == NULL)
    on_left(once);
}

/* ---- the beginning ------------------------------------------------------ */

static bool idempotency_read_key(struct exchange *ex,
                                 char key[IDEMPOTENCYKEY_MAX + 1]) {
  struct buf lines;
  buf_init(&lines, HEAD_TARGET_MAX);
  const char *text = head_list(&ex->head, "Idempotency-Key", &lines);
  bool several = lines.len > 0;
  const char *fault =
      several ? "is there twice" : idempotencykey_read(key, text);
  buf_fini(&lines);
  if (fault != NULL)
    reply_error(ex, 400, "bad_idempotency_key", "'Idempotency-Key' %s", fault);
  return fault == NULL;
}

bool idempotency_read(struct exchange *ex, struct idempotency **out,
                      const char *identity) {
  char key[IDEMPOTENCYKEY_MAX + 1];
  unsigned char owner[ONCERECORD_OWNER_LEN / 2];
  if (head_get(&ex->head, "Idempotency-Key") == NULL)
    return true;
  if (!idempotency_read_key(ex, key))
    return false;
  if (!exchange_can(ex, SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE)) {
    reply_error(ex, 501, "not_implemented",
                "This storage can't see to it that of several uploads with "
                "one 'Idempotency-Key' one is made; leave it out");
    return false;
  }
  if (!budget_take(ex->gate->memory, sizeof **out)) {
    reply_error(ex, 503, "overloaded",
                "The gateway has too many requests in flight; try again");
    return false;
  }
  struct idempotency *once = calloc(1, sizeof *once);
  must_have(once); /* charged */
  *out = once;
  once->ex = ex;
  once->left = on_left;
  once->gate = ex->gate;
  gate_hold(once->gate);
  oncerecord_key(once->key, identity, ex->route->path, key);
  digest_random(owner, sizeof owner);
  codec_hex(once->owner, owner, sizeof owner);
  ownobject_init(&once->own, exchange_backend(ex), once->text, ONCERECORD_MAX,
                 idempotency_on_own, once);
  once->own.wants_etag = true;
  event_assign(&once->timer, loop_base(ex->gate->loop), -1, 0,
               idempotency_on_time, once);
  return true;
}

void idempotency_claim(struct exchange *ex, struct idempotency *once,
                       void (*then)(struct exchange *)) {
  if (once == NULL) {
    then(ex);
    return;
  }
  once->then = then;
  idempotency_start(once);
}
