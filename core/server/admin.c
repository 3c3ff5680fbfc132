/* SPDX-License-Identifier: MIT
 *
 * A very small server of HTTP: it reads a head, answers, and closes.
 */
#include "admin.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "control.h"
#include "exposition.h"
#include "gateway.h"
#include "head.h"
#include "loop.h"
#include "scrape.h"

enum admin_state {
  ADMIN_READS,   /* the head comes */
  ADMIN_WAITS,   /* the answer is being made */
  ADMIN_ANSWERS, /* the answer goes */
  ADMIN_CLOSES,  /* so, to a client that has closed its side */
  ADMIN_LISTENS, /* the answer went; what still comes isn't looked at */
  ADMIN_LEAVES   /* it is the hand-over's when the loop has turned */
};

struct admin_conn {
  struct admin *admin;
  struct bufferevent *io;
  struct event limit; /* of its life */
  enum admin_state state;
  size_t looked; /* bytes of the head in which its end isn't */
  struct control control;
  LIST_ENTRY(admin_conn) next;
};

struct admin {
  struct gateway *gateway;
  struct listen listen;
  struct evconnlistener *listener;
  struct event *resume; /* of accepting */
  bool retired;         /* and the listener goes when the loop has turned */
  LIST_HEAD(admin_conns, admin_conn) conns;
  size_t count;
};

static const struct timeval life = {.tv_sec = ADMIN_LIFE_S};

static void conn_free(struct admin_conn *conn) {
  struct admin *admin = conn->admin;
  LIST_REMOVE(conn, next);
  control_leave(&conn->control);
  event_del(&conn->limit);
  bufferevent_free(conn->io);
  free(conn);
  if (admin->count-- == ADMIN_CONNECTIONS_MAX && !admin->retired)
    evconnlistener_enable(admin->listener);
}

/* ---- answers --------------------------------------------------------------
 */

static void answer(struct admin_conn *conn, const char *status,
                   const char *type, const char *more, struct buf *body,
                   bool whole) {
  struct evbuffer *out = bufferevent_get_output(conn->io);
  evbuffer_add_printf(out,
                      "HTTP/1.1 %s\r\nContent-Type: %s\r\n"
                      "Content-Length: %zu\r\nCache-Control: no-store\r\n"
                      "X-Content-Type-Options: nosniff\r\n%s"
                      "Connection: close\r\n\r\n",
                      status, type, body->len, more);
  if (whole)
    evbuffer_add(out, body->data, body->len);
  conn->state = ADMIN_ANSWERS;
}

static void refuse(struct admin_conn *conn, const char *status,
                   const char *more, const char *what) {
  struct buf body;
  buf_init(&body, 512);
  buf_addf(&body, "%s\n", what);
  answer(conn, status, "text/plain; charset=utf-8", more, &body, true);
  buf_fini(&body);
}

static void answer_metrics(struct admin_conn *conn, bool whole) {
  struct buf page;
  buf_init(&page, SCRAPE_MAX);
  scrape(conn->admin->gateway, &page);
  if (page.overflown)
    refuse(conn, "500 Internal Server Error", "",
           "There is no memory for the page, or it has no end");
  else
    answer(conn, "200 OK", EXPOSITION_TYPE, "", &page, whole);
  buf_fini(&page);
}

static void on_control(void *arg, int status, json_t *document) {
  struct admin_conn *conn = arg;
  char line[32];
  struct buf body;
  char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
  json_decref(document);
  buf_init(&body, CONTROL_ANSWER_MAX);
  buf_adds(&body, text == NULL ? "{\"error\":\"out of memory\"}" : text);
  snprintf(line, sizeof line, "%d %s", status,
           status == 200 ? "OK" : "Refused");
  answer(conn, line, "application/json", "", &body, true);
  event_add(&conn->limit, &life);
  buf_fini(&body);
  free(text);
}

/* Orders are for this machine alone, and for whom the socket's mode lets. */
static bool is_control(const struct admin_conn *conn,
                       const struct head *head) {
  return conn->admin->listen.is_unix && control_has(head->path);
}

/* The other process may take its time to start, and so may plugins. */
static bool takes_long(const struct control *control) {
  return control->waits == CONTROL_WAITS_FOR_HANDOVER ||
         control->waits == CONTROL_WAITS_FOR_RELOAD;
}

