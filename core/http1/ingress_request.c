/* SPDX-License-Identifier: MIT
 *
 * A request: handed over to its owner, answered, and what becomes of its
 * connection then.
 */
#include "ingress_private.h"

#include <string.h>

static void conn_forget_request(struct ingress_conn *conn) {
  head_fini(&conn->head);
  ingress_uncharge(conn);
}

/* The client has said its last word, and all of it was heard. */
static bool is_last(const struct ingress_conn *conn) {
  return conn->eof &&
         evbuffer_get_length(bufferevent_get_input(conn->bev)) == 0;
}

static bool must_close(const struct ingress_conn *conn) {
  if (!conn->head.keep_alive || conn->ingress->draining || is_last(conn))
    return true;
  switch (conn->body) {
  case INGRESS_BODY_ENDED:
    return false;
  case INGRESS_BODY_EXPECTED: /* it may take the answer as a word to go on */
  case INGRESS_BODY_BAD:
  case INGRESS_BODY_REFUSED:
    return true;
  case INGRESS_BODY_UNREAD:
  case INGRESS_BODY_AHEAD:
  case INGRESS_BODY_WANTED:
  case INGRESS_BODY_FULL:
  case INGRESS_BODY_STATES:
    break;
  }
  return !conn->head.chunked && conn->left + conn->piece > INGRESS_SKIP_MAX;
}

/* ---- its end ------------------------------------------------------------ */

static void close_behind(struct ingress_conn *conn, bool ended) {
  conn_forget_request(conn);
  if (!ended && linger_can(conn)) {
    linger_start(conn); /* the client's last bytes shall be read before */
    return;
  }
  ingress_become(conn, INGRESS_DISCARDING);
  ingress_end_conn(conn);
}

/* The next request may have come already. */
static void keep(struct ingress_conn *conn, bool ended) {
  struct ingress *ingress = conn->ingress;
  bufferevent_setwatermark(conn->bev, EV_WRITE, 0, 0);
  TAILQ_REMOVE(&ingress->conns, conn, link);
  TAILQ_INSERT_TAIL(&ingress->conns, conn, link);
  ingress_wait(conn, ingress->idle_us);
  ingress_become(conn, ended ? INGRESS_IDLE : INGRESS_SKIPPING);
  if (ended)
    conn_forget_request(conn);
  else /* the head tells how the rest of the body is framed */
    ingress_uncharge(conn);
  ingress_scan(conn);
  ingress_read_on(conn);
  if (conn->state == INGRESS_WHOLE) /* not from inside of its owner's call */
    event_active(conn->deferred, EV_TIMEOUT, 1);
  else if (conn->eof && ingress_awaits_head(conn))
    ingress_end_conn(conn);
}

void ingress_answered(struct ingress_conn *conn) {
  const struct ingress_events *events = conn->events;
  bool ended = conn->body == INGRESS_BODY_ENDED;
  ingress_enter(conn);
  conn->events = NULL;
  conn->drained = NULL;
  events->finished(conn->arg);
  if (conn->closed)
    ;
  else if (conn->closes || must_close(conn))
    close_behind(conn, ended);
  else
    keep(conn, ended);
  ingress_leave(conn);
}

void ingress_answer(struct ingress_conn *conn) {
  /* Where another process accepts, the client is told.  One whose answer had
   * begun before that wasn't, and may ask once more. */
  conn->closes = must_close(conn) || conn->ingress->retiring;
  ingress_become(conn, INGRESS_ANSWERING);
  pace_begin(conn);
  ingress_body_stop(conn);
}

/* ---- its begin ---------------------------------------------------------- */

void ingress_hand_over(struct ingress_conn *conn) {
  const struct ingress_owner *owner = &conn->ingress->owner;
  bool refused = conn->body == INGRESS_BODY_REFUSED;
  ingress_become(conn, INGRESS_BUSY);
  conn->is_head = strcmp(conn->head.method, "HEAD") == 0;
  conn->whole = false;
  owner->request(owner->arg, conn, &conn->head,
                 refused ? &conn->refusal : NULL);
}

void ingress_own(struct ingress_conn *conn,
                 const struct ingress_events *events, void *arg) {
  conn->events = events;
  conn->arg = arg;
}
