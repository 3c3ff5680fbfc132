/* SPDX-License-Identifier: MIT
 *
 * A connection, as all parts of the ingress use it: they have it wait, read or
 * not, and end.
 */
#include "clock.h"
#include "ingress_private.h"
#include "wipe.h"

#include <event2/bufferevent_ssl.h>
#include <event2/bufferevent_struct.h>
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

/* OpenSSL's rest of a record that didn't fit wakes nobody. */
static void read_tls(struct ingress_conn *conn) {
  const SSL *ssl = bufferevent_openssl_get_ssl(conn->bev);
  bufferevent_enable(conn->bev, EV_READ);
  if (SSL_pending(ssl) > 0)
    event_active(&conn->bev->ev_read, EV_READ, 1);
}

void ingress_reading(struct ingress_conn *conn, bool on) {
  if (conn->reading == on)
    return;
  conn->reading = on;
  if (conn->readable != NULL && on)
    event_add(conn->readable, NULL);
  else if (conn->readable != NULL)
    event_del(conn->readable);
  else if (on)
    read_tls(conn);
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

/* libevent has the bufferevent as long as it is in a call of its own, which
 * may still add to the input; then the descriptor is closed. */
static void let_go(struct ingress_conn *conn) {
  evbuffer_remove_cb_entry(bufferevent_get_input(conn->bev), conn->watch);
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