static void answer_control(struct admin_conn *conn, const struct head *head) {
  static const struct timeval patience = {.tv_sec = HANDOVER_PATIENCE_S +
                                                    ADMIN_LIFE_S};
  conn->state = ADMIN_WAITS;
  conn->control = (struct control){
      .gateway = conn->admin->gateway, .told = on_control, .arg = conn};
  control_ask(&conn->control, head);
  if (takes_long(&conn->control))
    event_add(&conn->limit, &patience);
}

/* It is no HTTP from here on.  The kernel watches the descriptor for this
 * connection until the loop has turned. */
static void leave(struct admin_conn *conn) {
  static const struct timeval now = {0};
  conn->state = ADMIN_LEAVES;
  bufferevent_disable(conn->io, EV_READ | EV_WRITE);
  event_add(&conn->limit, &now);
}

static void hand_over(struct admin_conn *conn) {
  struct gateway *gateway = conn->admin->gateway;
  int fd = bufferevent_getfd(conn->io);
  bufferevent_setfd(conn->io, -1);
  conn_free(conn);
  handover_begin(gateway, fd);
}

static bool is_takeover(const struct admin_conn *conn,
                        const struct head *head) {
  return conn->admin->listen.is_unix && strcmp(head->path, "/takeover") == 0 &&
         strcmp(head->method, "POST") == 0;
}

static void answer_head(struct admin_conn *conn, const struct head *head) {
  bool get = strcmp(head->method, "GET") == 0;
  if (is_takeover(conn, head))
    leave(conn);
  else if (is_control(conn, head))
    answer_control(conn, head);
  else if (strcmp(head->path, "/metrics") != 0)
    refuse(conn, "404 Not Found", "",
           "There is /metrics; orders are for a UNIX socket");
  else if (!get && strcmp(head->method, "HEAD") != 0)
    refuse(conn, "405 Method Not Allowed", "Allow: GET, HEAD\r\n",
           "This path allows GET, HEAD");
  else
    answer_metrics(conn, get);
}

/* ---- a connection ---------------------------------------------------------
 */

static void read_head(struct admin_conn *conn, struct evbuffer *in,
                      size_t len) {
  struct head head;
  struct head_refusal refusal;
  char *text = malloc(len + 1);
  if (text == NULL) {
    conn_free(conn);
    return;
  }
  evbuffer_remove(in, text, len);
  if (head_parse(&head, text, len, &refusal)) {
    answer_head(conn, &head);
    head_fini(&head);
  } else {
    refuse(conn, "400 Bad Request", "", refusal.what);
  }
}

static void on_read(struct bufferevent *io, void *arg) {
  struct admin_conn *conn = arg;
  struct evbuffer *in = bufferevent_get_input(io);
  size_t len = evbuffer_get_length(in);
  if (conn->state != ADMIN_READS) {
    evbuffer_drain(in, len);
    return;
  }
  const char *data = (const char *)evbuffer_pullup(in, -1);
  size_t end = head_end(data, len, &conn->looked);
  if (end > 0 && end <= ADMIN_HEAD_MAX)
    read_head(conn, in, end);
  else if (len > ADMIN_HEAD_MAX)
    refuse(conn, "431 Request Header Fields Too Large", "",
           "The head is longer than 8 KiB");
  /* A full buffer wouldn't be read on: then nobody hears of the end. */
  if (end == 0 && len > ADMIN_HEAD_MAX)
    evbuffer_drain(in, len);
}

/* All of it went.  A close with unread bytes would take the answer along, so
 * the client closes first. */
static void on_written(struct bufferevent *io, void *arg) {
  struct admin_conn *conn = arg;
  if (conn->state == ADMIN_CLOSES) {
    conn_free(conn);
  } else if (conn->state == ADMIN_ANSWERS) {
    conn->state = ADMIN_LISTENS;
    shutdown(bufferevent_getfd(io), SHUT_WR);
  }
}

