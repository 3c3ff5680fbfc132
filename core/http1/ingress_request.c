/* SPDX-License-Identifier: MIT
 *
 * A request between evhttp and its owner: handed over, answered, and what
 * becomes of its connection then.
 */
#include "ingress_private.h"

#include <event2/bufferevent_struct.h>
#include <event2/keyvalq_struct.h>

#include "log.h"

#define TLS_RECORD 16384 /* the most that one holds: RFC 8446, section 5.1 */

static void conn_forget_request(struct ingress_conn *conn) {
  head_fini(&conn->head);
  ingress_uncharge(conn);
  conn->request = NULL;
  conn->events = NULL;
  conn->arg = NULL;
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

static bool says_close(struct evkeyvalq *headers) {
  const char *value = evhttp_find_header(headers, "Connection");
  return value != NULL && evutil_ascii_strcasecmp(value, "close") == 0;
}

/* The one field that says what becomes of the connection; NULL: none.  evhttp
 * adds none of its own, as the head that it was shown has none, and goes by
 * ours. */
static void set_connection(struct evhttp_request *request,
                           const char *option) {
  struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
  while (evhttp_remove_header(headers, "Connection") == 0) {
  }
  if (option != NULL)
    evhttp_add_header(headers, "Connection", option);
}

/* evhttp would close it now; the client's last bytes shall be read before. */
static void keep_lingering(struct ingress_conn *conn) {
  set_connection(conn->request, NULL);
  conn_forget_request(conn);
  linger_start(conn);
}

/* evhttp closes it.  Should it not, it gets to see nothing more. */
static void let_close(struct ingress_conn *conn) {
  struct evbuffer *input = bufferevent_get_input(conn->bev);
  set_connection(conn->request, "close");
  conn_forget_request(conn);
  ingress_become(conn, INGRESS_DISCARDING);
  evbuffer_drain(input, evbuffer_get_length(input));
}

/* The answer's last byte was handed over.  evhttp frees the request and reads
 * on, or closes where the headers say so. */
static void on_complete(struct evhttp_request *request, void *arg) {
  struct ingress_conn *conn = arg;
  conn->events->finished(conn->arg);
  bool close = must_close(conn) ||
               says_close(evhttp_request_get_output_headers(request));
  bool ended = conn->body == INGRESS_BODY_ENDED;
  ingress_body_stop(conn);
  if (close && !ended && linger_can(conn)) {
    keep_lingering(conn);
    return;
  }
  if (close) {
    let_close(conn);
    return;
  }
  struct ingress *ingress = conn->ingress;
  bufferevent_setwatermark(conn->bev, EV_WRITE, 0, 0);
  TAILQ_REMOVE(&ingress->conns, conn, link);
  TAILQ_INSERT_TAIL(&ingress->conns, conn, link);
  event_add(conn->timer, ingress->idle_timeout);
  ingress_become(conn, ended ? INGRESS_IDLE : INGRESS_SKIPPING);
  if (ended) {
    conn_forget_request(conn);
  } else { /* the head tells how the rest of the body is framed */
    conn->request = NULL;
    conn->events = NULL;
    ingress_uncharge(conn);
  }
  ingress_scan(conn);
}

/* The connection whose head evhttp was shown.  NULL: none, against the first
 * invariant. */
static struct ingress_conn *find_conn(const struct ingress *ingress,
                                      struct bufferevent *bev) {
  evutil_socket_t fd = bufferevent_getfd(bev);
  if (fd < 0 || (size_t)fd >= ingress->fds)
    return NULL;
  struct ingress_conn *conn = ingress->by_fd[fd];
  bool awaits =
      conn != NULL && conn->bev == bev && conn->state == INGRESS_SHOWN;
  return awaits ? conn : NULL;
}

void ingress_on_request(struct evhttp_request *request, void *arg) {
  struct ingress *ingress = arg;
  struct evhttp_connection *evcon = evhttp_request_get_connection(request);
  struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
  struct ingress_conn *conn = find_conn(ingress, bev);
  if (conn == NULL) {
    ingress->strays++;
    log_line(SLUICE_LOG_ERROR, NULL,
             "a connection is closed: it has a request whose head wasn't "
             "checked; please report this");
    evhttp_connection_free(evcon);
    return;
  }
  conn->request = request;
  ingress_become(conn, INGRESS_BUSY);
  evhttp_request_set_on_complete_cb(request, on_complete, conn);
  ingress_take_callbacks(conn);
  bufferevent_set_timeouts(bev, NULL, NULL);
  evutil_socket_t fd = conn->fd;
  bool refused = conn->body == INGRESS_BODY_REFUSED;
  ingress->owner.request(ingress->owner.arg, conn, &conn->head,
                         refused ? &conn->refusal : NULL);
  if (refused || ingress->by_fd[fd] != conn) /* it is no more */
    return;
  if (conn->state == INGRESS_BUSY && !ingress_body_is_read(conn->body) &&
      !conn->eof)
    bufferevent_enable(bev, EV_READ); /* to notice when the client leaves */
}

void ingress_own(struct ingress_conn *conn,
                 const struct ingress_events *events, void *arg) {
  conn->events = events;
  conn->arg = arg;
}

void ingress_answer(struct ingress_conn *conn) {
  /* Where another process accepts, the client is told.  One whose answer had
   * begun before that wasn't, and may ask once more. */
  if (must_close(conn) || conn->ingress->retiring)
    set_connection(conn->request, "close");
  else if (conn->head.minor == 0)
    set_connection(conn->request, "keep-alive");
  ingress_become(conn, INGRESS_ANSWERING);
  pace_begin(conn);
  ingress_body_stop(conn);
}

void ingress_sent(struct ingress_conn *conn) {
  ingress_watch_writing(conn);
  bufferevent_disable(conn->bev, EV_READ);
}

/* A record of TLS is made of each piece of the output, and a write(2) of each
 * record: head and body of a small answer go as one. */
static void join_pieces(struct evbuffer *output) {
  size_t len = evbuffer_get_length(output);
  size_t most = len < TLS_RECORD ? len : TLS_RECORD;
  if (evbuffer_get_contiguous_space(output) < most)
    evbuffer_pullup(output, (ev_ssize_t)most);
}

void ingress_write_soon(struct ingress_conn *conn) {
  if (conn->ingress->tls == NULL)
    return; /* libevent takes a sendfile(2) that would wait for an end */
  join_pieces(bufferevent_get_output(conn->bev));
  event_active(&conn->bev->ev_write, EV_WRITE, 1);
}

void ingress_flush(struct ingress_conn *conn) {
  struct evbuffer *output = bufferevent_get_output(conn->bev);
  if (conn->ingress->tls != NULL) {
    ingress_write_soon(conn);
    return;
  }
  evbuffer_unfreeze(output, 1);
  evbuffer_write(output, conn->fd);
  evbuffer_freeze(output, 1);
  if (evbuffer_get_length(output) > 0)
    return; /* or an error, which the next attempt meets again */
  bufferevent_disable(conn->bev, EV_WRITE);
  bufferevent_trigger(conn->bev, EV_WRITE,
                      BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}
