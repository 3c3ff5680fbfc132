/* SPDX-License-Identifier: MIT
 *
 * A connection, as all parts of the ingress use it: they have it wait, read or
 * not, and end.
 */
#include "clock.h"
#include "ingress_private.h"
#include "wipe.h"

#include <stdlib.h>

#define SECOND_US 1000000

/* ---- time --------------------------------------------------------------- */

void conn_arm(struct ingress_conn *conn, uint64_t now) {
  uint64_t us = conn->due_us > now ? conn->due_us - now : 1;
  const struct timeval time = {.tv_sec = (time_t)(us / SECOND_US),
                               .tv_usec = (suseconds_t)(us % SECOND_US)};
  event_add(conn->timer, &time);
  conn->armed_us = conn->due_us;
}

/* With each request the time changes, and is seldom up: so the timer is only
 * moved to an earlier one, and looks again when it has run. */
void ingress_wait(struct ingress_conn *conn, uint64_t us) {
  if (us == 0) {
    conn->due_us = 0;
    return;
  }
  uint64_t now = clock_us();
  conn->due_us = now + us;
  if (conn->armed_us == 0 || conn->armed_us > conn->due_us)
    conn_arm(conn, now);
}

/* ---- its bytes ---------------------------------------------------------- */

void ingress_reading(struct ingress_conn *conn, bool on) {
  if (conn->reading == on)
    return;
  conn->reading = on;
  if (conn->readable != NULL && on)
    event_add(conn->readable, NULL);
  else if (conn->readable != NULL)
    event_del(conn->readable);
  else if (on)
    bufferevent_enable(conn->bev, EV_READ);
  else
    bufferevent_disable(conn->bev, EV_READ);
}

/* ---- its end ------------------------------------------------------------ */

void ingress_uncharge(struct ingress_conn *conn) {
  if (conn->charged > 0)
    budget_give(conn->ingress->memory, conn->charged);
  conn->charged = 0;
}

void linger_forget(struct ingress_conn *conn) {
  if (conn->state != INGRESS_LINGERING)
    return;
  TAILQ_REMOVE(&conn->ingress->lingerers, conn, in_lingerers);
  conn->ingress->lingering--;
  ingress_become(conn, INGRESS_DISCARDING);
}

static void conn_free(struct ingress_conn *conn) {
  if (conn->deferred != NULL)
    event_free(conn->deferred);
  if (conn->timer != NULL)
    event_free(conn->timer);
  if (conn->readable != NULL)
    event_free(conn->readable);
  if (conn->bev != NULL)
    bufferevent_free(conn->bev);
  buf_fini(&conn->fields);
  head_fini(&conn->head);
  wipe_free(conn->text);
  free(conn);
}

void ingress_enter(struct ingress_conn *conn) {
  conn->calls++;
}

void ingress_leave(struct ingress_conn *conn) {
  if (--conn->calls == 0 && conn->closed)
    conn_free(conn);
}

/* Its descriptor is closed at once, also where the rest has to wait. */
static void let_go(struct ingress_conn *conn) {
  if (conn->readable != NULL)
    event_del(conn->readable);
  event_del(conn->timer);
  event_del(conn->deferred);
  bufferevent_free(conn->bev);
  conn->bev = NULL;
}

void ingress_end_conn(struct ingress_conn *conn) {
  struct ingress *ingress = conn->ingress;
  const struct ingress_events *events = conn->events;
  if (conn->closed)
    return;
  conn->closed = true;
  ingress_enter(conn);
  conn->events = NULL;
  if (events != NULL)
    events->gone(conn->arg);
  linger_forget(conn);
  TAILQ_REMOVE(&ingress->conns, conn, link);
  ingress->open--;
  tally_leave(&conn->counted);
  ingress_uncharge(conn);
  let_go(conn);
  ingress_leave(conn);
  ingress->owner.count(ingress->owner.arg, -1);
}