static void on_event(struct bufferevent *io, short what, void *arg) {
  struct admin_conn *conn = arg;
  (void)io;
  /* A client may close its side when it has asked. */
  if ((what & BEV_EVENT_EOF) != 0 && conn->state == ADMIN_ANSWERS)
    conn->state = ADMIN_CLOSES;
  else
    conn_free(conn);
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
  struct admin_conn *conn = arg;
  (void)fd, (void)what;
  if (conn->state == ADMIN_LEAVES)
    hand_over(conn);
  else
    conn_free(conn);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int len, void *arg) {
  struct admin *admin = arg;
  struct admin_conn *conn = calloc(1, sizeof *conn);
  (void)address, (void)len;
  if (conn != NULL)
    conn->io = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
                                      BEV_OPT_CLOSE_ON_FREE);
  if (conn == NULL || conn->io == NULL) {
    evutil_closesocket(fd);
    free(conn);
    return;
  }
  conn->admin = admin;
  evtimer_assign(&conn->limit, evconnlistener_get_base(listener), on_limit,
                 conn);
  event_add(&conn->limit, &life);
  LIST_INSERT_HEAD(&admin->conns, conn, next);
  if (++admin->count == ADMIN_CONNECTIONS_MAX)
    evconnlistener_disable(listener);
  bufferevent_setwatermark(conn->io, EV_READ, 0, ADMIN_HEAD_MAX + 1);
  bufferevent_setcb(conn->io, on_read, on_written, on_event, conn);
  bufferevent_enable(conn->io, EV_READ | EV_WRITE);
}

/* Of descriptors there may be too few for a while. */
static void on_accept_error(struct evconnlistener *listener, void *arg) {
  static const struct timeval pause = {.tv_usec = 100000};
  struct admin *admin = arg;
  evconnlistener_disable(listener);
  event_add(admin->resume, &pause);
}

static void admin_on_resume(evutil_socket_t fd, short what, void *arg) {
  struct admin *admin = arg;
  (void)fd, (void)what;
  if (admin->retired) {
    evconnlistener_free(admin->listener);
    admin->listener = NULL;
  } else if (admin->count < ADMIN_CONNECTIONS_MAX) {
    evconnlistener_enable(admin->listener);
  }
}

/* ---- life -----------------------------------------------------------------
 */

struct admin *admin_new(struct gateway *gateway, const char *entry,
                        struct errmsg *errmsg) {
  /* On this machine the gateway's own user may ask, and nobody else. */
  const struct listen_settings settings = {.key = "server.admin",
                                           .loops = 1,
                                           .mode = 0600,
                                           .inherits = &gateway->inherits};
  struct admin *admin = calloc(1, sizeof *admin);
  if (admin == NULL) {
    errmsg_set(errmsg, "out of memory");
    return NULL;
  }
  admin->gateway = gateway;
  LIST_INIT(&admin->conns);
  if (!listen_bind(&admin->listen, entry, &settings, errmsg)) {
    admin_free(admin);
    return NULL;
  }
  admin->listener =
      evconnlistener_new(loop_base(gateway->loop), on_accept, admin,
                         LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                         LISTEN_BACKLOG, admin->listen.fds[0]);
  admin->resume =
      evtimer_new(loop_base(gateway->loop), admin_on_resume, admin);
  if (admin->listener == NULL || admin->resume == NULL) {
    errmsg_set(errmsg, "out of memory");
    admin_free(admin);
    return NULL;
  }
  admin->listen.fds[0] = -1;
  evconnlistener_set_error_cb(admin->listener, on_accept_error);
  return admin;
}

const char *admin_url(const struct admin *admin) {
  return admin->listen.url;
}

int admin_socket(const struct admin *admin) {
  return admin->listen.known[0];
}

void admin_retire(struct admin *admin) {
  static const struct timeval now = {0};
  listen_lend(&admin->listen);
  admin->retired = true;
  evconnlistener_disable(admin->listener);
  event_add(admin->resume, &now);
}

void admin_own(struct admin *admin) {
  listen_own(&admin->listen);
}

void admin_free(struct admin *admin) {
  if (admin == NULL)
    return;
  struct admin_conn *next;
  for (struct admin_conn *conn = LIST_FIRST(&admin->conns); conn != NULL;
       conn = next) {
    next = LIST_NEXT(conn, next);
    conn_free(conn);
  }
  if (admin->listener != NULL)
    evconnlistener_free(admin->listener);
  if (admin->resume != NULL)
    event_free(admin->resume);
  listen_close(&admin->listen);
  free(admin);
}
